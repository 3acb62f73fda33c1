//! Which flow a logged packet belongs to, read from the beginning of the packet that the kernel's log carries.

use std::net::IpAddr;

use roadblock_censor::{Direction, FlowKey};

/// The flow of a packet of which only the beginning is there; ports are 0 where the protocol has none or where they lie
/// beyond an extension header.
pub(crate) fn of(bytes: &[u8], direction: Direction) -> Option<FlowKey> {
    let (protocol, source, destination, transport) = match bytes.first()? >> 4 {
        4 => {
            let later_fragment = u16::from_be_bytes(array(bytes, 6)?) & 0x1fff != 0;
            let header = usize::from(bytes[0] & 0x0f) * 4;
            let source: [u8; 4] = array(bytes, 12)?;
            let destination: [u8; 4] = array(bytes, 16)?;
            let transport = if later_fragment { None } else { bytes.get(header..) };
            (*bytes.get(9)?, IpAddr::from(source), IpAddr::from(destination), transport)
        }
        6 => {
            let source: [u8; 16] = array(bytes, 8)?;
            let destination: [u8; 16] = array(bytes, 24)?;
            (*bytes.get(6)?, IpAddr::from(source), IpAddr::from(destination), bytes.get(40..))
        }
        _ => return None,
    };
    let has_ports = matches!(protocol, 6 | 17);
    let port = |at| {
        let bytes = transport.filter(|_| has_ports).and_then(|transport| array(transport, at));
        bytes.map_or(0, u16::from_be_bytes)
    };
    let (source_port, destination_port) = (port(0), port(2));
    Some(match direction {
        Direction::Outbound => FlowKey {
            protocol,
            client: source,
            client_port: source_port,
            server: destination,
            server_port: destination_port,
        },
        Direction::Inbound => FlowKey {
            protocol,
            client: destination,
            client_port: destination_port,
            server: source,
            server_port: source_port,
        },
    })
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use roadblock_censor::Direction;

    use super::of;

    proptest! {
        #[test]
        fn arbitrary_bytes_are_no_danger(bytes in proptest::collection::vec(any::<u8>(), 0..128)) {
            let _ = of(&bytes, Direction::Outbound);
            let _ = of(&bytes, Direction::Inbound);
        }
    }

    #[test]
    fn a_syn_names_its_flow_either_way() {
        // A SYN from 5.136.0.10:40000 to 157.240.205.60:443 as tcpdump wrote it.
        let mut bytes = vec![0x45, 0, 0, 60, 1, 2, 0x40, 0, 63, 6, 0, 0, 5, 136, 0, 10, 157, 240, 205, 60];
        bytes.extend_from_slice(&[0x9c, 0x40, 0x01, 0xbb, 0, 0, 0, 1, 0, 0, 0, 0, 0xa0, 0x02]);
        let out = of(&bytes, Direction::Outbound).expect("complete");
        assert_eq!(out.to_string(), "tcp 5.136.0.10:40000 -> 157.240.205.60:443");
        let back = of(&bytes, Direction::Inbound).expect("complete");
        assert_eq!(back.to_string(), "tcp 157.240.205.60:443 -> 5.136.0.10:40000");
    }
}
