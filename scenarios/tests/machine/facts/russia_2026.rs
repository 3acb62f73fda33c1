//! Russia: what was measured of the TSPU between 2023 and 2026, with `censors/tspu-2026`.

use core::time::Duration;

use super::russia::{ANSWER, ELSEWHERE, cut_exchange, elsewhere, ends_after, seconds, settle};
use super::russia_quic::segments_and_records;
use super::{INSTAGRAM_HELLO, WHATSAPP_HELLO, hello_for};
use crate::pair::case::{check, fact_case, fact_pair};
use crate::pair::craft::RST;
use crate::pair::{Connection, Inbound, Incoming, Outbound, Outcome, Pair, SERVER};

const PROFILE: &str = "censors/tspu-2026";
const CHROME: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/chrome131-client-hello.bin");
const FIREFOX: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/firefox133-client-hello.bin");
const GO_TLS12: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/go-client-hello-tls12.bin");
const SSH: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/ssh-banner.bin");

/// TSPU-12b: since 2024 padding hides no name, since 2025 neither segments nor records do; both together do.
#[test]
fn tspu_12b_segments_and_records() {
    fact_case("TSPU-12b", PROFILE, "sni-1 = [\"whatsapp.com\"]", &["sni-1"], |policy| {
        segments_and_records(policy.clone(), WHATSAPP_HELLO, Outcome::Reset)?;
        let padded = super::russia_2022::padded(2000);
        let outcome = cut_exchange(&mut Pair::new(policy), &padded, &[1448]);
        check(outcome == Outcome::Reset, &format!("padded: {outcome:?}"))
    });
}

/// TSPU-15b: encryptedsni.com is reset, as other names are.
#[test]
fn tspu_15b_another_name_that_is_reset() {
    fact_pair("TSPU-15b", PROFILE, "sni-1 = [\"encryptedsni.com\"]", &["sni-1"], |pair| {
        for (name, expected) in [("encryptedsni.com", Outcome::Reset), ("cloudflare.com", Outcome::Answered)] {
            let connection = pair.connect(443);
            let outcome = pair.exchange(connection, &hello_for(name), ANSWER);
            check(outcome == expected, &format!("{name}: {outcome:?}"))?;
        }
        Ok(())
    });
}

/// TSPU-RSTACK: the resets acknowledge what was never sent. A client takes them all the same; behind a router that tracks
/// connections strictly it never sees one, and waits.
#[test]
fn tspu_rstack_wrong_acknowledgements() {
    fact_case("TSPU-RSTACK", PROFILE, "sni-1-odd = [\"whatsapp.com\"]", &["sni-1-odd"], |policy| {
        let mut pair = Pair::new(policy.clone());
        let connection = pair.connect(443);
        check(pair.exchange(connection, WHATSAPP_HELLO, ANSWER) == Outcome::Reset, "a client takes it")?;
        let next = pair.at_client(connection).next_sequence;
        let resets = pair.client.segments(RST);
        let ahead = resets.iter().all(|reset| reset.acknowledgement.wrapping_sub(next).cast_signed() > 0);
        check(ahead && !resets.is_empty(), "it acknowledges what was never sent")?;

        let mut pair = Pair::new(policy.clone());
        // As `nf_conntrack_tcp_be_liberal=0` with a rule that drops what is invalid: the client's numbers begin at a million.
        pair.client.lets_through =
            |packet| Incoming::parse(packet).is_none_or(|segment| segment.acknowledgement <= 1_000_001 + 1000);
        let connection = pair.connect(443);
        let outcome = pair.exchange(connection, WHATSAPP_HELLO, ANSWER);
        check(outcome == Outcome::Silence, &format!("behind a strict router: {outcome:?}"))?;
        check(!pair.client.segments(RST).is_empty(), "which got the resets")
    });
}

