//! A quarter of a megabyte from a server.

use std::sync::atomic::Ordering;

use tokio::time::Instant;

use super::progress::{Ended, rate, watched};
use super::session::Session;
use super::{DefaultCheck, Fault, PartResult};
use crate::matrix::document::{Part, PartEnd};
use crate::probes::Failure;

/// Fetches it on one connection. What is counted came below TLS, where a part of a record shows too.
pub(super) async fn download(check: &DefaultCheck) -> PartResult {
    let mut session = match Session::open(check).await {
        Ok(session) => session,
        Err(fault) => return PartResult::counted(Part::Download, fault.end(), 0, BYTES).because(fault),
    };
    let received = std::sync::Arc::clone(&session.received);
    let (began, before) = (Instant::now(), received.load(Ordering::Relaxed));
    let ended = watched(&received, session.fetch(BYTES)).await;
    let took = began.elapsed();
    let done = (received.load(Ordering::Relaxed) - before).min(BYTES);
    let (end, failure) = match ended {
        Ended::Whole => (PartEnd::Whole, None),
        Ended::Moving => (PartEnd::Partial, None),
        Ended::Stands => (began_or_not(done), Some(Failure::GenericTimeout)),
        Ended::Failed(failure) => (began_or_not(done), Some(failure)),
    };
    let done = if end == PartEnd::HandshakeOnly { 0 } else { done };
    let result = PartResult::counted(Part::Download, end, done, BYTES);
    let result = PartResult { kilobits_per_second: (done > 0).then(|| rate(done, took)), ..result };
    match failure {
        Some(failure) => result.because(Fault::after(failure)),
        None => result,
    }
}

/// A server's session tickets and the like come without a request: only more than these is an answer that began.
fn began_or_not(done: u64) -> PartEnd {
    if done >= BEGUN { PartEnd::Partial } else { PartEnd::HandshakeOnly }
}

/// 256 KB: more than any of the published freezes lets through, and a moment for whoever is not slowed down.
pub(super) const BYTES: u64 = 256 * 1024;
const BEGUN: u64 = 1024;
