//! Questions about DNS.

use super::{Habit, Span, Speaker};
use crate::names::NameSet;
use crate::prefixes::PrefixSet;
use crate::reading::{Place, Reading};
use crate::wire::dns::{self, Message, Query, record};

/// A question about DNS, over UDP or over TCP. A query counts only if it is a standard one with a single question
/// (GFW-DNS-5).
#[derive(Clone, Debug, PartialEq)]
pub enum DnsQuestion {
    /// There is a query.
    Query,
    /// There is a query for one of these names.
    Name(NameSet),
    /// There is a query for one of these types, as [`record`] has them.
    Type(Vec<u16>),
    /// There is a message with one of these names in any of its sections: asked for, answered, or in an answer's data.
    AnyName(NameSet),
    /// There is an answer.
    Answer,
    /// There is an answer with an address in one of these prefixes.
    Address(PrefixSet),
}

/// By what messages travel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Carriage {
    Udp,
    Tcp,
}

impl DnsQuestion {
    pub(crate) fn looks_for(&self) -> Vec<String> {
        match self {
            Self::Query => vec!["DNS query".to_owned()],
            Self::Name(names) | Self::AnyName(names) => names.iter().map(ToString::to_string).collect(),
            Self::Type(types) => types.iter().map(|kind| format!("query {}", record::name(*kind))).collect(),
            Self::Answer => vec!["DNS answer".to_owned()],
            Self::Address(prefixes) if prefixes.is_empty() => Vec::new(),
            Self::Address(_) => vec!["DNS answer with a listed address".to_owned()],
        }
    }

    pub(crate) const fn habit(&self, carriage: Carriage) -> Habit {
        let from = match self {
            Self::Query | Self::Name(_) | Self::Type(_) => Speaker::Client,
            Self::AnyName(_) => Speaker::Either,
            Self::Answer | Self::Address(_) => Speaker::Server,
        };
        match carriage {
            Carriage::Udp => Habit { dns_port: true, span: Span::Every, ..Habit::DATAGRAM },
            Carriage::Tcp => Habit { dns_port: true, from, ..Habit::STREAM },
        }
    }

    pub(crate) fn answer(&self, carriage: Carriage, reading: &Reading<'_>) -> Option<bool> {
        match carriage {
            Carriage::Udp => match self {
                Self::Name(names) => reading.query().map(|query| names.matches(&query.name)),
                Self::Type(types) => reading.query().map(|query| types.contains(&query.qtype)),
                _ => self.of_message(reading.any_datagram()?),
            },
            Carriage::Tcp => {
                let mut answers = messages(reading)?.map(|message| self.of_message(message)).peekable();
                if answers.peek().is_none() {
                    let (bytes, _) = reading.message()?;
                    let is_other = dns::begins_with_query(bytes) == Some(false);
                    return (reading.is_joined() && reading.from_client && is_other).then_some(false);
                }
                answers.fold(None, |any, answer| if any == Some(true) { any } else { answer.or(any) })
            }
        }
    }

    fn of_message(&self, bytes: &[u8]) -> Option<bool> {
        match self {
            Self::Query => Some(Query::parse(bytes).is_some()),
            Self::Name(names) => Query::parse(bytes).map(|query| names.matches(&query.name)),
            Self::Type(types) => Query::parse(bytes).map(|query| types.contains(&query.qtype)),
            Self::AnyName(names) => {
                Message::parse(bytes).map(|message| message.names().any(|name| names.matches(&name)))
            }
            Self::Answer => Message::parse(bytes).map(|message| message.is_response()),
            Self::Address(prefixes) => {
                let message = Message::parse(bytes).filter(Message::is_response)?;
                Some(message.addresses().any(|address| prefixes.contains(address)))
            }
        }
    }

    pub(crate) fn describe(&self, carriage: Carriage, reading: &Reading<'_>) -> Option<String> {
        let found = |bytes: &[u8]| {
            if let Some(query) = Query::parse(bytes) {
                return Some(format!("query {} {}", query.qtype_name(), query.name.to_ascii_lowercase()));
            }
            let question = Message::parse(bytes).and_then(|message| message.questions().next())?;
            Some(format!("answer to {} {}", record::name(question.qtype), question.name.to_ascii_lowercase()))
        };
        match carriage {
            Carriage::Udp => found(reading.any_datagram()?),
            Carriage::Tcp => {
                let mut matching = messages(reading)?.filter(|message| self.of_message(message) == Some(true));
                matching.next().and_then(found).map(|found| format!("{found} over TCP"))
            }
        }
    }
}

/// Whether more of a stream of DNS may be asked about than was seen.
pub(super) fn awaits(reading: &Reading<'_>) -> bool {
    let is_other = |bytes| reading.from_client && dns::begins_with_query(bytes) == Some(false);
    !reading.is_joined() || reading.message().is_none_or(|(bytes, _)| !is_other(bytes))
}

/// How many bytes the whole messages take with which a stream begins.
pub(super) fn finished(bytes: &[u8]) -> usize {
    dns::messages(bytes).map(|message| 2 + message.len()).sum()
}

/// The messages over TCP that a packet carries a part of, as far as they are whole.
fn messages<'r>(reading: &'r Reading<'_>) -> Option<impl Iterator<Item = &'r [u8]>> {
    let (bytes, Place::Opening { .. }) = reading.message()? else { return None };
    let mut end = 0;
    let offset = reading.offset();
    Some(dns::messages(bytes).filter(move |message| {
        end += 2 + message.len();
        end > offset
    }))
}
