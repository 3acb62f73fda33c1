//! Taking the protection off a client's Initials (RFC 9001 section 5, RFC 9369 section 3.3).

use ring::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey, quic};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};

use super::header::{Kind, Packet};

/// A version whose Initials can be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Version {
    /// RFC 9000.
    V1,
    /// RFC 9369.
    V2,
}

impl Version {
    /// The version of this number, if it is one of these.
    pub fn of(number: u32) -> Option<Self> {
        [Self::V1, Self::V2].into_iter().find(|version| version.number() == number)
    }

    /// As in headers.
    pub fn number(self) -> u32 {
        match self {
            Self::V1 => 1,
            Self::V2 => 0x6b33_43cf,
        }
    }

    fn salt(self) -> &'static [u8; 20] {
        match self {
            Self::V1 => b"\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a",
            Self::V2 => b"\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9",
        }
    }

    /// The labels of key, initialisation vector and header protection.
    fn labels(self) -> [&'static str; 3] {
        match self {
            Self::V1 => ["quic key", "quic iv", "quic hp"],
            Self::V2 => ["quicv2 key", "quicv2 iv", "quicv2 hp"],
        }
    }
}

/// What protects a client's Initials: whoever saw the first of them has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientKeys {
    version: Version,
    key: [u8; 16],
    initial_vector: [u8; 12],
    header_key: [u8; 16],
}

impl ClientKeys {
    /// Derives the keys (RFC 9001 section 5.2) from the destination id of the client's first Initial, or of its first after
    /// a Retry.
    pub fn derive(version: Version, destination: &[u8]) -> Option<Self> {
        let initial = Salt::new(HKDF_SHA256, version.salt()).extract(destination);
        let secret: [u8; 32] = expand_label(&initial, "client in")?;
        let secret = Prk::new_less_safe(HKDF_SHA256, &secret);
        let [key, initial_vector, header_key] = version.labels();
        Some(Self {
            version,
            key: expand_label(&secret, key)?,
            initial_vector: expand_label(&secret, initial_vector)?,
            header_key: expand_label(&secret, header_key)?,
        })
    }

    /// The frames of an Initial; `None` where it is none that these keys protect.
    pub fn open(&self, packet: &Packet<'_>) -> Option<Vec<u8>> {
        let is_ours = packet.header.version == self.version.number();
        let number_at = packet.number_at.filter(|_| is_ours && matches!(packet.header.kind, Kind::Initial { .. }))?;
        let sample = packet.bytes.get(number_at + MAX_NUMBER_LEN..)?.first_chunk::<16>()?;
        let header_key = quic::HeaderProtectionKey::new(&quic::AES_128, &self.header_key).ok()?;
        let [first_mask, number_mask @ ..] = header_key.new_mask(sample).ok()?;

        let mut bytes = packet.bytes.to_vec();
        bytes[0] ^= first_mask & 0x0f;
        let number_len = usize::from(bytes[0] & 0b11) + 1;
        let mut nonce = self.initial_vector;
        let number = &mut bytes[number_at..number_at + number_len];
        for ((byte, mask), place) in number.iter_mut().zip(number_mask).zip(nonce.len() - number_len..) {
            *byte ^= mask;
            nonce[place] ^= *byte; // Initials are few: the number is all there is of the packet number.
        }
        let (header, payload) = bytes.split_at_mut(number_at + number_len);
        let key = LessSafeKey::new(UnboundKey::new(&aead::AES_128_GCM, &self.key).ok()?);
        let frames = key.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(&*header), payload).ok()?;
        Some(frames.to_vec())
    }
}

/// The most bytes of a packet number. The sample lies where the payload would begin if it had so many.
const MAX_NUMBER_LEN: usize = 4;

/// HKDF-Expand-Label of RFC 8446 section 7.1 without a context.
fn expand_label<const LEN: usize>(secret: &Prk, label: &str) -> Option<[u8; LEN]> {
    struct Length(usize);
    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let prefix = b"tls13 ";
    let length = u16::try_from(LEN).ok()?.to_be_bytes();
    let label_len = [u8::try_from(prefix.len() + label.len()).ok()?];
    let info = [&length[..], &label_len, prefix, label.as_bytes(), &[0]];
    let mut key = [0; LEN];
    secret.expand(&info, Length(LEN)).ok()?.fill(&mut key).ok()?;
    Some(key)
}
