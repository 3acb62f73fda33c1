//! `h3`: a page over HTTP/3.

use roadblock_scenarios::model::{Family, Probe};

use super::super::kind::{Ask, AskError, Kind};
use crate::ooni::test::Test;

pub(in super::super) const KIND: Kind = Kind {
    word: "h3",
    about: "a page over HTTP/3: DNS, QUIC, and a GET",
    takes: Some("URL, with https"),
    probe,
    test: Test::urlgetter(""),
};

fn probe(ask: &Ask<'_>) -> Result<Probe, AskError> {
    let url = ask.url()?;
    if !url.starts_with("https://") {
        let wanted = "a URL that HTTP/3 can reach: it has no other scheme than https";
        return Err(AskError::Form { target: url, wanted });
    }
    Ok(Probe::H3 { url, address: None, family: Family::V4 })
}
