//! What the tests about `censors/gfw` share.

use core::time::Duration;

use crate::pair::craft::{ACK, PSH, Segment};
use crate::pair::{Connection, Incoming, Outbound, Pair};

pub(crate) const PROFILE: &str = "censors/gfw";
pub(crate) const ANSWER: &[u8] = b"an answer of the server's";
/// What curl sent, with a target and a host that are replaced.
const CURL: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/curl-request.bin");

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn settle(pair: &mut Pair) {
    pair.run(Duration::from_millis(200));
}

/// What curl sends for this target at this host.
pub(crate) fn request(target: &str, host: &str) -> Vec<u8> {
    let text = core::str::from_utf8(CURL).expect("text");
    let text = text.replace("/search?q=%E6%B3%95%E8%BD%AE", target).replace("www.instagram.com", host);
    text.into_bytes()
}

/// Opens a connection, sends this in one go, and says how many resets came to the client since.
pub(crate) fn resets_after(pair: &mut Pair, port: u16, bytes: &[u8]) -> usize {
    let connection = pair.connect(port);
    let before = resets(&pair.client.packets).len();
    pair.client_sends(connection, bytes);
    settle(pair);
    resets(&pair.client.packets).len() - before
}

/// The resets among these packets.
pub(crate) fn resets<T>(packets: &[(T, Vec<u8>)]) -> Vec<(Incoming, Vec<u8>)> {
    let read = |(_, packet): &(T, Vec<u8>)| Some((Incoming::parse(packet)?, packet.clone()));
    packets.iter().filter_map(read).filter(|(segment, _)| segment.has(crate::pair::craft::RST)).collect()
}

/// A segment with these bytes at this place of what the client's end sends, be it given to it or not.
pub(crate) fn bytes_at(pair: &Pair, connection: Connection, place: u32, bytes: &[u8]) -> Segment {
    let start = pair.at_client(connection).first_sequence.wrapping_add(1);
    Segment {
        sequence: start.wrapping_add(place),
        flags: PSH | ACK,
        payload: bytes.to_vec(),
        ..pair.segment(connection)
    }
}

/// As this, but too few hops from home to get further than the censor.
pub(crate) fn not_far(segment: Segment) -> Segment {
    Segment { ttl: 5, ..segment }
}

/// Sends a segment and lets it arrive.
pub(crate) fn send(pair: &mut Pair, segment: &Segment) {
    pair.send(Outbound, segment.bytes());
    settle(pair);
}
