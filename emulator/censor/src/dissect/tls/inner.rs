//! A TLS handshake inside a tunnel, guessed by the sizes of what the two ends send in turn: encryption hides what a handshake
//! says, not how long it is (RU-FET-1; Xue et al., USENIX Security 2024).
//!
//! It is a guess and named one: what a real censor measures is not published to the byte, and an exchange of other things can
//! have the same sizes.

use core::ops::RangeInclusive;

/// How many bytes each end sends in its turn while a handshake goes through a tunnel.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InnerGuess {
    /// The client's `ClientHello`, in bytes of the tunnel's payload; the least is RU-FET-1's.
    pub hello: RangeInclusive<u32>,
    /// The server's flight.
    pub answer: RangeInclusive<u32>,
    /// The client's Finished, and a request that goes with it.
    pub finish: RangeInclusive<u32>,
}

impl Default for InnerGuess {
    fn default() -> Self {
        Self { hello: 411..=2500, answer: 500..=8000, finish: 60..=410 }
    }
}

/// What the ends of a flow have sent in turn, as far as it is looked at.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Turns {
    /// How many bytes each turn had; the client's and the server's take turns, and the client begins.
    bytes: [u32; MAX_TURNS],
    count: usize,
    /// Whether the server spoke first, or after all that is kept.
    is_over: bool,
}

/// As many as an outer handshake and the inner one take.
const MAX_TURNS: usize = 6;

impl Turns {
    /// Adds a packet's payload.
    pub fn add(&mut self, from_client: bool, len: usize) {
        if len == 0 || self.is_over {
            return;
        }
        // The client's turns are those at even places.
        let is_same_turn = self.count > 0 && (self.count % 2 == 1) == from_client;
        if !is_same_turn {
            if (self.count == 0 && !from_client) || self.count == MAX_TURNS {
                self.is_over = true;
                return;
            }
            self.count += 1;
        }
        if let Some(turn) = self.count.checked_sub(1).and_then(|place| self.bytes.get_mut(place)) {
            *turn = turn.saturating_add(u32::try_from(len).unwrap_or(u32::MAX));
        }
    }

    /// Whether all that is kept was said.
    pub const fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether a handshake seems to go through the flow, behind the flow's own where that is TLS itself; `None` while it
    /// cannot be told. It is told when the server speaks after the client's Finished.
    pub fn look_like_tls(&self, is_tls: bool, guess: &InnerGuess) -> Option<bool> {
        let turns = self.bytes.get(if is_tls { 2 } else { 0 }..)?;
        let count = self.count.saturating_sub(if is_tls { 2 } else { 0 });
        let expected = [&guess.hello, &guess.answer, &guess.finish];
        // A turn is over once the other end speaks; one that is too long already needs not be waited for.
        for (place, (turn, range)) in turns.iter().zip(expected).enumerate() {
            let is_whole = count > place + 1 || self.is_over;
            if turn > range.end() || (is_whole && turn < range.start()) {
                return Some(false);
            }
            if !is_whole {
                return None;
            }
        }
        Some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What sing-box 1.14.4 and curl 7.88.1 sent over Shadowsocks (aes-256-gcm), Trojan and neither, in segments of at most
    /// 1448 bytes: `true` is the client's.
    const HTTPS_IN_SHADOWSOCKS: &[(bool, usize)] =
        &[(true, 624), (false, 956), (true, 214), (false, 289), (false, 1448)];
    const HTTP_IN_SHADOWSOCKS: &[(bool, usize)] =
        &[(true, 185), (false, 181), (false, 1448), (false, 1244), (true, 112), (false, 149)];
    const HTTPS_IN_TROJAN: &[(bool, usize)] = &[
        (true, 1448),
        (true, 56),
        (false, 1448),
        (false, 518),
        (true, 154),
        (true, 539),
        (false, 910),
        (true, 202),
        (false, 277),
    ];
    const HTTP_IN_TROJAN: &[(bool, usize)] = &[
        (true, 1448),
        (true, 56),
        (false, 1448),
        (false, 518),
        (true, 64),
        (true, 190),
        (false, 137),
        (false, 1448),
        (true, 24),
    ];
    const HTTPS: &[(bool, usize)] =
        &[(true, 517), (false, 890), (true, 80), (true, 100), (false, 255), (false, 255), (false, 1448), (true, 24)];

    fn turns(packets: &[(bool, usize)]) -> Turns {
        let mut turns = Turns::default();
        for (from_client, len) in packets {
            turns.add(*from_client, *len);
        }
        turns
    }

    /// RU-FET-1: HTTPS inside a tunnel is seen, HTTP inside it is not, nor HTTPS outside one.
    #[test]
    fn ru_fet_1_https_inside_and_http_inside() {
        let guess = InnerGuess::default();
        for (packets, is_tls, expected) in [
            (HTTPS_IN_SHADOWSOCKS, false, true),
            (HTTP_IN_SHADOWSOCKS, false, false),
            (HTTPS_IN_TROJAN, true, true),
            (HTTP_IN_TROJAN, true, false),
            (HTTPS, true, false),
        ] {
            assert_eq!(turns(packets).look_like_tls(is_tls, &guess), Some(expected), "{packets:?}");
        }
    }

    /// RU-FET-1: it is told with the server's packet after the client's Finished, and once told it stays.
    #[test]
    fn ru_fet_1_when_it_is_told() {
        let said = |count| turns(&HTTPS_IN_SHADOWSOCKS[..count]).look_like_tls(false, &InnerGuess::default());
        assert_eq!([0, 1, 2, 3, 4, 5].map(said), [None, None, None, None, Some(true), Some(true)]);
        let mut long = turns(HTTPS_IN_SHADOWSOCKS);
        for _ in 0..5 {
            long.add(true, 9000);
            long.add(false, 9000);
        }
        assert_eq!(long.look_like_tls(false, &InnerGuess::default()), Some(true));
    }

    /// A flow in which the server speaks first is none of a tunnel that is known, and sizes past any limit do no harm.
    #[test]
    fn other_flows() {
        assert_eq!(turns(&[(false, 30), (true, 700)]).look_like_tls(false, &InnerGuess::default()), Some(false));
        assert_eq!(turns(&[(true, usize::MAX), (true, 9)]).look_like_tls(false, &InnerGuess::default()), Some(false));
        assert_eq!(turns(&[(true, 0)]).look_like_tls(false, &InnerGuess::default()), None);
    }
}
