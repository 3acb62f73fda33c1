//! When a machine's command is ready: `"tcp:443"`, `"udp:51820"`, `"log:listening"`.

use serde_json::json;

use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::model::Readiness;
use crate::read::{Definitions, Read};
use crate::tree::Node;

impl Read for Readiness {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        let text = String::read(node, errors)?;
        let ready = readiness(&text);
        if ready.is_none() {
            let message = format!("`{text}` does not say when something is ready");
            let help = "write \"tcp:443\" or \"udp:51820\", a port where something listens then, or \"log:TEXT\", what its \
                        log holds then";
            errors.push(Diagnostic::new(DiagnosticKind::BadValue, &node.at, message).help(help));
        }
        ready
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        json!({ "type": "string", "pattern": "^((tcp|udp):[0-9]+|log:.+)$" })
    }
}

fn readiness(text: &str) -> Option<Readiness> {
    let (word, what) = text.split_once(':')?;
    let port = || what.parse::<u16>().ok().filter(|port| *port != 0);
    match word {
        "tcp" => port().map(Readiness::Tcp),
        "udp" => port().map(Readiness::Udp),
        "log" if !what.is_empty() => Some(Readiness::Log(what.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_port_or_a_text_is_waited_for() {
        assert_eq!(readiness("tcp:443"), Some(Readiness::Tcp(443)));
        assert_eq!(readiness("udp:51820"), Some(Readiness::Udp(51820)));
        assert_eq!(readiness("log:Listening: now"), Some(Readiness::Log("Listening: now".to_owned())));
        for wrong in ["", "tcp", "tcp:", "tcp:0", "tcp:65536", "log:", "http:80", "443"] {
            assert_eq!(readiness(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_alike(text in "(tcp|udp|log):[0-9a-z:]{1,8}") {
            if let Some(ready) = readiness(&text) {
                prop_assert_eq!(readiness(&ready.to_string()), Some(ready));
            }
        }
    }
}
