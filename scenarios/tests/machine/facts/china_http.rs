//! China: keywords in HTTP, and the resets that follow (`censors/gfw`).

use super::china::{ANSWER, PROFILE, request, resets, resets_after, seconds, settle};
use crate::pair::case::{check, fact_pair, profile};
use crate::pair::craft::{ACK, RST, SYN, Segment};
use crate::pair::{Incoming, Outbound, Outcome, Pair, State};

const ALWAYS: &str = "http-keywords = [\"falun\", \"法轮\"]\nhttp-chance = 1.0";
/// Three requests of curl's on one connection; the first one's body has the word falun in it.
const REQUESTS: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/curl-requests.bin");

/// GFW-HTTP-1: a word in the target, as sent or percent-decoded, or in the host, at any port.
#[test]
fn gfw_http_1_target_and_host_at_any_port() {
    fact_pair("GFW-HTTP-1", PROFILE, ALWAYS, &["http-keyword"], |pair| {
        let listed = [
            (80, request("/?falun", "ok.example")),
            (8080, request("/falun/index.html", "ok.example")),
            (1, request("/", "falun.example")),
            (65_535, request("/search?q=%E6%B3%95%E8%BD%AE", "ok.example")),
            (81, request("/?f%61lun", "ok.example")),
        ];
        for (port, bytes) in listed {
            let connection = pair.connect(port);
            let outcome = pair.exchange(connection, &bytes, ANSWER);
            check(outcome == Outcome::Reset, &format!("{port}: {outcome:?}"))?;
            check(
                pair.server.segments(0xff).iter().any(|segment| segment.payload == bytes),
                "the request is delivered all the same",
            )?;
        }
        Ok(())
    });
}

/// GFW-HTTP-1: other fields, cookies, bodies, later requests of a connection and what is further than 2048 bytes are not looked
/// at.
#[test]
fn gfw_http_1_nothing_else_counts() {
    let mut pair = Pair::new(profile(PROFILE, ALWAYS));
    let with_field = |field: &str| {
        let text = String::from_utf8(request("/", "ok.example")).expect("text");
        text.replace("Accept: */*", field).into_bytes()
    };
    let long = |bytes: usize| request(&format!("/?{}falun", "a".repeat(bytes)), "ok.example");
    let pipelined = [request("/", "ok.example"), request("/falun", "ok.example")].concat();
    for (what, bytes) in [
        ("another path", request("/", "ok.example")),
        ("a cookie", with_field("Cookie: falun=1")),
        ("another field", with_field("Referer: http://falun.example/")),
        ("a body", REQUESTS.to_vec()),
        ("a later request", pipelined),
        ("beyond 2048 bytes", long(2048)),
    ] {
        assert_eq!(resets_after(&mut pair, 80, &bytes), 0, "{what}");
    }
    let connection = pair.connect(80);
    for (target, count) in [("/", 0), ("/falun", 0)] {
        pair.client_sends(connection, &request(target, "ok.example"));
        settle(&mut pair);
        assert_eq!(pair.client.segments(RST).len(), count, "in a request of its own, but not the first: {target}");
    }
    assert!(resets_after(&mut pair, 80, &long(1000)) > 0, "and within them it is");
}

/// GFW-HTTP-1: three requests of four are reset.
#[test]
fn gfw_http_1_three_of_four() {
    fact_pair("GFW-HTTP-1", PROFILE, "http-keywords = [\"falun\"]", &["http-keyword"], |pair| {
        let hit = (1..=400).filter(|port| resets_after(pair, *port, &request("/falun", "ok.example")) > 0).count();
        check((272..=328).contains(&hit), &format!("{hit} of 400"))
    });
}

/// GFW-HTTP-1: the second list counts where the request has the word search too.
#[test]
fn gfw_http_1_search() {
    let parameters = "http-search-keywords = [\"tank\"]\nhttp-chance = 1.0";
    fact_pair("GFW-HTTP-1", PROFILE, parameters, &["http-search"], |pair| {
        for (target, is_reset) in [("/?tank", false), ("/search?q=tank", true), ("/search?q=tea", false)] {
            let hit = resets_after(pair, 80, &request(target, "ok.example")) > 0;
            check(hit == is_reset, &format!("{target}: {hit}"))?;
        }
        Ok(())
    });
}

