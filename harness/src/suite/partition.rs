//! A part of all units, so that several machines share them.

use std::fmt;
use std::str::FromStr;

/// `count:K/N` or `hash:K/N`: the `K`th of `N` parts, from 1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Partition {
    way: Way,
    part: u64,
    of: u64,
}

/// How units are dealt out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    /// In turn: parts are of the same size, and another unit moves those behind it.
    Count,
    /// By their names: another unit moves none, and parts are of about the same size.
    Hash,
}

/// What is wrong with a partition that somebody wrote.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("write `count:K/N` or `hash:K/N`, with K from 1 to N, as `count:1/4`")]
pub(crate) struct PartitionError;

impl Partition {
    /// Whether the unit with this place among all of them, and this name, belongs to the part.
    pub(crate) fn holds(self, place: usize, name: &str) -> bool {
        let number = match self.way {
            Way::Count => place as u64,
            Way::Hash => fnv1a(name),
        };
        number % self.of == self.part - 1
    }

    /// Whether both are parts of one whole.
    pub(crate) fn is_beside(self, other: Self) -> bool {
        (self.way, self.of) == (other.way, other.of)
    }

    /// All parts of the whole that this is a part of, in order.
    pub(crate) fn siblings(self) -> impl Iterator<Item = Self> {
        (1..=self.of).map(move |part| Self { part, ..self })
    }
}

impl FromStr for Partition {
    type Err = PartitionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (way, share) = text.split_once(':').ok_or(PartitionError)?;
        let (part, of) = share.split_once('/').ok_or(PartitionError)?;
        let way = match way {
            "count" => Way::Count,
            "hash" => Way::Hash,
            _ => return Err(PartitionError),
        };
        let (part, of) = (part.parse().map_err(|_| PartitionError)?, of.parse().map_err(|_| PartitionError)?);
        if part == 0 || part > of { Err(PartitionError) } else { Ok(Self { way, part, of }) }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = match self.way {
            Way::Count => "count",
            Way::Hash => "hash",
        };
        write!(f, "{way}:{}/{}", self.part, self.of)
    }
}

/// FNV-1a, 64 bits: the same on every machine and in every version, which the standard library's hasher does not promise.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_parts_that_exist_can_be_written() {
        for wrong in
            ["", "count", "count:1", "count:0/2", "count:3/2", "hash:1/0", "slice:1/2", "count:-1/2", "count:a/2"]
        {
            assert_eq!(wrong.parse::<Partition>(), Err(PartitionError), "{wrong}");
        }
    }

    /// Published test vectors of FNV-1a (draft-eastlake-fnv, appendix C).
    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(fnv1a(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a("foobar"), 0x8594_4171_f739_67e8);
    }

    proptest! {
        #[test]
        fn every_unit_is_in_exactly_one_part(of in 1_u64..9, names in prop::collection::vec("[a-z]{1,6}", 1..40), hash: bool) {
            let way = if hash { "hash" } else { "count" };
            let parts: Vec<Partition> = (1..=of).map(|part| format!("{way}:{part}/{of}").parse().expect("a part")).collect();
            for (place, name) in names.iter().enumerate() {
                prop_assert_eq!(parts.iter().filter(|part| part.holds(place, name)).count(), 1);
            }
            for part in parts {
                prop_assert_eq!(part.to_string().parse::<Partition>(), Ok(part));
            }
        }
    }
}
