//! Two censors that nobody has met, written from `docs/censor.md` alone: what they say is what they do.

use core::time::Duration;
use std::path::Path;

use roadblock_censor::{Censor, Policy};
use roadblock_scenarios::Library;

use crate::facts::{INSTAGRAM_HELLO, INSTAGRAM_QUERY, WHATSAPP_HELLO};
use crate::pair::craft::{FIN, RST};
use crate::pair::{Outbound, Outcome, Pair, SERVER};

/// An example with its parameters set, and without one of its rules if one is named.
fn example(name: &str, parameters: &str, without: Option<&str>) -> Policy {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
    let profile = Library::embedded().profile(path.to_str().expect("a plain path"), parameters);
    let mut policy = profile.unwrap_or_else(|mistakes| panic!("{mistakes}")).policy;
    for each in &mut policy.boxes {
        each.rules.retain(|rule| without.is_none_or(|without| *rule.id != *without));
    }
    policy
}

fn patience(without: Option<&str>) -> Pair {
    Pair::new(example("patience.toml", "names = [\"whatsapp.com\"]", without))
}

const ANSWER: &[u8] = b"a ServerHello and more";

/// How an exchange on a new connection to a port goes.
fn new_exchange(pair: &mut Pair, port: u16, request: &[u8]) -> Outcome {
    let connection = pair.connect(port);
    pair.exchange(connection, request, ANSWER)
}

