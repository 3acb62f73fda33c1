//! `WhatsApp`'s native chat server (facts.md section 5b), on TCP 443 and 5222.
//!
//! What a client must know:
//! - **First bytes.** Perhaps the edge routing preamble `ED` 00 01, a 3-byte big-endian length and so many bytes of
//!   routing information; then the header `57 41 06 03` (`WA`, version, dictionary; older versions are taken too).
//! - **Framing.** Everything after it, in both directions, is a 3-byte big-endian length and so many bytes. The server
//!   sends no header.
//! - **Handshake.** `Noise_XX_25519_AESGCM_SHA256` or, for a client that has the server's static key,
//!   `Noise_IK_25519_AESGCM_SHA256` (in which case its `clientHello` has a static key and a payload). The prologue is the
//!   header's four bytes, never the preamble. The parts of a Noise message are fields of a protobuf `HandshakeMessage`
//!   (`message.rs`).
//! - **Payloads.** The server's is a stand-in for the real certificate chain, `roadblock stand-in for a certificate`: the
//!   real one is signed with a key of `WhatsApp`'s, so no real client can accept the lab's. The client's may be anything.
//! - **Afterwards** each frame is one Noise transport message. A message that arrived comes back as a receipt, `ack:` and
//!   the plaintext, so that a client knows that it went through.
//! - **Keys.** The server's static key follows from the first name of its host: [`chat_key`].
//!
//! Two departures. The real protocol does not mix the empty payload of the first XX message into the handshake hash,
//! which Noise asks for (section 7.2, `WriteMessage`); the lab speaks Noise as it is specified, so that any Noise library
//! is a client, and no observer can see the difference. And the real server answers an IK attempt with a wrong static key
//! with `XXfallback`; the lab ends the connection, because the Noise library used here does not have that pattern.

pub(super) mod frame;
mod message;
mod session;

use ring::digest::{SHA256, digest};

pub(super) use session::serve;

/// The private key of the chat server whose host's first name this is. The lab invents it, so it is the same in every lab
/// and protects nothing; its public half is what an IK client needs.
pub fn chat_key(name: &str) -> [u8; 32] {
    let seed = format!("roadblock whatsapp-chat {}", name.to_ascii_lowercase());
    let mut key = [0; 32];
    key.copy_from_slice(digest(&SHA256, seed.as_bytes()).as_ref());
    key
}

/// The public half of [`chat_key`].
pub fn chat_public_key(name: &str) -> [u8; 32] {
    let private = boringtun::x25519::StaticSecret::from(chat_key(name));
    boringtun::x25519::PublicKey::from(&private).to_bytes()
}
