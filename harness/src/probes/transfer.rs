//! A transfer whose speed counts: bytes over HTTPS, fetched or sent. TCP's timers do not follow the lab's clock, so speed is
//! measured on the machine's own.

use std::net::IpAddr;
use std::net::SocketAddr;
use std::time::Duration;

use roadblock_scenarios::model::{Family, VerdictWord};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use super::exchange::AGENT;
use super::failure::Failure;
use super::named::Named;
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
    let mut trace = Trace::default();
    let address = match transfer.pinned {
        Some(address) => address,
        None => match transfer.place.lookup(&mut trace, tools, transfer.family).await {
            Ok(address) => address,
            Err(failure) => return trace.unresolved(failure),
        },
    };
    match moved(&mut trace, tools, transfer, SocketAddr::new(address, transfer.port)).await {
        Ok(End::Whole) => trace.end(VerdictWord::Ok),
        Ok(End::Slow) => trace.end(VerdictWord::Throttled).said("slow"),
        Ok(End::Stands) => trace.failed(Failure::GenericTimeout).judged(VerdictWord::Freezes).said("freezes"),
        Err(failure) => trace.failed(failure),
    }
}

async fn moved(trace: &mut Trace, tools: &Tools, transfer: &Transfer, remote: SocketAddr) -> Result<End, Failure> {
    let greeting = Greeting { remote, sni: transfer.place.name.clone(), verify: true, alpn: Alpn::Http1 };
    let mut stream = tls::connect(trace, tools, &greeting).await?;
    let local_port = stream.get_ref().0.local_addr().map_or(0, |address| address.port());
    let place = Place { operation: Operation::Transfer, remote, local_port };
    let mut speed = Speed::new(transfer, tools.timeouts);
    let work = async {
        match transfer.way {
            Way::Down => download(&mut stream, transfer, &mut speed).await,
            Way::Up => upload(&mut stream, transfer, &mut speed).await,
        }
    };
    trace.layer(place, tools.timeouts.transfer * 4, work).await
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
    loop {
        let read = async { stream.read(&mut buffer).await.map_err(|error| Failure::from(&error)) };
        let length = match speed.step(read).await {
            Step::Moved(0) => return Err(Failure::Eof),
            Step::Moved(length) => length,
            Step::Ended(end) => return end,
        };
        let received = buffer.get(..length).unwrap_or_default();
        let body = if speed.moved == 0 { after_head(&mut head, received)? } else { length };
        speed.moved += body as u64;
        if let Some(end) = speed.judge() {
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
        // What the kernel keeps is not moved yet, so only the receipt ends it; but what is slow shows here too.
        speed.moved = (bytes - left).saturating_sub(1);
        if let Some(end) = speed.judge() {
            return Ok(end);
        }
    }
    let mut answer = [0; 64];
    let read = async { stream.read(&mut answer).await.map_err(|error| Failure::from(&error)) };
    match speed.step(read).await {
        Step::Moved(0) => Err(Failure::Eof),
        Step::Moved(length) if answer.get(..length).is_some_and(|answer| answer.starts_with(b"HTTP/1.1 200 ")) => {
            speed.moved = bytes;
            Ok(speed.judge().unwrap_or(End::Whole))
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
    bytes: u64,
    moved: u64,
    at_least: u32,
    timeouts: Timeouts,
}

/// What one read or write gave.
enum Step {
    /// So many bytes.
    Moved(usize),
    /// The end.
    Ended(Result<End, Failure>),
}

impl Speed {
    fn new(transfer: &Transfer, timeouts: Timeouts) -> Self {
        Self { began: Instant::now(), bytes: transfer.bytes, moved: 0, at_least: transfer.at_least, timeouts }
    }

    /// One read or write, if it does not stand still.
    async fn step(&self, work: impl Future<Output = Result<usize, Failure>>) -> Step {
        match timeout(self.timeouts.stall, work).await {
            Ok(Ok(length)) => Step::Moved(length),
            Ok(Err(failure)) => Step::Ended(Err(failure)),
            Err(_) if self.moved == 0 => Step::Ended(Err(Failure::GenericTimeout)),
            Err(_) => Step::Ended(Ok(End::Stands)),
        }
    }

    /// Whether it has ended: all was moved, or it is clear that it is slow.
    fn judge(&self) -> Option<End> {
        let elapsed = self.began.elapsed();
        let slow = self.is_slow(elapsed);
        if self.moved >= self.bytes {
            return Some(if slow { End::Slow } else { End::Whole });
        }
        (slow && elapsed >= self.timeouts.transfer).then_some(End::Slow)
    }

    fn is_slow(&self, elapsed: Duration) -> bool {
        // Kilobits a second are bits a millisecond.
        u128::from(self.moved) * 8 < u128::from(self.at_least) * elapsed.as_millis()
    }
}

const CHUNK: usize = 16 * 1024;

#[cfg(test)]
#[path = "transfer_tests.rs"]
mod tests;
