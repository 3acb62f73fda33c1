//! Which scenarios, and which of their expectations.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use roadblock_scenarios::model::Mechanism;
use roadblock_scenarios::{Diagnostics, Library, Scenario, load};

use crate::run::{Strand, probe_word};

/// What is asked for; what is not said is not narrowed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// The first part of the scenario's id, as `ru`.
    pub(crate) countries: Vec<String>,
    /// What the scenario says it is about.
    pub(crate) mechanisms: Vec<Mechanism>,
    /// Expectations that are about a rule or lie that cites one of these.
    pub(crate) facts: Vec<String>,
    /// Phases.
    pub(crate) phases: Vec<String>,
    /// Expectations that measure by one of these.
    pub(crate) probes: Vec<String>,
}

/// A scenario that is tested.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    /// It.
    pub(crate) scenario: Arc<Scenario>,
}

/// Why there is nothing to test.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChooseError {
    /// The pattern fits no scenario.
    #[error("no scenario of the library is like `{pattern}`; `roadblock list` names them")]
    NoScenario {
        /// It.
        pattern: String,
    },
    /// The folder cannot be read.
    #[error("failed to read the folder `{}`: {cause}", path.display())]
    Folder {
        /// It.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// A scenario is wrong.
    #[error("a scenario is wrong")]
    Wrong(Diagnostics),
}

impl Filter {
    /// Whether a phase is asked for.
    pub(crate) fn wants_phase(&self, phase: &str) -> bool {
        self.phases.is_empty() || self.phases.iter().any(|wanted| wanted == phase)
    }

    /// Whether only some of a phase's expectations are asked for.
    pub(crate) fn narrows_expectations(&self) -> bool {
        !self.facts.is_empty() || !self.probes.is_empty()
    }

    /// Whether a strand has an expectation that is asked for. It is played whole: what comes later in it rests on what came
    /// before.
    pub(crate) fn wants_strand(&self, scenario: &Scenario, strand: &Strand) -> bool {
        let by_probe = self.probes.is_empty()
            || strand.steps().any(|step| self.probes.iter().any(|probe| *probe == probe_word(&step.probe)));
        let by_fact = self.facts.is_empty() || {
            let rules = scenario.rules();
            let cites = |by: &str| {
                let rule = rules.iter().find(|rule| rule.by == by);
                rule.is_some_and(|rule| {
                    rule.facts.iter().any(|fact| self.facts.iter().any(|wanted| **fact == **wanted))
                })
            };
            strand.steps().flat_map(|step| &step.by).any(|by| cites(by))
        };
        by_probe && by_fact
    }

    fn wants(&self, scenario: &Scenario) -> bool {
        let country = self.countries.is_empty()
            || scenario.country().is_some_and(|country| self.countries.iter().any(|wanted| wanted == country));
        let mechanism =
            self.mechanisms.is_empty() || self.mechanisms.iter().any(|wanted| scenario.mechanisms.contains(wanted));
        country && mechanism
    }
}

/// The scenarios that patterns mean: ids and `*` in them, files, and folders of files. None: the whole library.
pub(crate) fn choose(patterns: &[String], filter: &Filter, library: &Library) -> Result<Vec<Subject>, ChooseError> {
    let mut arguments: Vec<String> = Vec::new();
    if patterns.is_empty() {
        arguments.extend(library.ids().map(str::to_owned));
    }
    for pattern in patterns {
        let found = meant(pattern, library)?;
        arguments.extend(found.into_iter().filter(|each| !arguments.contains(each)).collect::<Vec<_>>());
    }
    let mut subjects = Vec::new();
    for argument in arguments {
        let scenario = load(&argument, library).map_err(ChooseError::Wrong)?;
        subjects.push(Subject { scenario: Arc::new(scenario) });
    }
    subjects.retain(|subject| filter.wants(&subject.scenario));
    Ok(subjects)
}

/// The arguments for [`load`] that a pattern means.
fn meant(pattern: &str, library: &Library) -> Result<Vec<String>, ChooseError> {
    let path = Path::new(pattern);
    if pattern.starts_with(['/', '.']) && path.is_dir() {
        return scenarios_in(path).map_err(|cause| ChooseError::Folder { path: path.to_owned(), cause });
    }
    if !pattern.contains('*') {
        return Ok(vec![pattern.to_owned()]);
    }
    let found: Vec<String> = library.ids().filter(|id| is_like(id, pattern)).map(str::to_owned).collect();
    if found.is_empty() { Err(ChooseError::NoScenario { pattern: pattern.to_owned() }) } else { Ok(found) }
}

/// The scenarios in a folder, in the order of their names.
fn scenarios_in(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") && is_scenario(&path) {
            found.push(path.display().to_string());
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a file says nothing of being a profile or a service. What cannot be read is left to the loader's message.
fn is_scenario(path: &Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let kinds = ["kind = \"profile\"", "kind = \"service\""];
    !text.lines().any(|line| kinds.contains(&line.trim()))
}

/// Whether a text is like a pattern in which `*` stands for anything.
fn is_like(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (text, pattern) in [("ru/a", "ru/*"), ("ru/a", "*"), ("ru/whatsapp-2026", "*whats*26"), ("ru/a", "ru/a")] {
            assert!(is_like(text, pattern), "{text} {pattern}");
        }
        for (text, pattern) in [("cn/a", "ru/*"), ("ru/ab", "ru/a"), ("ru/ab", "*a"), ("a", "a*a")] {
            assert!(!is_like(text, pattern), "{text} {pattern}");
        }
    }

    #[test]
    fn patterns_and_ids_are_looked_up_once_each() {
        let library = Library::embedded();
        let patterns = ["mechanisms/dns-*".to_owned(), "mechanisms/dns-silence".to_owned()];
        let subjects = choose(&patterns, &Filter::default(), &library).expect("scenarios");
        let ids: Vec<&str> = subjects.iter().map(|subject| &*subject.scenario.id).collect();
        assert_eq!(ids.iter().filter(|id| **id == "mechanisms/dns-silence").count(), 1, "{ids:?}");
        assert!(ids.len() > 4 && ids.iter().all(|id| id.starts_with("mechanisms/dns-")), "{ids:?}");
        let nothing = choose(&["xx/*".to_owned()], &Filter::default(), &library);
        assert!(matches!(nothing, Err(ChooseError::NoScenario { pattern }) if pattern == "xx/*"));
    }
}
