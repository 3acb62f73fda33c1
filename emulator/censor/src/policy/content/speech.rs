//! Which protocol a packet is of, among those that are known by their form.

use super::{Habit, Span, Speaker};
use crate::dissect::fake_tls::{AfterHello, after_hello};
use crate::dissect::tls::{Hello, client_hello};
use crate::dissect::{dtls, mtproto, openvpn, socks, ssh, stun, tor, whatsapp, wireguard};
use crate::flow::TunnelShape;
use crate::reading::{Dialects, Heard, Place, Reading};

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
    /// A datagram of `AmneziaWG` whose ends use these numbers, of this kind or of any (FP-WG-1).
    AmneziaWg(wireguard::Amnezia, Option<wireguard::Kind>),
    /// The flow's first packets have as many different opcodes as those of `OpenVPN`, be they veiled or not (FP-OVPN-2).
    OpenVpnOpcodes(openvpn::OpcodeRule),
    /// The flow's first packets have sizes as those of `OpenVPN` when it acknowledges, whatever carries them (FP-OVPN-2).
    OpenVpnAcks(openvpn::AckRule),
    /// The stream begins with a request to a proxy of SOCKS, of this version or of any.
    Socks(Option<socks::Version>),
    /// The `ClientHello` is as that of Tor without a disguise (FP-TOR).
    TorTls,
    /// What the client sends behind its `ClientHello` is data where TLS 1.3 has a Finished: `MTProto` that imitates TLS
    /// (RU-MSG-1). A guess.
    TelegramFakeTls,
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
            Self::AmneziaWg(_, kind) => of_kind("AmneziaWG", kind.as_ref()),
            Self::OpenVpnOpcodes(_) => "OpenVPN by its opcodes".to_owned(),
            Self::OpenVpnAcks(_) => "OpenVPN by its acknowledgements".to_owned(),
            Self::Socks(version) => of_kind("SOCKS", version.as_ref()),
            Self::TorTls => "Tor".to_owned(),
            Self::TelegramFakeTls => "Telegram that imitates TLS".to_owned(),
        }
    }

    pub(crate) const fn habit(&self) -> Habit {
        match self {
            Self::Stun | Self::DtlsHello | Self::WireGuard(_) | Self::AmneziaWg(..) => {
                Habit { span: Span::Speaking, ..Habit::DATAGRAM }
            }
            Self::OpenVpn(_) => Habit { span: Span::Speaking, ..Habit::BOTH },
            Self::WhatsAppChat | Self::TelegramTransport | Self::SshBanner | Self::Socks(_) => Habit::BEGINNING,
            Self::TorTls | Self::TelegramFakeTls => Habit::STREAM,
            Self::OpenVpnOpcodes(_) | Self::OpenVpnAcks(_) => {
                Habit { from: Speaker::Either, span: Span::Turns, ..Habit::BOTH }
            }
        }
    }

    pub(crate) fn answer(&self, reading: &Reading<'_>) -> Option<bool> {
        match self {
            Self::OpenVpnOpcodes(_) | Self::OpenVpnAcks(_) => {
                return reading.tunnel?.new_of(|shape| self.of_shape(shape));
            }
            Self::TorTls => {
                return match reading.hello() {
                    Heard::Nothing => None,
                    Heard::NoHello => Some(false),
                    Heard::Hello(hello) => Some(tor::is_tor(hello)),
                };
            }
            Self::TelegramFakeTls => return imitates_tls(reading),
            _ => {}
        }
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
            (Self::AmneziaWg(amnezia, kind), Place::Datagram) => Some(is_kind(amnezia.parse(bytes), kind.as_ref())),
            (Self::Socks(version), Place::Opening { .. }) => {
                let read = socks::greeting(bytes).map(|greeting| is_kind(Some(greeting.version()), version.as_ref()));
                Place::decided(read.known(), more)
            }
            _ => None,
        }
    }

    /// Whether it is told by the shape of a flow's packets.
    pub(crate) const fn is_of_shape(&self) -> bool {
        matches!(self, Self::OpenVpnOpcodes(_) | Self::OpenVpnAcks(_))
    }

    /// What the shape of a flow's packets tells of it; `None` while it cannot be told.
    pub(crate) fn of_shape(&self, shape: &TunnelShape) -> Option<bool> {
        match self {
            Self::OpenVpnOpcodes(rule) => shape.has_opcodes(rule),
            Self::OpenVpnAcks(rule) => shape.has_acknowledgements(rule),
            _ => Some(false),
        }
    }

    /// Whether later data may tell it, where it is told only after a `ClientHello`.
    pub(crate) fn awaits(&self, reading: &Reading<'_>) -> bool {
        // What was told by an earlier packet is not told again.
        self.answer(reading).is_none() && !was_told(reading)
    }

    /// Whether it is told only after a `ClientHello`, which decides all else.
    pub(crate) const fn outlasts_hello(&self) -> bool {
        matches!(self, Self::TelegramFakeTls)
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
            (Self::AmneziaWg(amnezia, _), _) => {
                (Dialects::AMNEZIA, Self::AmneziaWg(amnezia.clone(), None).answer(reading))
            }
            (Self::OpenVpnOpcodes(_) | Self::OpenVpnAcks(_), _) => (Dialects::OTHER, Some(false)),
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
            Self::AmneziaWg(..) => "AmneziaWG",
            Self::OpenVpnOpcodes(_) => "opcodes as of OpenVPN",
            Self::OpenVpnAcks(_) => "sizes as of OpenVPN that acknowledges",
            Self::Socks(_) => "a request to a SOCKS proxy",
            Self::TorTls => "a ClientHello of Tor",
            Self::TelegramFakeTls => "Telegram that imitates TLS",
        }
    }
}

/// Whether a packet tells that what follows a `ClientHello` is data and no Finished.
fn imitates_tls(reading: &Reading<'_>) -> Option<bool> {
    let (bytes, place) = reading.message().filter(|_| reading.from_client)?;
    if !reading.is_joined() {
        // A segment that is looked at alone is told by the change of cipher in front, which TLS 1.3 sends once.
        return (after_hello(bytes)? == AfterHello::Data && bytes.first() == Some(&20)).then_some(true);
    }
    Place::decided(told(bytes, reading), place == Place::Opening { more: true }).filter(|_| !was_told(reading))
}

/// Whether that was told by data before those of this packet.
fn was_told(reading: &Reading<'_>) -> bool {
    let before = reading.message().and_then(|(bytes, _)| bytes.get(..reading.offset())).unwrap_or_default();
    reading.is_joined() && told(before, reading).is_some()
}

fn told(bytes: &[u8], reading: &Reading<'_>) -> Option<bool> {
    match client_hello(bytes, &reading.reads.tls) {
        Hello::NotTls => Some(false),
        Hello::Incomplete => None,
        Hello::ClientHello(hello) => after_hello(bytes.get(hello.length..)?).map(|after| after == AfterHello::Data),
    }
}

fn of_kind(protocol: &str, kind: Option<&impl core::fmt::Debug>) -> String {
    kind.map_or_else(|| protocol.to_owned(), |kind| format!("{protocol} {}", format!("{kind:?}").to_lowercase()))
}

fn is_kind<T: PartialEq>(read: Option<T>, wanted: Option<&T>) -> bool {
    read.is_some_and(|read| wanted.is_none_or(|wanted| read == *wanted))
}
