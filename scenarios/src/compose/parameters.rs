//! What a scenario lets others set: declared, set, checked, and put in the place of `"$NAME"`.

use std::sync::Arc;

use super::chain::take;
use crate::declare::Parameter as Declaration;
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::loader::Opened;
use crate::model::Parameter;
use crate::read::{Dictionary, Located, Read, wrong_type};
use crate::resolve::{Context, Setting};
use crate::source::{Location, SourceFile, Text};
use crate::suggest;
use crate::tree::{self, Entry, Node, Value, render};

/// Fills in a scenario's parameters: what a command line sets holds before what files set, and that before the default.
/// `None` where something is wrong with them.
pub(super) fn fill_in(
    node: &mut Node,
    set: &[String],
    context: &Context<'_>,
    errors: &mut Collector,
) -> Option<Vec<Parameter>> {
    let Value::Table(entries) = &mut node.value else { return None };
    let mut mistakes = Collector::default();
    let declared = take(entries, "param");
    let declared: Dictionary<Declaration> =
        declared.and_then(|node| Dictionary::read(&node, &mut mistakes)).unwrap_or_default();
    let by_files = take(entries, "set").and_then(|node| match node.value {
        Value::Table(entries) => Some(entries),
        _ => wrong_type(&node, "a table", &mut mistakes),
    });
    let by_command = set.iter().filter_map(|written| of_command(written, context, &mut mistakes));
    // The last one that sets it counts.
    let set: Vec<Entry> = by_files.into_iter().flatten().chain(by_command).collect();
    let mut filler = Filler { declared: &declared, set: &set, context, errors: &mut mistakes };
    filler.check_names();
    let values: Vec<Filled<'_>> = declared.entries.iter().filter_map(|(name, each)| filler.value(name, each)).collect();
    substitute(node, &Values { declared: &declared, values: &values }, &mut mistakes);
    errors.absorb(mistakes).then(|| values.iter().map(Filled::account).collect())
}

/// A parameter with its value.
struct Filled<'a> {
    name: &'a Text,
    declared: &'a Declaration,
    node: Node,
    is_set: bool,
}

impl Filled<'_> {
    fn account(&self) -> Parameter {
        Parameter {
            name: self.name.as_str().into(),
            kind: self.declared.kind.word(),
            about: self.declared.about.clone(),
            // How far it is known is said of the default.
            grade: self.declared.grade.filter(|_| !self.is_set),
            value: render::inline(&self.node),
            is_set: self.is_set,
            at: self.node.at.clone(),
        }
    }
}

struct Filler<'a, 'e> {
    declared: &'a Dictionary<Declaration>,
    set: &'a [Entry],
    context: &'e Context<'e>,
    errors: &'e mut Collector,
}

impl<'a> Filler<'a, '_> {
    /// Nothing may be set that is not there, and names must be such that `$NAME` can be written.
    fn check_names(&mut self) {
        for Entry { key, .. } in self.set {
            if !self.declared.contains(key) {
                let message = format!("the scenario has no parameter `{}`", key.value);
                let help = suggest::help("its parameters are", key, self.declared.names());
                self.errors.push(Diagnostic::new(DiagnosticKind::UnknownParameter, &key.at, message).help(help));
            }
        }
        for name in self.declared.keys().filter(|name| !is_name(name)) {
            let message = format!("`{}` cannot be the name of a parameter", name.value);
            let help = "write lower-case letters, digits and `-`, as `param.miss-rate`";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadName, &name.at, message).help(help));
        }
    }

    fn value(&mut self, name: &'a Text, declared: &'a Declaration) -> Option<Filled<'a>> {
        let set = self.set.iter().rfind(|entry| entry.key.value == name.value).map(|entry| &entry.node);
        let is_set = set.is_some();
        let Some(node) = set.or(declared.default.as_ref()) else {
            return self.neutral(name, declared);
        };
        Setting::read(declared.kind, node, self.context, self.errors)?;
        Some(Filled { name, declared, node: node.clone(), is_set })
    }

    /// Without a default a list is empty and a flag false; anything else must be set.
    fn neutral(&mut self, name: &'a Text, declared: &'a Declaration) -> Option<Filled<'a>> {
        if declared.kind.is_needed() {
            let message = format!("the parameter `{}` has no default and is not set", name.value);
            let help = format!(
                "give it a `default`, write `set = {{ {0} = … }}` in a file that extends this one, or `--set {0}=…`",
                name.value
            );
            self.errors.push(Diagnostic::new(DiagnosticKind::MissingKey, declared.at(), message).help(help));
            return None;
        }
        let value = if declared.kind.is_list() { Value::Array(Vec::new()) } else { Value::Boolean(false) };
        Some(Filled { name, declared, node: Node { at: declared.at().clone(), value }, is_set: false })
    }
}

