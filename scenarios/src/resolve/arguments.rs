//! What a scenario sets a profile's parameters to.

use std::collections::{BTreeMap, HashSet};
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use roadblock_censor::{FingerprintPattern, NamePattern};

use super::Context;
use super::items::{Item, Keyword, expand};
use crate::declare::{BitRate, ByteSize, CensorDeclaration, CountRange, Items, ParameterType, PortRange, ProfileFile};
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::read::{Located, OneOrMany, Read};
use crate::source::Location;
use crate::suggest;
use crate::tree::{Entry, Node};

/// The value of a parameter.
#[derive(Clone, Debug)]
pub(crate) enum Setting {
    Names(Vec<NamePattern>),
    Prefixes(Vec<IpNet>),
    Addresses(Vec<IpAddr>),
    Ports(Vec<PortRange>),
    Probability(f64),
    Duration(Duration),
    Boolean(bool),
    Count(CountRange),
    Size(ByteSize),
    Rate(BitRate),
    Text(String),
    Keywords(Vec<Keyword>),
    Fingerprints(Vec<FingerprintPattern>),
}

/// All parameters of one censor.
pub(crate) type Settings = BTreeMap<String, Setting>;

/// How a list changes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Operation {
    Add,
    Remove,
    Set,
}

/// Where parameters are set.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Given<'a> {
    /// In a scenario's censor.
    Censor(&'a CensorDeclaration),
    /// By themselves, without a scenario.
    Alone {
        /// Each with its value.
        entries: &'a [Entry],
        /// Where a missing one is missing.
        at: &'a Location,
    },
}

impl<'a> Given<'a> {
    fn entries(self) -> &'a [Entry] {
        match self {
            Self::Censor(censor) => &censor.parameters,
            Self::Alone { entries, .. } => entries,
        }
    }

    /// The keys that may stand beside the parameters.
    fn other_keys(self) -> &'static [&'static str] {
        match self {
            Self::Censor(_) => CensorDeclaration::KEYS,
            Self::Alone { .. } => &[],
        }
    }

    /// Notes that a parameter must be set and is not.
    fn note_missing(self, name: &str, errors: &mut Collector) {
        let (at, help) = match self {
            Self::Censor(censor) => (censor.at(), format!("add `{name} = …` to this censor")),
            Self::Alone { at, .. } => (at, format!("set it: `{name} = …`")),
        };
        let message = format!("the parameter `{name}` has no default and is not set");
        errors.push(Diagnostic::new(DiagnosticKind::MissingKey, at, message).help(help));
    }
}

/// What is given, and the profile's defaults for the rest. Where nothing was asked, nothing is missing.
pub(crate) fn settings(
    profile: &ProfileFile,
    given: Option<Given<'_>>,
    context: &Context<'_>,
    errors: &mut Collector,
) -> Settings {
    let entries = given.map(Given::entries).unwrap_or_default();
    for entry in entries.iter().filter(|entry| !profile.parameters.contains(&entry.key)) {
        let message = format!("the profile has no parameter `{}`", entry.key.value);
        let others = given.map(Given::other_keys).unwrap_or_default();
        let known = others.iter().copied().chain(profile.parameters.names());
        let help = suggest::help("the keys here are", &entry.key, known);
        errors.push(Diagnostic::new(DiagnosticKind::UnknownParameter, &entry.key.at, message).help(help));
    }
    let mut settings = Settings::new();
    for (name, parameter) in &profile.parameters.entries {
        let node = entries.iter().find(|entry| entry.key.value == name.value).map(|entry| &entry.node);
        let node = node.or(parameter.default.as_ref());
        if let (None, true, Some(given)) = (node, parameter.kind.is_needed(), given) {
            given.note_missing(name, errors);
        }
        let setting = node.and_then(|node| Setting::read(parameter.kind, node, context, errors));
        // Lists are empty and flags false without a default. A broken value was noted, and something must stand in its
        // place so that the rest can be looked at.
        settings.insert(name.value.clone(), setting.unwrap_or_else(|| Setting::neutral(parameter.kind)));
    }
    settings
}

impl Setting {
    /// Reads a value of this type.
    pub(crate) fn read(
        kind: ParameterType,
        node: &Node,
        context: &Context<'_>,
        errors: &mut Collector,
    ) -> Option<Self> {
        Some(match kind {
            ParameterType::Names => Self::Names(items(node, context, errors)?),
            ParameterType::Prefixes => Self::Prefixes(items(node, context, errors)?),
            ParameterType::Addresses => Self::Addresses(items(node, context, errors)?),
            ParameterType::Ports => Self::Ports(OneOrMany::read(node, errors)?.0),
            ParameterType::Probability => Self::Probability(f64::read(node, errors)?),
            ParameterType::Duration => Self::Duration(Duration::read(node, errors)?),
            ParameterType::Boolean => Self::Boolean(bool::read(node, errors)?),
            ParameterType::Count => Self::Count(CountRange::read(node, errors)?),
            ParameterType::Size => Self::Size(ByteSize::read(node, errors)?),
            ParameterType::Rate => Self::Rate(BitRate::read(node, errors)?),
            ParameterType::Text => Self::Text(String::read(node, errors)?),
            ParameterType::Keywords => Self::Keywords(items(node, context, errors)?),
            ParameterType::Fingerprints => Self::Fingerprints(items(node, context, errors)?),
        })
    }

