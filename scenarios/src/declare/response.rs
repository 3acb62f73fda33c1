//! What happens to packets: `trigger` and `then` of a profile's rules.

use std::time::Duration;

use roadblock_censor::policy::{Per, Refresh, Rejection, ResidualKey};

use crate::declare::{
    AfterDeclaration, Argument, BitRate, ByteSize, HexBytes, InjectDeclaration, Items, Offset, SizeOrTime,
    TcpFlagLetters, When,
};
use crate::read::{OneOrMany, choice, table, words};

choice! {
    /// What happens to a packet.
    ResponseDeclaration {
        words {
            /// It is forwarded.
            "pass" => Pass,
            /// It is swallowed.
            "drop" => Drop,
            /// It is handed to an interceptor; where there is none, it is forwarded.
            "divert" => Divert,
        }
        keys {
            /// It is swallowed with some probability, drawn for each packet.
            "drop" => Lose(LossDeclaration),
            /// It is forwarded while a rate is kept, and swallowed above it.
            "police" => Police(PoliceDeclaration),
            /// It is forwarded when a rate allows, and waits until then.
            "shape" => Shape(ShapeDeclaration),
            /// Bytes of its payload are overwritten, and it is forwarded with the right checksum.
            "corrupt" => Corrupt(CorruptDeclaration),
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
    /// A rate that is kept by waiting.
    ShapeDeclaration {
        /// In bits a second, as `"150kbit"`, or bytes, as `"650B"`.
        "rate" => rate: Argument<BitRate>,
        /// How much waits at most, as `"64KB"`, or what the rate lets through in so much time, as `"2s"`; what comes on top is
        /// swallowed.
        "queue" => queue: Argument<SizeOrTime> = Argument::Literal(SizeOrTime::Time(Duration::from_secs(1))),
        /// Which packets share the rate; each direction has one of its own.
        "per" => per: Per = Per::Flow,
    }
}

table! {
    /// Bytes that are written over a packet's TCP or UDP payload, as far as it reaches.
    CorruptDeclaration {
        /// How many bytes of the payload come before them.
        "offset" => offset: u16 = 0,
        /// The bytes, in hexadecimal.
        "bytes" => bytes: HexBytes,
    }
}

table! {
    /// Another address to send datagrams to. A rule without an address never applies.
    RedirectDeclaration {
        /// The first of each family is used; a family without is not redirected.
        "address" => address: Argument<Items>,
        /// The port; the asked one where not said.
        "port" => port: Option<u16>,
    }
}

words! {
    /// Which packets share a rate or a count: those of one flow, of one client and server port, of one client and server, or
    /// of one client.
    Per { "flow" => Self::Flow, "3t" => Self::ThreeTuple, "2t" => Self::TwoTuple, "client" => Self::Client, }
}

table! {
    /// A change in place. The sequence number and the IP id stay as they are, and so does all that is not named.
    RewriteDeclaration {
        /// The TCP flags to set in place of the packet's, as letters: `"RA"`.
        "tcp-flags" => tcp_flags: Option<TcpFlagLetters>,
        /// What becomes of the payload; kept where not said.
        "payload" => payload: Option<PayloadFate>,
        /// What is added to the acknowledgement number.
        "ack-offset" => ack_offset: Option<Offset>,
        /// The TCP window.
        "window" => window: Option<u16>,
        /// The time to live.
        "ttl" => ttl: Option<u8>,
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
        /// Which of them, by what they are themselves; all where not said.
        "when" => when: Option<When>,
        /// How many of them pass first.
        "after" => after: Option<AfterDeclaration>,
        /// To those that enter the censored network.
        "inbound" => inbound: Option<ResponseDeclaration>,
        /// To those that leave it.
        "outbound" => outbound: Option<ResponseDeclaration>,
        /// To both.
        "both" => both: Option<ResponseDeclaration>,
        /// Which later packets are meant; the rule's where not said.
        "key" => key: Option<ResidualKey>,
        /// For how long; the rule's where not said.
        "last" => last: Option<Argument<Duration>>,
        /// How long after its trigger it begins; the rule's where not said.
        "begins" => begins: Option<Argument<Duration>>,
        /// Which packets start the time anew; the rule's where not said.
        "refresh" => refresh: Option<Refresh>,
        /// The share of later flows that it hits; the rule's where not said.
        "hits" => hits: Option<Argument<f64>>,
    }
}
