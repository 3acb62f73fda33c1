//! The `ClientHello` of DTLS 1.2 and 1.0 (RFC 6347 sections 4.1 and 4.2.2), with which the media of a WebRTC call begin.

use crate::wire::u16_at;

/// Whether a datagram begins with a record that begins a `ClientHello`.
pub fn is_client_hello(datagram: &[u8]) -> bool {
    // Type, version, epoch, sequence number and length; then the handshake message's type.
    let is_record = datagram.first() == Some(&HANDSHAKE)
        && matches!(u16_at(datagram, 1), Some(DTLS_1_0 | DTLS_1_2))
        && u16_at(datagram, 3) == Some(0)
        && u16_at(datagram, 11).is_some_and(|length| usize::from(length) <= datagram.len() - RECORD_HEADER_LEN);
    is_record && datagram.get(RECORD_HEADER_LEN) == Some(&CLIENT_HELLO)
}

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const DTLS_1_0: u16 = 0xfeff;
const DTLS_1_2: u16 = 0xfefd;
const RECORD_HEADER_LEN: usize = 13;

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &[u8] = include_bytes!("../../tests/data/dtls-client-hello.bin");

    /// What OpenSSL sent, and every change of a byte that counts.
    #[test]
    fn reads_a_real_hello() {
        assert!(is_client_hello(HELLO));
        for at in [0, 1, 2, 3, 4, 11, 13] {
            let mut changed = HELLO.to_vec();
            changed[at] ^= 0x10;
            assert!(!is_client_hello(&changed), "byte {at}");
        }
        for len in 0..HELLO.len() {
            assert!(!is_client_hello(&HELLO[..len]), "cut at {len}");
        }
    }
}
