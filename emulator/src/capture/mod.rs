//! What was on the wires where a lab decides: every packet with its time, its side of the hop, what became of it and which
//! decisions were about it.

mod annotate;
mod fingerprint;
mod origin;
mod pcapng;
mod points;
mod recorder;
mod segments;
mod tape;
mod words;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use roadblock_censor::Instant;
use roadblock_scenarios::model::{Name, Scenario};

pub use fingerprint::{Fingerprint, Identity};
pub use origin::{Entered, Origin};
pub use tape::{Fate, Packet, Point, Side, Tape};
pub use words::decision;

use crate::clock::LabClock;
use crate::events::EventLog;
use crate::kernel::links;
use crate::kernel::namespace::Namespace;
use crate::kernel::packet_tap::Tap;
use crate::plan::topology::{UP, hop_namespace};
use points::Watched;
use recorder::{Kept, Recorder, Station};

/// A capture that goes on while its lab lives.
#[derive(Debug)]
pub(crate) struct Capture {
    points: Vec<Point>,
    /// The hop of each station.
    hops: Vec<Name>,
    recorder: Recorder,
    /// The wall clock when the lab's clock was at zero, since 1970.
    began: Duration,
    /// When the lab's clock was moved, by the wall clock, and how far.
    moves: Mutex<Vec<(Duration, Duration)>>,
    /// Which lab this is, and the phases it has entered.
    origin: Mutex<Origin>,
}

impl Capture {
    /// Starts to capture at the hops that decide, in a lab with this seed.
    pub(crate) fn start(
        scenario: &Scenario,
        namespaces: &BTreeMap<Name, Namespace>,
        clock: &LabClock,
        seed: u64,
    ) -> io::Result<Self> {
        let (mut points, mut hops, mut stations) = (Vec::new(), Vec::new(), Vec::new());
        for watched in points::watched(scenario) {
            let Some(namespace) = namespaces.get(&hop_namespace(&watched.hop)) else { continue };
            let (tap, up) =
                namespace.block_on(async { Ok::<_, io::Error>((Tap::open()?, links::index_of(UP)?)) })??;
            let mut point = |side| {
                points.push(Point { hop: Name::clone(&watched.hop), side });
                points.len() - 1
            };
            let inside = point(Side::Inside);
            let outside = watched.both.then(|| point(Side::Outside));
            hops.push(Name::clone(&watched.hop));
            stations.push(station(watched, tap, up, (inside, outside)));
        }
        let began = wall_clock().saturating_sub(Duration::from_nanos(clock.now().as_nanos()));
        let scenario = Name::clone(&scenario.id);
        let origin = Origin { scenario, seed, began: nanoseconds(began), phases: Vec::new() };
        let (moves, origin) = (Mutex::default(), Mutex::new(origin));
        Ok(Self { points, hops, recorder: Recorder::start(stations)?, began, moves, origin })
    }

    /// Notes that the lab enters a phase now.
    pub(crate) fn phase_begins(&self, phase: &Name, now: Instant) {
        let at = nanoseconds(self.began + Duration::from_nanos(now.as_nanos()));
        let mut origin = self.origin.lock().unwrap_or_else(PoisonError::into_inner);
        origin.phases.push(Entered { phase: Name::clone(phase), at });
    }

    /// Notes that the lab's clock is moved now.
    pub(crate) fn clock_moves(&self, duration: Duration) {
        self.moves.lock().unwrap_or_else(PoisonError::into_inner).push((wall_clock(), duration));
    }

    /// What was captured since this was asked the last time.
    pub(crate) fn tape(&self, events: &EventLog) -> io::Result<Tape> {
        let Kept { packets, missing } = self.recorder.kept()?;
        let moves = self.moves.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let moment = |at: Duration| {
            let skipped: Duration = moves.iter().filter(|(when, _)| *when <= at).map(|(_, far)| *far).sum();
            at.saturating_sub(self.began) + skipped
        };
        let mut tape = Tape::new(self.began, self.points.clone());
        tape.add(packets, moment);
        for (hop, (cut, lost)) in self.hops.iter().zip(missing) {
            tape.note_missing(hop, cut, lost);
        }
        let (recorded, causes) = events.with_causes();
        annotate::annotate(&mut tape, recorded, &causes);
        tape.origin = Some(self.origin.lock().unwrap_or_else(PoisonError::into_inner).clone());
        Ok(tape)
    }
}

fn station(watched: Watched, tap: Tap, up: u32, points: (usize, Option<usize>)) -> Station {
    let Watched { only, .. } = watched;
    Station::new(tap, up, points, move |bytes| {
        only.is_empty() || tape::ends(bytes).is_some_and(|(from, to)| only.contains(&from) || only.contains(&to))
    })
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[expect(clippy::disallowed_methods, reason = "a capture is dated, and the kernel gives its packets wall-clock times")]
fn wall_clock() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