#[test]
fn patience_lets_two_connections_through_and_then_turns_its_back_on_the_client() {
    let mut pair = patience(None);
    let went: Vec<Outcome> = (0..3).map(|_| new_exchange(&mut pair, 443, WHATSAPP_HELLO)).collect();
    assert_eq!(went, [Outcome::Answered, Outcome::Answered, Outcome::Reset]);
    let other = pair.connect(8443);
    assert!(!pair.is_open(other), "another port of TLS, and another name");
    assert_eq!(new_exchange(&mut pair, 80, b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"), Outcome::Answered);
    // The client's own retransmissions keep the punishment alive; when it gives up, it ends.
    pair.run(Duration::from_secs(400));
    assert_eq!(new_exchange(&mut pair, 443, INSTAGRAM_HELLO), Outcome::Answered);
    let mut without = patience(Some("enough"));
    let went: Vec<Outcome> = (0..4).map(|_| new_exchange(&mut without, 443, WHATSAPP_HELLO)).collect();
    assert_eq!(went, [Outcome::Answered; 4]);
}

#[test]
fn patience_tells_a_reader_off_with_a_page() {
    let request = b"GET /day HTTP/1.1\r\nhOST: www.WhatsApp.com\r\n\r\n";
    let mut pair = patience(None);
    assert_eq!(new_exchange(&mut pair, 80, request), Outcome::Answered);
    assert_eq!(new_exchange(&mut pair, 80, request), Outcome::Answered);
    let third = pair.connect(80);
    pair.client_sends(third, request);
    pair.run(Duration::from_millis(100));
    let page = String::from_utf8(pair.at_client(third).stream()).expect("text");
    assert!(page.starts_with("HTTP/1.1 451 Unavailable For Legal Reasons\r\n"), "{page}");
    assert!(page.ends_with("<h1>Enough for today</h1>\n"), "{page}");
    let server = pair.server.segments(RST);
    let windows: Vec<u16> = server.iter().map(|segment| segment.window).collect();
    assert_eq!(windows, [1000, 1001], "one reset for each place, each with its own window");
    assert!(pair.at_server(third).is_none_or(|socket| socket.stream().is_empty()), "the request never arrives");
}

#[test]
fn patience_spoils_the_banner_of_ssh() {
    for (without, arrives) in [(None, b"SSH-!!!-tests\r\n"), (Some("spoiled"), b"SSH-2.0-tests\r\n")] {
        let mut pair = patience(without);
        let connection = pair.connect(22);
        pair.client_sends(connection, b"SSH-2.0-tests\r\n");
        pair.run(Duration::from_millis(100));
        assert_eq!(pair.at_server(connection).expect("a connection").stream(), arrives);
    }
}

#[test]
fn patience_is_slow_in_the_evening() {
    let page = vec![b'x'; 12_000];
    for (hour, at_once) in [(12, true), (20, false), (23, true)] {
        let mut pair = patience(None);
        let midnight = Duration::from_secs(hour * 3600);
        pair.censor = Censor::new(example("patience.toml", "names = []", None), 1).with_midnight(midnight);
        let connection = pair.connect(80);
        pair.server_sends(connection, &page);
        pair.run(Duration::from_millis(400));
        assert_eq!(pair.at_client(connection).stream().len() == page.len(), at_once, "at {hour}");
        pair.run(Duration::from_secs(10));
        assert_eq!(pair.at_client(connection).stream().len(), page.len(), "at {hour} all of it comes in the end");
    }
}

fn echo(client: &str, often: &str, without: Option<&str>) -> Pair {
    let parameters =
        format!("words = [\"forbidden\"]\nlies = [\"192.0.2.7\"]\nresolvers = [\"{SERVER}/32\"]\noften = {often}");
    Pair::between(example("echo.toml", &parameters, without), client, SERVER)
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
const PAGE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nThis is FORBIDDEN.\r\n";

/// Clients of whom some meet the one box and some the other.
fn clients() -> Vec<String> {
    (1..=40).map(|number| format!("94.25.168.{number}")).collect()
}

#[test]
fn echo_divides_the_clients_and_each_box_speaks_in_its_own_way() {
    let mut by_box = [0, 0];
    for client in clients() {
        let mut pair = echo(&client, "0.0", None);
        let connection = pair.connect(80);
        pair.client_sends(connection, REQUEST);
        pair.run(Duration::from_millis(100));
        pair.server_sends(connection, PAGE);
        pair.run(Duration::from_millis(100));
        assert!(pair.client.packets.iter().any(|(_, packet)| packet.ends_with(PAGE)), "nothing is held back");
        let story = pair.story();
        let even = story.iter().any(|line| line == "censor.even/finished Injected");
        let odd = story.iter().any(|line| line == "censor.odd/finished-too Injected");
        assert!(even != odd, "{client}: {story:?}");
        by_box[usize::from(odd)] += 1;
        let (fins, resets) = (pair.client.segments(FIN).len(), pair.client.segments(RST).len());
        assert_eq!((fins, resets), if even { (1, 1) } else { (0, 2) }, "{client}");
    }
    assert!(by_box.iter().all(|count| *count >= 10), "{by_box:?}");
}

#[test]
fn echo_answers_handshakes_for_a_server_that_has_said_a_word() {
    let with_even = clients().into_iter().filter(|client| {
        let mut pair = echo(client, "0.0", None);
        speak(&mut pair);
        pair.story().iter().any(|line| line.starts_with("censor.even/"))
    });
    let client = with_even.into_iter().next().expect("some client meets the even box");
    for (often, without, forged) in [("1.0", None, true), ("0.0", None, false), ("1.0", Some("finished"), false)] {
        let mut pair = echo(&client, often, without);
        speak(&mut pair);
        let early = pair.connect(80);
        assert!(pair.is_open(early), "not within the first second");
        pair.run(Duration::from_secs(2));
        let connection = pair.connect(80);
        assert_eq!(pair.exchange(connection, REQUEST, b"ok") != Outcome::Answered, forged, "{often} {without:?}");
        let other = pair.connect(8080);
        assert_eq!(pair.exchange(other, REQUEST, b"ok"), Outcome::Answered, "another port");
        pair.run(Duration::from_secs(150));
        let late = pair.connect(80);
        assert_eq!(pair.exchange(late, REQUEST, b"ok"), Outcome::Answered, "two minutes later");
    }
}

/// Lets the server say what is listed.
fn speak(pair: &mut Pair) {
    let connection = pair.connect(80);
    pair.client_sends(connection, REQUEST);
    pair.run(Duration::from_millis(100));
    pair.server_sends(connection, PAGE);
    pair.run(Duration::from_millis(100));
}

#[test]
fn echo_tells_the_same_lie_for_the_same_flow_and_an_error_besides() {
    let mut talked = 0;
    for client in clients() {
        for (without, lies) in [(None, true), (Some("talked-over"), false)] {
            let mut pair = echo(&client, "0.0", without);
            pair.datagram(Outbound, (5353, 53), INSTAGRAM_QUERY);
            pair.run(Duration::from_millis(200));
            let story = pair.story();
            let even = story.contains(&"censor.even/talked-over Injected".to_owned());
            assert!(lies || !even, "{story:?}");
            let forged = pair.client.datagrams.iter().filter(|(from, _, _)| *from == 53).count();
            assert_eq!(forged, usize::from(even), "{client}");
            let errors = pair.client.packets.iter().filter(|(_, packet)| packet[9] == 1).count();
            assert_eq!(errors, usize::from(even), "{client}");
            talked += usize::from(even);
        }
    }
    assert!(talked >= 2, "{talked}");
}
