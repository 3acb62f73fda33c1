//! The addresses of clients.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use roadblock_censor::FlowKey;
use roadblock_scenarios::model::{Access, Family, Name, Vantage};

use super::Translators;
use crate::plan::nat::mapping;
use crate::translate::Mapping;

/// A client address pair of a vantage, used by nobody else in this lab.
#[derive(Clone, Debug)]
pub struct Client {
    /// The vantage.
    pub vantage: Name,
    /// Its IPv4 address; without use where the vantage has no IPv4.
    pub v4: Ipv4Addr,
    /// Its IPv6 address; likewise.
    pub v6: Ipv6Addr,
    access: Access,
    translators: Option<Translators>,
    /// Which addresses it has in the eyes of its NAT64.
    mapping: Option<Mapping>,
}

impl Client {
    /// One with addresses of both families that are seen as they are.
    pub fn new(vantage: Name, v4: Ipv4Addr, v6: Ipv6Addr) -> Self {
        Self { vantage, v4, v6, access: Access::default(), translators: None, mapping: None }
    }

    /// One of a vantage, behind these translators.
    pub(super) fn of(vantage: &Vantage, v4: Ipv4Addr, v6: Ipv6Addr, translators: Option<Translators>) -> Self {
        let mapping = vantage.access.nat64.then(|| mapping(vantage));
        Self { access: vantage.access.clone(), translators, mapping, ..Self::new(Name::clone(&vantage.name), v4, v6) }
    }

    /// The address of this family.
    pub fn address(&self, family: Family) -> IpAddr {
        match family {
            Family::V4 => self.v4.into(),
            Family::V6 => self.v6.into(),
        }
    }

    /// The addresses of the families that the vantage has.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        [Family::V4, Family::V6]
            .into_iter()
            .filter(|family| self.access.has(*family))
            .map(|family| self.address(family))
    }

    /// Whether a flow has an address that this client is seen by. Others that are behind the same translators have it too.
    pub fn may_own(&self, flow: &FlowKey) -> bool {
        self.is_own(flow.client) || self.is_own(flow.server) || self.is_outside(flow.client)
    }

    /// A flow as this client knows it, itself first, where it is one of its flows. A box calls whoever is inside the client;
    /// one that measures from abroad into the country is the server of such a flow. Behind translators a box sees another
    /// address, and maybe another port, than the client has.
    pub fn own_flow(&self, flow: &FlowKey) -> Option<FlowKey> {
        if self.is_own(flow.client) {
            return Some(*flow);
        }
        if self.is_outside(flow.client) {
            let (client, client_port) = self.translators.as_ref()?.origin(flow)?;
            let inside = FlowKey { client, client_port, ..*flow };
            let own = match (&self.mapping, flow.server, client) {
                (Some(mapping), IpAddr::V4(server), IpAddr::V4(client)) => {
                    FlowKey { client: mapping.to_v6(client).into(), server: mapping.to_v6(server).into(), ..inside }
                }
                _ => inside,
            };
            return self.is_own(own.client).then_some(own);
        }
        let FlowKey { protocol, client, client_port, server, server_port } = *flow;
        let turned =
            FlowKey { protocol, client: server, client_port: server_port, server: client, server_port: client_port };
        self.is_own(server).then_some(turned)
    }

    fn is_own(&self, address: IpAddr) -> bool {
        address == self.v4 || address == self.v6
    }

    fn is_outside(&self, address: IpAddr) -> bool {
        self.translators.as_ref().is_some_and(|translators| address == translators.outside())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_into_the_country_is_that_of_whoever_began_it_abroad() {
        let abroad = Client::new("control".into(), [80, 10, 0, 9].into(), Ipv6Addr::LOCALHOST);
        let machine: IpAddr = [95, 167, 13, 1].into();
        let seen =
            FlowKey { protocol: 6, client: machine, client_port: 443, server: abroad.v4.into(), server_port: 40000 };
        let own = abroad.own_flow(&seen).expect("its own");
        assert_eq!((own.client, own.client_port), (abroad.v4.into(), 40000));
        assert_eq!((own.server, own.server_port), (machine, 443));
        let inside = Client::new("moscow".into(), [95, 167, 0, 10].into(), Ipv6Addr::UNSPECIFIED);
        assert_eq!(inside.own_flow(&seen), None);
    }
}
