//! When a rule applies: `when` and `after` of a profile's rules.

use std::time::Duration;

use roadblock_censor::dissect::{openvpn, socks, wireguard};
use roadblock_censor::outbox::Direction;
use roadblock_censor::policy::{Anomaly, Look, Per, Sees};

use crate::declare::{
    Argument, Between, ByteSize, CountRange, FlagSet, HexBytes, Items, MeasureLimits, PortRange, TimeOfDay, WhenDns,
    WhenDtls, WhenHttp, WhenQuic, WhenTls,
};
use crate::read::{OneOrMany, table, words};
use crate::source::Text;

table! {
    /// Conditions, all of which must hold.
    When {
        /// About TLS over TCP.
        "tls" => tls: Option<WhenTls>,
        /// About QUIC.
        "quic" => quic: Option<WhenQuic>,
        /// About the client's `ClientHello` of DTLS.
        "dtls" => dtls: Option<WhenDtls>,
        /// About HTTP.
        "http" => http: Option<WhenHttp>,
        /// About DNS.
        "dns" => dns: Option<WhenDns>,
        /// About the end inside.
        "client" => client: Option<WhenClient>,
        /// About the end outside.
        "server" => server: Option<WhenServer>,
        /// About the flow as a whole.
        "flow" => flow: Option<WhenFlow>,
        /// About the packet as such.
        "packet" => packet: Option<WhenPacket>,
        /// About the header of a TCP segment.
        "tcp" => tcp: Option<WhenTcp>,
        /// About what a datagram holds.
        "udp" => udp: Option<WhenUdp>,
        /// The datagram is one of WireGuard's, of this kind.
        "wireguard" => wireguard: Option<WireGuardKind>,
        /// By what OpenVPN is known.
        "openvpn" => openvpn: Option<OpenVpnMark>,
        /// The datagram is one of AmneziaWG's, whose ends use these numbers.
        "amneziawg" => amneziawg: Option<WhenAmneziaWg>,
        /// The client's stream begins with a request to a proxy of SOCKS.
        "socks" => socks: Option<SocksVersion>,
        /// About Tor.
        "tor" => tor: Option<WhenTor>,
        /// About WhatsApp's own protocol.
        "whatsapp" => whatsapp: Option<WhenWhatsApp>,
        /// About Telegram's own protocol.
        "telegram" => telegram: Option<WhenTelegram>,
        /// About SSH.
        "ssh" => ssh: Option<WhenSsh>,
        /// About the bytes that the packet carries.
        "payload" => payload: Option<WhenPayload>,
        /// The segment looks, by itself, like one of these: each of the client's, while the box looks.
        "looks-like" => looks_like: Option<OneOrMany<Look>>,
        /// The protocol above IP.
        "protocol" => protocol: Option<TransportProtocol>,
        /// The way the packet travels.
        "direction" => direction: Option<Direction>,
        /// The named rule has fired on this flow.
        "fired" => fired: Option<Text>,
        /// The time of day where the censor is, as `"16:00-24:00"`.
        "time" => time: Option<TimeOfDay>,
        /// A switch: the rule applies at all. For a parameter of type boolean.
        "enabled" => enabled: Option<Argument<bool>>,
        /// None of these holds.
        "not" => not: Option<Box<When>>,
        /// At least one of these holds.
        "any" => any: Option<Vec<When>>,
    }
}

impl When {
    /// The first key, if any, that needs more of a packet than its headers.
    pub(crate) fn beyond_headers(&self) -> Option<&'static str> {
        let asked = [
            ("tls", self.tls.is_some()),
            ("quic", self.quic.is_some()),
            ("dtls", self.dtls.is_some()),
            ("http", self.http.is_some()),
            ("dns", self.dns.is_some()),
            ("udp", self.udp.is_some()),
            ("wireguard", self.wireguard.is_some()),
            ("openvpn", self.openvpn.is_some()),
            ("amneziawg", self.amneziawg.is_some()),
            ("socks", self.socks.is_some()),
            ("tor", self.tor.is_some()),
            ("whatsapp", self.whatsapp.is_some()),
            ("telegram", self.telegram.is_some()),
            ("ssh", self.ssh.is_some()),
            ("payload", self.payload.as_ref().is_some_and(WhenPayload::beyond_headers)),
            ("looks-like", self.looks_like.is_some()),
            ("fired", self.fired.is_some()),
        ];
        let own = asked.into_iter().find(|(_, is_asked)| *is_asked).map(|(key, _)| key);
        let inner = self.not.iter().map(|not| &**not).chain(self.any.iter().flatten());
        own.or_else(|| inner.into_iter().find_map(Self::beyond_headers))
    }
}

