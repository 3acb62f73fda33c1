//! Techniques within HTTP.

use super::{ANSWER, drops_when, request_by, send_all};
use crate::pair::{Outcome, Pair};

fn drops_host(keys: &str) -> Pair {
    Pair::new(drops_when(keys, "http.host = [\"blocked.example\"]"))
}

/// Requests that servers take and plain parsers do not.
#[test]
pub(crate) fn odd_requests() {
    // What it is, the request, and which parsers do not see the host in it: the exact one, or that in any case too.
    let requests = [
        ("hostcase", "GET / HTTP/1.1\r\nhost: blocked.example\r\n\r\n", 1),
        ("hoSt", "GET / HTTP/1.1\r\nhoSt: blocked.example\r\n\r\n", 1),
        ("domcase", "GET / HTTP/1.1\r\nHost: bLoCkEd.ExAmPlE\r\n\r\n", 1),
        ("hostnospace", "GET / HTTP/1.1\r\nHost:blocked.example\r\n\r\n", 2),
        ("hosttab", "GET / HTTP/1.1\r\nHost: blocked.example\t\r\n\r\n", 2),
        ("hostdot", "GET / HTTP/1.1\r\nHost: blocked.example.\r\n\r\n", 2),
        ("methodspace", "GET  / HTTP/1.1\r\nHost: blocked.example\r\n\r\n", 2),
        ("methodeol", "\r\nGET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n", 2),
        ("unixeol", "GET / HTTP/1.1\nHost: blocked.example\n\n", 2),
    ];
    for (what, request, fooled) in requests {
        for (number, parser) in ["exact", "case-insensitive", "tolerant"].into_iter().enumerate() {
            let pair = drops_host(&format!("http.parser = \"{parser}\""));
            let expected = if number < fooled { Outcome::Answered } else { Outcome::Silence };
            assert_eq!(request_by(pair, request.as_bytes(), send_all), expected, "{what}, {parser}");
        }
    }
    for parser in ["exact", "case-insensitive", "tolerant"] {
        let pair = drops_host(&format!("http.parser = \"{parser}\""));
        let plain = b"GET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n";
        assert_eq!(request_by(pair, plain, send_all), Outcome::Silence, "{parser}");
    }
}

/// hostpad: so many headers in front that the box does not look so far.
#[test]
pub(crate) fn padding() {
    let padding = format!("Padding: {}\r\n", "x".repeat(1100));
    let request = format!("GET / HTTP/1.1\r\n{padding}Host: blocked.example\r\n\r\n");
    for (limit, expected) in [("1KB", Outcome::Answered), ("16KB", Outcome::Silence)] {
        let pair = drops_host(&format!("tcp.reassembly = \"full\"\nhttp.limit = \"{limit}\""));
        assert_eq!(request_by(pair, request.as_bytes(), send_all), expected, "{limit}");
    }
}

/// GoodbyeDPI -k: the blocked request is the second of its connection.
#[test]
pub(crate) fn second_request() {
    for (requests, expected) in [("first", Outcome::Answered), ("all", Outcome::Silence)] {
        let mut pair = drops_host(&format!("tcp.reassembly = \"full\"\nhttp.requests = \"{requests}\""));
        let connection = pair.connect(80);
        let first = b"GET / HTTP/1.1\r\nHost: other.example\r\n\r\n";
        assert_eq!(pair.exchange(connection, first, ANSWER), Outcome::Answered);
        let second = b"GET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n";
        assert_eq!(pair.exchange(connection, second, ANSWER), expected, "{requests}");
    }
}
