//! What a censor sends of its own: segments, HTTP and DNS answers, ICMP errors, and the shapes of their headers.

use std::time::Duration;

use roadblock_censor::policy::{Pick, Recipient, Rejection};

use crate::declare::{Argument, HeaderNumber, HexBytes, Items, Offset, TcpFlagLetters};
use crate::read::{OneOrMany, table, words};
use crate::source::Text;

table! {
    /// A packet to inject: exactly one of `reset`, `segment`, `http`, `dns` and `icmp`.
    InjectDeclaration {
        /// A reset that carries the other end's address.
        "reset" => reset: Option<ResetDeclaration>,
        /// Any TCP segment that carries the other end's address.
        "segment" => segment: Option<SegmentDeclaration>,
        /// An HTTP answer that carries the other end's address.
        "http" => http: Option<HttpDeclaration>,
        /// A forged answer to the DNS query that matched, sent to its asker.
        "dns" => dns: Option<DnsAnswer>,
        /// An ICMP error about the packet that matched, sent to its sender.
        "icmp" => icmp: Option<IcmpDeclaration>,
        /// The IP header that it travels in.
        "ip" => ip: Option<IpDeclaration>,
        /// How long after the packet that caused it. Several: one packet at each of these times.
        "delay" => delay: Argument<OneOrMany<Duration>> = Argument::Literal(OneOrMany(vec![Duration::ZERO])),
    }
}

impl InjectDeclaration {
    /// What is injected, where exactly one thing is said.
    pub(crate) fn what(&self) -> Option<Injectable<'_>> {
        let all = [
            self.reset.as_ref().map(Injectable::Reset),
            self.segment.as_ref().map(Injectable::Segment),
            self.http.as_ref().map(Injectable::Http),
            self.dns.as_ref().map(Injectable::Dns),
            self.icmp.as_ref().map(Injectable::Icmp),
        ];
        let mut said = all.into_iter().flatten();
        said.next().filter(|_| said.next().is_none())
    }
}

