//! `freeze`: where a transfer stands still.

use roadblock_scenarios::model::Probe;

use super::super::kind::{Ask, AskError, Kind};
use crate::ooni::test::Test;

pub(in super::super) const KIND: Kind = Kind {
    word: "freeze",
    about: "a download that may stand still: after how many packets or bytes, and of which direction",
    takes: Some("NAME, or NAME@ADDRESS to say a name elsewhere"),
    probe,
    test: Test::of_name("freeze"),
};

fn probe(ask: &Ask<'_>) -> Result<Probe, AskError> {
    let server = ask.server(443)?;
    Ok(Probe::Freeze {
        address: Some(server.address.ip()),
        host: server.name,
        kilobytes: KILOBYTES,
        upload: false,
        beside: ask.neutral(),
    })
}

/// As in a scenario that does not say.
const KILOBYTES: u32 = 64;
