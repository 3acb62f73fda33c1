//! What a host listens on: `"https"`, `"https:8443"`, `"call-relay:596-599"`.

use serde_json::json;

use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::model::{Listener, Protocol};
use crate::read::{Definitions, Read};
use crate::suggest;
use crate::tree::Node;

/// A protocol and its ports as the file writes them. Never empty.
#[derive(Clone, Debug)]
pub(crate) struct ListenDeclaration(pub(crate) Vec<Listener>);

impl Read for ListenDeclaration {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        let text = String::read(node, errors)?;
        let (word, ports) = text.split_once(':').map_or((text.as_str(), None), |(word, ports)| (word, Some(ports)));
        let Some(protocol) = Protocol::from_word(word) else {
            let message = format!("`{word}` is not something to listen for");
            let words = Protocol::ALL.map(Protocol::word);
            let help = suggest::help("there is", word, words);
            errors.push(Diagnostic::new(DiagnosticKind::BadValue, &node.at, message).help(help));
            return None;
        };
        let ports = ports.map_or_else(|| Some((protocol.usual_port(), protocol.usual_port())), port_range);
        let Some((first, last)) = ports else {
            let message = format!("`{text}` has no port that can be listened at");
            let help = format!("write \"{word}:8443\" or \"{word}:596-599\", at most {MOST_PORTS} ports in a range");
            errors.push(Diagnostic::new(DiagnosticKind::BadValue, &node.at, message).help(help));
            return None;
        };
        Some(Self((first..=last).map(|port| Listener { port, protocol }).collect()))
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        let words = Protocol::ALL.map(Protocol::word).join("|");
        json!({ "type": "string", "pattern": format!("^({words})(:[0-9]+(-[0-9]+)?)?$") })
    }
}

/// The first and the last port of `443` or `596-599`.
fn port_range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last): (u16, u16) = (first.parse().ok()?, last.parse().ok()?);
    (first != 0 && first <= last && last - first < MOST_PORTS).then_some((first, last))
}

/// Each port of each address is a socket.
const MOST_PORTS: u16 = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::port_range;

    #[test]
    fn a_range_has_both_ends_and_is_bounded() {
        assert_eq!(port_range("1400"), Some((1400, 1400)));
        assert_eq!(port_range("596-599"), Some((596, 599)));
        for wrong in ["", "0", "-", "599-596", "1-65", "65536", "1-2-3", "0-3", " 1"] {
            assert_eq!(port_range(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_range_or_none(text in "[0-9-]{0,12}") {
            if let Some((first, last)) = port_range(&text) {
                prop_assert!(first != 0 && first <= last);
            }
        }
    }
}
