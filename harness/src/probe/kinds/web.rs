//! `web`: a page as OONI's Web Connectivity measures it.

use roadblock_scenarios::model::Probe;

use super::super::kind::{Ask, AskError, Kind};
use crate::ooni::test::Test;

pub(in super::super) const KIND: Kind = Kind {
    word: "web",
    about: "a page as OONI's Web Connectivity measures it, with a test helper beside it",
    takes: Some("URL"),
    probe,
    test: Test::of_url("web_connectivity", "0.5.28"),
};

fn probe(ask: &Ask<'_>) -> Result<Probe, AskError> {
    Ok(Probe::WebConnectivity { url: ask.url()? })
}
