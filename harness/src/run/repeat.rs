//! What was measured many times, put together: how often it was reached, and whether the rest was as it must be.

use std::collections::BTreeMap;

use roadblock_scenarios::Scenario;

use super::report::{ExpectationEntry, StepEntry, TimesEntry, Word};

/// One of the times that an expectation was measured.
#[derive(Debug)]
pub(crate) struct Repetition {
    /// Which expectation: its place in the scenario's list.
    pub(crate) index: usize,
    /// Which of the times.
    pub(crate) number: u16,
    /// What it gave, judged as if it must not be reached.
    pub(crate) entry: ExpectationEntry,
}

/// One entry for each expectation and vantage.
pub(crate) fn put_together(mut repetitions: Vec<Repetition>, scenario: &Scenario) -> Vec<ExpectationEntry> {
    repetitions.sort_by_key(|each| each.number);
    let mut together: BTreeMap<(usize, String), Vec<ExpectationEntry>> = BTreeMap::new();
    for Repetition { index, entry, .. } in repetitions {
        together.entry((index, entry.vantage.clone())).or_default().push(entry);
    }
    together.into_iter().filter_map(|((index, _), entries)| one_entry(scenario, index, &entries)).collect()
}

fn one_entry(scenario: &Scenario, index: usize, entries: &[ExpectationEntry]) -> Option<ExpectationEntry> {
    let times = scenario.expectations.get(index)?.times.as_ref()?;
    let ok = entries.iter().filter(|each| is_reached(each)).count();
    let entry = TimesEntry {
        of: times.of,
        made: u16::try_from(entries.len()).unwrap_or(u16::MAX),
        ok: u16::try_from(ok).unwrap_or(u16::MAX),
        least: *times.ok.start(),
        most: *times.ok.end(),
    };
    let rest_is_right = entries.iter().all(|each| is_reached(each) || each.as_expected);
    let clients = entries.iter().flat_map(|each| each.clients.iter().cloned()).collect();
    let told = |told: fn(&ExpectationEntry) -> bool| entries.iter().find(|each| told(each));
    let told = told(|each| !is_reached(each) && !each.as_expected).or_else(|| told(|each| !is_reached(each)));
    let told = told.or(entries.first())?;
    Some(ExpectationEntry {
        as_expected: rest_is_right && entry.is_as_expected(),
        times: Some(entry),
        clients,
        steps: told.steps.iter().map(as_one_of_many).collect(),
        ..told.clone()
    })
}

fn is_reached(entry: &ExpectationEntry) -> bool {
    entry.steps.iter().all(|step| step.seen.verdict == Word::Ok)
}

/// What is reached differs from nothing: only how often counts.
fn as_one_of_many(step: &StepEntry) -> StepEntry {
    let differs = if step.seen.verdict == Word::Ok { Vec::new() } else { step.differs.clone() };
    StepEntry { differs, ..step.clone() }
}

#[cfg(test)]
mod tests {
    use roadblock_scenarios::model::Times;
    use roadblock_scenarios::{Library, load};

    use super::super::human::tests::report;
    use super::super::report::Difference;
    use super::*;

    /// What an expectation gave that was measured so often, one letter each: `o`k, `b`locked as it must be, `w`rong.
    fn measured(times: &Times, seen: &str) -> ExpectationEntry {
        let mut scenario = load("ru/whatsapp-2026", &Library::embedded()).expect("a sound scenario");
        scenario.expectations[3].times = Some(times.clone());
        let repetitions = (0..).zip(seen.chars()).map(|(number, letter)| {
            let mut entry = report().expectations.remove(0);
            entry.clients = vec![format!("client {number}")];
            match letter {
                'o' => {
                    entry.steps[0].seen.verdict = Word::Ok;
                    entry.steps[0].differs = vec![Difference::Verdict];
                    entry.as_expected = false;
                }
                'w' => {
                    entry.steps[0].differs = vec![Difference::Failure];
                    entry.as_expected = false;
                }
                _ => {}
            }
            Repetition { index: 3, number, entry }
        });
        // They arrive in any order.
        let mut all = put_together(repetitions.collect::<Vec<_>>().into_iter().rev().collect(), &scenario);
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    #[test]
    fn it_is_as_expected_when_it_is_reached_often_enough_and_the_rest_is_right() {
        let of_four = |least, most| Times { of: 4, ok: least..=most };
        let cases = [
            (of_four(2, 2), "obob", true, "2 of 4 ok"),
            (of_four(1, 3), "obob", true, "2 of 4 ok"),
            (of_four(4, 4), "oooo", true, "4 of 4 ok"),
            (of_four(3, 3), "obob", false, "2 of 4 ok, 3 expected"),
            (of_four(3, 4), "obob", false, "2 of 4 ok, 3 to 4 expected"),
            (of_four(2, 2), "obow", false, "2 of 4 ok"),
            (of_four(2, 2), "obo", false, "2 of 3 ok, 4 expected"),
        ];
        for (times, seen, as_expected, said) in cases {
            let entry = measured(&times, seen);
            assert_eq!(entry.as_expected, as_expected, "{seen}");
            assert_eq!(entry.times.expect("times").to_string(), said);
            assert_eq!(entry.clients.len(), seen.len());
        }
    }

    #[test]
    fn the_first_that_is_wrong_is_told() {
        let times = Times { of: 4, ok: 2..=2 };
        let told = |seen| measured(&times, seen).steps.remove(0);
        assert_eq!(told("obwo").differs, [Difference::Failure]);
        assert_eq!((told("oboo").seen.verdict, told("oboo").differs), (Word::Tls, vec![]));
        assert_eq!((told("oooo").seen.verdict, told("oooo").differs), (Word::Ok, vec![]));
    }
}
