//! What several countries' facts are told with.

use core::time::Duration;

use roadblock_censor::wire::ip::Addresses;

use crate::pair::craft::{ACK, PSH, SYN, Segment, ip};
use crate::pair::{Connection, Outbound, Pair};

pub(crate) const ANSWER: &[u8] = b"an answer that is long enough";
/// The requests of a browser for www.instagram.com, as curl sent it.
pub(crate) const INSTAGRAM_REQUEST: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/curl-request.bin");

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn settle(pair: &mut Pair) {
    pair.run(Duration::from_millis(200));
}

/// A request as browsers send it.
pub(crate) fn get(host: &str) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n").into_bytes()
}

/// A query for this name and type, in the form of kdig's.
pub(crate) fn query(name: &str, qtype: u8) -> Vec<u8> {
    let mut query = super::INSTAGRAM_QUERY[..12].to_vec();
    for label in name.split('.') {
        query.push(u8::try_from(label.len()).expect("a label"));
        query.extend(label.as_bytes());
    }
    query.extend([0, 0, qtype, 0, 1]);
    query
}

/// An echo request with its checksum.
pub(crate) fn ping(pair: &Pair) -> Vec<u8> {
    let addresses = Addresses::new(pair.client.address, pair.server.address).expect("one family");
    let mut echo = [8, 0, 0, 0, 0, 1, 0, 1];
    let sum = roadblock_censor::wire::checksum::internet(&echo);
    echo[2..4].copy_from_slice(&sum.to_be_bytes());
    ip(&addresses, 1, 64, &echo, 0)
}

/// A segment that the client's host sends without any connection.
pub(crate) fn stray(pair: &Pair, ports: (u16, u16), flags: u8, payload: &[u8]) -> Segment {
    Segment {
        source: (pair.client.address, ports.0),
        destination: (pair.server.address, ports.1),
        sequence: 7_000_000,
        acknowledgement: if flags & ACK == 0 { 0 } else { 8_000_000 },
        flags,
        window: 1000,
        urgent: 0,
        options: Vec::new(),
        payload: payload.to_vec(),
        ttl: 64,
        data_offset: None,
        bad_checksum: false,
        length_error: 0,
    }
}

/// Whether a single SYN from this port reaches the server.
pub(crate) fn knock(pair: &mut Pair, port: u16, server_port: u16) -> bool {
    let before = pair.server.packets.len();
    let syn = stray(pair, (port, server_port), SYN, &[]).bytes();
    pair.send(Outbound, syn);
    pair.run(Duration::from_millis(30));
    pair.server.sockets.remove(&port);
    pair.run(Duration::from_millis(70));
    pair.server.packets.len() > before
}

/// Lets both ends forget a connection, so that they send nothing more.
pub(crate) fn hush(pair: &mut Pair, connection: Connection) {
    pair.client.sockets.remove(&connection.port);
    pair.server.sockets.remove(&connection.port);
    settle(pair);
}

/// Holds a punishment that every packet begins anew to its length.
pub(crate) fn is_renewed(pair: &mut Pair, connection: Connection, server_port: u16, last: u64) -> Result<(), String> {
    hush(pair, connection);
    for round in 0..3 {
        // The first sets the clock.
        pair.run(seconds(if round == 0 { 0 } else { last - 2 }));
        if knock(pair, connection.port, server_port) {
            return Err(format!("over before {last} s, round {round}"));
        }
    }
    if !knock(pair, connection.port + 1000, server_port) {
        return Err("another port is hit too".to_owned());
    }
    pair.run(seconds(last));
    if knock(pair, connection.port, server_port) { Ok(()) } else { Err(format!("not over after {last} s")) }
}

/// Sends what the client was given, cut at these places.
pub(crate) fn send_cut(pair: &mut Pair, connection: Connection, cuts: &[usize]) {
    for range in pair.cut(connection, cuts) {
        let packet = pair.part(connection, range).bytes();
        pair.send(Outbound, packet);
    }
}

/// A segment at the next place of the client's stream.
pub(crate) fn data(pair: &Pair, connection: Connection, payload: &[u8]) -> Segment {
    Segment { flags: PSH | ACK, payload: payload.to_vec(), ..pair.segment(connection) }
}
