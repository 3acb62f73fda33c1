//! What is measured, and what it must give.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use roadblock_censor::policy::TcpFlags;
use serde::Serialize;

use super::{Finds, Hello, HttpRequest, Name, Payload, Reply, Transport};
use crate::source::Location;

/// What must be observed.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// Where the file says so.
    pub location: Location,
    /// A short name for reports: the `id` that the file gives, or `expect.3`.
    pub id: Name,
    /// Where it is one of another expectation's neighbours: of which, and how it differs from it.
    pub neighbour_of: Option<Neighbour>,
    /// From which vantages; never empty.
    pub vantages: Vec<Name>,
    /// In which phases; never empty.
    pub phases: Vec<Name>,
    /// Expectations with the same sequence share a client address and run in the order of the file.
    pub sequence: Option<Name>,
    /// Where it is measured many times, each from a client of its own: how often, and how many must be `ok`. It has one
    /// step then, and what is not `ok` must be as the step says.
    pub times: Option<Times>,
    /// The measurement and what it must give, then what must hold afterwards.
    pub steps: Vec<Step>,
}

/// How often something is measured, and how many of these must be `ok`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Times {
    /// How often.
    pub of: u16,
    /// How many must be `ok`, at least and at most.
    pub ok: RangeInclusive<u16>,
}

/// A speed, as a ratio to that from control. At least one of these is there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OfControl {
    /// At least so much.
    pub at_least: Option<f64>,
    /// At most so much.
    pub at_most: Option<f64>,
}

/// Whose neighbour a measurement is: what a block that is drawn too wide would touch.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Neighbour {
    /// The id of the expectation that it stands beside.
    pub of: Name,
    /// How it differs from it.
    pub kind: NeighbourKind,
}

/// How a neighbour differs from the measurement that it stands beside.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NeighbourKind {
    /// Another name on the same address.
    Name,
    /// The same name at another address.
    Address,
    /// The same address at another port.
    Port,
    /// The same address over another protocol.
    Protocol,
}

impl NeighbourKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Name, Self::Address, Self::Port, Self::Protocol];

    /// What the file calls it, and what comes after `~` in a neighbour's id.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Address => "address",
            Self::Port => "port",
            Self::Protocol => "protocol",
        }
    }
}

/// One measurement of an expectation.
#[derive(Clone, Debug)]
pub struct Step {
    /// How long after the beginning of the step before it begins, on the lab's clock.
    pub wait: Duration,
    /// Whether it uses the client port of the step before.
    pub same_tuple: bool,
    /// What is measured.
    pub probe: Probe,
    /// What it must give.
    pub verdict: VerdictWord,
    /// OONI's failure string, where the file names one.
    pub failure: Option<String>,
    /// The rules of which one must have done it, as `censor/rule` or `resolver/lie`; empty where the file names none.
    pub by: Vec<String>,
    /// What the speed must be, beside that of the same measurement from control.
    pub of_control: Option<OfControl>,
    /// What must be found out, beside the verdict.
    pub finds: Option<Finds>,
    /// Test keys that it must give, by name.
    pub keys: Vec<(String, serde_json::Value)>,
}

