//! `OpenVPN` behind a veil that changes each byte in the same way, told by how many different first bytes there are
//! (FP-OVPN-2; Xue et al., USENIX Security 2022, section 6.1).
//!
//! A scramble by XOR turns each opcode into another value, but different ones stay different: a session still shows as many
//! of them, and those of the two resets, which come first, are not used again after the handshake.

use core::ops::RangeInclusive;

/// What makes the opcodes of a flow look like `OpenVPN`'s.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OpcodeRule {
    /// How many packets are looked at, of both ends together.
    pub packets: u16,
    /// How many different opcodes there are among them.
    pub different: RangeInclusive<u8>,
}

impl Default for OpcodeRule {
    fn default() -> Self {
        Self { packets: 100, different: 4..=10 }
    }
}

/// The opcodes of a flow's packets so far.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct OpcodeCount {
    /// A bit for each of the 32 values.
    seen: u32,
    /// The same, when the first of an end's packets came: what its reset is taken for.
    resets: u32,
    has_spoken: [bool; 2],
    is_reset_reused: bool,
    packets: u16,
}

/// So many opcodes are no longer of a handshake: after them a reset's is not used again.
const OPCODES_OF_A_HANDSHAKE: u32 = 4;

impl OpcodeCount {
    /// Adds a packet by its first byte: a datagram's, or the third of a TCP stream's packet, behind its length.
    pub fn add(&mut self, from_client: bool, first_byte: u8) {
        let bit = 1 << (first_byte >> 3);
        self.packets = self.packets.saturating_add(1);
        if self.seen.count_ones() >= OPCODES_OF_A_HANDSHAKE && self.resets & bit != 0 {
            self.is_reset_reused = true;
        }
        self.seen |= bit;
        let has_spoken = &mut self.has_spoken[usize::from(from_client)];
        if !*has_spoken {
            *has_spoken = true;
            self.resets |= bit;
        }
    }

    /// How many packets were added.
    pub fn packets(&self) -> u16 {
        self.packets
    }

    /// Whether they look like `OpenVPN`'s; `None` while it cannot be told.
    pub fn look_like_openvpn(&self, rule: &OpcodeRule) -> Option<bool> {
        let different = self.seen.count_ones();
        if self.is_reset_reused || different > u32::from(*rule.different.end()) {
            return Some(false);
        }
        if self.packets < rule.packets {
            return None;
        }
        Some(self.has_spoken == [true; 2] && different >= u32::from(*rule.different.start()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::session;
    use super::*;

    fn count(packets: impl Iterator<Item = (bool, u8)>) -> Option<bool> {
        let mut count = OpcodeCount::default();
        for (from_client, byte) in packets.take(100) {
            count.add(from_client, byte);
        }
        count.look_like_openvpn(&OpcodeRule::default())
    }

    fn real() -> impl Iterator<Item = (bool, u8)> + Clone {
        session::packets().map(|packet| (packet.from_client, packet.first_byte))
    }

    /// FP-OVPN-2: what `OpenVPN` sent, as it is and scrambled with every byte there is.
    #[test]
    fn fp_ovpn_2_sees_through_xor() {
        for veil in 0..=255 {
            assert_eq!(count(real().map(|(from, byte)| (from, byte ^ veil))), Some(true), "scrambled with {veil:#x}");
        }
        assert_eq!(count(real().take(99)), None, "a packet is missing");
    }

    /// FP-OVPN-2: the bounds, four and ten, and a reset's opcode that is used again.
    #[test]
    fn fp_ovpn_2_bounds() {
        let with = |different: u8| {
            let rest = (0..98).map(move |at| (at % 2 == 0, (2 + at % (different - 2)) << 3));
            count([(true, 0), (false, 1 << 3)].into_iter().chain(rest))
        };
        assert_eq!([3, 4, 10, 11].map(with), [Some(false), Some(true), Some(true), Some(false)]);
        for reused in [0x38, 0x40] {
            assert_eq!(count(real().take(90).chain([(true, reused)])), Some(false), "{reused:#x} again");
        }
        let mut bytes = 1u8;
        let random = core::iter::from_fn(|| {
            bytes = bytes.wrapping_mul(197).wrapping_add(91);
            Some((bytes.is_multiple_of(2), bytes))
        });
        assert_eq!(count(random), Some(false), "random bytes");
        assert_eq!(count(real().map(|(_, byte)| (true, byte))), Some(false), "one end alone");
    }
}
