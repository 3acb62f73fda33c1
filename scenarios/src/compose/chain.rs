//! The files that a scenario extends, one after the other, each laid over the next.

use super::{merge, without};
use crate::declare::FileKind;
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::library::is_path;
use crate::loader::{self, Opened};
use crate::read::Read;
use crate::resolve::{Context, is_of_kind};
use crate::source::Text;
use crate::suggest;
use crate::tree::{self, Entry, Node, Value};

/// The tree of a file, with what it extends under it.
pub(super) fn join(opened: &Opened, context: &Context<'_>, errors: &mut Collector) -> Option<Node> {
    Chain { context, errors, trail: vec![opened.identity.clone()] }.layer(opened)
}

struct Chain<'a, 'b> {
    context: &'a Context<'b>,
    errors: &'a mut Collector,
    /// The files from the first to this one.
    trail: Vec<String>,
}

impl Chain<'_, '_> {
    fn layer(&mut self, opened: &Opened) -> Option<Node> {
        self.context.opened(opened);
        let mut syntax = Collector::default();
        let mut node = tree::parse(&opened.source, &mut syntax);
        if !self.errors.absorb(syntax) || !is_of_kind(&node, FileKind::Scenario, self.errors) {
            return None;
        }
        let Value::Table(entries) = &mut node.value else { return None };
        let extends = take(entries, "extends");
        let without = take(entries, "without").and_then(|node| Vec::<Text>::read(&node, self.errors));
        let without = without.unwrap_or_default();
        let Some(extends) = extends else {
            for path in &without {
                let message = "there is nothing to take out, because this file extends no other";
                let help = "write `extends = \"…\"`, or leave out what `without` names";
                self.errors.push(Diagnostic::new(DiagnosticKind::NothingToChange, &path.at, message).help(help));
            }
            return Some(node);
        };
        let extends = Text::read(&extends, self.errors)?;
        let base = self.open(&extends, opened)?;
        self.trail.push(base.identity.clone());
        let mut base = self.layer(&base)?;
        self.trail.pop();
        if let Value::Table(entries) = &mut base.value {
            entries.retain(|entry| !OWN.contains(&entry.key.as_str()));
        }
        without::take_out(&mut base, &without, self.errors);
        Some(merge::lay(base, node))
    }

    /// The file that another extends.
    fn open(&mut self, extends: &Text, from: &Opened) -> Option<Opened> {
        let opened = if is_path(extends) {
            loader::beside(from, extends).map_err(|error| {
                let mistake = Diagnostic::new(error.kind(), &extends.at, format!("cannot extend this: {error}"));
                self.errors.push(mistake.help(error.help()));
            })
        } else {
            self.context.library.scenario_file(extends).ok_or_else(|| {
                let message = format!("the library has no scenario `{}`", extends.value);
                let help = suggest::help("it has", extends, self.context.library.ids());
                let help = format!("for a file beside this one write `./{}.toml`; {help}", extends.value);
                self.errors.push(Diagnostic::new(DiagnosticKind::UnknownScenario, &extends.at, message).help(help));
            })
        };
        let opened = opened.ok()?;
        if let Some(start) = self.trail.iter().position(|each| *each == opened.identity) {
            let circle = self.trail[start..].iter().chain([&opened.identity]).map(String::as_str);
            let message = format!("`extends` goes in a circle: {}", circle.collect::<Vec<_>>().join(" -> "));
            let help = "take one of these `extends` out";
            self.errors.push(Diagnostic::new(DiagnosticKind::UseLoop, &extends.at, message).help(help));
            return None;
        }
        if self.trail.len() > DEEPEST {
            let message = format!("more than {DEEPEST} files extend each other");
            let help = "extend one of those below this one directly";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, &extends.at, message).help(help));
            return None;
        }
        Some(opened)
    }
}

/// Takes a key with its value out of a table.
pub(super) fn take(entries: &mut Vec<Entry>, key: &str) -> Option<Node> {
    let place = entries.iter().position(|entry| entry.key.value == key)?;
    Some(entries.remove(place).node)
}

/// What each file says of itself: it is not taken from what it extends.
const OWN: [&str; 3] = ["id", "title", "kind"];

/// How many files may extend each other. Who reads the last must remember all.
const DEEPEST: usize = 8;