fn is_name(name: &str) -> bool {
    let plain = |each: u8| each.is_ascii_lowercase() || each.is_ascii_digit() || each == b'-';
    !name.is_empty() && name.bytes().all(plain)
}

/// What may stand behind a `$`.
struct Values<'a> {
    declared: &'a Dictionary<Declaration>,
    values: &'a [Filled<'a>],
}

/// Puts each parameter's value in the place of its name. A list among the items of an array becomes items of it.
fn substitute(node: &mut Node, values: &Values<'_>, errors: &mut Collector) {
    match &mut node.value {
        Value::String(_) => {
            if let Some(value) = values.of(node, errors) {
                *node = value;
            }
        }
        Value::Table(entries) => entries.iter_mut().for_each(|entry| substitute(&mut entry.node, values, errors)),
        Value::Array(nodes) => {
            let mut all = Vec::with_capacity(nodes.len());
            for mut each in std::mem::take(nodes) {
                let was_name = matches!(each.value, Value::String(_));
                substitute(&mut each, values, errors);
                match each.value {
                    Value::Array(items) if was_name => all.extend(items),
                    _ => all.push(each),
                }
            }
            *nodes = all;
        }
        _ => {}
    }
}

impl Values<'_> {
    /// What a text stands for, if it is a parameter's name. `$$` stands for a `$`.
    fn of(&self, node: &Node, errors: &mut Collector) -> Option<Node> {
        let Value::String(text) = &node.value else { return None };
        let name = text.strip_prefix('$')?;
        if name.starts_with('$') {
            return Some(Node { at: node.at.clone(), value: Value::String(name.to_owned()) });
        }
        if let Some(filled) = self.values.iter().find(|each| each.name.value == name) {
            return Some(filled.node.clone());
        }
        // What is declared and has no value was noted.
        if !self.declared.contains(name) {
            let message = format!("the scenario has no parameter `{name}`");
            let help = suggest::help("its parameters are", name, self.declared.names());
            let help = format!("for a text that begins with `$` write `$$`; {help}");
            errors.push(Diagnostic::new(DiagnosticKind::UnknownParameter, &node.at, message).help(help));
        }
        None
    }
}

/// `NAME=VALUE` as a command line has it. The value is TOML; a bare word is a text.
fn of_command(written: &str, context: &Context<'_>, errors: &mut Collector) -> Option<Entry> {
    let source = Arc::new(SourceFile::new(&format!("--set {written}"), written));
    errors.open(&source);
    // A list is looked for beside whoever gives the command.
    context.opened(&Opened::here(&source));
    let Some((name, value)) = written.split_once('=') else {
        let message = format!("`{written}` sets nothing");
        let help = "write a parameter and its value, as `--set miss=0.2`";
        errors.push(Diagnostic::new(DiagnosticKind::Syntax, &source.location(0..written.len()), message).help(help));
        return None;
    };
    let mut syntax = Collector::default();
    let node = tree::parse(&source, &mut syntax);
    let key = Text { value: name.trim().to_owned(), at: source.location(0..name.len()) };
    let parsed = match node.value {
        Value::Table(entries) => entries.into_iter().find(|entry| entry.key.value == key.value),
        _ => None,
    };
    let value_at = written.len() - value.trim_start().len()..written.len();
    // What begins like TOML and is none is a slip of the pen.
    if value.trim_start().starts_with(['[', '{', '"', '\'']) {
        return errors.absorb(syntax).then_some(parsed).flatten();
    }
    let bare = |at: Location| Node { at, value: Value::String(value.trim().to_owned()) };
    let is_sound = syntax.is_empty();
    Some(parsed.filter(|_| is_sound).unwrap_or_else(|| Entry { key, node: bare(source.location(value_at)) }))
}
