//! A tree as TOML again.

use std::fmt::Write;

use super::{Entry, Node, Value};

/// A value on one line.
pub(crate) fn inline(node: &Node) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_inline(&mut text, node);
    text
}

fn write_inline(text: &mut String, node: &Node) -> std::fmt::Result {
    match &node.value {
        Value::String(value) => text.write_str(&quoted(value)),
        Value::Integer(Some(number)) => write!(text, "{number}"),
        Value::Integer(None) => text.write_str("nan"),
        Value::Float(number) => write!(text, "{number:?}"),
        Value::Boolean(boolean) => write!(text, "{boolean}"),
        Value::Date(day) => text.write_str(day.as_deref().unwrap_or("nan")),
        Value::Array(nodes) => {
            text.write_char('[')?;
            for (index, each) in nodes.iter().enumerate() {
                text.write_str(if index == 0 { "" } else { ", " })?;
                write_inline(text, each)?;
            }
            text.write_char(']')
        }
        Value::Table(entries) if entries.is_empty() => text.write_str("{}"),
        Value::Table(entries) => {
            text.write_str("{ ")?;
            for (index, Entry { key, node }) in entries.iter().enumerate() {
                text.write_str(if index == 0 { "" } else { ", " })?;
                write!(text, "{} = ", self::key(key))?;
                write_inline(text, node)?;
            }
            text.write_str(" }")
        }
    }
}

/// A key, in quotes where it needs them.
pub(crate) fn key(key: &str) -> String {
    let is_bare = |each: char| each.is_ascii_alphanumeric() || each == '-' || each == '_';
    if !key.is_empty() && key.chars().all(is_bare) { key.to_owned() } else { quoted(key) }
}

/// A text as TOML's basic string, whatever is in it.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for each in text.chars() {
        match each {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
