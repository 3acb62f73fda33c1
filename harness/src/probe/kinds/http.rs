//! `http`: a page.

use roadblock_scenarios::model::{FamilyChoice, HttpRequest, HttpVersion, Probe};

use super::super::kind::{Ask, AskError, Kind};
use crate::ooni::test::Test;

pub(in super::super) const KIND: Kind = Kind {
    word: "http",
    about: "a page: DNS, TCP, TLS where the URL says so, and a GET",
    takes: Some("URL"),
    probe,
    test: Test::urlgetter(""),
};

fn probe(ask: &Ask<'_>) -> Result<Probe, AskError> {
    Ok(Probe::Http {
        url: ask.url()?,
        address: None,
        family: FamilyChoice::default(),
        version: HttpVersion::One,
        request: HttpRequest::default(),
    })
}
