//! What exists on the internet: `services/*.toml`.

use std::net::IpAddr;

use crate::declare::FileKind;
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::model::{Listener, Protocol};
use crate::read::{Definitions, Needed, Read, table};
use crate::source::{Spanned, Text};
use crate::tree::Node;

table! {
    /// A service: hosts at their real, public addresses, and what a person would open there.
    ServiceFile {
        /// `"service"`.
        "kind" => _kind: Spanned<FileKind>,
        /// Its place in the library, as `services/whatsapp`.
        "id" => id: Needed<Text>,
        /// One line for people.
        "title" => title: Needed<String>,
        /// Other services that come with it.
        "use" => uses: Vec<Text> = Vec::new(),
        /// The machines.
        "host" => hosts: Vec<HostDeclaration> = Vec::new(),
        /// What a person would open, measured by `roadblock run`.
        "target" => targets: Vec<TargetDeclaration> = Vec::new(),
    }
}

table! {
    /// A machine, or many that act as one: all its addresses answer to all its names.
    HostDeclaration {
        /// The names that resolve to it; the first is its default certificate's.
        "names" => names: Vec<Text>,
        /// Where it lives.
        "addresses" => addresses: Vec<Spanned<IpAddr>>,
        /// What it listens on: `"http"`, `"https"` and `"dns"`, each at its own port or at another as `"https:8443"`.
        /// HTTP and HTTPS where not said.
        "listen" => listen: Option<Vec<ListenDeclaration>>,
        /// What its pages say; the service's title where not said.
        "page" => page: Option<PageDeclaration>,
    }
}

table! {
    /// What a host's pages say.
    PageDeclaration {
        /// The `<title>`.
        "title" => title: String,
        /// A sentence or two.
        "text" => text: String = String::new(),
    }
}

table! {
    /// What a person would open.
    TargetDeclaration {
        /// What the table's row says.
        "title" => title: String,
        /// `http://` or `https://`, a name of the lab, a path.
        "url" => url: Text,
    }
}

/// A listening port as the file writes it: `"https"` or `"https:8443"`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListenDeclaration(pub(crate) Listener);

impl Read for ListenDeclaration {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        let text = String::read(node, errors)?;
        let (word, port) = text.split_once(':').map_or((text.as_str(), None), |(word, port)| (word, Some(port)));
        let known = match word {
            "http" => Some((Protocol::Http, 80)),
            "https" => Some((Protocol::Https, 443)),
            "dns" => Some((Protocol::Dns, 53)),
            _ => None,
        };
        let listener = known.and_then(|(protocol, usual)| {
            let port = port.map_or(Some(usual), |port| port.parse().ok().filter(|port| *port != 0))?;
            Some(Self(Listener { port, protocol }))
        });
        if listener.is_none() {
            let message = format!("`{text}` is not something to listen on");
            let help = "write \"http\", \"https\" or \"dns\", with another port as \"https:8443\"";
            errors.push(Diagnostic::new(DiagnosticKind::BadValue, &node.at, message).help(help));
        }
        listener
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        serde_json::json!({ "type": "string", "pattern": "^(http|https|dns)(:[0-9]+)?$" })
    }
}
