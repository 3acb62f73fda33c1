//! What exists on the internet: `services/*.toml`.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::declare::{FileKind, ListenDeclaration, ProbeDeclaration};
use crate::model::{Certificate, OoniRole};
use crate::read::{Needed, OneOrMany, table, words};
use crate::source::{Spanned, Text};

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
        /// What it listens on, each protocol at its own port, at another as `"https:8443"`, or at several as
        /// `"call-relay:596-599"`. The words are `http`, `https`, `doh`, `h3`, `dns`, `dot`, `whatsapp-chat`, `mtproto`, `stun`,
        /// `call-relay`, `wireguard`, `echo` and `silence`, which answers nothing. Protocols that a client's first bytes tell apart share a port. HTTP and
        /// HTTPS where not said. What listens at its usual port answers at another too, unless something else is there:
        /// `http` at 8080, `https`, `doh` and `h3` at 8443, `dns` at 5353.
        "listen" => listen: Option<Vec<ListenDeclaration>>,
        /// Who signed its certificate; the lab's own authority where not said.
        "certificate" => certificate: Certificate = Certificate::Trusted,
        /// Where its web server speaks WebSocket and sends back what it is sent.
        "websocket" => websocket: Option<WebSocketDeclaration>,
        /// The keys of its tunnel; needed where it listens for `wireguard`.
        "wireguard" => wireguard: Option<WireGuardDeclaration>,
        /// What it is to OONI's probe, beside a web server: `api` where it checks in and hands in measurements, `test-helper`
        /// what measures Web Connectivity's control, `ubuntu-geoip` and `cloudflare-trace` what tells it its address,
        /// `whoami` a name that means the resolver that is asked for it.
        "ooni" => ooni: Option<OoniRole>,
        /// What its pages say; the service's title where not said.
        "page" => page: Option<PageDeclaration>,
        /// What it says at some paths or to some clients instead; the first that matches.
        "answer" => answers: Vec<PageAnswerDeclaration> = Vec::new(),
        /// `true`: its names do not lead to it. It is a proxy or an impostor, to which only somebody who lies about them leads.
        "hidden" => hidden: bool = false,
    }
}

words! {
    /// Who signed a host's certificate. `untrusted`: an authority that no client of the lab trusts, so that each refuses
    /// the host without a censor's doing. `expired` and `wrong-name` are mistakes of the host's own: the lab's authority
    /// signed it, for a time that is over, or for `wrong-name.example`.
    Certificate {
        "trusted" => Self::Trusted,
        "untrusted" => Self::Untrusted,
        "expired" => Self::Expired,
        "wrong-name" => Self::WrongName,
    }
}

words! {
    /// What a host is to OONI's probe.
    OoniRole {
        "api" => Self::Api,
        "test-helper" => Self::TestHelper,
        "ubuntu-geoip" => Self::UbuntuGeoip,
        "cloudflare-trace" => Self::CloudflareTrace,
        "whoami" => Self::Whoami,
    }
}

table! {
    /// Where a web server speaks WebSocket.
    WebSocketDeclaration {
        /// The path, as `/websocket`.
        "path" => path: Text,
        /// The only origin whose pages may connect, as `https://web.max.ru`; any where not said.
        "origin" => origin: Option<String>,
    }
}

table! {
    /// The keys of a `WireGuard` tunnel, as `wg genkey` writes them. They are published: keys of a lab protect nothing.
    WireGuardDeclaration {
        /// The server's private key.
        "private-key" => private_key: Text,
        /// The private key of the one client that the server knows, at as many addresses at once as there are.
        "client-private-key" => client_private_key: Text,
    }
}

table! {
    /// What a host's pages say.
    PageDeclaration {
        /// The `<title>`.
        "title" => title: String,
        /// A sentence or two.
        "text" => text: String = String::new(),
        /// How many bytes the page has, to 16 MB: it is filled up with a comment; as many as it takes where not said.
        "length" => length: Option<u32>,
    }
}

table! {
    /// What a web server says at a path or to a client.
    PageAnswerDeclaration {
        /// At which path, as `/sign-in`; at any where not said.
        "path" => path: Option<String>,
        /// To whom; to everybody where not said.
        "clients" => clients: OneOrMany<IpNet> = OneOrMany(Vec::new()),
        /// The status; 200 where not said.
        "status" => status: Option<Spanned<u16>>,
        /// Where it leads, as its Location field says it.
        "location" => location: Option<String>,
        /// The page; the host's own where not said.
        "page" => page: Option<PageDeclaration>,
    }
}

table! {
    /// What a person would open or use: a page, or an app.
    TargetDeclaration {
        /// What the table's row says.
        "title" => title: String,
        /// A page: `http://` or `https://`, a name of the lab, a path.
        "url" => url: Option<Text>,
        /// Something else, as `"whatsapp"` or `{ call = { host = "…" } }`.
        "probe" => probe: Option<ProbeDeclaration>,
    }
}
