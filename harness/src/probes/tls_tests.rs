//! The TLS probe against servers with right, wrong and foreign certificates, and against what is not TLS.

use std::time::Duration;

use roadblock_censor::dissect::tls;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::super::testing::{self, Authority};
use super::super::timeouts::Timeouts;
use super::*;

#[tokio::test]
async fn a_certificate_of_the_labs_authority_is_believed() {
    assert_eq!(handshake(&["a.example"], true, true).await, (VerdictWord::Ok, None));
}

#[tokio::test]
async fn a_certificate_for_another_name_is_wrong_unless_it_need_not_be_right() {
    let wrong = (VerdictWord::Tls, Some("ssl_invalid_hostname".to_owned()));
    assert_eq!(handshake(&["b.example"], true, true).await, wrong);
    assert_eq!(handshake(&["b.example"], true, false).await, (VerdictWord::Ok, None));
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_an_interception() {
    let foreign = (VerdictWord::Intercepted, Some("ssl_unknown_authority".to_owned()));
    assert_eq!(handshake(&["a.example"], false, true).await, foreign);
}

#[tokio::test]
async fn a_reset_after_the_client_hello_is_seen_as_one() {
    let (listener, remote) = testing::listener().await;
    tokio::spawn(testing::reset_after_first_bytes(listener));
    assert_eq!(greet(remote).await, (VerdictWord::Tls, Some("connection_reset".to_owned())));
}

#[tokio::test]
async fn a_close_after_the_client_hello_is_an_end_of_file() {
    let (listener, remote) = testing::listener().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        // All of the hello is read first: closing with unread bytes would reset the connection.
        let mut hello = [0; 4096];
        assert_ne!(stream.read(&mut hello).await.expect("a hello"), 0);
    });
    assert_eq!(greet(remote).await, (VerdictWord::Tls, Some("eof_error".to_owned())));
}

#[tokio::test]
async fn silence_after_the_client_hello_times_out() {
    let (_listener, remote) = testing::listener().await;
    assert_eq!(greet(remote).await, (VerdictWord::Tls, Some("generic_timeout_error".to_owned())));
}

#[tokio::test]
async fn plain_http_in_place_of_tls_is_a_failed_handshake() {
    let (listener, remote) = testing::listener().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await.expect("sent");
        std::future::pending::<()>().await;
    });
    assert_eq!(greet(remote).await, (VerdictWord::Tls, Some("ssl_failed_handshake".to_owned())));
}

/// What a client with a hello of this form sends first, as the other end reads it.
async fn first_bytes(hello: &Hello) -> Vec<u8> {
    let (listener, remote) = testing::listener().await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut bytes = Vec::new();
        let reading = async { while stream.read_buf(&mut bytes).await.is_ok_and(|length| length > 0) {} };
        let _ = tokio::time::timeout(Duration::from_millis(200), reading).await;
        bytes
    });
    measure_as(remote, &Authority::new().trust(), true, hello).await;
    server.await.expect("bytes")
}

fn parsed(bytes: &[u8]) -> tls::ClientHello {
    match tls::client_hello(bytes, &tls::Options::default()) {
        tls::Hello::ClientHello(hello) => *hello,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_hello_is_cut_into_records() {
    let split = Split { segments: Vec::new(), records: vec![16, 40] };
    let bytes = first_bytes(&Hello { split, ..Hello::default() }).await;
    assert_eq!((&bytes[..5], &bytes[21..26]), (&[22, 3, 1, 0, 16][..], &[22, 3, 1, 0, 24][..]));
    assert_eq!(parsed(&bytes).sni.as_deref(), Some("a.example"));
    let only_first = tls::Options { records: tls::JoinRecords::First, ..tls::Options::default() };
    assert_eq!(tls::client_hello(&bytes, &only_first), tls::Hello::NotTls);
}

#[tokio::test]
async fn grease_looks_like_an_encrypted_hello() {
    assert!(!parsed(&first_bytes(&Hello::default()).await).ech);
    let bytes = first_bytes(&Hello { ech_grease: true, ..Hello::default() }).await;
    let hello = parsed(&bytes);
    assert!(hello.ech);
    assert_eq!(hello.sni.as_deref(), Some("a.example"));
    // An outer hello; HKDF-SHA256 and AES-128-GCM; an id; a key of 32 bytes (RFC 9849 section 5).
    let extension = bytes.windows(4).position(|four| four[..2] == [0xfe, 0x0d]).expect("the extension");
    assert_eq!(bytes[extension + 4..extension + 9], [0, 0, 1, 0, 1]);
    assert_eq!(bytes[extension + 10..extension + 12], [0, 32]);
}

#[tokio::test]
async fn a_hello_of_any_form_is_answered() {
    let forms = [
        Hello { split: Split { segments: vec![1, 16], records: Vec::new() }, ..Hello::default() },
        Hello { split: Split { segments: vec![30], records: vec![16, 5000] }, ..Hello::default() },
        Hello { ech_grease: true, ..Hello::default() },
    ];
    for hello in forms {
        let authority = Authority::new();
        let (listener, remote) = testing::listener().await;
        let acceptor = authority.acceptor(&["a.example"]);
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.expect("a connection");
            let _session = acceptor.accept(stream).await;
        });
        assert_eq!(measure_as(remote, &authority.trust(), true, &hello).await, (VerdictWord::Ok, None), "{hello:?}");
    }
}

async fn handshake(names: &[&str], trusted: bool, verify: bool) -> (VerdictWord, Option<String>) {
    let authority = Authority::new();
    let (listener, remote) = testing::listener().await;
    let acceptor = authority.acceptor(names);
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        let _session = acceptor.accept(stream).await;
    });
    let trust = if trusted { authority.trust() } else { Authority::new().trust() };
    measure(remote, &trust, verify).await
}

async fn greet(remote: SocketAddr) -> (VerdictWord, Option<String>) {
    measure(remote, &Authority::new().trust(), true).await
}

async fn measure(remote: SocketAddr, trust: &Trust, verify: bool) -> (VerdictWord, Option<String>) {
    measure_as(remote, trust, verify, &Hello::default()).await
}

async fn measure_as(remote: SocketAddr, trust: &Trust, verify: bool, hello: &Hello) -> (VerdictWord, Option<String>) {
    let greeting = Greeting { remote, sni: "a.example".to_owned(), verify, alpn: Alpn::Http1 };
    let timeouts = Timeouts { tls: Duration::from_millis(500), ..Timeouts::default() };
    let outcome = probe(&testing::tools(trust, timeouts), &greeting, hello).await;
    (outcome.verdict, outcome.failure.map(|failure| failure.to_string()))
}
