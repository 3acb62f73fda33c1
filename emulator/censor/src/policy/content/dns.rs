//! Questions about DNS.

use super::{Habit, Span};
use crate::names::NameSet;
use crate::reading::Reading;

/// A question about DNS.
#[derive(Clone, Debug)]
pub enum DnsQuestion {
    /// The packet is a query over UDP for one of these names.
    Name(NameSet),
}

impl DnsQuestion {
    pub(crate) fn looks_for(&self) -> Vec<String> {
        match self {
            Self::Name(names) => names.iter().map(ToString::to_string).collect(),
        }
    }

    #[expect(clippy::unused_self, reason = "as the other questions")]
    pub(crate) const fn habit(&self) -> Habit {
        Habit { dns_port: true, span: Span::Every, ..Habit::DATAGRAM }
    }

    pub(crate) fn answer(&self, reading: &Reading<'_>) -> Option<bool> {
        let query = reading.query()?;
        match self {
            Self::Name(names) => Some(names.matches(&query.name)),
        }
    }

    #[expect(clippy::unused_self, reason = "as the other questions")]
    pub(crate) fn describe(&self, reading: &Reading<'_>) -> Option<String> {
        reading.query().map(|query| format!("query {} {}", query.qtype_name(), query.name.to_ascii_lowercase()))
    }
}
