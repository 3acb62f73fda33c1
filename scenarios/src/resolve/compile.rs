//! A profile with its parameters filled in becomes a compiled policy.

mod boxes;
mod condition;
mod injection;
mod never;
mod quantity;
mod questions;
mod residual;
mod response;

use std::sync::Arc;

use roadblock_censor::policy::{BoxPolicy, Condition, Per, Place, Policy, Rule, TrackFrom};

pub(crate) use never::check_firing;

use super::arguments::{Setting, Settings, settings};
use super::context::fact_ids;
use super::{Context, check_id, document};
use crate::declare::{BoxDeclaration, Boxes, FileKind, ProfileFile, ResponseDeclaration, RuleDeclaration};
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::read::Located;
use crate::source::{SourceFile, Text};
use crate::suggest;

/// The policy of a censor of this name.
pub(crate) fn policy(
    name: &str,
    profile: &ProfileFile,
    settings: &Settings,
    context: &Context<'_>,
    errors: &mut Collector,
) -> Policy {
    let mut compiler = Compiler { profile, settings, context, errors };
    compiler.check_rules();
    let boxes = match &profile.boxes {
        Boxes::One(one) => vec![compiler.in_box(name, None, one)],
        Boxes::Several(all) => {
            let name = |inner: &Text| format!("{name}.{}", inner.value);
            all.entries.iter().map(|(inner, declared)| compiler.in_box(&name(inner), Some(inner), declared)).collect()
        }
    };
    Policy { boxes }
}

/// Checks a profile with its defaults. `id` is its place in the library, where it has one.
pub(crate) fn check_profile(
    source: &Arc<SourceFile>,
    id: Option<&str>,
    context: &Context<'_>,
    errors: &mut Collector,
) -> Option<()> {
    let profile: ProfileFile = document(source, FileKind::Profile, errors)?;
    check_id(&profile.id, id, errors);
    let settings = settings(&profile, None, context, errors);
    policy("censor", &profile, &settings, context, errors);
    check_firing(&profile, &settings, context, errors);
    Some(())
}

/// What is at hand while a profile is compiled.
struct Compiler<'a, 'b> {
    profile: &'a ProfileFile,
    settings: &'a Settings,
    context: &'a Context<'b>,
    errors: &'a mut Collector,
}

