//! A capture's packets through one machine for each hop, on the capture's clock.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use roadblock_censor::{Censor, Direction, Event, EventKind, Instant, Outbox, Packet, PacketId, Policy};
use roadblock_emulator::capture::{Entered, Origin, decision};
use roadblock_emulator::events::Recorded;
use roadblock_emulator::plan::ruleset::policy_at;
use roadblock_scenarios::Scenario;
use roadblock_scenarios::model::Name;

use super::file::{self, CaptureError, Captured, Part};
use super::link::{self, Held};
use super::offload;
use super::report::{CaptureHead, LeftOut, PacketCounts, PolicyHead, ReplayedEvent, Report, SCHEMA};
use super::sides::Sides;
use crate::run::{canonical, word};

/// Who judges.
#[derive(Clone, Debug)]
pub(crate) enum Censors {
    /// A profile by itself.
    Profile {
        /// Its policy.
        policy: Policy,
        /// What the document says of it.
        head: PolicyHead,
        /// The hop; where not said, every hop of the capture's lab, each with a censor of its own.
        hop: Option<Name>,
    },
    /// The censors of a scenario.
    Scenario {
        /// The scenario.
        scenario: Arc<Scenario>,
        /// The phase; where not said, those that the capture's lab went through, or the last.
        phase: Option<Name>,
        /// The hop; where not said, every hop of the capture's lab, or the only one that has a censor.
        hop: Option<Name>,
    },
}

/// Why a replay cannot be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplayError {
    /// The capture cannot be read.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// A scenario with several hops that decide, and a capture that says nothing about hops.
    #[error(
        "the capture is not a lab's, and `{scenario}` has censors at several hops: name one of {hops} with `--hop`"
    )]
    WhichHop {
        /// The scenario.
        scenario: Name,
        /// The hops.
        hops: String,
    },
    /// A scenario without censors.
    #[error("`{scenario}` has no censor{at}")]
    NoCensor {
        /// The scenario.
        scenario: Name,
        /// At which hop, in words.
        at: String,
    },
}

/// What a capture says about itself before its packets.
#[derive(Debug, Default)]
struct Head {
    origin: Option<Origin>,
    /// The points of a lab that its interfaces are named after: the hop, and the way of what arrives there.
    points: Vec<(Name, Direction)>,
    first: Option<u64>,
}

impl Head {
    /// The hops with packets of both sides.
    fn crossed(&self) -> impl Iterator<Item = Name> {
        let has = |hop: &Name, way| self.points.contains(&(Name::clone(hop), way));
        let inside = self.points.iter().filter(|(_, way)| *way == Direction::Outbound);
        inside.map(|(hop, _)| Name::clone(hop)).filter(move |hop| has(hop, Direction::Inbound))
    }
}

/// Judges a capture. Where no seed is given, that of the capture's lab counts, or 1.
pub(crate) fn replay(
    path: &Path,
    censors: &Censors,
    mut sides: Sides,
    seed: Option<u64>,
) -> Result<Report, ReplayError> {
    let head = head(path)?;
    let origin = head.origin.as_ref();
    let seed = seed.or(origin.map(|origin| origin.seed)).unwrap_or(DEFAULT_SEED);
    let mut stage = Stage::new(&head, censors, seed)?;
    let inside = if stage.is_lab() { LAB_SIDES.to_owned() } else { sides.describe() };
    let mut notes = first_notes(&head, censors);
    file::read(path, |part| match part {
        Part::Packet(captured) => stage.packet(captured, &mut sides),
        Part::CutOff => notes.push("it ends in the middle of a packet".to_owned()),
        Part::Comment(_) => {}
    })?;
    stage.end();
    Ok(stage.report(path, inside, notes, seed))
}

/// Of a replay that was told nothing else.
const DEFAULT_SEED: u64 = 1;
/// A lab's capture knows its sides.
const LAB_SIDES: &str = "what the lab's hops have behind them";

/// A look at the file before its packets are judged.
fn head(path: &Path) -> Result<Head, CaptureError> {
    let mut head = Head::default();
    file::read(path, |part| match part {
        Part::Comment(comment) => head.origin = Origin::from_comment(comment).or(head.origin.take()),
        Part::Packet(Captured { at, interface, .. }) => {
            head.first.get_or_insert(at);
            if let Some((hop, way)) = interface.and_then(point)
                && !head.points.iter().any(|(each, known)| **each == *hop && *known == way)
            {
                head.points.push((hop.into(), way));
            }
        }
        Part::CutOff => {}
    })?;
    Ok(head)
}

