//! Whether a condition holds for a packet.

use crate::dissect::{openvpn, wireguard};
use crate::flow::{Flow, Heard, Said};
use crate::outbox::Direction;
use crate::policy::{Condition, Content};
use crate::view::{Transport, View};
use crate::wire::dns::Query;

/// What a condition is asked about: a packet, its flow, and what was read in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) view: &'a View<'a>,
    pub(crate) heard: &'a Heard,
    /// What else was read in the packet, where the box still looks.
    pub(crate) said: Option<&'a Said<'a>>,
    pub(crate) query: Option<&'a Query<'a>>,
    /// The flow, where it is in the table.
    pub(crate) flow: Option<&'a Flow>,
    /// Who began the flow, where this box knows.
    pub(crate) initiator: Option<Direction>,
}

impl Subject<'_> {
    /// Whether the condition holds; `None` where that cannot be known, in Kleene's strong logic of three values.
    pub(crate) fn satisfies(&self, condition: &Condition) -> Option<bool> {
        let key = &self.view.key;
        match condition {
            Condition::All(parts) => self.first_decisive(parts, false),
            Condition::Any(parts) => self.first_decisive(parts, true),
            Condition::Not(part) => self.satisfies(part).map(|holds| !holds),
            Condition::TlsSni(names) => match self.heard {
                Heard::Nothing => None,
                Heard::NoHello => Some(false),
                Heard::Hello(hello) => Some(hello.sni.as_deref().is_some_and(|name| names.matches(name))),
            },
            Condition::DnsName(names) => self.query.map(|query| names.matches(&query.name)),
            Condition::ClientPort(ports) => Some(self.has_ports() && ports.contains(key.client_port)),
            Condition::ServerPort(ports) => Some(self.has_ports() && ports.contains(key.server_port)),
            Condition::ServerAddress(prefixes) => Some(prefixes.contains(key.server)),
            Condition::Protocol(protocol) => Some(self.view.ip.protocol() == *protocol),
            Condition::ClientInside => self.initiator.map(|initiator| initiator == Direction::Outbound),
            Condition::Direction(direction) => Some(self.view.direction == *direction),
            Condition::Fired(rule) => {
                // A flow that the box does not track is one that it knows nothing of, not one on which nothing fired.
                self.initiator.and(self.flow).map(|flow| flow.has_fired(rule))
            }
            Condition::PayloadLength { least, most } => {
                let length = self.view.payload().len();
                Some(self.has_ports() && (usize::from(*least)..=usize::from(*most)).contains(&length))
            }
            Condition::Content(content) => self.said.and_then(|said| said.holds(content)),
        }
    }

    fn has_ports(&self) -> bool {
        !matches!(self.view.transport, Transport::Error | Transport::Other)
    }

    /// What matched, as a person would say it.
    pub(crate) fn describe(&self, condition: &Condition) -> Option<String> {
        self.describe_content(condition).or_else(|| {
            let names_server = mentions(condition, &|leaf| matches!(leaf, Condition::ServerAddress(_)));
            names_server.then(|| format!("address {}", self.view.key.server))
        })
    }

    fn describe_content(&self, condition: &Condition) -> Option<String> {
        match (condition, self.heard) {
            (Condition::All(parts) | Condition::Any(parts), _) => {
                parts.iter().find_map(|part| self.describe_content(part))
            }
            (Condition::Not(part), _) => self.describe_content(part),
            (Condition::TlsSni(_), Heard::Hello(hello)) => Some(match &hello.sni {
                Some(name) => format!("SNI {}", name.to_ascii_lowercase()),
                None => "a ClientHello without SNI".to_owned(),
            }),
            (Condition::DnsName(_), _) => {
                self.query.map(|query| format!("query {} {}", query.qtype_name(), query.name.to_ascii_lowercase()))
            }
            (Condition::Content(content), _) => self.said.and_then(|said| said.holds(content)).and_then(|holds| {
                let what = describe_content(content);
                holds.then(|| what.to_owned())
            }),
            _ => None,
        }
    }

    /// `decisive` if some part is; else unknown if some part is; else the opposite.
    fn first_decisive(&self, parts: &[Condition], decisive: bool) -> Option<bool> {
        let mut result = Some(!decisive);
        for part in parts {
            match self.satisfies(part) {
                Some(holds) if holds == decisive => return Some(decisive),
                Some(_) => {}
                None => result = None,
            }
        }
        result
    }
}

