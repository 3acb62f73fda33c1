//! What a host says besides its names: ports that can be told apart, a tunnel's keys, a WebSocket's path.

use data_encoding::BASE64;

use crate::declare::{HostDeclaration, WebSocketDeclaration};
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::model::{Listener, Protocol, WebSocket, WireGuardKeys};
use crate::read::Located;
use crate::source::Text;

/// One port can speak several protocols only where they are told apart.
pub(super) fn check_ports(listen: &[Listener], host: &HostDeclaration, errors: &mut Collector) {
    for (number, one) in listen.iter().enumerate() {
        for other in listen.iter().take(number).filter(|other| other.port == one.port) {
            if one.protocol == other.protocol || one.protocol.shares_port_with(other.protocol) {
                continue;
            }
            let (first, second) = (other.protocol.word(), one.protocol.word());
            let message = format!("port {} cannot speak both `{first}` and `{second}`", one.port);
            let help = "a client's first bytes do not tell them apart; move one of them to another port";
            errors.push(Diagnostic::new(DiagnosticKind::AddressClash, host.at(), message).help(help));
        }
    }
}

/// The keys of a host's tunnel, which it has where and only where it listens for one.
pub(super) fn tunnel(listen: &[Listener], host: &HostDeclaration, errors: &mut Collector) -> Option<WireGuardKeys> {
    let listens = listen.iter().any(|each| each.protocol == Protocol::WireGuard);
    match &host.wireguard {
        None if listens => {
            let message = "this host listens for `wireguard` and has no keys";
            let help =
                "add `wireguard = { private-key = \"…\", client-private-key = \"…\" }`; `wg genkey` makes such keys";
            errors.push(Diagnostic::new(DiagnosticKind::MissingKey, host.at(), message).help(help));
            None
        }
        None => None,
        Some(keys) => {
            if !listens {
                let message = "this host has keys for a tunnel and does not listen for `wireguard`";
                let help = "add \"wireguard\" to `listen`";
                errors.push(Diagnostic::new(DiagnosticKind::BadValue, keys.at(), message).help(help));
            }
            let (server, client) = (key(&keys.private_key, errors), key(&keys.client_private_key, errors));
            Some(WireGuardKeys { private_key: server?, client_private_key: client? })
        }
    }
}

/// A key as `wg genkey` writes it.
fn key(text: &Text, errors: &mut Collector) -> Option<[u8; 32]> {
    let bytes = BASE64.decode(text.as_bytes()).ok();
    let key = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    if key.is_none() {
        let message = format!("`{}` is not a key", text.value);
        let help = "write 32 bytes in base64, as `wg genkey` prints them";
        errors.push(Diagnostic::new(DiagnosticKind::BadValue, &text.at, message).help(help));
    }
    key
}

/// Where a host speaks WebSocket.
pub(super) fn websocket(declared: &WebSocketDeclaration, errors: &mut Collector) -> Option<WebSocket> {
    if !declared.path.starts_with('/') {
        let message = format!("`{}` is not a path", declared.path.value);
        let help = "write it as \"/websocket\"";
        errors.push(Diagnostic::new(DiagnosticKind::BadValue, &declared.path.at, message).help(help));
        return None;
    }
    Some(WebSocket { path: declared.path.value.clone(), origin: declared.origin.clone() })
}
