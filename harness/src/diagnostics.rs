//! Mistakes in scenario files, shown where they stand.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};
use roadblock_scenarios::{Diagnostic, Diagnostics};

/// All mistakes, one after the other, each with its place, a mark under it, and what to do.
pub(crate) fn render(diagnostics: &Diagnostics, coloured: bool) -> String {
    let renderer = if coloured { Renderer::styled() } else { Renderer::plain() }.decor_style(DecorStyle::Ascii);
    let rendered: Vec<String> =
        diagnostics.all.iter().map(|each| renderer.render(&report(each, diagnostics))).collect();
    let (errors, warnings) = diagnostics.count();
    let counted = [(errors, "error"), (warnings, "warning")].into_iter().filter(|(count, _)| *count > 0);
    let counted = counted.map(|(count, what)| format!("{count} {what}{}", if count == 1 { "" } else { "s" }));
    format!("{}\n\n{}", rendered.join("\n\n"), counted.collect::<Vec<_>>().join(", "))
}

fn report<'a>(diagnostic: &'a Diagnostic, diagnostics: &'a Diagnostics) -> Vec<Group<'a>> {
    let level = if diagnostic.is_error() { Level::ERROR } else { Level::WARNING };
    let title = level.primary_title(&*diagnostic.message);
    let mut group = Group::with_title(title).element(place(diagnostic, diagnostics));
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(&**help));
    }
    vec![group]
}

/// The lines around the mistake, or the file's name alone where there are none.
fn place<'a>(diagnostic: &'a Diagnostic, diagnostics: &'a Diagnostics) -> Element<'a> {
    let location = &diagnostic.location;
    match diagnostics.source(location) {
        Some(source) if !source.text().is_empty() => {
            let label = diagnostic.label.as_deref();
            let mark = AnnotationKind::Primary.span(location.span.clone()).label(label);
            Snippet::source(source.text()).path(&*location.file).annotation(mark).into()
        }
        _ => Origin::path(&*location.file).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use roadblock_scenarios::{DiagnosticKind, SourceFile};

    use super::*;

    #[test]
    fn all_mistakes_come_with_their_place_and_what_to_do() {
        let text = "id = \"ru/a\"\n[vantage.moscow]\nresolver = [\"isp\"]\npath = [\"nowhere\"]\n";
        let file = Arc::new(SourceFile::new("./a.toml", text));
        let unknown_key = Diagnostic::new(DiagnosticKind::UnknownKey, &file.location(29..37), "unknown key `resolver`")
            .label("not a key of a vantage")
            .help("did you mean `resolvers`?");
        let unknown_hop = Diagnostic::new(DiagnosticKind::UnknownHop, &file.location(56..65), "no hop `nowhere`");
        let sources = BTreeMap::from([(file.name().into(), Arc::clone(&file))]);
        let diagnostics = Diagnostics { all: vec![unknown_key, unknown_hop], sources };
        insta::assert_snapshot!(render(&diagnostics, false));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let file = SourceFile::new("./missing.toml", "");
        let missing = Diagnostic::new(DiagnosticKind::Unreadable, &file.location(0..0), "cannot read `./missing.toml`");
        let diagnostics = Diagnostics { all: vec![missing], sources: BTreeMap::new() };
        insta::assert_snapshot!(render(&diagnostics, false));
    }
}
