//! The WebSocket exchange with servers that echo, refuse and break off.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::super::dns::Truth;
use super::super::testing::{self, Authority};
use super::super::timeouts::Timeouts;
use super::*;

#[tokio::test]
async fn a_message_comes_back() {
    assert_eq!(exchange("echo").await, Ok(()));
}

#[tokio::test]
async fn a_refusal_another_message_and_an_end_are_failures() {
    assert_eq!(exchange("refuse").await, Err(Failure::Unknown("no WebSocket: status 403".to_owned())));
    let other = exchange("other").await;
    assert_eq!(other, Err(Failure::Unknown("another message came back, of 5 bytes".to_owned())));
    assert_eq!(exchange("close").await, Err(Failure::Eof));
}

/// How the exchange with such a server ends.
async fn exchange(how: &'static str) -> Result<(), Failure> {
    let authority = Authority::new();
    let (listener, remote) = testing::listener().await;
    let acceptor = authority.acceptor(&["a.example"]);
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        let mut stream = acceptor.accept(stream).await.expect("a session");
        if how == "refuse" {
            let mut request = [0; 2000];
            let length = stream.read(&mut request).await.expect("a request");
            let head = String::from_utf8_lossy(&request[..length]).to_ascii_lowercase();
            assert!(head.starts_with("get /ws ") && head.contains("\r\norigin: https://a.example\r\n"), "{head}");
            stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await.expect("sent");
            stream.shutdown().await.expect("closed");
            return;
        }
        let mut socket = tokio_tungstenite::accept_async(stream).await.expect("a WebSocket");
        let message = socket.next().await.expect("a message").expect("whole");
        match how {
            "echo" => socket.send(message).await.expect("sent"),
            "other" => socket.send(Message::text("hello")).await.expect("sent"),
            _ => socket.close(None).await.expect("closed"),
        }
        // The stream stays open until the client has read what was sent.
        let _ = socket.next().await;
    });
    let place = Named { name: "a.example".to_owned(), resolver: remote.ip(), truth: Truth::Public };
    let socket = Socket { place, path: "/ws", origin: "https://a.example", family: Family::V4, port: remote.port() };
    let tools = testing::tools(&authority.trust(), Timeouts::default());
    echo(&mut Trace::default(), &tools, &socket, remote).await
}