impl<'a> Compiler<'a, '_> {
    fn in_box(&mut self, name: &str, key: Option<&Text>, declared: &BoxDeclaration) -> BoxPolicy {
        let profile = self.profile;
        let inside = |rule: &&RuleDeclaration| {
            key.is_none_or(|key| rule.in_box.as_ref().is_some_and(|in_box| in_box.value == key.value))
        };
        let declared_rules: Vec<&RuleDeclaration> = profile.rules.iter().filter(inside).collect();
        let rules: Vec<Rule> = declared_rules.iter().map(|rule| self.rule(rule, declared.place)).collect();
        self.check_reached(&declared_rules, &rules);
        self.check_remembered(declared, &declared_rules);
        BoxPolicy { name: name.into(), rules, ..self.box_without_rules(declared) }
    }

    /// Rules that are never come to, because one before them ends the search for every packet.
    fn check_reached(&mut self, declared: &[&RuleDeclaration], rules: &[Rule]) {
        let ends_all = |(declared, rule): &(&&RuleDeclaration, &Rule)| {
            // A switch that happens to be on is no mistake of the profile's.
            let always = matches!(&rule.when, Condition::All(all) if all.is_empty()) && declared.when.enabled.is_none();
            always && rule.after.is_none() && !rule.also && declared.miss.is_none() && declared.chance.is_none()
        };
        let mut pairs = declared.iter().zip(rules);
        let Some((always, _)) = pairs.find(ends_all) else { return };
        if let Some((never, _)) = pairs.next() {
            let message = format!("it never comes to this rule: `{}` before it matches every packet", always.id.value);
            let help = "say in `when` which packets that one means, write `also = true` in it, or put it last";
            self.errors.push(Diagnostic::new(DiagnosticKind::NeverApplies, &never.id.at, message).help(help));
        }
    }

    /// Rules that go by what a box without memory does not remember.
    fn check_remembered(&mut self, in_box: &BoxDeclaration, rules: &[&RuleDeclaration]) {
        let forgets = in_box.flow.as_ref().is_some_and(|flow| flow.from == Some(TrackFrom::Nothing));
        let counts = |rule: &&&RuleDeclaration| rule.after.as_ref().is_some_and(|after| after.per == Per::Flow);
        let asks = |rule: &&&RuleDeclaration| rule.when.fired.is_some();
        if let Some(rule) = rules.iter().find(|rule| forgets && (counts(rule) || asks(rule))) {
            let message = format!("`{}` goes by the past of a flow, and its box keeps no flows", rule.id.value);
            let help =
                "say what makes the box begin to track one, as `flow.from = \"any\"`, or ask nothing of the past";
            self.errors.push(Diagnostic::new(DiagnosticKind::NeverApplies, &rule.id.at, message).help(help));
        }
    }

    /// Ids that repeat, and rules of boxes that are not there.
    fn check_rules(&mut self) {
        let boxes: Vec<&str> = match &self.profile.boxes {
            Boxes::One(_) => Vec::new(),
            Boxes::Several(all) => all.names().collect(),
        };
        let single = matches!(self.profile.boxes, Boxes::One(_));
        for (index, rule) in self.profile.rules.iter().enumerate() {
            if self.profile.rules[..index].iter().any(|other| other.id.value == rule.id.value) {
                let message = format!("two rules have the id `{}`", rule.id.value);
                self.errors.push(Diagnostic::new(DiagnosticKind::Duplicate, &rule.id.at, message));
            }
            let known = rule.in_box.as_ref().map(|name| boxes.contains(&name.as_str()));
            if known.unwrap_or(single) {
                continue;
            }
            let at = rule.in_box.as_ref().map_or(rule.at(), |name| &name.at);
            let written = rule.in_box.as_ref().map_or("", |name| name.value.as_str());
            let help = suggest::help("the profile's boxes are", written, boxes.iter().copied());
            let message = "the rule must name one of the profile's boxes";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, at, message).help(help));
        }
    }

    fn rule(&mut self, rule: &RuleDeclaration, place: Place) -> Rule {
        let mut trigger = self.response(&rule.trigger, place, rule.at());
        trigger.inject.extend(self.injections(&rule.inject.0));
        Rule {
            id: rule.id.as_str().into(),
            facts: fact_ids(&rule.facts),
            grade: self.context.grade(&rule.facts, self.errors),
            when: self.when(rule),
            after: rule.after.as_ref().and_then(|after| self.after(after)),
            trigger,
            residuals: self.residuals(rule, place),
            miss: self.miss(rule),
            suspect: rule.suspect,
            machine_only: false,
            also: rule.also,
        }
    }

    /// When a rule applies: never, if it redirects to nowhere.
    fn when(&mut self, rule: &RuleDeclaration) -> Condition {
        let when = self.condition(&rule.when);
        match &rule.trigger {
            ResponseDeclaration::Redirect(redirect) if self.addresses(&redirect.address).is_empty() => {
                Condition::Any(Vec::new())
            }
            _ => when,
        }
    }

    /// How often a rule fails to act.
    fn miss(&mut self, rule: &RuleDeclaration) -> f64 {
        match (&rule.miss, &rule.chance) {
            (None, None) => 0.0,
            (Some(miss), None) => self.probability(miss),
            (None, Some(chance)) => 1.0 - self.probability(chance),
            (Some(_), Some(_)) => {
                let message = "`miss` and `chance` say the same the one way and the other";
                let help =
                    "write `miss = 0.02` for a rule that seldom fails, or `chance = 0.263` for one that seldom acts";
                self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, rule.at(), message).help(help));
                0.0
            }
        }
    }

    fn setting(&mut self, name: &Text) -> Option<&'a Setting> {
        let setting = self.settings.get(name.as_str());
        if setting.is_none() && !self.profile.parameters.contains(name) {
            let message = format!("the profile has no parameter `{}`", name.value);
            let help = suggest::help("its parameters are", name, self.profile.parameters.names());
            self.errors.push(Diagnostic::new(DiagnosticKind::UnknownParameter, &name.at, message).help(help));
        }
        setting
    }

    fn mistyped<T>(&mut self, name: &Text, wanted: &str, found: Option<&Setting>) -> Option<T> {
        if let Some(found) = found {
            let message = format!("`${}` is {}, and {wanted} is needed here", name.value, found.describe());
            self.errors.push(Diagnostic::new(DiagnosticKind::WrongType, &name.at, message));
        }
        None
    }
}
