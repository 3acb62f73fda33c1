//! Both address families at once, as browsers use them: happy eyeballs (RFC 8305).

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;

use futures_util::future::{Either, select};
use roadblock_scenarios::model::Family;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::failure::Failure;
use super::named::Named;
use super::tcp;
use super::tools::Tools;
use super::trace::{Outcome, Trace};

/// How far IPv6 is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Six {
    /// Its address is asked for.
    Asking,
    /// It is being connected to.
    Connecting,
    /// There is no way over it.
    Failed,
}

/// One family's way: what was met, and the connection.
type Way = (Trace, Result<(IpAddr, TcpStream), Option<Failure>>);

/// Asks for AAAA and A at the same time, and connects to IPv6 first and to IPv4 when that takes too long or fails
/// (sections 3 to 5). What was met on both ways is noted, the way that decides last.
pub(crate) async fn connect(
    trace: &mut Trace,
    tools: &Tools,
    place: &Named,
    port: u16,
) -> Result<(IpAddr, TcpStream), Option<Failure>> {
    let (progress, seen) = watch::channel(Six::Asking);
    let (six, four) = (pin!(over_six(tools, place, port, progress)), pin!(over_four(tools, place, port, seen)));
    let (first, other) = match select(six, four).await {
        Either::Left((way, four)) => (way, Either::Left(four)),
        Either::Right((way, six)) => (way, Either::Right(six)),
    };
    let (met, connected) = first;
    trace.absorb(met);
    if connected.is_ok() {
        return connected;
    }
    let (met, connected) = match other {
        Either::Left(four) => four.await,
        Either::Right(six) => six.await,
    };
    trace.absorb(met);
    connected
}

/// The outcome with the family that was used among its keys.
pub(crate) fn note_winner(mut outcome: Outcome, remote: IpAddr) -> Outcome {
    let family = if remote.is_ipv6() { "v6" } else { "v4" };
    outcome.test_keys.insert("family".to_owned(), family.into());
    outcome
}

async fn over_six(tools: &Tools, place: &Named, port: u16, progress: watch::Sender<Six>) -> Way {
    let mut trace = Trace::default();
    let connected = match place.lookup(&mut trace, tools, Family::V6).await {
        Ok(address) => {
            progress.send_replace(Six::Connecting);
            to(&mut trace, tools, address, port).await
        }
        Err(failure) => Err(failure),
    };
    if connected.is_err() {
        progress.send_replace(Six::Failed);
    }
    (trace, connected)
}

async fn over_four(tools: &Tools, place: &Named, port: u16, mut six: watch::Receiver<Six>) -> Way {
    let mut trace = Trace::default();
    let connected = match place.lookup(&mut trace, tools, Family::V4).await {
        Ok(address) => {
            // Section 3: an A that comes first waits a little for the AAAA. Section 5: IPv6 has a head start. Either
            // wait ends early when IPv6 fails, and a sender that is gone has failed or won.
            let _ = timeout(tools.timeouts.resolution_delay, six.wait_for(|six| *six != Six::Asking)).await;
            if *six.borrow() == Six::Connecting {
                let _ = timeout(tools.timeouts.attempt_delay, six.wait_for(|six| *six == Six::Failed)).await;
            }
            to(&mut trace, &tools.without_port(), address, port).await
        }
        Err(failure) => Err(failure),
    };
    (trace, connected)
}

async fn to(
    trace: &mut Trace,
    tools: &Tools,
    address: IpAddr,
    port: u16,
) -> Result<(IpAddr, TcpStream), Option<Failure>> {
    let stream = tcp::connect(trace, tools, SocketAddr::new(address, port)).await.map_err(Some)?;
    Ok((address, stream))
}
