//! Commands with something in braces that is filled in.

use std::net::IpAddr;

use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::model::{Piece, Template};
use crate::source::Text;
use crate::suggest;

/// What stands for something in a command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    /// The servers and their addresses.
    pub(crate) servers: &'a [(&'a str, IpAddr)],
    /// Which of them `{server}` is, if not the only one.
    pub(crate) own: Option<IpAddr>,
    /// The proxy.
    pub(crate) proxy: Option<&'a str>,
    /// Whether there is a target.
    pub(crate) target: bool,
}

/// The command that is written; what stands for nothing is a mistake, and stays as it is.
pub(crate) fn template(written: &Text, known: &Known<'_>, errors: &mut Collector) -> Template {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    for part in parts(written) {
        let piece = match part {
            Part::Plain(text) => {
                plain.push_str(text);
                continue;
            }
            Part::Placeholder(word) => known.piece(word),
        };
        match (piece, part) {
            (Some(Piece::Text(text)), _) => plain.push_str(&text),
            (Some(piece), _) => {
                pieces.extend([Piece::Text(std::mem::take(&mut plain)), piece]);
            }
            (None, Part::Placeholder(word)) => errors.push(known.mistake(written, word)),
            (None, Part::Plain(_)) => {}
        }
    }
    pieces.push(Piece::Text(plain));
    Template::new(pieces)
}

impl Known<'_> {
    fn piece(&self, word: &str) -> Option<Piece> {
        let text = |text: String| Some(Piece::Text(text));
        match word {
            "dir" => Some(Piece::Folder),
            "target" if self.target => Some(Piece::Target),
            "proxy" => text(self.proxy?.to_owned()),
            "server" => match (self.own, self.servers) {
                (Some(own), _) => text(own.to_string()),
                (None, [(_, only)]) => text(only.to_string()),
                _ => None,
            },
            word => {
                let name = word.strip_prefix("server.")?;
                let (_, address) = self.servers.iter().find(|(server, _)| *server == name)?;
                text(address.to_string())
            }
        }
    }

    fn mistake(&self, written: &Text, word: &str) -> Diagnostic {
        let message = format!("`{{{word}}}` stands for nothing here");
        let mut words = vec!["dir".to_owned()];
        words.extend(self.servers.iter().map(|(name, _)| format!("server.{name}")));
        words.extend((self.own.is_some() || self.servers.len() == 1).then(|| "server".to_owned()));
        words.extend(self.proxy.map(|_| "proxy".to_owned()));
        words.extend(self.target.then(|| "target".to_owned()));
        let help = suggest::help("what can stand in braces is", word, words.iter().map(String::as_str));
        let help = format!("{help}; for a brace write it twice");
        Diagnostic::new(DiagnosticKind::UnknownPlaceholder, &written.at, message).help(help)
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part<'a> {
    Plain(&'a str),
    /// What stands between braces.
    Placeholder(&'a str),
}

/// What a command is made of. Only a word of small letters, digits, `.` and `-` between two braces, of which the first comes
/// after no `$`, is looked at, so that a shell's own braces mean what they mean there.
fn parts(written: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = written;
    while let Some(open) = rest.find(['{', '}']) {
        let (before, at) = rest.split_at(open);
        parts.push(Part::Plain(before));
        if at.starts_with("{{") || at.starts_with("}}") {
            parts.push(Part::Plain(&at[..1]));
            rest = &at[2..];
        } else if let Some(word) = word_in_braces(at).filter(|_| !before.ends_with('$')) {
            parts.push(Part::Placeholder(word));
            rest = &at[word.len() + 2..];
        } else {
            parts.push(Part::Plain(&at[..1]));
            rest = &at[1..];
        }
    }
    parts.push(Part::Plain(rest));
    parts
}

fn word_in_braces(at: &str) -> Option<&str> {
    let (word, _) = at.strip_prefix('{')?.split_once('}')?;
    let fits = |each: char| each.is_ascii_lowercase() || each.is_ascii_digit() || ".-".contains(each);
    (word.starts_with(|first: char| first.is_ascii_lowercase()) && word.chars().all(fits)).then_some(word)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::model::Filling;
    use crate::source::SourceFile;

    fn filled(written: &str, known: &Known<'_>) -> (String, Vec<String>) {
        let source = Arc::new(SourceFile::new("tool.toml", written));
        let mut errors = Collector::default();
        errors.open(&source);
        let text = Text { value: written.to_owned(), at: source.location(0..written.len()) };
        let command =
            template(&text, known, &mut errors).fill(Filling { folder: "/run/tool", target: "https://a.example/" });
        let mistakes = errors.finish::<()>(None).expect_err("nothing is asked for");
        (command, mistakes.all.into_iter().map(|each| each.message).collect())
    }

    #[test]
    fn what_stands_in_braces_is_filled_in_and_a_shells_own_are_left() {
        let servers = [("one", IpAddr::from([185, 70, 40, 10])), ("two", IpAddr::from([185, 70, 40, 11]))];
        let known = Known { servers: &servers, own: None, proxy: Some("socks5h://127.0.0.1:1080"), target: true };
        let (command, mistakes) = filled("curl -x {proxy} --resolve a:443:{server.two} {target} -o {dir}/page", &known);
        assert_eq!(
            command,
            "curl -x socks5h://127.0.0.1:1080 --resolve a:443:185.70.40.11 https://a.example/ -o /run/tool/page"
        );
        assert!(mistakes.is_empty(), "{mistakes:?}");
        let shells = "awk '{ print $1 }' ${home} {a,b} {1..3} {} { x; }";
        assert_eq!(filled(shells, &known), (shells.to_owned(), Vec::new()));
        assert_eq!(filled("{{proxy}} }}", &known).0, "{proxy} }");
        assert_eq!(
            filled("{server} {porxy}", &known).1,
            ["`{server}` stands for nothing here", "`{porxy}` stands for nothing here"]
        );
        let own = Known { own: Some(servers[0].1), proxy: None, target: false, ..known };
        assert_eq!(filled("{server}", &own).0, "185.70.40.10");
        assert_eq!(filled("{target} {proxy}", &own).1.len(), 2);
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read(written in "[a-z{}$. ]{0,24}") {
            let known = Known { servers: &[], own: None, proxy: None, target: true };
            let (command, mistakes) = filled(&written, &known);
            if mistakes.is_empty() && !written.contains("{dir}") && !written.contains("{target}") && !written.contains("{{") && !written.contains("}}") {
                prop_assert_eq!(command, written);
            }
        }
    }
}