/// A lab calls its interfaces by hop and side: `tspu-moscow inside`.
fn point(interface: &str) -> Option<(&str, Direction)> {
    let (hop, side) = interface.rsplit_once(' ')?;
    match side {
        "inside" => Some((hop, Direction::Outbound)),
        "outside" => Some((hop, Direction::Inbound)),
        _ => None,
    }
}

/// What a reader must know before the events.
fn first_notes(head: &Head, censors: &Censors) -> Vec<String> {
    let (Censors::Scenario { scenario, .. }, Some(origin)) = (censors, &head.origin) else { return Vec::new() };
    let other = (origin.scenario != scenario.id)
        .then(|| format!("it is of another scenario, `{}`, and judged by `{}`", origin.scenario, scenario.id));
    other.into_iter().collect()
}

/// A machine and the hop where it sits.
struct Station {
    hop: Name,
    censor: Censor,
}

/// All that judges.
struct Stage<'a> {
    censors: &'a Censors,
    stations: Vec<Station>,
    /// The phases, in the order in which they are entered; the first is.
    phases: Vec<Entered>,
    /// Which of them is in force.
    phase: usize,
    /// Which lab's interfaces are read; else all packets are judged, whatever their interface.
    is_lab: bool,
    /// When the machines' clocks are at zero, in nanoseconds since 1970.
    began: u64,
    now: Instant,
    outbox: Outbox,
    events: Vec<(Option<usize>, usize, Recorded)>,
    packets: usize,
    judged: usize,
    completed: usize,
    backward: usize,
    left_out: BTreeMap<String, usize>,
}

impl<'a> Stage<'a> {
    fn new(head: &Head, censors: &'a Censors, seed: u64) -> Result<Self, ReplayError> {
        let (stations, phases, is_lab) = match censors {
            Censors::Profile { policy, hop, .. } => {
                let hops: Vec<Name> =
                    head.crossed().filter(|each| hop.as_ref().is_none_or(|hop| hop == each)).collect();
                let is_lab = !hops.is_empty();
                let hops = if is_lab { hops } else { vec![Name::from(ALONE)] };
                let stations: Vec<_> = hops.into_iter().map(|hop| (hop, policy.clone())).collect();
                (stations, vec![Entered { phase: Name::from(ALONE), at: 0 }], is_lab)
            }
            Censors::Scenario { scenario, phase, hop } => {
                let phases = phases(scenario, phase.as_ref(), head.origin.as_ref());
                let (hops, is_lab) = hops(scenario, hop.as_ref(), head)?;
                let first = phases.first().map_or("", |first| &first.phase);
                let policy = |hop: Name| (Name::clone(&hop), policy_at(scenario, &hop, first));
                (hops.into_iter().map(policy).collect(), phases, is_lab)
            }
        };
        // A lab begins at midnight, whenever it is built. Other captures have times of their own, which are UTC.
        let (began, midnight) = match &head.origin {
            Some(origin) if is_lab => (origin.began, Duration::ZERO),
            _ => {
                let first = head.first.unwrap_or_default();
                (first, Duration::from_nanos(first % DAY))
            }
        };
        let station = |(hop, policy)| Station { hop, censor: Censor::new(policy, seed).with_midnight(midnight) };
        Ok(Self {
            censors,
            stations: stations.into_iter().map(station).collect(),
            phases,
            phase: 0,
            is_lab,
            began,
            now: Instant::ZERO,
            outbox: Outbox::default(),
            events: Vec::new(),
            packets: 0,
            judged: 0,
            completed: 0,
            backward: 0,
            left_out: BTreeMap::new(),
        })
    }

    fn is_lab(&self) -> bool {
        self.is_lab
    }

    fn packet(&mut self, captured: Captured<'_>, sides: &mut Sides) {
        self.packets += 1;
        match self.addressed(&captured, sides) {
            Ok((station, direction, bytes)) => {
                self.judged += 1;
                let completed = if self.is_lab { None } else { offload::completed(bytes) };
                self.completed += usize::from(completed.is_some());
                self.judge(station, &captured, direction, completed.as_deref().unwrap_or(bytes));
            }
            Err(why) => *self.left_out.entry(why).or_default() += 1,
        }
    }

