//! Geneva's mock censors, and the strategies that its authors say beat them (Bock et al., CCS 2019).

use core::fmt::Write as _;

use crate::pair::case::profile;
use crate::pair::craft::{ACK, FIN, PSH, RST, SYN, Segment};
use crate::pair::{Connection, Outbound, Outcome, Pair};

const CENSORS: [&str; 12] = ["1", "2", "3", "4", "5", "6", "7", "8", "8b", "9", "10", "11"];
const REQUEST: &[u8] = b"GET /?q=ultrasurf HTTP/1.1\r\nHost: www.example.com\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n";
/// Enough for the censor, and not for the server.
const DIES: u8 = 5;

/// What a strategy sends before the handshake, and before the request.
struct Strategy {
    name: &'static str,
    before: fn(&mut Pair, u16),
    after: fn(&mut Pair, Connection),
}

fn nothing_before(_: &mut Pair, _: u16) {}

fn nothing_after(_: &mut Pair, _: Connection) {}

/// A segment without data at the client's place in the stream, sent after a change.
fn insert(pair: &mut Pair, connection: Connection, change: impl Fn(Segment) -> Segment) {
    let place = pair.segment(connection);
    pair.send(Outbound, change(Segment { payload: Vec::new(), ..place }).bytes());
}

/// A SYN with another number before the real one, which comes from the same port.
fn early_syn(pair: &mut Pair, port: u16) {
    let syn = Segment {
        source: (pair.client.address, port),
        destination: (pair.server.address, 80),
        sequence: 77_777,
        acknowledgement: 0,
        flags: SYN,
        window: 64_240,
        urgent: 0,
        options: Vec::new(),
        payload: Vec::new(),
        ttl: DIES,
        data_offset: None,
        bad_checksum: false,
        length_error: 0,
    };
    pair.send(Outbound, syn.bytes());
}

/// The censor is led away: a packet from somewhere else in the stream, which the server does not get.
fn junk(pair: &mut Pair, connection: Connection, change: impl Fn(Segment) -> Segment) {
    let place = pair.segment(connection);
    let sequence = place.sequence.wrapping_add(100_000);
    let junk = Segment { sequence, flags: PSH | ACK, payload: b"xxxxxxxx".to_vec(), ..place };
    pair.send(Outbound, change(junk).bytes());
}

const STRATEGIES: [Strategy; 11] = [
    Strategy { name: "none", before: nothing_before, after: nothing_after },
    Strategy { name: "a SYN before, corrupt number", before: early_syn, after: nothing_after },
    Strategy {
        name: "RST, low TTL",
        before: nothing_before,
        after: |pair, connection| insert(pair, connection, |each| Segment { flags: RST, ttl: DIES, ..each }),
    },
    Strategy {
        name: "RST, bad checksum",
        before: nothing_before,
        after: |pair, connection| insert(pair, connection, |each| Segment { flags: RST, bad_checksum: true, ..each }),
    },
    Strategy {
        name: "RST, corrupt number",
        before: nothing_before,
        after: |pair, connection| {
            insert(pair, connection, |each| Segment {
                flags: RST,
                ttl: DIES,
                sequence: each.sequence.wrapping_sub(0x4000_0000),
                ..each
            });
        },
    },
    Strategy {
        name: "RST, another port",
        before: nothing_before,
        after: |pair, connection| {
            insert(pair, connection, |each| Segment {
                flags: RST,
                ttl: DIES,
                source: (each.source.0, each.source.1 + 99),
                ..each
            });
        },
    },
    Strategy {
        name: "FIN, low TTL",
        before: nothing_before,
        after: |pair, connection| insert(pair, connection, |each| Segment { flags: FIN | ACK, ttl: DIES, ..each }),
    },
    Strategy {
        name: "RST, data offset 3",
        before: nothing_before,
        after: |pair, connection| {
            insert(pair, connection, |each| Segment { flags: RST, data_offset: Some(3), ..each });
        },
    },
    Strategy {
        name: "RST then junk, low TTL",
        before: nothing_before,
        after: |pair, connection| {
            insert(pair, connection, |each| Segment { flags: RST, ttl: DIES, ..each });
            junk(pair, connection, |each| Segment { ttl: DIES, ..each });
        },
    },
    Strategy {
        name: "RST then junk, bad checksums",
        before: nothing_before,
        after: |pair, connection| {
            insert(pair, connection, |each| Segment { flags: RST, bad_checksum: true, ..each });
            junk(pair, connection, |each| Segment { bad_checksum: true, ..each });
        },
    },
    Strategy {
        name: "SYN and ACK duplicated, corrupt",
        before: early_syn,
        after: |pair, connection| {
            insert(pair, connection, |each| Segment {
                flags: ACK,
                ttl: DIES,
                sequence: each.sequence.wrapping_add(50_000),
                ..each
            });
            junk(pair, connection, |each| Segment { ttl: DIES, ..each });
        },
    },
];

