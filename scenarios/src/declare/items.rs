//! Names, prefixes, addresses, keywords and fingerprints: one, several, or what is in some lists and not in others.

use serde_json::{Value as Json, json};

use crate::diagnostic::Collector;
use crate::read::{Definitions, OneOrMany, Read, table};
use crate::source::Text;
use crate::tree::{Node, Value};

/// Items as they are written, lists by their names.
#[derive(Clone, Debug)]
pub(crate) struct Items {
    /// What is meant.
    pub(crate) union: Vec<Text>,
    /// What of it is not meant.
    pub(crate) except: Vec<Text>,
}

table! {
    /// What is in some lists and not in others.
    Composition {
        /// Items and lists that are put together.
        "union" => union: OneOrMany<Text>,
        /// Items and lists that are left out.
        "except" => except: OneOrMany<Text> = OneOrMany(Vec::new()),
    }
}

impl Read for Items {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        match &node.value {
            Value::Table(_) => {
                let composition = Composition::read(node, errors)?;
                Some(Self { union: composition.union.0, except: composition.except.0 })
            }
            _ => OneOrMany::read(node, errors).map(|OneOrMany(union)| Self { union, except: Vec::new() }),
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        definitions.define("Items", |definitions| {
            let text = |description| json!({ "type": "string", "description": description });
            json!({
                "description": "Items: one, an array of them, or a union of lists.",
                "anyOf": [
                    text("One item; `@lists/x` stands for all of a list of the library, and `@./x.txt` for all of a file beside \
                          this one: one item a line, `#` begins a comment."),
                    { "type": "array", "items": { "type": "string" }, "description": "Several, and lists among them." },
                    Composition::schema(definitions),
                ],
            })
        })
    }
}
