//! A value, or the name of a parameter that holds it.

use serde_json::{Value as Json, json};

use crate::diagnostic::Collector;
use crate::read::{Definitions, Read};
use crate::source::Text;
use crate::tree::{Node, Value};

/// `"$sni-1"`, or what could stand in its place.
#[derive(Clone, Debug)]
pub(crate) enum Argument<T> {
    /// The parameter's name, without the sign.
    Parameter(Text),
    /// The value itself.
    Literal(T),
}

impl<T: Read> Read for Argument<T> {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        if let Value::String(text) = &node.value
            && let Some(name) = text.strip_prefix('$')
        {
            return Some(Self::Parameter(Text { value: name.to_owned(), at: node.at.clone() }));
        }
        T::read(node, errors).map(Self::Literal)
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({ "anyOf": [{ "type": "string", "pattern": "^\\$" }, T::schema(definitions)] })
    }

    fn written(&self) -> Option<Json> {
        match self {
            Self::Parameter(name) => Some(json!(format!("${}", name.value))),
            Self::Literal(value) => value.written(),
        }
    }
}
