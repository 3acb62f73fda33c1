//! The HTTP probe against pages, block pages and servers that break off.

use std::time::Duration;

use roadblock_scenarios::model::Split;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::super::testing::{self, Authority};
use super::super::timeouts::Timeouts;
use super::*;

#[tokio::test]
async fn the_targets_own_page_is_ok_and_another_is_a_block_page() {
    let own = get_from("HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n<title>R &amp; B</title>").await;
    assert_eq!(own, (VerdictWord::Ok, None));
    let other = get_from("HTTP/1.1 403 Forbidden\r\nContent-Length: 21\r\n\r\n<title>Sorry</title>\n").await;
    assert_eq!(other, (VerdictWord::Blockpage, None));
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_end_of_file() {
    let eof = (VerdictWord::Http, Some("eof_error".to_owned()));
    assert_eq!(get_from("").await, eof);
    assert_eq!(get_from("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n<title>").await, eof);
}

#[tokio::test]
async fn a_reset_after_the_request_is_seen_as_one() {
    let (listener, address) = testing::listener().await;
    tokio::spawn(testing::reset_after_first_bytes(listener));
    assert_eq!(get(address).await, (VerdictWord::Http, Some("connection_reset".to_owned())));
}

#[tokio::test]
async fn silence_after_the_request_times_out() {
    let (_listener, address) = testing::listener().await;
    assert_eq!(get(address).await, (VerdictWord::Http, Some("generic_timeout_error".to_owned())));
}

#[tokio::test]
async fn a_page_over_tls_goes_through_all_layers() {
    let authority = Authority::new();
    let acceptor = authority.acceptor(&["a.example"]);
    let (listener, address) = testing::listener().await;
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        let stream = acceptor.accept(stream).await.expect("a session");
        answer(stream, "HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n<title>R &amp; B</title>").await;
    });
    let fetch = Fetch { url: "https://a.example/".parse().expect("a URL"), ..fetch(address) };
    let outcome = probe(&testing::tools(&authority.trust(), Timeouts::default()), &fetch).await;
    assert_eq!((outcome.verdict, outcome.failure), (VerdictWord::Ok, None));
    let operations: Vec<Operation> = outcome.layers.iter().map(|layer| layer.operation).collect();
    assert_eq!(operations, [Operation::Connect, Operation::TlsHandshake, Operation::HttpRoundTrip]);
}

#[tokio::test]
async fn a_request_says_what_it_is_told_to_and_is_cut() {
    let (listener, address) = testing::listener().await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            stream.read_buf(&mut request).await.expect("a request");
        }
        String::from_utf8(request).expect("text")
    });
    let request = HttpRequest {
        host: Some("WWW.Other.example.".to_owned()),
        headers: vec![("Accept-Language".to_owned(), "fa".to_owned())],
        split: Split { segments: vec![2, 30], records: Vec::new() },
    };
    let fetch = Fetch { request, ..fetch(address) };
    let measuring = async move { probe(&testing::tools_from(testing::source()), &fetch).await };
    let (said, outcome) = tokio::join!(server, measuring);
    let said = said.expect("a request");
    assert!(said.starts_with("GET / HTTP/1.1\r\n") && said.contains("\r\nHost: WWW.Other.example.\r\n"), "{said}");
    assert!(said.contains("\r\nAccept-Language: fa\r\n") && !said.contains("a.example\r"), "{said}");
    assert_eq!(outcome.failure, Some(Failure::Eof));
}

async fn get_from(response: &'static str) -> (VerdictWord, Option<String>) {
    let (listener, address) = testing::listener().await;
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        answer(stream, response).await;
    });
    get(address).await
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, response: &str) {
    let mut request = [0; 4096];
    let length = stream.read(&mut request).await.expect("a request");
    assert!(request[..length].starts_with(b"GET / HTTP/1.1\r\n"));
    stream.write_all(response.as_bytes()).await.expect("sent");
    stream.shutdown().await.expect("closed");
}

async fn get(address: SocketAddr) -> (VerdictWord, Option<String>) {
    let timeouts = Timeouts { http: Duration::from_millis(500), ..Timeouts::default() };
    let outcome = probe(&testing::tools(&Authority::new().trust(), timeouts), &fetch(address)).await;
    (outcome.verdict, outcome.failure.map(|failure| failure.to_string()))
}

fn fetch(address: SocketAddr) -> Fetch {
    Fetch {
        url: "http://a.example/".parse().expect("a URL"),
        address,
        version: HttpVersion::One,
        verify: true,
        title: Some("R & B".to_owned()),
        request: HttpRequest::default(),
    }
}
