//! What a rule can ask of a packet's headers.

use serde::Serialize;

use crate::policy::TcpFlags;

/// A question about one packet's headers. It is known of every packet that a box sees.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PacketQuestion {
    /// The TCP or UDP payload has so many bytes, the least and the most included.
    PayloadLength {
        /// The least.
        least: u16,
        /// The most.
        most: u16,
    },
    /// The packet has so many bytes with its IP header (RU-TG-1).
    Length {
        /// The least.
        least: u16,
        /// The most.
        most: u16,
    },
    /// The time to live, or hop limit, lies between these, both included.
    Ttl {
        /// The least.
        least: u8,
        /// The most.
        most: u8,
    },
    /// It is a fragment, or was put together from some.
    Fragment,
    /// It is a segment on which, of these flags, just those are set.
    Flags {
        /// The flags that are looked at.
        of: TcpFlags,
        /// Those that must be set.
        set: TcpFlags,
    },
    /// It is a segment whose header has so many bytes, the least and the most included (HEN-2).
    TcpHeader {
        /// The least.
        least: u8,
        /// The most.
        most: u8,
    },
    /// Something about it is not as an honest end would send it.
    Anomaly(Anomaly),
}

impl PacketQuestion {
    /// What is looked for, as a listing says it.
    pub fn title(&self) -> String {
        match self {
            Self::PayloadLength { least, most } => format!("payload of {least} to {most} bytes"),
            Self::Length { least, most } => format!("packet of {least} to {most} bytes"),
            Self::Ttl { least, most } => format!("time to live {least} to {most}"),
            Self::Fragment => "a fragment".to_owned(),
            Self::Flags { of, set } => format!("TCP flags {:#04x} of {:#04x}", set.0, of.0),
            Self::TcpHeader { least, most } => format!("TCP header of {least} to {most} bytes"),
            Self::Anomaly(anomaly) => format!("anomaly {anomaly:?}").to_lowercase(),
        }
    }
}

/// What an honest end would not send. A censor that looks for these hunts for evasion tools.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Anomaly {
    /// A wrong TCP checksum.
    Checksum,
    /// A time to live that differs by more than three from that of the sender's first segment.
    TtlJump,
    /// An unsolicited option of RFC 2385.
    Md5,
    /// A sequence number outside the window.
    Sequence,
    /// A header that contradicts itself, or flags that no end sends together.
    Header,
}
