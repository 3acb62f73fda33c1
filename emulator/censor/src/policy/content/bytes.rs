//! Questions about the bytes of a payload.

use super::Habit;
use crate::reading::{Place, Reading};

/// A question about the first data of the client on TCP, or about a datagram.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum BytesQuestion {
    /// It begins with one of these.
    Starts(Vec<BytePrefix>),
}

/// Some bytes at a place in a payload.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BytePrefix {
    /// How many bytes come before.
    pub offset: usize,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// How far into a payload a [`BytePrefix`] may reach; what a box reads of a stream's beginning is never less.
pub const MAX_BYTE_PREFIX: usize = 256;

impl BytePrefix {
    /// Whether a payload has these bytes at this place; `None` where it ends too early and what is there agrees.
    pub fn is_in(&self, payload: &[u8]) -> Option<bool> {
        let there = payload.get(self.offset..)?;
        let common = there.len().min(self.bytes.len());
        if there[..common] != self.bytes[..common] {
            return Some(false);
        }
        (common == self.bytes.len()).then_some(true)
    }
}

impl BytesQuestion {
    pub(crate) fn looks_for(&self) -> Vec<String> {
        match self {
            Self::Starts(prefixes) => {
                let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
                let each = prefixes.iter().map(|prefix| format!("{} at {}", hex(&prefix.bytes), prefix.offset));
                vec![format!("payload {}", each.collect::<Vec<_>>().join(" or "))]
            }
        }
    }

    #[expect(clippy::unused_self, reason = "as the other questions")]
    pub(crate) const fn habit(&self) -> Habit {
        Habit::BOTH
    }

    pub(crate) fn answer(&self, reading: &Reading<'_>) -> Option<bool> {
        let (bytes, place) = reading.beginning()?;
        match self {
            Self::Starts(prefixes) => {
                let answers = || prefixes.iter().map(|prefix| prefix.is_in(bytes));
                let any = if answers().any(|answer| answer == Some(true)) {
                    Some(true)
                } else {
                    answers().all(|answer| answer.is_some()).then_some(false)
                };
                Place::decided(any, place == Place::Opening { more: true })
            }
        }
    }

    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Starts(_) => "a payload's first bytes".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A payload that ends within the bytes may still turn out to have them.
    #[test]
    fn a_short_payload_is_undecided() {
        let prefix = BytePrefix { offset: 1, bytes: vec![0x57, 0x41] };
        for (payload, expected) in
            [(&b"xWA..."[..], Some(true)), (b"xWB", Some(false)), (b"xW", None), (b"x", None), (b"", None)]
        {
            assert_eq!(prefix.is_in(payload), expected, "{payload:?}");
        }
    }
}
