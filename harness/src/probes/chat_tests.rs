//! The chat probe against a server in a few lines, and against those who break off.

use std::time::Duration;

use tokio::net::TcpListener;

use super::super::testing;
use super::super::timeouts::Timeouts;
use super::*;

#[tokio::test]
async fn a_message_goes_through_behind_either_header() {
    for header in [ChatHeader::Plain, ChatHeader::Routed] {
        let (listener, remote) = testing::listener().await;
        tokio::spawn(serve(listener, b"ack"));
        let outcome = greet(remote, header).await;
        assert_eq!((outcome.verdict, outcome.failure, outcome.how), (VerdictWord::Ok, None, None));
    }
}

#[tokio::test]
async fn a_reset_is_a_protocol_that_was_recognised() {
    let (listener, remote) = testing::listener().await;
    tokio::spawn(testing::reset_after_first_bytes(listener));
    let outcome = greet(remote, ChatHeader::Plain).await;
    let seen = (outcome.verdict, outcome.failure, outcome.how.as_deref());
    assert_eq!(seen, (VerdictWord::Protocol, Some(Failure::ConnectionReset), Some("cut")));
}

#[tokio::test]
async fn silence_is_one_too_and_a_closed_port_is_none() {
    let (_listener, remote) = testing::listener().await;
    let outcome = greet(remote, ChatHeader::Plain).await;
    assert_eq!((outcome.verdict, outcome.failure), (VerdictWord::Protocol, Some(Failure::GenericTimeout)));
    let outcome = greet(testing::closed_port().await, ChatHeader::Plain).await;
    assert_eq!((outcome.verdict, outcome.failure), (VerdictWord::Tcp, Some(Failure::ConnectionRefused)));
}

#[tokio::test]
async fn who_answers_something_else_does_not_speak_it() {
    let (listener, remote) = testing::listener().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream.write_all(b"\x00\x00\x04page").await.expect("sent");
        std::future::pending::<()>().await;
    });
    let outcome = greet(remote, ChatHeader::Plain).await;
    assert_eq!(outcome.failure, Some(not_spoken()));
}

async fn greet(remote: SocketAddr, header: ChatHeader) -> Outcome {
    let timeouts = Timeouts { message: Duration::from_millis(400), ..Timeouts::default() };
    let tools = Tools { timeouts, ..testing::tools_from(testing::source()) };
    probe(&tools, Chat { remote, header }).await
}

/// The server's side, as the Noise framework has it (section 7.5, pattern XX).
async fn serve(listener: TcpListener, receipt: &'static [u8]) {
    let (mut stream, _) = listener.accept().await.expect("a connection");
    let mut first = [0; 4];
    stream.read_exact(&mut first).await.expect("a header");
    if first == *b"ED\x00\x01" {
        read_frame(&mut stream).await.expect("routing");
        stream.read_exact(&mut first).await.expect("a header");
    }
    assert_eq!(first, *b"WA\x06\x03");
    let builder = Builder::new(PATTERN.parse().expect("a pattern"));
    let key = builder.generate_keypair().expect("keys").private;
    let builder = builder.local_private_key(&key).expect("a key").prologue(&first).expect("a prologue");
    let mut noise = builder.build_responder().expect("a responder");
    let mut buffer = vec![0; LONGEST];
    let hello = read_frame(&mut stream).await.expect("a hello");
    assert_eq!(hello[..4], [0x12, 34, 0x0a, 32]);
    noise.read_message(&hello[4..], &mut buffer).expect("an ephemeral key");
    let length = noise.write_message(b"certificate", &mut buffer).expect("a message");
    let part = |number: u8, bytes: &[u8]| [&[number << 3 | 2, bytes.len() as u8], bytes].concat();
    let parts = [part(1, &buffer[..32]), part(2, &buffer[32..80]), part(3, &buffer[80..length])].concat();
    stream.write_all(&framed(&part(3, &parts))).await.expect("sent");
    let finish = read_frame(&mut stream).await.expect("a finish");
    let message = [&finish[4..52], &finish[54..]].concat();
    noise.read_message(&message, &mut buffer).expect("a static key");
    let mut session = noise.into_transport_mode().expect("a session");
    let message = read_frame(&mut stream).await.expect("a message");
    session.read_message(&message, &mut buffer).expect("readable");
    let length = session.write_message(receipt, &mut buffer).expect("a receipt");
    stream.write_all(&framed(&buffer[..length])).await.expect("sent");
    std::future::pending::<()>().await;
}
