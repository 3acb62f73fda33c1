//! One connection on which bytes move until all are through or nothing comes any more, and what it had carried by then, as its
//! client's own kernel counts it.

use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use roadblock_emulator::kernel::tcp_info;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep, timeout};

use super::exchange::AGENT;
use super::failure::Failure;
use super::tcp::{self, Opening};
use super::tls::{self, Alpn, Greeting};
use super::tools::Tools;
use super::trace::{Operation, Place, Trace};
use super::transfer::{Transfer, Way};

/// What a connection has carried, from its SYN on.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Carried {
    /// Segments of any kind that came.
    pub(crate) packets_in: u32,
    /// Segments of any kind that were sent.
    pub(crate) packets_out: u32,
    /// Payload that came.
    pub(crate) bytes_in: u64,
    /// Payload that was sent and arrived.
    pub(crate) bytes_out: u64,
}

/// How it ended, where nothing failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    /// All bytes are through.
    Whole,
    /// It began, and stands still.
    Stands,
}

/// One connection's end and what it had carried when it last moved.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Run {
    /// How it ended.
    pub(crate) end: End,
    /// What it had carried.
    pub(crate) carried: Carried,
}

/// Moves a transfer's bytes over a connection of its own, in segments of the usual length or of a shorter one.
pub(crate) async fn run(
    trace: &mut Trace,
    tools: &Tools,
    transfer: &Transfer,
    remote: SocketAddr,
    segment: Option<u32>,
) -> Result<Run, Failure> {
    let greeting = Greeting { remote, sni: transfer.place.name.clone(), verify: transfer.verify, alpn: Alpn::Http1 };
    let connected = tcp::open(trace, tools, remote, Opening { segment, ..Opening::default() }).await?;
    let local_port = connected.local_addr().map_or(0, |address| address.port());
    let socket = connected.as_fd().try_clone_to_owned().map_err(|error| Failure::of_socket(&error))?;
    let mut stream = tls::shake_from(trace, tools, &greeting, local_port, connected).await?;
    let mut watch = Watch { socket, stall: tools.timeouts.stall, carried: Carried::default(), changed: Instant::now() };
    let place = Place { operation: Operation::Transfer, remote, local_port };
    let moved = async {
        match transfer.way {
            Way::Down => download(&mut stream, transfer, &mut watch).await,
            Way::Up => upload(&mut stream, transfer, segment, &mut watch).await,
        }
    };
    let end = trace.layer(place, tools.timeouts.stall * LONGEST, moved).await?;
    Ok(Run { end, carried: watch.carried })
}

async fn download<S>(stream: &mut S, transfer: &Transfer, watch: &mut Watch) -> Result<End, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (host, bytes) = (&transfer.place.name, transfer.bytes);
    let request =
        format!("GET /bytes/{bytes} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {AGENT}\r\nConnection: close\r\n\r\n");
    write(stream, request.as_bytes()).await?;
    let mut buffer = vec![0; CHUNK];
    let mut read = 0;
    // The head comes on top, so that all of it is through a little later than this says.
    while read < bytes {
        match timeout(LOOK, stream.read(&mut buffer)).await {
            Ok(Ok(0)) => return Err(Failure::Eof),
            Ok(Ok(length)) => read += length as u64,
            Ok(Err(error)) => return Err(Failure::from(&error)),
            Err(_) => {}
        }
        if watch.stands(|before, now| now.bytes_in > before.bytes_in)? {
            return Ok(End::Stands);
        }
    }
    Ok(End::Whole)
}

/// Each segment waits for the receipt of the one before, so that it is known how many had passed.
async fn upload<S>(stream: &mut S, transfer: &Transfer, segment: Option<u32>, watch: &mut Watch) -> Result<End, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (host, bytes) = (&transfer.place.name, transfer.bytes);
    let head = format!(
        "POST /upload HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {AGENT}\r\nContent-Length: {bytes}\r\n\
         Connection: close\r\n\r\n"
    );
    write(stream, head.as_bytes()).await?;
    let chunk = segment.map_or(USUAL_CHUNK, |segment| usize::try_from(segment).unwrap_or(CHUNK) - OVERHEAD);
    let mut left = usize::try_from(bytes).unwrap_or(usize::MAX);
    while left > 0 {
        let next = chunk.min(left);
        write(stream, &vec![b'r'; next]).await?;
        left -= next;
        while watch.outstanding()? {
            if watch.stands(|before, now| now.bytes_out > before.bytes_out)? {
                return Ok(End::Stands);
            }
            sleep(MOMENT).await;
        }
        watch.stands(|before, now| now.bytes_out > before.bytes_out)?;
    }
    Ok(End::Whole)
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> Result<(), Failure> {
    stream.write_all(bytes).await.map_err(|error| Failure::from(&error))?;
    stream.flush().await.map_err(|error| Failure::from(&error))
}

/// A connection that is looked at.
struct Watch {
    /// A descriptor of its own, because the session holds the other.
    socket: OwnedFd,
    stall: Duration,
    carried: Carried,
    changed: Instant,
}

impl Watch {
    /// Notes what was carried if that is more than before, and says whether it has not been for too long.
    fn stands(&mut self, moved: impl Fn(&Carried, &Carried) -> bool) -> Result<bool, Failure> {
        let info = tcp_info::read(self.socket.as_fd()).map_err(|error| Failure::of_socket(&error))?;
        let now = Carried {
            packets_in: info.segments_in,
            packets_out: info.segments_out,
            bytes_in: info.bytes_received,
            bytes_out: info.bytes_acknowledged,
        };
        if moved(&self.carried, &now) {
            (self.carried, self.changed) = (now, Instant::now());
        }
        Ok(self.changed.elapsed() >= self.stall)
    }

    /// Whether something was sent that did not arrive yet.
    fn outstanding(&self) -> Result<bool, Failure> {
        let info = tcp_info::read(self.socket.as_fd()).map_err(|error| Failure::of_socket(&error))?;
        Ok(info.outstanding > 0 || info.unsent > 0)
    }
}

const CHUNK: usize = 16 * 1024;
/// One record that fits into one segment.
const USUAL_CHUNK: usize = 1300;
/// The header and tag of a record, and TCP's timestamps.
const OVERHEAD: usize = 48;
/// How often a download is looked at.
const LOOK: Duration = Duration::from_millis(10);
/// How often an upload is.
const MOMENT: Duration = Duration::from_millis(1);
/// So many stalls long it may take.
const LONGEST: u32 = 10;
