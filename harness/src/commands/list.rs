//! `roadblock list`: the library by country, or by mechanism.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use roadblock_scenarios::model::{Mechanism, country_name};
use roadblock_scenarios::{Library, Scenario, load};
use serde::Serialize;

use super::{print, print_json};
use crate::cli::{Format, ListArguments, ListBy};
use crate::output::{self, Paint};
use crate::run::{Known, Table};
use crate::status;

/// `roadblock.list/2`.
#[derive(Serialize)]
struct Document {
    schema: &'static str,
    scenarios: Vec<Entry>,
}

/// A scenario in a few words.
#[derive(Serialize)]
struct Entry {
    id: String,
    title: String,
    /// A two-letter code; nothing where a scenario is not about a country.
    country: Option<String>,
    /// Words of the library's list.
    mechanisms: Vec<&'static str>,
    phases: Vec<PhaseEntry>,
    vantages: Vec<String>,
    /// The facts that its rules and sources cite.
    facts: Vec<String>,
    /// How many of the rules that can act are known how far.
    grades: BTreeMap<&'static str, usize>,
    /// How many measurements it makes: each expectation counts for each of its phases and vantages.
    expectations: usize,
}

#[derive(Serialize)]
struct PhaseEntry {
    id: String,
    date: Option<String>,
}

/// Lists the library's scenarios.
pub(super) fn list(library: &Library, arguments: &ListArguments) -> u8 {
    let mut scenarios = Vec::new();
    let mut status = status::OK;
    for id in library.ids() {
        if let Ok(scenario) = load(id, library) {
            scenarios.push(Entry::of(&scenario));
        } else {
            output::error(format_args!("`{id}` has errors"), Some(&format!("`roadblock check {id}` says which")));
            status = status::USAGE;
        }
    }
    let paint = Paint::for_stdout();
    match (arguments.format, arguments.by) {
        (Format::Json, _) => print_json(&Document { schema: "roadblock.list/2", scenarios }, status),
        (Format::Human, ListBy::Country) => print(&by_country(&scenarios, paint), status),
        (Format::Human, ListBy::Mechanism) => print(&by_mechanism(&scenarios, paint), status),
    }
}

impl Entry {
    fn of(scenario: &Scenario) -> Self {
        let acting = || scenario.rules().into_iter().filter(|rule| rule.active);
        let mut facts: BTreeSet<String> = acting().flat_map(|rule| rule.facts).map(|fact| fact.to_string()).collect();
        facts.extend(scenario.sources.iter().flat_map(|source| source.facts.iter().cloned()));
        let mut grades = BTreeMap::new();
        for rule in acting() {
            *grades.entry(Known::from(rule.grade).as_str()).or_default() += 1;
        }
        Self {
            id: scenario.id.to_string(),
            title: scenario.title.clone(),
            country: scenario.country().map(str::to_owned),
            mechanisms: scenario.mechanisms.iter().map(|each| each.word()).collect(),
            phases: scenario
                .phases
                .iter()
                .map(|phase| PhaseEntry { id: phase.id.to_string(), date: phase.date.clone() })
                .collect(),
            vantages: scenario.vantages.iter().map(|vantage| vantage.name.to_string()).collect(),
            facts: facts.into_iter().collect(),
            grades,
            expectations: scenario.expectations.iter().map(|each| each.phases.len() * each.vantages.len()).sum(),
        }
    }

    /// `2011 to 2021` for phases that have dates.
    fn years(&self) -> String {
        let years: Vec<&str> = self.phases.iter().filter_map(|phase| phase.date.as_deref()?.get(..4)).collect();
        match (years.first(), years.last()) {
            (Some(first), Some(last)) if first == last => (*first).to_owned(),
            (Some(first), Some(last)) => format!("{first}-{last}"),
            _ => String::new(),
        }
    }

    /// `measured 4, recalled 1`, the best known first.
    fn graded(&self) -> String {
        let order = [Known::Measured, Known::SingleSource, Known::Recalled, Known::Assumed].map(Known::as_str);
        let counts = order.iter().filter_map(|word| self.grades.get(word).map(|count| format!("{word} {count}")));
        counts.collect::<Vec<_>>().join(", ")
    }
}

/// A heading for each country, and two lines for each scenario: a row, and what it shows.
fn by_country(scenarios: &[Entry], paint: Paint) -> String {
    let mut text = String::new();
    let groups = scenarios.chunk_by(|one, next| group(one) == group(next));
    for (place, group_of) in groups.enumerate() {
        if place > 0 {
            text.push('\n');
        }
        text.push_str(&paint.strong(group(&group_of[0])).to_string());
        text.push('\n');
        let mut table = Table::default();
        table.headings(paint, ["scenario", "years", "phases", "expectations", "facts", "rules known how far"]);
        for entry in group_of {
            let Entry { id, title, phases, expectations, facts, .. } = entry;
            let counts = [phases.len(), *expectations, facts.len()].map(|count| count.to_string());
            let [phases, expectations, facts] = counts;
            table.row([id.clone(), entry.years(), phases, expectations, facts, entry.graded()]);
            table.note(paint, &format!("  {title} ({})", entry.mechanisms.join(", ")));
        }
        text.push_str(&table.render("  "));
    }
    text
}

/// A heading for each mechanism, with what it is, and the scenarios that show it.
fn by_mechanism(scenarios: &[Entry], paint: Paint) -> String {
    let mut text = String::new();
    for mechanism in Mechanism::ALL {
        let mut table = Table::default();
        for entry in scenarios.iter().filter(|entry| entry.mechanisms.contains(&mechanism.word())) {
            let Entry { id, title, phases, expectations, .. } = entry;
            let measured = format!("{} phases, {expectations} expectations", phases.len());
            table.row([id.clone(), measured, entry.graded(), title.clone()]);
        }
        let scenarios = table.render("  ");
        if !scenarios.is_empty() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}  {}\n{scenarios}", paint.strong(mechanism.word()), mechanism.about());
        }
    }
    text
}

/// The heading that a scenario belongs under: its country, or its folder.
fn group(entry: &Entry) -> &str {
    let country = entry.country.as_deref().and_then(country_name);
    country.unwrap_or_else(|| entry.id.split('/').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_listed_with_all_that_one_chooses_by() {
        let scenario = load("mechanisms/dns-redirect", &Library::embedded()).expect("a sound scenario");
        insta::assert_snapshot!(by_country(&[Entry::of(&scenario)], Paint::none()));
        insta::assert_json_snapshot!(Entry::of(&scenario));
    }
}
