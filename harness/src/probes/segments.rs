//! Bytes on a TCP connection that leave in segments of the sender's choice.
//!
//! A write of its own is not enough: the kernel appends to what it has not sent yet, and joins what it sends again.
//! `MSG_EOR` ends a segment for good (tcp(7) does not say so; `tcp_skb_can_collapse_to` of Linux does).

use std::io;
use std::os::fd::AsRawFd;
use std::task::{Context, Poll, ready};

use nix::sys::socket::{MsgFlags, send};
use tokio::io::Interest;
use tokio::net::TcpStream;

/// Sends bytes that nothing that comes later is joined to.
pub(crate) async fn send_segment(stream: &TcpStream, bytes: &[u8]) -> io::Result<()> {
    let mut left = bytes;
    while !left.is_empty() {
        let written = std::future::poll_fn(|context| poll_send(stream, context, left)).await?;
        left = left.get(written..).unwrap_or_default();
    }
    Ok(())
}

fn poll_send(stream: &TcpStream, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
    loop {
        ready!(stream.poll_write_ready(context))?;
        let flags = MsgFlags::MSG_EOR | MsgFlags::MSG_NOSIGNAL;
        match stream.try_io(Interest::WRITABLE, || Ok(send(stream.as_raw_fd(), bytes, flags)?)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            sent => return Poll::Ready(sent),
        }
    }
}
