//! Links, addresses, neighbours and routes, by rtnetlink.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use futures_util::TryStreamExt;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use roadblock_scenarios::model::Name;
use rtnetlink::packet_route::address::AddressHeaderFlags;
use rtnetlink::packet_route::link::{InfoData, InfoVeth, LinkAttribute, State};
use rtnetlink::packet_route::neighbour::NeighbourState;
use rtnetlink::packet_route::route::{RouteMessage, RouteScope, RouteType};
use rtnetlink::{Handle, LinkMessageBuilder, LinkUnspec, LinkVeth, RouteMessageBuilder};

use super::namespace::Namespace;
use super::tun;
use crate::plan::topology::{
    LOOPBACK, LinkEnd, NEXT_HOP_V4, NEXT_HOP_V6, NamespacePlan, RouteKind, RoutePlan, Topology, UP,
};

/// Why a link, an address or a route could not be made.
#[derive(Debug, thiserror::Error)]
#[error("failed to {doing} in {namespace}: {cause}")]
pub struct LinkError {
    /// What was being done, to what.
    pub doing: String,
    /// In which namespace.
    pub namespace: Name,
    /// What the kernel said.
    pub cause: io::Error,
}

/// Makes all links, then gives every namespace its addresses, neighbours and routes.
pub fn build(topology: &Topology, namespaces: &BTreeMap<Name, Namespace>) -> Result<(), LinkError> {
    for link in &topology.links {
        let error = |cause| LinkError {
            doing: format!("link to {}", link.outer.namespace),
            namespace: Name::clone(&link.inner.namespace),
            cause,
        };
        let missing = || error(io::Error::from(io::ErrorKind::NotFound));
        let inner = namespaces.get(&link.inner.namespace).ok_or_else(missing)?;
        let outer = namespaces.get(&link.outer.namespace).ok_or_else(missing)?;
        let (near, far, far_namespace) = (link.inner.clone(), link.outer.clone(), outer.file().as_raw_fd());
        inner
            .block_on(async move { pair(&near, &far, far_namespace).await })
            .and_then(|result| result)
            .map_err(error)?;
    }
    for plan in &topology.namespaces {
        let failed = |cause| LinkError { doing: "configure".to_owned(), namespace: Name::clone(&plan.name), cause };
        let namespace = namespaces.get(&plan.name).ok_or_else(|| failed(io::Error::from(io::ErrorKind::NotFound)))?;
        let ends: Vec<(LinkEnd, LinkEnd)> =
            topology.links_of(&plan.name).map(|(here, there)| (here.clone(), there.clone())).collect();
        let plan = plan.clone();
        namespace.block_on(async move { configure(&plan, &ends).await }).map_err(failed)??;
    }
    for plan in &topology.namespaces {
        let failed = |cause| LinkError { doing: "wait for".to_owned(), namespace: Name::clone(&plan.name), cause };
        let namespace = namespaces.get(&plan.name).ok_or_else(|| failed(io::Error::from(io::ErrorKind::NotFound)))?;
        let interfaces = topology.links_of(&plan.name).map(|(here, _)| here.interface.to_string()).collect();
        namespace.block_on(async move { settle(interfaces).await }).and_then(|settled| settled).map_err(failed)?;
    }
    Ok(())
}

/// The index of an interface in the namespace of the calling thread.
pub fn index_of(interface: &str) -> io::Result<u32> {
    Ok(nix::net::if_::if_nametoindex(interface)?)
}