/// RU-SIB-1: twelve TLS connections to a server are answered, further ones within a minute freeze; to another server one is
/// answered, and after a minute it is here too. What is no TLS is not counted.
#[test]
fn ru_sib_1_the_thirteenth_freezes() {
    fact_case("RU-SIB-1", PROFILE, &format!("siberian = [\"{SERVER}/32\"]"), &["siberian"], |policy| {
        let mut pair = Pair::new(policy.clone());
        let ask = |pair: &mut Pair, hello: &[u8]| {
            let connection = pair.connect(443);
            pair.client_sends(connection, hello);
            settle(pair);
            let opened = pair.is_open(connection);
            (opened, pair.at_server(connection).is_some_and(|server| server.stream() == hello))
        };
        let since = pair.now;
        for number in 1..=12 {
            check(ask(&mut pair, WHATSAPP_HELLO) == (true, true), &format!("connection {number}"))?;
            check(ask(&mut pair, b"no TLS") == (true, true), "no TLS")?;
        }
        for number in 13..=15 {
            check(ask(&mut pair, WHATSAPP_HELLO) == (true, false), &format!("connection {number} freezes"))?;
        }
        check(ask(&mut elsewhere(policy.clone()), WHATSAPP_HELLO) == (true, true), "another server")?;
        check(pair.client.segments(RST).is_empty(), "nobody is reset")?;
        pair.run(seconds(61).saturating_sub(pair.now.saturating_since(since)) + seconds(10));
        check(ask(&mut pair, WHATSAPP_HELLO) == (true, true), "and after a minute")
    });
}

/// RU-TLSFP-1: the server's network, the name and the client's fingerprint decide together: each of them different, it is
/// answered.
#[test]
fn ru_tlsfp_1_three_things_together() {
    let parameters = format!(
        "fingerprints = [\"{CHROME_JA4}\"]\nfingerprints-at = [\"{SERVER}/32\"]\nfingerprints-exempt = [\"t.me\"]"
    );
    let without_exemption = parameters.replace("t.me", "vk.com");
    fact_case("RU-TLSFP-1", PROFILE, &without_exemption, &["fingerprint"], |policy| {
        let mut pair = Pair::new(policy.clone());
        for (hello, expected) in [(CHROME, Outcome::Silence), (FIREFOX, Outcome::Answered)] {
            let connection = pair.connect(443);
            check(pair.exchange(connection, hello, ANSWER) == expected, "the fingerprint")?;
        }
        check(pair.client.segments(RST).is_empty(), "nobody is reset")?;
        let mut pair = elsewhere(policy);
        let connection = pair.connect(443);
        check(pair.exchange(connection, CHROME, ANSWER) == Outcome::Answered, "the server's network")
    });
    let mut pair = Pair::new(crate::pair::case::profile(PROFILE, &parameters));
    let connection = pair.connect(443);
    assert_eq!(pair.exchange(connection, CHROME, ANSWER), Outcome::Answered, "the name");
}

/// As `ja4.py` of its authors has Chrome's, whatever the order of its extensions and whether it speaks of a session before.
const CHROME_JA4: &str = "t13d1516h2_8daaf6152771_*";

/// RU-TG-1: a `ClientHello` with Chrome's JA4 to a proxy is dropped, in segments of 256 bytes too; Firefox's to the same
/// proxy is answered.
#[test]
fn ru_tg_1_fingerprints() {
    let parameters = format!("fingerprints = [\"{CHROME_JA4}\"]\nfingerprints-at = [\"{SERVER}/32\"]");
    fact_pair("RU-TG-1", PROFILE, &parameters, &["fingerprint"], |pair| {
        let cuts: Vec<usize> = (256..CHROME.len()).step_by(256).collect();
        for (what, hello, cuts, expected) in [
            ("Chrome", CHROME, &[][..], Outcome::Silence),
            ("Chrome in segments of 256", CHROME, &cuts, Outcome::Silence),
            ("Firefox", FIREFOX, &[], Outcome::Answered),
        ] {
            let outcome = cut_exchange(pair, hello, cuts);
            check(outcome == expected, &format!("{what}: {outcome:?}"))?;
        }
        Ok(())
    });
}

