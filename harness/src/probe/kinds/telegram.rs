//! `telegram`: a message and media each way, and what OONI measures.

use roadblock_scenarios::model::{MtProtoTransport, Probe, USUAL_MEDIA};

use super::super::kind::{Ask, AskError, Kind};
use crate::ooni::test::Test;

pub(in super::super) const KIND: Kind = Kind {
    word: "telegram",
    about: "Telegram: a message and media each way, beside what OONI measures",
    takes: None,
    probe,
    test: Test::own("telegram", "0.3.1"),
};

#[allow(clippy::unnecessary_wraps, reason = "other kinds can be asked for what they do not take")]
fn probe(_: &Ask<'_>) -> Result<Probe, AskError> {
    Ok(Probe::Telegram { media: USUAL_MEDIA, transport: MtProtoTransport::default() })
}