/// Makes these the addresses of whoever names none in the namespace of the calling thread: assigns them, and has the routes to
/// everywhere give them as the source. A family without such a route is left alone.
pub async fn speak_from(v4: Ipv4Addr, v6: Ipv6Addr) -> io::Result<()> {
    let handle = connect()?;
    let index = index_of(UP)?;
    let indices = BTreeMap::from([(UP.to_owned(), index)]);
    let everywhere = [(IpAddr::V4(v4), IpNet::V4(Ipv4Net::default())), (IpAddr::V6(v6), IpNet::V6(Ipv6Net::default()))];
    for (address, prefix) in everywhere {
        if !has_default_route(&handle, prefix).await? {
            continue;
        }
        let length = if address.is_ipv4() { 32 } else { 128 };
        let mut request = handle.address().add(index, address, length).replace();
        request.message_mut().header.flags |= AddressHeaderFlags::Nodad;
        request.execute().await.map_err(from_netlink)?;
        let kind = RouteKind::Over { interface: UP.into(), source: Some(address) };
        let message = route_message(&RoutePlan { prefix, kind }, &indices);
        handle.route().add(message).replace().execute().await.map_err(from_netlink)?;
    }
    Ok(())
}

/// Whether there is a route to everywhere of this prefix's family.
async fn has_default_route(handle: &Handle, prefix: IpNet) -> io::Result<bool> {
    let query = match prefix {
        IpNet::V4(_) => RouteMessageBuilder::<Ipv4Addr>::new().build(),
        IpNet::V6(_) => RouteMessageBuilder::<Ipv6Addr>::new().build(),
    };
    let mut routes = handle.route().get(query).execute();
    while let Some(route) = routes.try_next().await.map_err(from_netlink)? {
        if route.header.destination_prefix_length == 0 && route.header.kind == RouteType::Unicast {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A netlink connection of the calling thread's namespace.
fn connect() -> io::Result<Handle> {
    let (connection, handle, _) = rtnetlink::new_connection()?;
    tokio::spawn(connection);
    Ok(handle)
}

/// Makes both ends of a veth pair in one request, each in its namespace under its final name.
async fn pair(near: &LinkEnd, far: &LinkEnd, far_namespace: RawFd) -> io::Result<()> {
    let handle = connect()?;
    let peer = LinkMessageBuilder::<LinkUnspec>::new()
        .name(&*far.interface)
        .append_extra_attribute(LinkAttribute::Address(far.hardware.to_vec()))
        .append_extra_attribute(LinkAttribute::NetNsFd(far_namespace))
        .build();
    let message = LinkMessageBuilder::<LinkVeth>::new(&near.interface, &far.interface)
        .append_extra_attribute(LinkAttribute::Address(near.hardware.to_vec()))
        .set_info_data(InfoData::Veth(InfoVeth::Peer(peer)))
        .build();
    handle.link().add(message).execute().await.map_err(from_netlink)
}

async fn configure(plan: &NamespacePlan, ends: &[(LinkEnd, LinkEnd)]) -> Result<(), LinkError> {
    let error = |doing: String, cause| LinkError { doing, namespace: Name::clone(&plan.name), cause };
    let handle = connect().map_err(|cause| error("open netlink".to_owned(), cause))?;
    for device in &plan.devices {
        tun::create(device).map_err(|cause| error(format!("make the device {device}"), cause))?;
    }
    let loopback = (LOOPBACK.to_owned(), None);
    let devices = plan.devices.iter().map(|device| (device.to_string(), None));
    let links = ends.iter().map(|(here, there)| (here.interface.to_string(), Some(there.hardware)));
    let mut indices = BTreeMap::new();
    for (interface, neighbour) in [loopback].into_iter().chain(devices).chain(links) {
        let doing = |what: &str| format!("{what} {interface}");
        let index = index_of(&interface).map_err(|cause| error(doing("find"), cause))?;
        let up = LinkUnspec::new_with_index(index).up().build();
        handle.link().set(up).execute().await.map_err(|e| error(doing("set up"), from_netlink(e)))?;
        if let Some(hardware) = neighbour {
            for next_hop in [IpAddr::V4(NEXT_HOP_V4), IpAddr::V6(NEXT_HOP_V6)] {
                let request = handle.neighbours().add(index, next_hop).link_layer_address(&hardware);
                let request = request.state(NeighbourState::Permanent);
                request.execute().await.map_err(|e| error(doing("fix the neighbour of"), from_netlink(e)))?;
            }
        }
        indices.insert(interface, index);
    }
    for address in &plan.addresses {
        let length = if address.address.is_ipv4() { 32 } else { 128 };
        let index = indices.get(&*address.interface).copied().unwrap_or_default();
        let mut request = handle.address().add(index, address.address, length);
        // Nobody else can have it, and until a duplicate was looked for it could not be a route's source.
        request.message_mut().header.flags |= AddressHeaderFlags::Nodad;
        let doing = format!("assign {} to {}", address.address, address.interface);
        request.execute().await.map_err(|e| error(doing, from_netlink(e)))?;
    }
    for route in &plan.routes {
        let doing = format!("add a route to {}", route.prefix);
        let message = route_message(route, &indices);
        handle.route().add(message).execute().await.map_err(|e| error(doing, from_netlink(e)))?;
    }
    Ok(())
}

/// Waits until the interfaces carry packets. Both ends of a pair are up, but the kernel puts their queues to work later, and
/// after a hundred of them the next ones up to a second later (`net/core/link_watch.c`); until then it drops what is sent.
/// Asking for an interface makes it do so at once since Linux 6.7.
async fn settle(interfaces: Vec<String>) -> io::Result<()> {
    let handle = connect()?;
    let until = tokio::time::Instant::now() + SETTLED_WITHIN;
    for interface in interfaces {
        let index = index_of(&interface)?;
        while !is_up(&handle, index).await? {
            if tokio::time::Instant::now() > until {
                return Err(io::Error::new(io::ErrorKind::TimedOut, format!("{interface} does not come up")));
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }
    Ok(())
}

/// Whether an interface's operational state is up (RFC 2863).
async fn is_up(handle: &Handle, index: u32) -> io::Result<bool> {
    let link = handle.link().get().match_index(index).execute().try_next().await.map_err(from_netlink)?;
    let is = |attribute: &LinkAttribute| matches!(attribute, LinkAttribute::OperState(State::Up));
    Ok(link.is_some_and(|link| link.attributes.iter().any(is)))
}

/// How long interfaces may take to come up, on a machine that is busy with many labs.
const SETTLED_WITHIN: Duration = Duration::from_secs(10);
const ASK_AGAIN: Duration = Duration::from_millis(1);

fn route_message(route: &RoutePlan, indices: &BTreeMap<String, u32>) -> RouteMessage {
    let index = |interface: &str| indices.get(interface).copied().unwrap_or_default();
    match route.prefix {
        IpNet::V4(prefix) => {
            let builder =
                RouteMessageBuilder::<Ipv4Addr>::new().destination_prefix(prefix.network(), prefix.prefix_len());
            match &route.kind {
                RouteKind::Local => {
                    builder.kind(RouteType::Local).scope(RouteScope::Host).output_interface(index(LOOPBACK)).build()
                }
                RouteKind::Device { interface } => {
                    builder.scope(RouteScope::Link).output_interface(index(interface)).build()
                }
                RouteKind::Over { interface, source } => {
                    let builder = builder.gateway(NEXT_HOP_V4).output_interface(index(interface)).onlink();
                    match source {
                        Some(IpAddr::V4(source)) => builder.pref_source(*source).build(),
                        _ => builder.build(),
                    }
                }
            }
        }
        IpNet::V6(prefix) => {
            let builder =
                RouteMessageBuilder::<Ipv6Addr>::new().destination_prefix(prefix.network(), prefix.prefix_len());
            match &route.kind {
                RouteKind::Local => builder.kind(RouteType::Local).output_interface(index(LOOPBACK)).build(),
                RouteKind::Device { interface } => builder.output_interface(index(interface)).build(),
                RouteKind::Over { interface, source } => {
                    let builder = builder.gateway(NEXT_HOP_V6).output_interface(index(interface)).onlink();
                    match source {
                        Some(IpAddr::V6(source)) => builder.pref_source(*source).build(),
                        _ => builder.build(),
                    }
                }
            }
        }
    }
}

fn from_netlink(error: rtnetlink::Error) -> io::Error {
    match error {
        rtnetlink::Error::NetlinkError(message) => message.to_io(),
        other => io::Error::other(other.to_string()),
    }
}
