//! `tcp`: a connection.

use roadblock_scenarios::model::Probe;

use super::super::kind::{Ask, AskError, Kind};
use crate::ooni::test::Test;

pub(in super::super) const KIND: Kind = Kind {
    word: "tcp",
    about: "a TCP connection",
    takes: Some("ADDRESS:PORT"),
    probe,
    test: Test::urlgetter("tcpconnect"),
};

fn probe(ask: &Ask<'_>) -> Result<Probe, AskError> {
    let remote = ask.endpoint()?;
    Ok(Probe::Tcp { address: remote.ip(), port: remote.port() })
}
