//! When something that was started is ready.

use std::process::ExitStatus;
use std::time::Duration;

use roadblock_scenarios::model::Readiness;

use super::LabError;
use crate::kernel::namespace::Namespace;
use crate::kernel::sockets::{self, Transport};

/// Why something is not ready.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotReady {
    /// It has ended.
    #[error("it ended before it was ready: {0}")]
    Ended(ExitStatus),
    /// It took too long.
    #[error("it was not ready ({ready}) within {} s", within.as_secs_f64())]
    Late {
        /// What was waited for.
        ready: Readiness,
        /// For how long.
        within: Duration,
    },
}

/// Waits until what runs in a namespace is ready; `log` is what it has printed, `ended` how it ended, if it has.
pub(super) fn wait_until_ready(
    namespace: &Namespace,
    ready: &Readiness,
    within: Duration,
    log: impl Fn() -> String,
    mut ended: impl FnMut() -> Option<ExitStatus>,
) -> Result<Result<(), NotReady>, LabError> {
    let mut waited = Duration::ZERO;
    loop {
        let at_port = |transport, port| {
            let bound = namespace.block_on(async move { sockets::is_bound(transport, port) });
            bound.and_then(|bound| bound).map_err(LabError::system("list the sockets of a namespace"))
        };
        let is_ready = match ready {
            Readiness::Tcp(port) => at_port(Transport::TcpListener, *port)?,
            Readiness::Udp(port) => at_port(Transport::Udp, *port)?,
            Readiness::Log(text) => log().contains(text),
        };
        if is_ready {
            return Ok(Ok(()));
        }
        if let Some(ended) = ended() {
            return Ok(Err(NotReady::Ended(ended)));
        }
        if waited >= within {
            return Ok(Err(NotReady::Late { ready: ready.clone(), within }));
        }
        namespace
            .block_on(async { tokio::time::sleep(LOOK_AGAIN).await })
            .map_err(LabError::system("wait until something is ready"))?;
        waited += LOOK_AGAIN;
    }
}

/// How often one looks whether something is ready.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
