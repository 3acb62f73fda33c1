//! Questions about QUIC.

use super::{Habit, HelloQuestion};
use crate::dissect::quic::{Kind, Packet, Version};
use crate::dissect::tls::Carrier;
use crate::reading::{Heard, Reading};

/// A question about QUIC.
#[derive(Clone, Debug, PartialEq)]
pub enum QuicQuestion {
    /// The datagram begins with an Initial of a version that the box reads.
    Initial,
    /// The datagram begins with a long header of one of these versions, be they known or not (TSPU-5).
    Version(Vec<u32>),
    /// About the client's `ClientHello`, in the datagram that completes or repeats it (GFW-QUIC-1, TSPU-5b).
    Hello(HelloQuestion),
}

impl QuicQuestion {
    pub(crate) fn looks_for(&self) -> Vec<String> {
        match self {
            Self::Initial => vec!["QUIC".to_owned()],
            Self::Version(versions) => {
                versions.iter().map(|version| format!("QUIC {}", version_name(*version))).collect()
            }
            Self::Hello(question) => question.looks_for("QUIC"),
        }
    }

    #[expect(clippy::unused_self, reason = "as the other questions")]
    pub(crate) const fn habit(&self) -> Habit {
        Habit::DATAGRAM
    }

    pub(crate) fn answer(&self, reading: &Reading<'_>) -> Option<bool> {
        match self {
            Self::Hello(question) => match reading.quic_hello() {
                Heard::Hello(hello) => question.answer(hello, Carrier::Quic),
                Heard::Nothing | Heard::NoHello => None,
            },
            Self::Initial => {
                let packet = Packet::parse(reading.datagram()?);
                let is_read = |version| {
                    Version::of(version).is_some_and(|version| reading.reads.quic.versions.contains(&version))
                };
                Some(packet.is_some_and(|packet| {
                    matches!(packet.header.kind, Kind::Initial { .. }) && is_read(packet.header.version)
                }))
            }
            Self::Version(versions) => {
                Packet::parse(reading.datagram()?).map(|packet| versions.contains(&packet.header.version))
            }
        }
    }

    pub(crate) fn describe(&self, reading: &Reading<'_>) -> Option<String> {
        match self {
            Self::Hello(question) => match reading.quic_hello() {
                Heard::Hello(hello) => Some(format!("QUIC {}", question.describe(hello, Carrier::Quic))),
                Heard::Nothing | Heard::NoHello => None,
            },
            Self::Initial => Some("a QUIC Initial".to_owned()),
            Self::Version(_) => {
                Packet::parse(reading.datagram()?).map(|packet| format!("QUIC {}", version_name(packet.header.version)))
            }
        }
    }
}

fn version_name(version: u32) -> String {
    match (Version::of(version), version) {
        (Some(Version::V1), _) => "version 1".to_owned(),
        (Some(Version::V2), _) => "version 2".to_owned(),
        (None, 0xff00_0000..=0xff00_00ff) => format!("draft {}", version & 0xff),
        (None, other) => format!("version {other:#010x}"),
    }
}
