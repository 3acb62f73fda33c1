//! `facebook_messenger`: its edge and its media, and what OONI measures.

use roadblock_scenarios::model::{Family, Probe, USUAL_MEDIA};

use super::super::kind::{Ask, AskError, Kind};
use crate::ooni::test::Test;

pub(in super::super) const KIND: Kind = Kind {
    word: "facebook_messenger",
    about: "Facebook Messenger: its edge and its media, beside what OONI measures",
    takes: None,
    probe,
    test: Test::own("facebook_messenger", "0.2.1"),
};

#[allow(clippy::unnecessary_wraps, reason = "other kinds can be asked for what they do not take")]
fn probe(_: &Ask<'_>) -> Result<Probe, AskError> {
    Ok(Probe::Messenger { media: USUAL_MEDIA, family: Family::V4 })
}
