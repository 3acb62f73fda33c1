//! What is said to servers that echo, end, reset and say nothing.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::super::lab_time::LabTime;
use super::super::testing;
use super::super::timeouts::Timeouts;
use super::*;

fn speech(remote: SocketAddr, transport: Transport, reply: Reply) -> Speech {
    let payload = |bytes: &[u8]| Payload { written: String::new(), segments: vec![bytes.to_vec()] };
    Speech {
        remote,
        transport,
        before: Vec::new(),
        payloads: vec![payload(b"one"), payload(b"two")],
        pause: Duration::ZERO,
        reply,
    }
}

async fn said(speech: &Speech) -> (VerdictWord, Option<String>) {
    let timeouts = Timeouts {
        message: Duration::from_millis(300),
        datagram: Duration::from_millis(300),
        settle: Duration::from_millis(50),
        ..Timeouts::default()
    };
    let outcome = probe(&Tools { timeouts, ..testing::tools_from(testing::source()) }, speech).await;
    (outcome.verdict, outcome.failure.map(|failure| failure.to_string()))
}

fn ok() -> (VerdictWord, Option<String>) {
    (VerdictWord::Ok, None)
}

fn protocol(failure: &str) -> (VerdictWord, Option<String>) {
    (VerdictWord::Protocol, Some(failure.to_owned()))
}

async fn echo(listener: TcpListener) {
    let (stream, _) = listener.accept().await.expect("a connection");
    let (mut read, mut write) = stream.into_split();
    let _ = tokio::io::copy(&mut read, &mut write).await;
}

#[tokio::test]
async fn an_echo_is_heard_over_tcp() {
    for reply in [Reply::Any, Reply::Echo, Reply::None] {
        let (listener, remote) = testing::listener().await;
        let server = tokio::spawn(echo(listener));
        assert_eq!(said(&speech(remote, Transport::Tcp, reply)).await, ok(), "{reply:?}");
        server.abort();
    }
}

#[tokio::test]
async fn a_server_that_says_something_else_is_no_echo() {
    for (reply, seen) in [(Reply::Any, ok()), (Reply::Echo, protocol("unknown_failure: other bytes came back"))] {
        let (listener, remote) = testing::listener().await;
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            stream.write_all(b"six bytes").await.expect("a write");
            std::future::pending::<()>().await;
        });
        assert_eq!(said(&speech(remote, Transport::Tcp, reply)).await, seen);
        server.abort();
    }
}

#[tokio::test]
async fn a_reset_is_a_failure_whatever_must_come_back() {
    for reply in [Reply::Any, Reply::Echo, Reply::None] {
        let (listener, remote) = testing::listener().await;
        let server = tokio::spawn(testing::reset_after_first_bytes(listener));
        assert_eq!(said(&speech(remote, Transport::Tcp, reply)).await, protocol("connection_reset"), "{reply:?}");
        server.abort();
    }
}

#[tokio::test]
async fn an_end_is_a_failure_whatever_must_come_back() {
    for reply in [Reply::Any, Reply::Echo, Reply::None] {
        let (listener, remote) = testing::listener().await;
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut all = [0; 6];
            stream.read_exact(&mut all).await.expect("what is said");
            stream.shutdown().await.expect("an end");
            std::future::pending::<()>().await;
        });
        assert_eq!(said(&speech(remote, Transport::Tcp, reply)).await, protocol("eof_error"), "{reply:?}");
        server.abort();
    }
}

#[tokio::test]
async fn silence_is_a_failure_unless_it_is_asked_for() {
    let (listener, remote) = testing::listener().await;
    let tcp = |reply| speech(remote, Transport::Tcp, reply);
    assert_eq!(said(&tcp(Reply::Any)).await, protocol("generic_timeout_error"));
    assert_eq!(said(&tcp(Reply::None)).await, ok());
    drop(listener);
    assert_eq!(said(&tcp(Reply::None)).await, (VerdictWord::Tcp, Some("connection_refused".to_owned())));
    let silent = UdpSocket::bind(testing::ANY_PORT).await.expect("a socket");
    let udp = |reply| speech(silent.local_addr().expect("its address"), Transport::Udp, reply);
    assert_eq!(said(&udp(Reply::Any)).await, protocol("generic_timeout_error"));
    assert_eq!(said(&udp(Reply::Echo)).await, protocol("generic_timeout_error"));
    assert_eq!(said(&udp(Reply::None)).await, ok());
}

#[tokio::test]
async fn each_datagram_must_come_back() {
    let server = UdpSocket::bind(testing::ANY_PORT).await.expect("a socket");
    let remote = server.local_addr().expect("its address");
    let forgetful = tokio::spawn(async move {
        let mut buffer = [0; 100];
        loop {
            let (length, client) = server.recv_from(&mut buffer).await.expect("a datagram");
            if &buffer[..length] != b"two" {
                server.send_to(&buffer[..length], client).await.expect("a datagram");
            }
        }
    });
    assert_eq!(said(&speech(remote, Transport::Udp, Reply::Any)).await, ok());
    let timeouts = Timeouts { datagram: Duration::from_millis(200), ..Timeouts::default() };
    let tools = Tools { timeouts, ..testing::tools_from(testing::source()) };
    let outcome = probe(&tools, &speech(remote, Transport::Udp, Reply::Echo)).await;
    assert_eq!((outcome.verdict, outcome.failure), (VerdictWord::Protocol, Some(Failure::GenericTimeout)));
    assert_eq!(
        (&outcome.test_keys["datagrams_sent"], &outcome.test_keys["datagrams_returned"]),
        (&2.into(), &1.into())
    );
    forgetful.abort();
}

#[tokio::test]
async fn a_pause_passes_on_the_labs_clock_alone() {
    let (listener, remote) = testing::listener().await;
    let server = tokio::spawn(echo(listener));
    let tools = Tools { time: LabTime::alone(), ..testing::tools_from(testing::source()) };
    let speech = Speech { pause: Duration::from_secs(480), ..speech(remote, Transport::Tcp, Reply::Echo) };
    let (before, began) = (tools.time.now(), tokio::time::Instant::now());
    let measuring = tools.time.join();
    let outcome = probe(&tools, &speech).await;
    drop(measuring);
    assert!(outcome.is_ok() && speech.pauses());
    assert!(tools.time.now().saturating_since(before) >= Duration::from_secs(480));
    assert!(began.elapsed() < Duration::from_secs(60));
    server.abort();
}