    /// Which machine a packet meets, which way it travels, and what the machine sees of it; or why it meets none.
    fn addressed<'b>(
        &self,
        captured: &Captured<'b>,
        sides: &mut Sides,
    ) -> Result<(usize, Direction, &'b [u8]), String> {
        let bytes = match link::packet(captured.link, captured.bytes) {
            Held::Ip(bytes) => bytes,
            Held::Cut => return Err("less of it was captured than it was long".to_owned()),
            Held::NoIp => return Err("not IP".to_owned()),
            Held::UnknownLink(link) => return Err(format!("of link type {link}, which is not read here")),
        };
        if !self.is_lab {
            let way = sides.way(bytes).ok_or("not between inside and outside")?;
            return Ok((0, way, bytes));
        }
        let (hop, way) = captured.interface.and_then(point).ok_or("at no hop of the lab")?;
        let station = self.stations.iter().position(|station| *station.hop == *hop).ok_or("at another hop")?;
        match captured.arrived {
            Some(true) => Ok((station, way, bytes)),
            _ => Err("leaving the hop, where the censor has decided already".to_owned()),
        }
    }

    fn judge(&mut self, station: usize, captured: &Captured<'_>, direction: Direction, bytes: &[u8]) {
        let at = Instant::from_nanos(captured.at.saturating_sub(self.began));
        // A clock that was set back while a capture went on: the packets still came in this order.
        self.backward += usize::from(at < self.now);
        self.now = self.now.max(at);
        self.enter_phases(captured.at);
        for other in 0..self.stations.len() {
            self.poll(other, self.now);
        }
        // A packet that waits, for a rate or for its other fragments, keeps its name until it goes on.
        let id = PacketId(u32::try_from(captured.number).unwrap_or_default());
        let packet = Packet { id, direction, bytes };
        self.stations[station].censor.inspect(self.now, packet, &mut self.outbox);
        self.note(station, Some(captured.number));
    }

    /// Enters the phases that have begun by this time of the capture.
    fn enter_phases(&mut self, at: u64) {
        while let Some(next) = self.phases.get(self.phase + 1).filter(|next| next.at <= at) {
            let Censors::Scenario { scenario, .. } = self.censors else { return };
            self.phase += 1;
            for station in &mut self.stations {
                let policy = policy_at(scenario, &station.hop, &next.phase);
                station.censor.replace_policy(policy, self.now, &mut self.outbox);
            }
            self.outbox.commands.clear();
        }
    }

    /// Lets a machine do what is due.
    fn poll(&mut self, station: usize, until: Instant) {
        for _ in 0..MAX_POLLS {
            let Some(due) = self.stations[station].censor.poll_at().filter(|due| *due <= until) else { return };
            self.stations[station].censor.poll(due, &mut self.outbox);
            self.note(station, None);
        }
    }

    /// Lets the machines do what they have planned when the capture is over.
    fn end(&mut self) {
        let last = self.now + AFTERWARDS;
        for station in 0..self.stations.len() {
            self.poll(station, last);
        }
    }

    fn note(&mut self, station: usize, packet: Option<usize>) {
        self.outbox.commands.clear();
        let (phase, hop) = (self.phase, &self.stations[station].hop);
        let recorded =
            self.outbox.events.drain(..).map(|event| (packet, phase, Recorded { hop: Arc::clone(hop), event }));
        self.events.extend(recorded);
    }

    fn report(self, path: &Path, inside: String, mut notes: Vec<String>, seed: u64) -> Report {
        notes.extend(counted(self.completed, "had checksums that the sender's hardware was to fill in; they were"));
        notes.extend(counted(
            self.backward,
            "are dated before the packet in front of them; the clock stood still there",
        ));
        let left_out = self.left_out.iter().map(|(why, packets)| LeftOut { why: why.clone(), packets: *packets });
        let by_phase = self.phases.iter().enumerate().map(|(index, entered)| {
            let of_phase = self.events.iter().filter(|(_, phase, _)| *phase == index);
            let events: Vec<Recorded> = of_phase.map(|(_, _, recorded)| recorded.clone()).collect();
            canonical(&entered.phase, &events)
        });
        Report {
            schema: SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            capture: CaptureHead {
                file: path.display().to_string(),
                packets: self.packets,
                judged: self.judged,
                left_out: left_out.collect(),
                inside,
                notes,
            },
            policy: self.policy(),
            seed,
            packets: PacketCounts::of(self.stations.iter().map(|station| station.censor.counters())),
            events: self.events.iter().map(|(packet, phase, recorded)| self.event(*packet, *phase, recorded)).collect(),
            canonical: by_phase.flatten().collect(),
        }
    }

    fn policy(&self) -> PolicyHead {
        match self.censors {
            Censors::Profile { head, .. } => head.clone(),
            Censors::Scenario { scenario, .. } => PolicyHead::Scenario {
                scenario: scenario.id.to_string(),
                phases: self.phases.iter().map(|entered| entered.phase.to_string()).collect(),
                hops: self.stations.iter().map(|station| station.hop.to_string()).collect(),
            },
        }
    }

    fn event(&self, packet: Option<usize>, phase: usize, recorded: &Recorded) -> ReplayedEvent {
        let Recorded { hop, event } = recorded;
        let of_scenario = matches!(self.censors, Censors::Scenario { .. });
        let phase = self.phases.get(phase).filter(|_| of_scenario);
        ReplayedEvent {
            at: event.at.as_nanos(),
            packet,
            phase: phase.map(|entered| entered.phase.to_string()),
            hop: (of_scenario || self.is_lab).then(|| hop.to_string()),
            censor: event.censor.to_string(),
            rule: event.rule.as_ref().map(ToString::to_string),
            kind: word(&event.kind),
            direction: word(&event.direction),
            flow: event.flow.to_string(),
            matched: event.matched.clone(),
            bytes: event.bytes.as_ref().map(|bytes| [bytes.start, bytes.end]),
            residual: event.residual,
            facts: event.facts.iter().map(ToString::to_string).collect(),
            grade: event.grade.into(),
            words: words(event),
        }
    }
}