/// A measurement with each layer pinned that the file pins.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Probe {
    /// A DNS query.
    Dns {
        /// The name asked for.
        name: String,
        /// A or AAAA.
        family: Family,
        /// Whom to ask; the vantage's first resolver where not said.
        resolver: Option<IpAddr>,
        /// The resolver's port.
        port: u16,
        /// How it is carried.
        transport: DnsTransport,
        /// Addresses that the answer must hold for the verdict `ok`; empty: those of the lab's own host.
        answer: Vec<IpAddr>,
        /// How long answers are waited for, and which counts.
        patience: DnsPatience,
    },
    /// An ICMP echo request.
    Ping {
        /// Where to.
        address: IpAddr,
    },
    /// A TCP connection.
    Tcp {
        /// Where to: address and port.
        address: IpAddr,
        /// The port.
        port: u16,
    },
    /// A TCP connection and a TLS handshake.
    Tls {
        /// Where to.
        address: IpAddr,
        /// The port, 443 where not said.
        port: u16,
        /// The server's name.
        sni: String,
        /// Whether the certificate must be right for the verdict `ok`. An address pinned to a host that does not serve
        /// the name answers with its default certificate.
        verify: bool,
        /// How the client says hello.
        hello: Hello,
    },
    /// A page: DNS, TCP, TLS where the URL says so, and a GET.
    Http {
        /// The URL.
        url: String,
        /// Where to, in place of what DNS says.
        address: Option<IpAddr>,
        /// Which family to use where DNS is asked.
        family: FamilyChoice,
        /// The version of HTTP that the client offers.
        version: HttpVersion,
        /// What the request has beside the usual.
        request: HttpRequest,
    },
    /// A page as OONI's Web Connectivity measures it, with a test helper beside it.
    WebConnectivity {
        /// The URL.
        url: String,
    },
    /// WhatsApp as its users know it, with OONI's test keys.
    WhatsApp {
        /// How many kilobytes (1024 bytes) of media go each way.
        media: u32,
        /// Which family to use.
        family: Family,
    },
    /// One handshake and one message of WhatsApp's chat.
    WhatsAppChat {
        /// Where to.
        address: IpAddr,
        /// 443 or 5222.
        port: u16,
        /// What comes before the handshake.
        header: ChatHeader,
    },
    /// Telegram as its users know it, with OONI's test keys.
    Telegram {
        /// How many kilobytes of media go each way.
        media: u32,
        /// How its messages are carried.
        transport: MtProtoTransport,
    },
    /// One exchange with a data centre of Telegram.
    TelegramChat {
        /// Where to.
        address: IpAddr,
        /// 80, 443 or 5222.
        port: u16,
        /// How it is carried.
        transport: MtProtoTransport,
    },
    /// Facebook Messenger, with OONI's test keys.
    Messenger {
        /// How many kilobytes of media are fetched.
        media: u32,
        /// Which family to use.
        family: Family,
    },
    /// Instagram: its page and its pictures.
    Instagram {
        /// How many kilobytes of media are fetched.
        media: u32,
        /// Which family to use.
        family: Family,
    },
    /// MAX: its site, its API and its chat.
    Max {
        /// Which authority its new API's certificate comes from.
        authority: Authority,
        /// Which family to use.
        family: Family,
    },
    /// A call: STUN, then sound for as long as it is said.
    Call {
        /// The relay.
        address: IpAddr,
        /// Its port.
        port: u16,
        /// How long it must hold, on the lab's clock.
        lasts: Duration,
    },
    /// One STUN binding request.
    Stun {
        /// Where to.
        address: IpAddr,
        /// The port.
        port: u16,
    },
    /// A program of this machine, run at the vantage.
    Command {
        /// Where the file says so.
        location: Location,
        /// The command, for a shell.
        run: String,
        /// The exit status that means `ok`.
        status: u8,
        /// How long it may take, on the wall's clock.
        within: Duration,
    },
    /// A WireGuard handshake and packets through the tunnel.
    WireGuard {
        /// The provider's server.
        address: IpAddr,
        /// Its port.
        port: u16,
        /// How many packets must come back.
        packets: u16,
    },
    /// A download or an upload whose speed counts.
    Throughput {
        /// A name of the lab's that serves files over HTTPS.
        host: String,
        /// Where to, in place of what DNS says.
        address: Option<IpAddr>,
        /// How many kilobytes.
        kilobytes: u32,
        /// Whether they are sent instead of fetched.
        upload: bool,
        /// What is slower than so many kilobits a second is throttled.
        at_least: u32,
        /// A neutral name that is measured at the same address, for comparison.
        beside: Option<String>,
    },
    /// A transfer that may stand still, and what is counted until it does.
    Freeze {
        /// A name of the lab's that serves files over HTTPS.
        host: String,
        /// Where to, in place of what DNS says.
        address: Option<IpAddr>,
        /// How many kilobytes.
        kilobytes: u32,
        /// Whether they are sent instead of fetched.
        upload: bool,
        /// A neutral name that is measured at the same address, for comparison.
        beside: Option<String>,
    },
    /// A punishment: how long something innocuous is hit after something that is not, and by what key.
    Residual {
        /// What earns it.
        trigger: Box<Self>,
        /// What is innocuous, at the same port of the same server.
        test: Box<Self>,
        /// The same at another port of it.
        elsewhere: Option<Box<Self>>,
        /// How long it may last.
        within: Duration,
        /// How often each look is taken.
        tries: u16,
    },
    /// The hop at which somebody interferes.
    Trace {
        /// Where to; IPv4.
        address: IpAddr,
        /// The port.
        port: u16,
        /// What says the name.
        says: Says,
        /// The name that may be interfered with.
        about: String,
        /// The name that is not.
        neutral: String,
    },
    /// Connections of one client to one web server, one after the other and all kept.
    Connections {
        /// Where to.
        address: IpAddr,
        /// The port.
        port: u16,
        /// The server's name.
        sni: String,
        /// Whether the certificate must be right.
        verify: bool,
        /// How many.
        count: u16,
        /// Over what time they are spread, on the lab's clock.
        within: Duration,
    },
    /// A QUIC handshake.
    Quic {
        /// Where to.
        address: IpAddr,
        /// The port, 443 where not said.
        port: u16,
        /// The server's name.
        sni: String,
        /// The version of QUIC.
        version: QuicVersion,
        /// Whether the certificate must be right for the verdict `ok`.
        verify: bool,
    },
    /// A page over HTTP/3.
    H3 {
        /// The URL.
        url: String,
        /// Where to, in place of what DNS says.
        address: Option<IpAddr>,
        /// Which family to use where DNS is asked.
        family: Family,
    },
    /// Bytes as they are written.
    Speak {
        /// Where to.
        address: IpAddr,
        /// The port.
        port: u16,
        /// What carries them.
        transport: Transport,
        /// Bare segments that go before the connection, by their flags.
        before: Vec<TcpFlags>,
        /// The bytes; at least one.
        payloads: Vec<Payload>,
        /// How long after each before the next is sent, on the lab's clock.
        pause: Duration,
        /// What must come back.
        reply: Reply,
    },
}

