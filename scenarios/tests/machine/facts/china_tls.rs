//! China: the boxes that read TLS (`censors/gfw`).

use super::china::{ANSWER, PROFILE, bytes_at, not_far, request, resets, resets_after, seconds, send, settle};
use super::{INSTAGRAM_HELLO, WHATSAPP_HELLO};
use crate::pair::case::{check, fact_case, fact_pair, profile};
use crate::pair::craft::{ACK, RST, Segment};
use crate::pair::{Connection, Outbound, Outcome, Pair};

const WHATSAPP: &str = "sni = [\"whatsapp.com\"]";

/// Sends what the client was given cut at these places.
fn send_cut(pair: &mut Pair, connection: Connection, bytes: &[u8], cuts: &[usize]) -> Outcome {
    pair.client_takes(connection, bytes);
    for range in pair.cut(connection, cuts) {
        let segment = pair.part(connection, range).bytes();
        pair.send(Outbound, segment);
    }
    pair.answer(connection, bytes, ANSWER)
}

/// A `ClientHello` in two records, cut after so many bytes of its message.
pub(crate) fn in_two_records(hello: &[u8], at: usize) -> Vec<u8> {
    let (first, second) = hello[5..].split_at(at);
    let record = |part: &[u8]| {
        let length = u16::try_from(part.len()).expect("short").to_be_bytes();
        [&hello[..3], &length, part].concat()
    };
    [record(first), record(second)].concat()
}

/// GFW-SNI-1: at any port both ends are reset, with RST/ACK, and the `ClientHello` is delivered all the same. Another name is
/// left alone, and so is the same one as a host of HTTP: the lists are separate.
#[test]
fn gfw_sni_1_both_ends_are_reset_at_any_port() {
    fact_case("GFW-SNI-1", PROFILE, WHATSAPP, &["sni-1"], |policy| {
        for mut pair in [Pair::new(policy.clone()), Pair::v6(policy.clone())] {
            for port in [443, 8443, 1, 65_535] {
                let other = pair.connect(port);
                check(pair.exchange(other, INSTAGRAM_HELLO, ANSWER) == Outcome::Answered, "another name")?;
                let plain = pair.connect(port);
                let plain = pair.exchange(plain, &request("/", "whatsapp.com"), ANSWER);
                check(plain == Outcome::Answered, "the name in HTTP")?;
                let counts = (pair.client.segments(RST).len(), pair.server.segments(RST).len());
                let connection = pair.connect(port);
                pair.client_sends(connection, WHATSAPP_HELLO);
                settle(&mut pair);
                let (client, server) = (pair.client.segments(RST), pair.server.segments(RST));
                check(client.len() > counts.0 && server.len() > counts.1, &format!("{port}: both ends are reset"))?;
                check(client[counts.0..].iter().all(|reset| reset.has(ACK)), "with RST/ACK")?;
                let delivered = |segment: &crate::pair::Incoming| segment.payload == WHATSAPP_HELLO;
                check(pair.server.segments(0xff).iter().any(delivered), "the ClientHello is delivered")?;
                let answered = pair.answer(connection, WHATSAPP_HELLO, ANSWER);
                check(answered == Outcome::Reset, &format!("{port}: {answered:?}"))?;
            }
        }
        Ok(())
    });
}

/// GFW-SNI-2: the same port of the server stays reset for 60 seconds, or 360, whatever is said; others do not.
#[test]
fn gfw_sni_2_for_as_long_as_was_measured() {
    for last in [60, 180, 360] {
        let parameters = format!("{WHATSAPP}\nsni-last = \"{last}s\"");
        fact_pair("GFW-SNI-2", PROFILE, &parameters, &["sni-1"], |pair| {
            let connection = pair.connect(443);
            pair.client_sends(connection, WHATSAPP_HELLO);
            settle(pair);
            let began = pair.now;
            let other = pair.connect(8443);
            check(pair.exchange(other, INSTAGRAM_HELLO, ANSWER) == Outcome::Answered, "another port")?;
            pair.run(began + seconds(last - 2) - pair.now);
            let early = pair.connect(443);
            check(!pair.is_open(early), &format!("{last} s: not over yet"))?;
            check(!pair.at_client(early).seen.is_empty(), "but refused")?;
            pair.run(began + seconds(last + 1) - pair.now);
            let late = pair.connect(443);
            check(pair.exchange(late, INSTAGRAM_HELLO, ANSWER) == Outcome::Answered, &format!("{last} s: over"))
        });
    }
}

