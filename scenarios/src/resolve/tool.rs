//! A tool file becomes a tool.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use super::document;
use crate::bogons;
use crate::declare::{FileKind, ServersDeclaration, ToolClientDeclaration, ToolFile, ToolServerDeclaration};
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::model::{Check, Name, Through, ThroughWord, Tool, ToolClient, ToolServer};
use crate::read::{Located, value};
use crate::source::{Location, SourceFile, Text};
use crate::template::{Known, template};
use crate::tree::{self, Value};

/// Reads and checks a tool file; `name` is what it is called where it does not say.
pub(crate) fn tool(source: &Arc<SourceFile>, name: &str, errors: &mut Collector) -> Option<Tool> {
    let file: ToolFile = document(source, FileKind::Tool, errors)?;
    let mut builder = Builder { file: &file, errors };
    Some(builder.tool(name))
}

/// Whether a text is a tool file: it says so, or it has a tool's keys and none of a scenario's.
pub(crate) fn is_tool(name: &str, text: &str) -> bool {
    let mut mistakes = Collector::default();
    let node = tree::parse(&Arc::new(SourceFile::new(name, text)), &mut mistakes);
    let Value::Table(entries) = &node.value else { return false };
    match value(entries, "kind") {
        Some(kind) => matches!(&kind.value, Value::String(word) if word == FileKind::Tool.word()),
        None => TELLING.iter().any(|key| value(entries, key).is_some()) && value(entries, "id").is_none(),
    }
}

/// Keys of a tool that no other file has.
const TELLING: [&str; 6] = ["server", "client", "through", "check", "programs", "untried"];

struct Builder<'a> {
    file: &'a ToolFile,
    errors: &'a mut Collector,
}

