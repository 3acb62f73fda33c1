//! The tunnel probe against a server that counts packets.

use std::time::Duration;

use super::super::testing;
use super::super::timeouts::Timeouts;
use super::*;

#[tokio::test]
async fn packets_come_back_through_the_tunnel() {
    let outcome = open(u16::MAX).await;
    assert_eq!((outcome.verdict, outcome.failure, outcome.how), (VerdictWord::Ok, None, None));
}

#[tokio::test]
async fn a_tunnel_that_dies_says_after_how_many_packets() {
    let outcome = open(2).await;
    let seen = (outcome.verdict, outcome.failure, outcome.how.as_deref());
    assert_eq!(seen, (VerdictWord::Protocol, Some(Failure::GenericTimeout), Some("dies after 2 packets")));
    assert_eq!(outcome.test_keys["packets_back"], 2);
    assert_eq!(open(0).await.how.as_deref(), Some("opens and carries nothing"));
}

#[tokio::test]
async fn without_an_answer_there_is_no_handshake() {
    let socket = UdpSocket::bind(testing::ANY_PORT).await.expect("a socket");
    let outcome = measure(socket.local_addr().expect("its address")).await;
    assert_eq!((outcome.verdict, outcome.how.as_deref()), (VerdictWord::Protocol, Some("no handshake")));
}

/// What the probe says of a server that answers so many packets.
async fn open(packets: u16) -> Outcome {
    let socket = UdpSocket::bind(testing::ANY_PORT).await.expect("a socket");
    let remote = socket.local_addr().expect("its address");
    tokio::spawn(serve(socket, packets));
    measure(remote).await
}

async fn measure(remote: SocketAddr) -> Outcome {
    let timeouts = Timeouts { datagram: Duration::from_millis(200), ..Timeouts::default() };
    let tools = Tools { timeouts, ..testing::tools_from(testing::source()) };
    probe(&tools, &Tunnel { remote, keys: keys(), packets: 5 }).await
}

async fn serve(socket: UdpSocket, packets: u16) {
    let client = PublicKey::from(&StaticSecret::from(keys().client_private_key));
    let mut noise = Tunn::new(StaticSecret::from(keys().private_key), client, None, None, 9, None);
    let (mut datagram, mut buffer, mut answer) = (vec![0; 2000], vec![0; 2000], vec![0; 2000]);
    let mut left = packets;
    loop {
        let (length, client) = socket.recv_from(&mut datagram).await.expect("a datagram");
        match noise.decapsulate(None, &datagram[..length], &mut buffer) {
            TunnResult::WriteToNetwork(packet) => {
                socket.send_to(packet, client).await.expect("sent");
            }
            TunnResult::WriteToTunnelV4(packet, _) if left > 0 => {
                left -= 1;
                // An echo reply but for its addresses, which nobody looks at here.
                packet[20] = 0;
                if let TunnResult::WriteToNetwork(packet) = noise.encapsulate(packet, &mut answer) {
                    socket.send_to(packet, client).await.expect("sent");
                }
            }
            _ => {}
        }
    }
}

fn keys() -> WireGuardKeys {
    WireGuardKeys { private_key: [1; 32], client_private_key: [2; 32] }
}
