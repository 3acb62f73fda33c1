//! A name, looked up the way the tool carries it.

use std::time::Duration;

use tokio::time::timeout;

use super::way::unresolved;
use super::{DefaultCheck, Fault, PartResult};
use crate::matrix::check_host;
use crate::matrix::document::{Part, PartEnd};
use crate::probes::Failure;
use crate::probes::{Trace, ask_on, resolve};

/// Asks for the name of the page: over UDP, and twice, as a stub resolver does; by a proxy over TCP, which is what proxies
/// carry.
pub(super) async fn lookup(check: &DefaultCheck) -> PartResult {
    let name = &check.target.url.host;
    let asked = if check.way.resolves() { by_proxy(check).await } else { by_datagram(check).await };
    let result = match asked {
        Ok(()) => PartResult::new(Part::Dns, PartEnd::Whole),
        Err(fault) => PartResult::new(Part::Dns, fault.end()).because(fault),
    };
    PartResult { how: result.how.or_else(|| Some(name.clone())), ..result }
}

async fn by_proxy(check: &DefaultCheck) -> Result<(), Fault> {
    let (name, truth) = (&check.target.url.host, &check.target.truth);
    let stream = check.way.connect(check_host::NAME, truth, DNS).await?;
    let question = check.way.question(name);
    let asked = ask_on(stream, &question, truth);
    let answered = timeout(ANSWER, asked).await.unwrap_or(Err(Some(Failure::GenericTimeout)));
    answered.map(drop).map_err(|failure| unresolved(name, failure))
}

async fn by_datagram(check: &DefaultCheck) -> Result<(), Fault> {
    let (name, truth) = (&check.target.url.host, &check.target.truth);
    let question = check.way.question(name);
    let ask = || async { resolve(&mut Trace::default(), &check.way.tools, &question, truth).await };
    let answered = match ask().await {
        Err(Some(Failure::GenericTimeout)) => ask().await,
        answered => answered,
    };
    answered.map(drop).map_err(|failure| unresolved(name, failure))
}

const DNS: u16 = 53;
const ANSWER: Duration = Duration::from_secs(4);
