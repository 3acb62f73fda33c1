//! `OpenVPN` in a tunnel that hides its bytes, told by its acknowledgements: packets of one size, many of them while the keys
//! are agreed on and almost none after (FP-OVPN-2; Xue et al., USENIX Security 2022, section 6.2).

use core::ops::RangeInclusive;

/// How many packets of the acknowledgements' size each ten packets hold. The thresholds are recalled, not read again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AckRule {
    /// For the first tens, in order.
    pub first: Vec<RangeInclusive<u8>>,
    /// For each ten after those.
    pub later: RangeInclusive<u8>,
    /// How many packets are looked at; at most 200.
    pub packets: u16,
}

impl Default for AckRule {
    fn default() -> Self {
        Self { first: vec![1..=3, 2..=5, 0..=5, 0..=5, 0..=5], later: 0..=1, packets: 100 }
    }
}

/// The sizes of a flow's packets so far.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct AckCount {
    /// How long an acknowledgement is taken to be: as the first packet of the client after the server spoke.
    length: Option<u16>,
    has_server_spoken: bool,
    bins: [u8; MAX_BINS],
    packets: u16,
}

const BIN: u16 = 10;
const MAX_BINS: usize = 20;

impl AckCount {
    /// Adds a packet with payload.
    pub fn add(&mut self, from_client: bool, length: usize) {
        let length = u16::try_from(length).unwrap_or(u16::MAX);
        self.has_server_spoken |= !from_client;
        if self.length.is_none() && self.has_server_spoken && from_client {
            self.length = Some(length);
        }
        if let Some(bin) = self.bins.get_mut(usize::from(self.packets / BIN)) {
            *bin += u8::from(self.length == Some(length));
        }
        self.packets = self.packets.saturating_add(1);
    }

    /// How many packets were added.
    pub fn packets(&self) -> u16 {
        self.packets
    }

    /// Whether they look like `OpenVPN`'s; `None` while it cannot be told.
    pub fn look_like_openvpn(&self, rule: &AckRule) -> Option<bool> {
        let wanted = rule.packets.min(MAX_BINS as u16 * BIN);
        let ranges = rule.first.iter().chain(core::iter::repeat(&rule.later));
        let bins = usize::from(wanted.div_ceil(BIN));
        for (place, (count, range)) in self.bins.iter().zip(ranges).take(bins).enumerate() {
            let is_full = usize::from(self.packets / BIN) > place;
            if count > range.end() || (is_full && count < range.start()) {
                return Some(false);
            }
        }
        (self.packets >= wanted).then_some(self.length.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets of 60 bytes are acknowledgements; so many of the ten that each number is for.
    fn count(tens: &[u8]) -> Option<bool> {
        let mut count = AckCount::default();
        for (place, acknowledgements) in tens.iter().enumerate() {
            // The server speaks, then the client for the first time.
            let others = (0..10 - *acknowledgements).map(|_| (false, 1200));
            let own = (0..*acknowledgements).map(|_| (true, 60));
            let skipped = usize::from(place == 0);
            count.add_all(others.take(skipped));
            count.add_all(own);
            count.add_all((0..10 - usize::from(*acknowledgements) - skipped).map(|_| (false, 1200)));
        }
        count.look_like_openvpn(&AckRule::default())
    }

    impl AckCount {
        fn add_all(&mut self, packets: impl Iterator<Item = (bool, usize)>) {
            packets.for_each(|(from_client, length)| self.add(from_client, length));
        }
    }

    /// FP-OVPN-2: each threshold.
    #[test]
    fn fp_ovpn_2_acknowledgements_in_tens() {
        let usual = [2, 3, 2, 1, 0, 0, 1, 0, 0, 0];
        assert_eq!(count(&usual), Some(true));
        assert_eq!(count(&usual[..9]), None);
        for (place, least, most) in [(0, 1, 3), (1, 2, 5), (2, 0, 5), (3, 0, 5), (4, 0, 5), (5, 0, 1), (9, 0, 1)] {
            let with = |number: u8| {
                let mut tens = usual;
                tens[place] = number;
                count(&tens)
            };
            assert_eq!((with(least), with(most), with(most + 1)), (Some(true), Some(true), Some(false)), "ten {place}");
            if place == 1 {
                assert_eq!(with(least - 1), Some(false));
            }
        }
    }
}
