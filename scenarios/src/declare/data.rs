//! The two tables of the library that everything else refers to: facts and networks.

use ipnet::{Ipv4Net, Ipv6Net};
use roadblock_censor::policy::Grade;

use crate::read::{Dictionary, table};

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
        /// What it says, in a line.
        "title" => title: String,
        /// Where it was published.
        "source" => source: String,
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
