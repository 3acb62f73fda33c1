//! Where bytes are cut: `5`, or `[5, 20]`.

use serde_json::json;

use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::read::{Definitions, OneOrMany, Read};
use crate::tree::Node;

/// Offsets from the beginning, each greater than the one before. Empty where nothing is cut.
#[derive(Clone, Debug)]
pub(crate) struct Cuts(pub(crate) Vec<u16>);

impl Read for Cuts {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        let OneOrMany(offsets) = OneOrMany::<u16>::read(node, errors)?;
        if offsets.len() <= MOST && offsets.first() != Some(&0) && offsets.is_sorted_by(|one, next| one < next) {
            return Some(Self(offsets));
        }
        let message = "these are not places where bytes can be cut";
        let help = "write byte offsets from the beginning, each greater than the one before: `5`, or `[5, 20]`";
        errors.push(Diagnostic::new(DiagnosticKind::BadValue, &node.at, message).help(help));
        None
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        let offset = json!({ "type": "integer", "minimum": 1, "maximum": u16::MAX });
        json!({ "anyOf": [offset, { "type": "array", "items": offset, "maxItems": MOST }] })
    }
}

/// A `ClientHello` cut into single bytes is no evasion that anybody published, and this many segments fill a window.
const MOST: usize = 64;
