//! A transfer whose speed counts: bytes over HTTPS, fetched or sent. TCP's timers do not follow the lab's clock, so speed is
//! measured on the machine's own.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use roadblock_scenarios::model::{Family, VerdictWord};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use super::counted::Counted;
use super::exchange::AGENT;
use super::failure::Failure;
use super::named::Named;
use super::pace::{Pace, Series};
use super::tcp::{self, Opening};
use super::timeouts::Timeouts;
use super::tls::{self, Alpn, Greeting};
use super::tools::Tools;
use super::trace::{Operation, Outcome, Place, Trace};

/// Bytes to be moved.
#[derive(Clone, Debug)]
pub(crate) struct Transfer {
    /// The server.
    pub(crate) place: Named,
    /// Where it is, in place of what DNS says.
    pub(crate) pinned: Option<IpAddr>,
    /// Whether the certificate must be right.
    pub(crate) verify: bool,
    /// Which family to use where DNS is asked.
    pub(crate) family: Family,
    /// The server's port.
    pub(crate) port: u16,
    /// How many bytes.
    pub(crate) bytes: u64,
    /// Which way.
    pub(crate) way: Way,
    /// What is slower than so many kilobits a second is throttled.
    pub(crate) at_least: u32,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    /// From the server.
    Down,
    /// To the server.
    Up,
}

/// How a transfer ended that was not broken off.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum End {
    /// All bytes were moved.
    Whole,
    /// It was too slow to be waited for.
    Slow,
    /// It began, and then nothing came any more.
    Stands,
}

/// Moves the bytes and says how it went.
pub(crate) async fn probe(tools: &Tools, transfer: &Transfer) -> Outcome {
    measure(tools, transfer).await.0
}

/// The same, with what was seen of the connection while the bytes moved.
pub(crate) async fn measure(tools: &Tools, transfer: &Transfer) -> (Outcome, Option<Series>) {
    let mut trace = Trace::default();
    let address = match transfer.pinned {
        Some(address) => address,
        None => match transfer.place.lookup(&mut trace, tools, transfer.family).await {
            Ok(address) => address,
            Err(failure) => return (trace.unresolved(failure), None),
        },
    };
    let (end, speed, series) = match moved(&mut trace, tools, transfer, SocketAddr::new(address, transfer.port)).await {
        Ok(Moved { end, speed, series }) => (end, Some(speed), series),
        Err(failure) => (Err(failure), None, None),
    };
    let outcome = match end {
        Ok(End::Whole) => trace.end(VerdictWord::Ok),
        Ok(End::Slow) => trace.end(VerdictWord::Throttled).said("slow"),
        Ok(End::Stands) => trace.failed(Failure::GenericTimeout).judged(VerdictWord::Freezes).said("freezes"),
        Err(failure) => trace.failed(failure),
    };
    (Outcome { speed, ..outcome }, series)
}

/// How a transfer ended, how many kilobits a second it made, and what was seen of its connection.
struct Moved {
    end: Result<End, Failure>,
    speed: u64,
    series: Option<Series>,
}

async fn moved(trace: &mut Trace, tools: &Tools, transfer: &Transfer, remote: SocketAddr) -> Result<Moved, Failure> {
    let greeting = Greeting { remote, sni: transfer.place.name.clone(), verify: transfer.verify, alpn: Alpn::Http1 };
    let connected =
        tcp::open(trace, tools, remote, Opening { kept: Some(KEPT_BY_KERNEL), ..Opening::default() }).await?;
    let local_port = connected.local_addr().map_or(0, |address| address.port());
    let pace = Pace::of(&connected, transfer.way).ok();
    let (counted, received) = Counted::new(connected);
    let mut stream = tls::shake_from(trace, tools, &greeting, local_port, counted).await?;
    stream.get_mut().1.set_buffer_limit(Some(CHUNK));
    let place = Place { operation: Operation::Transfer, remote, local_port };
    let mut speed = Speed::new(transfer, tools.timeouts, received, pace);
    let work = async {
        match transfer.way {
            Way::Down => download(&mut stream, transfer, &mut speed).await,
            Way::Up => upload(&mut stream, transfer, &mut speed).await,
        }
    };
    let end = trace.layer(place, tools.timeouts.transfer * 10, work).await;
    let rate = speed.rate();
    Ok(Moved { end, speed: rate, series: speed.pace.map(Pace::into_series) })
}

