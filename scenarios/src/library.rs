//! The library: scenarios, profiles, services and lists, in the binary and on disk.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use include_dir::{Dir, File, include_dir};
use ipnet::{Ipv4Net, Ipv6Net};
use roadblock_censor::policy::Grade;
use serde::Serialize;

use crate::declare::FactDeclaration;
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind, Diagnostics};
use crate::loader::{self, Opened};
use crate::model::{Scenario, Service};
use crate::resolve::{self as resolver, Context};
use crate::source::SourceFile;
use crate::suggest;

/// The folders that the binary carries. A new one is one line here and one in `build.rs`.
static FOLDERS: [(&str, Dir<'_>); 19] = [
    ("benign", include_dir!("$CARGO_MANIFEST_DIR/benign")),
    ("bytes", include_dir!("$CARGO_MANIFEST_DIR/bytes")),
    ("censors", include_dir!("$CARGO_MANIFEST_DIR/censors")),
    ("cn", include_dir!("$CARGO_MANIFEST_DIR/cn")),
    ("eg", include_dir!("$CARGO_MANIFEST_DIR/eg")),
    ("id", include_dir!("$CARGO_MANIFEST_DIR/id")),
    ("in", include_dir!("$CARGO_MANIFEST_DIR/in")),
    ("ir", include_dir!("$CARGO_MANIFEST_DIR/ir")),
    ("kz", include_dir!("$CARGO_MANIFEST_DIR/kz")),
    ("lists", include_dir!("$CARGO_MANIFEST_DIR/lists")),
    ("mechanisms", include_dir!("$CARGO_MANIFEST_DIR/mechanisms")),
    ("mm", include_dir!("$CARGO_MANIFEST_DIR/mm")),
    ("ooni", include_dir!("$CARGO_MANIFEST_DIR/ooni")),
    ("pk", include_dir!("$CARGO_MANIFEST_DIR/pk")),
    ("ru", include_dir!("$CARGO_MANIFEST_DIR/ru")),
    ("services", include_dir!("$CARGO_MANIFEST_DIR/services")),
    ("tm", include_dir!("$CARGO_MANIFEST_DIR/tm")),
    ("tr", include_dir!("$CARGO_MANIFEST_DIR/tr")),
    ("ve", include_dir!("$CARGO_MANIFEST_DIR/ve")),
];

/// The two tables that everything refers to.
const TABLES: [(&str, &str); 2] =
    [("facts.toml", include_str!("../facts.toml")), ("networks.toml", include_str!("../networks.toml"))];

/// The folders whose files are no scenarios.
const PARTS: [&str; 4] = ["bytes/", "censors/", "lists/", "services/"];

/// A published behaviour.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Fact {
    /// `TSPU-1`.
    pub id: String,
    /// How far it is known.
    pub grade: Grade,
    /// What it says, in a line.
    pub title: String,
    /// Where it was published.
    pub source: String,
    /// Where it was seen, as a heading: `Russia`.
    pub place: String,
    /// Who does it.
    pub done_by: DoneBy,
    /// Why no test of a middlebox shows it, where none does.
    pub left_out: Option<String>,
    /// Why no scenario shows it, where none does.
    pub no_scenario: Option<String>,
}

/// Who does what a fact describes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DoneBy {
    /// A box on the way.
    Middlebox,
    /// A resolver that lies.
    Resolver,
    /// Those who run the network.
    Network,
    /// An end of the connection.
    Endpoint,
    /// Nobody: it is something to know, or to measure with.
    Reference,
}

/// Scenarios, profiles, services and lists, by their place: `ru/whatsapp-2026.toml`, `lists/meta-prefixes.txt`.
#[derive(Clone, Debug)]
pub struct Library {
    files: BTreeMap<String, Arc<SourceFile>>,
    /// Whether all of it is what the binary carries, so that whoever trusts the binary trusts it.
    built_in: bool,
    /// Where the files come from that are not what the binary carries.
    place: Option<PathBuf>,
}

impl Library {
    /// What the binary carries.
    pub fn embedded() -> Self {
        let tables = TABLES.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let mut files = Vec::new();
        for (folder, contents) in &FOLDERS {
            gather(folder, contents, &mut files);
        }
        let library =
            Self { files: BTreeMap::new(), built_in: false, place: None }.with_files(files.into_iter().chain(tables));
        Self { built_in: true, ..library }
    }

    /// What the binary carries, with the files below this folder in place of those with the same name.
    pub fn at(path: &Path) -> io::Result<Self> {
        let mut library = Self::embedded();
        for (place, text) in loader::folder(path)? {
            let shown = path.join(&place).display().to_string();
            library.files.insert(place, Arc::new(SourceFile::new(&shown, &text)));
        }
        library.built_in = false;
        library.place = Some(path.to_owned());
        Ok(library)
    }

    /// The folder that was laid over what the binary carries, if one was.
    pub(crate) fn place(&self) -> Option<&Path> {
        self.place.as_deref()
    }