/// What a packet carries, as a person would say it.
fn describe_content(content: &Content) -> &'static str {
    match content {
        Content::Stun => "STUN",
        Content::DtlsHello => "a DTLS ClientHello",
        Content::WireGuard(None) => "WireGuard",
        Content::WireGuard(Some(wireguard::Kind::Initiation)) => "a WireGuard initiation",
        Content::WireGuard(Some(wireguard::Kind::Response)) => "a WireGuard response",
        Content::WireGuard(Some(wireguard::Kind::Cookie)) => "a WireGuard cookie",
        Content::WireGuard(Some(wireguard::Kind::Data)) => "WireGuard data",
        Content::OpenVpn(None) => "OpenVPN",
        Content::OpenVpn(Some(openvpn::Kind::Reset)) => "an OpenVPN reset",
        Content::OpenVpn(Some(openvpn::Kind::Control)) => "an OpenVPN control packet",
        Content::OpenVpn(Some(openvpn::Kind::Data)) => "OpenVPN data",
        Content::WhatsAppChat => "WhatsApp's chat header",
        Content::TelegramTransport => "a Telegram transport",
        Content::SshBanner => "an SSH banner",
        Content::Starts(_) => "a payload's first bytes",
    }
}

/// Whether some leaf of a condition is of this kind.
pub(crate) fn mentions(condition: &Condition, is_kind: &dyn Fn(&Condition) -> bool) -> bool {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(|part| mentions(part, is_kind)),
        Condition::Not(part) => mentions(part, is_kind),
        leaf => is_kind(leaf),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::tls::ClientHello;
    use crate::names::{NamePattern, NameSet};

    fn names(text: &str) -> NameSet {
        [text.parse::<NamePattern>().expect("a pattern")].into_iter().collect()
    }

    fn ask(heard: &Heard, condition: &Condition) -> (Option<bool>, Option<String>) {
        let mut packet = vec![0x45, 0, 0, 20, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 0, 1, 1, 1, 1, 1];
        packet.extend([8, 0, 0, 0]);
        let view = View::parse(Direction::Outbound, &packet).expect("a packet");
        let subject = Subject { view: &view, heard, said: None, query: None, flow: None, initiator: None };
        (subject.satisfies(condition), subject.describe(condition))
    }

    fn not(condition: Condition) -> Condition {
        Condition::Not(Box::new(condition))
    }

    /// RU-WL-1: "none of the listed names" is true of a `ClientHello` for another name and of one without a name, and
    /// unknown before there is one.
    #[test]
    fn ru_wl_1_not_listed_needs_a_hello() {
        let unlisted = not(Condition::TlsSni(names("listed.ru")));
        let hello = |sni: Option<&str>| {
            Heard::Hello(Box::new(ClientHello { sni: sni.map(str::to_owned), ..ClientHello::default() }))
        };
        assert_eq!(ask(&Heard::Nothing, &unlisted).0, None);
        assert_eq!(ask(&hello(Some("www.listed.ru")), &unlisted).0, Some(false));
        assert_eq!(ask(&hello(Some("Other.ru")), &unlisted), (Some(true), Some("SNI other.ru".to_owned())));
        assert_eq!(ask(&hello(None), &unlisted).0, Some(true));
    }

    /// An unknown part leaves the whole unknown only where it matters.
    #[test]
    fn three_values() {
        let unknown = || Condition::ClientInside;
        let yes = || Condition::Protocol(1);
        let no = || Condition::Protocol(6);
        let result = |condition: Condition| ask(&Heard::Nothing, &condition).0;
        assert_eq!(result(Condition::All(vec![unknown(), no()])), Some(false));
        assert_eq!(result(Condition::All(vec![unknown(), yes()])), None);
        assert_eq!(result(Condition::Any(vec![unknown(), yes()])), Some(true));
        assert_eq!(result(Condition::Any(vec![unknown(), no()])), None);
        assert_eq!(result(Condition::All(vec![])), Some(true));
        assert_eq!(result(not(Condition::Fired("sni-1".into()))), None, "nothing is known of an untracked flow");
        assert_eq!(result(Condition::ServerPort([0].into())), Some(false), "ICMP has no ports");
    }
}