table! {
    /// About the end inside.
    WhenClient {
        /// Its port is one of these, or in one of these ranges.
        "port" => port: Option<Argument<OneOrMany<PortRange>>>,
        /// Its address lies in one of these prefixes.
        "address" => address: Option<Argument<Items>>,
        /// Its port is above the server's, or is not.
        "port-above-server" => port_above_server: Option<bool>,
    }
}

table! {
    /// About the end outside.
    WhenServer {
        /// Its port is one of these, or in one of these ranges: `[443, "596-599"]`.
        "port" => port: Option<Argument<OneOrMany<PortRange>>>,
        /// Its address lies in one of these prefixes.
        "address" => address: Option<Argument<Items>>,
    }
}

table! {
    /// About what a datagram holds.
    WhenUdp {
        /// A message of STUN, or none.
        "stun" => stun: Option<bool>,
        /// A DTLS `ClientHello`, or none.
        "dtls" => dtls: Option<bool>,
    }
}

words! {
    /// What a segment looks like by its first bytes: a DNS query, a request of HTTP, a handshake record of TLS, or any
    /// record of TLS.
    Look { "dns" => Self::Dns, "http" => Self::Http, "tls" => Self::Tls, "tls-record" => Self::TlsRecord, }
}

/// What a datagram of `WireGuard` is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WireGuardKind(pub(crate) Option<wireguard::Kind>);

words! {
    /// What a datagram of WireGuard is.
    WireGuardKind {
        "initiation" => Self(Some(wireguard::Kind::Initiation)),
        "response" => Self(Some(wireguard::Kind::Response)),
        "cookie" => Self(Some(wireguard::Kind::Cookie)),
        "data" => Self(Some(wireguard::Kind::Data)),
        "any" => Self(None),
    }
}

/// By what `OpenVPN` is known.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OpenVpnMark {
    /// A packet of this kind, or of any.
    Kind(Option<openvpn::Kind>),
    /// How many opcodes the first packets have.
    Opcodes,
    /// Which sizes the first packets have.
    Acks,
}

words! {
    /// By what OpenVPN is known: a packet of this kind or of any, on a flow that was seen to begin with its reset; the number of
    /// different opcodes among a flow's first packets, be they veiled or not; or the sizes of its acknowledgements, whatever
    /// carries them.
    OpenVpnMark {
        "reset" => Self::Kind(Some(openvpn::Kind::Reset)),
        "control" => Self::Kind(Some(openvpn::Kind::Control)),
        "data" => Self::Kind(Some(openvpn::Kind::Data)),
        "any" => Self::Kind(None),
        "opcodes" => Self::Opcodes,
        "acks" => Self::Acks,
    }
}

table! {
    /// About a datagram of AmneziaWG, whose ends have agreed on these numbers. Without a number a packet is known by its size.
    WhenAmneziaWg {
        /// Its kind.
        "kind" => kind: WireGuardKind = WireGuardKind(None),
        /// How many bytes stand in front of an initiation.
        "s1" => s1: u16 = 0,
        /// How many bytes stand in front of a response.
        "s2" => s2: u16 = 0,
        /// The number in place of an initiation's type.
        "h1" => h1: Option<u32>,
        /// The number in place of a response's type.
        "h2" => h2: Option<u32>,
        /// The number in place of a cookie's type.
        "h3" => h3: Option<u32>,
        /// The number in place of data's type.
        "h4" => h4: Option<u32>,
    }
}

/// A version of SOCKS, or any.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SocksVersion(pub(crate) Option<socks::Version>);

words! {
    /// A version of SOCKS, or any.
    SocksVersion { "v4" => Self(Some(socks::Version::V4)), "v5" => Self(Some(socks::Version::V5)), "any" => Self(None), }
}

table! {
    /// About Tor.
    WhenTor {
        /// The `ClientHello` is as that of Tor without a disguise, or is not.
        "tls" => tls: bool,
    }
}

table! {
    /// About WhatsApp's own protocol.
    WhenWhatsApp {
        /// The client's stream begins as its chat does, or does not.
        "chat" => chat: bool,
    }
}

table! {
    /// About Telegram's own protocol.
    WhenTelegram {
        /// The client's stream begins as one of the plain transports does, or does not. An obfuscated one cannot be seen.
        "transport" => transport: Option<bool>,
        /// What the client sends behind its `ClientHello` is data where TLS 1.3 has a Finished, as MTProto that imitates TLS
        /// does. A guess.
        "fake-tls" => fake_tls: Option<bool>,
    }
}

table! {
    /// About SSH.
    WhenSsh {
        /// The client's stream begins with its banner, or does not.
        "banner" => banner: bool,
    }
}

