//! Whatever comes is sent back (RFC 862), for tests of paths that care for no protocol.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UdpSocket;

use super::listen::note_and_wait;
use super::servers::Problems;

/// Sends a connection's bytes back until the client ends it.
pub(super) async fn serve_stream<S>(stream: S) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite,
{
    let (mut bytes, mut answers) = tokio::io::split(stream);
    tokio::io::copy(&mut bytes, &mut answers).await?;
    tokio::io::AsyncWriteExt::shutdown(&mut answers).await
}

/// Sends datagrams back for ever.
pub(super) async fn serve_datagrams(socket: UdpSocket, server: Arc<str>, problems: Problems) {
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((length, client)) => {
                // An answer that cannot be sent is lost, as on any network.
                let _ = socket.send_to(buffer.get(..length).unwrap_or_default(), client).await;
            }
            Err(error) => note_and_wait(&error, &server, &problems).await,
        }
    }
}
