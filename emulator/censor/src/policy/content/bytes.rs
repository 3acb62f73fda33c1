//! Questions about the bytes of a payload.

use super::Habit;
use crate::dissect::fully_encrypted::is_fully_encrypted;
use crate::dissect::http::Keywords;
use crate::dissect::statistics::Statistics;
use crate::reading::{Place, Reading};

/// A question about the first data of the client on TCP, or about a datagram.
#[derive(Clone, Debug, PartialEq)]
pub enum BytesQuestion {
    /// It begins with one of these.
    Starts(Vec<BytePrefix>),
    /// It has one of these in it, as far as it was put together; where nothing is, any segment that the box looks at.
    Contains(Keywords),
    /// The packet carries the first data of its client's stream, whatever they are (GFW-PORT).
    First,
    /// The first packet of it has so much of this, the least and the most included.
    Measure {
        /// What is measured.
        of: Measure,
        /// The least.
        least: f64,
        /// The most.
        most: f64,
    },
    /// The first segment of it is what the GFW takes for fully encrypted (GFW-FET-1), which looks at TCP alone and puts
    /// nothing together.
    FullyEncrypted,
}

/// What can be measured in a payload; see [`Statistics`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Measure {
    /// How many bits of a byte are set in the mean, from 0 to 8.
    Popcount,
    /// Shannon's entropy, in bits a byte, from 0 to 8.
    Entropy,
    /// The share of printable bytes, from 0 to 1.
    Printable,
    /// How many printable bytes it begins with.
    PrintablePrefix,
    /// How many printable bytes follow each other.
    PrintableRun,
}

impl Measure {
    /// Measures a payload.
    pub fn of(self, payload: &[u8]) -> f64 {
        let statistics = Statistics::of(payload);
        let count = |bytes: usize| u32::try_from(bytes).map_or(f64::INFINITY, f64::from);
        match self {
            Self::Popcount => statistics.popcount(),
            Self::Entropy => statistics.entropy(),
            Self::Printable => statistics.printable_share(),
            Self::PrintablePrefix => count(statistics.printable_prefix),
            Self::PrintableRun => count(statistics.printable_run),
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Popcount => "popcount",
            Self::Entropy => "entropy",
            Self::Printable => "printable share",
            Self::PrintablePrefix => "printable prefix",
            Self::PrintableRun => "printable run",
        }
    }
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
            Self::Contains(words) => words.texts().map(|word| format!("payload with {word}")).collect(),
            Self::First => vec!["first data".to_owned()],
            Self::Measure { of, least, most } => vec![format!("{} {least} to {most}", of.title())],
            Self::FullyEncrypted => vec!["fully encrypted".to_owned()],
        }
    }

    pub(crate) const fn habit(&self) -> Habit {
        match self {
            Self::Starts(_) | Self::Measure { .. } => Habit::BOTH,
            Self::Contains(_) => Habit { of_beginning: false, ..Habit::BOTH },
            Self::First | Self::FullyEncrypted => Habit::BEGINNING,
        }
    }

    pub(crate) fn answer(&self, reading: &Reading<'_>) -> Option<bool> {
        let more = || matches!(reading.beginning(), Some((_, Place::Opening { more: true })));
        match self {
            Self::Starts(prefixes) => {
                let (bytes, _) = reading.beginning()?;
                let answers = || prefixes.iter().map(|prefix| prefix.is_in(bytes));
                let any = if answers().any(|answer| answer == Some(true)) {
                    Some(true)
                } else {
                    answers().all(|answer| answer.is_some()).then_some(false)
                };
                Place::decided(any, more())
            }
            Self::Contains(words) => {
                let (bytes, place) = reading.message()?;
                let found = words.find(bytes).map(|_| true);
                Place::decided(found, place == Place::Opening { more: true })
            }
            // Later data of the stream are not the first, and that is known.
            Self::First => {
                (!matches!(reading.beginning(), Some((_, Place::Datagram)))).then(|| reading.first_packet().is_some())
            }
            Self::Measure { of, least, most } => {
                let measured = of.of(reading.first_packet()?);
                Some(*least <= measured && measured <= *most)
            }
            Self::FullyEncrypted => reading.first_packet().map(is_fully_encrypted),
        }
    }

    /// Whether more of the stream may be asked about. A word that is not in one segment may be in the next.
    pub(crate) fn awaits(&self, reading: &Reading<'_>) -> bool {
        let answer = self.answer(reading);
        let looks_alone = matches!(self, Self::Contains(_)) && !reading.is_joined();
        answer.is_none() || (looks_alone && answer == Some(false))
    }

    pub(crate) fn describe(&self, reading: &Reading<'_>) -> String {
        let measured = |of: Measure| reading.first_packet().map_or(0.0, |payload| of.of(payload));
        match self {
            Self::Starts(_) => "a payload's first bytes".to_owned(),
            Self::Contains(words) => {
                let found = reading.message().and_then(|(bytes, _)| words.find(bytes)).unwrap_or_default();
                format!("a payload with {}", String::from_utf8_lossy(found).escape_debug())
            }
            Self::First => "first data".to_owned(),
            Self::Measure { of, .. } => format!("a payload of {} {:.2}", of.title(), measured(*of)),
            Self::FullyEncrypted => {
                format!("fully encrypted, {:.2} of 8 bits set", measured(Measure::Popcount))
            }
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
