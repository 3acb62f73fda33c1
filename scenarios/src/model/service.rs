//! What exists on the lab's internet: services, their hosts and what is spoken there.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;

use super::{Name, Probe};

/// Something on the lab's internet.
#[derive(Clone, Debug)]
pub struct Service {
    /// `services/whatsapp`.
    pub id: Name,
    /// One line for people: `WhatsApp`.
    pub title: String,
    /// Its hosts.
    pub hosts: Vec<Host>,
    /// What a person would open or use, measured by `run`.
    pub targets: Vec<Target>,
}

/// A machine, or many that act as one: all its addresses answer all its names.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// The names that resolve to it, the first being its default certificate's. At least one.
    pub names: Vec<String>,
    /// Where it lives; at least one.
    pub addresses: Vec<IpAddr>,
    /// What it listens on.
    pub listen: Vec<Listener>,
    /// Who signed its certificate.
    pub certificate: Certificate,
    /// Where it speaks WebSocket, if anywhere.
    pub websocket: Option<WebSocket>,
    /// The keys of its tunnel; there where it listens for `wireguard`.
    pub wireguard: Option<WireGuardKeys>,
    /// What it is to OONI's probe, if anything.
    pub ooni: Option<OoniRole>,
    /// What its pages say.
    pub page: Page,
    /// What it says at some paths or to some clients instead; the first that matches.
    pub answers: Vec<HostAnswer>,
    /// Whether its names do not lead to it: a proxy or an impostor, which only somebody who lies leads to.
    pub hidden: bool,
}

/// One listening port.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Listener {
    /// The port.
    pub port: u16,
    /// What is spoken there.
    pub protocol: Protocol,
}

/// What is spoken on a port. Each has a word in the file and a port of its own, to be found in [`Protocol::word`] and
/// [`Protocol::usual_port`].
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// HTTP/1.1 without TLS.
    Http,
    /// HTTP/1.1 and HTTP/2 over TLS 1.2 and 1.3.
    Https,
    /// The same, with DNS at `/dns-query` (RFC 8484).
    Doh,
    /// HTTP/3 over QUIC (RFC 9114), versions 1 and the drafts from 29 on.
    H3,
    /// DNS over UDP and TCP, knowing every name of the lab.
    Dns,
    /// DNS over TLS (RFC 7858).
    Dot,
    /// `WhatsApp`'s native chat: Noise behind a `WA` header, over TCP.
    #[serde(rename = "whatsapp-chat")]
    WhatsAppChat,
    /// Telegram's `MTProto` over TCP, in each of its framings, and the HTTP that a data centre answers beside it.
    Mtproto,
    /// STUN over UDP (RFC 8489).
    Stun,
    /// STUN and a relay that plays the far party of a call, over UDP.
    CallRelay,
    /// A `WireGuard` tunnel's far end.
    #[serde(rename = "wireguard")]
    WireGuard,
    /// Whatever comes is sent back, over UDP and TCP (RFC 862).
    Echo,
    /// Nothing: what comes is lost, as at a server that is down or takes no more.
    Silence,
}

/// Who signed a host's certificate.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Certificate {
    /// The lab's authority, which every client of the lab trusts.
    #[default]
    Trusted,
    /// Another authority, which no client of the lab trusts. A client that refuses it has met no censor.
    Untrusted,
    /// The lab's authority, a year too long ago.
    Expired,
    /// The lab's authority, for a name that the host does not have.
    WrongName,
}

/// What a host is to OONI's probe, beside a web server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OoniRole {
    /// Where probes check in and hand in measurements.
    Api,
    /// What measures for Web Connectivity what the probe measures, from the internet's side.
    TestHelper,
    /// Ubuntu's service that tells a client its address, at `/lookup`.
    UbuntuGeoip,
    /// Cloudflare's, at `/cdn-cgi/trace`.
    CloudflareTrace,
    /// A name that means the resolver that is asked for it.
    Whoami,
}

/// Where a host speaks WebSocket (RFC 6455). What it is sent, it sends back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WebSocket {
    /// The path, as `/websocket`.
    pub path: String,
    /// The only origin whose pages may connect; any where not said. A client that names none is no browser, and may.
    pub origin: Option<String>,
}

/// The keys of a tunnel, published on purpose: whoever has the scenario can be its client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WireGuardKeys {
    /// The server's private key.
    pub private_key: [u8; 32],
    /// The private key of the one client that the server knows, at as many addresses as there are.
    pub client_private_key: [u8; 32],
}

/// What a host's pages say, so that a person and a test recognise them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Page {
    /// The `<title>`.
    pub title: String,
    /// A sentence or two.
    pub text: String,
    /// How many bytes the page has, where that counts: it is filled up with a comment.
    pub length: Option<usize>,
}

/// What a web server says at a path or to a client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HostAnswer {
    /// At which path; at any where not said.
    pub path: Option<String>,
    /// To whom; to everybody where it names nobody.
    pub clients: Vec<IpNet>,
    /// The status.
    pub status: u16,
    /// Where it leads, as its Location field says it.
    pub location: Option<String>,
    /// The page; the host's own where not said.
    pub page: Option<Page>,
}

