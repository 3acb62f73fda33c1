//! Techniques that cut the stream otherwise than the client did.

use super::{drops, hello_by, middle_of_the_name, send_all, send_cut, with_and_without};
use crate::facts::{INSTAGRAM_HELLO, WHATSAPP_HELLO};
use crate::pair::craft::{Segment, URG};
use crate::pair::{Connection, Outbound, Outcome, Pair};

const ALONE: &str = "tcp.reassembly = \"none\"";
const IN_ORDER: &str = "tcp.reassembly = \"in-order\"";
const FULL: &str = "tcp.reassembly = \"full\"";

/// Cut after the first byte or two (tpws, GoodbyeDPI, SpoofDPI's first-byte), within the name (`midsld`), at several places at
/// once (multisplit), in chunks of 35 (SpoofDPI) and of 8 (Geneva).
#[test]
pub(crate) fn segments() {
    let chunks = |size: usize| (size..WHATSAPP_HELLO.len()).step_by(size).collect::<Vec<_>>();
    let middle = middle_of_the_name();
    for cuts in [vec![1], vec![2], vec![middle], vec![1, middle, middle + 5], chunks(35), chunks(8)] {
        for without in [IN_ORDER, FULL] {
            with_and_without(ALONE, without, |pair, connection| send_cut(pair, connection, &cuts));
        }
    }
}

/// A box that looks at the beginning alone does not see a name that lies further on.
#[test]
pub(crate) fn beyond_the_limit() {
    let with = |limit| drops(&format!("tcp = {{ reassembly = \"full\", limit = \"{limit}\" }}"));
    assert_eq!(hello_by(with("64B"), send_all), Outcome::Answered);
    assert_eq!(hello_by(with("16KB"), send_all), Outcome::Silence);
}

/// The pieces in reverse, and byedpi's way to the same: the first is sent with a TTL of one, dies before the censor, and is
/// sent again by the client's own timer.
#[test]
pub(crate) fn disorder() {
    let middle = middle_of_the_name();
    with_and_without(IN_ORDER, FULL, |pair, connection| {
        let mut ranges = pair.cut(connection, &[1, middle]);
        ranges.reverse();
        for range in ranges {
            let packet = pair.part(connection, range).bytes();
            pair.send(Outbound, packet);
        }
    });
    with_and_without(IN_ORDER, FULL, |pair, connection| {
        for (number, range) in pair.cut(connection, &[middle]).into_iter().enumerate() {
            let part = pair.part(connection, range);
            let ttl = if number == 0 { 1 } else { part.ttl };
            pair.send(Outbound, Segment { ttl, ..part }.bytes());
        }
    });
}

/// zapret's seqovl with disorder: the second piece comes first, with other bytes in front of it where the first will lie. The
/// server takes what is next in its stream over what came early.
#[test]
pub(crate) fn overlap() {
    let middle = middle_of_the_name();
    let keys = |overlap| format!("tcp = {{ reassembly = \"full\", overlap = \"{overlap}\" }}");
    with_and_without(&keys("first"), &keys("last"), |pair, connection| {
        let second = pair.part(connection, middle..WHATSAPP_HELLO.len());
        let covered = u32::try_from(middle - 1).expect("short");
        let payload = [&vec![0; middle - 1][..], &second.payload].concat();
        let sequence = second.sequence.wrapping_sub(covered);
        pair.send(Outbound, Segment { sequence, payload, ..second }.bytes());
        let first = pair.part(connection, 0..middle).bytes();
        pair.send(Outbound, first);
    });
}

/// zapret's seqovl with a pattern: the first piece is preceded by a whole other `ClientHello` that lies left of the server's
/// window, which the server cuts off.
#[test]
pub(crate) fn left_of_the_window() {
    let middle = middle_of_the_name();
    with_and_without(ALONE, FULL, |pair, connection| {
        let first = pair.part(connection, 0..middle);
        let sequence = first.sequence.wrapping_sub(u32::try_from(INSTAGRAM_HELLO.len()).expect("short"));
        let payload = [INSTAGRAM_HELLO, &first.payload].concat();
        pair.send(Outbound, Segment { sequence, payload, ..first }.bytes());
        let second = pair.part(connection, middle..WHATSAPP_HELLO.len()).bytes();
        pair.send(Outbound, second);
    });
}

/// A byte that is marked urgent in the middle of the name (byedpi's oob, tpws --oob): the server's program does not get it.
#[test]
pub(crate) fn urgent_byte() {
    let middle = middle_of_the_name();
    let mut sent = WHATSAPP_HELLO.to_vec();
    sent.insert(middle, b'a');
    let technique = |pair: &mut Pair, connection: Connection| {
        let first = pair.part(connection, 0..middle + 1);
        let urgent = u16::try_from(middle + 1).expect("short");
        pair.send(Outbound, Segment { urgent, flags: first.flags | URG, ..first }.bytes());
        let rest = pair.part(connection, middle + 1..WHATSAPP_HELLO.len() + 1).bytes();
        pair.send(Outbound, rest);
    };
    for (urgent, expected) in [("inline", Outcome::Answered), ("skip", Outcome::Silence)] {
        let mut pair = Pair::new(drops(&format!("tcp = {{ reassembly = \"full\", urgent = \"{urgent}\" }}")));
        let connection = pair.connect(443);
        pair.client_takes(connection, &sent);
        technique(&mut pair, connection);
        assert_eq!(pair.answer(connection, WHATSAPP_HELLO, super::ANSWER), expected, "{urgent}");
    }
}
