//! DNS over UDP, TCP and TLS.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::dns::Transport;
use super::lies::Speaker;
use super::listen::note_and_wait;
use super::servers::Problems;

/// Answers datagrams for ever.
pub(super) async fn answer_datagrams(
    socket: UdpSocket,
    address: SocketAddr,
    speaker: Arc<Speaker>,
    server: Arc<str>,
    problems: Problems,
) {
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((length, client)) => {
                let query = buffer.get(..length).unwrap_or_default();
                if let Some(answer) = speaker.reply(query, Transport::Udp, client, address) {
                    // An answer that cannot be sent is lost, as on any network.
                    let _ = socket.send_to(&answer, client).await;
                }
            }
            Err(error) => note_and_wait(&error, &server, &problems).await,
        }
    }
}

/// Answers the queries of one connection, over TLS too (RFC 7858), in their order, each with its length before it (RFC 7766 sections 6.2 and 8).
/// Silence leaves the connection open.
pub(super) async fn answer_stream<S>(
    mut stream: S,
    client: SocketAddr,
    address: SocketAddr,
    speaker: &Speaker,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        let query = timeout(IDLE, read_message(&mut stream)).await??;
        let Some(answer) = speaker.reply(&query, Transport::Tcp, client, address) else { continue };
        let Ok(length) = u16::try_from(answer.len()) else { continue };
        let mut message = Vec::with_capacity(answer.len() + 2);
        message.extend_from_slice(&length.to_be_bytes());
        message.extend_from_slice(&answer);
        timeout(IDLE, stream.write_all(&message)).await??;
        stream.flush().await?;
    }
}

async fn read_message<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Vec<u8>> {
    let length = stream.read_u16().await?;
    let mut message = vec![0; usize::from(length)];
    stream.read_exact(&mut message).await?;
    Ok(message)
}

/// How long a connection may stand still: longer than any client waits for an answer that does not come.
const IDLE: Duration = Duration::from_secs(120);
