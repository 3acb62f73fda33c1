//! obfuscated2: a connection that looks random from its first byte on
//! (<https://core.telegram.org/mtproto/mtproto-transports#transport-obfuscation>).
//!
//! The client begins with 64 bytes: 8..40 are the key and 40..56 the IV of AES-256-CTR towards the server, the same 48
//! bytes backwards those towards the client; 56..60, encrypted, name the framing; 60..62, encrypted, the data centre. The
//! 64 bytes themselves are the key stream's first.

use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};

use super::framing::Framing;

/// The two key streams of one connection.
pub(super) struct Obfuscation {
    inbound: Ctr128BE<Aes256>,
    outbound: Ctr128BE<Aes256>,
}

impl Obfuscation {
    /// What the first bytes of a connection agree on; `None` where they name no framing.
    pub(super) fn begin(first: &[u8; LENGTH]) -> Option<(Self, Framing)> {
        let (_, keys) = first.split_first_chunk::<8>()?;
        let (keys, _) = keys.split_first_chunk::<48>()?;
        let mut backwards = *keys;
        backwards.reverse();
        let (mut inbound, outbound) = (stream(keys)?, stream(&backwards)?);
        let mut plain = *first;
        inbound.apply_keystream(&mut plain);
        let framing = Framing::of_tag(*plain.get(56..)?.first_chunk()?)?;
        Some((Self { inbound, outbound }, framing))
    }

    /// Makes what the client sent readable.
    pub(super) fn read(&mut self, bytes: &mut [u8]) {
        self.inbound.apply_keystream(bytes);
    }

    /// Makes what is sent to the client unreadable.
    pub(super) fn write(&mut self, bytes: &mut [u8]) {
        self.outbound.apply_keystream(bytes);
    }
}

fn stream(keys: &[u8; 48]) -> Option<Ctr128BE<Aes256>> {
    let (key, iv) = keys.split_first_chunk::<32>()?;
    Ctr128BE::<Aes256>::new_from_slices(key, iv).ok()
}

/// How many bytes a client begins with.
pub(super) const LENGTH: usize = 64;

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A client's first bytes as the documentation has them made: random, never those of another protocol, the tag
    /// encrypted at its place.
    pub(in crate::internet::mtproto) fn client_begins(random: [u8; LENGTH], tag: [u8; 4]) -> Option<[u8; LENGTH]> {
        const OTHERS: [&[u8; 4]; 7] = [
            b"HEAD",
            b"POST",
            b"GET ",
            b"OPTI",
            &[0x16, 0x03, 0x01, 0x02],
            &[0xdd, 0xdd, 0xdd, 0xdd],
            &[0xee, 0xee, 0xee, 0xee],
        ];
        let other =
            random[0] == 0xef || OTHERS.iter().any(|other| random.starts_with(*other)) || random[4..8] == [0; 4];
        if other {
            return None;
        }
        let mut first = random;
        first[56..60].copy_from_slice(&tag);
        let mut encrypted = first;
        stream(first[8..56].first_chunk().expect("48 bytes")).expect("a stream").apply_keystream(&mut encrypted);
        first[56..].copy_from_slice(&encrypted[56..]);
        Some(first)
    }

    proptest! {
        #[test]
        fn each_framing_is_found_and_both_ways_are_readable(random in any::<[u8; 32]>(), more in any::<[u8; 32]>()) {
            let random: [u8; LENGTH] = [random, more].concat().try_into().expect("64 bytes");
            for (tag, framing) in
                [(0xef, Framing::Abridged), (0xee, Framing::Intermediate), (0xdd, Framing::Padded)]
            {
                let Some(first) = client_begins(random, [tag; 4]) else { return Ok(()) };
                let (mut server, found) = Obfuscation::begin(&first).expect("obfuscated2");
                prop_assert_eq!(found, framing);

                let mut upward = stream(first[8..56].first_chunk().expect("48 bytes")).expect("a stream");
                upward.apply_keystream(&mut [0; LENGTH]);
                let mut message = *b"req_pq";
                upward.apply_keystream(&mut message);
                server.read(&mut message);
                prop_assert_eq!(&message, b"req_pq");

                let mut backwards: [u8; 48] = first[8..56].try_into().expect("48 bytes");
                backwards.reverse();
                let mut answer = *b"resPQ";
                server.write(&mut answer);
                stream(&backwards).expect("a stream").apply_keystream(&mut answer);
                prop_assert_eq!(&answer, b"resPQ");
            }
        }

        #[test]
        fn any_bytes_agree_on_something_or_nothing(one in any::<[u8; 32]>(), other in any::<[u8; 32]>()) {
            let first: [u8; LENGTH] = [one, other].concat().try_into().expect("64 bytes");
            let _ = Obfuscation::begin(&first);
        }
    }
}
