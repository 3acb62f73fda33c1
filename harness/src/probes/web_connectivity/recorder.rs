//! A connection whose every read and write is noted, as OONI's `network_events` have them.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::notes::Stamp;
use crate::ooni::network::NetworkEvent;
use crate::probes::failure::Failure;

/// What happened on a connection so far.
pub(super) type Events = Arc<Mutex<Vec<NetworkEvent>>>;

/// A connection that notes what happens on it.
#[derive(Debug)]
pub(super) struct Recorder {
    stream: TcpStream,
    stamp: Stamp,
    events: Events,
}

impl Recorder {
    /// A connection, and where its events are.
    pub(super) fn new(stream: TcpStream, stamp: Stamp) -> (Self, Events) {
        let events = Events::default();
        (Self { stream, stamp, events: Arc::clone(&events) }, events)
    }

    fn note(&self, operation: &str, bytes: usize, failure: Option<String>) {
        let event = self.stamp.event(operation, u64::try_from(bytes).ok(), failure);
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }
}

impl AsyncRead for Recorder {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, into);
        match &read {
            Poll::Ready(Ok(())) if into.filled().len() > before => {
                self.note("read", into.filled().len() - before, None);
            }
            Poll::Ready(Ok(())) => self.note("read", 0, Some(Failure::Eof.to_string())),
            Poll::Ready(Err(error)) => self.note("read", 0, Some(Failure::from(error).to_string())),
            Poll::Pending => {}
        }
        read
    }
}

impl AsyncWrite for Recorder {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        match &written {
            Poll::Ready(Ok(length)) => self.note("write", *length, None),
            Poll::Ready(Err(error)) => self.note("write", 0, Some(Failure::from(error).to_string())),
            Poll::Pending => {}
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
