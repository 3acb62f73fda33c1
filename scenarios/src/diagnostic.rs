//! What is wrong with a file, where, and what to do about it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::source::{Location, SourceFile};

/// How bad it is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// It can, and probably does not say what was meant.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Diagnostic {
    /// Where.
    pub location: Location,
    /// What, as a fragment that fits after "error: ".
    pub message: String,
    /// What to write beside the marked place.
    pub label: Option<String>,
    /// What to do.
    pub help: Option<String>,
    /// Which sort of mistake it is.
    pub kind: DiagnosticKind,
    /// How bad it is.
    pub severity: Severity,
}

/// Which sort of mistake a [`Diagnostic`] is about.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DiagnosticKind {
    /// It is not TOML.
    Syntax,
    /// The file cannot be read.
    Unreadable,
    /// The file is of another kind than is needed here.
    WrongKind,
    /// A key that the language does not have.
    UnknownKey,
    /// A key that must be there is not.
    MissingKey,
    /// A value of another type than is needed.
    WrongType,
    /// A value of the right type that cannot be.
    BadValue,
    /// A name that cannot be given to a thing.
    BadName,
    /// Not an address.
    BadAddress,
    /// Not a prefix.
    BadPrefix,
    /// Not a name pattern.
    BadPattern,
    /// An address that the public internet does not have.
    NotPublic,
    /// Two things at the same address.
    AddressClash,
    /// The same name twice.
    Duplicate,
    /// Phases whose dates do not ascend.
    OutOfOrder,
    /// Nothing in the library has this scenario id.
    UnknownScenario,
    /// Nothing in the library has this service id.
    UnknownService,
    /// Nothing in the library has this profile id.
    UnknownProfile,
    /// Nothing in the library has this list id.
    UnknownList,
    /// An autonomous system that the table does not have.
    UnknownNetwork,
    /// A fact id that the table does not have.
    UnknownFact,
    /// A parameter that the profile does not have.
    UnknownParameter,
    /// A hop that the file does not have.
    UnknownHop,
    /// A vantage that the file does not have.
    UnknownVantage,
    /// A resolver that the file does not have.
    UnknownResolver,
    /// A phase that the file does not have.
    UnknownPhase,
    /// A rule or a lie that no censor and no resolver has.
    UnknownRule,
    /// A name that no service of the scenario has.
    UnknownHost,
    /// Nothing in the library has this tool's id.
    UnknownTool,
    /// Something in braces that stands for nothing in this command.
    UnknownPlaceholder,
    /// Files that use or extend each other in a circle.
    UseLoop,
    /// A file outside the folder of the file that names it.
    Outside,
    /// A hop that no vantage goes through, or a vantage that goes through none.
    NoPath,
    /// Paths that one way up from each hop cannot serve.
    Routing,
    /// The control vantage is missing or is not free of censors.
    Control,
    /// A list of which nothing is in the lab.
    MatchesNothing,
    /// A place that nobody has.
    NobodyThere,
    /// Addresses that are not those of the network that is named.
    OutsideNetwork,
    /// A rule that does nothing in any of the phases in which something must be its doing.
    InactiveRule,
    /// Two expectations of the same that cannot both be met.
    Contradiction,
    /// Something that never comes to pass, because something before it leaves it nothing.
    NeverApplies,
    /// A change of something that is not there.
    NothingToChange,
    /// There are more mistakes than are shown.
    Omitted,
}

impl Diagnostic {
    /// A mistake at a place.
    pub fn new(kind: DiagnosticKind, location: &Location, message: impl Into<String>) -> Self {
        Self {
            location: location.clone(),
            message: message.into(),
            label: None,
            help: None,
            kind,
            severity: Severity::Error,
        }
    }

