//! The rule on made-up measurements: what the QA scenarios do not show, and where it must keep silent.

use std::net::IpAddr;

use proptest::prelude::*;

use super::super::binary::MaybeBinary;
use super::super::control::{ControlDns, ControlHttp, ControlResponse, ControlTcp, ControlTls};
use super::super::dns::{Answer, Query};
use super::super::http::{Header, Request, Response, Transaction};
use super::super::occasion::Occasion;
use super::super::tcp::{TcpConnect, TcpStatus};
use super::super::tls::TlsHandshake;
use super::super::web_keys::Blocking;
use super::*;

const HOST: &str = "www.example.com";
const TRUE: &str = "93.184.216.34";
const OTHER: &str = "83.224.65.41";

fn some(failure: &str) -> Option<String> {
    (!failure.is_empty()).then(|| failure.to_owned())
}

fn lookup(transaction: i64, engine: &str, result: Result<&str, &str>) -> Query {
    let answer = |address: &str| Answer {
        answer_type: "A".to_owned(),
        ipv4: Some(address.parse().expect("an address")),
        ..Answer::default()
    };
    Query {
        answers: result.ok().map(answer).into_iter().collect(),
        engine: some(engine),
        failure: result.err().and_then(some),
        hostname: HOST.to_owned(),
        query_type: "A".to_owned(),
        occasion: Occasion { tags: vec![depth_tag(0)], transaction_id: Some(transaction), ..Occasion::default() },
        ..Query::default()
    }
}

/// An endpoint that got so far: how TCP, TLS and HTTP ended; where `None`, it was not tried.
fn endpoint(met: &mut TestKeys, transaction: i64, address: &str, fates: [Option<&str>; 3], body: &str) {
    let [tcp, tls, http] = fates;
    let tags = vec![depth_tag(0), fetch_tag(true)];
    let occasion = Occasion { tags: tags.clone(), transaction_id: Some(transaction), ..Occasion::default() };
    let port = if tls.is_some() { 443 } else { 80 };
    let failure = tcp.and_then(some);
    met.tcp_connect.push(TcpConnect {
        ip: address.parse().expect("an address"),
        port,
        status: TcpStatus { blocked: None, success: failure.is_none(), failure },
        occasion: occasion.clone(),
    });
    let transaction_id = Some(transaction);
    if let Some(tls) = tls {
        let server_name = Some(HOST.to_owned());
        let address = Some(format!("{address}:{port}"));
        met.tls_handshakes.push(TlsHandshake {
            address,
            failure: some(tls),
            server_name,
            occasion,
            ..TlsHandshake::default()
        });
    }
    if let Some(http) = http {
        let scheme = if tls.is_some() { "https" } else { "http" };
        met.requests.push(Transaction {
            failure: some(http),
            request: Request { url: format!("{scheme}://{HOST}/"), ..Request::default() },
            response: Response {
                body: MaybeBinary::from(body),
                code: 200,
                headers_list: vec![Header(MaybeBinary::from("Content-Length"), MaybeBinary::from("1"))],
                ..Response::default()
            },
            tags,
            transaction_id,
            ..Transaction::default()
        });
    }
}

fn control() -> ControlResponse {
    let ok = |port: u16| (format!("{TRUE}:{port}"), ControlTcp { status: true, failure: None });
    ControlResponse {
        tcp_connect: [ok(80), ok(443)].into(),
        tls_handshake: [(
            format!("{TRUE}:443"),
            ControlTls { server_name: HOST.to_owned(), status: true, failure: None },
        )]
        .into(),
        http_request: ControlHttp {
            body_length: 40,
            failure: None,
            title: "Default Web Page".to_owned(),
            headers: [("Content-Length".to_owned(), "40".to_owned())].into(),
            status_code: Some(200),
            ..ControlHttp::default()
        },
        dns: ControlDns { failure: None, addrs: vec![TRUE.to_owned()] },
        ..ControlResponse::default()
    }
}

fn judged(met: &TestKeys, control: Result<&ControlResponse, &str>) -> WebKeys {
    judge(&Evidence { met, host: HOST, control, network_of: &|_| None })
}

fn met(lookups: Vec<Query>) -> TestKeys {
    TestKeys { queries: lookups, ..TestKeys::default() }
}

const PAGE: &str = "<title>Default Web Page</title>.........";

#[test]
fn a_page_that_is_the_test_helper_s_can_be_read() {
    let mut met = met(vec![lookup(1, "getaddrinfo", Ok(TRUE))]);
    endpoint(&mut met, 2, TRUE, [Some(""), None, Some("")], PAGE);
    let keys = judged(&met, Ok(&control()));
    assert_eq!((keys.blocking, keys.accessible), (Blocking::None, Some(true)));
    assert_eq!((keys.body_proportion, keys.x_blocking_flags, keys.x_status), (Some(1.0), Some(32), Some(2)));
}

#[test]
fn without_a_test_helper_a_page_without_tls_says_nothing() {
    let mut met = met(vec![lookup(1, "getaddrinfo", Ok(TRUE))]);
    endpoint(&mut met, 2, TRUE, [Some(""), None, Some("")], PAGE);
    let keys = judged(&met, Err("connection_reset"));
    assert_eq!((keys.blocking, keys.accessible, keys.dns_consistency), (Blocking::Unknown, None, None));
    assert_eq!((keys.x_blocking_flags, keys.x_null_null_flags, keys.x_status), (Some(0), Some(0), Some(8)));
}