async fn download<S>(stream: &mut S, transfer: &Transfer, speed: &mut Speed) -> Result<End, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (host, bytes) = (&transfer.place.name, transfer.bytes);
    let request =
        format!("GET /bytes/{bytes} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {AGENT}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| Failure::from(&error))?;
    let mut head = Vec::new();
    let mut buffer = vec![0; CHUNK];
    let mut body = 0;
    loop {
        let read = async { stream.read(&mut buffer).await.map_err(|error| Failure::from(&error)) };
        let length = match speed.step(read).await {
            Step::Moved(0) => return Err(Failure::Eof),
            Step::Moved(length) => length,
            Step::Ended(end) => return end,
        };
        let received = buffer.get(..length).unwrap_or_default();
        body += if body == 0 { after_head(&mut head, received)? } else { length } as u64;
        if let Some(end) = speed.judge(body >= bytes) {
            return Ok(end);
        }
    }
}

/// How many bytes of the body came behind the head that is read here.
fn after_head(head: &mut Vec<u8>, received: &[u8]) -> Result<usize, Failure> {
    head.extend_from_slice(received);
    let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") else {
        return if head.len() < CHUNK { Ok(0) } else { Err(not_http()) };
    };
    if !head.starts_with(b"HTTP/1.1 200 ") {
        return Err(not_http());
    }
    Ok(head.len() - end - 4)
}

async fn upload<S>(stream: &mut S, transfer: &Transfer, speed: &mut Speed) -> Result<End, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (host, bytes) = (&transfer.place.name, transfer.bytes);
    let head = format!(
        "POST /upload HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {AGENT}\r\nContent-Length: {bytes}\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.map_err(|error| Failure::from(&error))?;
    let chunk = vec![b'r'; CHUNK];
    let mut left = bytes;
    while left > 0 {
        let next = chunk.get(..usize::try_from(left).unwrap_or(CHUNK).min(CHUNK)).unwrap_or(&chunk);
        let write = async {
            let written = stream.write(next).await.map_err(|error| Failure::from(&error))?;
            stream.flush().await.map_err(|error| Failure::from(&error))?;
            Ok(written)
        };
        match speed.step(write).await {
            Step::Moved(length) => left -= length as u64,
            Step::Ended(end) => return end,
        }
        speed.sent = bytes - left;
        if let Some(end) = speed.judge(false) {
            return Ok(end);
        }
    }
    // What the kernel keeps still has to go, and no read or write shows it going: the receipt may take its time.
    speed.timeouts.stall = speed.timeouts.stall.max(speed.timeouts.transfer * 6);
    let mut answer = [0; 64];
    let read = async { stream.read(&mut answer).await.map_err(|error| Failure::from(&error)) };
    match speed.step(read).await {
        Step::Moved(0) => Err(Failure::Eof),
        Step::Moved(length) if answer.get(..length).is_some_and(|answer| answer.starts_with(b"HTTP/1.1 200 ")) => {
            speed.all_sent = true;
            Ok(speed.judge(true).unwrap_or(End::Whole))
        }
        Step::Moved(_) => Err(not_http()),
        Step::Ended(end) => end,
    }
}

fn not_http() -> Failure {
    Failure::Unknown("no bytes were answered".to_owned())
}

/// How fast a transfer is.
struct Speed {
    began: Instant,
    way: Way,
    at_least: u32,
    timeouts: Timeouts,
    /// What was received, below TLS.
    received: Arc<AtomicU64>,
    /// The connection, where the kernel tells of it.
    pace: Option<Pace>,
    /// What of it came before the transfer began.
    before: u64,
    /// What was handed to the kernel.
    sent: u64,
    /// Whether the server has all of it.
    all_sent: bool,
    /// What was moved when it was last looked at, and when that was more than before.
    seen: u64,
    changed: Instant,
}

