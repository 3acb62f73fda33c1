//! The far end of a `WireGuard` tunnel (RU-VPN-1, FP-WG-1).
//!
//! What a client must know: the server's public key is the public half of the service's `private-key`, the client's own is
//! the service's `client-private-key`, there is no preshared key. As many clients as there are addresses and ports can be
//! connected at once, all with that key. Inside the tunnel every IPv4 address answers: ICMP echo requests, and UDP
//! datagrams to any port, come back (`inner.rs`); so a client counts the data packets that get through. Nothing else is
//! behind the tunnel. A client whose address or port changes must shake hands again, where a real server follows it.

mod inner;

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use boringtun::noise::{Tunn, TunnResult};
use boringtun::x25519::{PublicKey, StaticSecret};
use roadblock_scenarios::model::WireGuardKeys;
use tokio::net::UdpSocket;
use tokio::time::{MissedTickBehavior, interval};

use super::listen::note_and_wait;
use super::servers::Problems;

/// The tunnels of one server, one for each address that completed or tries a handshake.
struct Tunnels {
    private: StaticSecret,
    client: PublicKey,
    open: HashMap<SocketAddr, Tunn>,
    made: u32,
    buffer: Vec<u8>,
    answer: Vec<u8>,
}

/// Answers datagrams for ever.
pub(super) async fn serve(socket: UdpSocket, keys: WireGuardKeys, server: Arc<str>, problems: Problems) {
    let mut datagram = vec![0; usize::from(u16::MAX)];
    let mut tunnels = Tunnels::new(&keys);
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let answers = tokio::select! {
            received = socket.recv_from(&mut datagram) => match received {
                Ok((length, client)) => tunnels.receive(datagram.get(..length).unwrap_or_default(), client),
                Err(error) => {
                    note_and_wait(&error, &server, &problems).await;
                    Vec::new()
                }
            },
            _ = ticks.tick(), if !tunnels.open.is_empty() => tunnels.tick(),
        };
        for (client, answer) in answers {
            // An answer that cannot be sent is lost, as on any network.
            let _ = socket.send_to(&answer, client).await;
        }
    }
}

impl Tunnels {
    fn new(keys: &WireGuardKeys) -> Self {
        Self {
            private: StaticSecret::from(keys.private_key),
            client: PublicKey::from(&StaticSecret::from(keys.client_private_key)),
            open: HashMap::new(),
            made: 0,
            buffer: vec![0; BUFFER],
            answer: vec![0; BUFFER],
        }
    }

    /// What is sent for a datagram from `client`.
    fn receive(&mut self, datagram: &[u8], client: SocketAddr) -> Vec<(SocketAddr, Vec<u8>)> {
        if datagram.starts_with(&INITIATION) && !self.open.contains_key(&client) {
            self.make(client);
        }
        let Some(tunnel) = self.open.get_mut(&client) else { return Vec::new() };
        let mut answers = Vec::new();
        let mut result = tunnel.decapsulate(Some(client.ip()), datagram, &mut self.buffer);
        // What waited for a handshake is sent after it until there is nothing left.
        while let TunnResult::WriteToNetwork(packet) = result {
            answers.push((client, packet.to_vec()));
            result = tunnel.decapsulate(None, &[], &mut self.buffer);
        }
        match result {
            TunnResult::WriteToTunnelV4(packet, _) => {
                let echo = inner::answer(packet);
                // Padded as WireGuard pads (its white paper, section 5.4.6), which boringtun leaves to its caller.
                let echo = echo.map(|mut echo| {
                    echo.resize(echo.len().next_multiple_of(16), 0);
                    echo
                });
                let echo = echo.map(|echo| tunnel.encapsulate(&echo, &mut self.answer));
                if let Some(TunnResult::WriteToNetwork(packet)) = echo {
                    answers.push((client, packet.to_vec()));
                }
            }
            // A handshake with another key, or no handshake at all.
            TunnResult::Err(_) if tunnel.stats().0.is_none() => {
                self.open.remove(&client);
            }
            TunnResult::Done | TunnResult::Err(_) | TunnResult::WriteToNetwork(_) | TunnResult::WriteToTunnelV6(..) => {
            }
        }
        answers
    }

    /// What the time that has passed makes the tunnels send.
    fn tick(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        let mut answers = Vec::new();
        for (client, tunnel) in &mut self.open {
            if let TunnResult::WriteToNetwork(packet) = tunnel.update_timers(&mut self.buffer) {
                answers.push((*client, packet.to_vec()));
            }
        }
        self.open.retain(|_, tunnel| !tunnel.is_expired());
        answers
    }

