//! The TLS probe against servers with right, wrong and foreign certificates, and against what is not TLS.

use std::time::Duration;

use tokio::io::AsyncWriteExt;

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
        tokio::io::AsyncReadExt::read(&mut stream, &mut hello).await.expect("a hello");
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
    let greeting = Greeting { remote, sni: "a.example".to_owned(), verify, alpn: Alpn::Http1 };
    let timeouts = Timeouts { tls: Duration::from_millis(500), ..Timeouts::default() };
    let outcome = probe(&testing::tools(trust, timeouts), &greeting).await;
    (outcome.verdict, outcome.failure.map(|failure| failure.to_string()))
}