/// What is injected.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Injectable<'a> {
    Reset(&'a ResetDeclaration),
    Segment(&'a SegmentDeclaration),
    Http(&'a HttpDeclaration),
    Dns(&'a DnsAnswer),
    Icmp(&'a IcmpDeclaration),
}

table! {
    /// A reset that carries the other end's address.
    ResetDeclaration {
        /// Who gets it.
        "to" => to: Recipients,
        /// Its TCP flags; `"R"` where not said.
        "flags" => flags: Option<TcpFlagLetters>,
        /// How far from what its receiver expects next its sequence number lies; one packet for each; 0 where not said.
        "at" => at_offsets: OneOrMany<Offset> = OneOrMany(vec![Offset(0)]),
        /// The receive window; 0 where not said.
        "window" => window: Option<HeaderNumber>,
        /// How far from the right one its acknowledgement number lies.
        "ack-offset" => ack_offset: Offset = Offset(0),
    }
}

table! {
    /// A TCP segment that carries the other end's address.
    SegmentDeclaration {
        /// Who gets it.
        "to" => to: Recipients,
        /// Its TCP flags.
        "flags" => flags: TcpFlagLetters,
        /// Its payload, as text.
        "text" => text: Option<Argument<Text>>,
        /// Its payload in hexadecimal; after the text, where both are said.
        "hex" => hex: Option<HexBytes>,
        /// How far from what its receiver expects next its sequence number lies; one packet for each; 0 where not said.
        "at" => at_offsets: OneOrMany<Offset> = OneOrMany(vec![Offset(0)]),
        /// The receive window; 0 where not said.
        "window" => window: Option<HeaderNumber>,
        /// How far from the right one its acknowledgement number lies.
        "ack-offset" => ack_offset: Offset = Offset(0),
    }
}

table! {
    /// An HTTP answer that carries the other end's address.
    HttpDeclaration {
        /// Who gets it.
        "to" => to: Recipients,
        /// The status code.
        "status" => status: u16,
        /// Where to go instead.
        "location" => location: Option<Argument<Text>>,
        /// The page, as HTML.
        "body" => body: Option<Argument<Text>>,
        /// The TCP flags of its last segment; `"FPA"` where not said.
        "flags" => flags: Option<TcpFlagLetters>,
    }
}

table! {
    /// An ICMP error about the packet that matched.
    IcmpDeclaration {
        /// Who gets it: only the sender of the packet can, because the error quotes that.
        "to" => to: Recipients = Recipients(Recipient::Both),
        /// Which.
        "error" => error: IcmpError,
    }
}

/// An ICMP error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IcmpError(pub(crate) Rejection);

words! {
    /// An ICMP error, destination unreachable of RFC 792 and RFC 4443.
    IcmpError {
        "network-unreachable" => Self(Rejection::NetworkUnreachable),
        "host-unreachable" => Self(Rejection::HostUnreachable),
        "port-unreachable" => Self(Rejection::PortUnreachable),
        "admin-prohibited" => Self(Rejection::AdministrativelyProhibited),
    }
}

table! {
    /// The IP header of a packet that is injected.
    IpDeclaration {
        /// The time to live; 64 where not said.
        "ttl" => ttl: Option<HeaderNumber>,
        /// The identification; 0 where not said.
        "id" => id: Option<HeaderNumber>,
        /// Whether it must not be fragmented.
        "df" => df: bool = true,
    }
}

/// Who gets a packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipients(pub(crate) Recipient);

words! {
    /// Who gets a packet: the inside end, the outside end, or both.
    Recipients {
        "client" => Self(Recipient::Client),
        "server" => Self(Recipient::Server),
        "both" => Self(Recipient::Both),
    }
}

table! {
    /// An answer to a DNS query.
    DnsAnswer {
        /// The response code, as `"NXDOMAIN"`; `"NOERROR"` where not said.
        "rcode" => rcode: Option<ResponseCode>,
        /// The addresses it holds; those of the asked family are used.
        "addresses" => addresses: Option<Argument<Items>>,
        /// Which of the addresses one answer holds.
        "pick" => pick: Pick = Pick::All,
        /// The time to live of each answer, in seconds.
        "ttl" => ttl: u32 = 60,
        /// The AA bit.
        "authoritative" => authoritative: bool = false,
        /// The RA bit.
        "recursion-available" => recursion_available: bool = true,
        /// The canonical name that the addresses are given to.
        "cname" => cname: Option<Argument<Text>>,
        /// The types of questions that are answered; all where not said.
        "qtypes" => qtypes: OneOrMany<QueryType> = OneOrMany(Vec::new()),
        /// Whether a question of a type for which there is no address gets one all the same.
        "whatever-type" => whatever_type: bool = false,
        /// Whether the query is copied whole and overwritten where it must be, with what stands behind the question.
        "copy-query" => copy_query: bool = false,
    }
}

words! {
    /// Which of an ordered pool's addresses one answer holds: all, the next one each time, or one that is the same for each
    /// query from the same port of the same client to the same server.
    Pick { "all" => Self::All, "cycle" => Self::Cycle, "by-flow" => Self::ByFlow, }
}

/// A DNS response code.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct ResponseCode(pub(crate) u8);

words! {
    /// A DNS response code, RFC 1035 section 4.1.1.
    ResponseCode {
        "NOERROR" => Self(0),
        "FORMERR" => Self(1),
        "SERVFAIL" => Self(2),
        "NXDOMAIN" => Self(3),
        "NOTIMP" => Self(4),
        "REFUSED" => Self(5),
    }
}

/// The type of a DNS question.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct QueryType(pub(crate) u16);

words! {
    /// The type of a DNS question, by its name in IANA's registry.
    QueryType {
        "A" => Self(1),
        "NS" => Self(2),
        "CNAME" => Self(5),
        "SOA" => Self(6),
        "PTR" => Self(12),
        "MX" => Self(15),
        "TXT" => Self(16),
        "AAAA" => Self(28),
        "SRV" => Self(33),
        "NAPTR" => Self(35),
        "DS" => Self(43),
        "DNSKEY" => Self(48),
        "SVCB" => Self(64),
        "HTTPS" => Self(65),
        "ANY" => Self(255),
        "CAA" => Self(257),
    }
}