table! {
    /// About the bytes that the packet carries.
    WhenPayload {
        /// The client's first data, or the datagram, has one of these bytes, written in hexadecimal, at the offset.
        "starts" => starts: Option<OneOrMany<HexBytes>>,
        /// How many bytes come before those.
        "offset" => offset: u16 = 0,
        /// How many bytes of TCP or UDP payload the packet has.
        "length" => length: Option<Between>,
        /// The client's first data, or the datagram, has one of these words in it.
        "contains" => contains: Option<Argument<Items>>,
        /// The packet carries the first data of its client's stream, whatever they are; or does not.
        "first" => first: Option<bool>,
        /// How many bits of a byte are set in the mean, from 0 to 8.
        "popcount" => popcount: Option<MeasureLimits>,
        /// Shannon's entropy, in bits a byte, from 0 to 8.
        "entropy" => entropy: Option<MeasureLimits>,
        /// The share of printable bytes, from 0 to 1.
        "printable" => printable: Option<MeasureLimits>,
        /// How many printable bytes it begins with.
        "printable-prefix" => printable_prefix: Option<MeasureLimits>,
        /// How many printable bytes follow each other.
        "printable-run" => printable_run: Option<MeasureLimits>,
        /// It is what the GFW took for fully encrypted, by all five of its rules; or is not.
        "fully-encrypted" => fully_encrypted: Option<bool>,
    }
}

impl WhenPayload {
    /// Whether more than its length is asked.
    fn beyond_headers(&self) -> bool {
        let measures = [&self.popcount, &self.entropy, &self.printable, &self.printable_prefix, &self.printable_run];
        let bytes = self.starts.is_some() || self.contains.is_some() || measures.iter().any(|each| each.is_some());
        bytes || self.first.is_some() || self.fully_encrypted.is_some()
    }
}

table! {
    /// About the packet as such.
    WhenPacket {
        /// How many bytes it has with its IP header.
        "length" => length: Option<Between>,
        /// Its time to live.
        "ttl" => ttl: Option<Between>,
        /// It is a fragment, or was put together from some; or is none.
        "fragment" => fragment: Option<bool>,
        /// One of these is not as an honest end would send it.
        "anomaly" => anomaly: Option<OneOrMany<Anomaly>>,
    }
}

words! {
    /// What an honest end would not send: a wrong checksum, a time to live unlike the sender's first, an option of RFC 2385
    /// that nobody asked for, a sequence number outside the window, a header that contradicts itself.
    Anomaly {
        "checksum" => Self::Checksum,
        "ttl-jump" => Self::TtlJump,
        "md5" => Self::Md5,
        "sequence" => Self::Sequence,
        "header" => Self::Header,
    }
}

table! {
    /// About the header of a TCP segment.
    WhenTcp {
        /// Its flags, as letters: `"S"` is a SYN without ACK. Of SYN, ACK, FIN and RST just these are set; PSH and the others
        /// do not matter unless they are named. `""`: none of the four.
        "flags" => flags: Option<FlagSet>,
        /// How many bytes it has.
        "header-length" => header_length: Option<Between>,
    }
}

table! {
    /// How much passes first. Exactly one of `packets`, `bytes` and `connections`.
    AfterDeclaration {
        /// So many packets. A range, as `"5-8"`, is drawn from anew for each flow.
        "packets" => packets: Option<Argument<CountRange>>,
        /// So many bytes of payload.
        "bytes" => bytes: Option<Argument<ByteSize>>,
        /// So many flows on which the rule matched, each counted once.
        "connections" => connections: Option<Argument<CountRange>>,
        /// The packets that are counted; both ways where not said.
        "count" => count: Sees = Sees::Both,
        /// Who shares a count; each flow has its own where not said. Connections are counted for a client, or for a client
        /// and a server.
        "per" => per: Per = Per::Flow,
        /// Within which time; what lies further back is forgotten.
        "within" => within: Option<Argument<Duration>>,
    }
}

table! {
    /// About the flow as a whole.
    WhenFlow {
        /// Which end began it: the one that sent the SYN, or the first datagram.
        "client" => client: Side,
    }
}

/// An end of a flow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Side {
    Inside,
    Outside,
}

words! {
    /// An end of a flow.
    Side { "inside" => Self::Inside, "outside" => Self::Outside, }
}

/// A protocol above IP.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum TransportProtocol {
    Tcp,
    Udp,
    Icmp,
}

words! {
    /// A protocol above IP; `icmp` is both ICMP and `ICMPv6`.
    TransportProtocol { "tcp" => Self::Tcp, "udp" => Self::Udp, "icmp" => Self::Icmp, }
}
