//! What a scenario must say so that a client in it meets what was measured.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::words::HostName;

/// What is inferred from a measurement.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Findings {
    /// Services of the library that exist.
    pub(crate) uses: Vec<String>,
    /// The machines that exist besides.
    pub(crate) servers: Vec<Server>,
    /// What the client's resolver says in place of the truth.
    pub(crate) lies: Vec<Lie>,
    /// What is done on the way.
    pub(crate) deeds: Vec<Deed>,
    /// Whether the client had no way to IPv6 addresses.
    pub(crate) only_v4: bool,
    /// What cannot be inferred, a line each.
    pub(crate) unknown: Vec<String>,
}

/// A machine.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Server {
    /// Its names; at least one.
    pub(crate) names: Vec<String>,
    /// Where it lives; at least one, all public.
    pub(crate) addresses: BTreeSet<IpAddr>,
    /// What it listens for, as `https:8443`.
    pub(crate) listen: BTreeSet<String>,
    /// What is wrong with its certificate, as `certificate` says it.
    pub(crate) certificate: Option<&'static str>,
    /// Whether only a lie leads to it.
    pub(crate) hidden: bool,
    /// Where its paths lead to.
    pub(crate) redirects: Vec<Redirect>,
    /// Its page.
    pub(crate) page: Page,
    /// How that is known.
    pub(crate) evidence: String,
}

/// A page, as far as it matters: what it is compared by.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Page {
    /// Its title.
    pub(crate) title: String,
    /// How many bytes it has; 0 where nobody knows.
    pub(crate) length: usize,
    /// Its status; 0 where nobody knows.
    pub(crate) status: u16,
}

/// An answer that leads elsewhere.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Redirect {
    /// At which path.
    pub(crate) path: String,
    /// With which status.
    pub(crate) status: u16,
    /// Where to.
    pub(crate) location: String,
}

/// What a resolver says in place of the truth.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Lie {
    /// About which name.
    pub(crate) name: HostName,
    /// What.
    pub(crate) answer: LieAnswer,
    /// How that is known.
    pub(crate) evidence: String,
}

/// What is said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum LieAnswer {
    /// A response code.
    Code(&'static str),
    /// Addresses.
    Addresses(BTreeSet<IpAddr>),
    /// Nothing.
    Silence,
}

/// What is done on the way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Deed {
    /// What.
    pub(crate) what: What,
    /// The servers that are meant; all where there are none here.
    pub(crate) addresses: BTreeSet<IpAddr>,
    /// Their port; all where there is none.
    pub(crate) port: Option<u16>,
    /// How that is known.
    pub(crate) evidence: String,
    /// OONI's string for it.
    pub(crate) failure: Option<String>,
}

/// What is done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum What {
    /// To connections.
    Connection(ConnectionFate),
    /// To TLS handshakes for a name.
    Handshake(HostName, Fate),
    /// To requests over TLS.
    Secure(HostName, Fate),
    /// To plain requests.
    Request(HostName, Fate),
    /// Plain requests are answered with this, head and all.
    Page(HostName, String),
    /// QUIC for a name is dropped.
    Quic(HostName),
    /// To queries on the way to a resolver.
    Query(HostName, LieAnswer),
}

/// What happens to connections.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ConnectionFate {
    /// They are dropped.
    Drop,
    /// They are refused.
    Refuse,
    /// An ICMP error says that the host cannot be reached.
    HostUnreachable,
    /// An ICMP error says that the network cannot be reached.
    NetworkUnreachable,
}

/// What happens to a handshake or a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    /// It is dropped.
    Drop,
    /// It is reset.
    Reset,
    /// The connection ends.
    Close,
    /// An alert answers it.
    Alert,
}

impl What {
    /// The rule of `censors/as-measured` that does it.
    pub(crate) fn rule(&self) -> String {
        match self {
            Self::Connection(fate) => fate.word().to_owned(),
            Self::Handshake(_, fate) => format!("tls-{}", fate.word()),
            Self::Secure(_, fate) => format!("https-{}", fate.word()),
            Self::Request(_, fate) => format!("http-{}", fate.word()),
            Self::Page(..) => "http-page".to_owned(),
            Self::Quic(_) => "quic-drop".to_owned(),
            Self::Query(_, answer) => format!("dns-{}", answer.word()),
        }
    }
}

impl ConnectionFate {
    fn word(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Refuse => "refuse",
            Self::HostUnreachable => "host-unreachable",
            Self::NetworkUnreachable => "network-unreachable",
        }
    }
}

impl Fate {
    fn word(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Reset => "reset",
            Self::Close => "close",
            Self::Alert => "alert",
        }
    }
}

impl LieAnswer {
    fn word(&self) -> &'static str {
        match self {
            Self::Silence => "drop",
            Self::Code("NXDOMAIN") => "nxdomain",
            Self::Code("REFUSED") => "refused",
            Self::Code(_) => "servfail",
            Self::Addresses(_) => "forge",
        }
    }
}
