//! A quarter of a megabyte to a server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::Instant;

use super::progress::{Ended, rate, watched};
use super::session::Session;
use super::{DefaultCheck, Fault, PartResult, download};
use crate::matrix::document::{Part, PartEnd};
use crate::probes::Failure;

/// Sends it on one connection, in pieces of which each is acknowledged by the server: what a tool's client has taken is not
/// there yet.
pub(super) async fn upload(check: &DefaultCheck) -> PartResult {
    let of = download::BYTES;
    let mut session = match Session::open(check).await {
        Ok(session) => session,
        Err(fault) => return PartResult::counted(Part::Upload, fault.end(), 0, of).because(fault),
    };
    let sent = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let counted = Arc::clone(&sent);
    let work = async move {
        let piece = vec![b'r'; PIECE];
        for _ in 0..of / PIECE as u64 {
            session.send(&piece).await?;
            counted.fetch_add(PIECE as u64, Ordering::Relaxed);
        }
        Ok(())
    };
    let ended = watched(&sent, work).await;
    let (took, done) = (began.elapsed(), sent.load(Ordering::Relaxed));
    let begun = if done > 0 { PartEnd::Partial } else { PartEnd::HandshakeOnly };
    let (end, failure) = match ended {
        Ended::Whole => (PartEnd::Whole, None),
        Ended::Moving => (PartEnd::Partial, None),
        Ended::Stands => (begun, Some(Failure::GenericTimeout)),
        Ended::Failed(failure) => (begun, Some(failure)),
    };
    let result = PartResult::counted(Part::Upload, end, done, of);
    let result = PartResult { kilobits_per_second: (done > 0).then(|| rate(done, took)), ..result };
    match failure {
        Some(failure) => result.because(Fault::after(failure)),
        None => result,
    }
}

const PIECE: usize = 8 * 1024;
