//! What a censor reads in HTTP, asked of the whole machine.

use crate::support::*;
use roadblock_censor::Verdict;
use roadblock_censor::dissect::http::{Keywords, Options, Parser, Requests};
use roadblock_censor::policy::{
    BoxPolicy, Condition, Content, Fate, HttpQuestion, Reassembly, ResponseQuestion, Rule, TcpPolicy,
};

const REQUEST: &[u8] = include_bytes!("../data/curl-request.bin");
const REQUESTS: &[u8] = include_bytes!("../data/curl-requests.bin");
const HARMLESS: &[u8] = b"GET / HTTP/1.1\r\nHost: ok.example\r\n\r\n";

fn http(question: HttpQuestion) -> Condition {
    Condition::Content(Content::Http(question))
}

fn host() -> Condition {
    http(HttpQuestion::Host(names(&["instagram.com"])))
}

fn words(words: &[&str]) -> Keywords {
    Keywords::new(words).expect("keywords")
}

/// A box that drops the packet in which this holds, and reads so.
fn dropping(when: Condition, options: Options, reassembly: Reassembly) -> BoxPolicy {
    let mut each = in_path(vec![Rule { trigger: fate(Fate::Drop), ..rule("http", when) }]);
    each.reads.http = options;
    each.tcp = TcpPolicy { reassembly, ..TcpPolicy::default() };
    each
}

/// Which of the client's segments on one connection are dropped.
fn dropped(each: BoxPolicy, segments: &[&[u8]]) -> Vec<bool> {
    let mut world = World::new(policy([each]));
    let mut connection = Connection { server: ([157, 240, 1, 60].into(), 80), ..Connection::new(4000) };
    world.open(&mut connection);
    let sent = segments.iter().map(|payload| {
        let segment = connection.segment(Outbound, DATA, payload);
        world.send(Outbound, &segment) == Verdict::Drop
    });
    sent.collect()
}

fn with(parser: Parser) -> Options {
    Options { parser, ..Options::default() }
}

/// The request of curl with something replaced that is in it.
fn changed(from: &str, to: &str) -> Vec<u8> {
    let text = str::from_utf8(REQUEST).expect("text");
    assert!(text.contains(from), "{from:?}");
    text.replace(from, to).into_bytes()
}

/// IR-HTTP-1, IR-HTTP-2: an exact parser drops a request for a listed host, and passes what its strict form leaves out; a
/// tolerant one drops all of it. Requests are told in one segment, and in many where they are put together.
#[test]
fn ir_http_2_gaps_of_an_exact_parser() {
    for (what, request, exact) in [
        ("as curl sent it", REQUEST.to_vec(), true),
        ("IR-HTTP-2: gET", changed("GET", "gET"), false),
        ("IR-HTTP-2: an odd version", changed("HTTP/1.1", "example"), false),
        ("case", changed("instagram", "Instagram"), false),
        ("a dot", changed(".com\r\n", ".com.\r\n"), false),
    ] {
        let drops = |parser, reassembly, segments: &[&[u8]]| {
            dropped(dropping(host(), with(parser), reassembly), segments).contains(&true)
        };
        let bytes: Vec<&[u8]> = request.chunks(7).collect();
        for reassembly in [Reassembly::None, Reassembly::InOrder, Reassembly::Full] {
            assert_eq!(drops(Parser::Exact, reassembly, &[&request]), exact, "{what}, {reassembly:?}");
            assert!(drops(Parser::Tolerant, reassembly, &[&request]), "{what}, {reassembly:?}");
        }
        assert_eq!(drops(Parser::Exact, Reassembly::Full, &bytes), exact, "{what}, in pieces");
        assert!(drops(Parser::Tolerant, Reassembly::Full, &bytes), "{what}, in pieces");
        assert!(!drops(Parser::Tolerant, Reassembly::None, &bytes), "{what}, in pieces that nobody puts together");
    }
}

/// A request is judged in the packets that carry it: not in those that come after it.
#[test]
fn a_request_is_judged_once() {
    let other = changed("instagram", "example");
    let all = |segments: &[&[u8]], when| dropped(dropping(when, Options::default(), Reassembly::Full), segments);
    assert_eq!(all(&[REQUEST, HARMLESS], host()), [true, false]);
    assert_eq!(all(&[HARMLESS, &other, REQUEST], host()), [false, false, true]);
    let (head, tail) = REQUEST.split_at(70);
    assert_eq!(
        all(&[head, tail], host()),
        [true, true],
        "the host is in the first part, and the second is of the same"
    );
    assert_eq!(all(&[&REQUEST[..50], &REQUEST[50..]], host()), [false, true]);
}

/// GFW-HTTP-1: a second request is not the first, also where another rule has the box read on.
#[test]
fn gfw_http_1_the_first_is_the_first_whatever_else_is_read() {
    let first = Options { requests: Requests::First, ..Options::default() };
    let mut each = dropping(host(), first, Reassembly::None);
    each.rules.insert(0, rule("other", sni(&["other.example"])));
    let on_port_80 =
        Condition::All(vec![Condition::sni(names(&["other.example"])), Condition::ServerPort([80].into())]);
    each.rules.insert(0, rule("another", on_port_80));
    assert_eq!(dropped(each.clone(), &[HARMLESS, REQUEST]), [false, false]);
    assert_eq!(dropped(each, &[REQUEST, REQUEST]), [true, false]);
}

