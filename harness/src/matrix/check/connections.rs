//! New connections, one after the other and all kept: does each carry data?

use std::time::Duration;

use tokio::time::timeout;

use super::session::Session;
use super::{DefaultCheck, Fault, PartResult};
use crate::matrix::document::{Part, PartEnd};
use crate::probes::Failure;

/// Opens them and stops at the first that fails.
pub(super) async fn connections(check: &DefaultCheck) -> PartResult {
    let mut open = Vec::new();
    for number in 0..COUNT {
        match one(check).await {
            Ok(session) => open.push(session),
            Err(fault) => {
                let end = if number == 0 { fault.end() } else { PartEnd::Partial };
                return PartResult::counted(Part::Connections, end, number, COUNT).because(fault);
            }
        }
    }
    PartResult::counted(Part::Connections, PartEnd::Whole, COUNT, COUNT)
}

async fn one(check: &DefaultCheck) -> Result<Session, Fault> {
    let mut session = Session::open(check).await?;
    let fetched = timeout(ANSWER, session.fetch(FEW)).await.unwrap_or(Err(Failure::GenericTimeout));
    fetched.map_err(Fault::after)?;
    Ok(session)
}

/// As many as a browser opens for a page or two; RU-SIB-1 counts to about 12.
const COUNT: u64 = 20;
const FEW: u64 = 1024;
pub(super) const ANSWER: Duration = Duration::from_secs(4);
