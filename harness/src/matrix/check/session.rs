//! A connection through a tool to a web server, with requests on it one after the other.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::client::TlsStream;

use super::way::Way;
use super::{DefaultCheck, Fault};
use crate::probes::Failure;
use crate::probes::{AGENT, Alpn, Counted, Greeting, Trace, Truth, tls_shake};

/// A TLS session that stays open between requests.
pub(super) struct Session {
    stream: TlsStream<Counted>,
    host: String,
    /// How many bytes have come so far, below TLS.
    pub(super) received: Arc<AtomicU64>,
    /// What was read behind an answer.
    ahead: Vec<u8>,
}

impl Session {
    /// One with the host that bytes go to and come from.
    pub(super) async fn open(check: &DefaultCheck) -> Result<Self, Fault> {
        let truth = if check.bulk_host == check.target.url.host { &check.target.truth } else { &Truth::Public };
        Self::with(&check.way, &check.bulk_host, truth).await
    }

    async fn with(way: &Way, host: &str, truth: &Truth) -> Result<Self, Fault> {
        let connected = way.connect(host, truth, HTTPS).await?;
        let local_port = connected.local_addr().map_or(0, |address| address.port());
        let remote = connected.peer_addr().map_err(|error| Fault::before(Failure::from(&error)))?;
        let (counted, received) = Counted::new(connected);
        let greeting = Greeting { remote, sni: host.to_owned(), verify: true, alpn: Alpn::Http1 };
        let shaken = tls_shake(&mut Trace::default(), &way.tools, &greeting, local_port, counted).await;
        let reached = way.connection_is_proof();
        let mut stream = shaken.map_err(|failure| Fault { reached, ..Fault::before(failure) })?;
        stream.get_mut().1.set_buffer_limit(Some(CHUNK));
        Ok(Self { stream, host: host.to_owned(), received, ahead: Vec::new() })
    }

    /// Fetches so many bytes.
    pub(super) async fn fetch(&mut self, bytes: u64) -> Result<(), Failure> {
        let request = format!("GET /bytes/{bytes} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {AGENT}\r\n\r\n", self.host);
        let length = self.exchange(request.as_bytes(), &[]).await?;
        if length == bytes { Ok(()) } else { Err(other_answer()) }
    }

    /// Sends these bytes, and waits for the receipt.
    pub(super) async fn send(&mut self, body: &[u8]) -> Result<(), Failure> {
        let head = format!(
            "POST /upload HTTP/1.1\r\nHost: {}\r\nUser-Agent: {AGENT}\r\nContent-Length: {}\r\n\r\n",
            self.host,
            body.len()
        );
        self.exchange(head.as_bytes(), body).await.map(drop)
    }

    /// How long the body of the answer is, once it has come whole.
    async fn exchange(&mut self, head: &[u8], body: &[u8]) -> Result<u64, Failure> {
        let io = |error: std::io::Error| Failure::from(&error);
        self.stream.write_all(head).await.map_err(io)?;
        self.stream.write_all(body).await.map_err(io)?;
        self.stream.flush().await.map_err(io)?;
        let mut buffer = vec![0; CHUNK];
        let length = loop {
            if let Some((end, length)) = head_of(&self.ahead)? {
                self.ahead.drain(..end);
                break length;
            }
            let read = self.stream.read(&mut buffer).await.map_err(io)?;
            if read == 0 {
                return Err(Failure::Eof);
            }
            self.ahead.extend_from_slice(&buffer[..read]);
        };
        let mut left = length.checked_sub(self.ahead.len() as u64).ok_or_else(other_answer)?;
        self.ahead.clear();
        while left > 0 {
            let read = self.stream.read(&mut buffer).await.map_err(io)? as u64;
            if read == 0 {
                return Err(Failure::Eof);
            }
            left = left.checked_sub(read).ok_or_else(other_answer)?;
        }
        Ok(length)
    }
}

/// Where an answer's head ends and how long its body is; nothing while its end is not there.
fn head_of(bytes: &[u8]) -> Result<Option<(usize, u64)>, Failure> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return if bytes.len() < CHUNK { Ok(None) } else { Err(other_answer()) };
    };
    let head = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = head.lines();
    if !lines.next().is_some_and(|line| line.starts_with("HTTP/1.1 200 ")) {
        return Err(other_answer());
    }
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    length.map(|length| Some((end + 4, length))).ok_or_else(other_answer)
}

/// The server of the lab answers otherwise.
fn other_answer() -> Failure {
    Failure::Unknown("not the answer of the lab's host".to_owned())
}

const HTTPS: u16 = 443;
const CHUNK: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_head_says_how_long_its_body_is() {
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: x\r\nContent-Length: 12\r\n\r\nbody";
        assert_eq!(head_of(head), Ok(Some((head.len() - 4, 12))));
        assert_eq!(head_of(&head[..20]), Ok(None));
        assert!(head_of(b"HTTP/1.1 403 no\r\ncontent-length: 1\r\n\r\n").is_err());
        assert!(head_of(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_head_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = head_of(&bytes);
        }
    }
}
