//! `MTProto`'s transports over TCP, as far as a censor can see them.
//!
//! Abridged, intermediate and padded intermediate announce themselves in the first bytes. The obfuscated transport, which
//! clients use today, begins with 64 bytes that are made to look random and to avoid these beginnings: it cannot be seen
//! here, only suspected by its lack of structure. The full transport begins with a length and has no mark of its own.

use super::begins;

/// Whether a stream's first bytes announce a plain transport; `None` while they could.
pub fn is_plain_transport(stream: &[u8]) -> Option<bool> {
    // Abridged: the mark, then the length of the packet in words, one byte if it is less than 127.
    if begins(stream, &[0xef])? {
        let length = *stream.get(1)?;
        return Some(length <= 0x7f && length != 0);
    }
    for mark in [INTERMEDIATE, PADDED_INTERMEDIATE] {
        match begins(stream, &mark) {
            Some(false) => {}
            answer => return answer,
        }
    }
    Some(false)
}

const INTERMEDIATE: [u8; 4] = [0xee; 4];
const PADDED_INTERMEDIATE: [u8; 4] = [0xdd; 4];

#[cfg(test)]
mod tests {
    use super::*;

    /// The marks of core.telegram.org/mtproto/mtproto-transports; `req_pq` is 40 bytes, ten words.
    #[test]
    fn published_marks() {
        for (stream, expected) in [
            (&[0xef, 10, 0, 0][..], Some(true)),
            (&[0xef, 0x7f, 0, 1, 0], Some(true)),
            (&[0xef, 0x80], Some(false)),
            (&[0xef], None),
            (&[0xee, 0xee, 0xee, 0xee, 40, 0, 0, 0], Some(true)),
            (&[0xee, 0xee], None),
            (&[0xdd, 0xdd, 0xdd, 0xdd], Some(true)),
            (&[0xee, 0xee, 0xee, 0xef], Some(false)),
            (b"POST /api", Some(false)),
            (&[], None),
        ] {
            assert_eq!(is_plain_transport(stream), expected, "{stream:?}");
        }
    }

    /// The obfuscated transport's first byte is never `ef` and its first word never one of the marks, so it is not seen.
    #[test]
    fn obfuscated_is_not_seen() {
        let stream: Vec<u8> = (0..64u8).map(|byte| byte.wrapping_mul(167).wrapping_add(29)).collect();
        assert_eq!(is_plain_transport(&stream), Some(false));
    }
}
