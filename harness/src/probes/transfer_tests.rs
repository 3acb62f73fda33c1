//! Transfers with servers that are quick, slow, stand still and break off.

use std::time::Duration;

use super::super::dns::Truth;
use super::super::testing::{self, Authority};
use super::super::timeouts::Timeouts;
use super::*;

#[tokio::test]
async fn what_is_quick_is_ok_both_ways() {
    let seen = moved(Way::Down, Server { pause: Duration::ZERO, stops_after: u64::MAX, resets: false }).await;
    assert_eq!(seen, (VerdictWord::Ok, None, None));
    let seen = moved(Way::Up, Server { pause: Duration::ZERO, stops_after: u64::MAX, resets: false }).await;
    assert_eq!(seen, (VerdictWord::Ok, None, None));
}

#[tokio::test]
async fn what_is_slow_is_throttled_before_it_ends() {
    let server = || Server { pause: Duration::from_millis(40), stops_after: u64::MAX, resets: false };
    let throttled = (VerdictWord::Throttled, None, Some("slow".to_owned()));
    assert_eq!(moved(Way::Down, server()).await, throttled);
}

#[tokio::test]
async fn what_stands_still_after_a_while_freezes() {
    let server = Server { pause: Duration::ZERO, stops_after: 16 * 1024, resets: false };
    let frozen = (VerdictWord::Freezes, Some(Failure::GenericTimeout), Some("freezes".to_owned()));
    assert_eq!(moved(Way::Down, server).await, frozen);
}

#[tokio::test]
async fn what_never_begins_is_no_freeze_and_a_reset_is_one() {
    let server = |resets| Server { pause: Duration::ZERO, stops_after: 0, resets };
    assert_eq!(moved(Way::Down, server(false)).await, (VerdictWord::Http, Some(Failure::GenericTimeout), None));
    assert_eq!(moved(Way::Down, server(true)).await, (VerdictWord::Http, Some(Failure::ConnectionReset), None));
    assert_eq!(moved(Way::Up, server(true)).await, (VerdictWord::Http, Some(Failure::ConnectionReset), None));
}

#[test]
fn the_body_begins_behind_the_head() {
    let mut head = Vec::new();
    assert_eq!(after_head(&mut head, b"HTTP/1.1 200 OK\r\nA: b\r"), Ok(0));
    assert_eq!(after_head(&mut head, b"\n\r\nbody"), Ok(4));
    assert_eq!(after_head(&mut Vec::new(), b"HTTP/1.1 403 Forbidden\r\n\r\nsorry"), Err(not_http()));
    assert_eq!(after_head(&mut Vec::new(), &[b'x'; CHUNK]), Err(not_http()));
}

/// A server of bytes: how long it pauses after each kilobyte, and how it ends.
struct Server {
    pause: Duration,
    stops_after: u64,
    resets: bool,
}

impl Server {
    async fn serve(self, listener: tokio::net::TcpListener, acceptor: tokio_rustls::TlsAcceptor) {
        let (stream, _) = listener.accept().await.expect("a connection");
        let mut stream = acceptor.accept(stream).await.expect("a session");
        let mut request = vec![0; 2000];
        let length = stream.read(&mut request).await.expect("a request");
        if request[..length].starts_with(b"POST ") && !self.resets {
            let head = request[..length].windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head") + 4;
            let mut left = BYTES - (length - head) as u64;
            while left > 0 {
                left -= stream.read(&mut request).await.expect("a body") as u64;
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.expect("sent");
            stream.flush().await.expect("sent");
        } else if self.stops_after > 0 {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.expect("sent");
            for _ in 0..self.stops_after.min(BYTES) / 1024 {
                if stream.write_all(&[b'x'; 1024]).await.is_err() {
                    return;
                }
                tokio::time::sleep(self.pause).await;
            }
            stream.flush().await.expect("sent");
        }
        if self.resets {
            testing::reset(stream.into_inner().0);
        } else {
            std::future::pending::<()>().await;
        }
    }
}

async fn moved(way: Way, server: Server) -> (VerdictWord, Option<Failure>, Option<String>) {
    let authority = Authority::new();
    let (listener, remote) = testing::listener().await;
    tokio::spawn(server.serve(listener, authority.acceptor(&["a.example"])));
    let place = Named { name: "a.example".to_owned(), resolver: remote.ip(), truth: Truth::Public };
    let transfer = Transfer {
        place,
        pinned: Some(remote.ip()),
        verify: true,
        family: Family::V4,
        port: remote.port(),
        bytes: BYTES,
        way,
        at_least: 1000,
    };
    let short = Duration::from_millis(300);
    let timeouts = Timeouts { transfer: short, stall: short, ..Timeouts::default() };
    let outcome = probe(&testing::tools(&authority.trust(), timeouts), &transfer).await;
    (outcome.verdict, outcome.failure, outcome.how)
}

const BYTES: u64 = 256 * 1024;
