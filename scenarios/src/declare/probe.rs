//! What is measured. Each layer can be pinned, so that each rule can be proved alone.

use std::net::IpAddr;
use std::time::Duration;

use crate::declare::{Cuts, TcpFlagLetters};
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::model::{
    Authority, ChatHeader, DnsTransport, Family, FamilyChoice, HttpVersion, MtProtoTransport, QuicVersion, Reply,
    Transport, USUAL_MEDIA,
};
use crate::read::{Definitions, Dictionary, OneOrMany, Read, choice, table, words};
use crate::source::{Spanned, Text};
use crate::tree::{Node, Value};

choice! {
    /// A measurement.
    ProbeDeclaration {
        words {
            /// WhatsApp as its users know it.
            "whatsapp" => UsualWhatsApp,
            /// Telegram as its users know it.
            "telegram" => UsualTelegram,
            /// Facebook Messenger as its users know it.
            "messenger" => UsualMessenger,
            /// Instagram as its users know it.
            "instagram" => UsualInstagram,
            /// MAX as its users know it.
            "max" => UsualMax,
        }
        keys {
            /// A DNS query.
            "dns" => Dns(DnsProbe),
            /// An ICMP echo request.
            "ping" => Ping(PingProbe),
            /// A program of this machine, run at the vantage.
            "command" => Command(CommandProbe),
            /// A TCP connection.
            "tcp" => Tcp(TcpProbe),
            /// A TCP connection and a TLS handshake.
            "tls" => Tls(TlsProbe),
            /// A page: DNS, TCP, TLS where the URL says so, and a GET.
            "http" => Http(HttpProbe),
            /// A page as OONI's Web Connectivity measures it.
            "web" => Web(WebProbe),
            /// WhatsApp: a message and media each way, beside what OONI measures.
            "whatsapp" => WhatsApp(AppProbe),
            /// One handshake and one message of WhatsApp's chat.
            "whatsapp-chat" => WhatsAppChat(WhatsAppChatProbe),
            /// Telegram: a message and media, beside what OONI measures.
            "telegram" => Telegram(TelegramProbe),
            /// One exchange with a data centre of Telegram.
            "telegram-chat" => TelegramChat(TelegramChatProbe),
            /// Facebook Messenger, beside what OONI measures.
            "messenger" => Messenger(AppProbe),
            /// Instagram: its page and its pictures.
            "instagram" => Instagram(AppProbe),
            /// MAX: its site, its API and its chat.
            "max" => Max(MaxProbe),
            /// A call: STUN, then sound both ways.
            "call" => Call(CallProbe),
            /// One STUN binding request.
            "stun" => Stun(StunProbe),
            /// A WireGuard handshake and packets through the tunnel.
            "wireguard" => WireGuard(WireGuardProbe),
            /// A download or an upload whose speed counts.
            "throughput" => Throughput(ThroughputProbe),
            /// A transfer that may stand still, and what is counted until it does.
            "freeze" => Freeze(FreezeProbe),
            /// A punishment: how long something innocuous is hit after something that is not, and by what key.
            "residual" => Residual(ResidualProbe),
            /// The hop at which somebody interferes.
            "trace" => Trace(TraceProbe),
            /// Bytes as they are written, over TCP or UDP.
            "speak" => Speak(SpeakProbe),
            /// Many connections of one client.
            "connections" => Connections(ConnectionsProbe),
            /// A QUIC handshake.
            "quic" => Quic(QuicProbe),
            /// A page over HTTP/3.
            "h3" => H3(H3Probe),
        }
    }
}

table! {
    /// A DNS query.
    DnsProbe {
        /// The name asked for.
        "name" => name: Text,
        /// A or AAAA.
        "family" => family: Family = Family::V4,
        /// Whom to ask: a resolver of the scenario, or an address; the vantage's first where not said.
        "resolver" => resolver: Option<Text>,
        /// How it is carried.
        "transport" => transport: DnsTransport = DnsTransport::Udp,
        /// The resolver's port; the transport's own where not said.
        "port" => port: Option<u16>,
        /// What a true answer holds; the addresses of the lab's own host where not said.
        "answer" => answer: OneOrMany<IpAddr> = OneOrMany(Vec::new()),
        /// How long answers to the one query are gathered, on the lab's clock; a moment where not said. Over UDP alone.
        "within" => within: Duration = Duration::ZERO,
        /// Whether the last of them is believed instead of the first: whoever waits gets past an injector that only adds.
        "patient" => patient: bool = false,
    }
}

table! {
    /// An ICMP echo request (RFC 792, RFC 4443), from a socket that needs no privileges. Its failure is `ip`: silence is
    /// `generic_timeout_error`, an ICMP error that came instead is `host_unreachable` or `network_unreachable`.
    PingProbe {
        /// Where to.
        "address" => address: IpAddr,
    }
}

