//! Techniques against what the censor remembers of a connection.

use super::{ANSWER, drops, drops_when, send_all, with_and_without};
use crate::facts::{INSTAGRAM_HELLO, WHATSAPP_HELLO};
use crate::pair::craft::{ACK, FIN, PSH, RST, SYN, Segment, fix_v4};
use crate::pair::{Connection, Incoming, Outbound, Outcome, Pair};

/// Sends a segment without data that dies behind the censor, then what the client was given.
fn after(change: impl Fn(Segment) -> Segment) -> impl Fn(&mut Pair, Connection) {
    move |pair, connection| {
        let place = pair.part(connection, 0..0);
        pair.send(Outbound, change(Segment { ttl: 5, ..place }).bytes());
        send_all(pair, connection);
    }
}

/// RST, RST/ACK, FIN/ACK and RST with a wrong checksum make the censor give the connection up.
#[test]
pub(crate) fn teardown() {
    let keys = |flags| format!("flow.teardown = [{flags}]");
    for flags in [RST, RST | ACK] {
        with_and_without(&keys("\"rst\""), &keys(""), after(|each| Segment { flags, ..each }));
    }
    with_and_without(&keys("\"fin\""), &keys("\"rst\""), after(|each| Segment { flags: FIN | ACK, ..each }));
    let bad = || after(|each| Segment { flags: RST, ttl: 64, bad_checksum: true, ..each });
    with_and_without("flow.teardown = [\"rst\"]\ntcp.checksum = \"ignore\"", "flow.teardown = [\"rst\"]", bad());
}

/// What the packet agrees with matters to some censors and not to others.
#[test]
pub(crate) fn teardown_check() {
    let keys = |check| format!("flow = {{ teardown = [\"rst\"], teardown-check = \"{check}\" }}");
    let elsewhere =
        || after(|each| Segment { flags: RST, sequence: each.sequence.wrapping_sub(1_000_000_000), ..each });
    with_and_without(&keys("tuple"), &keys("sequence"), elsewhere());
    let other_port = || after(|each| Segment { flags: RST, source: (each.source.0, each.source.1 + 7), ..each });
    with_and_without(&keys("nothing"), &keys("tuple"), other_port());
}

/// Geneva against censors that take the segment after a RST for the next one: it is a fake from somewhere else.
#[test]
pub(crate) fn resynchronised() {
    let keys = |resync| format!("flow.resync = [{resync}]\ntcp = {{ reassembly = \"full\", sequence = \"exact\" }}");
    with_and_without(&keys("\"rst\""), &keys(""), |pair, connection| {
        let place = pair.part(connection, 0..0);
        let sequence = place.sequence.wrapping_add(1_000_000);
        pair.send(Outbound, Segment { flags: RST, ttl: 5, ..place.clone() }.bytes());
        let payload = b"junk".to_vec();
        pair.send(Outbound, Segment { flags: PSH | ACK, ttl: 5, sequence, payload, ..place }.bytes());
        send_all(pair, connection);
    });
}

/// Roles: a SYN/ACK from the client before its SYN (zapret's synack), and a server that answers a SYN with a SYN (TSPU-8).
#[test]
pub(crate) fn roles() {
    let keys = |client| {
        drops_when(&format!("flow.client = \"{client}\""), "tls.sni = [\"whatsapp.com\"], flow.client = \"inside\"")
    };
    for (client, expected) in [("syn-sender", Outcome::Answered), ("inside", Outcome::Silence)] {
        let mut pair = Pair::new(keys(client));
        pair.server.splits_handshakes = true;
        let connection = pair.connect(443);
        assert_eq!(pair.exchange(connection, WHATSAPP_HELLO, ANSWER), expected, "a split handshake, {client}");

        let mut pair = Pair::new(keys(client));
        let before = pair.connect(443);
        let port = before.port + 1;
        let first = Segment {
            source: (pair.client.address, port),
            sequence: 1_000_000,
            acknowledgement: 1,
            flags: SYN | ACK,
            ttl: 5,
            ..pair.segment(before)
        };
        pair.send(Outbound, first.bytes());
        let connection = pair.connect_from(port, 443);
        assert_eq!(pair.exchange(connection, WHATSAPP_HELLO, ANSWER), expected, "a SYN/ACK first, {client}");
    }
}

/// zapret's syndata: a `ClientHello` in the SYN, which the server does not read without Fast Open.
#[test]
pub(crate) fn data_in_a_syn() {
    for (reads, expected) in [(true, Outcome::Answered), (false, Outcome::Silence)] {
        let mut pair = Pair::new(drops(&format!("tcp.syn-data = {reads}")));
        let before = pair.connect(443);
        let port = before.port + 1;
        let mut syn = pair.segment(before);
        syn = Segment {
            source: (pair.client.address, port),
            sequence: 1_000_000,
            acknowledgement: 0,
            flags: SYN,
            payload: INSTAGRAM_HELLO.to_vec(),
            ..syn
        };
        pair.send(Outbound, syn.bytes());
        let connection = pair.connect_from(port, 443);
        assert_eq!(pair.exchange(connection, WHATSAPP_HELLO, ANSWER), expected, "{reads}");
    }
}

/// The client's acknowledgement of the SYN/ACK never comes to the censor: it has a TTL of one.
#[test]
pub(crate) fn no_acknowledgement_seen() {
    let outcome = |from: &str| {
        let mut pair = Pair::new(drops(&format!("flow.from = \"{from}\"")));
        pair.tool = |packet| {
            let segment = Incoming::parse(packet).expect("the client sends segments");
            if segment.flags == ACK && segment.payload.is_empty() && segment.sequence == 1_000_001 {
                packet[8] = 1;
                fix_v4(packet);
            }
        };
        let connection = pair.connect(443);
        pair.exchange(connection, WHATSAPP_HELLO, ANSWER)
    };
    assert_eq!(outcome("established"), Outcome::Answered);
    assert_eq!(outcome("syn"), Outcome::Silence);
}
