//! Which packets a policy can ever have something to do with.
//!
//! The lab's kernel hands the machine only these. When in doubt the answer is "all": too much costs time, too little
//! would change a verdict.

use serde::Serialize;

use super::{Condition, Content, Fate, PacketQuestion, Policy, PortSet, ResidualKey, Rule};
use crate::wire::ip::protocol;

/// What the kernel must hand to the machine, as the policy sees it; see [`Policy::interest`].
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Interest {
    /// TCP server ports whose flows must be seen.
    pub tcp: PortInterest,
    /// UDP server ports whose packets must be seen.
    pub udp: PortInterest,
    /// Whether echoes and errors of ICMP must be seen. What neighbours say to each other is nobody's business.
    pub icmp: bool,
    /// Whether fragments must be seen for their own sake, whatever they carry.
    pub fragments: bool,
}

/// Some ports, all, or none.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortInterest {
    /// None at all.
    #[default]
    None,
    /// These.
    Some(PortSet),
    /// All.
    Any,
}

const DNS_PORT: u16 = 53;

impl Interest {
    /// Whether flows of this protocol with this server port are of interest.
    pub fn covers(&self, protocol: u8, server_port: u16) -> bool {
        match protocol {
            protocol::TCP => self.tcp.covers(server_port),
            protocol::UDP => self.udp.covers(server_port),
            _ => false,
        }
    }

    /// What either is interested in.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let fragments = self.fragments || other.fragments;
        Self { tcp: self.tcp.or(other.tcp), udp: self.udp.or(other.udp), icmp: self.icmp || other.icmp, fragments }
    }
}

impl PortInterest {
    /// Whether this port is of interest.
    pub fn covers(&self, port: u16) -> bool {
        match self {
            Self::None => false,
            Self::Some(ports) => ports.contains(port),
            Self::Any => true,
        }
    }

    /// What either is interested in.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => Self::Any,
            (Self::None, ports) | (ports, Self::None) => ports,
            (Self::Some(these), Self::Some(those)) => Self::Some(these.or(those)),
        }
    }

    fn some(ports: PortSet) -> Self {
        if ports.is_empty() { Self::None } else { Self::Some(ports) }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, _) | (_, Self::None) => Self::None,
            (Self::Any, ports) | (ports, Self::Any) => ports,
            (Self::Some(these), Self::Some(those)) => Self::some(these.and(&those)),
        }
    }
}

impl Policy {
    /// Which server ports the rules can ever see. Rules that the kernel can execute by itself
    /// ([`BoxPolicy::kernel_blocks`](super::BoxPolicy::kernel_blocks)) are left out.
    pub fn interest(&self) -> Interest {
        let rules = self
            .boxes
            .iter()
            .flat_map(|each| each.rules.iter().skip(each.kernel_blocks().count()).map(Rule::interest_with_residual));
        let fragments = self.boxes.iter().any(|each| each.fragments.is_in_force());
        Interest { fragments, ..rules.fold(Interest::default(), Interest::or) }
    }
}

impl Rule {
    /// Which server ports the rule's condition can be true for, in TCP and UDP, and whether it can be for ICMP.
    pub(crate) fn interest(&self) -> Interest {
        Reach::of(&self.when).interest()
    }

    fn interest_with_residual(&self) -> Interest {
        let mut interest = self.interest();
        if let Fate::Redirect(redirect) = &self.trigger.fate
            && let Some(port) = redirect.port
        {
            // The answers come from there.
            interest.udp = interest.udp.or(PortInterest::some([port].into()));
        }
        let has = |keys: &[ResidualKey]| self.residuals.iter().any(|residual| keys.contains(&residual.key));
        if has(&[ResidualKey::Server, ResidualKey::Client]) {
            // The punishment extends to protocols that the trigger has nothing to do with.
            return Interest { tcp: PortInterest::Any, udp: PortInterest::Any, icmp: true, ..interest };
        }
        if !has(&[ResidualKey::TwoTuple]) {
            return interest;
        }
        // The punishment extends to ports that the trigger has nothing to do with.
        let widened = |ports| if ports == PortInterest::None { ports } else { PortInterest::Any };
        Interest { tcp: widened(interest.tcp), udp: widened(interest.udp), ..interest }
    }
}

impl Condition {
    /// Whether there are packets at all of which it can be true: those of two protocols at once are none.
    pub(crate) fn reaches_anything(&self) -> bool {
        let Interest { tcp, udp, icmp, .. } = Reach::of(self).interest();
        // Of other protocols the kernel hands nothing over, but a rule may name one.
        let other = self.mentions(&|leaf| matches!(leaf, Self::Protocol(number) if !SEEN.contains(number)));
        icmp || other || tcp != PortInterest::None || udp != PortInterest::None
    }
}

const SEEN: [u8; 4] = [protocol::TCP, protocol::UDP, protocol::ICMP, protocol::ICMPV6];

/// As [`Interest`], while the port of DNS can still be overruled by a server port given besides.
#[derive(Clone, Debug)]
struct Reach {
    tcp: PortReach,
    udp: PortReach,
    icmp: bool,
}

