//! Which protocol a packet is of, among those that are known by their form.

use super::{Habit, Span};
use crate::dissect::{dtls, mtproto, openvpn, ssh, stun, whatsapp, wireguard};
use crate::reading::{Dialects, Place, Reading};

/// A protocol that is known by its form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Speech {
    /// A datagram of STUN (RFC 8489), by which calls find each other (RU-CALL-1).
    Stun,
    /// A `ClientHello` of DTLS (RFC 6347), with which the media of a call begin.
    DtlsHello,
    /// A datagram of `WireGuard`, of this kind or of any (FP-WG-1).
    WireGuard(Option<wireguard::Kind>),
    /// A packet of `OpenVPN` over UDP or TCP, of this kind or of any, on a flow that was seen to begin with its reset
    /// (FP-OVPN-1).
    OpenVpn(Option<openvpn::Kind>),
    /// The stream's first bytes are those of `WhatsApp`'s chat protocol (RU-WA-1).
    WhatsAppChat,
    /// The stream's first bytes name one of `MTProto`'s plain transports. An obfuscated one cannot be told from noise.
    TelegramTransport,
    /// The stream begins with the banner of SSH (RFC 4253 section 4.2).
    SshBanner,
}

impl Speech {
    pub(crate) fn title(&self) -> String {
        match self {
            Self::Stun => "STUN".to_owned(),
            Self::DtlsHello => "DTLS".to_owned(),
            Self::WireGuard(kind) => of_kind("WireGuard", kind.as_ref()),
            Self::OpenVpn(kind) => of_kind("OpenVPN", kind.as_ref()),
            Self::WhatsAppChat => "WhatsApp chat".to_owned(),
            Self::TelegramTransport => "Telegram transport".to_owned(),
            Self::SshBanner => "SSH".to_owned(),
        }
    }

    pub(crate) const fn habit(&self) -> Habit {
        match self {
            Self::Stun | Self::DtlsHello | Self::WireGuard(_) => Habit { span: Span::Speaking, ..Habit::DATAGRAM },
            Self::OpenVpn(_) => Habit { span: Span::Speaking, ..Habit::BOTH },
            Self::WhatsAppChat | Self::TelegramTransport | Self::SshBanner => Habit::BEGINNING,
        }
    }

    pub(crate) fn answer(&self, reading: &Reading<'_>) -> Option<bool> {
        let (bytes, place) = reading.said()?;
        let more = place == Place::Opening { more: true };
        match (self, place) {
            (Self::Stun, Place::Datagram) => Some(stun::Message::parse(bytes).is_some()),
            (Self::DtlsHello, Place::Datagram) => Some(dtls::is_client_hello(bytes)),
            (Self::WireGuard(kind), Place::Datagram) => Some(is_kind(wireguard::Kind::parse(bytes), kind.as_ref())),
            (Self::OpenVpn(kind), place) => {
                let read = match place {
                    Place::Datagram => openvpn::Kind::of_datagram(bytes),
                    Place::Opening { .. } | Place::Segment => openvpn::Kind::of_segment(bytes),
                };
                Some(reading.speaks().has(Dialects::OPENVPN) && is_kind(read, kind.as_ref()))
            }
            (Self::WhatsAppChat, Place::Opening { .. }) => Place::decided(whatsapp::is_chat(bytes), more),
            (Self::TelegramTransport, Place::Opening { .. }) => {
                Place::decided(mtproto::is_plain_transport(bytes), more)
            }
            (Self::SshBanner, Place::Opening { .. }) => Place::decided(ssh::is_banner(bytes), more),
            _ => None,
        }
    }

    /// Whether the packet shows that its flow speaks this, whatever the kind; and whether that can be told yet.
    pub(crate) fn recognise(&self, reading: &Reading<'_>) -> (Dialects, Option<bool>) {
        let Some((bytes, place)) = reading.said() else {
            return (Dialects::OTHER, None);
        };
        let more = place == Place::Opening { more: true };
        match (self, place) {
            (Self::WireGuard(_), _) => (Dialects::WIREGUARD, Self::WireGuard(None).answer(reading)),
            // Of OpenVPN only the kind whose form is strict.
            (Self::OpenVpn(_), Place::Datagram) => {
                (Dialects::OPENVPN, Some(openvpn::Kind::of_datagram(bytes) == Some(openvpn::Kind::Reset)))
            }
            (Self::OpenVpn(_), Place::Opening { .. }) => {
                (Dialects::OPENVPN, Place::decided(openvpn::Kind::opens(bytes), more))
            }
            (Self::OpenVpn(_), Place::Segment) => (Dialects::OPENVPN, Some(false)),
            (Self::Stun, _) => (Dialects::STUN, self.answer(reading)),
            (Self::DtlsHello, _) => (Dialects::DTLS, self.answer(reading)),
            _ => (Dialects::OTHER, self.answer(reading)),
        }
    }

    pub(crate) const fn describe(&self) -> &'static str {
        match self {
            Self::Stun => "STUN",
            Self::DtlsHello => "a DTLS ClientHello",
            Self::WireGuard(None) => "WireGuard",
            Self::WireGuard(Some(wireguard::Kind::Initiation)) => "a WireGuard initiation",
            Self::WireGuard(Some(wireguard::Kind::Response)) => "a WireGuard response",
            Self::WireGuard(Some(wireguard::Kind::Cookie)) => "a WireGuard cookie",
            Self::WireGuard(Some(wireguard::Kind::Data)) => "WireGuard data",
            Self::OpenVpn(None) => "OpenVPN",
            Self::OpenVpn(Some(openvpn::Kind::Reset)) => "an OpenVPN reset",
            Self::OpenVpn(Some(openvpn::Kind::Control)) => "an OpenVPN control packet",
            Self::OpenVpn(Some(openvpn::Kind::Data)) => "OpenVPN data",
            Self::WhatsAppChat => "WhatsApp's chat header",
            Self::TelegramTransport => "a Telegram transport",
            Self::SshBanner => "an SSH banner",
        }
    }
}

fn of_kind(protocol: &str, kind: Option<&impl core::fmt::Debug>) -> String {
    kind.map_or_else(|| protocol.to_owned(), |kind| format!("{protocol} {}", format!("{kind:?}").to_lowercase()))
}

fn is_kind<T: PartialEq>(read: Option<T>, wanted: Option<&T>) -> bool {
    read.is_some_and(|read| wanted.is_none_or(|wanted| read == *wanted))
}
