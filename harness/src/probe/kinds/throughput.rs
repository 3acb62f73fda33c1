//! `throughput`: how fast, and why no faster.

use roadblock_scenarios::model::Probe;

use super::super::kind::{Ask, AskError, Kind};
use crate::ooni::test::Test;

pub(in super::super) const KIND: Kind = Kind {
    word: "throughput",
    about: "a download whose speed counts: policed, shaped or unthrottled",
    takes: Some("NAME, or NAME@ADDRESS to say a name elsewhere"),
    probe,
    test: Test::of_name("throughput"),
};

fn probe(ask: &Ask<'_>) -> Result<Probe, AskError> {
    let server = ask.server(443)?;
    Ok(Probe::Throughput {
        address: Some(server.address.ip()),
        host: server.name,
        kilobytes: KILOBYTES,
        upload: false,
        at_least: AT_LEAST,
        beside: ask.neutral(),
    })
}

/// As in a scenario that does not say.
const KILOBYTES: u32 = 64;
/// In kilobits a second, likewise.
const AT_LEAST: u32 = 1000;
