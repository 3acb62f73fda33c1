//! What happens to packets: `trigger` and `then` of a profile's rules.

use std::net::IpAddr;

use roadblock_censor::policy::{Per, Rejection};

use crate::declare::{AfterDeclaration, Argument, BitRate, ByteSize, InjectDeclaration, TcpFlagLetters};
use crate::read::{OneOrMany, choice, table, words};

choice! {
    /// What happens to a packet.
    ResponseDeclaration {
        words {
            /// It is forwarded.
            "pass" => Pass,
            /// It is swallowed.
            "drop" => Drop,
        }
        keys {
            /// It is swallowed with some probability, drawn for each packet.
            "drop" => Lose(LossDeclaration),
            /// It is forwarded while a rate is kept, and swallowed above it.
            "police" => Police(PoliceDeclaration),
            /// If it is a datagram that leaves, it goes to another address, and what answers gets the asked one's.
            "redirect" => Redirect(RedirectDeclaration),
            /// It is swallowed and its sender refused.
            "reject" => Reject(Rejection),
            /// It is changed in place and forwarded.
            "rewrite" => Rewrite(RewriteDeclaration),
            /// It is forwarded, and these are sent besides.
            "inject" => Inject(OneOrMany<InjectDeclaration>),
        }
    }
}

table! {
    /// Loss by chance.
    LossDeclaration {
        /// How probable it is, from 0 to 1.
        "chance" => chance: Argument<f64>,
    }
}

table! {
    /// A rate that is kept by dropping.
    PoliceDeclaration {
        /// In bits a second, as `"150kbit"`, or bytes, as `"650B"`.
        "rate" => rate: Argument<BitRate>,
        /// How much may pass at once after a pause. A packet that is longer never passes.
        "burst" => burst: Argument<ByteSize>,
        /// Which packets share the rate; each direction has one of its own.
        "per" => per: Per = Per::Flow,
    }
}

table! {
    /// Another address to send datagrams to. A rule without an address never applies.
    RedirectDeclaration {
        /// The first of each family is used; a family without is not redirected.
        "address" => address: Argument<OneOrMany<IpAddr>>,
        /// The port; the asked one where not said.
        "port" => port: Option<u16>,
    }
}

words! {
    /// Which packets share a rate: those of one flow, of one client and server port, of one client and server, or of one
    /// client.
    Per { "flow" => Self::Flow, "3t" => Self::ThreeTuple, "2t" => Self::TwoTuple, "client" => Self::Client, }
}

table! {
    /// A change in place. Sequence and acknowledgement numbers, TTL and IP id stay as they are.
    RewriteDeclaration {
        /// The TCP flags to set in place of the packet's, as letters: `"RA"`.
        "tcp-flags" => tcp_flags: Option<TcpFlagLetters>,
        /// What becomes of the payload; kept where not said.
        "payload" => payload: Option<PayloadFate>,
    }
}

/// What becomes of a payload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PayloadFate {
    Keep,
    Strip,
}

words! {
    /// What becomes of a payload.
    PayloadFate { "keep" => Self::Keep, "strip" => Self::Strip, }
}

table! {
    /// What happens to later packets.
    ThenWhat {
        /// How many of them pass first.
        "after" => after: Option<AfterDeclaration>,
        /// To those that enter the censored network.
        "inbound" => inbound: Option<ResponseDeclaration>,
        /// To those that leave it.
        "outbound" => outbound: Option<ResponseDeclaration>,
        /// To both.
        "both" => both: Option<ResponseDeclaration>,
    }
}
