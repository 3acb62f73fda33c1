//! China: the provincial firewall of `censors/henan`.

use super::WHATSAPP_HELLO;
use super::china::{ANSWER, bytes_at, request, resets, resets_after, settle};
use super::china_tls::in_two_records;
use crate::pair::case::{check, fact_case, fact_pair, profile};
use crate::pair::craft::{ACK, Segment, fix_v4};
use crate::pair::{Connection, Inbound, Outbound, Outcome, Pair};

const PROFILE: &str = "censors/henan";
const NAMES: &str = "names = [\"whatsapp.com\"]";

/// Windows without timestamps: the TCP header of what the client sends has 20 bytes.
fn without_options(packet: &mut Vec<u8>) {
    let header = usize::from(packet[32] >> 4) * 4;
    // A SYN keeps its own.
    if packet[33] & 2 != 0 || header == 20 {
        return;
    }
    packet.drain(40..20 + header);
    packet[32] = 5 << 4;
    let length = u16::try_from(packet.len()).expect("short").to_be_bytes();
    packet[2..4].copy_from_slice(&length);
    fix_v4(packet);
    packet[36..38].fill(0);
    let source = packet[12..16].try_into().map(<[u8; 4]>::into).expect("an address");
    let destination = packet[16..20].try_into().map(<[u8; 4]>::into).expect("an address");
    let addresses = roadblock_censor::wire::ip::Addresses::V4 { source, destination };
    let sum = roadblock_censor::wire::checksum::transport(&addresses, 6, &packet[20..]);
    packet[36..38].copy_from_slice(&sum.to_be_bytes());
}

/// A pair whose client sends no options, and whose censor is at the fifth hop.
fn pair(policy: roadblock_censor::Policy) -> Pair {
    let mut pair = Pair::new(policy);
    pair.tool = without_options;
    pair.hops = (4, 10);
    pair
}

fn send_cut(pair: &mut Pair, connection: Connection, cuts: &[usize]) -> Outcome {
    pair.client_takes(connection, WHATSAPP_HELLO);
    for range in pair.cut(connection, cuts) {
        let mut segment = pair.part(connection, range).bytes();
        (pair.tool)(&mut segment);
        pair.send(Outbound, segment);
    }
    pair.answer(connection, WHATSAPP_HELLO, ANSWER)
}

/// HEN-1: one RST/ACK, to the client alone, with ten bytes of payload, the identification 1, and a TTL of 58 when it arrives.
/// The name counts in TLS and as a host, with all below it, at any port.
#[test]
fn hen_1_one_reset_to_the_client() {
    fact_case("HEN-1", PROFILE, NAMES, &["sni", "host"], |policy| {
        let host = request("/", "chat.whatsapp.com");
        for (port, bytes) in [(443, WHATSAPP_HELLO), (80, &host), (4433, WHATSAPP_HELLO), (8080, &host)] {
            let pair = &mut pair(policy.clone());
            let connection = pair.connect(port);
            pair.client_sends(connection, bytes);
            settle(pair);
            let all = resets(&pair.client.packets);
            check(all.len() == 1, &format!("{port}: {} resets", all.len()))?;
            let (segment, packet) = &all[0];
            check(segment.has(ACK) && segment.payload == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0], "RST/ACK and ten bytes")?;
            check(packet[4..6] == [0, 1] && packet[8] == 58, &format!("identification and TTL: {:?}", &packet[4..9]))?;
            check(packet.len() == 50, "a header of 20 bytes")?;
            check(resets(&pair.server.packets).is_empty(), "the server gets none")?;
            let server = pair.at_server(connection).ok_or("no server")?;
            check(server.stream() == bytes, "but the request")?;
        }
        Ok(())
    });
}

/// HEN-1: nothing is remembered: the next connection to the same port opens and is answered. Other names are left alone.
#[test]
fn hen_1_no_residual() {
    let mut pair = pair(profile(PROFILE, NAMES));
    let connection = pair.connect(443);
    assert_eq!(pair.exchange(connection, WHATSAPP_HELLO, ANSWER), Outcome::Reset);
    let again = pair.connect_from(connection.port, 443);
    assert_eq!(pair.exchange(again, super::INSTAGRAM_HELLO, ANSWER), Outcome::Answered);
}

/// HEN-1: a `ClientHello` that nothing came before is enough; one that enters the province is not looked at.
#[test]
fn hen_1_no_handshake_and_one_way() {
    fact_case("HEN-1", PROFILE, NAMES, &["sni"], |policy| {
        let pair = &mut pair(policy);
        let other = pair.connect(8443);
        let naked = bytes_at(pair, other, 0, WHATSAPP_HELLO);
        let naked = Segment {
            source: (naked.source.0, 50_000),
            destination: (naked.destination.0, 443),
            options: vec![],
            ..naked
        };
        let inward = Segment { source: naked.destination, destination: naked.source, ..naked.clone() };
        pair.send(Inbound, inward.bytes());
        settle(pair);
        check(pair.story().is_empty(), "what enters is not looked at")?;
        pair.send(Outbound, naked.bytes());
        settle(pair);
        check(pair.story().len() == 1, "what leaves is, with no handshake")
    });
}

/// HEN-1, HEN-2: at home it is the border's resets that may come as well: one of the province's, and then those of the border.
#[test]
fn hen_1_before_the_border() {
    let mut at_home = pair(profile(PROFILE, NAMES));
    assert_eq!(resets_after(&mut at_home, 443, WHATSAPP_HELLO), 1);
    let mut at_border = pair(profile("censors/gfw", "sni = [\"whatsapp.com\"]"));
    assert!(resets_after(&mut at_border, 443, WHATSAPP_HELLO) > 0);
}

/// HEN-2: a TCP header of 20 bytes and no other, so that Linux with its timestamps is left alone; nothing is put together,
/// neither segments nor records.
#[test]
fn hen_2_only_headers_without_options() {
    fact_pair("HEN-2", PROFILE, NAMES, &["sni"], |plain| {
        plain.tool = without_options;
        let connection = plain.connect(443);
        check(plain.exchange(connection, WHATSAPP_HELLO, ANSWER) == Outcome::Reset, "without options")?;
        plain.tool = |_| {};
        let connection = plain.connect(443);
        check(plain.exchange(connection, WHATSAPP_HELLO, ANSWER) == Outcome::Answered, "with timestamps")?;
        plain.tool = without_options;
        let connection = plain.connect(443);
        check(send_cut(plain, connection, &[60]) == Outcome::Answered, "in two segments")?;
        let connection = plain.connect(443);
        let two = in_two_records(WHATSAPP_HELLO, 60);
        check(plain.exchange(connection, &two, ANSWER) == Outcome::Answered, "in two records")
    });
}
