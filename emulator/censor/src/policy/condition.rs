//! When a rule applies.

use std::sync::Arc;

use crate::dissect::{openvpn, wireguard};
use crate::names::NameSet;
use crate::outbox::Direction;
use crate::policy::PortSet;
use crate::prefixes::PrefixSet;

/// When a rule applies.
///
/// What cannot be known is neither true nor false: the name in a `ClientHello` before there is one, whether the client is
/// inside on a flow that the box does not track. So `Not(TlsSni(..))` means a `ClientHello` for another name, or none, and
/// not a packet that has none. A rule applies when its condition is true (Kleene's strong logic of three values).
#[derive(Clone, Debug)]
pub enum Condition {
    /// All hold.
    All(Vec<Self>),
    /// At least one holds.
    Any(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// The flow's `ClientHello` names one of these servers.
    TlsSni(NameSet),
    /// The packet is a DNS query over UDP for one of these names, to port 53 unless a server port is given besides.
    DnsName(NameSet),
    /// The client's port is one of these.
    ClientPort(PortSet),
    /// The server's port is one of these.
    ServerPort(PortSet),
    /// The server's address lies in one of these prefixes: the destination of a packet that leaves, the source of one that
    /// enters.
    ServerAddress(PrefixSet),
    /// The IP protocol number.
    Protocol(u8),
    /// The end that sent the SYN is inside (TSPU-8). For UDP: the end that sent the first datagram.
    ClientInside,
    /// The packet travels this way.
    Direction(Direction),
    /// The named rule has fired on this flow.
    Fired(Arc<str>),
    /// The packet's TCP or UDP payload has so many bytes, the least and the most included.
    PayloadLength {
        /// The least.
        least: u16,
        /// The most.
        most: u16,
    },
    /// What the packet carries, read beyond its headers.
    Content(Content),
}

/// What a packet carries, beside TLS and DNS. Known only of a flow that the box tracks and still looks at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Content {
    /// A datagram of STUN (RFC 8489), by which calls find each other (RU-CALL-1).
    Stun,
    /// A `ClientHello` of DTLS (RFC 6347), with which the media of a call begin.
    DtlsHello,
    /// A datagram of `WireGuard`, of this kind or of any (FP-WG-1).
    WireGuard(Option<wireguard::Kind>),
    /// A packet of `OpenVPN` over UDP or TCP, of this kind or of any, on a flow that was seen to begin with its reset
    /// (FP-OVPN-1).
    OpenVpn(Option<openvpn::Kind>),
    /// The stream's first bytes are those of `WhatsApp`'s chat protocol (RU-WA-1).
    WhatsAppChat,
    /// The stream's first bytes name one of `MTProto`'s plain transports. An obfuscated one cannot be told from noise.
    TelegramTransport,
    /// The stream begins with the banner of SSH (RFC 4253 section 4.2).
    SshBanner,
    /// The first data of the client on TCP, or the datagram on UDP, begins with one of these.
    Starts(Vec<BytePrefix>),
}

/// Some bytes at a place in a payload.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BytePrefix {
    /// How many bytes come before.
    pub offset: usize,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// How far into a payload a [`BytePrefix`] may reach; what a box reads of a stream's beginning is never less.
pub const MAX_BYTE_PREFIX: usize = 256;

impl BytePrefix {
    /// Whether a payload has these bytes at this place; `None` where it ends too early and what is there agrees.
    pub fn is_in(&self, payload: &[u8]) -> Option<bool> {
        let there = payload.get(self.offset..)?;
        let common = there.len().min(self.bytes.len());
        if there[..common] != self.bytes[..common] {
            return Some(false);
        }
        (common == self.bytes.len()).then_some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A payload that ends within the bytes may still turn out to have them.
    #[test]
    fn a_short_payload_is_undecided() {
        let prefix = BytePrefix { offset: 1, bytes: vec![0x57, 0x41] };
        for (payload, expected) in
            [(&b"xWA..."[..], Some(true)), (b"xWB", Some(false)), (b"xW", None), (b"x", None), (b"", None)]
        {
            assert_eq!(prefix.is_in(payload), expected, "{payload:?}");
        }
    }
}