/// GFW-HTTP-1: the first request of a connection alone is read, or each.
#[test]
fn gfw_http_1_first_request_or_all() {
    for reassembly in [Reassembly::None, Reassembly::Full] {
        let drops = |requests, segments: &[&[u8]]| {
            dropped(dropping(host(), Options { requests, ..Options::default() }, reassembly), segments)
        };
        assert_eq!(drops(Requests::First, &[HARMLESS, REQUEST]), [false, false], "{reassembly:?}");
        assert_eq!(drops(Requests::First, &[REQUEST]), [true], "{reassembly:?}");
        assert_eq!(drops(Requests::All, &[HARMLESS, REQUEST]), [false, true], "{reassembly:?}");
        let pipelined = [HARMLESS, REQUEST].concat();
        assert_eq!(drops(Requests::First, &[&pipelined]), [false], "{reassembly:?}");
        assert_eq!(drops(Requests::All, &[&pipelined]), [true], "{reassembly:?}");
    }
}

/// A box that reads all requests goes on for as long as each fits what it keeps; one that reads the first does not. What was
/// dropped is dropped again when it is sent again.
#[test]
fn requests_are_read_for_as_long_as_a_connection_lasts() {
    let mut segments = vec![HARMLESS; 2000];
    segments.push(REQUEST);
    let drops =
        |requests| dropped(dropping(host(), Options { requests, ..Options::default() }, Reassembly::Full), &segments);
    assert_eq!(drops(Requests::All).iter().position(|is_dropped| *is_dropped), Some(2000));
    assert_eq!(drops(Requests::First).iter().position(|is_dropped| *is_dropped), None);
    let mut world = World::new(policy([dropping(host(), Options::default(), Reassembly::Full)]));
    let mut connection = Connection { server: ([157, 240, 1, 60].into(), 80), ..Connection::new(4000) };
    world.open(&mut connection);
    let harmless = connection.segment(Outbound, DATA, HARMLESS);
    assert_eq!(world.send(Outbound, &harmless), Verdict::Pass);
    let request = connection.segment(Outbound, DATA, REQUEST);
    for _ in 0..5 {
        assert_eq!(world.send(Outbound, &request), Verdict::Drop);
    }
}

/// GFW-HTTP-1: a word in the target or the host triggers, percent-encoded too; in another field or the body it does not.
#[test]
fn gfw_http_1_keyword_in_target_or_host() {
    let drops = |request: &[u8]| {
        let when = http(HttpQuestion::Keyword(words(&["法轮", "falun"])));
        dropped(dropping(when, with(Parser::CaseInsensitive), Reassembly::Full), &[request])[0]
    };
    assert!(drops(REQUEST), "percent-encoded in the target");
    assert!(drops(b"GET / HTTP/1.1\r\nHost: www.falun.example\r\n\r\n"));
    assert!(!drops(b"GET / HTTP/1.1\r\nHost: a.example\r\nCookie: falun\r\n\r\n"));
    assert!(!drops(REQUESTS), "in a body");
    let body = http(HttpQuestion::Body(words(&["falun"])));
    assert_eq!(dropped(dropping(body, Options::default(), Reassembly::Full), &[REQUESTS]), [true]);
}

/// Methods, targets, and that there is a request at all; a host that is not listed, and a stream that is no HTTP.
#[test]
fn methods_targets_and_others() {
    let drops = |when, payload: &[u8]| dropped(dropping(when, Options::default(), Reassembly::Full), &[payload])[0];
    let method = |method: &str| http(HttpQuestion::Method(vec![method.to_owned()]));
    assert!(drops(method("GET"), REQUEST) && !drops(method("POST"), REQUEST));
    let target = |word| http(HttpQuestion::Target(words(&[word])));
    assert!(drops(target("/search?"), REQUEST) && !drops(target("instagram"), REQUEST));
    assert!(drops(http(HttpQuestion::Request), REQUEST) && !drops(http(HttpQuestion::Request), INSTAGRAM_HELLO));
    let unlisted = || Condition::All(vec![http(HttpQuestion::Request), not(host())]);
    assert!(drops(unlisted(), HARMLESS) && !drops(unlisted(), REQUEST) && !drops(unlisted(), INSTAGRAM_HELLO));
    assert!(!drops(unlisted(), &REQUEST[..50]), "its host is still to come");
}

/// The answer of the server: the 302 of `--wsize`, its place, what stands in it; put together or not.
#[test]
fn answers_of_the_server() {
    let answer = b"HTTP/1.1 302 Found\r\nLocation: http://lawfilter.example/x\r\n\r\nblocked";
    let drops = |question: ResponseQuestion, pieces: usize| {
        let each = dropping(http(HttpQuestion::Response(question)), Options::default(), Reassembly::Full);
        let mut world = World::new(policy([each]));
        let mut connection = Connection { server: ([157, 240, 1, 60].into(), 80), ..Connection::new(4000) };
        for (direction, flags) in [(Outbound, SYN), (Inbound, SYN_ACK), (Outbound, ACK)] {
            let segment = connection.segment(direction, flags, &[]);
            world.send(direction, &segment);
        }
        let request = connection.segment(Outbound, DATA, REQUEST);
        world.send(Outbound, &request);
        let mut sent = answer.chunks(answer.len().div_ceil(pieces));
        sent.any(|piece| {
            let segment = connection.segment(Inbound, DATA, piece);
            world.send(Inbound, &segment) == Verdict::Drop
        })
    };
    let status = |status| ResponseQuestion { status: Some(status), ..ResponseQuestion::default() };
    let location = |word| ResponseQuestion { location: Some(words(&[word])), ..status(300..=399) };
    let contains = |word| ResponseQuestion { contains: Some(words(&[word])), ..ResponseQuestion::default() };
    for pieces in [1, 3, 9] {
        assert!(drops(status(302..=302), pieces) && !drops(status(200..=299), pieces), "{pieces} pieces");
        assert!(drops(location("lawfilter"), pieces) && !drops(location("other"), pieces), "{pieces} pieces");
        assert!(drops(contains("blocked"), pieces) && !drops(contains("other"), pieces), "{pieces} pieces");
    }
}