impl Builder<'_> {
    fn tool(&mut self, name: &str) -> Tool {
        let file = self.file;
        let name = self.name(name);
        let servers = self.servers();
        let through = self.through();
        let addresses: Vec<(&str, IpAddr)> =
            servers.iter().filter_map(|(server, _)| Some((&*server.name, server.addresses().next()?))).collect();
        let servers_of = servers.iter().map(|(server, declared)| {
            let own = server.addresses().next();
            let known = Known { servers: &addresses, own, proxy: None, target: false };
            ToolServer { run: template(&declared.run, &known, self.errors), ..server.clone() }
        });
        let servers_of: Vec<ToolServer> = servers_of.collect();
        let proxy = through.proxy();
        let known = Known { servers: &addresses, own: None, proxy: proxy.as_deref(), target: false };
        let client = file.client.as_ref().map(|client| ToolClient {
            run: template(&client.run, &known, self.errors),
            ready: client.ready.as_ref().map(|ready| ready.ready.clone()),
            ready_within: client.ready_within,
            root: client.root,
        });
        let check = match &file.check {
            Some(check) if check.as_str() != DEFAULT => {
                let run = template(check, &Known { target: true, ..known }, self.errors);
                Check::Command { run, within: file.check_within }
            }
            _ => Check::Default,
        };
        for command in file.client.iter().map(|client| &client.run).chain(&file.version).chain(&file.check) {
            self.is_a_command(command);
        }
        Tool {
            name,
            about: file.about.clone(),
            version: file.version.as_ref().map(|version| version.value.clone()),
            programs: file.programs.iter().map(|program| program.value.clone()).collect(),
            servers: servers_of,
            client,
            through,
            check,
            untried: file.untried.as_ref().map(|reason| reason.value.clone()),
        }
    }

    fn name(&mut self, otherwise: &str) -> Name {
        let Some(name) = &self.file.name else { return otherwise.into() };
        self.is_a_name(name, "tool");
        name.as_str().into()
    }

    /// The servers with nothing in `run` yet: commands may name them all.
    fn servers(&mut self) -> Vec<(ToolServer, ToolServerDeclaration)> {
        let mut servers: Vec<(ToolServer, ToolServerDeclaration)> = Vec::new();
        let declared: Vec<(&str, &ToolServerDeclaration)> = match &self.file.servers {
            None => Vec::new(),
            Some(ServersDeclaration::One(server)) => vec![("server", server)],
            Some(ServersDeclaration::Many(many)) => {
                for name in many.keys() {
                    self.is_a_name(name, "server");
                }
                many.entries.iter().map(|(name, server)| (name.as_str(), server)).collect()
            }
        };
        for (name, declared) in declared {
            let server = self.server(name, declared, &servers);
            servers.push((server, declared.clone()));
        }
        servers
    }

    fn server(
        &mut self,
        name: &str,
        declared: &ToolServerDeclaration,
        others: &[(ToolServer, ToolServerDeclaration)],
    ) -> ToolServer {
        self.is_a_command(&declared.run);
        let mut server = ToolServer {
            name: name.into(),
            v4: None,
            v6: None,
            behind: declared.behind.0.clone(),
            run: crate::model::Template::new(Vec::new()),
            location: declared.run.at.clone(),
            ready: declared.ready.clone(),
            ready_within: declared.ready_within,
        };
        if declared.at_address.0.is_empty() {
            self.mistake(declared.at(), "the server has no address", "write `at = \"185.70.40.10\"`");
        }
        for address in &declared.at_address.0 {
            let second = match address.value {
                IpAddr::V4(v4) => server.v4.replace(v4).is_some(),
                IpAddr::V6(v6) => server.v6.replace(v6).is_some(),
            };
            if second {
                self.mistake(&address.at, "a server has one address of each family", "take one of them out");
            }
            if let Some(complaint) = bogons::complaint(address.value) {
                self.errors.push(Diagnostic::new(DiagnosticKind::NotPublic, &address.at, complaint).help(bogons::HELP));
            }
            if others.iter().any(|(other, _)| other.addresses().any(|taken| taken == address.value)) {
                let message = format!("another server is at {} already", address.value);
                let help = "each server has a machine of its own; give it another address";
                self.errors.push(Diagnostic::new(DiagnosticKind::AddressClash, &address.at, message).help(help));
            }
        }
        server
    }

    fn through(&mut self) -> Through {
        let file = self.file;
        let usual = if file.client.is_some() { ThroughWord::Socks5 } else { ThroughWord::Nothing };
        let word = file.through.as_ref().map_or(usual, |through| through.value);
        if let (Some(through), None, true) = (&file.through, &file.client, word != ThroughWord::Nothing) {
            let help = "add `client`, or write `through = \"none\"`";
            self.mistake(&through.at, "nothing gets into a tool that has no client", help);
        }
        let proxy = file.client.as_ref().map_or(PROXY, proxy_of);
        match word {
            ThroughWord::Socks5 => Through::Socks5(proxy),
            ThroughWord::Http => Through::Http(proxy),
            ThroughWord::Tunnel => Through::Tunnel,
            ThroughWord::Nothing => Through::Nothing,
        }
    }

    fn is_a_command(&mut self, command: &Text) {
        if command.trim().is_empty() {
            self.mistake(
                &command.at,
                "there is no command here",
                "write one for a shell, as \"sing-box run -c client.json\"",
            );
        }
    }

    fn is_a_name(&mut self, name: &Text, what: &str) {
        let fits = |each: char| each.is_ascii_lowercase() || each.is_ascii_digit() || ".-".contains(each);
        if name.is_empty() || !name.chars().all(fits) || name.starts_with(['.', '-']) {
            let message = format!("`{}` cannot be a {what}'s name", name.value);
            let help = "use lower-case letters, digits, `-` and `.`";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadName, &name.at, message).help(help));
        }
    }

    fn mistake(&mut self, at: &Location, message: &str, help: &str) {
        self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, at, message).help(help));
    }
}

fn proxy_of(client: &ToolClientDeclaration) -> SocketAddr {
    let said = client.proxy.as_ref().map(|proxy| proxy.value);
    said.or_else(|| client.ready.as_ref().and_then(|ready| ready.value.at)).unwrap_or(PROXY)
}

const DEFAULT: &str = "default";
const PROXY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1080);