/// What says a name to whoever stands on the way.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Says {
    /// A `ClientHello`, by its SNI.
    ClientHello,
    /// A request over HTTP, by its Host.
    Request,
    /// A DNS query over UDP.
    Query,
}

/// How a DNS query is carried.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DnsTransport {
    /// UDP, port 53.
    #[default]
    Udp,
    /// TCP, port 53.
    Tcp,
    /// DNS over TLS, port 853 (RFC 7858).
    Tls,
    /// DNS over HTTPS, port 443 (RFC 8484).
    Https,
}

impl DnsTransport {
    /// The port at which it is spoken.
    pub const fn usual_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 53,
            Self::Tls => 853,
            Self::Https => 443,
        }
    }
}

/// A version of HTTP.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HttpVersion {
    /// HTTP/1.1.
    #[default]
    One,
    /// HTTP/2 (RFC 9113).
    Two,
}

/// How a client of DNS takes more answers than one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DnsPatience {
    /// How long it goes on listening, on the lab's clock; zero: a moment.
    pub within: Duration,
    /// Whether the last answer counts, and not the first.
    pub last: bool,
}

/// A version of QUIC.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuicVersion {
    /// Version 1 (RFC 9000).
    #[default]
    One,
    /// `draft-ietf-quic-transport-29`, which browsers spoke from 2020 until there was version 1.
    Draft29,
}

/// What a client of WhatsApp sends before the Noise handshake (facts, section 5b).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChatHeader {
    /// `WA` and the version.
    #[default]
    Plain,
    /// `ED`, routing information, then `WA` and the version.
    Routed,
}

/// How many kilobytes (1024 bytes) of media a probe of an app moves each way where nobody says: a picture.
pub const USUAL_MEDIA: u32 = 256;

/// How MTProto is carried (core.telegram.org/mtproto/mtproto-transports).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MtProtoTransport {
    /// A first byte of `ef`, then lengths of one or four bytes.
    Abridged,
    /// Four bytes of `ee`, then lengths of four bytes.
    Intermediate,
    /// Four bytes of `dd`, then lengths of four bytes and padding.
    Padded,
    /// 64 bytes that look random, then everything encrypted; what Telegram's own clients use.
    #[default]
    Obfuscated2,
}

/// Which authority a service's certificate comes from.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Authority {
    /// One that everybody's devices know.
    #[default]
    Known,
    /// One that only its own country's devices know. That this client does not believe it is no blocking.
    Foreign,
}

/// An address family.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// IPv4.
    #[default]
    V4,
    /// IPv6.
    V6,
}

/// Which address families a client may use.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FamilyChoice {
    /// One.
    Only(Family),
    /// Both, as browsers do: IPv6 first, IPv4 when it is slow (RFC 8305).
    Any,
}

impl Default for FamilyChoice {
    fn default() -> Self {
        Self::Only(Family::V4)
    }
}

/// The verdict words of the scenario language.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictWord {
    /// Reached.
    Ok,
    /// The name could not be resolved, or to a wrong address.
    Dns,
    /// The address cannot be reached at all.
    Ip,
    /// The TCP connection failed.
    Tcp,
    /// The TLS handshake failed.
    Tls,
    /// The HTTP exchange failed.
    Http,
    /// A block page came.
    Blockpage,
    /// QUIC failed where TCP works.
    Quic,
    /// A protocol was recognised and cut.
    Protocol,
    /// It works, too slowly.
    Throttled,
    /// It works and then stands still.
    Freezes,
    /// Somebody else's certificate came.
    Intercepted,
    /// It could not be measured.
    Unmeasured,
}
