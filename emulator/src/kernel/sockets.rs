//! Which sockets a network namespace has, without touching them.

use std::io;

/// A sort of socket.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Transport {
    /// A TCP socket that takes connections.
    TcpListener,
    /// A UDP socket.
    Udp,
}

/// Whether a socket of this sort is bound to this port in the namespace of the calling thread, whatever its address.
pub fn is_bound(transport: Transport, port: u16) -> io::Result<bool> {
    let files = match transport {
        Transport::TcpListener => ["tcp", "tcp6"],
        Transport::Udp => ["udp", "udp6"],
    };
    for file in files {
        match std::fs::read_to_string(format!("/proc/thread-self/net/{file}")) {
            Ok(table) if lists(&table, transport, port) => return Ok(true),
            Ok(_) => {}
            // A kernel without IPv6 has no table for it.
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => return Err(cause),
        }
    }
    Ok(false)
}

/// Whether a table of proc(5)'s `net/tcp` or `net/udp` lists such a socket: `sl local_address rem_address st …`, where
/// addresses are `hex:port` and the state of a listener is `0A`.
fn lists(table: &str, transport: Transport, port: u16) -> bool {
    let ports = format!(":{port:04X}");
    table.lines().skip(1).any(|line| {
        let mut words = line.split_whitespace();
        let (local, state) = (words.nth(1).unwrap_or_default(), words.nth(1).unwrap_or_default());
        local.ends_with(&ports) && (transport == Transport::Udp || state == "0A")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
        0: 0100007F:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1\n   \
        1: 0100007F:8FFC 0100007F:0050 01 00000000:00000000 00:00000000 00000000     0        0 2 1\n";

    #[test]
    fn a_listener_is_no_connection() {
        assert!(lists(TABLE, Transport::TcpListener, 443));
        assert!(!lists(TABLE, Transport::TcpListener, 0x8ffc));
        assert!(!lists(TABLE, Transport::TcpListener, 80));
        assert!(lists(TABLE, Transport::Udp, 0x8ffc));
    }
}
