//! What is sent besides: forged packets and their shapes.

use core::ops::RangeInclusive;
use core::time::Duration;
use std::net::IpAddr;
use std::sync::Arc;

use super::{Rejection, TcpFlags};

/// A packet to inject, or several of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Injection {
    /// What it is.
    pub kind: InjectionKind,
    /// The IP header that it travels in.
    pub ip: IpShape,
    /// How long after the packet that caused it, on the modelled clock.
    pub delay: Duration,
}

/// What is injected.
#[derive(Clone, Debug, PartialEq)]
pub enum InjectionKind {
    /// A TCP segment that carries the other end's address: a reset, a forged SYN/ACK, a page.
    Segment(SegmentShape),
    /// A forged answer to the DNS query that matched, sent to its asker.
    Dns(DnsInjection),
    /// An ICMP error about the packet that matched. Only its sender gets one: it quotes what that sent.
    Icmp {
        /// To whom.
        to: Recipient,
        /// Which. A TCP reset is taken for port unreachable.
        error: Rejection,
    },
}

impl InjectionKind {
    /// A reset with the number that its receiver expects next.
    pub fn reset(to: Recipient, flags: TcpFlags) -> Self {
        Self::Segment(SegmentShape { to, flags, ..SegmentShape::default() })
    }

    /// An HTTP answer, after which the connection is at its end.
    pub fn http(to: Recipient, answer: &HttpAnswer) -> Self {
        let payload = answer.to_bytes().into();
        let (flags, window) = (TcpFlags::FIN_PSH_ACK, Number::Fixed(LINUX_WINDOW));
        Self::Segment(SegmentShape { to, flags, payload, window, ..SegmentShape::default() })
    }
}

impl From<InjectionKind> for Injection {
    /// At once, and as Linux would send it.
    fn from(kind: InjectionKind) -> Self {
        Self { kind, ip: IpShape::default(), delay: Duration::ZERO }
    }
}

/// Who gets an injection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Recipient {
    /// The inside end.
    Client,
    /// The outside end.
    Server,
    /// Both, the inside end first.
    Both,
}

/// The shape of a TCP segment.
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentShape {
    /// To whom.
    pub to: Recipient,
    /// Its flags. Where there is nothing to acknowledge, ACK is left out of a reset to the receiver of a first SYN, and
    /// added to one for its sender, who accepts nothing else (RFC 9293 section 3.10.7.3).
    pub flags: TcpFlags,
    /// The data. What does not fit into one segment goes into several, of which the last has FIN and PSH.
    pub payload: Arc<[u8]>,
    /// How far from what its receiver expects next its sequence number lies; one packet for each (GFW-HTTP-2).
    pub at: Vec<i64>,
    /// The receive window.
    pub window: Number,
    /// How far from the right one the acknowledgement number lies.
    pub acknowledgement: i64,
}

impl Default for SegmentShape {
    /// A plain reset to the client.
    fn default() -> Self {
        Self {
            to: Recipient::Client,
            flags: TcpFlags::RST,
            payload: Arc::default(),
            at: vec![0],
            window: Number::Fixed(0),
            acknowledgement: 0,
        }
    }
}

/// The IP header of a packet that is injected.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IpShape {
    /// The time to live.
    pub ttl: Number,
    /// The identification. IPv6 has none.
    pub id: Number,
    /// Whether fragmenting it is forbidden. IPv6 has no such bit.
    pub dont_fragment: bool,
}

impl Default for IpShape {
    /// A time to live of 64; don't fragment, and therefore no identification (RFC 6864).
    fn default() -> Self {
        Self { ttl: Number::Fixed(64), id: Number::Fixed(0), dont_fragment: true }
    }
}

/// A number in a header of a packet that is injected.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Number {
    /// Always this one.
    Fixed(u16),
    /// That of the packet that matched (GFW-DNS-2).
    Copy,
    /// One after the other, and from the first again.
    Cycle(RangeInclusive<u16>),
    /// Any of these, from the seed and how many came before.
    Random(RangeInclusive<u16>),
}

impl Number {
    /// Any time to live that outlasts a path.
    pub const RANDOM_TTL: Self = Self::Random(48..=255);
    /// Any identification or window.
    pub const RANDOM: Self = Self::Random(0..=u16::MAX);
}

/// An HTTP answer (RFC 9112 section 4).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// Where to go instead.
    pub location: Option<String>,
    /// The page, as HTML.
    pub body: Vec<u8>,
}

impl HttpAnswer {
    /// The answer as it goes over the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        let reason = match self.status {
            200 => "OK",
            301 => "Moved Permanently",
            302 => "Found",
            307 => "Temporary Redirect",
            403 => "Forbidden",
            404 => "Not Found",
            451 => "Unavailable For Legal Reasons",
            503 => "Service Unavailable",
            _ => "",
        };
        let location = self.location.as_ref().map(|to| format!("Location: {to}\r\n")).unwrap_or_default();
        let kind = if self.body.is_empty() { "" } else { "Content-Type: text/html\r\n" };
        let length = self.body.len();
        let head = format!(
            "HTTP/1.1 {} {reason}\r\n{location}{kind}Content-Length: {length}\r\nConnection: close\r\n\r\n",
            self.status
        );
        [head.as_bytes(), &self.body].concat()
    }
}

/// A forged DNS answer and how its injector makes one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DnsInjection {
    /// What it says.
    pub forgery: DnsForgery,
    /// Which of the addresses it says.
    pub pick: Pick,
    /// The RA bit.
    pub recursion_available: bool,
    /// The canonical name that the addresses are given to.
    pub cname: Option<Arc<str>>,
    /// The types of questions that it answers; empty: all.
    pub qtypes: Vec<u16>,
    /// Whether a question of a type for which it has no address gets one all the same (GFW-DNS-5).
    pub whatever_type: bool,
    /// Whether the query is copied whole and overwritten where it must be (TM-1), what stands behind the question included.
    pub copy_query: bool,
}

impl From<DnsForgery> for DnsInjection {
    /// All addresses, to every question.
    fn from(forgery: DnsForgery) -> Self {
        Self {
            forgery,
            pick: Pick::All,
            recursion_available: true,
            cname: None,
            qtypes: Vec::new(),
            whatever_type: false,
            copy_query: false,
        }
    }
}

/// Which addresses of an ordered pool an answer holds, of those of the asked family.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Pick {
    /// All.
    #[default]
    All,
    /// One, the next after that of the answer before, and from the first again (GFW-DNS-3).
    Cycle,
    /// One, which is the same for each query from the same port of the same client to the same server.
    ByFlow,
}

/// A forged DNS answer.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DnsForgery {
    /// The response code: 0 no error, 3 name does not exist, 5 refused (RFC 1035 section 4.1.1).
    pub rcode: u8,
    /// Addresses to answer with, in order; those of the asked family are used.
    pub addresses: Vec<IpAddr>,
    /// The time to live of each answer, in seconds.
    pub ttl: u32,
    /// The AA bit.
    pub authoritative: bool,
}

/// What Linux announces at first on Ethernet, not scaled.
const LINUX_WINDOW: u16 = 64_240;
