//! What a box reads in a payload, beside a `ClientHello`, and which protocols a flow was found to speak.

use std::borrow::Cow;

use crate::dissect::{dtls, mtproto, openvpn, ssh, stun, whatsapp, wireguard};
use crate::policy::Content;

/// Payload that a box reads.
#[derive(Clone, Debug)]
pub(crate) struct Said<'a> {
    pub(crate) bytes: Cow<'a, [u8]>,
    pub(crate) place: SaidPlace,
    /// What the flow was found to speak, by this packet or one before it.
    pub(crate) speaks: Dialects,
}

/// Where the payload stands in its flow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SaidPlace {
    /// It is a datagram.
    Datagram,
    /// It is the beginning of the client's stream; whether the box will see more of that.
    Opening { more: bool },
    /// It is a later segment of a stream.
    Segment,
}

/// How much of a stream's beginning is read.
pub(crate) const MAX_OPENING: usize = 2048;

/// A set of protocols.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Dialects(u8);

impl Dialects {
    const NONE: Self = Self(0);
    const STUN: Self = Self(1);
    const DTLS: Self = Self(2);
    const WIREGUARD: Self = Self(4);
    pub(crate) const OPENVPN: Self = Self(8);
    const OTHER: Self = Self(16);

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) const fn has(self, dialect: Self) -> bool {
        self.0 & dialect.0 != 0
    }

    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Said<'_> {
    /// Whether the payload is what a rule looks for; `None` where it cannot be, or cannot be told yet.
    pub(crate) fn holds(&self, content: &Content) -> Option<bool> {
        let bytes = &*self.bytes;
        match (content, self.place) {
            (Content::Stun, SaidPlace::Datagram) => Some(stun::Message::parse(bytes).is_some()),
            (Content::DtlsHello, SaidPlace::Datagram) => Some(dtls::is_client_hello(bytes)),
            (Content::WireGuard(kind), SaidPlace::Datagram) => {
                Some(is_kind(wireguard::Kind::parse(bytes), kind.as_ref()))
            }
            (Content::OpenVpn(kind), place) => {
                let read = match place {
                    SaidPlace::Datagram => openvpn::Kind::of_datagram(bytes),
                    SaidPlace::Opening { .. } | SaidPlace::Segment => openvpn::Kind::of_segment(bytes),
                };
                Some(self.speaks.has(Dialects::OPENVPN) && is_kind(read, kind.as_ref()))
            }
            (Content::WhatsAppChat, SaidPlace::Opening { more }) => decided(whatsapp::is_chat(bytes), more),
            (Content::TelegramTransport, SaidPlace::Opening { more }) => {
                decided(mtproto::is_plain_transport(bytes), more)
            }
            (Content::SshBanner, SaidPlace::Opening { more }) => decided(ssh::is_banner(bytes), more),
            (Content::Starts(prefixes), SaidPlace::Datagram | SaidPlace::Opening { .. }) => {
                let answers = || prefixes.iter().map(|prefix| prefix.is_in(bytes));
                let any = if answers().any(|answer| answer == Some(true)) {
                    Some(true)
                } else {
                    answers().all(|answer| answer.is_some()).then_some(false)
                };
                decided(any, self.place == SaidPlace::Opening { more: true })
            }
            _ => None,
        }
    }

    /// The protocols that the payload is found to be of, among those that the contents name; and whether, of a stream's
    /// beginning, enough was seen to tell for all of them.
    pub(crate) fn recognise<'c>(&self, contents: impl Iterator<Item = &'c Content>) -> (Dialects, bool) {
        let mut found = (Dialects::NONE, true);
        for content in contents {
            let (answer, dialect) = match (content, self.place) {
                // Of these any kind will do, and of OpenVPN only the one whose form is strict.
                (Content::WireGuard(_), _) => (self.holds(&Content::WireGuard(None)), Dialects::WIREGUARD),
                (Content::OpenVpn(_), SaidPlace::Datagram) => {
                    let reset = openvpn::Kind::of_datagram(&self.bytes) == Some(openvpn::Kind::Reset);
                    (Some(reset), Dialects::OPENVPN)
                }
                (Content::OpenVpn(_), SaidPlace::Opening { more }) => {
                    (decided(openvpn::Kind::opens(&self.bytes), more), Dialects::OPENVPN)
                }
                (Content::OpenVpn(_), SaidPlace::Segment) => (Some(false), Dialects::OPENVPN),
                (Content::Stun, _) => (self.holds(content), Dialects::STUN),
                (Content::DtlsHello, _) => (self.holds(content), Dialects::DTLS),
                _ => (self.holds(content), Dialects::OTHER),
            };
            if answer == Some(true) {
                found.0 = found.0.with(dialect);
            }
            let undecided =
                answer.is_none() && self.place == SaidPlace::Opening { more: true } && content.is_of_stream();
            found.1 &= !undecided;
        }
        found
    }
}

impl Content {
    /// Whether it can be the beginning of a stream.
    fn is_of_stream(&self) -> bool {
        !matches!(self, Self::Stun | Self::DtlsHello | Self::WireGuard(_))
    }
}

fn is_kind<T: PartialEq>(read: Option<T>, wanted: Option<&T>) -> bool {
    read.is_some_and(|read| wanted.is_none_or(|wanted| read == *wanted))
}

/// What could still become it is not it where nothing more is seen.
fn decided(answer: Option<bool>, more: bool) -> Option<bool> {
    answer.or((!more).then_some(false))
}