/// RU-TG-1: too many SYNs to one proxy's port are dropped, to another port of it they are not, and later they pass again.
#[test]
fn ru_tg_1_syns_are_limited() {
    fact_pair("RU-TG-1", PROFILE, &format!("syn-rate = [\"{SERVER}/32\"]"), &["syn-rate"], |pair| {
        let open = |pair: &mut Pair, port| {
            let connection = pair.connect(port);
            let opened = pair.is_open(connection);
            pair.client.sockets.remove(&connection.port);
            opened
        };
        let opened = (0..14).filter(|_| open(pair, 443)).count();
        check(opened == 10, &format!("{opened} of 14 opened"))?;
        check(open(pair, 8443), "another port")?;
        pair.run(seconds(15));
        check(open(pair, 443), "later again")
    });
}

/// RU-TG-1: media from a listed address are throttled, whatever is said; from another they are not.
#[test]
fn ru_tg_1_media_are_throttled() {
    fact_case("RU-TG-1", PROFILE, &format!("media-prefixes = [\"{SERVER}/32\"]"), &["media-address"], |policy| {
        for (mut pair, is_slow) in [(Pair::new(policy.clone()), true), (elsewhere(policy.clone()), false)] {
            let connection = pair.connect(443);
            pair.client_sends(connection, b"anything");
            for _ in 0..1000 {
                pair.datagram(Inbound, (5000, 443), &[7; 1000]);
                pair.run(Duration::from_millis(20));
            }
            settle(&mut pair);
            let got = pair.client.datagrams.len();
            // 16 kB at once, and 20 seconds at 150 kbit/s.
            let expected = if is_slow { 360..=400 } else { 1000..=1000 };
            check(expected.contains(&got), &format!("{got} of 1000 arrive"))?;
        }
        Ok(())
    });
}

/// RU-MSG-2: a port of a server is blocked; its others are not, nor is that port of another.
#[test]
fn ru_msg_2_one_port() {
    let parameters = format!("ports-drop-at = [\"{SERVER}/32\"]\nports-drop = [22, 5222]");
    fact_case("RU-MSG-2", PROFILE, &parameters, &["ports-drop"], |policy| {
        for (port, expected) in [(5222, false), (22, false), (443, true), (5223, true)] {
            let mut pair = Pair::new(policy.clone());
            let connection = pair.connect(port);
            check(pair.is_open(connection) == expected, &format!("port {port}"))?;
            let mut pair = elsewhere(policy.clone());
            let connection = pair.connect(port);
            check(pair.is_open(connection), "another server")?;
        }
        Ok(())
    });
}

/// RU-CF-1: all of a hoster's addresses are cut, whatever the name and port; and on another day only who offers no TLS 1.3.
#[test]
fn ru_cf_1_a_hoster_is_cut() {
    fact_case("RU-CF-1", PROFILE, "hoster-drop = [\"104.16.0.0/13\"]", &["hoster-drop"], |policy| {
        for (server, expected) in [("104.16.132.229", false), ("104.23.255.255", false), ("104.24.0.1", true)] {
            for port in [80, 443, 8443] {
                let mut pair = Pair::between(policy.clone(), "94.25.168.10", server);
                let connection = pair.connect(port);
                check(pair.is_open(connection) == expected, &format!("{server}:{port}"))?;
            }
        }
        Ok(())
    });
    fact_case("RU-CF-1", PROFILE, &format!("tls12-drop = [\"{SERVER}/32\"]"), &["tls12-drop"], |policy| {
        let mut pair = Pair::new(policy.clone());
        for (hello, expected) in [(GO_TLS12, Outcome::Silence), (WHATSAPP_HELLO, Outcome::Answered)] {
            let connection = pair.connect(443);
            let outcome = pair.exchange(connection, hello, ANSWER);
            check(outcome == expected, &format!("{outcome:?}"))?;
        }
        let mut pair = elsewhere(policy);
        let connection = pair.connect(443);
        check(pair.exchange(connection, GO_TLS12, ANSWER) == Outcome::Answered, "another hoster")
    });
}

/// How many packets of a connection pass, both ways together, when each end sends in turn.
fn pass(pair: &mut Pair, connection: Connection) -> usize {
    for _ in 0..40 {
        pair.server_sends(connection, b"data");
        settle(pair);
    }
    let of = |packets: &[(roadblock_censor::Instant, Vec<u8>)]| {
        let segments = packets.iter().filter_map(|(_, packet)| Incoming::parse(packet));
        let ports = segments.map(|segment| [segment.source.1, segment.destination.1]);
        ports.filter(|ports| ports.contains(&connection.port)).count()
    };
    of(&pair.client.packets) + of(&pair.server.packets)
}

