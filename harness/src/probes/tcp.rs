//! TCP: can a connection be made?

use std::net::SocketAddr;

use nix::sys::socket::{setsockopt, sockopt};
use roadblock_censor::policy::TcpFlags;
use roadblock_emulator::bare_segment;
use roadblock_scenarios::model::VerdictWord;
use tokio::net::TcpStream;

use super::failure::Failure;
use super::tools::Tools;
use super::trace::{Operation, Outcome, Place, Trace};

/// Connects and says how it went.
pub(crate) async fn probe(tools: &Tools, remote: SocketAddr) -> Outcome {
    let mut trace = Trace::default();
    match connect(&mut trace, tools, remote).await {
        Ok(_) => trace.end(VerdictWord::Ok),
        Err(failure) => trace.failed(failure),
    }
}

/// A connection, for the layers above.
pub(crate) async fn connect(trace: &mut Trace, tools: &Tools, remote: SocketAddr) -> Result<TcpStream, Failure> {
    open(trace, tools, remote, Opening::default()).await
}

/// How a connection is opened otherwise than usual.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Opening<'a> {
    /// How many bytes of what is sent the kernel is to keep at most.
    pub(crate) kept: Option<u32>,
    /// The longest segment that it sends and offers to take, where that is not the usual one.
    pub(crate) segment: Option<u32>,
    /// Bare segments that are sent from its ports before it is opened, by their flags.
    pub(crate) before: &'a [TcpFlags],
}

/// A connection that is opened like this.
pub(crate) async fn open(
    trace: &mut Trace,
    tools: &Tools,
    remote: SocketAddr,
    opening: Opening<'_>,
) -> Result<TcpStream, Failure> {
    let (socket, local_port) = tools.source.tcp(remote.ip()).map_err(|error| Failure::of_socket(&error))?;
    if let Some(kept) = opening.kept {
        socket.set_send_buffer_size(kept).map_err(|error| Failure::of_socket(&error))?;
    }
    if let Some(segment) = opening.segment {
        let set = setsockopt(&socket, sockopt::TcpMaxSeg, &segment);
        set.map_err(|error| Failure::of_socket(&error.into()))?;
    }
    let local = socket.local_addr().map_err(|error| Failure::of_socket(&error))?;
    for flags in opening.before {
        bare_segment::send(local, remote, *flags).map_err(|error| Failure::of_socket(&error))?;
    }
    let place = Place { operation: Operation::Connect, remote, local_port };
    let connected = async {
        let stream = socket.connect(remote).await?;
        // As every app of the lab does: a message must not wait for the receipt of the one before.
        stream.set_nodelay(true)?;
        Ok(stream)
    };
    let connected = async { connected.await.map_err(|error: std::io::Error| Failure::from(&error)) };
    trace.layer(place, tools.timeouts.tcp, connected).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::socket::Source;
    use super::super::testing;
    use super::super::timeouts::Timeouts;
    use super::*;

    #[tokio::test]
    async fn a_listener_is_reached_from_the_clients_own_address() {
        let (listener, remote) = testing::listener().await;
        let outcome = probe(&testing::tools_from(testing::source()), remote).await;
        let (_, seen) = listener.accept().await.expect("a connection");
        assert_eq!((outcome.verdict, outcome.failure.clone()), (VerdictWord::Ok, None));
        assert_eq!(Some(seen.port()), outcome.local_port());
    }

    #[tokio::test]
    async fn a_closed_port_refuses() {
        let remote = testing::closed_port().await;
        let outcome = probe(&testing::tools_from(testing::source()), remote).await;
        assert_eq!((outcome.verdict, outcome.failure), (VerdictWord::Tcp, Some(Failure::ConnectionRefused)));
    }

    #[tokio::test]
    async fn a_full_backlog_times_out() {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind(testing::ANY_PORT).expect("a port");
        let listener = socket.listen(1).expect("a listener");
        let remote = listener.local_addr().expect("its address");
        let timeouts = Timeouts { tcp: Duration::from_millis(100), ..Timeouts::default() };
        let tools = Tools { timeouts, ..testing::tools_from(testing::source()) };
        let mut waiting = Vec::new();
        let mut last = None;
        for _ in 0..4 {
            let mut trace = Trace::default();
            match connect(&mut trace, &tools, remote).await {
                Ok(stream) => waiting.push(stream),
                Err(failure) => last = Some(failure),
            }
        }
        assert_eq!(last, Some(Failure::GenericTimeout));
    }

    #[tokio::test]
    async fn the_same_ports_can_be_used_again_at_once() {
        let (_listener, remote) = testing::listener().await;
        let first = Source { abort: true, ..testing::source() };
        let port = probe(&testing::tools_from(first), remote).await.local_port();
        let again = probe(&testing::tools_from(Source { port, ..testing::source() }), remote).await;
        assert_eq!((again.verdict, again.local_port()), (VerdictWord::Ok, port));
    }

    #[tokio::test]
    async fn an_address_that_is_not_ours_is_no_verdict_about_the_network() {
        let (_listener, remote) = testing::listener().await;
        let mut source = testing::source();
        source.client.v4 = "192.0.2.1".parse().expect("an address");
        let outcome = probe(&testing::tools_from(source), remote).await;
        assert_eq!(outcome.verdict, VerdictWord::Unmeasured);
        assert_eq!(outcome.failure, Some(Failure::AddressNotAvailable));
    }
}