    /// The items of a list as they are written; nothing of what is no list.
    pub(crate) fn texts(&self) -> Vec<String> {
        match self {
            Self::Names(list) => written(list),
            Self::Prefixes(list) => written(list),
            Self::Addresses(list) => written(list),
            Self::Keywords(list) => written(list),
            Self::Fingerprints(list) => written(list),
            Self::Ports(list) => list.iter().map(|range| format!("{}-{}", range.first, range.last)).collect(),
            _ => Vec::new(),
        }
    }

    fn neutral(kind: ParameterType) -> Self {
        match kind {
            ParameterType::Names => Self::Names(Vec::new()),
            ParameterType::Prefixes => Self::Prefixes(Vec::new()),
            ParameterType::Addresses => Self::Addresses(Vec::new()),
            ParameterType::Ports => Self::Ports(Vec::new()),
            ParameterType::Probability => Self::Probability(0.0),
            ParameterType::Duration => Self::Duration(Duration::ZERO),
            ParameterType::Boolean => Self::Boolean(false),
            ParameterType::Count => Self::Count(CountRange { least: 0, most: 0 }),
            ParameterType::Size => Self::Size(ByteSize(0)),
            ParameterType::Rate => Self::Rate(BitRate(1)),
            ParameterType::Text => Self::Text(String::new()),
            ParameterType::Keywords => Self::Keywords(Vec::new()),
            ParameterType::Fingerprints => Self::Fingerprints(Vec::new()),
        }
    }

    /// What it is, as a message says it.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Self::Names(_) => "a list of names",
            Self::Prefixes(_) => "a list of prefixes",
            Self::Addresses(_) => "a list of addresses",
            Self::Ports(_) => "a list of ports",
            Self::Probability(_) => "a probability",
            Self::Duration(_) => "a duration",
            Self::Boolean(_) => "a boolean",
            Self::Count(_) => "a count",
            Self::Size(_) => "a size",
            Self::Rate(_) => "a rate",
            Self::Text(_) => "a text",
            Self::Keywords(_) => "a list of keywords",
            Self::Fingerprints(_) => "a list of fingerprints",
        }
    }

    fn kind(&self) -> ParameterType {
        match self {
            Self::Names(_) => ParameterType::Names,
            Self::Prefixes(_) => ParameterType::Prefixes,
            Self::Addresses(_) => ParameterType::Addresses,
            Self::Ports(_) => ParameterType::Ports,
            Self::Probability(_) => ParameterType::Probability,
            Self::Duration(_) => ParameterType::Duration,
            Self::Boolean(_) => ParameterType::Boolean,
            Self::Count(_) => ParameterType::Count,
            Self::Size(_) => ParameterType::Size,
            Self::Rate(_) => ParameterType::Rate,
            Self::Text(_) => ParameterType::Text,
            Self::Keywords(_) => ParameterType::Keywords,
            Self::Fingerprints(_) => ParameterType::Fingerprints,
        }
    }

    /// Applies a phase's change.
    pub(crate) fn change(&mut self, operation: Operation, node: &Node, context: &Context<'_>, errors: &mut Collector) {
        let Some(value) = Self::read(self.kind(), node, context, errors) else { return };
        match (&mut *self, value) {
            (this, value) if operation == Operation::Set => *this = value,
            (Self::Names(list), Self::Names(items)) => edit(list, items, operation, &node.at, errors),
            (Self::Prefixes(list), Self::Prefixes(items)) => edit(list, items, operation, &node.at, errors),
            (Self::Addresses(list), Self::Addresses(items)) => edit(list, items, operation, &node.at, errors),
            (Self::Ports(list), Self::Ports(items)) => edit(list, items, operation, &node.at, errors),
            (Self::Keywords(list), Self::Keywords(items)) => edit(list, items, operation, &node.at, errors),
            (Self::Fingerprints(list), Self::Fingerprints(items)) => edit(list, items, operation, &node.at, errors),
            (this, _) => {
                let message = format!("{} has nothing to add to or to remove from", this.describe());
                errors.push(Diagnostic::new(DiagnosticKind::WrongType, &node.at, message).help("write `set = …`"));
            }
        }
    }
}

/// Adds items to a list, or takes them out. Taking out what is not there is a mistake: the file believes something that
/// does not hold.
pub(crate) fn edit<T: Clone + Eq + Hash>(
    list: &mut Vec<T>,
    items: Vec<T>,
    operation: Operation,
    at: &Location,
    errors: &mut Collector,
) {
    // Lists may hold a million names, so nothing here may look through one list for each item of another.
    match operation {
        Operation::Set => *list = items,
        Operation::Add => {
            let mut present: HashSet<T> = list.iter().cloned().collect();
            list.extend(items.into_iter().filter(|item| present.insert(item.clone())));
        }
        Operation::Remove => {
            let present: HashSet<&T> = list.iter().collect();
            if !items.iter().all(|item| present.contains(item)) {
                let message = "what is to be removed is not there";
                let help = "write the item as it was added, or leave it out here";
                errors.push(Diagnostic::new(DiagnosticKind::NothingToChange, at, message).help(help));
            }
            let gone: HashSet<T> = items.into_iter().collect();
            list.retain(|item| !gone.contains(item));
        }
    }
}

fn written<T: Item>(list: &[T]) -> Vec<String> {
    list.iter().map(T::written).collect()
}

/// Reads items, among which lists may be named.
pub(crate) fn items<T: Item>(node: &Node, context: &Context<'_>, errors: &mut Collector) -> Option<Vec<T>> {
    let written = Items::read(node, errors)?;
    Some(expand(&written, context, errors))
}
