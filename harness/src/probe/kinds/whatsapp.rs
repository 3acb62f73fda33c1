//! `whatsapp`: a message and media each way, and what OONI measures.

use roadblock_scenarios::model::{Family, Probe, USUAL_MEDIA};

use super::super::kind::{Ask, AskError, Kind};
use crate::ooni::test::Test;

pub(in super::super) const KIND: Kind = Kind {
    word: "whatsapp",
    about: "WhatsApp: a message and media each way, beside what OONI measures",
    takes: None,
    probe,
    test: Test::own("whatsapp", "0.11.0"),
};

#[allow(clippy::unnecessary_wraps, reason = "other kinds can be asked for what they do not take")]
fn probe(_: &Ask<'_>) -> Result<Probe, AskError> {
    Ok(Probe::WhatsApp { media: USUAL_MEDIA, family: Family::V4 })
}
