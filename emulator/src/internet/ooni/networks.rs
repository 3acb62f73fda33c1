//! Whose a client's address is.

use std::net::IpAddr;

use ipnet::IpNet;
use roadblock_scenarios::model::Scenario;

/// The networks that the lab has clients in.
#[derive(Clone, Debug, Default)]
pub struct Networks(Vec<(IpNet, Whose)>);

/// Who runs a network.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Whose {
    /// The number of its autonomous system.
    pub asn: u32,
    /// Its operator.
    pub operator: String,
    /// Its country (ISO 3166-1), as `RU`; `ZZ`, as OONI says, where it is not known.
    pub country: String,
}

impl Networks {
    /// Those of a scenario's vantages. Where the control is, the scenario does not say.
    pub fn of(scenario: &Scenario) -> Self {
        let country = scenario.country().map(str::to_ascii_uppercase);
        let networks = scenario.vantages.iter().flat_map(|vantage| {
            let abroad = scenario.control().is_some_and(|control| control.name == vantage.name);
            let whose = Whose {
                asn: vantage.network.asn,
                operator: vantage.network.operator.clone(),
                country: country.clone().filter(|_| !abroad).unwrap_or_else(|| UNKNOWN.to_owned()),
            };
            [IpNet::from(vantage.v4), IpNet::from(vantage.v6)].map(|prefix| (prefix, whose.clone()))
        });
        Self(networks.collect())
    }

    /// The same, with an address that clients of a vantage are seen by abroad.
    pub fn add_outside(&mut self, inside: IpAddr, outside: IpAddr) {
        if let Some(whose) = self.whose(inside).cloned() {
            self.0.push((outside.into(), whose));
        }
    }

    /// Whose an address is; `None` where no vantage has it.
    pub fn whose(&self, address: IpAddr) -> Option<&Whose> {
        self.0.iter().find(|(prefix, _)| prefix.contains(&address)).map(|(_, whose)| whose)
    }
}

/// OONI's word for a country that it does not know.
pub(super) const UNKNOWN: &str = "ZZ";
