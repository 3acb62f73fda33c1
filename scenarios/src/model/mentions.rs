//! The names and addresses that a measurement is about.

use std::net::IpAddr;

use super::Probe;

impl Probe {
    /// The name that it asks for or says, if it is about one.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Dns { name, .. } => Some(name),
            Self::Tls { sni, .. } | Self::Connections { sni, .. } | Self::Quic { sni, .. } => Some(sni),
            Self::Http { url, .. } | Self::H3 { url, .. } | Self::WebConnectivity { url } => {
                let rest = url.split_once("://")?.1;
                rest.split(['/', '?', '#', ':']).next()
            }
            Self::Throughput { host, .. } | Self::Freeze { host, .. } => Some(host),
            Self::Trace { about, .. } => Some(about),
            Self::Residual { trigger, .. } => trigger.name(),
            _ => None,
        }
    }

    /// The address that it goes to, where that is pinned; the resolver of a DNS query.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Dns { resolver, .. } => *resolver,
            Self::Http { address, .. }
            | Self::H3 { address, .. }
            | Self::Throughput { address, .. }
            | Self::Freeze { address, .. } => *address,
            Self::Residual { trigger, .. } => trigger.address(),
            Self::Ping { address }
            | Self::Tcp { address, .. }
            | Self::Tls { address, .. }
            | Self::WhatsAppChat { address, .. }
            | Self::TelegramChat { address, .. }
            | Self::Call { address, .. }
            | Self::Stun { address, .. }
            | Self::WireGuard { address, .. }
            | Self::Trace { address, .. }
            | Self::Connections { address, .. }
            | Self::Quic { address, .. }
            | Self::Speak { address, .. } => Some(*address),
            Self::WebConnectivity { .. }
            | Self::WhatsApp { .. }
            | Self::Telegram { .. }
            | Self::Messenger { .. }
            | Self::Instagram { .. }
            | Self::Max { .. }
            | Self::Command { .. } => None,
        }
    }
}
