//! A WireGuard tunnel: the handshake, then packets that come back through it (RU-VPN-1: the handshake succeeds, and data
//! packets are what is counted).

use std::net::SocketAddr;

use boringtun::noise::{Tunn, TunnResult};
use boringtun::x25519::{PublicKey, StaticSecret};
use roadblock_scenarios::model::{VerdictWord, WireGuardKeys};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::echo_packet::{is_echo_of, request};
use super::failure::Failure;
use super::tools::Tools;
use super::trace::{Operation, Outcome, Place, Trace};

/// A provider and how much is to go through.
#[derive(Clone, Debug)]
pub(crate) struct Tunnel {
    /// The provider's server.
    pub(crate) remote: SocketAddr,
    /// Its keys and the client's, which the service publishes.
    pub(crate) keys: WireGuardKeys,
    /// How many packets must come back.
    pub(crate) packets: u16,
}

/// Opens a tunnel, sends packets through it and says how it went.
pub(crate) async fn probe(tools: &Tools, tunnel: &Tunnel) -> Outcome {
    let mut trace = Trace::default();
    let mut back = 0;
    match through(&mut trace, tools, tunnel, &mut back).await {
        Ok(()) => trace.end(VerdictWord::Ok),
        Err(failure) => {
            let opened = trace.last_operation() == Some(Operation::TunnelPacket);
            let outcome = trace.failed(failure);
            let mut outcome = if outcome.verdict != VerdictWord::Protocol {
                outcome
            } else if opened {
                outcome.said(dies_after(back))
            } else {
                outcome.said("no handshake")
            };
            outcome.test_keys.insert("packets_back".to_owned(), back.into());
            outcome
        }
    }
}

fn dies_after(packets: u16) -> String {
    match packets {
        0 => "opens and carries nothing".to_owned(),
        1 => "dies after 1 packet".to_owned(),
        packets => format!("dies after {packets} packets"),
    }
}

async fn through(trace: &mut Trace, tools: &Tools, tunnel: &Tunnel, back: &mut u16) -> Result<(), Failure> {
    let (socket, local_port) = tools.source.udp(tunnel.remote).await.map_err(|error| Failure::of_socket(&error))?;
    let place = |operation| Place { operation, remote: tunnel.remote, local_port };
    let mut end = End::new(socket, &tunnel.keys);
    trace.layer(place(Operation::TunnelHandshake), tools.timeouts.datagram, end.shake_hands()).await?;
    // All packets are one layer: which of them is the last is what counts.
    let limit = tools.timeouts.datagram * u32::from(tunnel.packets).max(1);
    let patience = tools.timeouts.datagram;
    let echoed = async {
        for number in 1..=tunnel.packets {
            timeout(patience, end.echo(number)).await.unwrap_or(Err(Failure::GenericTimeout))?;
            *back = number;
        }
        Ok(())
    };
    trace.layer(place(Operation::TunnelPacket), limit, echoed).await
}

/// The client's end of a tunnel.
struct End {
    socket: UdpSocket,
    noise: Tunn,
    buffer: Vec<u8>,
}

impl End {
    fn new(socket: UdpSocket, keys: &WireGuardKeys) -> Self {
        let server = PublicKey::from(&StaticSecret::from(keys.private_key));
        let noise = Tunn::new(StaticSecret::from(keys.client_private_key), server, None, None, 1, None);
        Self { socket, noise, buffer: vec![0; BUFFER] }
    }

    async fn shake_hands(&mut self) -> Result<(), Failure> {
        if let TunnResult::WriteToNetwork(initiation) = self.noise.format_handshake_initiation(&mut self.buffer, false)
        {
            self.socket.send(initiation).await.map_err(|error| Failure::from(&error))?;
        }
        let mut datagram = vec![0; BUFFER];
        loop {
            let length = self.socket.recv(&mut datagram).await.map_err(|error| Failure::from(&error))?;
            let received = datagram.get(..length).unwrap_or_default();
            // The keepalive that confirms the handshake is the first data packet.
            if let TunnResult::WriteToNetwork(keepalive) = self.noise.decapsulate(None, received, &mut self.buffer) {
                self.socket.send(keepalive).await.map_err(|error| Failure::from(&error))?;
                return Ok(());
            }
        }
    }

    /// Sends one packet through the tunnel and waits until it has come back.
    async fn echo(&mut self, number: u16) -> Result<(), Failure> {
        let mut packet = request(number);
        // WireGuard pads what it carries (its white paper, section 5.4.6), and boringtun leaves that to its caller. A censor
        // knows data packets by it (FP-WG-1).
        packet.resize(packet.len().next_multiple_of(16), 0);
        match self.noise.encapsulate(&packet, &mut self.buffer) {
            TunnResult::WriteToNetwork(data) => {
                self.socket.send(data).await.map_err(|error| Failure::from(&error))?;
            }
            other => return Err(Failure::Ours(format!("the tunnel takes no packet: {other:?}"))),
        }
        let mut datagram = vec![0; BUFFER];
        loop {
            let length = self.socket.recv(&mut datagram).await.map_err(|error| Failure::from(&error))?;
            let received = datagram.get(..length).unwrap_or_default();
            match self.noise.decapsulate(None, received, &mut self.buffer) {
                TunnResult::WriteToTunnelV4(answer, _) if is_echo_of(answer, number) => return Ok(()),
                TunnResult::WriteToNetwork(data) => {
                    self.socket.send(data).await.map_err(|error| Failure::from(&error))?;
                }
                _ => {}
            }
        }
    }
}

/// The longest datagram and what encryption adds.
const BUFFER: usize = 65_535 + 32;

#[cfg(test)]
#[path = "wireguard_tests.rs"]
mod tests;
