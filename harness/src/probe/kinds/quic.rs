//! `quic`: a handshake.

use roadblock_scenarios::model::{Probe, QuicVersion};

use super::super::kind::{Ask, AskError, Kind};
use crate::ooni::test::Test;

pub(in super::super) const KIND: Kind = Kind {
    word: "quic",
    about: "a QUIC handshake",
    takes: Some("NAME, NAME:PORT, or NAME@ADDRESS:PORT to say a name elsewhere"),
    probe,
    test: Test::urlgetter("quichandshake"),
};

fn probe(ask: &Ask<'_>) -> Result<Probe, AskError> {
    let server = ask.server(443)?;
    let (address, port) = (server.address.ip(), server.address.port());
    Ok(Probe::Quic { address, port, sni: server.name, version: QuicVersion::One, verify: server.own })
}
