//! What happens to packets.

use core::time::Duration;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Serialize;

/// What happens to a packet, and what is sent besides.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Response {
    /// What happens to the packet itself. An on-path box cannot do any of it.
    pub fate: Fate,
    /// Packets sent besides, in order.
    pub inject: Vec<Injection>,
}

/// What happens to a packet itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Fate {
    /// Forward it.
    #[default]
    Pass,
    /// Swallow it.
    Drop,
    /// Swallow it and refuse its sender, as a router or a firewall does.
    Reject(Rejection),
    /// Change it in place and forward it (TSPU-1).
    Rewrite(Rewrite),
    /// Swallow it with this probability, drawn for each packet (RU-CALL-1).
    Lose(f64),
    /// Forward it while a rate is kept, and swallow what comes above it (RU-THR-1).
    Police(Police),
    /// Send a query to another resolver, and give that one's answer the address of the asked one (RU-DNS-2). Only UDP that
    /// leaves is redirected; anything else is forwarded.
    Redirect(Redirect),
}

/// A rate that is kept by dropping, not by queueing: packets either pass without delay or are lost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Police {
    /// In bits of IP packets a second.
    pub bits_per_second: u64,
    /// How many bytes may pass at once after a pause. A longer packet than this never passes.
    pub burst: u64,
    /// Which packets share a rate. Each direction has one of its own.
    pub per: PolicePer,
}

/// Which packets share a rate.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicePer {
    /// Those of one flow.
    #[default]
    Flow,
    /// Those between one client and one port of a server.
    #[serde(rename = "3t")]
    ThreeTuple,
    /// Those of one client.
    Client,
}

/// Where queries go instead. A family without an address is not redirected.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Redirect {
    /// For IPv4.
    pub v4: Option<Ipv4Addr>,
    /// For IPv6.
    pub v6: Option<Ipv6Addr>,
    /// The port; the asked one where there is none.
    pub port: Option<u16>,
}

impl Redirect {
    /// The address for packets to this one's family.
    pub fn address_for(&self, asked: IpAddr) -> Option<IpAddr> {
        match asked {
            IpAddr::V4(_) => self.v4.map(IpAddr::V4),
            IpAddr::V6(_) => self.v6.map(IpAddr::V6),
        }
    }
}

/// How a sender is refused.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rejection {
    /// A TCP reset; other protocols get a port-unreachable error.
    TcpReset,
    /// ICMP: no route to network.
    NetworkUnreachable,
    /// ICMP: host unreachable.
    HostUnreachable,
    /// ICMP: port unreachable.
    PortUnreachable,
    /// ICMP: communication administratively prohibited.
    AdministrativelyProhibited,
}

/// A change in place. Sequence and acknowledgement numbers, TTL and IP id stay as they are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Rewrite {
    /// The TCP flags to set in place of the packet's.
    pub tcp_flags: Option<TcpFlags>,
    /// Whether the payload is removed.
    pub strip_payload: bool,
}

/// TCP flags as a byte of RFC 9293 section 3.1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// FIN.
    pub const FIN: Self = Self(0x01);
    /// SYN.
    pub const SYN: Self = Self(0x02);
    /// RST.
    pub const RST: Self = Self(0x04);
    /// PSH.
    pub const PSH: Self = Self(0x08);
    /// ACK.
    pub const ACK: Self = Self(0x10);
    /// SYN and ACK.
    pub const SYN_ACK: Self = Self(0x12);
    /// RST and ACK.
    pub const RST_ACK: Self = Self(0x14);

    /// Whether all of these are set.
    pub const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }
}

/// A packet to inject.
#[derive(Clone, Debug, PartialEq)]
pub struct Injection {
    /// What it is.
    pub kind: InjectionKind,
    /// How long after the packet that caused it, on the modelled clock.
    pub delay: Duration,
}

/// What is injected.
#[derive(Clone, Debug, PartialEq)]
pub enum InjectionKind {
    /// A reset that carries the other end's address.
    Reset {
        /// To whom.
        to: Recipient,
        /// RST, or RST with ACK.
        flags: TcpFlags,
    },
    /// A forged answer to the DNS query that matched, sent to its asker.
    Dns(DnsForgery),
}

/// Who gets a reset.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Recipient {
    /// The inside end.
    Client,
    /// The outside end.
    Server,
    /// Both, the inside end first.
    Both,
}

/// A forged DNS answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DnsForgery {
    /// The response code: 0 no error, 3 name does not exist, 5 refused (RFC 1035 section 4.1.1).
    pub rcode: u8,
    /// Addresses to answer with; those of the asked family are used, all of them.
    pub addresses: Vec<IpAddr>,
    /// The time to live of each answer, in seconds.
    pub ttl: u32,
    /// The AA bit.
    pub authoritative: bool,
}
