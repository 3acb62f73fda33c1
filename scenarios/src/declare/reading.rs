//! How a box reads each protocol.

use roadblock_censor::dissect::http::{Parser, Requests};
use roadblock_censor::dissect::quic::{JoinCrypto, Version};
use roadblock_censor::dissect::tls::{HelloNeed, JoinRecords, RecordVersion};

use crate::declare::ByteSize;
use crate::read::{OneOrMany, table, words};

table! {
    /// How a box reads TLS.
    TlsReading {
        /// What it makes of a `ClientHello` in several records.
        "records" => records: Option<JoinRecords>,
        /// Which versions of a record it takes for TLS.
        "version" => version: Option<RecordVersion>,
        /// How much of a `ClientHello` it needs to see at once.
        "hello" => hello: Option<HelloNeed>,
    }
}

words! {
    /// What a box makes of a `ClientHello` in several records: it puts them together, or reads the first alone, or puts
    /// together those that stand whole in one segment.
    JoinRecords { "join" => Self::Join, "first" => Self::First, "in-segment" => Self::InSegment, }
}

words! {
    /// How much of a `ClientHello` a box needs: all of it, or its beginning as far as the name.
    HelloNeed { "whole" => Self::Whole, "cut" => Self::Cut, }
}

words! {
    /// Which versions of a record are taken for TLS: any that a server takes, or only those that all clients state.
    RecordVersion { "any" => Self::Any, "strict" => Self::Strict, }
}

table! {
    /// How a box reads QUIC.
    QuicReading {
        /// The versions whose Initials it decrypts.
        "versions" => versions: Option<OneOrMany<Version>>,
        /// What it makes of a `ClientHello` in several CRYPTO frames.
        "crypto" => crypto: Option<JoinCrypto>,
        /// How many datagrams of the client it looks at.
        "datagrams" => datagrams: Option<u32>,
    }
}

words! {
    /// A version of QUIC: RFC 9000, or RFC 9369.
    Version { "v1" => Self::V1, "v2" => Self::V2, }
}

words! {
    /// What a box makes of a `ClientHello` in several CRYPTO frames: it puts them together, or reads the first alone.
    JoinCrypto { "join" => Self::Join, "first-frame" => Self::FirstFrame, }
}

table! {
    /// How a box reads HTTP.
    HttpReading {
        /// What passes for a request.
        "parser" => parser: Option<Parser>,
        /// Which requests of a connection are read.
        "requests" => requests: Option<Requests>,
        /// How many bytes of a request are read, as `"16KB"`.
        "limit" => limit: Option<ByteSize>,
    }
}

words! {
    /// What passes for a request: what servers forgive, the usual form in any case, or only what browsers send.
    Parser { "tolerant" => Self::Tolerant, "case-insensitive" => Self::CaseInsensitive, "exact" => Self::Exact, }
}

words! {
    /// Which requests of a connection are read.
    Requests { "all" => Self::All, "first" => Self::First, }
}
