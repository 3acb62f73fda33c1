//! A capture that has ended, and the file it becomes.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use roadblock_censor::{Direction, FlowKey};
use roadblock_scenarios::model::Name;

use super::origin::Origin;
use super::pcapng::{PacketBlock, Writer};
use super::recorder::{LIMIT, Seen};
use super::segments::segments;
use super::words;
use crate::events::Recorded;
use crate::logged_flow;

/// One side of a hop.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Point {
    /// The hop.
    pub hop: Name,
    /// The side.
    pub side: Side,
}

/// Which side of a hop.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    /// Towards the clients.
    Inside,
    /// Towards the internet.
    Outside,
}

impl Point {
    /// `tspu-moscow inside`.
    pub fn name(&self) -> String {
        let side = match self.side {
            Side::Inside => "inside",
            Side::Outside => "outside",
        };
        format!("{} {side}", self.hop)
    }
}

/// What became of a packet at its hop, or where it came from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    /// It was seen; only one side of the hop is captured, so that more is not known.
    Seen,
    /// It crossed the hop unchanged: the other time it was seen, by its place on the tape.
    Crossed(usize),
    /// It arrived and did not leave.
    Stayed,
    /// It left without having arrived: it was made, or changed, at the hop.
    Made,
}

/// A packet at one point.
#[derive(Clone, Debug)]
pub struct Packet {
    /// When, on the lab's clock.
    pub at: Duration,
    /// Where, by its place among the tape's points.
    pub point: usize,
    /// Whether it left the hop by the point's interface; else it arrived.
    pub outgoing: bool,
    /// From the first byte of the IP header.
    pub bytes: Vec<u8>,
    /// What became of it.
    pub fate: Fate,
    /// The decisions about it, by their places among the tape's.
    pub decisions: Vec<usize>,
}

/// All that was captured in a lab.
#[derive(Clone, Debug)]
pub struct Tape {
    began: Duration,
    /// Where packets were captured.
    pub points: Vec<Point>,
    /// The packets, in the order of time.
    pub packets: Vec<Packet>,
    /// All decisions of the lab, in their order.
    pub decisions: Vec<Recorded>,
    /// What is not on the tape although it was on a wire.
    pub notes: Vec<String>,
    /// The lab that it was taken in.
    pub origin: Option<Origin>,
    missing: Vec<(Name, u64)>,
}

impl Tape {
    /// A tape with nothing on it.
    pub(super) fn new(began: Duration, points: Vec<Point>) -> Self {
        let (packets, decisions, notes) = (Vec::new(), Vec::new(), Vec::new());
        Self { began, points, packets, decisions, notes, origin: None, missing: Vec::new() }
    }

    /// Puts packets on it, each at the moment that the lab's clock showed.
    pub(super) fn add(&mut self, packets: Vec<Seen>, moment: impl Fn(Duration) -> Duration) {
        for seen in packets {
            let Seen { point, outgoing, at, unfinished, bytes } = seen;
            let at = moment(at);
            let packet = |bytes| Packet { at, point, outgoing, bytes, fate: Fate::Seen, decisions: Vec::new() };
            self.packets.extend(segments(&bytes, unfinished).into_iter().map(packet));
        }
        self.packets.sort_by_key(|packet| packet.at);
    }

    /// Says what of a hop is not on the tape.
    pub(super) fn note_missing(&mut self, hop: &Name, cut: u64, lost: u64) {
        if cut > 0 {
            let limit = LIMIT >> 20;
            self.notes.push(format!("at {hop}, {cut} packets came after the first {limit} MiB and were not kept"));
        }
        if lost > 0 {
            self.notes.push(format!("at {hop}, {lost} packets came faster than they could be written down"));
        }
        if cut + lost > 0 {
            self.missing.push((Name::clone(hop), cut + lost));
        }
    }

    /// Where a packet was captured.
    pub fn point(&self, packet: &Packet) -> Option<&Point> {
        self.points.get(packet.point)
    }

    /// Which way a packet travelled.
    pub fn way(&self, packet: &Packet) -> Direction {
        let is_inside = self.point(packet).is_some_and(|point| point.side == Side::Inside);
        if is_inside == packet.outgoing { Direction::Inbound } else { Direction::Outbound }
    }

    /// The flow that a packet belongs to.
    pub fn flow(&self, packet: &Packet) -> Option<FlowKey> {
        logged_flow::of(&packet.bytes, self.way(packet))
    }

    /// What was decided about a packet, in words; what was said before of the same packet is said once.
    pub fn comments(&self, packet: &Packet) -> Vec<String> {
        let mut comments: Vec<String> = Vec::new();
        for recorded in packet.decisions.iter().filter_map(|index| self.decisions.get(*index)) {
            let comment = words::decision(&recorded.event);
            if !comments.contains(&comment) {
                comments.push(comment);
            }
        }
        comments
    }

    /// The tape as a pcapng file, with the lines of a TLS key log that decrypt it.
    pub fn to_pcapng(&self, title: &str, tls_keys: &str) -> Vec<u8> {
        let mut writer = Writer::default();
        let mut comments = vec![title.to_owned(), CLOCK.to_owned()];
        comments.extend(self.origin.as_ref().map(Origin::to_comment));
        comments.extend(self.notes.iter().map(|note| format!("NOT COMPLETE: {note}")));
        writer.section(concat!("roadblock ", env!("CARGO_PKG_VERSION")), &comments);
        for point in &self.points {
            writer.interface(&point.name(), describe(point));
        }
        if !tls_keys.is_empty() {
            writer.tls_secrets(tls_keys);
        }
        for packet in &self.packets {
            writer.packet(PacketBlock {
                interface: number(packet.point),
                at: self.wall_clock(packet.at),
                outgoing: packet.outgoing,
                bytes: &packet.bytes,
                comments: &self.comments(packet),
            });
        }
        let end = self.wall_clock(self.packets.last().map(|packet| packet.at).unwrap_or_default());
        for (index, point) in self.points.iter().enumerate() {
            let received = self.packets.iter().filter(|packet| packet.point == index).count() as u64;
            // A hop's sides share what is missing; it is counted at the first.
            let missing = self.missing.iter().find(|(hop, _)| Arc::ptr_eq(hop, &point.hop) || *hop == point.hop);
            let dropped = missing.filter(|_| point.side == Side::Inside).map_or(0, |(_, count)| *count);
            writer.statistics(number(index), end, received + dropped, dropped);
        }
        writer.into_bytes()
    }

    fn wall_clock(&self, at: Duration) -> u64 {
        u64::try_from((self.began + at).as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Whose times these are.
const CLOCK: &str = "Times are the lab's clock: the wall clock when the lab began, the time that passed since, and the \
                     waits of the scenario, which were skipped and not slept.";

const fn describe(point: &Point) -> &'static str {
    match point.side {
        Side::Inside => "towards the clients",
        Side::Outside => "towards the internet",
    }
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// From whom a packet comes and to whom it goes.
pub(super) fn ends(bytes: &[u8]) -> Option<(IpAddr, IpAddr)> {
    logged_flow::of(bytes, Direction::Outbound).map(|flow| (flow.client, flow.server))
}
