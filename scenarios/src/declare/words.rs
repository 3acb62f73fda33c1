//! The words of the language.

use roadblock_censor::outbox::Direction;
use roadblock_censor::policy::{Grade, Place, Rejection, ResidualKey, Sees, TcpFlags};

use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::model::{
    Authority, ChatHeader, DnsTransport, Family, FamilyChoice, Mechanism, MtProtoTransport, NatKind, Reply, Transport,
    VerdictWord,
};
use crate::read::{Definitions, Read, unknown_word, words};
use crate::tree::Node;

/// What a file is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FileKind {
    /// An incident or a mechanism, with vantages and phases.
    Scenario,
    /// How a censor behaves.
    Profile,
    /// What exists on the internet.
    Service,
    /// What people get round censors with.
    Tool,
}

impl FileKind {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Scenario => "scenario",
            Self::Profile => "profile",
            Self::Service => "service",
            Self::Tool => "tool",
        }
    }
}

words! {
    /// What the file is.
    FileKind {
        "scenario" => Self::Scenario,
        "profile" => Self::Profile,
        "service" => Self::Service,
        "tool" => Self::Tool,
    }
}

words! {
    /// How far a behaviour is known.
    Grade {
        "measured" => Self::Measured,
        "single-source" => Self::SingleSource,
        "recalled" => Self::Recalled,
        "assumed" => Self::Assumed,
    }
}

words! {
    /// Whether the box can hold and drop packets, or only watch and inject.
    Place { "in-path" => Self::InPath, "on-path" => Self::OnPath, }
}

words! {
    /// Which directions the box sees.
    Sees { "both" => Self::Both, "outbound" => Self::Outbound, "inbound" => Self::Inbound, }
}

words! {
    /// The way a packet travels: out of the censored network, or into it.
    Direction { "outbound" => Self::Outbound, "inbound" => Self::Inbound, }
}

words! {
    /// Which later packets are hit: those of the same connection, of the same client, server and server port, of the same
    /// client and server, of a server and port or a server whoever the client is, or of a client whatever the server is.
    ResidualKey {
        "4t" => Self::FourTuple,
        "3t" => Self::ThreeTuple,
        "2t" => Self::TwoTuple,
        "server-port" => Self::ServerEndpoint,
        "server" => Self::Server,
        "client" => Self::Client,
    }
}

words! {
    /// How a sender is refused.
    Rejection {
        "tcp-reset" => Self::TcpReset,
        "network-unreachable" => Self::NetworkUnreachable,
        "host-unreachable" => Self::HostUnreachable,
        "port-unreachable" => Self::PortUnreachable,
        "admin-prohibited" => Self::AdministrativelyProhibited,
    }
}

words! {
    /// The address family.
    Family { "v4" => Self::V4, "v6" => Self::V6, }
}

words! {
    /// A translator of IPv4 addresses: the router at home, or the provider's.
    NatKind { "home" => Self::Home, "carrier" => Self::Carrier, }
}

words! {
    /// One address family, or both as browsers use them.
    FamilyChoice { "v4" => Self::Only(Family::V4), "v6" => Self::Only(Family::V6), "any" => Self::Any, }
}

words! {
    /// How a DNS query is carried: over UDP, TCP, TLS (RFC 7858) or HTTPS (RFC 8484).
    DnsTransport { "udp" => Self::Udp, "tcp" => Self::Tcp, "tls" => Self::Tls, "https" => Self::Https, }
}

words! {
    /// What a client of WhatsApp sends before its handshake: `WA` and a version, or routing information before it.
    ChatHeader { "plain" => Self::Plain, "routed" => Self::Routed, }
}

words! {
    /// How MTProto is carried.
    MtProtoTransport {
        "abridged" => Self::Abridged,
        "intermediate" => Self::Intermediate,
        "padded" => Self::Padded,
        "obfuscated2" => Self::Obfuscated2,
    }
}

words! {
    /// What carries bytes.
    Transport { "tcp" => Self::Tcp, "udp" => Self::Udp, }
}

words! {
    /// What must come back: any bytes, what was sent, or nothing at all.
    Reply { "any" => Self::Any, "echo" => Self::Echo, "none" => Self::None, }
}

words! {
    /// Which authority signed a certificate: one that everybody knows, or one that only its own country's devices know.
    Authority { "known" => Self::Known, "foreign" => Self::Foreign, }
}

words! {
    /// What must be observed.
    VerdictWord {
        "ok" => Self::Ok,
        "dns" => Self::Dns,
        "ip" => Self::Ip,
        "tcp" => Self::Tcp,
        "tls" => Self::Tls,
        "http" => Self::Http,
        "blockpage" => Self::Blockpage,
        "quic" => Self::Quic,
        "protocol" => Self::Protocol,
        "throttled" => Self::Throttled,
        "freezes" => Self::Freezes,
        "intercepted" => Self::Intercepted,
        "unmeasured" => Self::Unmeasured,
    }
}

/// A way of blocking. Its words are written where it is.
impl Read for Mechanism {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        let words: Vec<&str> = Self::ALL.iter().map(|each| each.word()).collect();
        let word = String::read(node, errors)?;
        word.parse().ok().or_else(|| unknown_word(node, &word, &words, errors))
    }

    fn schema(definitions: &mut Definitions) -> serde_json::Value {
        let form = |each: &Self| serde_json::json!({ "const": each.word(), "description": each.about() });
        definitions.define("Mechanism", |_| {
            let forms: Vec<serde_json::Value> = Self::ALL.iter().map(form).collect();
            serde_json::json!({ "description": "A way of blocking.", "anyOf": forms })
        })
    }
}

/// TCP flags as their letters: `R`, `RA`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TcpFlagLetters(pub(crate) TcpFlags);

impl Read for TcpFlagLetters {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        let letters = String::read(node, errors)?;
        flag_bits(&letters).filter(|flags| flags.0 != 0).map(Self).or_else(|| no_flags(node, &letters, errors))
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        serde_json::json!({ "type": "string", "pattern": "^[FSRPAUEC]+$" })
    }
}

/// TCP flags of which just these are set, of those that tell one kind of segment from another and of those that are named.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FlagSet(pub(crate) TcpFlags);

impl Read for FlagSet {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        let letters = String::read(node, errors)?;
        flag_bits(&letters).map(Self).or_else(|| no_flags(node, &letters, errors))
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        serde_json::json!({ "type": "string", "pattern": "^[FSRPAUEC]*$" })
    }
}

/// The bits of these letters; `None` where one stands for no flag.
fn flag_bits(letters: &str) -> Option<TcpFlags> {
    // The order of the bits in the header, RFC 9293 section 3.1.
    let bit = |letter| "FSRPAUEC".find(letter).map(|position| 1_u8 << position);
    letters.chars().try_fold(0, |flags, letter| Some(flags | bit(letter)?)).map(TcpFlags)
}

fn no_flags<T>(node: &Node, letters: &str, errors: &mut Collector) -> Option<T> {
    let message = format!("`{letters}` are not TCP flags");
    let help = "write their letters, of F S R P A U E C, such as \"RA\" for RST and ACK";
    errors.push(Diagnostic::new(DiagnosticKind::BadValue, &node.at, message).help(help));
    None
}
