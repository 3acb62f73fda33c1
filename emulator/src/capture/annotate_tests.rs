use std::sync::Arc;

use roadblock_censor::policy::Grade;
use roadblock_censor::wire::checksum;

use super::super::recorder::Seen;
use super::super::tape::{Point, Side, Tape};
use super::*;
use crate::kernel::packet_tap::Unfinished;

const CLIENT: [u8; 4] = [5, 136, 0, 10];
const SERVER: [u8; 4] = [1, 1, 1, 1];

/// A TCP packet of the flow, with these flags and this payload.
fn packet(outbound: bool, sequence: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let (from, to) = if outbound { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
    let [from_port, to_port] = if outbound { [40000_u16, 443] } else { [443, 40000] }.map(u16::to_be_bytes);
    let mut bytes = vec![0x45, 0, 0, 40 + u8::try_from(payload.len()).expect("short"), 0, 7, 0x40, 0, 64, 6, 0, 0];
    bytes.extend([from, to].concat());
    bytes.extend([from_port, to_port].concat());
    bytes.extend([0, 0, 0, sequence, 0, 0, 0, 1, 0x50, flags, 1, 0, 0, 0, 0, 0]);
    bytes.extend(payload);
    let sum = checksum::internet(&bytes[..20]).to_be_bytes();
    bytes[10..12].copy_from_slice(&sum);
    bytes
}

/// A packet at the inside (0) or the outside (1) of the hop, so many milliseconds after the beginning.
fn seen(point: usize, outgoing: bool, milliseconds: u64, bytes: Vec<u8>) -> Seen {
    Seen { point, outgoing, at: Duration::from_millis(milliseconds), unfinished: Unfinished::default(), bytes }
}

fn tape(packets: Vec<Seen>) -> Tape {
    let point = |side| Point { hop: "tspu".into(), side };
    let mut tape = Tape::new(Duration::ZERO, vec![point(Side::Inside), point(Side::Outside)]);
    tape.add(packets, |at| at);
    tape
}

fn event(milliseconds: u64, kind: EventKind, direction: Direction) -> Recorded {
    let event = Event {
        at: roadblock_censor::Instant::from_nanos(milliseconds * 1_000_000),
        censor: "tspu".into(),
        rule: Some("sni-1".into()),
        facts: vec!["TSPU-1".into()],
        grade: Grade::Measured,
        flow: FlowKey {
            protocol: 6,
            client: CLIENT.into(),
            client_port: 40000,
            server: SERVER.into(),
            server_port: 443,
        },
        direction,
        kind,
        matched: Some("SNI web.whatsapp.com".to_owned()),
        bytes: None,
        residual: false,
    };
    Recorded { hop: Arc::from("tspu"), event }
}

/// What is known of each packet: its fate and its comments.
fn told(tape: &Tape) -> String {
    let line = |index: usize, packet: &super::super::tape::Packet| {
        let place = tape.point(packet).map(Point::name).unwrap_or_default();
        let way = if packet.outgoing { "leaves" } else { "arrives" };
        format!("{index} {place} {way} {:?} {}", packet.fate, tape.comments(packet).join("; "))
    };
    tape.packets.iter().enumerate().map(|(index, packet)| line(index, packet)).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_name_that_is_reset_shows_the_hello_on_both_sides_and_the_answer_as_two_packets() {
    let hello = || packet(true, 10, 0x18, b"hello");
    let mut tape = tape(vec![
        seen(0, false, 1, hello()),
        seen(1, true, 2, hello()),
        seen(1, false, 11, packet(false, 50, 0x18, b"server hello")),
        seen(0, true, 12, packet(false, 50, 0x14, b"")),
    ]);
    let causes = BTreeMap::from([
        (0, Fingerprint::of(&tape.packets[0].bytes).expect("a packet")),
        (1, Fingerprint::of(&tape.packets[2].bytes).expect("a packet")),
    ]);
    let decisions =
        vec![event(1, EventKind::Triggered, Direction::Outbound), event(11, EventKind::Rewritten, Direction::Inbound)];
    annotate(&mut tape, decisions, &causes);
    insta::assert_snapshot!(told(&tape));
}

#[test]
fn each_retransmission_that_is_dropped_has_its_own_decision() {
    let hello = || packet(true, 10, 0x18, b"hello");
    let mut tape = tape(vec![seen(0, false, 1, hello()), seen(1, true, 2, hello()), seen(0, false, 300, hello())]);
    let cause = Fingerprint::of(&hello()).expect("a packet");
    annotate(&mut tape, vec![event(300, EventKind::Dropped, Direction::Outbound)], &BTreeMap::from([(0, cause)]));
    insta::assert_snapshot!(told(&tape));
}

#[test]
fn a_lie_is_said_of_the_question_and_of_the_answer() {
    let mut tape =
        tape(vec![seen(0, false, 1, packet(true, 1, 0x18, b"?")), seen(0, true, 2, packet(false, 1, 0x18, b"!"))]);
    annotate(&mut tape, vec![event(1, EventKind::Lied, Direction::Outbound)], &BTreeMap::new());
    insta::assert_snapshot!(told(&tape));
}

/// A packet that is sent again after the first was dropped is the one that crossed.
#[test]
fn what_was_dropped_before_is_not_taken_for_what_crosses_later() {
    let hello = || packet(true, 10, 0x18, b"hello");
    let mut tape = tape(vec![seen(0, false, 1, hello()), seen(0, false, 300, hello()), seen(1, true, 301, hello())]);
    let cause = Fingerprint::of(&hello()).expect("a packet");
    annotate(&mut tape, vec![event(1, EventKind::Dropped, Direction::Outbound)], &BTreeMap::from([(0, cause)]));
    insta::assert_snapshot!(told(&tape));
}
