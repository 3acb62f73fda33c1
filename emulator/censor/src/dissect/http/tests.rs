use super::*;

const REQUEST: &[u8] = include_bytes!("../../../tests/data/curl-request.bin");
const REQUESTS: &[u8] = include_bytes!("../../../tests/data/curl-requests.bin");
const TO_PROXY: &[u8] = include_bytes!("../../../tests/data/curl-proxy-request.bin");
const HELLO: &[u8] = include_bytes!("../../../tests/data/curl-client-hello.bin");

const PARSERS: [Parser; 3] = [Parser::Exact, Parser::CaseInsensitive, Parser::Tolerant];

fn with(parser: Parser) -> Options {
    Options { parser, ..Options::default() }
}

/// Whether a box that is told nothing more finds the host.
fn finds(stream: &[u8], options: Options) -> Option<bool> {
    let names: crate::NameSet = ["instagram.com".parse().expect("a pattern")].into_iter().collect();
    Stream::new(stream, options).any(|request| {
        // As the machine does: an exact parser has already compared case and dot.
        request.hosts().any(|host| str::from_utf8(host).is_ok_and(|host| names.matches(host)))
    })
}

/// The request of curl with something replaced that is in it.
fn changed(from: &str, to: &str) -> Vec<u8> {
    let text = str::from_utf8(REQUEST).expect("text");
    assert!(text.contains(from), "{from:?}");
    text.replace(from, to).into_bytes()
}

/// What curl sent, to a server and to a proxy.
#[test]
fn reads_real_requests() {
    for parser in PARSERS {
        let request = Stream::new(REQUEST, with(parser)).next().expect("a request");
        assert_eq!((request.method, request.version), (&b"GET"[..], &b"HTTP/1.1"[..]));
        assert_eq!(request.target, b"/search?q=%E6%B3%95%E8%BD%AE");
        assert_eq!((request.start, request.end), (0, Some(REQUEST.len())));
        assert_eq!(request.hosts().collect::<Vec<_>>(), [b"www.instagram.com"]);
        assert_eq!(request.fields().count(), 3);
    }
    let hosts = Stream::new(TO_PROXY, Options::default()).next().map(|request| request.hosts().count());
    assert_eq!(hosts, Some(2), "of the target and of the field");
}

/// GFW-HTTP-1: the first request alone, or each of a connection, behind bodies of both kinds.
#[test]
fn gfw_http_1_first_or_all() {
    let targets = |requests| -> Vec<&[u8]> {
        Stream::new(REQUESTS, Options { requests, ..Options::default() }).map(|request| request.target).collect()
    };
    assert_eq!(targets(Requests::All), [&b"/post"[..], b"/chunked", b"/last"]);
    assert_eq!(targets(Requests::First), [b"/post"]);
    let bodies: Vec<&[u8]> = Stream::new(REQUESTS, Options::default()).map(|request| request.body).collect();
    assert_eq!(bodies, [&b"a=1&b=falun"[..], b"5\r\nchunk\r\n0\r\n\r\n", b""]);
}

/// What evasion tools do to a request (zapret, `GoodbyeDPI`), and which parser is evaded by it: exact, case-insensitive,
/// tolerant.
#[test]
fn weaknesses_of_each_parser() {
    let padded = |length: usize| changed("Host:", &format!("X-Pad: {}\r\nHost:", "a".repeat(length)));
    let cases = [
        ("as it was", REQUEST.to_vec(), [true, true, true]),
        ("hostcase", changed("Host:", "host:"), [false, true, true]),
        ("hoSt", changed("Host:", "hoSt:"), [false, true, true]),
        ("domcase", changed("instagram", "InStAgRaM"), [false, true, true]),
        ("hostnospace", changed("Host: ", "Host:"), [false, false, true]),
        ("two spaces", changed("Host: ", "Host:  "), [false, false, true]),
        ("hosttab", changed(".com\r\n", ".com\t\r\n"), [false, false, true]),
        ("tab in front", changed("Host: ", "Host:\t"), [false, false, true]),
        ("hostdot", changed(".com\r\n", ".com.\r\n"), [false, false, true]),
        ("a port", changed(".com\r\n", ".com:80\r\n"), [false, false, true]),
        ("methodspace", changed("GET ", "GET  "), [false, false, true]),
        ("a tab behind the method", changed("GET ", "GET\t"), [false, false, true]),
        ("methodeol", changed("GET ", "\r\nGET "), [false, false, true]),
        ("unixeol", changed("\r\n", "\n"), [false, false, true]),
        ("hostpad within the limit", padded(16_000), [true, true, true]),
        ("hostpad", padded(17_000), [false, false, false]),
        ("IR-HTTP-2: gET", changed("GET", "gET"), [false, false, true]),
        ("IR-HTTP-2: HTTP", changed("HTTP/1.1", "HTTP"), [false, false, true]),
        ("IR-HTTP-2: 1.1", changed("HTTP/1.1", "1.1"), [false, false, true]),
        ("IR-HTTP-2: example", changed("HTTP/1.1", "example"), [false, false, true]),
        ("IN-2: two hosts", changed("Host:", "Host: ok.example\r\nHost:"), [false, false, true]),
        ("no host but in the target", changed(" /search", " http://www.instagram.com/"), [true, true, true]),
    ];
    for (what, stream, found) in cases {
        let said = PARSERS.map(|parser| finds(&stream, with(parser)) == Some(true));
        assert_eq!(said, found, "{what}");
    }
    let no_field = b"GET http://www.instagram.com/ HTTP/1.1\r\n\r\n";
    assert_eq!(PARSERS.map(|parser| finds(no_field, with(parser)) == Some(true)), [false, false, true]);
}

