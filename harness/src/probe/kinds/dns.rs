//! `dns`: a name, and every answer that comes within a window.

use std::time::Duration;

use roadblock_scenarios::model::{DnsPatience, DnsTransport, Family, Probe};

use super::super::kind::{Ask, AskError, Kind};
use crate::ooni::test::Test;

/// The window is a second: an answer that an injector was faster than has come by then.
pub(in super::super) const KIND: Kind = Kind {
    word: "dns",
    about: "a name, and every answer that comes within a second",
    takes: Some("NAME, or NAME@RESOLVER to ask another than the vantage's own"),
    probe,
    test: Test::urlgetter("dnslookup"),
};

fn probe(ask: &Ask<'_>) -> Result<Probe, AskError> {
    let (name, resolver) = match ask.target.split_once('@') {
        None => (ask.target, None),
        Some((name, resolver)) => {
            let wanted = "a name, or a name at a resolver's address, as www.wikipedia.org@8.8.8.8";
            let resolver = resolver.parse();
            (name, Some(resolver.map_err(|_| AskError::Form { target: ask.target.to_owned(), wanted })?))
        }
    };
    Ok(Probe::Dns {
        name: name.to_owned(),
        family: Family::V4,
        resolver,
        port: DnsTransport::Udp.usual_port(),
        transport: DnsTransport::Udp,
        answer: Vec::new(),
        patience: DnsPatience { within: Duration::from_secs(1), last: false },
    })
}
