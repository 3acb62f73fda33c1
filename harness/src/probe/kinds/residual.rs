//! `residual`: how long a name is punished, and by what key.

use std::time::Duration;

use roadblock_scenarios::model::{Hello, Probe};

use super::super::kind::{Ask, AskError, Kind};
use crate::ooni::test::Test;

pub(in super::super) const KIND: Kind = Kind {
    word: "residual",
    about: "how long a neutral name is hit after this one at the same address, and by what key",
    takes: Some("NAME, or NAME@ADDRESS to say a name elsewhere"),
    probe,
    test: Test::of_name("residual"),
};

fn probe(ask: &Ask<'_>) -> Result<Probe, AskError> {
    let server = ask.server(443)?;
    let (address, port) = (server.address.ip(), server.address.port());
    let neutral = ask.neutral().ok_or_else(|| AskError::NoNeutral { scenario: ask.scenario.id.to_string() })?;
    let hello = |sni: &str, port| {
        let verify = ask.scenario.addresses_of(sni).contains(&address);
        Box::new(Probe::Tls { address, port, sni: sni.to_owned(), verify, hello: Hello::default() })
    };
    Ok(Probe::Residual {
        trigger: hello(&server.name, port),
        test: hello(&neutral, port),
        elsewhere: Some(hello(&neutral, OTHER_PORT)),
        within: WITHIN,
        tries: 1,
    })
}

/// Where every host of the lab that speaks HTTPS answers too.
const OTHER_PORT: u16 = 8443;
/// As in a scenario that does not say.
const WITHIN: Duration = Duration::from_secs(600);
