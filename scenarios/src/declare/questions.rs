//! What `when` asks of TLS, QUIC, DTLS, HTTP and DNS.

use serde_json::json;

use crate::declare::{Argument, Between, Items, QueryType};
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::read::{Definitions, OneOrMany, Read, table, words, wrong_type};
use crate::source::Text;
use crate::tree::{Node, Value};

table! {
    /// About TLS over TCP: the flow's `ClientHello`, unless something else is said.
    WhenTls {
        /// It names one of these servers.
        "sni" => sni: Option<Argument<Items>>,
        /// It names a server, or does not.
        "named" => named: Option<bool>,
        /// There is one, or there is something else.
        "hello" => hello: Option<bool>,
        /// It offers one of these protocols, as `"h2"`.
        "alpn" => alpn: Option<OneOrMany<Text>>,
        /// The newest version that it offers is one of these.
        "version" => version: Option<OneOrMany<TlsVersion>>,
        /// It has the extension of Encrypted Client Hello, be it GREASE, or has it not.
        "ech" => ech: Option<bool>,
        /// It has the extension of encrypted SNI, or has it not.
        "esni" => esni: Option<bool>,
        /// Its JA3 is one of these: hashes of 32 digits, or five fields.
        "ja3" => ja3: Option<Argument<Items>>,
        /// Its JA4 is one of these, of whose parts each may be `*`.
        "ja4" => ja4: Option<Argument<Items>>,
        /// The server's certificate is for one of these names. TLS 1.3 hides it.
        "certificate" => certificate: Option<Argument<Items>>,
        /// What both ends say in turn has the sizes of a TLS handshake inside the connection, be that itself TLS or not; or
        /// has not. A guess.
        "inner" => inner: Option<bool>,
    }
}

/// A version of TLS, as on the wire.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct TlsVersion(pub(crate) u16);

words! {
    /// A version of TLS.
    TlsVersion {
        "1.0" => Self(0x0301),
        "1.1" => Self(0x0302),
        "1.2" => Self(0x0303),
        "1.3" => Self(0x0304),
    }
}

table! {
    /// About QUIC: the client's `ClientHello` in its Initials, unless something else is said.
    WhenQuic {
        /// The datagram begins with an Initial of a version that the box reads, or does not.
        "initial" => initial: Option<bool>,
        /// The datagram begins with a long header of one of these versions, be they known or not.
        "version" => version: Option<OneOrMany<QuicVersion>>,
        /// It names one of these servers.
        "sni" => sni: Option<Argument<Items>>,
        /// It offers one of these protocols, as `"h3"`.
        "alpn" => alpn: Option<OneOrMany<Text>>,
        /// It has the extension of Encrypted Client Hello, be it GREASE, or has it not.
        "ech" => ech: Option<bool>,
        /// Its JA4 is one of these, of whose parts each may be `*`.
        "ja4" => ja4: Option<Argument<Items>>,
    }
}

/// A version of QUIC, as on the wire: `"v1"`, `"v2"`, `"draft-29"`, `"0x51303530"`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct QuicVersion(pub(crate) u32);

impl Read for QuicVersion {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        let Value::String(text) = &node.value else {
            return wrong_type(node, "a version of QUIC such as \"v1\" or \"draft-29\"", errors);
        };
        let draft = || text.strip_prefix("draft-")?.parse::<u8>().ok().map(|draft| 0xff00_0000 | u32::from(draft));
        let number = || u32::from_str_radix(text.strip_prefix("0x")?, 16).ok();
        let version = match text.as_str() {
            "v1" => Some(1),
            "v2" => Some(0x6b33_43cf),
            _ => draft().or_else(number),
        };
        if version.is_none() {
            let message = format!("`{text}` is no version of QUIC");
            let help = "write \"v1\", \"v2\", a draft such as \"draft-29\", or a number such as \"0x51303530\"";
            errors.push(Diagnostic::new(DiagnosticKind::BadValue, &node.at, message).help(help));
        }
        version.map(Self)
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        json!({ "type": "string", "pattern": "^(v1|v2|draft-[0-9]+|0x[0-9a-fA-F]{1,8})$" })
    }
}

table! {
    /// About the client's `ClientHello` of DTLS.
    WhenDtls {
        /// Its newest version is one of these.
        "version" => version: Option<OneOrMany<DtlsVersion>>,
        /// Its JA3 is one of these.
        "ja3" => ja3: Option<Argument<Items>>,
        /// Its JA4 is one of these, of whose parts each may be `*`.
        "ja4" => ja4: Option<Argument<Items>>,
    }
}

/// A version of DTLS, as on the wire.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct DtlsVersion(pub(crate) u16);

words! {
    /// A version of DTLS.
    DtlsVersion { "1.0" => Self(0xfeff), "1.2" => Self(0xfefd), "1.3" => Self(0xfefc), }
}

table! {
    /// About DNS. A query counts only if it is a standard one with a single question.
    WhenDns {
        /// There is a query, or something else.
        "query" => query: Option<bool>,
        /// It asks for one of these names.
        "qname" => qname: Option<Argument<Items>>,
        /// It asks for one of these types.
        "qtype" => qtype: Option<OneOrMany<QueryType>>,
        /// One of these names stands in any section of a query or an answer.
        "name" => name: Option<Argument<Items>>,
        /// There is an answer, or none; or one with an address in one of these prefixes.
        "answer" => answer: Option<AnswerDeclaration>,
        /// By what it travels; over UDP where not said.
        "transport" => transport: OneOrMany<DnsCarriage> = OneOrMany(vec![DnsCarriage::Udp]),
    }
}

/// By what DNS travels.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum DnsCarriage {
    Udp,
    Tcp,
}

words! {
    /// By what DNS travels.
    DnsCarriage { "udp" => Self::Udp, "tcp" => Self::Tcp, }
}

/// `true`, or prefixes.
#[derive(Clone, Debug)]
pub(crate) enum AnswerDeclaration {
    /// There is one, or none.
    Is(bool),
    /// It has an address in one of these prefixes.
    Within(Argument<Items>),
}

impl Read for AnswerDeclaration {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        match node.value {
            Value::Boolean(is) => Some(Self::Is(is)),
            _ => Argument::read(node, errors).map(Self::Within),
        }
    }

    fn schema(definitions: &mut Definitions) -> serde_json::Value {
        json!({ "anyOf": [bool::schema(definitions), Argument::<Items>::schema(definitions)] })
    }
}

table! {
    /// About HTTP/1: a request of the client, unless something else is said.
    WhenHttp {
        /// There is one, or there is something else.
        "request" => request: Option<bool>,
        /// It asks one of these hosts.
        "host" => host: Option<Argument<Items>>,
        /// Its target has one of these words in it, as sent or percent-decoded.
        "target" => target: Option<Argument<Items>>,
        /// Its target or its host has one of these words in it.
        "keyword" => keyword: Option<Argument<Items>>,
        /// Its method is one of these, to the letter.
        "method" => method: Option<OneOrMany<Text>>,
        /// Its body has one of these words in it.
        "body" => body: Option<Argument<Items>>,
        /// The server's answer is as this says.
        "response" => response: Option<WhenResponse>,
    }
}

table! {
    /// About the server's answer. All that is said must hold.
    WhenResponse {
        /// Its status, as `302` or `{ min = 300, max = 399 }`.
        "status" => status: Option<Between>,
        /// Its `Location` has one of these words in it.
        "location" => location: Option<Argument<Items>>,
        /// Its fields or its body have one of these words in them.
        "contains" => contains: Option<Argument<Items>>,
    }
}
