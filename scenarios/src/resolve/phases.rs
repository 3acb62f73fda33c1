//! Phases: the state at the beginning, and what each step changes of it.

use std::collections::BTreeMap;

use roadblock_censor::NamePattern;
use roadblock_censor::policy::DnsForgery;
use roadblock_censor::policy::Grade;

use super::arguments::{Given, Operation, Settings, edit, items, settings};
use super::compile::{check_firing, policy};
use super::context::fact_ids;
use super::items::expand;
use super::{Context, document};
use crate::declare::{
    Change, FileKind, LieAnswerDeclaration, LieDeclaration, PhaseDeclaration, ProfileFile, ScenarioFile,
};
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::kernel_rules;
use crate::library::is_path;
use crate::model::{Lie, LieAnswer, Name, Phase, PhaseState};
use crate::read::Located;
use crate::source::Text;
use crate::suggest;
use crate::tree::Node;

/// The phases of a scenario; one named `always` where it has none.
pub(crate) fn build(file: &ScenarioFile, context: &Context<'_>, errors: &mut Collector) -> Vec<Phase> {
    let mut state = State::new(file, context, errors);
    if file.phases.is_empty() {
        let state = state.compile(context, errors);
        return vec![Phase { id: "always".into(), date: None, title: None, felt: None, unknown: None, state }];
    }
    let phases = file.phases.iter().map(|declared| {
        declared.changes.iter().for_each(|change| state.apply(change, context, errors));
        phase(declared, state.compile(context, errors))
    });
    let mut phases: Vec<Phase> = phases.collect();
    kernel_rules::settle(&mut phases);
    phases
}

fn phase(declared: &PhaseDeclaration, state: PhaseState) -> Phase {
    Phase {
        id: declared.id.as_str().into(),
        date: declared.date.as_ref().map(|date| date.value.0.clone()),
        title: declared.title.clone(),
        felt: declared.felt.clone(),
        unknown: declared.unknown.clone(),
        state,
    }
}

/// All that a phase can change, as it stands while the phases are gone through.
#[derive(Debug)]
struct State {
    lies: Vec<(Name, Vec<LieState>)>,
    censors: Vec<CensorState>,
    /// Censors whose profile could not be read. That was noted; what changes them is not judged.
    broken: Vec<Name>,
}

#[derive(Debug)]
struct LieState {
    id: Name,
    names: Vec<NamePattern>,
    answer: LieAnswer,
    declared: LieDeclaration,
    grade: Grade,
}

#[derive(Debug)]
struct CensorState {
    name: Name,
    profile: ProfileFile,
    settings: Settings,
}

impl State {
    fn new(file: &ScenarioFile, context: &Context<'_>, errors: &mut Collector) -> Self {
        let resolvers = file.resolvers.entries.iter();
        let lies = resolvers.map(|(name, resolver)| (name.as_str().into(), lies(&resolver.lies, context, errors)));
        let lies = lies.collect();
        let (mut censors, mut broken) = (Vec::new(), Vec::new());
        for (name, censor) in &file.censors.entries {
            if let Some(profile) = profile(&censor.profile, context, errors) {
                let settings = settings(&profile, Some(Given::Censor(censor)), context, errors);
                check_firing(&profile, &settings, context, errors);
                censors.push(CensorState { name: name.as_str().into(), profile, settings });
            } else {
                broken.push(name.as_str().into());
            }
        }
        broken.extend(file.censors.broken.iter().map(|name| name.as_str().into()));
        Self { lies, censors, broken }
    }

    fn compile(&self, context: &Context<'_>, errors: &mut Collector) -> PhaseState {
        let lies = self.lies.iter().map(|(name, lies)| (name.clone(), lies.iter().map(LieState::lie).collect()));
        let mut policies = BTreeMap::new();
        for censor in &self.censors {
            let policy = policy(&censor.name, &censor.profile, &censor.settings, context, errors);
            policies.insert(censor.name.clone(), policy);
        }
        PhaseState { lies: lies.collect(), policies }
    }

    fn apply(&mut self, change: &Change, context: &Context<'_>, errors: &mut Collector) {
        let Some((operation, node)) = operation(change, errors) else { return };
        let path: Vec<&str> = change.target.split('.').collect();
        match path.as_slice() {
            ["resolver", resolver, "lies", rest @ ..] => {
                let Some(("names", id)) = rest.split_last().map(|(last, id)| (*last, id.join("."))) else {
                    return malformed(&change.target, errors);
                };
                self.change_lie(&change.target, (resolver, &id), (operation, node), context, errors);
            }
            ["censor", censor, parameter] => {
                self.change_censor(&change.target, (censor, parameter), (operation, node), context, errors);
            }
            _ => malformed(&change.target, errors),
        }
    }

    fn change_lie(
        &mut self,
        target: &Text,
        (resolver, id): (&str, &str),
        (operation, node): (Operation, &Node),
        context: &Context<'_>,
        errors: &mut Collector,
    ) {
        let names: Vec<Name> = self.lies.iter().map(|(name, _)| name.clone()).collect();
        let Some((_, lies)) = self.lies.iter_mut().find(|(name, _)| &**name == resolver) else {
            return absent(target, "resolver", resolver, &names, errors);
        };
        let ids: Vec<Name> = lies.iter().map(|lie| lie.id.clone()).collect();
        // A lie is called by its id or by its place, which counts from 0.
        let place = ids.iter().position(|each| **each == *id).or_else(|| id.parse().ok());
        let Some(lie) = place.and_then(|place| lies.get_mut(place)) else {
            return absent(target, "lie", id, &ids, errors);
        };
        if let Some(items) = items(node, context, errors) {
            edit(&mut lie.names, items, operation, &node.at, errors);
        }
    }

