//! Numbers with a unit or an end: ranges of ports and counts, sizes, rates, bytes in hexadecimal.

use std::time::Duration;

use serde_json::json;

use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::read::{Definitions, Located, Read, table, wrong_type};
use crate::source::Location;
use crate::tree::{Node, Value};

/// `443`, or `"596-599"`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct PortRange {
    /// The first port.
    pub(crate) first: u16,
    /// The last.
    pub(crate) last: u16,
}

impl Read for PortRange {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        let help = "write a port, such as 443, or a range in quotes, such as \"596-599\"";
        if matches!(node.value, Value::Integer(_)) {
            return u16::read(node, errors).map(|port| Self { first: port, last: port });
        }
        let (first, last) = range(node, "a port or a range of ports", help, errors)?;
        Some(Self { first, last })
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        json!({ "anyOf": [{ "type": "integer", "minimum": 0, "maximum": u16::MAX }, RangeText::schema()] })
    }
}

/// `6`, or `"5-8"`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct CountRange {
    /// The least.
    pub(crate) least: u32,
    /// The most.
    pub(crate) most: u32,
}

impl Read for CountRange {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        let help = "write a number, such as 6, or a range in quotes, such as \"5-8\"";
        if matches!(node.value, Value::Integer(_)) {
            return u32::read(node, errors).map(|count| Self { least: count, most: count });
        }
        let (least, most) = range(node, "a number or a range of numbers", help, errors)?;
        Some(Self { least, most })
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        json!({ "anyOf": [{ "type": "integer", "minimum": 0, "maximum": u32::MAX }, RangeText::schema()] })
    }
}

/// A number of bytes: `"16KB"`. `KB` is a thousand of them and `KiB` 1,024.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct ByteSize(pub(crate) u64);

impl Read for ByteSize {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        let units = [("B", 1), ("KB", 1000), ("KiB", 1024), ("MB", 1_000_000), ("MiB", 1_048_576)];
        let help = "write a number and a unit: B, KB, KiB, MB or MiB, such as \"16KB\"";
        with_unit(node, &units, "a size", help, errors).map(Self)
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        json!({ "type": "string", "pattern": "^[0-9]+(B|KB|KiB|MB|MiB)$" })
    }
}

/// A rate in bits a second: `"150kbit"`, or `"650B"` where bytes are meant.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct BitRate(pub(crate) u64);

impl Read for BitRate {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        let units = [("bit", 1), ("kbit", 1000), ("Mbit", 1_000_000), ("B", 8), ("KB", 8000), ("MB", 8_000_000)];
        let help = "write a number and what it counts in a second: bit, kbit, Mbit, B, KB or MB, such as \"150kbit\"";
        let rate = with_unit(node, &units, "a rate", help, errors)?;
        if rate == 0 {
            errors.push(Diagnostic::new(DiagnosticKind::BadValue, &node.at, "nothing passes at this rate").help(help));
            return None;
        }
        Some(Self(rate))
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        json!({ "type": "string", "pattern": "^[0-9]+(bit|kbit|Mbit|B|KB|MB)$" })
    }
}

/// Bytes in hexadecimal: `"57 41"`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct HexBytes(pub(crate) Vec<u8>);

impl Read for HexBytes {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        let text = String::read(node, errors)?;
        let digits: Option<Vec<u8>> = text
            .chars()
            .filter(|each| *each != ' ')
            .map(|each| each.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect();
        match digits {
            Some(digits) if !digits.is_empty() && digits.len() % 2 == 0 => {
                Some(Self(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()))
            }
            _ => {
                let message = format!("`{text}` are not bytes in hexadecimal");
                let help = "write two digits for each byte, such as \"57 41\"";
                errors.push(Diagnostic::new(DiagnosticKind::BadValue, &node.at, message).help(help));
                None
            }
        }
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        json!({ "type": "string", "pattern": "^ *[0-9a-fA-F]{2}( *[0-9a-fA-F]{2})* *$" })
    }
}

/// `20`, or `{ min = 1001, max = 1400 }`, both ends included.
#[derive(Clone, Debug)]
pub(crate) struct Between {
    /// The least.
    pub(crate) least: u16,
    /// The most.
    pub(crate) most: u16,
    at: Location,
}

table! {
    /// A number between two others, both included.
    Limits {
        /// The least.
        "min" => min: u16 = 0,
        /// The most.
        "max" => max: u16 = u16::MAX,
    }
}

impl Located for Between {
    fn at(&self) -> &Location {
        &self.at
    }
}