/// GFW-HTTP-2: one RST without ACK, and three RST/ACKs at X, X + 1460 and X + 4380, whose TTL and window go up by one from one
/// to the next; the same to both ends. All have 40 bytes, 54 with Ethernet's. What the client sends later brings them again.
#[test]
fn gfw_http_2_two_types_of_resets() {
    fact_pair("GFW-HTTP-2", PROFILE, ALWAYS, &["http-keyword"], |pair| {
        let connection = pair.connect(80);
        let first = request("/?falun", "ok.example");
        pair.client_sends(connection, &first);
        settle(pair);
        let client = pair.at_client(connection);
        let expected =
            [pair.at_server(connection).ok_or("no server")?.first_sequence.wrapping_add(1), client.next_sequence];
        for (packets, expected) in [&pair.client.packets, &pair.server.packets].into_iter().zip(expected) {
            let all = resets(packets);
            let (one, three): (Vec<_>, Vec<_>) = all.iter().partition(|(segment, _)| !segment.has(ACK));
            check(one.len() == 1 && three.len() == 3, &format!("{} and {}", one.len(), three.len()))?;
            check(one[0].0.sequence == expected, "the first type's number")?;
            let numbers: Vec<u32> = three.iter().map(|(segment, _)| segment.sequence.wrapping_sub(expected)).collect();
            check(numbers == [0, 1460, 4380], &format!("the second type's numbers: {numbers:?}"))?;
            let goes_up = |number: fn(&(Incoming, Vec<u8>)) -> u16| {
                let numbers: Vec<u16> = three.iter().map(|each| number(each)).collect();
                numbers.windows(2).all(|two| two[1] == two[0] + 1)
            };
            check(goes_up(|(_, packet)| u16::from(packet[8])), "TTLs go up")?;
            check(goes_up(|(segment, _)| segment.window), "windows go up")?;
            check(all.iter().all(|(_, packet)| packet.len() == 40), "40 bytes each")?;
        }
        let lone: Vec<(u8, u16)> = (81..101)
            .flat_map(|port| {
                let before = resets(&pair.client.packets).len();
                resets_after(pair, port, &first);
                resets(&pair.client.packets)[before..]
                    .iter()
                    .take(1)
                    .map(|(seg, ip)| (ip[8], seg.window))
                    .collect::<Vec<_>>()
            })
            .collect();
        let follows = |two: &[(u8, u16)]| two[1].0 == two[0].0.wrapping_add(1) || two[1].1 == two[0].1.wrapping_add(1);
        check(lone.windows(2).filter(|two| follows(two)).count() < 5, "the first type's TTL and window are any")?;

        let before = resets(&pair.client.packets).len();
        let more = Segment { flags: ACK, payload: b"more".to_vec(), ..pair.segment(connection) };
        pair.send(Outbound, more.bytes());
        settle(pair);
        check(resets(&pair.client.packets).len() == before + 4, "later data bring them again")
    });
}

/// GFW-HTTP-3: for 90 seconds a SYN to the same port of the same server is answered with a SYN/ACK whose number is wrong, so
/// that the connection fails, and data with resets. Other ports and other servers are left alone.
#[test]
fn gfw_http_3_forged_handshakes_for_90_seconds() {
    let parameters = format!("{ALWAYS}\nhttp-hits = 1.0");
    fact_pair("GFW-HTTP-3", PROFILE, &parameters, &["http-keyword"], |pair| {
        check(resets_after(pair, 80, &request("/?falun", "ok.example")) > 0, "reset")?;
        let began = pair.now;
        for after in [10, 89] {
            pair.run(began + seconds(after) - pair.now);
            let count = pair.client.segments(SYN).len();
            let connection = pair.connect(80);
            let answers = &pair.client.segments(SYN)[count..];
            let own = pair.at_server(connection).ok_or("the SYN arrives all the same")?.first_sequence;
            check(answers[0].has(ACK) && answers[0].sequence != own, &format!("{after} s: a wrong number"))?;
            check(
                answers[0].acknowledgement == pair.at_client(connection).first_sequence.wrapping_add(1),
                "of this SYN",
            )?;
            check(!pair.is_open(connection), &format!("{after} s: the connection fails"))?;
            check(pair.at_client(connection).state == State::Closed, "and is reset")?;
            let other = pair.connect(8080);
            let outcome = pair.exchange(other, &request("/", "ok.example"), ANSWER);
            check(outcome == Outcome::Answered, &format!("another port: {outcome:?}"))?;
            let elsewhere = ("198.51.100.7".parse().expect("an address"), 80);
            let count = pair.client.packets.len();
            let segment = Segment { destination: elsewhere, flags: SYN, acknowledgement: 0, ..pair.segment(other) };
            pair.send(Outbound, segment.bytes());
            settle(pair);
            let from_there =
                |(_, packet): &(_, Vec<u8>)| Incoming::parse(packet).filter(|each| each.source == elsewhere);
            let came: Vec<_> = pair.client.packets[count..].iter().filter_map(from_there).collect();
            check(came.iter().all(|each| each.sequence == own), "another server")?;
        }
        pair.run(began + seconds(91) - pair.now);
        let connection = pair.connect(80);
        check(pair.exchange(connection, &request("/", "ok.example"), ANSWER) == Outcome::Answered, "over after 90 s")
    });
}

/// GFW-HTTP-3: half to three quarters of the later connections are hit.
#[test]
fn gfw_http_3_some_are_spared() {
    fact_pair("GFW-HTTP-3", PROFILE, ALWAYS, &["http-keyword"], |pair| {
        check(resets_after(pair, 80, &request("/?falun", "ok.example")) > 0, "reset")?;
        let open = (0..200).filter(|_| {
            let connection = pair.connect(80);
            pair.is_open(connection)
        });
        let hit = 200 - open.count();
        check((100..=150).contains(&hit), &format!("{hit} of 200"))
    });
}

/// GFW-RST-CLASSIC: three resets each way, at what is expected next, and 1460 and 4380 further.
#[test]
fn gfw_rst_classic_three_each_way() {
    fact_pair("GFW-RST-CLASSIC", PROFILE, "classic-keywords = [\"falun\"]", &["http-classic"], |pair| {
        let connection = pair.connect(80);
        pair.client_sends(connection, &request("/?falun", "ok.example"));
        settle(pair);
        let server = pair.at_server(connection).ok_or("no server")?.first_sequence.wrapping_add(1);
        let expected = [server, pair.at_client(connection).next_sequence];
        for (packets, expected) in [&pair.client.packets, &pair.server.packets].into_iter().zip(expected) {
            let all = resets(packets);
            let numbers: Vec<u32> = all.iter().map(|(segment, _)| segment.sequence.wrapping_sub(expected)).collect();
            check(numbers == [0, 1460, 4380], &format!("{numbers:?}"))?;
            check(all.iter().all(|(segment, _)| !segment.has(ACK)), "without ACK")?;
        }
        Ok(())
    });
}