/// What one read or write gave.
enum Step {
    /// So many bytes.
    Moved(usize),
    /// The end.
    Ended(Result<End, Failure>),
}

impl Speed {
    fn new(transfer: &Transfer, timeouts: Timeouts, received: Arc<AtomicU64>, pace: Option<Pace>) -> Self {
        let before = received.load(Ordering::Relaxed);
        let Transfer { way, at_least, .. } = *transfer;
        let began = Instant::now();
        let (sent, all_sent, seen, changed) = (0, false, 0, began);
        Self { began, way, at_least, timeouts, received, pace, before, sent, all_sent, seen, changed }
    }

    /// One read or write, if it does not stand still. Whether bytes still come is looked at below TLS, where a part of a
    /// record shows too.
    async fn step(&mut self, work: impl Future<Output = Result<usize, Failure>>) -> Step {
        tokio::pin!(work);
        loop {
            if let Ok(ended) = timeout(LOOK, &mut work).await {
                self.look();
                return ended.map_or_else(|failure| Step::Ended(Err(failure)), Step::Moved);
            }
            self.look();
            let stands = self.changed.elapsed();
            if stands >= self.timeouts.stall {
                let began = self.moved() >= BEGUN;
                return Step::Ended(if began { Ok(End::Stands) } else { Err(Failure::GenericTimeout) });
            }
            // What has not moved for a while may stand still, and is not called slow before that is known.
            if let Some(end) = self.judge(false).filter(|_| stands < self.timeouts.stall / 4) {
                return Step::Ended(Ok(end));
            }
        }
    }

    /// So far, in kilobits a second.
    fn rate(&self) -> u64 {
        let milliseconds = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        self.moved().saturating_mul(8) / milliseconds
    }

    fn look(&mut self) {
        if let Some(pace) = &mut self.pace {
            pace.look();
        }
        let moved = self.moved();
        if moved > self.seen {
            (self.seen, self.changed) = (moved, Instant::now());
        }
    }

    /// Whether it has ended: all was moved, or it is clear that it is slow.
    fn judge(&self, whole: bool) -> Option<End> {
        let elapsed = self.began.elapsed();
        // Kilobits a second are bits a millisecond.
        // Why it is slow may take longer to show than that it is.
        let is_clear = self.pace.as_ref().is_none_or(Pace::is_clear);
        let enough = self.timeouts.transfer * if is_clear { 1 } else { UNCLEAR };
        let slow = u128::from(self.moved()) * 8 < u128::from(self.at_least) * elapsed.as_millis();
        match (whole, slow) {
            (true, false) => Some(End::Whole),
            (true, true) => Some(End::Slow),
            (false, slow) => (slow && elapsed >= enough && self.moved() >= BEGUN).then_some(End::Slow),
        }
    }

    /// How many bytes are at the other end for certain.
    fn moved(&self) -> u64 {
        match self.way {
            Way::Down => self.received.load(Ordering::Relaxed) - self.before,
            Way::Up if self.all_sent => self.sent,
            Way::Up => self.sent.saturating_sub(KEPT),
        }
    }
}

const CHUNK: usize = 16 * 1024;
/// How much the kernel keeps of what is sent; it takes twice that.
const KEPT_BY_KERNEL: u32 = 16 * 1024;
/// How much may be on its way, in the kernel and in TLS.
const KEPT: u64 = 2 * KEPT_BY_KERNEL as u64 + CHUNK as u64;
/// More than this is an answer that began; TLS itself sends less behind its handshake.
const BEGUN: u64 = 2048;
/// So many times as long it is looked at where it is slow and nothing says why.
const UNCLEAR: u32 = 3;
/// How often a transfer that gives nothing is looked at.
const LOOK: Duration = Duration::from_millis(50);

#[cfg(test)]
#[path = "transfer_tests.rs"]
mod tests;