/// RU-L425-1: 25 packets pass, both ways together, then the connection freezes without a word; a new one has as many again.
/// It is so at any port, with and without TLS, and over UDP; to other addresses it is not.
#[test]
fn ru_l425_1_a_connection_freezes() {
    fact_case("RU-L425-1", PROFILE, &format!("l4-25 = [\"{SERVER}/32\"]"), &["l4-25"], |policy| {
        let mut pair = Pair::new(policy.clone());
        for (port, first) in [(443, WHATSAPP_HELLO), (443, b"no TLS"), (5201, b"no TLS"), (443, INSTAGRAM_HELLO)] {
            let connection = pair.connect(port);
            check(pair.is_open(connection), "a new connection opens")?;
            pair.client_sends(connection, first);
            settle(&mut pair);
            let passed = pass(&mut pair, connection);
            check(passed == 25, &format!("port {port}: {passed} packets passed"))?;
        }
        check(pair.client.segments(RST).is_empty() && pair.server.segments(RST).is_empty(), "nobody is reset")?;
        for _ in 0..20 {
            pair.datagram(Outbound, (5000, 5201), b"data");
            pair.datagram(Inbound, (5000, 5201), b"data");
            settle(&mut pair);
        }
        let passed = pair.client.datagrams.len() + pair.server.datagrams.len();
        check(passed == 25, &format!("over UDP {passed} packets passed"))?;

        let mut pair = elsewhere(policy);
        let connection = pair.connect(443);
        check(pass(&mut pair, connection) > 80, "another address")
    });
}

/// RU-L425-2: a name on the list, or below it, keeps its connection from freezing; one that only ends alike does not.
#[test]
fn ru_l425_2_names_that_do_not_freeze() {
    let parameters = format!("l4-25 = [\"{SERVER}/32\"]\nl4-25-exempt = [\"4pda.to\"]");
    fact_pair("RU-L425-2", PROFILE, &parameters, &["l4-25-exempt"], |pair| {
        for (name, is_frozen) in [("4pda.to", false), ("static.4pda.to", false), ("not4pda.to", true)] {
            let connection = pair.connect(443);
            pair.client_sends(connection, &hello_for(name));
            settle(pair);
            check((pass(pair, connection) == 25) == is_frozen, name)?;
        }
        Ok(())
    });
}

/// RU-L425-5: the freeze lies below TLS; a listed name goes before it; SSH freezes too, or does not where that is said.
#[test]
fn ru_l425_5_below_tls() {
    let parameters = format!("l4-25 = [\"{SERVER}/32\"]\nl4-25-exempt = [\"4pda.to\"]");
    for (spares, rules) in [(false, &["l4-25"][..]), (true, &["l4-25", "l4-25-ssh"])] {
        let parameters = format!("{parameters}\nl4-25-spares-ssh = {spares}");
        fact_pair("RU-L425-5", PROFILE, &parameters, rules, |pair| {
            for (what, port, first, is_frozen) in [
                ("iperf", 5201, &[0xf0; 37][..], true),
                ("SSH", 22, SSH, !spares),
                ("a listed name", 443, &hello_for("4pda.to"), false),
            ] {
                let connection = pair.connect(port);
                pair.client_sends(connection, first);
                settle(pair);
                let passed = pass(pair, connection);
                check((passed == 25) == is_frozen, &format!("{what}: {passed} packets passed"))?;
            }
            Ok(())
        });
    }
}

/// TSPU-15: how long the connection is dropped is a parameter.
#[test]
fn tspu_15_for_a_while() {
    const ECH_HELLO: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/chromium-ech-hello.bin");
    let parameters = format!("ech = [\"{SERVER}/32\", \"{ELSEWHERE}/32\"]\nech-last = \"50s\"");
    fact_pair("TSPU-15", PROFILE, &parameters, &["ech"], |pair| {
        let connection = pair.connect(443);
        let since = pair.now;
        check(pair.exchange(connection, ECH_HELLO, ANSWER) == Outcome::Silence, "dropped")?;
        ends_after(pair, connection, since, 50)
    });
}
