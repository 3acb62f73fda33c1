//! What happens to packets.

use core::time::Duration;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use serde::Serialize;

use super::{Injection, Per};

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
    /// Forward it when a rate allows, and hold it until then (RU-THR-6).
    Shape(Shape),
    /// Overwrite bytes of its payload and forward it, with the right checksum.
    Corrupt(Corrupt),
    /// Send a query to another resolver, and give that one's answer the address of the asked one (RU-DNS-2). Only UDP that
    /// leaves is redirected; anything else is forwarded.
    Redirect(Redirect),
    /// Hand it to an interceptor (KZ-1). A driver without one forwards it.
    Divert,
}

/// A rate that is kept by dropping, not by queueing: packets either pass without delay or are lost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Police {
    /// In bits of IP packets a second.
    pub bits_per_second: u64,
    /// How many bytes may pass at once after a pause. A longer packet than this never passes.
    pub burst: u64,
    /// Which packets share a rate. Each direction has one of its own.
    pub per: Per,
}

/// A rate that is kept by queueing: what comes above it waits, and is lost only where the queue is full.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shape {
    /// In bits of IP packets a second.
    pub bits_per_second: u64,
    /// How much waits at most; what comes on top is swallowed.
    pub queue: QueueLimit,
    /// Which packets share a rate. Each direction has one of its own.
    pub per: Per,
}

/// How much may wait for a rate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum QueueLimit {
    /// So many bytes of IP packets.
    Bytes(u64),
    /// What the rate lets through in so much time.
    Time(Duration),
}

/// Bytes that are written over a packet's TCP or UDP payload, as far as it reaches.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Corrupt {
    /// Where in the payload they begin.
    pub offset: usize,
    /// The bytes.
    pub bytes: Arc<[u8]>,
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

/// A change in place. The sequence number and the IP id stay as they are, and so does all that is not named.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Rewrite {
    /// The TCP flags to set in place of the packet's.
    pub tcp_flags: Option<TcpFlags>,
    /// Whether the payload is removed.
    pub strip_payload: bool,
    /// What is added to the acknowledgement number (TSPU-RSTACK).
    pub acknowledgement: i64,
    /// The TCP window, not scaled.
    pub window: Option<u16>,
    /// The time to live.
    pub ttl: Option<u8>,
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
    /// FIN, PSH and ACK: the last of what an end has to say.
    pub const FIN_PSH_ACK: Self = Self(0x19);
    /// RST and ACK.
    pub const RST_ACK: Self = Self(0x14);

    /// Whether all of these are set.
    pub const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }
}

impl fmt::Display for TcpFlags {
    /// Their letters, as profiles write them: `FA`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = "FSRPAUEC".chars().enumerate().filter(|(bit, _)| self.0 >> bit & 1 == 1);
        f.write_str(&letters.map(|(_, letter)| letter).collect::<String>())
    }
}
