//! Many measurements, each in a lab of its own, several side by side.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use roadblock_emulator::lab::LabOptions;
use roadblock_scenarios::model::Probe;
use time::{Date, Month, OffsetDateTime, Time};

use super::analyst;
use super::cell::{Cell, Drawn};
use super::confusion::Said;
use super::truth::{Act, Truth};
use crate::ooni::measurement::Measurement;
use crate::ooni::written::{Circumstances, written};
use crate::probe;
use crate::run::{Measured, RunError};

/// A measurement that was made.
#[derive(Clone, Debug)]
pub(crate) struct Played {
    /// As OONI would publish it, with the truth in its annotations.
    pub(crate) measurement: Measurement,
    /// What was done to it.
    pub(crate) truth: Truth,
    /// What OONI's rule says.
    pub(crate) ooni: Said,
    /// What ours does.
    pub(crate) ours: Said,
}

/// Why a measurement was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlayError {
    /// Its lab, or what measures in it, could not be had.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Something went wrong in the lab, so that what was measured means nothing.
    #[error("the lab failed beside it: {0}")]
    Invalid(String),
    /// The scenario has no such vantage.
    #[error("the scenario has no vantage `{0}`")]
    NoVantage(String),
}

/// Makes these measurements, so many at a time; `told` hears of each that is done. Must be called in the process of a sandbox.
pub(crate) fn play(drawn: &[Drawn], labs: usize, told: &(dyn Fn(usize) + Sync)) -> Vec<Result<Played, PlayError>> {
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let played: Mutex<BTreeMap<usize, Result<Played, PlayError>>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..labs.min(drawn.len()) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(one) = drawn.get(number) else { return };
                    let result = measure(&one.cell, one.seed, number);
                    played.lock().unwrap_or_else(PoisonError::into_inner).insert(number, result);
                    told(done.fetch_add(1, Ordering::Relaxed) + 1);
                }
            });
        }
    });
    played.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}

/// Measures a cell once; `number` tells its lab from the others that there are at the time.
pub(crate) fn measure(cell: &Cell, seed: u64, number: usize) -> Result<Played, PlayError> {
    let Cell { scenario, phase, vantage, url } = cell;
    let no_vantage = || PlayError::NoVantage(vantage.to_string());
    let vantage = scenario.vantage(vantage).ok_or_else(no_vantage)?;
    let probe = Probe::WebConnectivity { url: url.clone() };
    let options = LabOptions { seed, number, ..LabOptions::default() };
    let played = probe::play(scenario, (phase, vantage), &probe, options)?;
    if !played.problems.is_empty() {
        return Err(PlayError::Invalid(played.problems.join("; ")));
    }
    let circumstances =
        Circumstances { scenario, vantage, phase, test: probe::WEB.test, target: Some(url), began: began(cell) };
    let mut measurement = written(&played.measured, circumstances);
    let (ooni, ours) = (analyst::of_ooni(&measurement), analyst::ours(&measurement));
    let truth = Truth::new(cell, &acts(&played.measured), ooni == Said::Accessible);
    annotate(&mut measurement, &truth, seed);
    Ok(Played { measurement, truth, ooni, ours })
}

/// What rules and lies did to it, in their order.
fn acts(measured: &Measured) -> Vec<Act> {
    let events = measured.events.iter().map(|each| &each.event).filter(|event| event.is_interference());
    let act = |event: &roadblock_censor::Event| {
        let facts = event.facts.iter().map(ToString::to_string).collect();
        Some(Act { by: event.by()?, matched: event.matched.clone(), facts })
    };
    events.filter_map(act).collect()
}

/// The label as annotations: what acted, whether or not it decided the verdict.
fn annotate(measurement: &mut Measurement, truth: &Truth, seed: u64) {
    let class = serde_json::to_value(truth.class).unwrap_or_default();
    let joined = |items: &[String]| if items.is_empty() { "none".to_owned() } else { items.join(",") };
    measurement.annotations.extend([
        ("truth".to_owned(), class.as_str().unwrap_or_default().to_owned()),
        ("rule".to_owned(), joined(&truth.rules)),
        ("fact".to_owned(), joined(&truth.facts)),
        ("cause".to_owned(), truth.cause.clone().unwrap_or_else(|| "none".to_owned())),
        ("seed".to_owned(), seed.to_string()),
    ]);
}

/// Noon of the phase's day, so that the same set is made on every day.
fn began(cell: &Cell) -> OffsetDateTime {
    let day = cell.scenario.phase(&cell.phase).and_then(|phase| phase.date.as_deref()).and_then(day_of);
    OffsetDateTime::new_utc(day.unwrap_or(Date::MIN.replace_year(2026).unwrap_or(Date::MIN)), NOON)
}

fn day_of(text: &str) -> Option<Date> {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
    Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()
}

const NOON: Time = match Time::from_hms(12, 0, 0) {
    Ok(noon) => noon,
    Err(_) => Time::MIDNIGHT,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_or_there_is_none() {
        assert_eq!(day_of("2026-02-11"), Date::from_calendar_date(2026, Month::February, 11).ok());
        for wrong in ["", "2026", "2026-02", "2026-13-01", "2026-02-30", "x-y-z"] {
            assert_eq!(day_of(wrong), None, "{wrong}");
        }
    }
}
