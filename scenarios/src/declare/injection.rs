//! What a censor sends of its own: resets and forged DNS answers.

use std::net::IpAddr;
use std::time::Duration;

use roadblock_censor::policy::Recipient;

use crate::declare::{Argument, TcpFlagLetters};
use crate::read::{OneOrMany, table, words};

table! {
    /// A packet to inject: exactly one of `reset` and `dns`.
    InjectDeclaration {
        /// A reset that carries the other end's address.
        "reset" => reset: Option<ResetDeclaration>,
        /// A forged answer to the DNS query that matched, sent to its asker.
        "dns" => dns: Option<DnsAnswer>,
        /// How long after the packet that caused it. Several: one packet at each of these times.
        "delay" => delay: Argument<OneOrMany<Duration>> = Argument::Literal(OneOrMany(vec![Duration::ZERO])),
    }
}

impl InjectDeclaration {
    /// What is injected, where exactly one thing is said.
    pub(crate) fn what(&self) -> Option<Injectable<'_>> {
        match (&self.reset, &self.dns) {
            (Some(reset), None) => Some(Injectable::Reset(reset)),
            (None, Some(dns)) => Some(Injectable::Dns(dns)),
            _ => None,
        }
    }
}

/// What is injected.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Injectable<'a> {
    Reset(&'a ResetDeclaration),
    Dns(&'a DnsAnswer),
}

table! {
    /// A reset that carries the other end's address.
    ResetDeclaration {
        /// Who gets it.
        "to" => to: Recipients,
        /// Its TCP flags; `"R"` where not said.
        "flags" => flags: Option<TcpFlagLetters>,
    }
}

/// Who gets a reset.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipients(pub(crate) Recipient);

words! {
    /// Who gets a reset: the inside end, the outside end, or both.
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
        "addresses" => addresses: Option<Argument<OneOrMany<IpAddr>>>,
        /// The time to live of each answer, in seconds.
        "ttl" => ttl: u32 = 60,
        /// The AA bit.
        "authoritative" => authoritative: bool = false,
    }
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