/// The keep-alive trick: a harmless request first.
#[test]
fn a_later_request_evades_who_reads_the_first() {
    let stream = [b"GET / HTTP/1.1\r\nHost: ok.example\r\n\r\n", REQUEST].concat();
    assert_eq!(finds(&stream, Options::default()), Some(true));
    assert_eq!(finds(&stream, Options { requests: Requests::First, ..Options::default() }), Some(false));
}

/// A name is found as soon as its line is there; that there is none is known when the fields end, and where all requests are
/// read another may come.
#[test]
fn undecided_while_more_could_come() {
    let host_end = "GET /search?q=%E6%B3%95%E8%BD%AE HTTP/1.1\r\nHost: www.instagram.com\r\n".len();
    for parser in PARSERS {
        for len in 0..host_end {
            assert_eq!(finds(&REQUEST[..len], with(parser)), None, "{parser:?}, cut at {len}");
        }
        assert_eq!(finds(&REQUEST[..host_end], with(parser)), Some(true));
        let other = changed("instagram", "example");
        assert_eq!(finds(&other, with(parser)), None, "another request may come");
        let first = Options { requests: Requests::First, ..with(parser) };
        assert_eq!(finds(&other, first), Some(false));
        assert_eq!(finds(&other[..other.len() - 1], first), None);
    }
}

/// What is no HTTP is known at the first byte that cannot be.
#[test]
fn others_are_none() {
    for parser in PARSERS {
        for stream in [HELLO, b"\x00\x1f", b"EHLO example.org\r\n", b"SSH-2.0-OpenSSH_9.2p1 x\r\n"] {
            assert_eq!(finds(stream, with(parser)), Some(false), "{stream:?}");
        }
    }
    assert_eq!(finds(b"\x16", Options::default()), Some(false));
    assert_eq!(finds(b"GETX", with(Parser::Exact)), Some(false));
}

/// IR-HTTP-2: a length that is none, and what comes after it is not read; so behind CONNECT and an upgrade.
#[test]
fn ir_http_2_an_invalid_length_hides_what_follows() {
    let behind = |request: &str| finds(&[request.as_bytes(), REQUEST].concat(), Options::default());
    assert_eq!(behind("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"), Some(true));
    for fields in [
        "Content-Length: x",
        "Content-Length: -1",
        "Content-Length: 1\r\nContent-Length: 0",
        "Upgrade: websocket",
        "Transfer-Encoding: x",
    ] {
        assert_eq!(behind(&format!("POST / HTTP/1.1\r\n{fields}\r\n\r\n")), Some(false), "{fields}");
    }
    assert_eq!(behind("CONNECT ok.example:80 HTTP/1.1\r\n\r\n"), Some(false));
    let inner = "POST / HTTP/1.1\r\nContent-Length: 9999\r\n\r\n";
    assert_eq!(behind(inner), None, "a body is not read for requests");
}

/// GFW-HTTP-1: words in the target, percent-decoded, or in the host; not in other fields, nor in the body. Case is ignored.
#[test]
fn gfw_http_1_keywords() {
    let words = Keywords::new(["法轮".as_bytes(), b"FALUN", &[0xb7, 0xa8, 0xc2, 0xd6]]).expect("keywords");
    let found = |stream: &[u8]| -> Option<Vec<u8>> {
        Stream::new(stream, Options::default()).find_map(|request| words.find_in_request(&request).map(<[u8]>::to_vec))
    };
    assert_eq!(found(REQUEST).as_deref(), Some("法轮".as_bytes()));
    assert_eq!(found(b"GET /%B7%A8%C2%D6 HTTP/1.1\r\n\r\n").as_deref(), Some(&[0xb7, 0xa8, 0xc2, 0xd6][..]), "GB18030");
    assert_eq!(found(b"GET / HTTP/1.1\r\nHost: Falun.example\r\n\r\n").as_deref(), Some(&b"falun"[..]));
    assert_eq!(found(b"GET / HTTP/1.1\r\nCookie: falun\r\nReferer: falun\r\n\r\n"), None);
    assert_eq!(found(REQUESTS), None, "the word is in a body");
    assert_eq!(Keywords::new([""]), Err(KeywordsError::Empty));
}

/// GFW-HTTP-1: only so much of a target is read, and the end of the line is not waited for.
#[test]
fn gfw_http_1_a_long_target_is_cut() {
    let words = Keywords::new(["falun"]).expect("keywords");
    let asked = |before: usize| {
        let target = format!("GET /{}falun", "a".repeat(before));
        let options = Options { limit: 2048, ..Options::default() };
        Stream::new(target.as_bytes(), options).any(|request| words.find_in_request(request).is_some())
    };
    assert_eq!((asked(2038), asked(2039)), (Some(true), Some(false)));
    assert_eq!(asked(2000), None, "the line could go on, and the target with it");
}
