//! DNS queries (df-002).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::lenient::{failure, null_is_empty};
use super::occasion::Occasion;

/// One query.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Query {
    /// What was answered; empty where nothing was.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) answers: Vec<Answer>,
    /// `getaddrinfo`, `udp`, `tcp`, `dot`, `doh`, or in old measurements `system`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) engine: Option<String>,
    /// How it failed.
    #[serde(default, deserialize_with = "failure")]
    pub(crate) failure: Option<String>,
    /// The system's code where `getaddrinfo` failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) getaddrinfo_error: Option<i64>,
    /// The name.
    #[serde(default)]
    pub(crate) hostname: String,
    /// `A`, `AAAA`, or `ANY` where `getaddrinfo` asks for both.
    #[serde(default)]
    pub(crate) query_type: String,
    /// The answer's bytes in base64, where the engine can see them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) raw_response: Option<String>,
    /// The response code in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rcode: Option<i64>,
    /// Who was asked, `8.8.8.8:53` or a URL; nothing where the system knows.
    #[serde(default)]
    pub(crate) resolver_address: Option<String>,
    /// When it was, and what it belongs to.
    #[serde(flatten)]
    pub(crate) occasion: Occasion,
}

/// One record of an answer.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Answer {
    /// `A`, `AAAA`, `CNAME`.
    #[serde(default)]
    pub(crate) answer_type: String,
    /// The autonomous system of the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) asn: Option<u32>,
    /// Who has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) as_org_name: Option<String>,
    /// Of a `CNAME` the other name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hostname: Option<String>,
    /// Of an `A` the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ipv4: Option<Ipv4Addr>,
    /// Of an `AAAA` the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ipv6: Option<Ipv6Addr>,
    /// Its time to live in seconds, where it is known.
    #[serde(default)]
    pub(crate) ttl: Option<u32>,
}

impl Answer {
    /// The address of an `A` or `AAAA`.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.ipv4.map(IpAddr::V4).or(self.ipv6.map(IpAddr::V6))
    }
}

impl Query {
    /// The addresses that were answered, in order.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.answers.iter().filter_map(Answer::address)
    }
}