#[derive(Clone, Debug)]
enum PortReach {
    Dns,
    Ports(PortInterest),
}

impl Reach {
    const PORTS: Self =
        Self { tcp: PortReach::Ports(PortInterest::Any), udp: PortReach::Ports(PortInterest::Any), icmp: false };
    const ALL: Self = Self { icmp: true, ..Self::PORTS };
    const NONE: Self =
        Self { tcp: PortReach::Ports(PortInterest::None), udp: PortReach::Ports(PortInterest::None), icmp: false };

    fn of(condition: &Condition) -> Self {
        match condition {
            Condition::All(parts) => parts.iter().map(Self::of).fold(Self::ALL, Self::and),
            Condition::Any(parts) => parts.iter().map(Self::of).fold(Self::NONE, Self::or),
            // Where there is no ClientHello or no query, "not this name" is unknown rather than true.
            Condition::Not(part) if matches!(**part, Condition::Content(_)) => Self::of_contents(part),
            Condition::ServerPort(ports) => {
                let ports = PortReach::Ports(PortInterest::some(ports.clone()));
                Self { tcp: ports.clone(), udp: ports, icmp: false }
            }
            Condition::Protocol(protocol::TCP) => Self { udp: PortReach::Ports(PortInterest::None), ..Self::PORTS },
            Condition::Protocol(protocol::UDP) => Self { tcp: PortReach::Ports(PortInterest::None), ..Self::PORTS },
            Condition::Protocol(protocol::ICMP | protocol::ICMPV6) => Self { icmp: true, ..Self::NONE },
            Condition::Protocol(_) => Self::NONE,
            Condition::ServerAddress(prefixes) if prefixes.is_empty() => Self::NONE,
            // No datagram is looked at for a list that is empty. Connections are: a list that is filled later finds them known.
            Condition::Content(content @ (Content::Quic(_) | Content::Dtls(_))) if content.is_about_nothing() => {
                Self::NONE
            }
            Condition::Content(content) => Self::of_content(content),
            // ICMP has no ports, and boxes keep no flows of it.
            Condition::ClientPort(_)
            | Condition::ClientPortAboveServer
            | Condition::Packet(PacketQuestion::PayloadLength { .. } | PacketQuestion::Anomaly(_))
            | Condition::ClientInside
            | Condition::Fired(_) => Self::PORTS,
            Condition::Not(_)
            | Condition::ClientAddress(_)
            | Condition::ServerAddress(_)
            | Condition::Direction(_)
            | Condition::Packet(_)
            | Condition::Time(_) => Self::ALL,
        }
    }

    /// Of a condition that is about a content.
    fn of_contents(condition: &Condition) -> Self {
        condition.contents().into_iter().map(Self::of_content).fold(Self::ALL, Self::and)
    }

    fn of_content(content: &Content) -> Self {
        let habit = content.habit();
        let ports = |carries: bool| match (carries, habit.dns_port) {
            (false, _) => PortReach::Ports(PortInterest::None),
            (true, true) => PortReach::Dns,
            (true, false) => PortReach::Ports(PortInterest::Any),
        };
        Self { tcp: ports(habit.tcp), udp: ports(habit.udp), icmp: false }
    }

    fn and(self, other: Self) -> Self {
        Self { tcp: self.tcp.and(other.tcp), udp: self.udp.and(other.udp), icmp: self.icmp && other.icmp }
    }

    fn or(self, other: Self) -> Self {
        Self { tcp: self.tcp.or(other.tcp), udp: self.udp.or(other.udp), icmp: self.icmp || other.icmp }
    }

    fn interest(self) -> Interest {
        Interest { tcp: self.tcp.ports(), udp: self.udp.ports(), icmp: self.icmp, fragments: false }
    }
}

