//! Declarations become the model: the library's parts are joined in, phases applied, and everything checked on the way.

mod access;
mod arguments;
mod compile;
mod context;
mod expectations;
mod findings;
mod hello;
mod host;
mod items;
mod machines;
mod neighbours;
mod payloads;
mod phases;
mod probes;
mod repeat;
mod services;
mod space;
mod targets;
mod tool;
mod topology;

use std::sync::Arc;

use crate::check;
use crate::compose::{Composed, compose};
use crate::declare::{FileKind, ScenarioFile, SourceDeclaration};
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::loader::Opened;
use crate::model::{Censor, Mechanism, Scenario, Source};
use crate::read::{Needed, Read, value};
use crate::source::{SourceFile, Text};
use crate::tree::{self, Node, Value};

pub(crate) use arguments::{Given, Setting, settings};
pub(crate) use compile::{check_profile, policy};
pub(crate) use context::Context;
pub(crate) use phases::profile as read_profile;
pub(crate) use services::{check_service, of_library};
pub(crate) use tool::{is_tool, tool};
pub(crate) use topology::{known, overlap};

/// Reads, joins and checks a scenario. `id` is its place in the library, where it has one; `set` is what a command sets.
pub(crate) fn scenario(
    opened: &Opened,
    id: Option<&str>,
    set: &[String],
    context: &Context<'_>,
    errors: &mut Collector,
) -> Option<Scenario> {
    let composed = compose(opened, set, context, errors)?;
    scenario_of(&composed, id, context, errors)
}

/// Reads and checks a scenario whose files were joined.
pub(crate) fn scenario_of(
    composed: &Composed,
    id: Option<&str>,
    context: &Context<'_>,
    errors: &mut Collector,
) -> Option<Scenario> {
    let file = ScenarioFile::read(&composed.node, errors)?;
    check_id(&file.id, id, errors);
    check::names(&file, errors);
    let services = services::of_scenario(&file, context, errors);
    let background = services::background(&services, context, errors);
    let topology = topology::build(&file, &services, context, errors);
    let phases = phases::build(&file, context, errors);
    let expectations = expectations::build(&file, &services, &phases, &topology, context, errors);
    let scenario = Scenario {
        foreign: true,
        id: file.id.0.as_ref()?.value.as_str().into(),
        title: file.title.0.clone()?,
        story: file.story.as_deref().map(paragraph),
        felt: file.felt.as_deref().map(paragraph),
        unknown: file.unknown.as_deref().map(paragraph),
        mechanisms: mechanisms(&file.mechanisms),
        parameters: composed.parameters.clone(),
        sources: file.sources.iter().map(|each| source_of(each, context, errors)).collect(),
        hops: topology.hops,
        vantages: topology.vantages,
        resolvers: topology.resolvers,
        censors: censors(&file),
        services,
        background,
        machines: topology.machines,
        phases,
        expectations,
    };
    check::scenario(&file, &scenario, context, errors);
    Some(scenario)
}

/// Reads a file of a kind. What is not TOML is not read further: what follows from a slip of the pen is noise.
pub(crate) fn document<T: Read>(source: &Arc<SourceFile>, kind: FileKind, errors: &mut Collector) -> Option<T> {
    let mut syntax = Collector::default();
    let node = tree::parse(source, &mut syntax);
    let sound = errors.absorb(syntax);
    (sound && is_of_kind(&node, kind, errors)).then(|| T::read(&node, errors)).flatten()
}

/// Whether a text calls itself a profile.
pub(crate) fn is_profile(name: &str, text: &str) -> bool {
    let mut mistakes = Collector::default();
    let node = tree::parse(&Arc::new(SourceFile::new(name, text)), &mut mistakes);
    let Value::Table(entries) = &node.value else { return false };
    let kind = value(entries, "kind").and_then(|kind| FileKind::read(kind, &mut mistakes));
    kind == Some(FileKind::Profile)
}

/// Looks at a file's kind before its keys, because the keys of another kind would all be unknown.
pub(crate) fn is_of_kind(node: &Node, wanted: FileKind, errors: &mut Collector) -> bool {
    let Value::Table(entries) = &node.value else { return false };
    let Some(kind) = value(entries, "kind") else { return true };
    let Some(found) = FileKind::read(kind, errors) else { return false };
    if found != wanted {
        let message = format!("this is a {}, and a {} is needed here", found.word(), wanted.word());
        errors.push(Diagnostic::new(DiagnosticKind::WrongKind, &kind.at, message));
    }
    found == wanted
}

/// A file of the library is called by its place.
pub(crate) fn check_id(written: &Needed<Text>, place: Option<&str>, errors: &mut Collector) {
    if let (Some(written), Some(place)) = (&written.0, place)
        && written.as_str() != place
    {
        let message = format!("the file is `{place}`, but calls itself `{}`", written.value);
        let help = format!("write `id = \"{place}\"`");
        errors.push(Diagnostic::new(DiagnosticKind::BadValue, &written.at, message).help(help));
    }
}

/// A text as it reads, whatever the lines it was written on; an empty line keeps two paragraphs apart.
fn paragraph(text: &str) -> String {
    let paragraphs = text.trim().split("\n\n");
    let joined = paragraphs.map(|each| each.split_whitespace().collect::<Vec<_>>().join(" "));
    joined.filter(|each| !each.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// The ways of blocking, each once: a scenario that adds to what it extends may name one again.
fn mechanisms(written: &[Mechanism]) -> Vec<Mechanism> {
    let mut all: Vec<Mechanism> = Vec::new();
    for each in written {
        if !all.contains(each) {
            all.push(*each);
        }
    }
    all
}

fn censors(file: &ScenarioFile) -> Vec<Censor> {
    let censors = file.censors.entries.iter();
    censors
        .map(|(name, censor)| Censor {
            name: name.as_str().into(),
            profile: censor.profile.as_str().into(),
            at: censor.at_hop.as_str().into(),
        })
        .collect()
}

fn source_of(source: &SourceDeclaration, context: &Context<'_>, errors: &mut Collector) -> Source {
    context.grade(&source.facts, errors);
    Source {
        title: source.title.clone(),
        date: source.date.as_ref().map(|date| date.0.clone()),
        url: source.url.clone(),
        facts: source.facts.iter().map(|fact| fact.value.clone()).collect(),
    }
}