    /// All its files but those of tools, each by its place, sorted.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(place, source)| (place.as_str(), source.text()))
    }

    /// The same library as its files are now.
    pub fn again(&self) -> io::Result<Self> {
        match &self.place {
            Some(place) => Self::at(place),
            None => Ok(self.clone()),
        }
    }

    /// The same, with these files, each a place and a text, in place of those with the same name.
    #[must_use]
    pub fn with_files(mut self, files: impl IntoIterator<Item = (String, String)>) -> Self {
        for (place, text) in files {
            let source = Arc::new(SourceFile::new(&place, &text));
            self.files.insert(place, source);
        }
        self.built_in = false;
        self
    }

    /// The ids of its scenarios.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.documents().filter(|id| !PARTS.iter().any(|part| id.starts_with(part)))
    }

    /// The ids of its profiles.
    pub fn profiles(&self) -> impl Iterator<Item = &str> {
        self.documents().filter(|id| id.starts_with("censors/"))
    }

    /// The ids of its services.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.documents().filter(|id| id.starts_with("services/"))
    }

    /// The ids of its lists.
    pub fn lists(&self) -> impl Iterator<Item = &str> {
        self.files.keys().filter_map(|place| place.strip_suffix(".txt")).filter(|id| id.starts_with("lists/"))
    }

    /// The file of a scenario, a profile or a service.
    pub fn document(&self, id: &str) -> Option<&Arc<SourceFile>> {
        self.files.get(&format!("{id}.toml"))
    }

    /// The file of a list.
    pub fn list(&self, id: &str) -> Option<&Arc<SourceFile>> {
        self.files.get(&format!("{id}.txt")).filter(|_| id.starts_with("lists/"))
    }

    /// The ids of its captured bytes.
    pub fn captured(&self) -> impl Iterator<Item = &str> {
        self.files.keys().filter_map(|place| place.strip_suffix(".hex")).filter(|id| id.starts_with("bytes/"))
    }

    /// A file of captured bytes.
    pub fn bytes(&self, id: &str) -> Option<&Arc<SourceFile>> {
        self.files.get(&format!("{id}.hex")).filter(|_| id.starts_with("bytes/"))
    }

    /// A published behaviour, by the id that rules cite.
    pub fn fact(&self, id: &str) -> Option<Fact> {
        let context = Context::new(self, &mut Collector::default());
        let known = context.known_fact(id)?;
        Some(Fact::of(id, known))
    }

    /// All published behaviours, in the order of `facts.toml`.
    pub fn facts(&self) -> Vec<Fact> {
        let context = Context::new(self, &mut Collector::default());
        context.known_facts().map(|(id, known)| Fact::of(id, known)).collect()
    }

    /// The address space that a vantage in this autonomous system has where it does not say otherwise.
    pub fn space_of(&self, asn: u32) -> Option<(Ipv4Net, Ipv6Net)> {
        let context = Context::new(self, &mut Collector::default());
        context.network(asn).map(|network| (network.v4, network.v6))
    }

    /// All its services with their hosts, whether a scenario can use them together or not.
    pub fn all_services(&self) -> Vec<Service> {
        let mut mistakes = Collector::default();
        let context = Context::new(self, &mut mistakes);
        resolver::of_library(&context, &mut mistakes)
    }

    /// The file of a scenario.
    pub(crate) fn scenario_file(&self, id: &str) -> Option<Opened> {
        self.document(id).filter(|_| self.ids().any(|each| each == id)).map(Opened::alone)
    }

    /// A file at its place.
    pub(crate) fn file(&self, place: &str) -> Option<&Arc<SourceFile>> {
        self.files.get(place)
    }

    /// Checks a file of the library, whatever its kind: a scenario, a profile with its defaults, or a service.
    /// Where nothing is wrong, gives the warnings.
    pub fn check(&self, id: &str) -> Result<Diagnostics, Diagnostics> {
        self.check_with(id, &[])
    }

    /// The same; of a scenario with these parameters set, as in [`load_with`].
    pub fn check_with(&self, id: &str, set: &[String]) -> Result<Diagnostics, Diagnostics> {
        let mut errors = Collector::with_warnings();
        let context = Context::new(self, &mut errors);
        let sound = match self.document(id) {
            Some(source) if id.starts_with("censors/") => {
                resolver::check_profile(source, Some(id), &context, &mut errors)
            }
            Some(_) if id.starts_with("services/") => resolver::check_service(id, &context, &mut errors),
            Some(source) => resolver::scenario(&Opened::alone(source), Some(id), set, &context, &mut errors).map(drop),
            None => unknown(id, self, &mut errors),
        };
        errors.finish_with_warnings(sound).map(|((), warnings)| warnings)
    }

    /// Checks a file, whatever its kind: a scenario, or a profile with its defaults.
    /// Where nothing is wrong, gives the warnings.
    pub fn check_file(&self, path: &str) -> Result<Diagnostics, Diagnostics> {
        self.check_file_with(path, &[])
    }

    /// The same; of a scenario with these parameters set, as in [`load_with`].
    pub fn check_file_with(&self, path: &str, set: &[String]) -> Result<Diagnostics, Diagnostics> {
        let mut errors = Collector::with_warnings();
        let sound = open(path, self, &mut errors).and_then(|(opened, _)| {
            let context = Context::new(self, &mut errors);
            if resolver::is_profile(path, opened.source.text()) {
                context.opened(&opened);
                return resolver::check_profile(&opened.source, None, &context, &mut errors);
            }
            resolver::scenario(&opened, None, set, &context, &mut errors).map(drop)
        });
        errors.finish_with_warnings(sound).map(|((), warnings)| warnings)
    }

    /// All `.toml` files below a folder, as ids.
    fn documents(&self) -> impl Iterator<Item = &str> {
        self.files.keys().filter_map(|place| place.strip_suffix(".toml")).filter(|id| id.contains('/'))
    }
}

