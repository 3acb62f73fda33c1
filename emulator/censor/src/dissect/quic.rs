//! What a censor reads of QUIC (RFC 9000): long headers, which are in the clear, and the client's Initials, whose protection
//! (RFC 9001 section 5.2) keeps nothing from who knows the version: its keys come from a field of the packet.

pub use assembly::{Assembly, JoinCrypto, MAX_CRYPTO_LEN, Options};
pub use frame::{CryptoFrame, crypto_frames};
pub use header::{Kind, LongHeader, Packet, packets};
pub use protection::{ClientKeys, Version};

mod assembly;
mod frame;
mod header;
mod protection;
