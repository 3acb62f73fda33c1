//! Many connections of one client to one web server: does each of them carry data (RU-SIB-1)?

use std::net::SocketAddr;
use std::time::Duration;

use roadblock_scenarios::model::VerdictWord;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::exchange::AGENT;
use super::failure::Failure;
use super::tls::{self, Greeting};
use super::tools::Tools;
use super::trace::{Operation, Outcome, Place, Trace};

/// Connections to be made.
#[derive(Clone, Debug)]
pub(crate) struct Connections {
    /// The server, and how it is greeted each time.
    pub(crate) greeting: Greeting,
    /// How many.
    pub(crate) count: u16,
    /// Over what time they are spread, on the lab's clock.
    pub(crate) within: Duration,
}

/// Makes one after the other, keeps them all, and stops at the first that fails.
pub(crate) async fn probe(tools: &Tools, connections: &Connections) -> Outcome {
    let began = tools.time.now();
    let mut open = Vec::new();
    let mut last = Trace::default();
    for number in 0..connections.count {
        if number > 0 && !connections.within.is_zero() {
            let due = connections.within * u32::from(number) / u32::from(connections.count);
            tools.time.sleep_until(began + due).await;
        }
        // The layers of the last tell all: those before it were the same, and went well.
        last = Trace::default();
        let tools = if number == 0 { tools.clone() } else { tools.without_port() };
        match one(&mut last, &tools, &connections.greeting).await {
            Ok(stream) => open.push(stream),
            Err(failure) => return counted(failed(last, failure, number), number),
        }
    }
    counted(last.end(VerdictWord::Ok), connections.count)
}

/// One that stands still where others did not is no block of the server: it freezes.
fn failed(trace: Trace, failure: Failure, before: u16) -> Outcome {
    let stands = before > 0 && failure == Failure::GenericTimeout;
    let outcome = trace.failed(failure);
    let outcome = if stands { outcome.judged(VerdictWord::Freezes) } else { outcome };
    match before {
        0 => outcome,
        1 => outcome.said("after 1 connection"),
        before => outcome.said(format!("after {before} connections")),
    }
}

fn counted(mut outcome: Outcome, made: u16) -> Outcome {
    outcome.test_keys.insert("connections".to_owned(), made.into());
    outcome
}

/// A handshake and a request.
async fn one(trace: &mut Trace, tools: &Tools, greeting: &Greeting) -> Result<TlsStream<TcpStream>, Failure> {
    let mut stream = tls::connect(trace, tools, greeting).await?;
    let local_port = stream.get_ref().0.local_addr().map_or(0, |address: SocketAddr| address.port());
    let place = Place { operation: Operation::HttpRoundTrip, remote: greeting.remote, local_port };
    let asked = async {
        let request = format!("HEAD / HTTP/1.1\r\nHost: {}\r\nUser-Agent: {AGENT}\r\n\r\n", greeting.sni);
        stream.write_all(request.as_bytes()).await.map_err(|error| Failure::from(&error))?;
        stream.flush().await.map_err(|error| Failure::from(&error))?;
        match stream.read(&mut [0; 1024]).await.map_err(|error| Failure::from(&error))? {
            0 => Err(Failure::Eof),
            _ => Ok(()),
        }
    };
    trace.layer(place, tools.timeouts.message, asked).await?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU16, Ordering};

    use super::super::testing::{self, Authority};
    use super::super::timeouts::Timeouts;
    use super::super::tls::Alpn;
    use super::*;

    /// What is seen of a server that answers so many connections and is then silent.
    async fn seen(answered: u16) -> (VerdictWord, Option<String>, serde_json::Value) {
        let authority = Authority::new();
        let (listener, remote) = testing::listener().await;
        let acceptor = authority.acceptor(&["a.example"]);
        let count = Arc::new(AtomicU16::new(0));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                let (acceptor, number) = (acceptor.clone(), count.fetch_add(1, Ordering::Relaxed));
                tokio::spawn(async move {
                    if number >= answered {
                        return std::future::pending().await;
                    }
                    let mut session = acceptor.accept(stream).await.expect("a session");
                    while session.read(&mut [0; 100]).await.is_ok_and(|length| length > 0) {
                        session.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.expect("an answer");
                    }
                });
            }
        });
        let timeouts = Timeouts { tls: Duration::from_millis(300), ..Timeouts::default() };
        let greeting = Greeting { remote, sni: "a.example".to_owned(), verify: true, alpn: Alpn::Http1 };
        let connections = Connections { greeting, count: 5, within: Duration::ZERO };
        let outcome = probe(&testing::tools(&authority.trust(), timeouts), &connections).await;
        (outcome.verdict, outcome.how, outcome.test_keys["connections"].clone())
    }

    #[tokio::test]
    async fn the_first_that_stands_still_is_counted() {
        assert_eq!(seen(5).await, (VerdictWord::Ok, None, 5.into()));
        assert_eq!(seen(3).await, (VerdictWord::Freezes, Some("after 3 connections".to_owned()), 3.into()));
        assert_eq!(seen(1).await, (VerdictWord::Freezes, Some("after 1 connection".to_owned()), 1.into()));
        assert_eq!(seen(0).await, (VerdictWord::Tls, None, 0.into()));
    }
}
