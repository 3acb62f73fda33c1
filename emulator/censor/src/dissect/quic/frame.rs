//! The frames of an Initial (RFC 9000 section 17.2.2) that carry its handshake.

use super::header::variable;
use crate::dissect::tls::Reader;

/// A piece of the handshake (RFC 9000 section 19.6).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CryptoFrame<'a> {
    /// Where in the stream of the handshake it lies.
    pub offset: u64,
    /// Its bytes.
    pub data: &'a [u8],
}

/// The CRYPTO frames among an Initial's frames, as far as these are what an Initial may hold.
pub fn crypto_frames(frames: &[u8]) -> impl Iterator<Item = CryptoFrame<'_>> {
    let mut rest = Reader::new(frames);
    core::iter::from_fn(move || {
        while !rest.is_empty() {
            match variable(&mut rest)? {
                PADDING | PING => {}
                kind @ (ACK | ACK_ECN) => skip_ack(&mut rest, kind)?,
                CRYPTO => {
                    let offset = variable(&mut rest)?;
                    let len = variable(&mut rest)?;
                    return Some(CryptoFrame { offset, data: rest.take(usize::try_from(len).ok()?)? });
                }
                _ => break, // CONNECTION_CLOSE, or nothing that belongs here.
            }
        }
        rest = Reader::new(&[]);
        None
    })
}

const PADDING: u64 = 0x00;
const PING: u64 = 0x01;
const ACK: u64 = 0x02;
const ACK_ECN: u64 = 0x03;
const CRYPTO: u64 = 0x06;

/// Passes the fields of an ACK frame (RFC 9000 section 19.3).
fn skip_ack(rest: &mut Reader<'_>, kind: u64) -> Option<()> {
    let (_largest, _delay) = (variable(rest)?, variable(rest)?);
    let ranges = variable(rest)?;
    variable(rest)?; // The first range.
    // Each further range takes bytes, so that a number that lies ends soon.
    for _ in 0..ranges {
        let (_gap, _len) = (variable(rest)?, variable(rest)?);
    }
    if kind == ACK_ECN {
        for _ in 0..3 {
            variable(rest)?;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Padding, pings and acknowledgements are passed; what does not belong into an Initial ends it.
    #[test]
    fn frames_between() {
        let frames = [
            &[0, 1, 0][..],
            &[6, 0, 2, b'a', b'b'],
            &[2, 5, 0, 1, 0, 1, 1],
            &[3, 5, 0, 0, 0, 1, 2, 3],
            &[6, 0x40, 2, 1, b'c'],
            &[0x1c, 0, 0, 0],
            &[6, 3, 1, b'd'],
        ]
        .concat();
        let read: Vec<_> = crypto_frames(&frames).map(|frame| (frame.offset, frame.data)).collect();
        assert_eq!(read, [(0, &b"ab"[..]), (2, b"c")]);
    }

    /// A frame that is longer than what there is is none, and an acknowledgement of endless ranges ends with the bytes.
    #[test]
    fn lengths_that_lie() {
        assert_eq!(crypto_frames(&[6, 0, 3, b'a', b'b']).count(), 0);
        assert_eq!(crypto_frames(&[2, 5, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]).count(), 0);
    }
}