impl Read for Between {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        let (least, most) = match node.value {
            Value::Integer(_) => u16::read(node, errors).map(|number| (number, number))?,
            Value::Table(_) => Limits::read(node, errors).map(|limits| (limits.min, limits.max))?,
            _ => return wrong_type(node, "a number or a table such as { min = 1001 }", errors),
        };
        if least > most {
            let message = format!("nothing lies between {least} and {most}");
            errors.push(Diagnostic::new(DiagnosticKind::BadValue, &node.at, message));
        }
        Some(Self { least, most, at: node.at.clone() })
    }

    fn schema(definitions: &mut Definitions) -> serde_json::Value {
        json!({ "anyOf": [u16::schema(definitions), Limits::schema(definitions)] })
    }
}

/// `{ min = 3.4, max = 4.6 }`, both ends included: what is measured in a payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MeasureLimits {
    /// The least.
    pub(crate) least: f64,
    /// The most.
    pub(crate) most: f64,
}

table! {
    /// A number between two others, both included, of which either may be left out.
    RealLimits {
        /// The least.
        "min" => min: Option<Real>,
        /// The most.
        "max" => max: Option<Real>,
    }
}

/// A number with or without a fraction, not negative.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Real(f64);

impl Read for Real {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        let number = match node.value {
            Value::Float(number) => number,
            Value::Integer(_) => f64::from(u32::read(node, errors)?),
            _ => return wrong_type(node, "a number", errors),
        };
        if number.is_finite() && number >= 0.0 {
            return Some(Self(number));
        }
        errors.push(Diagnostic::new(DiagnosticKind::BadValue, &node.at, format!("{number} is less than nothing")));
        None
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        json!({ "type": "number", "minimum": 0 })
    }
}

impl Read for MeasureLimits {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        let limits = RealLimits::read(node, errors)?;
        let least = limits.min.map_or(0.0, |least| least.0);
        let most = limits.max.map_or(f64::INFINITY, |most| most.0);
        if least > most || (limits.min.is_none() && limits.max.is_none()) {
            let message = "these are no limits";
            let help = "write the least, the most or both: `{ min = 3.4, max = 4.6 }`";
            errors.push(Diagnostic::new(DiagnosticKind::BadValue, &node.at, message).help(help));
        }
        Some(Self { least, most })
    }

    fn schema(definitions: &mut Definitions) -> serde_json::Value {
        RealLimits::schema(definitions)
    }
}

/// A part of the day: `"16:00-24:00"`, `"22:00-06:00"`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct TimeOfDay {
    /// The first minute.
    pub(crate) from: u16,
    /// The minute before which it ends.
    pub(crate) until: u16,
}

impl Read for TimeOfDay {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        let Value::String(text) = &node.value else {
            return wrong_type(node, "a part of the day such as \"16:00-24:00\"", errors);
        };
        let minute = |text: &str| {
            let (hours, minutes) =
                text.split_once(':').filter(|(hours, minutes)| hours.len() == 2 && minutes.len() == 2)?;
            let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
            (minutes < 60 && hours * 60 + minutes <= 24 * 60).then_some(hours * 60 + minutes)
        };
        let ends = text.split_once('-').and_then(|(from, until)| Some((minute(from)?, minute(until)?)));
        if let Some((from, until)) = ends
            && from != until
            && from < 24 * 60
        {
            return Some(Self { from, until });
        }
        let message = format!("`{text}` is no part of the day");
        let help = "write two times with two digits each, such as \"16:00-24:00\" or \"22:00-06:00\"";
        errors.push(Diagnostic::new(DiagnosticKind::BadValue, &node.at, message).help(help));
        None
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        json!({ "type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$" })
    }
}

/// A number that is added, and may be less than nothing: `77`, `-1460`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Offset(pub(crate) i64);

impl Read for Offset {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        let Value::Integer(number) = node.value else { return wrong_type(node, "a whole number", errors) };
        // Sequence numbers have 32 bits.
        let offset = number.filter(|number| i32::try_from(*number).is_ok() || u32::try_from(*number).is_ok());
        if offset.is_none() {
            let message = "a sequence number is never further away than 32 bits say";
            errors.push(Diagnostic::new(DiagnosticKind::BadValue, &node.at, message));
        }
        offset.map(Self)
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        json!({ "type": "integer", "minimum": i32::MIN, "maximum": u32::MAX })
    }

    fn written(&self) -> Option<serde_json::Value> {
        Some(json!(self.0))
    }
}

