//! What has come from the network to the vantage, below everything.

use std::fs;

/// How many bytes have come on the vantage's link to the network since it is there. Must be asked on the vantage's own thread;
/// nothing where the kernel's table cannot be read.
pub(super) fn received() -> Option<u64> {
    of(&fs::read_to_string("/proc/thread-self/net/dev").ok()?)
}

/// The first number after the link's name (proc(5), `/proc/net/dev`).
fn of(table: &str) -> Option<u64> {
    let line = table.lines().find_map(|line| line.trim_start().strip_prefix(LINK)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

const LINK: &str = roadblock_emulator::plan::topology::UP;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_links_bytes_are_found_beside_those_of_others() {
        let table = "Inter-|   Receive  |  Transmit\n face |bytes packets errs |bytes\n    \
                     lo:  999 1 0 999\n  eth0: 4242      7 0 0 100\n  tun0: 1 1 0 1\n";
        assert_eq!(of(table), Some(4242));
        assert_eq!(of("    lo: 1 1\n"), None);
    }
}
