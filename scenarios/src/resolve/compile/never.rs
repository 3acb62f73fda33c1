//! Rules that can never fire, whatever a scenario puts into a profile's lists.
//!
//! A profile is compiled with lists that are made up, one of its own for each parameter, so that conditions are equal where they
//! name the same parameters, and that which still cannot hold contradicts itself.

use std::net::IpAddr;

use roadblock_censor::policy::{Condition, Policy, Rule};
use roadblock_censor::{FingerprintPattern, NamePattern};

use super::super::items::Keyword;
use super::{Context, Setting, Settings, policy};
use crate::declare::{PortRange, ProfileFile, RuleDeclaration};
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};

/// Notes what never fires. To be asked once for each profile.
pub(crate) fn check_firing(profile: &ProfileFile, settings: &Settings, context: &Context<'_>, errors: &mut Collector) {
    let settings = settings.iter().enumerate();
    let settings = settings.map(|(number, (name, setting))| (name.clone(), made_up(number, setting))).collect();
    // What is wrong with the profile is noted elsewhere.
    let policy = policy("censor", profile, &settings, context, &mut Collector::default());
    contradictions(profile, &policy, errors);
    shadows(profile, &policy, errors);
}

fn contradictions(profile: &ProfileFile, policy: &Policy, errors: &mut Collector) {
    for rule in policy.boxes.iter().flat_map(|each| &each.rules).filter(|rule| rule.when.contradicts_itself()) {
        let Some(declared) = declaration(profile, rule) else { continue };
        let message = format!("no packet can be what `{}` asks for: its conditions exclude each other", rule.id);
        let help = "look at the protocol, the ports and the direction in `when`, and at what stands under `not`";
        errors.push(Diagnostic::new(DiagnosticKind::NeverApplies, &declared.id.at, message).help(help));
    }
}

fn shadows(profile: &ProfileFile, policy: &Policy, errors: &mut Collector) {
    for in_box in &policy.boxes {
        for (number, rule) in in_box.rules.iter().enumerate() {
            let hides = |before: &&Rule| ends_search(profile, before) && implies(&rule.when, &before.when);
            let Some(before) = in_box.rules[..number].iter().find(hides) else { continue };
            let Some(declared) = declaration(profile, rule) else { continue };
            let message =
                format!("it never comes to `{}`: `{}` before it matches all that it asks for", rule.id, before.id);
            let help = "put the narrower rule first, ask for more in the wider one, or write `also = true` in it";
            errors.push(Diagnostic::new(DiagnosticKind::NeverApplies, &declared.id.at, message).help(help));
        }
    }
}

/// Whether a rule that matches a packet always keeps those behind it from being asked.
fn ends_search(profile: &ProfileFile, rule: &Rule) -> bool {
    let Some(declared) = declaration(profile, rule) else { return false };
    let always = declared.miss.is_none() && declared.chance.is_none() && declared.when.enabled.is_none();
    // While a residual spares a packet its rule is not asked.
    let spares = rule.residuals.iter().any(|residual| residual.hits < 1.0);
    // What matches every packet is noted elsewhere.
    let narrow = !rule.when.conjuncts().is_empty();
    always && narrow && rule.after.is_none() && !rule.also && !spares
}

/// Whether one condition asks for all that another does.
fn implies(narrow: &Condition, wide: &Condition) -> bool {
    let narrow = narrow.conjuncts();
    narrow_enough(&narrow) && wide.conjuncts().iter().all(|part| narrow.contains(part))
}

/// What never holds implies everything, and says nothing.
fn narrow_enough(parts: &[&Condition]) -> bool {
    parts.iter().all(|part| part.can_hold())
}

fn declaration<'p>(profile: &'p ProfileFile, rule: &Rule) -> Option<&'p RuleDeclaration> {
    profile.rules.iter().find(|declared| *declared.id.value == *rule.id)
}

/// A value that no other parameter has, and that leaves room for whatever else a rule asks.
fn made_up(number: usize, setting: &Setting) -> Setting {
    let number = u16::try_from(number).unwrap_or(u16::MAX);
    let [high, low] = number.to_be_bytes();
    match setting {
        Setting::Names(_) => Setting::Names(vec![NamePattern::Domain(format!("parameter-{number}.invalid"))]),
        Setting::Prefixes(_) => Setting::Prefixes(vec![IpAddr::from([1, 1, high, low]).into()]),
        Setting::Addresses(_) => Setting::Addresses(vec![[1, 1, high, low].into()]),
        Setting::Ports(_) => Setting::Ports(all_but(number)),
        Setting::Keywords(_) => Setting::Keywords(vec![Keyword(format!("parameter {number}"))]),
        Setting::Fingerprints(_) => Setting::Fingerprints(vec![FingerprintPattern::Ja3Hash(format!("{number:032x}"))]),
        Setting::Boolean(_) => Setting::Boolean(true),
        Setting::Text(_)
        | Setting::Probability(_)
        | Setting::Duration(_)
        | Setting::Count(_)
        | Setting::Size(_)
        | Setting::Rate(_) => setting.clone(),
    }
}

/// All ports but one, which nobody asks for: what a rule asks of ports besides has some in common with them.
fn all_but(number: u16) -> Vec<PortRange> {
    let left_out = u16::MAX - 1 - number % 1000;
    vec![PortRange { first: 0, last: left_out - 1 }, PortRange { first: left_out + 1, last: u16::MAX }]
}
