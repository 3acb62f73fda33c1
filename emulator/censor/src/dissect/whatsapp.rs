//! The first bytes of `WhatsApp`'s chat protocol, which is not TLS.
//!
//! A header of four bytes, `WA` and two numbers, then the Noise handshake. Before it there may be routing information:
//! `ED`, 0, 1, a length of three bytes and as many bytes.

use super::begins;

/// Whether a stream's first bytes are those of the chat protocol; `None` while they could become so. Nothing else begins as
/// the routing information does, so what follows it, which may come in a segment of its own, is not waited for.
pub fn is_chat(stream: &[u8]) -> Option<bool> {
    match begins(stream, EDGE_ROUTING) {
        Some(false) => is_header(stream),
        answer => answer,
    }
}

/// `WA`, then the version and the number of the token dictionary: 6 and 3 today, 5 and 2 before.
fn is_header(bytes: &[u8]) -> Option<bool> {
    if begins(bytes, b"WA")? {
        let (version, dictionary) = (bytes.get(2)?, bytes.get(3)?);
        return Some((1..16).contains(version) && *dictionary < 16);
    }
    Some(false)
}

const EDGE_ROUTING: &[u8] = b"ED\x00\x01";

#[cfg(test)]
mod tests {
    use super::*;

    /// RU-WA-1, section 5b of the facts: `57 41 06 03`, and the older `57 41 05 02`, with and without routing information.
    #[test]
    fn ru_wa_1_headers() {
        for header in [&b"WA\x06\x03"[..], b"WA\x05\x02"] {
            let routed = [b"ED\x00\x01\x00\x00\x05route", header, &[0, 1, 2]].concat();
            for stream in [&[header, &[0, 0, 0x24, 0x12]].concat(), header, &routed, &routed[..4]] {
                assert_eq!(is_chat(stream), Some(true), "{stream:?}");
            }
            for len in 0..4 {
                assert_eq!(is_chat(&routed[..len]), None, "routing information cut at {len}");
                assert_eq!(is_chat(&header[..len]), None, "header cut at {len}");
            }
        }
    }

    /// TLS, HTTP and words that begin alike are not it.
    #[test]
    fn others_are_not_it() {
        for stream in [&b"\x16\x03\x01\x02\x00"[..], b"GET / ", b"WAIT", b"WB", b"EDIT", b"ED\x00\x02"] {
            assert_eq!(is_chat(stream), Some(false), "{stream:?}");
        }
    }
}
