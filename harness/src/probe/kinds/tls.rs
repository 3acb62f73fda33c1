//! `tls`: a connection and a handshake.

use roadblock_scenarios::model::{Hello, Probe};

use super::super::kind::{Ask, AskError, Kind};
use crate::ooni::test::Test;

pub(in super::super) const KIND: Kind = Kind {
    word: "tls",
    about: "a TCP connection and a TLS handshake",
    takes: Some("NAME, NAME:PORT, or NAME@ADDRESS:PORT to say a name elsewhere"),
    probe,
    test: Test::urlgetter("tlshandshake"),
};

fn probe(ask: &Ask<'_>) -> Result<Probe, AskError> {
    let server = ask.server(443)?;
    let (address, port) = (server.address.ip(), server.address.port());
    Ok(Probe::Tls { address, port, sni: server.name, verify: server.own, hello: Hello::default() })
}
