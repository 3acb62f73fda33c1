//! Whether a condition holds for a packet.

use core::time::Duration;

use crate::flow::{Doubts, Flow};
use crate::outbox::Direction;
use crate::policy::{Condition, PacketQuestion};
use crate::reading::Reading;
use crate::view::{Transport, View};

/// What a condition is asked about: a packet, its flow, and what was read in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a, 'r> {
    pub(crate) view: &'a View<'a>,
    /// What the box has to read, where it still looks.
    pub(crate) reading: Option<&'a Reading<'r>>,
    /// What the packet's receiver would find wrong with it.
    pub(crate) doubts: Doubts,
    /// The flow, where it is in the table.
    pub(crate) flow: Option<&'a Flow>,
    /// Who began the flow, where this box knows.
    pub(crate) initiator: Option<Direction>,
    /// How long ago midnight was, where the censor is.
    pub(crate) time: Duration,
}

impl Subject<'_, '_> {
    /// Whether the condition holds; `None` where that cannot be known, in Kleene's strong logic of three values.
    pub(crate) fn satisfies(&self, condition: &Condition) -> Option<bool> {
        let key = &self.view.key;
        match condition {
            Condition::All(parts) => self.first_decisive(parts, false),
            Condition::Any(parts) => self.first_decisive(parts, true),
            Condition::Not(part) => self.satisfies(part).map(|holds| !holds),
            Condition::ClientAddress(prefixes) => Some(prefixes.contains(key.client)),
            Condition::ClientPort(ports) => Some(self.has_ports() && ports.contains(key.client_port)),
            Condition::ClientPortAboveServer => Some(self.has_ports() && key.client_port > key.server_port),
            Condition::ServerPort(ports) => Some(self.has_ports() && ports.contains(key.server_port)),
            Condition::ServerAddress(prefixes) => Some(prefixes.contains(key.server)),
            Condition::Protocol(protocol) => Some(self.view.ip.protocol() == *protocol),
            Condition::ClientInside => self.initiator.map(|initiator| initiator == Direction::Outbound),
            Condition::Direction(direction) => Some(self.view.direction == *direction),
            Condition::Fired(rule) => {
                // A flow that the box does not track is one that it knows nothing of, not one on which nothing fired.
                self.initiator.and(self.flow).map(|flow| flow.has_fired(rule))
            }
            Condition::Time(time) => Some(time.contains(self.time)),
            Condition::Packet(question) => Some(self.is(*question)),
            Condition::Content(content) => self.reading.and_then(|reading| content.answer(reading)),
        }
    }

    fn is(&self, question: PacketQuestion) -> bool {
        let ip = &self.view.ip;
        match question {
            PacketQuestion::PayloadLength { least, most } => {
                self.has_ports() && within(self.view.payload().len(), (least.into(), most.into()))
            }
            PacketQuestion::Length { least, most } => within(ip.bytes().len(), (least.into(), most.into())),
            PacketQuestion::Ttl { least, most } => (least..=most).contains(&ip.ttl()),
            PacketQuestion::Fragment => self.view.is_joined || ip.fragment().is_some(),
            PacketQuestion::Flags { of, set } => {
                self.view.segment().is_some_and(|segment| segment.flags().0 & of.0 == set.0 & of.0)
            }
            PacketQuestion::TcpHeader { least, most } => {
                self.view.segment().is_some_and(|segment| within(segment.header_len(), (least.into(), most.into())))
            }
            PacketQuestion::Anomaly(anomaly) => self.doubts.has(anomaly),
        }
    }

    fn has_ports(&self) -> bool {
        !matches!(self.view.transport, Transport::Error | Transport::Other)
    }

    /// What matched, as a person would say it.
    pub(crate) fn describe(&self, condition: &Condition) -> Option<String> {
        let contents = condition.contents();
        let read = self.reading.and_then(|reading| contents.iter().find_map(|content| content.describe(reading)));
        read.or_else(|| {
            let names_server = condition.mentions(&|leaf| matches!(leaf, Condition::ServerAddress(_)));
            names_server.then(|| format!("address {}", self.view.key.server))
        })
    }

    /// Where in the packet that stands which matched: from the first byte of the IP header to before the last.
    pub(crate) fn place(&self, condition: &Condition) -> Option<(usize, usize)> {
        let (reading, headers) = (self.reading?, self.view.payload_at()?);
        let place = condition.contents().iter().find_map(|content| content.place(reading))?;
        Some((headers + place.start, headers + place.end))
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

fn within(length: usize, (least, most): (usize, usize)) -> bool {
    (least..=most).contains(&length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{NamePattern, NameSet};
    use crate::policy::{Decide, Reads};
    use crate::reading::{Dialects, Source};

    fn names(text: &str) -> NameSet {
        [text.parse::<NamePattern>().expect("a pattern")].into_iter().collect()
    }

    fn ask(reading: Option<&Reading<'_>>, condition: &Condition) -> (Option<bool>, Option<String>) {
        let mut packet = vec![0x45, 0, 0, 20, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 0, 1, 1, 1, 1, 1];
        packet.extend([8, 0, 0, 0]);
        let view = View::parse(Direction::Outbound, &packet).expect("a packet");
        let (doubts, time) = (Doubts::default(), Duration::ZERO);
        let subject = Subject { view: &view, reading, doubts, flow: None, initiator: None, time };
        (subject.satisfies(condition), subject.describe(condition))
    }

    fn not(condition: Condition) -> Condition {
        Condition::Not(Box::new(condition))
    }

    /// RU-WL-1: "none of the listed names" is true of a `ClientHello` for another name, and unknown before there is one.
    #[test]
    fn ru_wl_1_not_listed_needs_a_hello() {
        let hello: &[u8] = include_bytes!("../tests/data/curl-client-hello.bin");
        let reads = Reads::default();
        let read = |payload: &'static [u8]| {
            let source = Source::Alone { payload: payload.into(), is_first: true };
            Reading::new(source, true, (&reads, Decide::Once), Dialects::default())
        };
        let unlisted = |listed: &str| not(Condition::sni(names(listed)));
        assert_eq!(ask(None, &unlisted("instagram.com")).0, None);
        assert_eq!(ask(Some(&read(b"GET / HTTP/1.1")), &unlisted("instagram.com")).0, None);
        assert_eq!(ask(Some(&read(hello)), &unlisted("instagram.com")).0, Some(false));
        let described = Some("SNI www.instagram.com".to_owned());
        assert_eq!(ask(Some(&read(hello)), &unlisted("other.com")), (Some(true), described));
    }

    /// An unknown part leaves the whole unknown only where it matters.
    #[test]
    fn three_values() {
        let unknown = || Condition::ClientInside;
        let yes = || Condition::Protocol(1);
        let no = || Condition::Protocol(6);
        let result = |condition: Condition| ask(None, &condition).0;
        assert_eq!(result(Condition::All(vec![unknown(), no()])), Some(false));
        assert_eq!(result(Condition::All(vec![unknown(), yes()])), None);
        assert_eq!(result(Condition::Any(vec![unknown(), yes()])), Some(true));
        assert_eq!(result(Condition::Any(vec![unknown(), no()])), None);
        assert_eq!(result(Condition::All(vec![])), Some(true));
        assert_eq!(result(not(Condition::Fired("sni-1".into()))), None, "nothing is known of an untracked flow");
        assert_eq!(result(Condition::ServerPort([0].into())), Some(false), "ICMP has no ports");
    }
}
