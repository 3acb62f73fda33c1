//! Readers of single values.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde_json::{Value as Json, json};

use super::{Definitions, Read, wrong_type};
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::source::Spanned;
use crate::tree::{Node, Value};

impl Read for String {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        match &node.value {
            Value::String(text) => Some(text.clone()),
            _ => wrong_type(node, "a string", errors),
        }
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({ "type": "string" })
    }

    fn written(&self) -> Option<Json> {
        Some(json!(self))
    }
}

impl Read for bool {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        match node.value {
            Value::Boolean(boolean) => Some(boolean),
            _ => wrong_type(node, "true or false", errors),
        }
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({ "type": "boolean" })
    }

    fn written(&self) -> Option<Json> {
        Some(json!(self))
    }
}

/// A probability.
impl Read for f64 {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        #[expect(clippy::cast_precision_loss, reason = "only 0 and 1 are kept")]
        let number = match node.value {
            Value::Float(number) => number,
            Value::Integer(Some(number)) => number as Self,
            _ => return wrong_type(node, "a number from 0 to 1", errors),
        };
        if (0.0..=1.0).contains(&number) {
            return Some(number);
        }
        bad_value(node, format!("{number} is not a number from 0 to 1"), errors)
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({ "type": "number", "minimum": 0, "maximum": 1 })
    }
}

macro_rules! whole_numbers {
    ($($type:ty),*) => { $(
        impl Read for $type {
            fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
                let Value::Integer(number) = node.value else {
                    return wrong_type(node, "a whole number", errors);
                };
                match number.and_then(|number| Self::try_from(number).ok()) {
                    Some(number) => Some(number),
                    None => bad_value(node, format!("the number must lie between 0 and {}", Self::MAX), errors),
                }
            }

            fn schema(_: &mut Definitions) -> Json {
                json!({ "type": "integer", "minimum": 0, "maximum": Self::MAX })
            }

            fn written(&self) -> Option<Json> {
                Some(json!(self))
            }
        }
    )* };
}

whole_numbers!(u8, u16, u32);

impl Read for Duration {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        let Value::String(text) = &node.value else {
            return wrong_type(node, "a duration such as \"2ms\", \"75s\" or \"10min\"", errors);
        };
        let duration = duration(text);
        if duration.is_none() {
            let message = format!("`{text}` is not a duration");
            let help = "write a number and a unit: us, ms, s, min or h, such as \"2ms\", \"75s\" or \"1.5s\"";
            errors.push(Diagnostic::new(DiagnosticKind::BadValue, &node.at, message).help(help));
        }
        duration
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({ "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?(us|ms|s|min|h)$" })
    }

    fn written(&self) -> Option<Json> {
        let (seconds, microseconds) = (self.as_secs(), self.subsec_micros());
        Some(json!(match microseconds {
            0 => format!("{seconds}s"),
            whole if whole % 1000 == 0 => format!("{}ms", self.as_millis()),
            _ => format!("{}us", self.as_micros()),
        }))
    }
}

impl Read for IpAddr {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        parsed(node, DiagnosticKind::BadAddress, "an address", "write it as \"192.0.2.1\" or \"2001:db8::1\"", errors)
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({ "type": "string" })
    }
}

impl Read for SocketAddr {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        parsed(node, DiagnosticKind::BadAddress, "an address and a port", "write it as \"127.0.0.1:1080\"", errors)
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({ "type": "string" })
    }
}

impl Read for Ipv4Net {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        parsed(node, DiagnosticKind::BadPrefix, "an IPv4 prefix", "write it as \"192.0.2.0/24\"", errors)
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({ "type": "string" })
    }
}

impl Read for Ipv6Net {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        parsed(node, DiagnosticKind::BadPrefix, "an IPv6 prefix", "write it as \"2001:db8::/32\"", errors)
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({ "type": "string" })
    }
}

impl Read for IpNet {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        parsed(node, DiagnosticKind::BadPrefix, "a prefix", "write it as \"192.0.2.0/24\" or \"2001:db8::/32\"", errors)
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({ "type": "string" })
    }
}

/// A day, as `YYYY-MM-DD`, so that comparing texts compares days.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Date(pub(crate) String);

impl Read for Date {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        match &node.value {
            Value::Date(Some(day)) => Some(Self(day.clone())),
            _ => wrong_type(node, "a date such as 2026-02-11, without quotes", errors),
        }
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({ "type": "string", "format": "date" })
    }
}

impl<T: Read> Read for Spanned<T> {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        T::read(node, errors).map(|value| Self { value, at: node.at.clone() })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        T::schema(definitions)
    }

    fn written(&self) -> Option<Json> {
        self.value.written()
    }
}

impl<T: Read> Read for Box<T> {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        T::read(node, errors).map(Self::new)
    }

    fn schema(definitions: &mut Definitions) -> Json {
        T::schema(definitions)
    }

    fn written(&self) -> Option<Json> {
        (**self).written()
    }
}

/// Any value, for a reader that knows its type only later.
impl Read for Node {
    fn read(node: &Node, _: &mut Collector) -> Option<Self> {
        Some(node.clone())
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({})
    }
}

/// A duration as the language writes it: a number and a unit, as `90s`, `1.5s` or `10min`.
pub fn duration(text: &str) -> Option<Duration> {
    let number = text.trim_end_matches(|each: char| each.is_ascii_alphabetic());
    let seconds = match &text[number.len()..] {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3_600.0,
        _ => return None,
    };
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|each| each.is_ascii_digit());
    if !number.split_once('.').map_or_else(|| plain(number), |(whole, rest)| plain(whole) && plain(rest)) {
        return None;
    }
    let total = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?;
    // A year is longer than any punishment that was ever measured, and far below what a clock's arithmetic can hold.
    Some(total).filter(|total| *total <= Duration::from_secs(365 * 24 * 3_600))
}

fn parsed<T: std::str::FromStr>(
    node: &Node,
    kind: DiagnosticKind,
    what: &str,
    help: &str,
    errors: &mut Collector,
) -> Option<T> {
    let Value::String(text) = &node.value else {
        return wrong_type(node, &format!("{what} in quotes"), errors);
    };
    let value = text.parse().ok();
    if value.is_none() {
        errors.push(Diagnostic::new(kind, &node.at, format!("`{text}` is not {what}")).help(help));
    }
    value
}

fn bad_value<T>(node: &Node, message: String, errors: &mut Collector) -> Option<T> {
    errors.push(Diagnostic::new(DiagnosticKind::BadValue, &node.at, message));
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_plain_number_and_a_unit() {
        assert_eq!(duration("2ms"), Some(Duration::from_millis(2)));
        assert_eq!(duration("1.5s"), Some(Duration::from_millis(1500)));
        assert_eq!(duration("10min"), Some(Duration::from_secs(600)));
        for bad in ["", "s", "2", "2 s", "-1s", "1e3s", "infs", "99999999h", "1.s", "é"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }
}
