//! Packet bytes: views that read them, and functions that make and change them.
//!
//! A view borrows; it copies nothing and allocates nothing. Whatever bytes arrive, `parse` returns `None` or a view none
//! of whose accessors panics.

pub mod build;
pub mod checksum;
pub mod dns;
pub mod fragment;
pub mod icmp;
pub mod ip;
pub mod rewrite;
pub mod tcp;
pub mod udp;

/// The big-endian number at this place, if the bytes reach so far.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|chunk| u16::from_be_bytes(*chunk))
}