/// Whether the strategy gets the request through to the server and the answer back, with no reset to either end.
fn works(censor: &str, strategy: &Strategy) -> bool {
    let mut pair = Pair::new(profile(&format!("censors/geneva-{censor}"), ""));
    let port = 45_000;
    (strategy.before)(&mut pair, port);
    let connection = pair.connect_from(port, 80);
    (strategy.after)(&mut pair, connection);
    pair.exchange(connection, REQUEST, ANSWER) == Outcome::Answered
        && pair.at_server(connection).is_some_and(|socket| socket.seen.is_empty())
}

/// Each strategy against each censor; those pairs that Geneva's notes name are asserted below.
#[test]
fn gfw_tcb_1_strategies_against_genevas_censors() {
    let mut table = format!("{:34}{}\n", "", CENSORS.map(|censor| format!("{censor:>4}")).concat());
    for strategy in &STRATEGIES {
        let cells = CENSORS.map(|censor| if works(censor, strategy) { "   +" } else { "   ." });
        writeln!(table, "{:34}{}", strategy.name, cells.concat()).expect("a string takes all");
    }
    insta::assert_snapshot!(table);
}

fn strategy(name: &str) -> &'static Strategy {
    STRATEGIES.iter().find(|each| each.name == name).expect("a strategy")
}

/// What Geneva's notes say beats each, and that nothing is needed where nothing is forbidden.
#[test]
fn gfw_tcb_2_what_the_notes_say() {
    for censor in CENSORS {
        assert!(!works(censor, strategy("none")), "{censor} lets the word pass");
    }
    for (censor, name) in [
        ("1", "a SYN before, corrupt number"),
        ("2", "a SYN before, corrupt number"),
        ("3", "a SYN before, corrupt number"),
        ("5", "a SYN before, corrupt number"),
        ("4", "SYN and ACK duplicated, corrupt"),
        ("6", "RST, another port"),
        ("6", "RST, corrupt number"),
        ("7", "RST, bad checksum"),
        ("7", "RST, low TTL"),
        ("8", "RST, bad checksum"),
        ("8b", "RST, bad checksum"),
        ("9", "RST then junk, low TTL"),
        ("10", "RST then junk, low TTL"),
    ] {
        assert!(works(censor, strategy(name)), "{name} beats {censor}");
    }
    for (censor, name) in [
        ("7", "RST, another port"),
        ("8", "RST, corrupt number"),
        ("8b", "RST, data offset 3"),
        ("10", "RST then junk, bad checksums"),
        ("11", "a SYN before, corrupt number"),
    ] {
        assert!(!works(censor, strategy(name)), "{name} does not beat {censor}");
    }
}

/// The first drops all that the client sends afterwards; the second lets the next connection be.
#[test]
fn gfw_tcb_1_what_follows() {
    for (censor, follows) in [("9", true), ("10", false)] {
        let mut pair = Pair::new(profile(&format!("censors/geneva-{censor}"), ""));
        let connection = pair.connect(80);
        pair.exchange(connection, REQUEST, ANSWER);
        let next = pair.connect(8080);
        assert_eq!(pair.is_open(next), !follows, "{censor}");
    }
}