/// OONI's ghost: the name is gone, and a censor that does not know it still lies about it (ooni/probe#2308).
#[test]
fn an_answer_for_a_name_that_nobody_has_is_a_lie() {
    let ghost = ControlResponse {
        dns: ControlDns { failure: some("dns_name_error"), addrs: Vec::new() },
        http_request: ControlHttp { failure: some("dns_lookup_error"), ..ControlHttp::default() },
        ..ControlResponse::default()
    };
    let mut met = met(vec![lookup(1, "getaddrinfo", Ok(OTHER))]);
    endpoint(&mut met, 2, OTHER, [Some("connection_refused"), None, None], "");
    let keys = judged(&met, Ok(&ghost));
    assert_eq!((keys.dns_consistency.as_deref(), keys.blocking), (Some("inconsistent"), Blocking::Dns));
    assert_eq!((keys.accessible, keys.x_null_null_flags), (Some(false), Some(16)));
}

#[test]
fn a_name_that_nobody_knows_is_down() {
    let nobody = ControlResponse {
        dns: ControlDns { failure: some("dns_name_error"), addrs: Vec::new() },
        http_request: ControlHttp { failure: some("dns_lookup_error"), ..ControlHttp::default() },
        ..ControlResponse::default()
    };
    let met = met(vec![lookup(1, "getaddrinfo", Err("dns_nxdomain_error"))]);
    let keys = judged(&met, Ok(&nobody));
    assert_eq!((keys.dns_consistency.as_deref(), keys.blocking), (Some("consistent"), Blocking::None));
    assert_eq!((keys.accessible, keys.x_null_null_flags, keys.x_status), (Some(false), Some(1), Some(2052)));
}

/// What `getaddrinfo` of Android says for every failure (ooni/probe#2029).
#[test]
fn any_failure_of_a_look_up_that_the_test_helper_does_not_have_is_blocking() {
    let met = met(vec![lookup(1, "getaddrinfo", Err("android_dns_cache_no_data"))]);
    let keys = judged(&met, Ok(&control()));
    assert_eq!((keys.blocking, keys.x_dns_flags), (Blocking::Dns, Some(2)));
}

#[test]
fn what_dns_over_https_fails_at_says_nothing_of_the_name() {
    let mut met = met(vec![lookup(1, "getaddrinfo", Ok(TRUE)), lookup(3, "doh", Err("connection_reset"))]);
    endpoint(&mut met, 2, TRUE, [Some(""), Some(""), Some("")], PAGE);
    let keys = judged(&met, Ok(&control()));
    assert_eq!((keys.x_dns_flags, keys.dns_experiment_failure, keys.accessible), (Some(0), None, Some(true)));
}

/// An address of the same network is as good as the same address.
#[test]
fn an_address_of_the_same_network_is_consistent() {
    let met = met(vec![lookup(1, "getaddrinfo", Ok(OTHER))]);
    let control = control();
    let same = |_: IpAddr| Some(15133);
    let keys = judge(&Evidence { met: &met, host: HOST, control: Ok(&control), network_of: &same });
    assert_eq!(keys.dns_consistency.as_deref(), Some("consistent"));
    assert_eq!(judged(&met, Ok(&control)).dns_consistency.as_deref(), Some("inconsistent"));
}

/// A lie whose page comes over TLS all the same: OONI says that it can be read, and that the name is lied about.
#[test]
fn a_lie_does_not_make_a_page_that_came_over_tls_unreadable() {
    let mut met = met(vec![lookup(1, "getaddrinfo", Ok(OTHER)), lookup(3, "udp", Ok(OTHER))]);
    endpoint(&mut met, 2, OTHER, [Some(""), Some(""), Some("")], PAGE);
    let keys = judged(&met, Ok(&control()));
    assert_eq!((keys.accessible, keys.dns_consistency.as_deref()), (Some(true), Some("inconsistent")));
    // The handshake clears the look-up that first found the address, and no other.
    assert_eq!((keys.x_dns_flags, keys.x_blocking_flags), (Some(4), Some(33)));
}

#[test]
fn ipv6_that_works_nowhere_is_no_blocking() {
    let mut met = met(vec![lookup(1, "getaddrinfo", Ok(TRUE))]);
    endpoint(&mut met, 2, TRUE, [Some(""), Some(""), Some("")], PAGE);
    endpoint(&mut met, 3, "2606:2800:220:1::1", [Some("network_unreachable"), None, None], "");
    let mut control = control();
    control.tcp_connect.insert("[2606:2800:220:1::1]:80".to_owned(), ControlTcp { status: true, failure: None });
    assert_eq!(judged(&met, Ok(&control)).x_blocking_flags, Some(32));
}

proptest! {
    /// Whatever comes, it is judged, and what the parts say holds together.
    #[test]
    fn whatever_was_met_is_judged(
        found in prop::option::of(prop::sample::select(vec![TRUE, OTHER, "127.0.0.1", "10.0.0.1"])),
        failures in prop::array::uniform3(prop::option::of(prop::sample::select(vec!["", "connection_reset", "generic_timeout_error"]))),
        answered: bool,
    ) {
        let mut met = met(vec![lookup(1, "getaddrinfo", found.ok_or("dns_nxdomain_error"))]);
        let tcp = Some(failures[0].unwrap_or_default());
        endpoint(&mut met, 2, found.unwrap_or(TRUE), [tcp, failures[1], failures[2]], PAGE);
        let control = control();
        let keys = judged(&met, if answered { Ok(&control) } else { Err("connection_reset") });
        prop_assert_eq!(keys.accessible.is_none(), keys.blocking == Blocking::Unknown);
        prop_assert!(keys.blocking.word().is_none() || keys.accessible == Some(false));
    }
}