/// In nanoseconds.
const DAY: u64 = 24 * 60 * 60 * 1_000_000_000;
/// What a profile by itself has in place of a hop and of a phase.
const ALONE: &str = "capture";
/// How long after the last packet what was planned still counts.
const AFTERWARDS: Duration = Duration::from_secs(3600);
/// More than any machine can have planned at once.
const MAX_POLLS: usize = 1 << 17;

fn words(event: &Event) -> String {
    match event.kind {
        // What was let go is no decision about anything that was found.
        EventKind::Passed => format!("{} let it go", event.censor),
        _ => decision(event),
    }
}

fn counted(packets: usize, what: &str) -> Option<String> {
    match packets {
        0 => None,
        1 => Some(format!("1 packet of those that {what}")),
        more => Some(format!("{more} packets {what}")),
    }
}

/// The phases to go through.
fn phases(scenario: &Scenario, wanted: Option<&Name>, origin: Option<&Origin>) -> Vec<Entered> {
    let known = origin.map(|origin| origin.phases.as_slice()).unwrap_or_default();
    let all_known = known.iter().all(|entered| scenario.phase(&entered.phase).is_some());
    match wanted {
        Some(phase) => vec![Entered { phase: Name::clone(phase), at: 0 }],
        None if !known.is_empty() && all_known => known.to_vec(),
        None => {
            scenario.phases.last().map(|last| Entered { phase: Name::clone(&last.id), at: 0 }).into_iter().collect()
        }
    }
}

/// The hops whose censors judge, and whether the capture has interfaces of theirs.
fn hops(scenario: &Scenario, wanted: Option<&Name>, head: &Head) -> Result<(Vec<Name>, bool), ReplayError> {
    let decides = |hop: &&Name| scenario.censors.iter().any(|censor| censor.at == **hop);
    let deciding: Vec<Name> = scenario.hops.iter().map(|hop| &hop.name).filter(decides).cloned().collect();
    let chosen: Vec<Name> = deciding.iter().filter(|hop| wanted.is_none_or(|wanted| wanted == *hop)).cloned().collect();
    let captured: Vec<Name> = chosen.iter().filter(|hop| head.crossed().any(|each| each == **hop)).cloned().collect();
    match (captured.is_empty(), chosen.as_slice()) {
        (false, _) => Ok((captured, true)),
        (true, [only]) => Ok((vec![Name::clone(only)], false)),
        (true, []) => Err(ReplayError::NoCensor {
            scenario: Name::clone(&scenario.id),
            at: wanted.map(|hop| format!(" at `{hop}`")).unwrap_or_default(),
        }),
        (true, several) => Err(ReplayError::WhichHop {
            scenario: Name::clone(&scenario.id),
            hops: several.iter().map(|hop| format!("`{hop}`")).collect::<Vec<_>>().join(", "),
        }),
    }
}
