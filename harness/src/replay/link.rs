//! From what an interface hands over to the packet of IP in it.

/// What a captured frame holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Held<'a> {
    /// A packet of IP, without what an interface put around it.
    Ip(&'a [u8]),
    /// Less of a packet than it says it is.
    Cut,
    /// Something else, such as ARP.
    NoIp,
    /// Nobody knows: frames of this kind are not read.
    UnknownLink(i32),
}

/// The packet in a frame of a link type (tcpdump.org/linktypes.html).
pub(super) fn packet(link: i32, frame: &[u8]) -> Held<'_> {
    let payload = match link {
        NULL | LOOP => family(frame).then(|| frame.get(4..)).flatten(),
        ETHERNET => ethernet(frame),
        RAW | OLD_RAW | OLD_RAW_OPENBSD | IPV4 | IPV6 => Some(frame),
        LINUX_COOKED => frame.get(14..16).and_then(|kind| by_kind(kind, frame.get(16..)?)),
        LINUX_COOKED_2 => frame.get(..2).and_then(|kind| by_kind(kind, frame.get(20..)?)),
        other => return Held::UnknownLink(other),
    };
    match payload.filter(|payload| !payload.is_empty()) {
        Some(payload) => whole(payload),
        None => Held::NoIp,
    }
}

const NULL: i32 = 0;
const ETHERNET: i32 = 1;
const OLD_RAW: i32 = 12;
const OLD_RAW_OPENBSD: i32 = 14;
const RAW: i32 = 101;
const LOOP: i32 = 108;
const LINUX_COOKED: i32 = 113;
const IPV4: i32 = 228;
const IPV6: i32 = 229;
const LINUX_COOKED_2: i32 = 276;

/// A family of addresses as BSD numbers it, in whichever order of bytes: the one of the machine that wrote the file, or the
/// network's.
fn family(frame: &[u8]) -> bool {
    let Some(number) = frame.first_chunk::<4>() else { return false };
    [u32::from_le_bytes(*number), u32::from_be_bytes(*number)]
        .iter()
        // IPv4, and IPv6 on NetBSD, FreeBSD and macOS.
        .any(|number| matches!(number, 2 | 24 | 28 | 30))
}

fn ethernet(frame: &[u8]) -> Option<&[u8]> {
    let mut rest = frame.get(12..)?;
    // IEEE 802.1Q and 802.1ad; a packet with more tags than a provider puts on it is none.
    for _ in 0..MAX_TAGS {
        match rest.get(..2)? {
            [0x81 | 0x91, 0x00] | [0x88, 0xa8] => rest = rest.get(4..)?,
            _ => break,
        }
    }
    by_kind(rest.get(..2)?, rest.get(2..)?)
}

const MAX_TAGS: usize = 4;

/// By the type of Ethernet: IPv4, IPv6, or a session of PPP over Ethernet with either in it (RFC 2516).
fn by_kind<'a>(kind: &[u8], payload: &'a [u8]) -> Option<&'a [u8]> {
    match kind {
        [0x08, 0x00] | [0x86, 0xdd] => Some(payload),
        [0x88, 0x64] => match payload.get(6..8)? {
            [0x00, 0x21 | 0x57] => payload.get(8..),
            _ => None,
        },
        _ => None,
    }
}

/// The packet alone: Ethernet fills short frames up.
fn whole(payload: &[u8]) -> Held<'_> {
    let word = |at: usize| payload.get(at..at + 2).map(|word| usize::from(word[0]) << 8 | usize::from(word[1]));
    let length = match payload[0] >> 4 {
        4 => word(2),
        6 => word(4).map(|length| length + 40),
        _ => return Held::NoIp,
    };
    match length {
        // The sender's hardware was to cut it into segments, and fills in the length then.
        Some(0) => Held::Ip(payload),
        Some(length) => payload.get(..length).map_or(Held::Cut, Held::Ip),
        None => Held::Cut,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An IPv4 header of a packet of 20 bytes.
    const PACKET: [u8; 20] = [0x45, 0, 0, 20, 0, 0, 0, 0, 64, 6, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

    fn after(head: &[u8]) -> Vec<u8> {
        [head, &PACKET].concat()
    }

    #[test]
    fn the_packet_is_found_in_each_kind_of_frame() {
        for (link, head) in [
            (RAW, vec![]),
            (IPV4, vec![]),
            (ETHERNET, [[7; 12].as_slice(), &[0x08, 0]].concat()),
            (ETHERNET, [[7; 12].as_slice(), &[0x81, 0, 0, 1, 0x08, 0]].concat()),
            (ETHERNET, [[7; 12].as_slice(), &[0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 0x08, 0]].concat()),
            (ETHERNET, [[7; 12].as_slice(), &[0x88, 0x64, 0x11, 0, 0, 1, 0, 22, 0, 0x21]].concat()),
            (LINUX_COOKED, [[7; 14].as_slice(), &[0x08, 0]].concat()),
            (LINUX_COOKED_2, [[0x08, 0].as_slice(), &[7; 18]].concat()),
            (NULL, vec![2, 0, 0, 0]),
            (NULL, vec![0, 0, 0, 2]),
            (LOOP, vec![0, 0, 0, 2]),
        ] {
            assert_eq!(packet(link, &after(&head)), Held::Ip(&PACKET), "{link} {head:?}");
        }
    }

    #[test]
    fn what_ethernet_fills_up_with_is_not_the_packets() {
        let frame = [after(&[[7; 12].as_slice(), &[0x08, 0]].concat()), vec![0; 26]].concat();
        assert_eq!(packet(ETHERNET, &frame), Held::Ip(&PACKET));
    }

    #[test]
    fn what_is_no_packet_is_said_to_be_none() {
        let arp = [[7; 12].as_slice(), &[0x08, 0x06], &[0; 28]].concat();
        assert_eq!(packet(ETHERNET, &arp), Held::NoIp);
        assert_eq!(packet(RAW, &PACKET[..19]), Held::Cut);
        assert_eq!(packet(RAW, &PACKET[..2]), Held::Cut);
        assert_eq!(packet(RAW, &[]), Held::NoIp);
        assert_eq!(packet(147, &PACKET), Held::UnknownLink(147));
    }

    proptest! {
        #[test]
        fn arbitrary_frames_are_no_danger(link in 0_i32..300, bytes in proptest::collection::vec(any::<u8>(), 0..96)) {
            let _ = packet(link, &bytes);
        }
    }
}