    /// So that floods cannot fill the memory, all are forgotten when there are too many; a client shakes hands again.
    fn make(&mut self, client: SocketAddr) {
        if self.open.len() >= MOST_TUNNELS {
            self.open.clear();
        }
        self.made = self.made.wrapping_add(1);
        let index = self.made & LARGEST_INDEX;
        self.open.insert(client, Tunn::new(self.private.clone(), self.client, None, None, index, None));
    }
}

impl fmt::Debug for Tunnels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tunnels").field("open", &self.open.len()).finish_non_exhaustive()
    }
}

/// A handshake initiation's first bytes (`WireGuard` section 5.4.2).
const INITIATION: [u8; 4] = [1, 0, 0, 0];
/// As often as `WireGuard`'s implementations look at their timers.
const TICK: Duration = Duration::from_millis(250);
/// What a datagram, decrypted or encrypted, needs.
const BUFFER: usize = 65_535 + 32;
const MOST_TUNNELS: usize = 1024;
/// A tunnel's number is shifted by 8 bits.
const LARGEST_INDEX: u32 = 0x00ff_ffff;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys() -> WireGuardKeys {
        WireGuardKeys { private_key: [1; 32], client_private_key: [2; 32] }
    }

    /// A client that boringtun plays, with a key of its own.
    fn client(private: [u8; 32]) -> Tunn {
        let server = PublicKey::from(&StaticSecret::from(keys().private_key));
        Tunn::new(StaticSecret::from(private), server, None, None, 7, None)
    }

    fn place(port: u16) -> SocketAddr {
        SocketAddr::new([192, 0, 2, 1].into(), port)
    }

    fn sent(result: &TunnResult<'_>) -> Vec<u8> {
        let TunnResult::WriteToNetwork(packet) = result else { panic!("nothing to send: {result:?}") };
        packet.to_vec()
    }

    /// Shakes hands and confirms, as the first packet of the initiator does.
    fn connect(tunnels: &mut Tunnels, client: &mut Tunn, from: SocketAddr) {
        let mut buffer = vec![0; 2000];
        let initiation = sent(&client.format_handshake_initiation(&mut buffer, false));
        assert_eq!((initiation.len(), &initiation[..4]), (148, &[1, 0, 0, 0][..]));
        let answers = tunnels.receive(&initiation, from);
        let [(_, response)] = answers.as_slice() else { panic!("{} answers", answers.len()) };
        assert_eq!((response.len(), &response[..4]), (92, &[2, 0, 0, 0][..]));
        let keepalive = sent(&client.decapsulate(None, response, &mut buffer));
        assert_eq!((keepalive.len(), &keepalive[..4]), (32, &[4, 0, 0, 0][..]));
        assert!(tunnels.receive(&keepalive, from).is_empty());
    }

    #[test]
    fn many_clients_shake_hands_and_are_echoed() {
        let mut tunnels = Tunnels::new(&keys());
        let mut buffer = vec![0; 2000];
        for port in [1000, 1001] {
            let mut client = client(keys().client_private_key);
            connect(&mut tunnels, &mut client, place(port));
            for _ in 0..20 {
                let data = sent(&client.encapsulate(&inner::tests::udp_packet(), &mut buffer));
                assert_eq!((data[0], data.len() % 16), (4, 0));
                let answers = tunnels.receive(&data, place(port));
                let [(to, answer)] = answers.as_slice() else { panic!("{} answers", answers.len()) };
                assert_eq!(*to, place(port));
                let TunnResult::WriteToTunnelV4(packet, _) = client.decapsulate(None, answer, &mut buffer) else {
                    panic!("no packet")
                };
                assert_eq!(packet.len(), inner::tests::udp_packet().len());
            }
        }
        assert_eq!(tunnels.open.len(), 2);
    }

    #[test]
    fn another_key_is_a_stranger() {
        let mut tunnels = Tunnels::new(&keys());
        let mut buffer = vec![0; 2000];
        let initiation = sent(&client([9; 32]).format_handshake_initiation(&mut buffer, false));
        assert!(tunnels.receive(&initiation, place(1000)).is_empty());
        assert!(tunnels.open.is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered_or_not(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 1..5_u8) {
            let mut tunnels = Tunnels::new(&keys());
            let typed = [&[kind, 0, 0, 0], bytes.as_slice()].concat();
            for datagram in [&bytes, &typed] {
                prop_assert!(tunnels.receive(datagram, place(1)).is_empty());
            }
            prop_assert!(tunnels.open.is_empty());
        }
    }
}
