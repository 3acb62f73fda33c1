//! When a command is ready: `"tcp:443"`, `"udp:51820"`, `"log:listening"`; that of a tool's client also `"tcp:127.0.0.1:1080"`.

use std::net::SocketAddr;

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

/// The same for a command at a client's own addresses, of which one may be named.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct LocalReadiness {
    /// When it is ready.
    pub(crate) ready: Readiness,
    /// Where it listens then, if that was said.
    pub(crate) at: Option<SocketAddr>,
}

impl Read for LocalReadiness {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        let text = String::read(node, errors)?;
        let ready = local_readiness(&text);
        if ready.is_none() {
            let message = format!("`{text}` does not say when something is ready");
            let help = "write \"tcp:127.0.0.1:1080\", \"tcp:1080\" or \"udp:5353\", where something listens then, or \
                        \"log:TEXT\", what its log holds then";
            errors.push(Diagnostic::new(DiagnosticKind::BadValue, &node.at, message).help(help));
        }
        ready
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        json!({ "type": "string", "pattern": "^((tcp|udp):[^ ]+|log:.+)$" })
    }
}

fn local_readiness(text: &str) -> Option<LocalReadiness> {
    let at_address = || {
        let (word, address) = text.split_once(':').filter(|(word, _)| *word != "log")?;
        let at: SocketAddr = address.parse().ok()?;
        let ready = readiness(&format!("{word}:{}", at.port()))?;
        Some(LocalReadiness { ready, at: Some(at) })
    };
    readiness(text).map(|ready| LocalReadiness { ready, at: None }).or_else(at_address)
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

    #[test]
    fn a_client_may_name_the_address_too() {
        let at = |text: &str| local_readiness(text).map(|each| (each.ready, each.at.map(|at| at.to_string())));
        assert_eq!(at("tcp:1080"), Some((Readiness::Tcp(1080), None)));
        assert_eq!(at("tcp:127.0.0.1:1080"), Some((Readiness::Tcp(1080), Some("127.0.0.1:1080".to_owned()))));
        assert_eq!(at("udp:[::1]:53"), Some((Readiness::Udp(53), Some("[::1]:53".to_owned()))));
        assert_eq!(at("log:127.0.0.1:1080"), Some((Readiness::Log("127.0.0.1:1080".to_owned()), None)));
        for wrong in ["tcp:localhost:1080", "tcp:127.0.0.1", "tcp:127.0.0.1:0", "http:127.0.0.1:80"] {
            assert_eq!(at(wrong), None, "{wrong}");
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