impl Fact {
    fn of(id: &str, known: &FactDeclaration) -> Self {
        Self {
            id: id.to_owned(),
            grade: known.grade,
            title: known.title.clone(),
            source: known.source.clone(),
            place: known.place.clone(),
            done_by: known.done_by,
            left_out: known.left_out.clone(),
            no_scenario: known.no_scenario.clone(),
        }
    }
}

/// The scenario that an argument names: a path if it starts with `/` or `.` or ends in `.toml`, else an id of the library.
pub fn load(argument: &str, library: &Library) -> Result<Scenario, Diagnostics> {
    load_with(argument, &[], library)
}

/// The same, with some of its parameters set, each as `NAME=VALUE`: a value of TOML, or a bare word.
pub fn load_with(argument: &str, set: &[String], library: &Library) -> Result<Scenario, Diagnostics> {
    let mut errors = Collector::default();
    let Some((opened, id)) = open(argument, library, &mut errors) else {
        return errors.finish(None);
    };
    let context = Context::new(library, &mut errors);
    let scenario = resolver::scenario(&opened, id, set, &context, &mut errors);
    // What a library file refers to comes from the library too.
    let foreign = id.is_none() || !library.built_in;
    errors.finish(scenario.map(|scenario| Scenario { foreign, ..scenario }))
}

/// The file that an argument names, and its place in the library, where it has one.
pub(crate) fn open<'a>(
    argument: &'a str,
    library: &Library,
    errors: &mut Collector,
) -> Option<(Opened, Option<&'a str>)> {
    if !is_path(argument) {
        let source = library.document(argument);
        return source
            .map(|source| (Opened::alone(source), Some(argument)))
            .or_else(|| unknown(argument, library, errors));
    }
    // Two files must not have the same name in messages.
    let is_taken = library.file(argument).is_some();
    let shown = if is_taken { format!("./{argument}") } else { argument.to_owned() };
    match Opened::at(Path::new(argument), &shown) {
        Ok(opened) => Some((opened, None)),
        Err(error) => {
            let message = format!("cannot read `{argument}`: {error}");
            let mistake = about_argument(DiagnosticKind::Unreadable, argument, &message, errors);
            let id = argument.strip_suffix(".toml").filter(|id| library.document(id).is_some());
            errors.push(match id {
                Some(id) => mistake.help(format!("the library's own is called `{id}`, without `.toml`")),
                None => mistake,
            });
            None
        }
    }
}

/// Whether an argument is a path: if it starts with `/` or `.` or ends in `.toml`.
pub(crate) fn is_path(argument: &str) -> bool {
    argument.starts_with(['/', '.']) || Path::new(argument).extension().is_some_and(|extension| extension == "toml")
}

/// The scenario that a text says; messages call it by this name. It can name files of the library and no others.
pub fn resolve(text: &str, name: &str, library: &Library) -> Result<Scenario, Diagnostics> {
    let mut errors = Collector::default();
    let context = Context::new(library, &mut errors);
    let opened = Opened::alone(&Arc::new(SourceFile::new(name, text)));
    let scenario = resolver::scenario(&opened, None, &[], &context, &mut errors);
    errors.finish(scenario)
}

fn unknown<T>(id: &str, library: &Library, errors: &mut Collector) -> Option<T> {
    let message = format!("the library has no scenario `{id}`");
    let help = suggest::help("it has", id, library.ids());
    let help = format!("{help}; for a file of yours write its path, as `./{id}.toml`");
    let mistake = about_argument(DiagnosticKind::UnknownScenario, id, &message, errors).help(help);
    errors.push(mistake);
    None
}

/// A mistake in the argument itself, which is shown as a file of one line.
pub(crate) fn about_argument(
    kind: DiagnosticKind,
    argument: &str,
    message: &str,
    errors: &mut Collector,
) -> Diagnostic {
    let source = Arc::new(SourceFile::new("argument", argument));
    errors.open(&source);
    Diagnostic::new(kind, &source.location(0..argument.len()), message)
}

/// The library's files in an embedded folder. Paths inside it begin at the folder itself.
fn gather(prefix: &str, folder: &Dir<'_>, files: &mut Vec<(String, String)>) {
    let texts = folder.files().filter(|file| loader::is_part(file.path()));
    files.extend(texts.filter_map(|file: &File<'_>| {
        Some((format!("{prefix}/{}", file.path().to_str()?), file.contents_utf8()?.to_owned()))
    }));
    for inner in folder.dirs() {
        gather(prefix, inner, files);
    }
}