table! {
    /// A program of this machine, run at the vantage as `exec` runs one: as the caller, without rights over the lab, trusting
    /// the lab's authority; with nothing on stdin, and from the client address of its measurement. The verdict is `ok` where
    /// it ends with the status that is said; `protocol` where it ends otherwise or is not done in time, because what it
    /// speaks did not get through and only it knows at which layer; `unmeasured` where it is not installed or cannot be run.
    /// The last line that it wrote to stderr is shown. In a file that is not of the built-in library it needs
    /// `--allow-commands`.
    CommandProbe {
        /// The command, for a shell.
        "run" => run: Text,
        /// The exit status that means `ok`.
        "status" => status: u8 = 0,
        /// How long it may take, on the wall's clock; then it is ended.
        "within" => within: Duration = Duration::from_secs(30),
    }
}

table! {
    /// A TCP connection.
    TcpProbe {
        /// Where to.
        "address" => address: IpAddr,
        /// The port.
        "port" => port: u16 = 443,
    }
}

table! {
    /// A TCP connection and a TLS handshake.
    TlsProbe {
        /// Where to; the first address of the lab's own host where not said.
        "address" => address: Option<IpAddr>,
        /// The family of that first address.
        "family" => family: Family = Family::V4,
        /// The port.
        "port" => port: u16 = 443,
        /// The server's name.
        "sni" => sni: Text,
        /// Whether the certificate must be right for the verdict `ok`; where not said, it must if the lab serves the name
        /// at this address, because any other host answers with its default certificate.
        "verify" => verify: Option<bool>,
        /// Where the `ClientHello` is cut.
        "split" => split: Option<SplitDeclaration>,
        /// `grease`: an `encrypted_client_hello` extension that means nothing, as browsers send it (RFC 9849).
        "ech" => ech: Option<Ech>,
        /// A `ClientHello` that another program sent, as `"@bytes/chromium-client-hello"`, is sent with this `sni` in it; a
        /// `ServerHello` in answer is `ok`.
        "hello" => hello: Option<Text>,
    }
}

table! {
    /// Where what a client says first is cut.
    SplitDeclaration {
        /// Into TCP segments, at these byte offsets of what is sent.
        "segments" => segments: Cuts = Cuts(Vec::new()),
        /// Into TLS records, at these byte offsets of the `ClientHello` without its record's header.
        "records" => records: Cuts = Cuts(Vec::new()),
    }
}

/// What a hello has in place of an encrypted one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ech {
    /// Random bytes of the right form.
    Grease,
}

words! {
    /// What a hello has in place of an encrypted one: `grease` is random bytes of the right form.
    Ech { "grease" => Self::Grease, }
}

table! {
    /// A page.
    HttpProbe {
        /// The URL.
        "url" => url: Spanned<String>,
        /// Where to, in place of what DNS says.
        "address" => address: Option<IpAddr>,
        /// Which family to use where DNS is asked; `any` is both, as browsers do (RFC 8305).
        "family" => family: FamilyChoice = FamilyChoice::default(),
        /// The version of HTTP that the client offers: 1 or 2.
        "http" => version: HttpVersion = HttpVersion::One,
        /// What the Host header says, where it is not the URL's host.
        "host" => host: Option<Text>,
        /// More headers, as `{ accept-language = "fa" }`.
        "headers" => headers: Dictionary<String> = Dictionary::default(),
        /// Where what is sent is cut: the request, or with `https` the `ClientHello` before it.
        "split" => split: Option<SplitDeclaration>,
    }
}

table! {
    /// A page as OONI's Web Connectivity measures it (ts-017, version 0.5): look-ups by the vantage's resolver, by a public one
    /// over UDP and by one over HTTPS where the lab has them; all addresses; the page and what it leads to; and beside it what
    /// a test helper meets: one of OONI's where the lab has them, else one at `control`. The verdict is that of OONI's rule:
    /// `ok`; `dns`, `tcp`, `tls` or `http`, and `blockpage` for `http-diff`; `unmeasured` where the site is down for everybody
    /// or nobody knows. `keys` of the expectation say more.
    WebProbe {
        /// The URL.
        "url" => url: Spanned<String>,
    }
}

table! {
    /// An app whose servers are known by name.
    AppProbe {
        /// How many kilobytes of media go each way.
        "media" => media: u32 = USUAL_MEDIA,
        /// Which family to use.
        "family" => family: Family = Family::V4,
    }
}

table! {
    /// WhatsApp's chat at one server.
    WhatsAppChatProbe {
        /// Where to; the first address of `g.whatsapp.net` where not said.
        "address" => address: Option<IpAddr>,
        /// 443 or 5222.
        "port" => port: u16 = 443,
        /// What comes before the handshake.
        "header" => header: ChatHeader = ChatHeader::Plain,
    }
}

