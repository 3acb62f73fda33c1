//! A port that answers nothing, as that of a server that is down, or that takes no more connections.
//!
//! Linux drops a SYN, and says nothing, where as many connections wait to be taken as the listener asked for (listen(2);
//! `tcp_abort_on_overflow` is 0). So the port listens for one, has that one from the server itself, and never takes it.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket, UdpSocket};

use super::listen::note_and_wait;
use super::servers::Problems;

/// A TCP port whose queue is full.
#[derive(Debug)]
pub(super) struct Silence {
    address: SocketAddr,
    listener: TcpListener,
    waiting: TcpStream,
}

/// Makes the port silent; from now on no SYN to it is answered.
pub(super) fn occupy(address: SocketAddr) -> io::Result<Silence> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(0)?;
    let address = listener.local_addr()?;
    let waiting = TcpStream::connect(address)?;
    Ok(Silence { address, listener, waiting })
}

impl Silence {
    /// Where it is.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stays silent for ever.
    pub(super) async fn keep(self) {
        let _both = (self.listener, self.waiting);
        std::future::pending::<()>().await;
    }
}

/// Takes datagrams and answers none, for ever.
pub(super) async fn swallow_datagrams(socket: UdpSocket, server: Arc<str>, problems: Problems) {
    let mut buffer = [0; 1];
    loop {
        if let Err(error) = socket.recv_from(&mut buffer).await {
            note_and_wait(&error, &server, &problems).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_silent_port_neither_takes_nor_refuses() {
        let silence = occupy("127.0.0.1:0".parse().expect("an address")).expect("a port");
        let error = TcpStream::connect_timeout(&silence.address(), Duration::from_millis(300)).expect_err("silence");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
