//! `MTProto` inside what looks like TLS 1.3: a `ClientHello` and a `ServerHello` as they should be, then records of application
//! data that hold something else (RU-MSG-1).
//!
//! A censor cannot see what is inside, but where a handshake ends it can count: the first record that a client of TLS 1.3
//! protects is its Finished, and that has one of two lengths. Who only imitates the handshake has nothing to finish.

use super::tls::{Record, RecordVersion, Records, content};

/// What a client sends behind its `ClientHello`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AfterHello {
    /// Application data whose first record is as long as a Finished.
    Finished,
    /// Application data whose first record is not: the handshake is imitated, or it has more to say, as with a certificate
    /// of the client.
    Data,
    /// Other records: TLS 1.2, another `ClientHello` after a retry, an alert, or no TLS.
    Other,
}

/// Reads what a client sent behind its `ClientHello`; `None` while it cannot be told. The change of cipher that TLS 1.3 sends
/// for old middleboxes is passed over (RFC 8446, appendix D.4).
pub fn after_hello(stream: &[u8]) -> Option<AfterHello> {
    let mut records = Records::new(stream, RecordVersion::default());
    loop {
        let (header, is_whole) = match records.next_of(&[content::CHANGE_CIPHER_SPEC, content::APPLICATION_DATA]) {
            Record::Whole { header, .. } => (header, true),
            Record::Cut { header: Some(header), .. } => (header, false),
            Record::Cut { header: None, .. } => return None,
            Record::Other => return Some(AfterHello::Other),
        };
        if header.content == content::APPLICATION_DATA {
            let is_finished = FINISHED_LENGTHS.contains(&header.length);
            return Some(if is_finished { AfterHello::Finished } else { AfterHello::Data });
        }
        if !is_whole {
            return None;
        }
    }
}

/// A header of four bytes, a hash of SHA-256 or SHA-384, the type and the tag (RFC 8446 sections 4.4.4 and 5.2).
const FINISHED_LENGTHS: [usize; 2] = [4 + 32 + 1 + 16, 4 + 48 + 1 + 16];

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGE: &[u8] = &[20, 3, 3, 0, 1, 1];

    fn with_data(length: u8) -> Vec<u8> {
        [CHANGE, &[23, 3, 3, 0, length], &vec![7; usize::from(length)]].concat()
    }

    /// RU-MSG-1: what an `MTProto` client sends first, 64 bytes and a packet, is longer than a Finished.
    #[test]
    fn ru_msg_1_data_where_a_finished_should_be() {
        for (length, expected) in [
            (52, AfterHello::Data),
            (53, AfterHello::Finished),
            (54, AfterHello::Data),
            (69, AfterHello::Finished),
            (129, AfterHello::Data),
        ] {
            let stream = with_data(length);
            assert_eq!(after_hello(&stream), Some(expected), "{length}");
            for len in 0..11 {
                assert_eq!(after_hello(&stream[..len]), None, "cut at {len}");
            }
            assert_eq!(after_hello(&stream[..11]), Some(expected), "the header says it");
        }
        for other in [&[22, 3, 3, 0, 70][..], &[21, 3, 3, 0, 2], b"GET "] {
            assert_eq!(after_hello(&[CHANGE, other].concat()), Some(AfterHello::Other));
        }
    }
}
