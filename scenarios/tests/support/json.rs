//! A file as JSON, as an editor's language server sees it.

use serde_json::{Value, json};
use toml::de::{DeTable, DeValue};

/// Nothing where it is not TOML, or has numbers that JSON has not.
pub(crate) fn of(text: &str) -> Option<Value> {
    let table = DeTable::parse(text).ok()?;
    table.get_ref().iter().map(|(key, value)| Some((key.get_ref().to_string(), convert(value.get_ref())?))).collect()
}

fn convert(value: &DeValue<'_>) -> Option<Value> {
    Some(match value {
        DeValue::String(text) => json!(text),
        DeValue::Integer(number) => json!(i64::from_str_radix(number.as_str(), number.radix()).ok()?),
        DeValue::Float(number) => json!(number.as_str().parse::<f64>().ok()?),
        DeValue::Boolean(boolean) => json!(boolean),
        DeValue::Datetime(date) => json!(date.to_string()),
        DeValue::Array(array) => array.iter().map(|each| convert(each.get_ref())).collect::<Option<Value>>()?,
        DeValue::Table(table) => table
            .iter()
            .map(|(key, value)| Some((key.get_ref().to_string(), convert(value.get_ref())?)))
            .collect::<Option<Value>>()?,
    })
}