/// GFW-SNI-3: what gets past one box does not get past the other. A `ClientHello` in two segments is put together by the first,
/// which sends RST/ACKs; one that the first has lost count of is read by the second, which sends RSTs without ACK, and only
/// once the client says more.
#[test]
fn gfw_sni_3_two_boxes() {
    fact_pair("GFW-SNI-3", PROFILE, WHATSAPP, &["sni-1", "sni-2"], |pair| {
        let connection = pair.connect(443);
        let outcome = send_cut(pair, connection, WHATSAPP_HELLO, &[40]);
        check(outcome == Outcome::Reset, &format!("in two segments: {outcome:?}"))?;
        check(pair.client.segments(RST).iter().all(|reset| reset.has(ACK)), "the first box sends RST/ACKs")?;

        let connection = pair.connect(8443);
        let count = pair.client.segments(RST).len();
        let reset = Segment { flags: RST, ..pair.segment(connection) };
        send(pair, &not_far(reset));
        let lost = not_far(bytes_at(pair, connection, 5000, b"nothing"));
        send(pair, &lost);
        let outcome = pair.exchange(connection, WHATSAPP_HELLO, ANSWER);
        check(outcome == Outcome::Answered, &format!("the first box has lost count: {outcome:?}"))?;
        check(pair.client.segments(RST).len() == count, "and the second waits for more")?;
        pair.client_sends(connection, b"Finished");
        settle(pair);
        let all = pair.client.segments(RST);
        check(all.len() > count && pair.server.segments(RST).len() > 1, "the second box resets both ends")?;
        check(all[count..].iter().all(|reset| !reset.has(ACK)), "without ACK")
    });
}

/// GFW-SNI-3: what gets past both gets through: in two segments, and the first box has lost count.
#[test]
fn gfw_sni_3_past_both() {
    let mut pair = Pair::new(profile(PROFILE, WHATSAPP));
    let connection = pair.connect(443);
    let reset = Segment { flags: RST, ..pair.segment(connection) };
    send(&mut pair, &not_far(reset));
    let lost = not_far(bytes_at(&pair, connection, 5000, b"nothing"));
    send(&mut pair, &lost);
    assert_eq!(send_cut(&mut pair, connection, WHATSAPP_HELLO, &[40]), Outcome::Answered);
    pair.client_sends(connection, b"Finished");
    settle(&mut pair);
    assert!(pair.is_open(connection));
}

/// GFW-FRAG: segments are put together since 2024; records are not, at the border; a box at some providers puts them together
/// since December 2025, also four hundred.
#[test]
fn gfw_frag_segments_and_records() {
    let parameters = "sni = [\"whatsapp.com\"]\nsni-records = [\"whatsapp.com\"]";
    let records: Vec<u8> =
        WHATSAPP_HELLO[5..].iter().flat_map(|byte| [&WHATSAPP_HELLO[..3], &[0, 1, *byte][..]].concat()).collect();
    assert!(WHATSAPP_HELLO.len() > 300, "one record for each byte, many of them");
    let border = |policy: &roadblock_censor::Policy| {
        let mut policy = policy.clone();
        policy.boxes.iter_mut().for_each(|each| each.rules.retain(|rule| &*rule.id != "sni-records"));
        policy
    };
    fact_case("GFW-FRAG", PROFILE, parameters, &["sni-1", "sni-records"], |policy| {
        let mut at_border = Pair::new(border(&policy));
        let connection = at_border.connect(443);
        let segments = send_cut(&mut at_border, connection, WHATSAPP_HELLO, &[40, 90]);
        check(segments == Outcome::Reset, &format!("segments at the border: {segments:?}"))?;
        let connection = at_border.connect(8443);
        let two = in_two_records(WHATSAPP_HELLO, 60);
        check(at_border.exchange(connection, &two, ANSWER) == Outcome::Answered, "two records at the border")?;
        let mut inside = Pair::new(policy.clone());
        for (port, bytes) in [(443, &two), (8443, &records)] {
            let connection = inside.connect(port);
            let outcome = inside.exchange(connection, bytes, ANSWER);
            check(outcome == Outcome::Reset, &format!("{} bytes of records at some providers", bytes.len()))?;
        }
        Ok(())
    });
}

/// GFW-SNI-4: each protocol's box has a weakness of its own: a window too small for the command gets past the one for mail and
/// not past those for HTTP and TLS.
#[test]
fn gfw_sni_4_a_small_window() {
    let parameters = "sni = [\"whatsapp.com\"]\nhttp-keywords = [\"falun\"]\nhttp-chance = 1.0\nsmtp-keywords = [\"xiazai@upup8.com\"]";
    let mail = b"RCPT TO:<xiazai@upup8.com>\r\n".to_vec();
    let http = request("/?falun", "ok.example");
    fact_pair("GFW-SNI-4", PROFILE, parameters, &["http-keyword", "sni-1", "mail"], |pair| {
        for (port, bytes) in [(25, &mail), (80, &http), (443, &WHATSAPP_HELLO.to_vec())] {
            check(resets_after(pair, port, bytes) > 0, &format!("{port}: reset"))?;
        }
        let connection = pair.connect(25);
        check(pair.exchange(connection, b"EHLO mail.example\r\n", ANSWER) == Outcome::Answered, "a greeting")?;
        check(pair.exchange(connection, &mail, ANSWER) == Outcome::Reset, "and the recipient after it")?;
        pair.run(seconds(120));
        pair.server.opening_window = 10;
        let connection = pair.connect(25);
        check(pair.exchange(connection, &mail, ANSWER) == Outcome::Answered, "past the box for mail")?;
        for (port, bytes) in [(80, &http), (443, &WHATSAPP_HELLO.to_vec())] {
            let connection = pair.connect(port);
            let outcome = pair.exchange(connection, bytes, ANSWER);
            check(outcome == Outcome::Reset, &format!("not past the one at {port}: {outcome:?}"))?;
        }
        check(!resets(&pair.server.packets).is_empty(), "which resets the server too")
    });
}