impl PortReach {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Dns, Self::Dns | Self::Ports(PortInterest::Any)) | (Self::Ports(PortInterest::Any), Self::Dns) => {
                Self::Dns
            }
            (Self::Dns, ports) | (ports, Self::Dns) => ports,
            (Self::Ports(these), Self::Ports(those)) => Self::Ports(these.and(those)),
        }
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Dns, Self::Dns | Self::Ports(PortInterest::None)) | (Self::Ports(PortInterest::None), Self::Dns) => {
                Self::Dns
            }
            (these, those) => Self::Ports(these.ports().or(those.ports())),
        }
    }

    fn ports(self) -> PortInterest {
        match self {
            Self::Dns => PortInterest::some([DNS_PORT].into()),
            Self::Ports(ports) => ports,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{NamePattern, NameSet};
    use crate::outbox::Direction;
    use crate::policy::HelloQuestion;
    use crate::policy::Speech;
    use crate::prefixes::PrefixSet;

    fn interest(condition: &Condition) -> Interest {
        Reach::of(condition).interest()
    }

    fn some(ports: &[u16]) -> PortInterest {
        PortInterest::some(ports.iter().copied().collect())
    }

    /// A name in a `ClientHello` needs TCP, and a port narrows it.
    #[test]
    fn tls_is_tcp() {
        let sni = || Condition::sni(NameSet::default());
        assert_eq!(
            interest(&sni()),
            Interest { tcp: PortInterest::Any, udp: PortInterest::None, ..Interest::default() }
        );
        let narrowed = Condition::All(vec![Condition::ServerPort([443].into()), Condition::ClientInside, sni()]);
        assert_eq!(interest(&narrowed), Interest { tcp: some(&[443]), udp: PortInterest::None, ..Interest::default() });
        let another = Condition::All(vec![Condition::Not(Box::new(sni())), Condition::ServerPort([443].into())]);
        assert_eq!(interest(&another), Interest { tcp: some(&[443]), udp: PortInterest::None, ..Interest::default() });
    }

    /// A DNS name means port 53 unless a port is given, wherever it stands.
    #[test]
    fn dns_is_port_53_unless_said() {
        let name = || Condition::qname(NameSet::default());
        assert_eq!(interest(&name()), Interest { tcp: PortInterest::None, udp: some(&[53]), ..Interest::default() });
        let nested = Condition::All(vec![
            Condition::All(vec![name(), Condition::ClientInside]),
            Condition::ServerPort([5353, 53].into()),
        ]);
        assert_eq!(interest(&nested).udp, some(&[53, 5353]));
        let either = Condition::Any(vec![name(), Condition::ServerPort([443].into())]);
        assert_eq!(interest(&either), Interest { tcp: some(&[443]), udp: some(&[53, 443]), ..Interest::default() });
    }

    /// TSPU-5b: a rule about names in QUIC needs no datagram while its list is empty, but for those that have another name.
    #[test]
    fn tspu_5b_an_empty_list_needs_no_datagrams() {
        let sni = |names: NameSet| {
            Condition::Content(Content::Quic(crate::policy::QuicQuestion::Hello(HelloQuestion::Sni(names))))
        };
        let listed: NameSet = ["a.b".parse::<NamePattern>().expect("a name")].into_iter().collect();
        assert_eq!(interest(&sni(NameSet::default())), Interest::default());
        assert_eq!(interest(&sni(listed)).udp, PortInterest::Any);
        assert_eq!(interest(&Condition::Not(Box::new(sni(NameSet::default())))).udp, PortInterest::Any);
    }

    /// What says nothing about ports, and every other negation, is interested in all.
    #[test]
    fn in_doubt_all() {
        for condition in [
            Condition::ServerAddress(["1.1.1.0/24".parse().expect("a prefix")].into_iter().collect()),
            Condition::Not(Box::new(Condition::ServerPort([443].into()))),
            Condition::All(vec![]),
        ] {
            assert_eq!(
                interest(&condition),
                Interest { tcp: PortInterest::Any, udp: PortInterest::Any, icmp: true, fragments: false },
                "{condition:?}"
            );
        }
        assert_eq!(interest(&Condition::Any(vec![])), Interest::default());
        assert_eq!(interest(&Condition::ServerAddress(PrefixSet::default())), Interest::default());
        assert_eq!(interest(&Condition::Protocol(47)), Interest::default());
    }

    /// IR-2025-1: a rule about echoes needs ICMP and nothing else; a rule about ports, contents or flows never does.
    #[test]
    fn ir_2025_1_echoes_are_seen() {
        let echo = Condition::Any(vec![Condition::Protocol(1), Condition::Protocol(58)]);
        let of_icmp = Interest { icmp: true, ..Interest::default() };
        assert_eq!(interest(&Condition::All(vec![echo, Condition::Direction(Direction::Outbound)])), of_icmp);
        for condition in [
            Condition::All(vec![Condition::Protocol(6), Condition::Direction(Direction::Outbound)]),
            Condition::ServerPort([443].into()),
            Condition::ClientInside,
            Condition::Packet(PacketQuestion::PayloadLength { least: 0, most: 9 }),
        ] {
            assert!(!interest(&condition).icmp, "{condition:?}");
        }
    }

    /// RU-CALL-1, RU-WA-1: content is of the transport that carries it, also where it must not be there; a range narrows it.
    #[test]
    fn ru_call_1_content_has_its_transport() {
        let stun = || Condition::Content(Content::Speech(Speech::Stun));
        let relays: PortSet = [596..=599, 1400..=1400].into_iter().collect();
        for stun in [stun(), Condition::Not(Box::new(stun()))] {
            let narrowed = Condition::All(vec![stun, Condition::ServerPort(relays.clone())]);
            let expected =
                Interest { tcp: PortInterest::None, udp: PortInterest::Some(relays.clone()), ..Interest::default() };
            assert_eq!(interest(&narrowed), expected);
        }
        let chat = Condition::Content(Content::Speech(Speech::WhatsAppChat));
        assert_eq!(
            interest(&chat),
            Interest { tcp: PortInterest::Any, udp: PortInterest::None, ..Interest::default() }
        );
    }
}
