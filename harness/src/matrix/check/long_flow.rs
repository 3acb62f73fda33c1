//! One connection that is kept up for a minute of the lab's clock, with a little on it all the time.

use std::time::Duration;

use tokio::time::timeout;

use super::connections::ANSWER;
use super::session::Session;
use super::{DefaultCheck, Fault, PartResult};
use crate::matrix::document::{Part, PartEnd};
use crate::matrix::verdict::LONG_FLOW_STEP_SECONDS;
use crate::probes::Failure;

/// Opens it, and fetches a little every few seconds.
pub(super) async fn long_flow(check: &DefaultCheck) -> PartResult {
    let mut session = match Session::open(check).await {
        Ok(session) => session,
        Err(fault) => return PartResult::counted(Part::LongFlow, fault.end(), 0, SECONDS).because(fault),
    };
    let time = &check.way.tools.time;
    let mut kept = 0;
    loop {
        let fetched = timeout(ANSWER, session.fetch(LITTLE)).await.unwrap_or(Err(Failure::GenericTimeout));
        if let Err(failure) = fetched {
            let end = if kept == 0 { PartEnd::HandshakeOnly } else { PartEnd::Partial };
            let result = PartResult::counted(Part::LongFlow, end, kept, SECONDS);
            return result.because(Fault::after(failure));
        }
        if kept >= SECONDS {
            return PartResult::counted(Part::LongFlow, PartEnd::Whole, SECONDS, SECONDS);
        }
        time.sleep_until(time.now() + Duration::from_secs(LONG_FLOW_STEP_SECONDS)).await;
        kept += LONG_FLOW_STEP_SECONDS;
    }
}

const SECONDS: u64 = 60;
const LITTLE: u64 = 512;