    /// The same, as a warning.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Whether it makes the file useless.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The same, with words for the marked place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// The same, with what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = if self.is_error() { "" } else { "warning: " };
        write!(f, "{}: {severity}{}", self.location, self.message)?;
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

/// All that is wrong, in the order of the files. As an error it is never empty.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    /// Each mistake; of more than [`LIMIT`] the first, and one that says that there are more.
    pub all: Vec<Diagnostic>,
    /// The files that the locations point into, by name.
    pub sources: BTreeMap<Arc<str>, Arc<SourceFile>>,
}

impl Diagnostics {
    /// How many errors and how many warnings there are.
    pub fn count(&self) -> (usize, usize) {
        let errors = self.all.iter().filter(|each| each.is_error()).count();
        (errors, self.all.len() - errors)
    }

    /// The file that a location points into.
    pub fn source(&self, location: &Location) -> Option<&SourceFile> {
        self.sources.get(&location.file).map(Arc::as_ref)
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.all.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

/// Gathers mistakes while files are read, so that all come at once.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    all: Vec<Diagnostic>,
    omitted: bool,
    /// Whether somebody reads warnings: what they cost is spared where nobody does.
    warns: bool,
    sources: Vec<Arc<SourceFile>>,
}

impl Collector {
    /// One that gathers warnings too.
    pub(crate) fn with_warnings() -> Self {
        Self { warns: true, ..Self::default() }
    }

    /// Whether warnings are gathered, and nothing is wrong yet that would make them noise.
    pub(crate) fn wants_warnings(&self) -> bool {
        self.warns && self.is_sound()
    }

    fn is_sound(&self) -> bool {
        !self.all.iter().any(Diagnostic::is_error)
    }

    /// Notes a mistake. The same one met twice, as in a list that two rules use, is noted once.
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        if self.all.contains(&diagnostic) {
            return;
        }
        if self.all.len() < LIMIT {
            self.all.push(diagnostic);
        } else {
            self.omitted = true;
        }
    }

    /// Makes a file known, so that its mistakes can be shown in place.
    pub(crate) fn open(&mut self, source: &Arc<SourceFile>) {
        if !self.sources.iter().any(|each| each.name() == source.name()) {
            self.sources.push(Arc::clone(source));
        }
    }

    /// Whether nothing is wrong so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether something is wrong within this place, or behind it in its line: of keys with dots the place is the key alone.
    pub(crate) fn has_within(&self, place: &Location) -> bool {
        let is_within = |at: &Location| {
            place.span.start <= at.span.start && (at.span.end <= place.span.end || at.line == place.line)
        };
        self.all.iter().any(|each| each.location.file == place.file && is_within(&each.location))
    }

    /// Takes over another's mistakes and files. Returns whether it had no mistakes.
    pub(crate) fn absorb(&mut self, other: Self) -> bool {
        let sound = other.is_sound();
        other.sources.iter().for_each(|source| self.open(source));
        other.all.into_iter().for_each(|each| self.push(each));
        self.omitted |= other.omitted;
        sound
    }

    /// The value, where nothing was wrong.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, Diagnostics> {
        self.finish_with_warnings(value).map(|(value, _)| value)
    }

    /// The same, with what was only odd.
    pub(crate) fn finish_with_warnings<T>(mut self, value: Option<T>) -> Result<(T, Diagnostics), Diagnostics> {
        let sound = self.is_sound();
        let order = |file: &str| self.sources.iter().position(|each| each.name() == file);
        self.all.sort_by_key(|each| (order(&each.location.file), each.location.span.start));
        if let Some(last) = self.all.last().filter(|_| self.omitted) {
            let message = format!("there are more mistakes than these {LIMIT}");
            self.all.push(Diagnostic::new(DiagnosticKind::Omitted, &last.location.clone(), message));
        }
        let sources = self.sources.into_iter().map(|each| (each.name().into(), each)).collect();
        let diagnostics = Diagnostics { all: self.all, sources };
        match value {
            Some(value) if sound => Ok((value, diagnostics)),
            _ => Err(diagnostics),
        }
    }
}

/// How many mistakes are kept. A list of a million names of which each is bad must not become a million messages.
pub const LIMIT: usize = 200;
