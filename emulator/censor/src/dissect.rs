//! What a censor can tell of the protocols that a flow speaks, beside DNS.
//!
//! Each file knows one protocol, reads bytes and keeps nothing. Of a stream's first bytes it says `Some(true)`,
//! `Some(false)`, or `None` while more bytes could make it either. No function panics, whatever bytes arrive.

pub mod dtls;
pub mod fake_tls;
pub mod fully_encrypted;
pub mod http;
pub mod mtproto;
pub mod openvpn;
pub mod quic;
pub mod socks;
pub mod ssh;
pub mod statistics;
pub mod stun;
pub mod tls;
pub mod tor;
pub mod whatsapp;
pub mod wireguard;

/// Whether a stream begins with these bytes, as far as can be seen.
fn begins(stream: &[u8], with: &[u8]) -> Option<bool> {
    let common = stream.len().min(with.len());
    if stream[..common] != with[..common] {
        return Some(false);
    }
    (common == with.len()).then_some(true)
}
