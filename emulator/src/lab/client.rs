//! The addresses of clients.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use roadblock_censor::FlowKey;
use roadblock_scenarios::model::{Family, Name};

/// A client address pair of a vantage, used by nobody else in this lab.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Client {
    /// The vantage.
    pub vantage: Name,
    /// Its IPv4 address.
    pub v4: Ipv4Addr,
    /// Its IPv6 address.
    pub v6: Ipv6Addr,
}

impl Client {
    /// The address of this family.
    pub fn address(&self, family: Family) -> IpAddr {
        match family {
            Family::V4 => self.v4.into(),
            Family::V6 => self.v6.into(),
        }
    }

    /// A flow as this client knows it, itself first, where it is one of its flows. A box calls whoever is inside the client;
    /// one that measures from abroad into the country is the server of such a flow.
    pub fn own_flow(&self, flow: &FlowKey) -> Option<FlowKey> {
        let is_own = |address: IpAddr| address == self.v4 || address == self.v6;
        if is_own(flow.client) {
            return Some(*flow);
        }
        let FlowKey { protocol, client, client_port, server, server_port } = *flow;
        let turned =
            FlowKey { protocol, client: server, client_port: server_port, server: client, server_port: client_port };
        is_own(server).then_some(turned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_into_the_country_is_that_of_whoever_began_it_abroad() {
        let abroad = Client { vantage: "control".into(), v4: [80, 10, 0, 9].into(), v6: Ipv6Addr::LOCALHOST };
        let machine: IpAddr = [95, 167, 13, 1].into();
        let seen =
            FlowKey { protocol: 6, client: machine, client_port: 443, server: abroad.v4.into(), server_port: 40000 };
        let own = abroad.own_flow(&seen).expect("its own");
        assert_eq!((own.client, own.client_port), (abroad.v4.into(), 40000));
        assert_eq!((own.server, own.server_port), (machine, 443));
        let inside = Client { vantage: "moscow".into(), v4: [95, 167, 0, 10].into(), v6: Ipv6Addr::UNSPECIFIED };
        assert_eq!(inside.own_flow(&seen), None);
    }
}
