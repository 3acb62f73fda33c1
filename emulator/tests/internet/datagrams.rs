//! STUN, calls, tunnels and echoes over real sockets.

use std::net::UdpSocket;
use std::time::Duration;

use boringtun::noise::{Tunn, TunnResult};
use boringtun::x25519::{PublicKey, StaticSecret};
use data_encoding::BASE64;
use roadblock_scenarios::model::Protocol::{CallRelay, Echo, Stun, WireGuard};
use roadblock_scenarios::model::WireGuardKeys;

use crate::python::python;
use crate::running::{Running, internet, service};

fn client(running: &Running, protocol: roadblock_scenarios::model::Protocol, address: &str) -> UdpSocket {
    let family = if address.contains(':') { "[::1]:0" } else { "127.0.0.1:0" };
    let socket = UdpSocket::bind(family).expect("a socket");
    socket.connect((address, running.port(protocol, address))).expect("an address");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out");
    socket
}

fn ask(socket: &UdpSocket, datagram: &[u8]) -> Vec<u8> {
    socket.send(datagram).expect("sent");
    let mut buffer = [0; 2048];
    let length = socket.recv(&mut buffer).expect("an answer");
    buffer[..length].to_vec()
}

const BINDING: [u8; 20] = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

#[test]
fn stun_says_who_asks_over_both_families() {
    let (running, _) = internet(&[service(&["stun.cloudflare.com"], &["127.8.6.1", "::1"], &[Stun])]);
    for (address, family, size) in [("127.8.6.1", 1, 4), ("::1", 2, 16)] {
        let socket = client(&running, Stun, address);
        let answer = ask(&socket, &BINDING);
        assert_eq!((&answer[..2], &answer[4..20]), (&[1, 1][..], &BINDING[4..20]));
        assert_eq!(answer[20..24], [0, 0x20, 0, size + 4]);
        assert_eq!(answer[25], family);
        let port = u16::from_be_bytes([answer[26], answer[27]]) ^ 0x2112;
        assert_eq!(port, socket.local_addr().expect("an address").port());
        let said = python("stun_client.py", &[address, &running.port(Stun, address).to_string()]);
        assert_eq!(said, "RESPONSE True\n".repeat(2));
    }
}

#[test]
fn a_call_is_heard_once_it_was_set_up() {
    let (running, _) = internet(&[service(&["relay.example"], &["127.8.6.2"], &[CallRelay])]);
    let socket = client(&running, CallRelay, "127.8.6.2");
    let sound = |number: u8| [&[0x80, 0x6f, 0, number][..], &[7; 8], &[0x55; 160]].concat();
    // What comes before the call is set up is lost; the answer is that of the request after it.
    socket.send(&sound(0)).expect("sent");
    assert_eq!(ask(&socket, &BINDING)[..2], [1, 1]);
    for number in 1..50 {
        assert_eq!(ask(&socket, &sound(number)), sound(number));
    }
}

#[test]
fn an_echo_echoes() {
    let (running, _) = internet(&[service(&["echo.example"], &["127.8.6.3"], &[Echo])]);
    assert_eq!(ask(&client(&running, Echo, "127.8.6.3"), b"anything"), b"anything");
    let script =
        format!("exec 3<>/dev/tcp/127.8.6.3/{}; echo anything >&3; head -1 <&3", running.port(Echo, "127.8.6.3"));
    assert_eq!(crate::programs::output("bash", ["-c", &script]), "anything\n");
}

#[test]
fn a_tunnel_carries_datagrams() {
    let mut vpn = service(&["wg.vpn.example"], &["127.8.6.4"], &[WireGuard]);
    vpn.hosts[0].wireguard = Some(WireGuardKeys { private_key: [3; 32], client_private_key: [4; 32] });
    let (running, _) = internet(&[vpn]);
    let socket = client(&running, WireGuard, "127.8.6.4");
    let server = PublicKey::from(&StaticSecret::from([3; 32]));
    let mut tunnel = Tunn::new(StaticSecret::from([4; 32]), server, None, None, 1, None);
    let mut buffer = vec![0; 2048];

    let TunnResult::WriteToNetwork(initiation) = tunnel.format_handshake_initiation(&mut buffer, false) else {
        panic!("no initiation")
    };
    assert_eq!(initiation.len(), 148);
    let response = ask(&socket, initiation);
    assert_eq!((response.len(), response[0]), (92, 2));
    let TunnResult::WriteToNetwork(confirmation) = tunnel.decapsulate(None, &response, &mut buffer) else {
        panic!("no confirmation")
    };
    socket.send(confirmation).expect("sent");

    let ping = [
        &[0x45, 0, 0, 32, 0, 1, 0, 0, 64, 17, 0, 0, 10, 8, 0, 2, 10, 8, 0, 1][..],
        &[0x9c, 0x40, 0, 7, 0, 12, 0, 0, b'p', b'i', b'n', b'g'],
    ];
    for _ in 0..20 {
        let TunnResult::WriteToNetwork(packet) = tunnel.encapsulate(&ping.concat(), &mut buffer) else {
            panic!("no packet")
        };
        let answer = ask(&socket, packet);
        let TunnResult::WriteToTunnelV4(packet, from) = tunnel.decapsulate(None, &answer, &mut buffer) else {
            panic!("no answer")
        };
        assert_eq!(from.to_string(), "10.8.0.1");
        assert_eq!(packet[20..24], [0, 7, 0x9c, 0x40]);
        assert!(packet.ends_with(b"ping"));
    }
}

#[test]
fn the_keys_that_the_vpn_publishes_belong_together() {
    let library = roadblock_scenarios::Library::embedded();
    let text = library.document("services/vpn").expect("the service").text();
    let keys = text.lines().filter_map(|line| line.split_once("private-key = \"")).collect::<Vec<_>>();
    assert_eq!(keys.len(), 2);
    for (_, key) in keys {
        let private = BASE64.decode(key.trim_end_matches('"').as_bytes()).expect("base64");
        let private: [u8; 32] = private.try_into().expect("32 bytes");
        let public = PublicKey::from(&StaticSecret::from(private)).to_bytes();
        assert!(text.contains(&BASE64.encode(&public)), "the public half of {key}");
    }
}
