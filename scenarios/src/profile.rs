//! One profile by itself, without a scenario around it: what a test drives and what a capture is replayed through.

use std::sync::Arc;

use roadblock_censor::policy::Policy;

use crate::declare::{FileKind, ProfileFile, RuleDeclaration};
use crate::diagnostic::{Collector, DiagnosticKind, Diagnostics};
use crate::library::{Library, about_argument, is_path, open};
use crate::loader::Opened;
use crate::resolve::{Context, Given, document, policy, settings};
use crate::source::SourceFile;
use crate::suggest;
use crate::tree::{self, Value};

/// A profile with its parameters filled in.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its place in the library, as `censors/tspu-2026`, or what its file calls itself.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// What may be set, in the order of the file.
    pub parameters: Vec<ProfileParameter>,
    /// Its boxes, ready for a censor.
    pub policy: Policy,
}

/// What of a profile may be set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProfileParameter {
    /// Its name.
    pub name: String,
    /// What it holds, as the profile says it: `names`, `duration`.
    pub kind: &'static str,
    /// One line for people.
    pub about: Option<String>,
}

impl Library {
    /// The profile that a reference names, an id of the library or a path as in [`load`](crate::load), with its parameters
    /// set by lines as a scenario writes them below `[censor.NAME]`: `sni-1 = ["whatsapp.com"]`. Its boxes bear the name
    /// `censor`, or `censor.BOX` where there are several.
    pub fn profile(&self, reference: &str, arguments: &str) -> Result<Profile, Diagnostics> {
        self.profile_named("censor", reference, arguments)
    }

    /// The same; its boxes bear this name.
    pub fn profile_named(&self, name: &str, reference: &str, arguments: &str) -> Result<Profile, Diagnostics> {
        let mut errors = Collector::default();
        let profile = read(reference, self, &mut errors).and_then(|opened| {
            let context = Context::new(self, &mut errors);
            context.opened(&opened);
            fill_in(name, &opened.source, arguments, &context, &mut errors)
        });
        errors.finish(profile)
    }
}

/// A rule of a profile.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProfileRule {
    /// Its id.
    pub id: String,
    /// The facts that it reproduces.
    pub facts: Vec<String>,
}

impl Library {
    /// The rules of a profile of the library, in the order of the file; none where it cannot be read.
    pub fn rules_of_profile(&self, id: &str) -> Vec<ProfileRule> {
        let mut errors = Collector::default();
        let file: Option<ProfileFile> =
            self.document(id).and_then(|source| document(source, FileKind::Profile, &mut errors));
        let rules = file.map(|file| file.rules).unwrap_or_default();
        let facts = |rule: &RuleDeclaration| rule.facts.iter().map(|fact| fact.value.clone()).collect();
        rules.iter().map(|rule| ProfileRule { id: rule.id.value.clone(), facts: facts(rule) }).collect()
    }
}

/// The file that a reference names.
fn read(reference: &str, library: &Library, errors: &mut Collector) -> Option<Opened> {
    if is_path(reference) {
        return open(reference, library, errors).map(|(opened, _)| opened);
    }
    let found = library.document(reference).filter(|_| library.profiles().any(|id| id == reference));
    if found.is_none() {
        let message = format!("the library has no profile `{reference}`");
        let help = suggest::help("it has", reference, library.profiles());
        let help = format!("{help}; for a file of yours write its path, as `./{reference}.toml`");
        let mistake = about_argument(DiagnosticKind::UnknownProfile, reference, &message, errors).help(help);
        errors.push(mistake);
    }
    found.map(Opened::alone)
}

fn fill_in(
    name: &str,
    source: &Arc<SourceFile>,
    arguments: &str,
    context: &Context<'_>,
    errors: &mut Collector,
) -> Option<Profile> {
    let file: ProfileFile = document(source, FileKind::Profile, errors)?;
    let mut syntax = Collector::default();
    let arguments = tree::parse(&Arc::new(SourceFile::new("parameters", arguments)), &mut syntax);
    // What follows from a slip of the pen is noise.
    let (true, Value::Table(entries)) = (errors.absorb(syntax), &arguments.value) else { return None };
    let settings = settings(&file, Some(Given::Alone { entries, at: &arguments.at }), context, errors);
    let policy = policy(name, &file, &settings, context, errors);
    Some(Profile {
        id: file.id.0.as_ref()?.value.clone(),
        title: file.title.0.clone()?,
        parameters: parameters(&file),
        policy,
    })
}

fn parameters(file: &ProfileFile) -> Vec<ProfileParameter> {
    let declared = file.parameters.entries.iter();
    declared
        .map(|(name, parameter)| ProfileParameter {
            name: name.value.clone(),
            kind: parameter.kind.word(),
            about: parameter.about.clone(),
        })
        .collect()
}
