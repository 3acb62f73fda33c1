//! By what a packet is known again: when it has crossed a hop, and when a decision about it is told.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

/// What stays the same of a packet while it crosses a hop that lets it pass. The TTL and all checksums do not count.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Fingerprint {
    protocol: u8,
    source: IpAddr,
    destination: IpAddr,
    length: u16,
    fragment: u16,
    transport: [u8; TRANSPORT_LEN],
    payload: [u8; PAYLOAD_LEN],
}

/// Ports, sequence, acknowledgement, data offset and flags of TCP; ports of UDP, then what its length and payload say.
const TRANSPORT_LEN: usize = 16;
/// What the kernel's log carries of a packet still reaches so far.
const PAYLOAD_LEN: usize = 12;

impl Fingerprint {
    /// The fingerprint of a packet of which the beginning is there; `None` for what is none.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let (protocol, source, destination, length, fragment, header) = match bytes.first()? >> 4 {
            4 => {
                let source: [u8; 4] = array(bytes, 12)?;
                let destination: [u8; 4] = array(bytes, 16)?;
                let fragment = u16::from_be_bytes(array(bytes, 6)?) & 0x3fff;
                let header = usize::from(bytes[0] & 0x0f) * 4;
                (bytes[9], IpAddr::from(source), IpAddr::from(destination), number(bytes, 2)?, fragment, header)
            }
            6 => {
                let source: [u8; 16] = array(bytes, 8)?;
                let destination: [u8; 16] = array(bytes, 24)?;
                (bytes[6], IpAddr::from(source), IpAddr::from(destination), number(bytes, 4)?, 0, 40)
            }
            _ => return None,
        };
        let rest = bytes.get(header..).unwrap_or_default();
        let is_later_fragment = fragment & 0x1fff != 0;
        let transport_len = match protocol {
            _ if is_later_fragment => 0,
            6 => usize::from(rest.get(12).copied().unwrap_or_default() >> 4) * 4,
            17 => 8,
            _ => 0,
        };
        let mut transport: [u8; TRANSPORT_LEN] = beginning(rest);
        if protocol == 17 {
            // The checksum may not be there yet where the kernel tells of it; the payload follows in its own field.
            transport[6..].fill(0);
        }
        Some(Self {
            protocol,
            source,
            destination,
            length,
            fragment,
            transport,
            payload: beginning(rest.get(transport_len..).unwrap_or_default()),
        })
    }
}

/// All of a packet that its receiver gets, where all of it is there: what has this once more is the same packet.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Identity {
    fingerprint: Fingerprint,
    content: u64,
}

impl Identity {
    /// The identity of a packet; `None` for what is none.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let fingerprint = Fingerprint::of(bytes)?;
        let header = if bytes[0] >> 4 == 4 { usize::from(bytes[0] & 0x0f) * 4 } else { 40 };
        let mut hasher = DefaultHasher::new();
        bytes.get(header..).unwrap_or_default().hash(&mut hasher);
        Some(Self { fingerprint, content: hasher.finish() })
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_be_bytes)
}

fn beginning<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut beginning = [0; N];
    let length = bytes.len().min(N);
    beginning[..length].copy_from_slice(&bytes[..length]);
    beginning
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Fingerprint, Identity};

    fn udp(ttl: u8, checksum: u8, id: u8) -> Vec<u8> {
        let mut bytes = vec![0x45, 0, 0, 32, 0, 0, 0x40, 0, ttl, 17, 0, 0, 5, 136, 0, 10, 8, 8, 8, 8];
        bytes.extend([0x9c, 0x40, 0, 53, 0, 12, 0, checksum, 0, id, 1, 0]);
        bytes
    }

    #[test]
    fn what_a_router_changes_does_not_count_and_what_a_client_says_does() {
        let one = Fingerprint::of(&udp(64, 1, 7));
        assert!(one.is_some());
        assert_eq!(one, Fingerprint::of(&udp(63, 2, 7)));
        assert_ne!(one, Fingerprint::of(&udp(64, 1, 8)));
    }

    /// A forged answer differs from the true one only at its end.
    #[test]
    fn what_differs_anywhere_is_another_packet() {
        let long = |last: u8| [udp(64, 1, 7), vec![0; 40], vec![last]].concat();
        assert_eq!(Fingerprint::of(&long(1)), Fingerprint::of(&long(2)));
        assert_ne!(Identity::of(&long(1)), Identity::of(&long(2)));
        assert_eq!(Identity::of(&udp(64, 1, 7)), Identity::of(&udp(63, 1, 7)));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_no_danger(bytes in proptest::collection::vec(any::<u8>(), 0..128)) {
            let _ = Identity::of(&bytes);
        }

        #[test]
        fn the_beginning_suffices(payload in proptest::collection::vec(any::<u8>(), 60..200)) {
            let mut bytes = udp(64, 1, 7);
            bytes.extend(payload);
            prop_assert_eq!(Fingerprint::of(&bytes), Fingerprint::of(&bytes[..80]));
        }
    }
}
