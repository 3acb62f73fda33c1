//! DNS over UDP and TCP at one address.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::timeout;

use super::dns::Transport;
use super::lies::Speaker;
use super::listen::{accept_each, bind_tcp, bind_udp, note_and_wait};
use super::servers::Problems;

/// A name server that is bound and does not run yet.
#[derive(Debug)]
pub(super) struct NameServer {
    udp: UdpSocket,
    tcp: TcpListener,
    address: SocketAddr,
}

impl NameServer {
    /// Binds both transports to the same port. Must be called on a tokio runtime.
    pub(super) fn bind(wanted: SocketAddr) -> io::Result<Self> {
        let tcp = bind_tcp(wanted)?;
        let address = tcp.local_addr()?;
        Ok(Self { udp: bind_udp(address)?, tcp, address })
    }

    /// Where it is.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers for ever.
    pub(super) async fn run(self, speaker: Speaker, server: Arc<str>, problems: Problems) {
        let Self { udp, tcp, address } = self;
        let speaker = Arc::new(speaker);
        let datagrams = answer_datagrams(udp, address, Arc::clone(&speaker), Arc::clone(&server), problems.clone());
        let connections = accept_each(tcp, server, problems, move |stream, client| {
            let speaker = Arc::clone(&speaker);
            async move {
                // A connection that breaks is the client's affair, or the censor's.
                let _ = answer_stream(stream, client, address, &speaker).await;
            }
        });
        tokio::join!(datagrams, connections);
    }
}

async fn answer_datagrams(
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

/// Answers the queries of one connection in their order, each with its length before it (RFC 7766 sections 6.2 and 8).
/// Silence leaves the connection open.
async fn answer_stream(
    mut stream: TcpStream,
    client: SocketAddr,
    address: SocketAddr,
    speaker: &Speaker,
) -> io::Result<()> {
    loop {
        let query = timeout(IDLE, read_message(&mut stream)).await??;
        let Some(answer) = speaker.reply(&query, Transport::Tcp, client, address) else { continue };
        let Ok(length) = u16::try_from(answer.len()) else { continue };
        let mut message = Vec::with_capacity(answer.len() + 2);
        message.extend_from_slice(&length.to_be_bytes());
        message.extend_from_slice(&answer);
        timeout(IDLE, stream.write_all(&message)).await??;
    }
}

async fn read_message(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let length = stream.read_u16().await?;
    let mut message = vec![0; usize::from(length)];
    stream.read_exact(&mut message).await?;
    Ok(message)
}

/// How long a connection may stand still: longer than any client waits for an answer that does not come.
const IDLE: Duration = Duration::from_secs(120);