    fn change_censor(
        &mut self,
        target: &Text,
        (censor, parameter): (&str, &str),
        (operation, node): (Operation, &Node),
        context: &Context<'_>,
        errors: &mut Collector,
    ) {
        if self.broken.iter().any(|each| **each == *censor) {
            return;
        }
        let names: Vec<Name> = self.censors.iter().map(|censor| censor.name.clone()).collect();
        let Some(censor) = self.censors.iter_mut().find(|each| *each.name == *censor) else {
            return absent(target, "censor", censor, &names, errors);
        };
        let parameters: Vec<Name> = censor.settings.keys().map(|name| name.as_str().into()).collect();
        match censor.settings.get_mut(parameter) {
            Some(setting) => setting.change(operation, node, context, errors),
            None => absent(target, "parameter", parameter, &parameters, errors),
        }
    }
}

impl LieState {
    fn lie(&self) -> Lie {
        Lie {
            id: self.id.clone(),
            names: self.names.iter().cloned().collect(),
            answer: self.answer.clone(),
            facts: fact_ids(&self.declared.facts),
            grade: self.grade,
        }
    }
}

fn lies(declared: &[LieDeclaration], context: &Context<'_>, errors: &mut Collector) -> Vec<LieState> {
    let mut lies: Vec<LieState> = Vec::new();
    for (index, lie) in declared.iter().enumerate() {
        let id: Name = lie.id.as_ref().map_or_else(|| format!("lies.{index}").into(), |id| id.as_str().into());
        if let (Some(written), true) = (&lie.id, lies.iter().any(|other| other.id == id)) {
            let message = format!("two lies of this resolver have the id `{id}`");
            errors.push(Diagnostic::new(DiagnosticKind::Duplicate, &written.at, message));
        }
        check_answer(&lie.answer, errors);
        let answer = answer(&lie.answer, context, errors);
        lies.push(LieState {
            id,
            names: expand(&lie.names, context, errors),
            answer,
            declared: lie.clone(),
            grade: context.grade(&lie.facts, errors),
        });
    }
    lies
}

fn answer(answer: &LieAnswerDeclaration, context: &Context<'_>, errors: &mut Collector) -> LieAnswer {
    if answer.silence {
        return LieAnswer::Silence;
    }
    LieAnswer::Forged(DnsForgery {
        rcode: answer.rcode.as_ref().and_then(|rcode| rcode.0).unwrap_or_default().0,
        addresses: answer.addresses.as_ref().map(|items| expand(items, context, errors)).unwrap_or_default(),
        ttl: answer.ttl,
        authoritative: false,
    })
}

fn check_answer(answer: &LieAnswerDeclaration, errors: &mut Collector) {
    let says = [
        answer.rcode.is_some(),
        answer.addresses.as_ref().is_some_and(|items| !items.union.is_empty()),
        answer.silence,
    ];
    if says.iter().filter(|each| **each).count() != 1 {
        let message = "an answer is one of `rcode`, `addresses` and `silence = true`";
        errors.push(Diagnostic::new(DiagnosticKind::BadValue, answer.at(), message));
    }
}

/// A censor's profile.
pub(crate) fn profile(id: &Text, context: &Context<'_>, errors: &mut Collector) -> Option<ProfileFile> {
    if is_path(id) {
        let source = context.file_beside(id, "profile", errors)?;
        return document(&source, FileKind::Profile, errors);
    }
    let Some(source) = context.library.document(id) else {
        let message = format!("the library has no profile `{}`", id.value);
        let help = suggest::help("it has", id, context.library.profiles());
        errors.push(Diagnostic::new(DiagnosticKind::UnknownProfile, &id.at, message).help(help));
        return None;
    };
    if !id.starts_with("censors/") {
        let message = format!("`{}` is not a profile", id.value);
        let help = suggest::help("the library's profiles are", id, context.library.profiles());
        errors.push(Diagnostic::new(DiagnosticKind::WrongKind, &id.at, message).help(help));
        return None;
    }
    document(source, FileKind::Profile, errors)
}

fn operation<'a>(change: &'a Change, errors: &mut Collector) -> Option<(Operation, &'a Node)> {
    match (&change.add, &change.remove, &change.set) {
        (Some(node), None, None) => Some((Operation::Add, node)),
        (None, Some(node), None) => Some((Operation::Remove, node)),
        (None, None, Some(node)) => Some((Operation::Set, node)),
        _ => {
            let message = "a change is exactly one of `add`, `remove` and `set`";
            let help = "write several changes of the same thing one after the other";
            errors.push(Diagnostic::new(DiagnosticKind::BadValue, change.at(), message).help(help));
            None
        }
    }
}

fn malformed(target: &Text, errors: &mut Collector) {
    let message = format!("`{}` is nothing that a phase can change", target.value);
    let help = "write `resolver.NAME.lies.ID.names` or `censor.NAME.PARAMETER`";
    errors.push(Diagnostic::new(DiagnosticKind::NothingToChange, &target.at, message).help(help));
}

fn absent(target: &Text, what: &str, name: &str, known: &[Name], errors: &mut Collector) {
    let message = format!("`{}` is not there: no {what} `{name}`", target.value);
    let help = suggest::help(&format!("the {what}s here are"), name, known.iter().map(|each| &**each));
    errors.push(Diagnostic::new(DiagnosticKind::NothingToChange, &target.at, message).help(help));
}
