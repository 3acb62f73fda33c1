//! A TCP connection whose bytes leave in segments of the sender's choice.
//!
//! A write of its own is not enough: the kernel appends to what it has not sent yet, and joins what it sends again.
//! `MSG_EOR` ends a segment for good (tcp(7) does not say so; `tcp_skb_can_collapse_to` of Linux does).

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use nix::sys::socket::{MsgFlags, send};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

/// A connection that ends a segment at given offsets of what is sent.
#[derive(Debug)]
pub(crate) struct Segments {
    stream: TcpStream,
    /// The lengths of the segments that are still to come, of which the first has so much left.
    lengths: VecDeque<usize>,
}

impl Segments {
    /// A connection of whose bytes the first are cut at these offsets, each greater than the one before.
    pub(crate) fn cut_at(stream: TcpStream, cuts: &[u16]) -> Self {
        let starts = std::iter::once(0).chain(cuts.iter().copied());
        let lengths = starts.zip(cuts).map(|(start, end)| usize::from(end - start)).filter(|length| *length > 0);
        Self { stream, lengths: lengths.collect() }
    }
}

impl AsyncRead for Segments {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Segments {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Some(length) = self.lengths.front().copied() else {
            return Pin::new(&mut self.stream).poll_write(context, bytes);
        };
        let segment = bytes.get(..length.min(bytes.len())).unwrap_or_default();
        let written = ready!(poll_send(&self.stream, context, segment, length == segment.len()))?;
        match length - written {
            0 => drop(self.lengths.pop_front()),
            left => self.lengths.iter_mut().take(1).for_each(|length| *length = left),
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Sends bytes that nothing that comes later is joined to.
pub(crate) async fn send_segment(stream: &TcpStream, bytes: &[u8]) -> io::Result<()> {
    let mut left = bytes;
    while !left.is_empty() {
        let written = std::future::poll_fn(|context| poll_send(stream, context, left, true)).await?;
        left = left.get(written..).unwrap_or_default();
    }
    Ok(())
}

fn poll_send(stream: &TcpStream, context: &mut Context<'_>, bytes: &[u8], ends: bool) -> Poll<io::Result<usize>> {
    let flags = if ends { MsgFlags::MSG_EOR } else { MsgFlags::empty() } | MsgFlags::MSG_NOSIGNAL;
    loop {
        ready!(stream.poll_write_ready(context))?;
        match stream.try_io(Interest::WRITABLE, || Ok(send(stream.as_raw_fd(), bytes, flags)?)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            sent => return Poll::Ready(sent),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::super::testing;
    use super::*;

    /// What the other end reads, and how many segments with data the kernel says were sent.
    async fn sent(cuts: &[u16], bytes: &[u8]) -> (Vec<u8>, Vec<usize>) {
        let (listener, remote) = testing::listener().await;
        let stream = TcpStream::connect(remote).await.expect("a connection");
        let (mut other, _) = listener.accept().await.expect("a connection");
        let mut segments = Segments::cut_at(stream, cuts);
        let (mut lengths, mut left) = (Vec::new(), bytes);
        while !left.is_empty() {
            let written = segments.write(left).await.expect("a write");
            lengths.push(written);
            left = &left[written..];
        }
        drop(segments);
        let mut read = Vec::new();
        other.read_to_end(&mut read).await.expect("bytes");
        (read, lengths)
    }

    #[tokio::test]
    async fn bytes_are_cut_where_it_is_said_and_nowhere_else() {
        let bytes: Vec<u8> = (0..100).collect();
        assert_eq!(sent(&[], &bytes).await, (bytes.clone(), vec![100]));
        assert_eq!(sent(&[1, 20], &bytes).await, (bytes.clone(), vec![1, 19, 80]));
        assert_eq!(sent(&[20, 100], &bytes).await, (bytes.clone(), vec![20, 80]));
        assert_eq!(sent(&[60, 500], &bytes).await, (bytes.clone(), vec![60, 40]));
    }

    #[tokio::test]
    async fn a_segment_may_come_in_several_writes() {
        let (listener, remote) = testing::listener().await;
        let stream = TcpStream::connect(remote).await.expect("a connection");
        let (mut other, _) = listener.accept().await.expect("a connection");
        let mut segments = Segments::cut_at(stream, &[10]);
        assert_eq!(segments.write(&[1; 6]).await.expect("a write"), 6);
        assert_eq!(segments.write(&[2; 6]).await.expect("a write"), 4);
        assert_eq!(segments.write(&[3; 6]).await.expect("a write"), 6);
        drop(segments);
        let mut read = Vec::new();
        other.read_to_end(&mut read).await.expect("bytes");
        assert_eq!(read, [vec![1; 6], vec![2; 4], vec![3; 6]].concat());
    }
}
