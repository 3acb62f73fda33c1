//! The two tables of the library that everything else refers to: facts and networks.

use ipnet::{Ipv4Net, Ipv6Net};
use roadblock_censor::policy::Grade;

use crate::library::DoneBy;
use crate::read::{Dictionary, table, words};

table! {
    /// `facts.toml`: the published behaviours that rules and lies cite.
    FactsFile {
        /// Each fact, by its id.
        "fact" => facts: Dictionary<FactDeclaration>,
    }
}

table! {
    /// A published behaviour.
    FactDeclaration {
        /// How far it is known.
        "grade" => grade: Grade,
        /// Where it was seen, as a heading: `Russia`.
        "place" => place: String,
        /// Who does it.
        "done-by" => done_by: DoneBy,
        /// What it says, in a line.
        "title" => title: String,
        /// Where it was published.
        "source" => source: String,
        /// Why no test of a middlebox shows it.
        "left-out" => left_out: Option<String>,
        /// Why no scenario shows it, where none does.
        "no-scenario" => no_scenario: Option<String>,
    }
}

words! {
    /// Who does what a fact describes: a box on the way, a resolver, those who run the network, an end of the connection; or
    /// nobody, because it is something to know or to measure with.
    DoneBy {
        "middlebox" => Self::Middlebox,
        "resolver" => Self::Resolver,
        "network" => Self::Network,
        "endpoint" => Self::Endpoint,
        "reference" => Self::Reference,
    }
}

table! {
    /// `networks.toml`: the address space that the lab takes for an autonomous system.
    NetworksFile {
        /// Each network.
        "network" => networks: Vec<NetworkDeclaration>,
    }
}

table! {
    /// An autonomous system.
    NetworkDeclaration {
        /// Its number.
        "asn" => asn: u32,
        /// Who runs it.
        "operator" => operator: String,
        /// An IPv4 prefix that it announces.
        "v4" => v4: Ipv4Net,
        /// An IPv6 prefix that it announces.
        "v6" => v6: Ipv6Net,
    }
}
