//! The TCP transports of `MTProto` (<https://core.telegram.org/mtproto/mtproto-transports>): how long a payload is.

/// How payloads are delimited.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Framing {
    /// A length in words of 4 bytes, in one byte or, after `7f`, in three.
    Abridged,
    /// A length in bytes, in four.
    Intermediate,
    /// The same, with up to 15 bytes of padding behind the payload.
    Padded,
}

/// A length that no client of the lab needs.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("take a payload of more than {LONGEST} bytes")]
pub(super) struct TooLong;

impl Framing {
    /// The framing that obfuscated2 names by this tag.
    pub(super) const fn of_tag(tag: [u8; 4]) -> Option<Self> {
        match tag {
            [0xef, 0xef, 0xef, 0xef] => Some(Self::Abridged),
            [0xee, 0xee, 0xee, 0xee] => Some(Self::Intermediate),
            [0xdd, 0xdd, 0xdd, 0xdd] => Some(Self::Padded),
            _ => None,
        }
    }

    /// Takes the first payload from the bytes that came so far, once it is there as a whole.
    pub(super) fn take(self, bytes: &mut Vec<u8>) -> Result<Option<Vec<u8>>, TooLong> {
        let Some((start, length)) = self.extent(bytes) else { return Ok(None) };
        if length > LONGEST {
            return Err(TooLong);
        }
        if bytes.len() < start + length {
            return Ok(None);
        }
        let rest = bytes.split_off(start + length);
        let mut payload = std::mem::replace(bytes, rest);
        payload.drain(..start);
        Ok(Some(payload))
    }

    /// A payload and its length. `padding`, of at most 15 bytes, goes behind it where the framing has padding.
    pub(super) fn wrap(self, payload: &[u8], padding: &[u8]) -> Vec<u8> {
        match self {
            Self::Abridged => {
                let words = (payload.len() / 4) as u32;
                let [low, middle, high, _] = words.to_le_bytes();
                let length = if words < 0x7f { vec![low] } else { vec![0x7f, low, middle, high] };
                [length.as_slice(), payload].concat()
            }
            Self::Intermediate => [&(payload.len() as u32).to_le_bytes(), payload].concat(),
            Self::Padded => {
                let length = (payload.len() + padding.len()) as u32;
                [&length.to_le_bytes(), payload, padding].concat()
            }
        }
    }

    /// Where the payload begins and how long it is; the highest bit asks for a quick acknowledgement and is no length.
    fn extent(self, bytes: &[u8]) -> Option<(usize, usize)> {
        match (self, bytes) {
            (Self::Abridged, [0x7f | 0xff, low, middle, high, ..]) => {
                Some((4, number([*low, *middle, *high, 0]).saturating_mul(4)))
            }
            (Self::Abridged, [0x7f | 0xff, ..] | []) => None,
            (Self::Abridged, [words, ..]) => Some((1, usize::from(words & 0x7f) * 4)),
            (Self::Intermediate | Self::Padded, [a, b, c, d, ..]) => Some((4, number([*a, *b, *c, d & 0x7f]))),
            (Self::Intermediate | Self::Padded, _) => None,
        }
    }
}

fn number(bytes: [u8; 4]) -> usize {
    usize::try_from(u32::from_le_bytes(bytes)).unwrap_or(usize::MAX)
}

const LONGEST: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Framing; 3] = [Framing::Abridged, Framing::Intermediate, Framing::Padded];

    #[test]
    fn lengths_are_as_documented() {
        assert_eq!(Framing::Abridged.wrap(&[7; 8], &[]), [2, 7, 7, 7, 7, 7, 7, 7, 7]);
        assert_eq!(Framing::Abridged.wrap(&[0; 508], &[])[..4], [0x7f, 0x7f, 0, 0]);
        assert_eq!(Framing::Intermediate.wrap(&[7; 4], &[]), [4, 0, 0, 0, 7, 7, 7, 7]);
        assert_eq!(Framing::Padded.wrap(&[7; 4], &[9]), [5, 0, 0, 0, 7, 7, 7, 7, 9]);
        assert_eq!(Framing::Intermediate.take(&mut vec![0xff, 0xff, 0xff, 0x7f]), Err(TooLong));
    }

    #[test]
    fn a_quick_acknowledgement_is_no_length() {
        assert_eq!(Framing::Abridged.take(&mut vec![0x81, 1, 2, 3, 4]), Ok(Some(vec![1, 2, 3, 4])));
        assert_eq!(Framing::Intermediate.take(&mut vec![1, 0, 0, 0x80, 5]), Ok(Some(vec![5])));
    }

    proptest! {
        #[test]
        fn a_payload_comes_out_as_it_went_in_however_it_is_cut(
            words in prop::collection::vec(any::<[u8; 4]>(), 0..300),
            cut in any::<prop::sample::Index>(),
        ) {
            for framing in ALL {
                let payload = words.concat();
                let wire = framing.wrap(&payload, &[]);
                let cut = cut.index(wire.len());
                let mut arrived = wire[..cut].to_vec();
                prop_assert_eq!(framing.take(&mut arrived), Ok(None));
                arrived.extend_from_slice(&wire[cut..]);
                arrived.push(42);
                prop_assert_eq!(framing.take(&mut arrived), Ok(Some(payload)));
                prop_assert_eq!(arrived, [42]);
            }
        }

        #[test]
        fn any_bytes_are_a_payload_or_not(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            for framing in ALL {
                let _ = framing.take(&mut bytes.clone());
            }
        }
    }
}
