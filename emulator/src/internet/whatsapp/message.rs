//! The protobuf messages that carry the handshake.
//!
//! `HandshakeMessage` has three fields that are messages: `clientHello` = 2, `serverHello` = 3, `clientFinish` = 4. The
//! hellos have bytes `ephemeral` = 1, `static` = 2, `payload` = 3; `clientFinish` has `static` = 1, `payload` = 2. Unknown
//! fields are passed over, as protobuf wants.

/// What one of the three messages carries.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Parts {
    /// An ephemeral key in the clear; empty in a `clientFinish`.
    pub(super) ephemeral: Vec<u8>,
    /// A static key, encrypted.
    pub(super) static_key: Vec<u8>,
    /// The payload, encrypted.
    pub(super) payload: Vec<u8>,
}

/// One step of the handshake.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum HandshakeMessage {
    /// The client's first.
    ClientHello(Parts),
    /// The server's answer.
    ServerHello(Parts),
    /// The client's second.
    ClientFinish(Parts),
}

impl Parts {
    /// The Noise message: its tokens in their order, then the payload.
    pub(super) fn noise_message(&self) -> Vec<u8> {
        [self.ephemeral.as_slice(), &self.static_key, &self.payload].concat()
    }
}

impl HandshakeMessage {
    /// The message in these bytes.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut found = None;
        for field in Fields(bytes) {
            let (number, content) = field?;
            found = match number {
                CLIENT_HELLO => Some(Self::ClientHello(hello(content)?)),
                SERVER_HELLO => Some(Self::ServerHello(hello(content)?)),
                CLIENT_FINISH => Some(Self::ClientFinish(finish(content)?)),
                _ => continue,
            };
        }
        found
    }

    /// The message as bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let (number, content) = match self {
            Self::ClientHello(parts) => {
                (CLIENT_HELLO, encode_fields([&parts.ephemeral, &parts.static_key, &parts.payload]))
            }
            Self::ServerHello(parts) => {
                (SERVER_HELLO, encode_fields([&parts.ephemeral, &parts.static_key, &parts.payload]))
            }
            Self::ClientFinish(parts) => (CLIENT_FINISH, encode_fields([&parts.static_key, &parts.payload])),
        };
        let mut bytes = Vec::with_capacity(content.len() + 4);
        put_field(&mut bytes, number, &content);
        bytes
    }
}

fn hello(bytes: &[u8]) -> Option<Parts> {
    let mut parts = Parts::default();
    for field in Fields(bytes) {
        match field? {
            (1, content) => parts.ephemeral = content.to_vec(),
            (2, content) => parts.static_key = content.to_vec(),
            (3, content) => parts.payload = content.to_vec(),
            _ => {}
        }
    }
    Some(parts)
}

fn finish(bytes: &[u8]) -> Option<Parts> {
    let mut parts = Parts::default();
    for field in Fields(bytes) {
        match field? {
            (1, content) => parts.static_key = content.to_vec(),
            (2, content) => parts.payload = content.to_vec(),
            _ => {}
        }
    }
    Some(parts)
}

/// Fields numbered from 1; empty ones are left out.
fn encode_fields<const N: usize>(contents: [&Vec<u8>; N]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (number, content) in (1..).zip(contents) {
        if !content.is_empty() {
            put_field(&mut bytes, number, content);
        }
    }
    bytes
}

fn put_field(bytes: &mut Vec<u8>, number: u64, content: &[u8]) {
    put_varint(bytes, number << 3 | LENGTH_DELIMITED);
    put_varint(bytes, content.len() as u64);
    bytes.extend_from_slice(content);
}

fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}

/// The fields of a protobuf message, each with its number and content; of numbers the content is empty, because no field
/// of interest is one. `None` where the bytes are broken, and nothing after that.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u64, &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, &'a [u8])> {
        let key = self.varint()?;
        let content = match key & 7 {
            VARINT => self.varint().map(|_| &[][..]),
            FIXED_64 => self.take(8),
            LENGTH_DELIMITED => {
                let length = self.varint()?;
                self.take(length)
            }
            FIXED_32 => self.take(4),
            _ => None,
        };
        content.map(|content| (key >> 3, content))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, length: u64) -> Option<&'a [u8]> {
        let (content, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(content)
    }
}

const CLIENT_HELLO: u64 = 2;
const SERVER_HELLO: u64 = 3;
const CLIENT_FINISH: u64 = 4;
// Protobuf's wire types.
const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const LENGTH_DELIMITED: u64 = 2;
const FIXED_32: u64 = 5;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_client_hello_is_written_as_protobuf_writes_it() {
        let hello = HandshakeMessage::ClientHello(Parts { ephemeral: vec![7; 32], ..Parts::default() });
        let bytes = [&[0x12, 34, 0x0a, 32][..], &[7; 32]].concat();
        assert_eq!(hello.encode(), bytes);
        assert_eq!(HandshakeMessage::decode(&bytes), Some(hello));
    }

    #[test]
    fn unknown_fields_are_passed_over_and_broken_ones_are_not() {
        let finish =
            HandshakeMessage::ClientFinish(Parts { static_key: vec![1], payload: vec![2], ..Parts::default() });
        let unknown = [&[0x08, 0x96, 0x01, 0x3a, 1, 9, 0x45, 1, 2, 3, 4][..], &finish.encode()].concat();
        assert_eq!(HandshakeMessage::decode(&unknown), Some(finish.clone()));
        let whole = finish.encode();
        for length in 1..whole.len() {
            assert_eq!(HandshakeMessage::decode(&whole[..length]), None, "{length}");
        }
        assert_eq!(HandshakeMessage::decode(&[]), None);
        assert_eq!(HandshakeMessage::decode(&[0x0b]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_message_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = HandshakeMessage::decode(&bytes);
        }

        #[test]
        fn a_message_comes_out_as_it_went_in(
            ephemeral in prop::collection::vec(any::<u8>(), 0..40),
            static_key in prop::collection::vec(any::<u8>(), 0..60),
            payload in prop::collection::vec(any::<u8>(), 0..400),
        ) {
            let parts = Parts { ephemeral, static_key, payload };
            for message in [HandshakeMessage::ClientHello(parts.clone()), HandshakeMessage::ServerHello(parts.clone())] {
                prop_assert_eq!(HandshakeMessage::decode(&message.encode()), Some(message));
            }
            let finish = HandshakeMessage::ClientFinish(Parts { ephemeral: Vec::new(), ..parts });
            prop_assert_eq!(HandshakeMessage::decode(&finish.encode()), Some(finish));
        }
    }
}
