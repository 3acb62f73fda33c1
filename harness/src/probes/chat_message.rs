//! The protobuf messages in which WhatsApp's handshake travels.
//!
//! A `HandshakeMessage` has `clientHello` = 2, `serverHello` = 3 and `clientFinish` = 4. The hellos have `ephemeral` = 1,
//! `static` = 2 and `payload` = 3, the finish has `static` = 1 and `payload` = 2; all are bytes.

/// The first message, with an ephemeral key.
pub(crate) fn client_hello(ephemeral: &[u8]) -> Vec<u8> {
    field(2, &field(1, ephemeral))
}

/// The last message of the client.
pub(crate) fn client_finish(key: &[u8], payload: &[u8]) -> Vec<u8> {
    field(4, &[field(1, key), field(2, payload)].concat())
}

/// The Noise message in a server's hello: ephemeral key, static key and payload in this order.
pub(crate) fn server_hello(bytes: &[u8]) -> Option<Vec<u8>> {
    let hello = find(bytes, 3)?;
    Some([find(hello, 1)?, find(hello, 2)?, find(hello, 3)?].concat())
}

fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | LENGTH_DELIMITED];
    let mut length = content.len();
    while length >= 0x80 {
        bytes.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend_from_slice(content);
    bytes
}

/// The content of a field of bytes; fields of other kinds do not occur in what is read here.
fn find(mut bytes: &[u8], number: u8) -> Option<&[u8]> {
    while let [key, rest @ ..] = bytes {
        let mut length = 0_usize;
        let mut rest = rest;
        for shift in (0..28).step_by(7) {
            let (byte, after) = rest.split_first()?;
            rest = after;
            length |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let (content, after) = rest.split_at_checked(length)?;
        if *key == number << 3 | LENGTH_DELIMITED {
            return Some(content);
        }
        if key & 7 != LENGTH_DELIMITED {
            return None;
        }
        bytes = after;
    }
    None
}

/// Protobuf's wire type of bytes.
const LENGTH_DELIMITED: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_hello_is_written_as_protobuf_writes_it() {
        assert_eq!(client_hello(&[7; 32]), [&[0x12, 34, 0x0a, 32][..], &[7; 32]].concat());
        assert_eq!(client_finish(&[1], &[2; 200])[..4], [0x22, 0xce, 0x01, 0x0a]);
    }

    #[test]
    fn a_server_hello_is_put_together_in_the_order_of_noise() {
        let parts = [field(3, &[3; 200]), field(1, &[1]), field(2, &[2])].concat();
        assert_eq!(server_hello(&field(3, &parts)), Some([&[1, 2][..], &[3; 200]].concat()));
        assert_eq!(server_hello(&field(2, &parts)), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_a_hello_or_none(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..100)) {
            let _ = server_hello(&bytes);
        }
    }
}
