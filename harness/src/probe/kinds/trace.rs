//! `trace`: the hop at which somebody interferes.

use roadblock_scenarios::model::{Probe, Says};

use super::super::kind::{Ask, AskError, Kind};
use crate::ooni::test::Test;

pub(in super::super) const KIND: Kind = Kind {
    word: "trace",
    about: "the hop at which somebody interferes with a name in a ClientHello",
    takes: Some("NAME, or NAME@ADDRESS to say a name elsewhere; IPv4"),
    probe,
    test: Test::of_name("trace"),
};

fn probe(ask: &Ask<'_>) -> Result<Probe, AskError> {
    let server = ask.server(443)?;
    let (address, port) = (server.address.ip(), server.address.port());
    if address.is_ipv6() {
        return Err(AskError::Form { target: ask.target.to_owned(), wanted: "at an IPv4 address; IPv6 is not traced" });
    }
    let neutral = ask.neutral().ok_or_else(|| AskError::NoNeutral { scenario: ask.scenario.id.to_string() })?;
    Ok(Probe::Trace { address, port, says: Says::ClientHello, about: server.name, neutral })
}