table! {
    /// Telegram as its users know it.
    TelegramProbe {
        /// How many kilobytes of media go each way.
        "media" => media: u32 = USUAL_MEDIA,
        /// How its messages are carried.
        "transport" => transport: MtProtoTransport = MtProtoTransport::Obfuscated2,
    }
}

table! {
    /// One exchange with a data centre of Telegram.
    TelegramChatProbe {
        /// Where to.
        "address" => address: IpAddr,
        /// The port.
        "port" => port: u16 = 443,
        /// How it is carried.
        "transport" => transport: MtProtoTransport = MtProtoTransport::Obfuscated2,
    }
}

table! {
    /// MAX as its users know it.
    MaxProbe {
        /// Which authority signed the certificate of the API that is used.
        "authority" => authority: Authority = Authority::Known,
        /// Which family to use.
        "family" => family: Family = Family::V4,
    }
}

table! {
    /// A call through a relay.
    CallProbe {
        /// The relay; the first address of `host` where not said.
        "address" => address: Option<IpAddr>,
        /// A name of the lab that the relay has.
        "host" => host: Option<Text>,
        /// Its port.
        "port" => port: u16 = 3478,
        /// How long the call must hold, on the lab's clock.
        "lasts" => lasts: Duration = Duration::from_secs(60),
    }
}

table! {
    /// A STUN binding request.
    StunProbe {
        /// Where to; the first address of `host` where not said.
        "address" => address: Option<IpAddr>,
        /// A name of the lab that the server has.
        "host" => host: Option<Text>,
        /// The port.
        "port" => port: u16 = 3478,
    }
}

table! {
    /// A WireGuard tunnel.
    WireGuardProbe {
        /// The provider's server; the first address of `host` where not said.
        "address" => address: Option<IpAddr>,
        /// A name of the lab that the server has.
        "host" => host: Option<Text>,
        /// Its port.
        "port" => port: u16 = 51_820,
        /// How many packets must come back through the tunnel.
        "packets" => packets: u16 = 20,
    }
}

table! {
    /// A transfer whose speed counts.
    ThroughputProbe {
        /// A name of the lab's that serves files over HTTPS.
        "host" => host: Text,
        /// Where to, in place of what DNS says.
        "address" => address: Option<IpAddr>,
        /// How many kilobytes.
        "kilobytes" => kilobytes: u32 = 64,
        /// Whether they are sent instead of fetched.
        "upload" => upload: bool = false,
        /// What is slower than so many kilobits a second is throttled.
        "at-least" => at_least: u32 = DEFAULT_AT_LEAST,
        /// A neutral name with which the same is measured at the same address, before it and on a connection of its own: what
        /// is slow with one name and fast with the other is throttled by name, and no congestion.
        "beside" => beside: Option<Text>,
    }
}

table! {
    /// A transfer that may stand still. Where it does, the same is moved in short segments and the other way too, each on a
    /// connection of its own, so that a limit on packets is told from one on bytes.
    FreezeProbe {
        /// A name of the lab's that serves files over HTTPS.
        "host" => host: Text,
        /// Where to, in place of what DNS says.
        "address" => address: Option<IpAddr>,
        /// How many kilobytes.
        "kilobytes" => kilobytes: u32 = 64,
        /// Whether they are sent instead of fetched.
        "upload" => upload: bool = false,
        /// A neutral name with which the same is measured at the same address.
        "beside" => beside: Option<Text>,
    }
}

table! {
    /// A punishment that outlives its trigger. The trigger is measured, then something innocuous at moments after it, on the
    /// lab's clock, each time behind a pause in which every punishment of before ends. The verdict is that of the innocuous
    /// measurement two seconds after the trigger: `ok` where nobody is punished, `unmeasured` where it fails without a trigger.
    ResidualProbe {
        /// What earns it.
        "trigger" => trigger: Box<ProbeDeclaration>,
        /// What is innocuous, at the same port of the same server.
        "test" => test: Box<ProbeDeclaration>,
        /// The same at another port of it, so that a punishment of the address is told from one of the port.
        "elsewhere" => elsewhere: Option<Box<ProbeDeclaration>>,
        /// How long it may last, on the lab's clock, at most a day.
        "within" => within: Duration = Duration::from_secs(600),
        /// How often each look is taken, each with a trigger of its own, from 1 to 20: where chance decides, one that is hit
        /// is enough.
        "tries" => tries: u16 = 1,
    }
}