/// A number in a header of a packet that is injected: `58`, `"copy"`, `"cycle:40-100"`, `"random"`, `"random:48-255"`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum HeaderNumber {
    /// Always this one.
    Fixed(u16),
    /// That of the packet that matched.
    Copy,
    /// One after the other.
    Cycle(u16, u16),
    /// Any of these; `None`: any that makes sense.
    Random(Option<(u16, u16)>),
}

impl Read for HeaderNumber {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        let what = "a number of a header";
        let help = "write a number, such as 58, or \"copy\", \"cycle:40-100\", \"random\" or \"random:48-255\"";
        let text = match &node.value {
            Value::Integer(_) => return u16::read(node, errors).map(Self::Fixed),
            Value::String(text) => text,
            _ => return wrong_type(node, what, errors),
        };
        let ends = |ends: &str| {
            let (first, last) = ends.split_once('-')?;
            let ends: (u16, u16) = (first.parse().ok()?, last.parse().ok()?);
            (ends.0 <= ends.1).then_some(ends)
        };
        let read = match text.split_once(':') {
            None if text == "copy" => Some(Self::Copy),
            None if text == "random" => Some(Self::Random(None)),
            Some(("cycle", range)) => ends(range).map(|(first, last)| Self::Cycle(first, last)),
            Some(("random", range)) => ends(range).map(|ends| Self::Random(Some(ends))),
            _ => None,
        };
        if read.is_none() {
            let message = format!("`{text}` is not {what}");
            errors.push(Diagnostic::new(DiagnosticKind::BadValue, &node.at, message).help(help));
        }
        read
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        let words = json!({ "type": "string", "pattern": "^(copy|random|(cycle|random):[0-9]+-[0-9]+)$" });
        json!({ "anyOf": [{ "type": "integer", "minimum": 0, "maximum": u16::MAX }, words] })
    }
}

/// `"64KB"`, or what passes in so much time: `"2s"`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SizeOrTime {
    Size(u64),
    Time(Duration),
}

impl Read for SizeOrTime {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        let is_size = matches!(&node.value, Value::String(text) if text.ends_with('B'));
        if is_size {
            return ByteSize::read(node, errors).map(|size| Self::Size(size.0));
        }
        let mut mistakes = Collector::default();
        let time = Duration::read(node, &mut mistakes);
        if time.is_none() {
            let message = "expected a size such as \"64KB\" or a duration such as \"2s\"";
            errors.push(Diagnostic::new(DiagnosticKind::BadValue, &node.at, message));
        }
        time.map(Self::Time)
    }

    fn schema(definitions: &mut Definitions) -> serde_json::Value {
        json!({ "anyOf": [ByteSize::schema(definitions), Duration::schema(definitions)] })
    }
}

struct RangeText;

impl RangeText {
    fn schema() -> serde_json::Value {
        json!({ "type": "string", "pattern": "^[0-9]+-[0-9]+$" })
    }
}

/// Reads `"first-last"`.
fn range<T: Copy + Ord + std::str::FromStr>(
    node: &Node,
    what: &str,
    help: &str,
    errors: &mut Collector,
) -> Option<(T, T)> {
    let Value::String(text) = &node.value else { return wrong_type(node, what, errors) };
    let number = |text: &str| text.bytes().all(|each| each.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    let ends = text.split_once('-').and_then(|(first, last)| Some((number(first)?, number(last)?)));
    if let Some((first, last)) = ends
        && first <= last
    {
        return Some((first, last));
    }
    let message = format!("`{text}` is not {what}");
    errors.push(Diagnostic::new(DiagnosticKind::BadValue, &node.at, message).help(help));
    None
}

/// Reads a whole number with one of these units.
fn with_unit(node: &Node, units: &[(&str, u64)], what: &str, help: &str, errors: &mut Collector) -> Option<u64> {
    let Value::String(text) = &node.value else {
        return wrong_type(node, &format!("{what} in quotes"), errors);
    };
    let number = text.trim_end_matches(|each: char| each.is_ascii_alphabetic());
    let unit = units.iter().find(|(unit, _)| *unit == &text[number.len()..]).map(|(_, factor)| *factor);
    let plain = !number.is_empty() && number.bytes().all(|each| each.is_ascii_digit());
    let value = unit.filter(|_| plain).and_then(|factor| number.parse::<u64>().ok()?.checked_mul(factor));
    // Far above any line, and far below what a clock's arithmetic can hold.
    let value = value.filter(|value| *value <= 1 << 50);
    if value.is_none() {
        let message = format!("`{text}` is not {what}");
        errors.push(Diagnostic::new(DiagnosticKind::BadValue, &node.at, message).help(help));
    }
    value
}
