//! What lies beside a blocked thing: one more measurement each, from a client of its own.

use std::net::IpAddr;

use serde_json::{Value as Json, json};

use crate::diagnostic::Collector;
use crate::model::{NeighbourKind, VerdictWord};
use crate::read::{Definitions, Located, Read, one_of, table};
use crate::source::{Location, Text};
use crate::tree::{Node, Value};

/// What of a measurement's neighbourhood must give which verdict.
#[derive(Clone, Debug)]
pub(crate) enum NeighboursDeclaration {
    /// `"untouched"`: all that the measurement has, and each must be `ok`.
    Untouched(Location),
    /// Some, each with its verdict.
    Some(Box<NeighbourTable>),
}

table! {
    /// Neighbours of the expectation's first measurement, by how they differ from it; each key makes one more measurement,
    /// which must give the verdict written. Where that is not `ok`, the rule must be one of the expectation's `by`.
    ///
    /// Which there are: of `dns` all four, `address` being another resolver, `port` 5353 and `protocol` the same question
    /// over TCP instead of UDP or the other way round (over TLS or HTTPS: a ping of the resolver); of `tls` and `http` all
    /// four, `port` being 8443 or 8080 and `protocol` a ping; of `tcp` all but `name`; of `throughput` all but `port`; of
    /// `whatsapp-chat`, `telegram-chat`, `call`, `stun`, `wireguard` and `speak` all but `name`, as far as the lab has another
    /// server or port that speaks the same, `protocol` being a ping or for UDP a TCP connection; of `ping` `address` and
    /// `protocol`, a TCP connection. Apps have none.
    NeighbourTable {
        /// Another, neutral name on the same address.
        "name" => name: Option<VerdictWord>,
        /// The same name at another, neutral address.
        "address" => address: Option<VerdictWord>,
        /// The same address at another port that the lab answers at.
        "port" => port: Option<VerdictWord>,
        /// The same address over another protocol.
        "protocol" => protocol: Option<VerdictWord>,
        /// All that the measurement has and that no key before names.
        "others" => others: Option<VerdictWord>,
        /// The lab's host whose name and address are the neutral ones; `www.example.com` where not said, or
        /// `www.debian.org` where that is what is measured.
        "neutral" => neutral: Option<Text>,
        /// The resolver that is `address` of a `dns` measurement; the lab's first that no vantage of the expectation uses
        /// where not said.
        "resolver" => resolver: Option<IpAddr>,
    }
}

impl NeighboursDeclaration {
    /// Which verdict a kind of neighbour must give, and whether it was asked for by its own key.
    pub(crate) fn wanted(&self, kind: NeighbourKind) -> Option<(VerdictWord, bool)> {
        let Self::Some(table) = self else { return Some((VerdictWord::Ok, false)) };
        let own = match kind {
            NeighbourKind::Name => table.name,
            NeighbourKind::Address => table.address,
            NeighbourKind::Port => table.port,
            NeighbourKind::Protocol => table.protocol,
        };
        own.map(|verdict| (verdict, true)).or_else(|| table.others.map(|verdict| (verdict, false)))
    }

    /// The neutral host's name, where the file says one.
    pub(crate) fn neutral(&self) -> Option<&Text> {
        let Self::Some(table) = self else { return None };
        table.neutral.as_ref()
    }

    /// The neutral resolver, where the file says one.
    pub(crate) fn resolver(&self) -> Option<IpAddr> {
        let Self::Some(table) = self else { return None };
        table.resolver
    }
}

impl Located for NeighboursDeclaration {
    fn at(&self) -> &Location {
        match self {
            Self::Untouched(at) => at,
            Self::Some(table) => table.at(),
        }
    }
}

impl Read for NeighboursDeclaration {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        match &node.value {
            Value::String(word) if word == UNTOUCHED => Some(Self::Untouched(node.at.clone())),
            Value::Table(_) => NeighbourTable::read(node, errors).map(Box::new).map(Self::Some),
            _ => one_of(node, &["\"untouched\"", "{ name = …, address = …, port = …, protocol = … }"], errors),
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({ "anyOf": [{ "const": UNTOUCHED }, NeighbourTable::schema(definitions)] })
    }
}

const UNTOUCHED: &str = "untouched";