table! {
    /// The hop at which somebody interferes: a name is said with a rising time to live, beside a neutral one, over a connection
    /// that was made before, or in a query. One of `sni`, `host` and `query` says which and how. IPv4 only.
    TraceProbe {
        /// Where to; the first address of the lab's own host where not said.
        "address" => address: Option<IpAddr>,
        /// The port; 443 for `sni`, 80 for `host` and 53 for `query` where not said.
        "port" => port: Option<u16>,
        /// A name that a `ClientHello` says.
        "sni" => sni: Option<Text>,
        /// A name that a request over HTTP says.
        "host" => host: Option<Text>,
        /// A name that a query over UDP says; then `address` must be said, and must answer.
        "query" => query: Option<Text>,
        /// What is said beside it, and must be answered.
        "neutral" => neutral: String = "www.example.com".to_owned(),
    }
}

table! {
    /// Bytes as they are written, and what must come back.
    SpeakProbe {
        /// Where to; the first address of `host` where not said.
        "address" => address: Option<IpAddr>,
        /// A name of the lab that the server has.
        "host" => host: Option<Text>,
        /// The port.
        "port" => port: u16 = 443,
        /// What carries them: `tcp` or `udp`.
        "transport" => transport: Transport = Transport::Tcp,
        /// Bare segments that are sent from the connection's ports before it is opened, by their flags, as `["FA", "FA"]`: what
        /// tools send to confuse a box that keeps connections. TCP only.
        "before" => before: OneOrMany<TcpFlagLetters> = OneOrMany(Vec::new()),
        /// The bytes, each element a segment or a datagram of its own: `"text:GET / HTTP/1.1\r\n\r\n"`,
        /// `"hex:16 03 01"`, or those of a file of the library, `"@bytes/x"`.
        "send" => send: OneOrMany<Text>,
        /// Where the first of them is cut into segments more, as byte offsets.
        "split" => split: Cuts = Cuts(Vec::new()),
        /// How long after each of them before the next is sent, on the lab's clock.
        "pause" => pause: Duration = Duration::ZERO,
        /// What must come back: `any` bytes, the `echo` of all that was sent, or `none`, where it is enough that nothing
        /// goes wrong.
        "reply" => reply: Reply = Reply::Any,
    }
}

table! {
    /// Connections of one client to one web server, one after the other, each with a TLS handshake and a request, and all
    /// kept open. Where a later one stands still the verdict is `freezes`, and the report says after how many.
    ConnectionsProbe {
        /// Where to; the first address of the lab's own host where not said.
        "address" => address: Option<IpAddr>,
        /// The family of that first address.
        "family" => family: Family = Family::V4,
        /// The port.
        "port" => port: u16 = 443,
        /// The server's name.
        "sni" => sni: Text,
        /// How many, at most 200.
        "count" => count: u16 = 20,
        /// Over what time they are spread, on the lab's clock; at once where not said.
        "within" => within: Duration = Duration::ZERO,
    }
}

table! {
    /// A QUIC handshake (RFC 9001).
    QuicProbe {
        /// Where to; the first address of the lab's own host where not said.
        "address" => address: Option<IpAddr>,
        /// The family of that first address.
        "family" => family: Family = Family::V4,
        /// The port.
        "port" => port: u16 = 443,
        /// The server's name.
        "sni" => sni: Text,
        /// The version of QUIC: 1, or `draft-29`.
        "version" => version: QuicVersion = QuicVersion::One,
        /// Whether the certificate must be right for the verdict `ok`; where not said, it must if the lab serves the name
        /// at this address.
        "verify" => verify: Option<bool>,
    }
}

table! {
    /// A page over HTTP/3: DNS, QUIC, and a GET.
    H3Probe {
        /// The URL, with `https`.
        "url" => url: Spanned<String>,
        /// Where to, in place of what DNS says.
        "address" => address: Option<IpAddr>,
        /// Which family to use where DNS is asked.
        "family" => family: Family = Family::V4,
    }
}

/// One, or a draft.
impl Read for QuicVersion {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        match &node.value {
            Value::Integer(Some(1)) => Some(Self::One),
            Value::String(word) if word == "draft-29" => Some(Self::Draft29),
            _ => {
                let message = "this is not a version of QUIC that a probe speaks";
                let help = "write 1 or \"draft-29\"; the first datagram of another version can be sent with `speak`";
                errors.push(Diagnostic::new(DiagnosticKind::BadValue, &node.at, message).help(help));
                None
            }
        }
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        serde_json::json!({ "enum": [1, "draft-29"] })
    }
}

/// One or two.
impl Read for HttpVersion {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        match node.value {
            Value::Integer(Some(1)) => Some(Self::One),
            Value::Integer(Some(2)) => Some(Self::Two),
            _ => {
                let message = "this is not a version of HTTP that a probe speaks";
                errors.push(Diagnostic::new(DiagnosticKind::BadValue, &node.at, message).help("write 1 or 2"));
                None
            }
        }
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        serde_json::json!({ "enum": [1, 2] })
    }
}

/// What a person calls slow, in kilobits a second: a picture of 256 KB takes longer than two seconds. The lab itself
/// carries far more.
pub(crate) const DEFAULT_AT_LEAST: u32 = 1000;
