//! What a scenario is resolved against: the library, its facts and its networks.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use roadblock_censor::policy::Grade;

use crate::declare::{FactDeclaration, FactsFile, NetworkDeclaration, NetworksFile};
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::library::Library;
use crate::loader::{self, BesideError, Opened};
use crate::read::{Dictionary, Read};
use crate::source::{Location, SourceFile, Text};
use crate::{suggest, tree};

/// The library with its two tables read.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) library: &'a Library,
    facts: Dictionary<FactDeclaration>,
    networks: Vec<NetworkDeclaration>,
    /// The files of the scenario, by the names that messages call them.
    files: RefCell<BTreeMap<Arc<str>, Opened>>,
    /// What lies beside them, by the folder and the path that was written.
    lists: RefCell<Beside>,
}

type Beside = BTreeMap<(Arc<Path>, String), Arc<SourceFile>>;

impl<'a> Context<'a> {
    /// Reads the tables.
    pub(crate) fn new(library: &'a Library, errors: &mut Collector) -> Self {
        let facts: Option<FactsFile> = data(library, "facts.toml", errors);
        let networks: Option<NetworksFile> = data(library, "networks.toml", errors);
        Self {
            library,
            facts: facts.map(|file| file.facts).unwrap_or_default(),
            networks: networks.map(|file| file.networks).unwrap_or_default(),
            files: RefCell::default(),
            lists: RefCell::default(),
        }
    }

    /// Remembers a file, so that what it names beside itself can be found.
    pub(crate) fn opened(&self, file: &Opened) {
        self.files.borrow_mut().insert(file.source.name().into(), file.clone());
    }

    /// The file that this one names by a relative path.
    pub(crate) fn beside(&self, at: &Location, path: &str) -> Result<Arc<SourceFile>, BesideError> {
        let from = self.files.borrow().get(&at.file).cloned().ok_or(BesideError::NoFolder)?;
        let place = from.folder.as_ref().map(|folder| (Arc::clone(folder), path.to_owned()));
        let known = place.as_ref().and_then(|place| self.lists.borrow().get(place).map(Arc::clone));
        if let Some(source) = known {
            return Ok(source);
        }
        let opened = loader::beside(&from, path)?;
        self.opened(&opened);
        if let Some(place) = place {
            self.lists.borrow_mut().insert(place, Arc::clone(&opened.source));
        }
        Ok(opened.source)
    }

    /// The same, where the mistake is noted.
    pub(crate) fn file_beside(&self, written: &Text, what: &str, errors: &mut Collector) -> Option<Arc<SourceFile>> {
        self.beside(&written.at, written)
            .map_err(|error| {
                let message = format!("cannot read this {what}: {error}");
                errors.push(Diagnostic::new(error.kind(), &written.at, message).help(error.help()));
            })
            .ok()
    }

    /// The address space of an autonomous system.
    pub(crate) fn network(&self, asn: u32) -> Option<&NetworkDeclaration> {
        self.networks.iter().find(|network| network.asn == asn)
    }

    /// What is known of a fact.
    pub(crate) fn known_fact(&self, id: &str) -> Option<&FactDeclaration> {
        self.facts.get(id)
    }

    /// All facts, in the order of the table.
    pub(crate) fn known_facts(&self) -> impl Iterator<Item = (&str, &FactDeclaration)> {
        self.facts.entries.iter().map(|(id, fact)| (id.as_str(), fact))
    }

    /// All networks, as a message lists them.
    pub(crate) fn network_names(&self) -> Vec<String> {
        self.networks.iter().map(|network| format!("AS{} {}", network.asn, network.operator)).collect()
    }

    /// The grade of what rests on these facts: that of the weakest, or assumed where there is none.
    pub(crate) fn grade(&self, facts: &[Text], errors: &mut Collector) -> Grade {
        let grades = facts.iter().filter_map(|fact| self.fact(fact, errors)).map(|fact| fact.grade);
        grades.max().unwrap_or(Grade::Assumed)
    }

    fn fact(&self, id: &Text, errors: &mut Collector) -> Option<&FactDeclaration> {
        let fact = self.facts.get(id);
        if fact.is_none() {
            let message = format!("no fact has the id `{}`", id.value);
            let help = suggest::help("facts.toml has", id, self.facts.names());
            errors.push(Diagnostic::new(DiagnosticKind::UnknownFact, &id.at, message).help(help));
        }
        fact
    }
}

/// The ids of facts, as the model has them.
pub(crate) fn fact_ids(facts: &[Text]) -> Vec<Arc<str>> {
    facts.iter().map(|fact| fact.as_str().into()).collect()
}

fn data<T: Read>(library: &Library, place: &str, errors: &mut Collector) -> Option<T> {
    let node = tree::parse(library.file(place)?, errors);
    T::read(&node, errors)
}
