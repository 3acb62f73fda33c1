//! A tool: what people get round censors with, and how it is run.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::Value as Json;

use crate::declare::{FileKind, LocalReadiness};
use crate::diagnostic::Collector;
use crate::model::{Readiness, ThroughWord};
use crate::read::{Definitions, Dictionary, OneOrMany, Read, table, words};
use crate::source::{Spanned, Text};
use crate::tree::{Node, Value};

table! {
    /// A tool: its servers abroad, its client at a vantage, and how it is looked at whether it gets through.
    ///
    /// Each command is one for a shell. It runs in a folder of its own with a copy of all that lies beside the tool file and
    /// below; servers and client of a cell share it. In commands `{dir}` is that folder, `{server}` the address of the server
    /// (`{server.NAME}` where there are several), `{proxy}` the client's proxy as curl's `--proxy` takes it, and, in `check`
    /// alone, `{target}` a page that the phase blocks. `{{` is a brace.
    ToolFile {
        /// `"tool"`, which may be left out.
        "kind" => _kind: Option<Spanned<FileKind>>,
        /// What tables call it. Where not said, the folder's name for a file that is called `tool.toml`, else the file's.
        "name" => name: Option<Text>,
        /// One line for people.
        "about" => about: Option<String>,
        /// The command that prints its version, as `"sing-box version"`; the first line is kept.
        "version" => version: Option<Text>,
        /// The programs that must be installed. Where one is not, the tool is `untried`.
        "programs" => programs: Vec<Text> = Vec::new(),
        /// Its server abroad, or several by their names, as `[server.NAME]`.
        "server" => servers: Option<ServersDeclaration>,
        /// Its client at the vantage.
        "client" => client: Option<ToolClientDeclaration>,
        /// How traffic gets into it: by a SOCKS proxy that resolves names itself (`"socks5"`), by an HTTP proxy (`"http"`), by
        /// routes that its client lays (`"tunnel"`), or not at all (`"none"`), because its client changes what others send or
        /// because `check` is the tool. `"socks5"` where there is a client and `"none"` where there is not.
        "through" => through: Option<Spanned<ThroughWord>>,
        /// `"default"`, which is what a user feels: bytes each way, new connections, a page, a name, a long connection. Or a
        /// command at the vantage: exit status 0 means that it works, 127 that it is not installed.
        "check" => check: Option<Text>,
        /// How long a command of `check` may take, on the wall's clock.
        "check-within" => check_within: Duration = Duration::from_secs(30),
        /// Why it is not run at all: where it cannot be had, or needs a network of its own.
        "untried" => untried: Option<Text>,
    }
}

table! {
    /// A server of the tool's, on a machine of its own abroad. It runs as root from the beginning to the end, in the foreground.
    ToolServerDeclaration {
        /// The command.
        "run" => run: Text,
        /// The machine's public address, or one of each family.
        "at" => at_address: OneOrMany<Spanned<IpAddr>>,
        /// When it is ready: `"tcp:443"` or `"udp:51820"`, when something listens at that port; `"log:listening"`, when its
        /// log holds that text. At once where not said.
        "ready" => ready: Option<Readiness>,
        /// How long that may take, on the wall's clock.
        "ready-within" => ready_within: Duration = Duration::from_secs(10),
        /// Prefixes that lie behind it, as the inner addresses of a VPN.
        "behind" => behind: OneOrMany<IpNet> = OneOrMany(Vec::new()),
    }
}

table! {
    /// The tool's client, beside whoever uses it.
    ToolClientDeclaration {
        /// The command, in the foreground.
        "run" => run: Text,
        /// When it is ready: `"tcp:127.0.0.1:1080"` or `"udp:5353"`, when something listens there; `"log:connected"`, when its
        /// log holds that text, which is also a sign that it has reached its server. At once where not said.
        "ready" => ready: Option<Spanned<LocalReadiness>>,
        /// How long that may take, on the wall's clock.
        "ready-within" => ready_within: Duration = Duration::from_secs(10),
        /// Whether it is root with all rights over the vantage, as what opens tun devices or reads packets must be.
        "root" => root: bool = false,
        /// Where its proxy listens; where not said, what `ready` waits for, else 127.0.0.1:1080.
        "proxy" => proxy: Option<Spanned<std::net::SocketAddr>>,
    }
}

words! {
    /// How traffic gets into a tool.
    ThroughWord {
        "socks5" => Self::Socks5,
        "http" => Self::Http,
        "tunnel" => Self::Tunnel,
        "none" => Self::Nothing,
    }
}

/// One server, or several by their names.
#[derive(Clone, Debug)]
pub(crate) enum ServersDeclaration {
    One(Box<ToolServerDeclaration>),
    Many(Dictionary<ToolServerDeclaration>),
}

impl Read for ServersDeclaration {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        // A server has no key whose value is a table.
        let holds_tables = |entries: &[crate::tree::Entry]| {
            !entries.is_empty() && entries.iter().all(|entry| matches!(entry.node.value, Value::Table(_)))
        };
        match &node.value {
            Value::Table(entries) if holds_tables(entries) => Dictionary::read(node, errors).map(Self::Many),
            _ => ToolServerDeclaration::read(node, errors).map(|server| Self::One(Box::new(server))),
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let (one, many) =
            (ToolServerDeclaration::schema(definitions), Dictionary::<ToolServerDeclaration>::schema(definitions));
        serde_json::json!({ "anyOf": [one, many] })
    }
}
