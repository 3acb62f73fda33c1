//! Sockets at one address each, and a loop that takes connections for as long as it runs.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio::task::JoinSet;

use super::servers::{ProblemKind, Problems};

/// A TCP listener. It may take the place of one that is gone but has connections in TIME-WAIT.
pub(super) fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// A UDP socket.
pub(super) fn bind_udp(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = std::net::UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

/// Takes connections for ever and runs each as a task of its own; they end with this future.
pub(super) async fn accept_each<F>(
    listener: TcpListener,
    server: Arc<str>,
    problems: Problems,
    serve: impl Fn(TcpStream, SocketAddr) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    // Answers are small and must not wait for the acknowledgement of the one before.
                    let _ = stream.set_nodelay(true);
                    connections.spawn(serve(stream, peer));
                }
                Err(error) => note_and_wait(&error, &server, &problems).await,
            },
            Some(ended) = connections.join_next(), if !connections.is_empty() => {
                if ended.is_err_and(|error| error.is_panic()) {
                    problems.note(&server, ProblemKind::Panicked);
                }
            }
        }
    }
}

/// After an error in taking connections or datagrams. One that concerns a single client is its own affair (accept(2));
/// another, as of too many open files, would come again at once, so the server waits before it tries again.
pub(super) async fn note_and_wait(error: &io::Error, server: &Arc<str>, problems: &Problems) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable, NetworkUnreachable};
    match error.kind() {
        ConnectionAborted | ConnectionRefused | ConnectionReset | HostUnreachable | NetworkUnreachable => {}
        _ => {
            problems.note(server, ProblemKind::Receive(error.to_string()));
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// The kernel lowers it to its own limit, net.core.somaxconn.
const BACKLOG: u32 = 4096;
const PAUSE: Duration = Duration::from_millis(50);
