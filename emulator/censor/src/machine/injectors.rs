//! The numbers that injectors turn over: the same on every run, and bounded.
//!
//! Each client has an injector's numbers to itself, as if it always met the same of many processes, and met it alone
//! (assumed; GFW-DNS-6 saw clients divided so). What one client is told then does not depend on when others ask.

use core::net::IpAddr;
use std::collections::HashMap;

use super::judge::Cause;
use crate::chance::{mix, mix_bytes, octets};
use crate::outbox::Direction;
use crate::policy::Number;

/// How far each injector has turned for each client.
#[derive(Debug)]
pub(crate) struct Injectors {
    seed: u64,
    capacity: usize,
    turns: HashMap<(Injector, IpAddr), Turns>,
    forgotten: u64,
}

/// An injector: a hash of the names of its box and rule, and of its place in there.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Injector(u64);

/// How often an injector was used.
#[derive(Clone, Copy, Debug, Default)]
struct Turns {
    packets: u64,
    /// Answers with addresses of IPv4, and with others.
    answers: [u64; 2],
}

/// The numbers of one injector for one client.
#[derive(Debug)]
pub(crate) struct Dial<'a> {
    seed: u64,
    turns: &'a mut Turns,
}

/// A field of a header that an injector fills.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Field {
    Ttl,
    Id,
    Window,
}

impl Injector {
    /// The injector at this place of a response.
    pub(crate) fn of(cause: &Cause<'_>, direction: Direction, at: usize) -> Self {
        let names = mix_bytes(mix_bytes(0, cause.each.policy.name.as_bytes()), cause.rule.id.as_bytes());
        let residual = cause.residual.map_or(0, |at| at as u64 * 2 + 1 + u64::from(direction == Direction::Inbound));
        Self(mix(mix(names, residual), at as u64))
    }
}

impl Injectors {
    pub(crate) fn new(seed: u64, capacity: usize) -> Self {
        Self { seed, capacity, turns: HashMap::new(), forgotten: 0 }
    }

    /// How many injectors began anew for want of room.
    pub(crate) fn evicted(&self) -> u64 {
        self.forgotten
    }

    /// The numbers of an injector for a client. Where there are too many clients all begin anew.
    pub(crate) fn dial(&mut self, injector: Injector, client: IpAddr) -> Dial<'_> {
        let key = (injector, client);
        if self.turns.len() >= self.capacity && !self.turns.contains_key(&key) {
            self.forgotten += self.turns.len() as u64;
            self.turns.clear();
        }
        let seed = mix_bytes(mix(self.seed, injector.0), &octets(client));
        Dial { seed, turns: self.turns.entry(key).or_default() }
    }
}

impl Dial<'_> {
    /// What stands in a field of the packet that is made now; `copied`: what stands there in the packet that matched.
    pub(crate) fn number(&self, number: &Number, field: Field, copied: u16) -> u16 {
        let (turn, range) = match number {
            Number::Fixed(number) => return *number,
            Number::Copy => return copied,
            Number::Cycle(range) => (self.turns.packets, range),
            Number::Random(range) => (mix(mix(self.seed, field as u64), self.turns.packets) >> 16, range),
        };
        let span = u64::from(range.end().saturating_sub(*range.start())) + 1;
        // Below the span, which fits.
        range.start().saturating_add((turn % span) as u16)
    }

    /// A packet was made.
    pub(crate) fn turn(&mut self) {
        self.turns.packets = self.turns.packets.wrapping_add(1);
    }

    /// The place in a pool of the address that is next. The first is any: the process has answered others before.
    pub(crate) fn next_address(&mut self, is_v4: bool, len: usize) -> usize {
        let turn = &mut self.turns.answers[usize::from(!is_v4)];
        let place = (mix(self.seed, BEGINNING) % (len.max(1) as u64) + *turn) % (len.max(1) as u64);
        *turn = turn.wrapping_add(1);
        usize::try_from(place).unwrap_or(0)
    }

    /// The place in a pool of the address that this word stands for.
    pub(crate) fn address_for(&self, word: u64, len: usize) -> usize {
        usize::try_from(mix(self.seed, word) % (len.max(1) as u64)).unwrap_or(0)
    }
}

/// Tells where a walk begins apart from all else that is drawn.
const BEGINNING: u64 = 0x62_65_67_69_6e;

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(49, 36, 0, 7));

    fn drawn(seed: u64, number: &Number, field: Field) -> Vec<u16> {
        let mut injectors = Injectors::new(seed, 10);
        (0..200)
            .map(|_| {
                let mut dial = injectors.dial(Injector(7), CLIENT);
                let number = dial.number(number, field, 58);
                dial.turn();
                number
            })
            .collect()
    }

    /// GFW-HTTP-2, GFW-DNS-2: numbers go round, or are drawn from the seed, differently for each field, or are copied.
    #[test]
    fn gfw_http_2_numbers() {
        assert_eq!(drawn(1, &Number::Cycle(40..=42), Field::Ttl)[..5], [40, 41, 42, 40, 41]);
        assert_eq!(drawn(1, &Number::Copy, Field::Ttl)[..2], [58, 58]);
        assert_eq!(drawn(1, &Number::Cycle(0..=u16::MAX), Field::Ttl)[199], 199);
        let random = |seed, field| drawn(seed, &Number::Random(40..=49), field);
        assert_eq!(random(1, Field::Ttl), random(1, Field::Ttl));
        assert_ne!(random(1, Field::Ttl), random(2, Field::Ttl));
        assert_ne!(random(1, Field::Ttl), random(1, Field::Window));
        let mut all = random(1, Field::Ttl);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all, (40..=49).collect::<Vec<u16>>());
    }

    /// GFW-DNS-3: a client walks the pool in its order, wherever it begins and whoever asks in between.
    #[test]
    fn gfw_dns_3_nobody_else_moves_a_clients_walk() {
        let client = |last: u8| IpAddr::from([49, 36, 0, last]);
        let walk = |others: u8| -> Vec<usize> {
            let mut injectors = Injectors::new(1, 1000);
            let mut next = |client| injectors.dial(Injector(7), client).next_address(true, 5);
            let own = |_| {
                (0..others).for_each(|other| _ = next(client(other)));
                next(client(200))
            };
            (0..7).map(own).collect()
        };
        let alone = walk(0);
        assert_eq!(walk(50), alone);
        assert!(alone.windows(2).all(|two| two[1] == (two[0] + 1) % 5), "{alone:?}");
        let mut injectors = Injectors::new(1, 1000);
        let firsts = (0..50).map(|last| injectors.dial(Injector(7), client(last)).next_address(true, 5));
        assert_eq!(firsts.collect::<std::collections::BTreeSet<_>>().len(), 5, "clients begin anywhere");
    }

    /// However many injectors policies bring, and however many clients come, the table is bounded.
    #[test]
    fn the_table_is_bounded() {
        let mut injectors = Injectors::new(1, 10);
        for injector in 0..500 {
            injectors.dial(Injector(injector), CLIENT).turn();
            injectors.dial(Injector(7), IpAddr::from(u128::from(injector).to_be_bytes())).turn();
        }
        assert!(injectors.turns.len() <= 10 && injectors.evicted() >= 980);
    }
}