/// What a person would open or use.
#[derive(Clone, Debug)]
pub struct Target {
    /// What the table's row says: `WhatsApp web`.
    pub title: String,
    /// What is done.
    pub probe: Probe,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Http,
        Self::Https,
        Self::Doh,
        Self::H3,
        Self::Dns,
        Self::Dot,
        Self::WhatsAppChat,
        Self::Mtproto,
        Self::Stun,
        Self::CallRelay,
        Self::WireGuard,
        Self::Echo,
        Self::Silence,
    ];

    /// What the file calls it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Doh => "doh",
            Self::H3 => "h3",
            Self::Dns => "dns",
            Self::Dot => "dot",
            Self::WhatsAppChat => "whatsapp-chat",
            Self::Mtproto => "mtproto",
            Self::Stun => "stun",
            Self::CallRelay => "call-relay",
            Self::WireGuard => "wireguard",
            Self::Echo => "echo",
            Self::Silence => "silence",
        }
    }

    /// The protocol that the file calls so.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.word() == word)
    }

    /// Where it listens when the file says nothing else.
    pub const fn usual_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https | Self::Doh | Self::H3 | Self::Mtproto | Self::Silence => 443,
            Self::Dns => 53,
            Self::Dot => 853,
            Self::WhatsAppChat => 5222,
            Self::Stun | Self::CallRelay => 3478,
            Self::WireGuard => 51820,
            Self::Echo => 7,
        }
    }

    /// Where it listens besides its usual port, when that is where it listens.
    pub const fn other_port(self) -> Option<u16> {
        match self {
            Self::Http => Some(8080),
            Self::Https | Self::Doh | Self::H3 => Some(8443),
            Self::Dns => Some(5353),
            _ => None,
        }
    }

    /// Whether it takes TCP connections.
    pub const fn over_tcp(self) -> bool {
        !matches!(self, Self::H3 | Self::Stun | Self::CallRelay | Self::WireGuard)
    }

    /// Whether it takes UDP datagrams.
    pub const fn over_udp(self) -> bool {
        matches!(
            self,
            Self::H3 | Self::Dns | Self::Stun | Self::CallRelay | Self::WireGuard | Self::Echo | Self::Silence
        )
    }

    /// Whether one port can speak both, because they use different transports or because a client's first bytes tell
    /// them apart.
    pub const fn shares_port_with(self, other: Self) -> bool {
        if self as u8 == other as u8 {
            return true;
        }
        let apart_over_tcp = !(self.over_tcp() && other.over_tcp()) || self.is_told_apart_from(other);
        let apart_over_udp = !(self.over_udp() && other.over_udp()) || (self.speaks_stun() && other.speaks_stun());
        apart_over_tcp && apart_over_udp
    }

    /// Two kinds of HTTPS are one; `MTProto` answers HTTP by itself, so HTTP beside it would never be asked.
    const fn is_told_apart_from(self, other: Self) -> bool {
        let by_first_bytes = self.is_known_by_its_first_bytes() && other.is_known_by_its_first_bytes();
        by_first_bytes && !matches!((self, other), (Self::Http, Self::Mtproto) | (Self::Mtproto, Self::Http))
    }

    const fn is_known_by_its_first_bytes(self) -> bool {
        matches!(self, Self::Http | Self::Https | Self::Doh | Self::WhatsAppChat | Self::Mtproto)
    }

    const fn speaks_stun(self) -> bool {
        matches!(self, Self::Stun | Self::CallRelay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_protocol_is_found_by_its_word_and_written_by_it() {
        for protocol in Protocol::ALL {
            assert_eq!(Protocol::from_word(protocol.word()), Some(protocol));
            let written = serde_json::to_value(protocol).expect("JSON");
            assert_eq!(written, protocol.word());
            assert!(protocol.over_tcp() || protocol.over_udp());
        }
        assert_eq!(Protocol::from_word("gopher"), None);
    }

    #[test]
    fn a_port_is_shared_by_what_can_be_told_apart() {
        use Protocol::{CallRelay, Dns, Dot, Echo, H3, Http, Https, Mtproto, Silence, Stun, WhatsAppChat, WireGuard};
        let shared =
            [(Https, WhatsAppChat), (Https, Http), (Https, Mtproto), (Stun, CallRelay), (Https, Stun), (Https, H3)];
        let apart = [
            (Https, Dot),
            (Http, Mtproto),
            (Dns, Http),
            (Dns, Stun),
            (Stun, WireGuard),
            (Echo, Dns),
            (H3, Stun),
            (Silence, Https),
        ];
        for (one, other) in shared {
            assert!(one.shares_port_with(other) && other.shares_port_with(one), "{one:?} {other:?}");
        }
        for (one, other) in apart {
            assert!(!one.shares_port_with(other) && !other.shares_port_with(one), "{one:?} {other:?}");
        }
    }
}
