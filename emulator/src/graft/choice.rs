//! Which certificate gives way.

use super::blocks::Block;

/// The certificate to replace, of those that are long enough.
///
/// It must be one of those that the program builds its pool of, and not one that it keeps for something else, as a pinned
/// root or a test's: so it is one of the longest run of blocks that stand close together, or of the next longest where that
/// has none. In the run it is the one that expires first, which has expired already or is used the least. In a lab none of
/// them is missed: whatever answers there has the lab's certificates.
pub(super) fn choose(blocks: &[Block], is_long_enough: impl Fn(&Block) -> bool) -> Option<&Block> {
    let mut runs: Vec<&[Block]> = blocks.chunk_by(|one, next| gap(one, next) <= CLOSE).collect();
    // Stable: of two that are equally long the first comes first.
    runs.sort_by_key(|run| std::cmp::Reverse(run.len()));
    runs.iter().find_map(|run| {
        run.iter().filter(|block| is_long_enough(block)).min_by(|one, other| one.expires.cmp(&other.expires))
    })
}

fn gap(one: &Block, next: &Block) -> u64 {
    next.offset - (one.offset + one.length as u64)
}

/// Bundles have comments between their blocks: names and digests, never a page of them.
const CLOSE: u64 = 4096;
