//! What is left of the internet when it stops. Alone in its process: a program that another test starts holds copies of
//! all sockets until it has begun to run.

use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use roadblock_emulator::internet::{self, Authority, Zone};
use roadblock_scenarios::model::{Host, Listener, Protocol, Service, WireGuardKeys};

#[test]
fn nothing_listens_after_the_stop() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let authority = Arc::new(Authority::new(SystemTime::UNIX_EPOCH).expect("an authority"));
    let services = [service()];
    let started =
        runtime.block_on(async { internet::start(&services, &Arc::new(Zone::new(&services)), &authority, None) });
    let servers = started.expect("an internet");
    let places: Vec<(Protocol, SocketAddr)> =
        servers.bound().iter().map(|bound| (bound.protocol, bound.actual)).collect();
    assert_eq!(places.len(), Protocol::ALL.len());
    for (protocol, place) in &places {
        // Silence takes a port and answers nothing on it.
        let answers = protocol.over_tcp() && *protocol != Protocol::Silence;
        assert_eq!(TcpStream::connect_timeout(place, SOON).is_ok(), answers, "{protocol:?}");
        assert_eq!(UdpSocket::bind(place).is_err(), protocol.over_udp(), "{protocol:?}");
    }

    let problems = servers.problem_list();
    runtime.block_on(servers.stop());
    assert!(problems.all().is_empty());
    for (_, place) in &places {
        TcpStream::connect(place).expect_err("refused");
        UdpSocket::bind(place).expect("the port is free");
    }
}

const SOON: Duration = Duration::from_secs(2);

/// A host that speaks everything, each at a port of the kernel's choice.
fn service() -> Service {
    let host = Host {
        names: vec!["max.ru".to_owned()],
        addresses: vec!["127.8.3.3".parse().expect("an address")],
        listen: Protocol::ALL.map(|protocol| Listener { port: 0, protocol }).to_vec(),
        wireguard: Some(WireGuardKeys { private_key: [1; 32], client_private_key: [2; 32] }),
        ..Host::default()
    };
    Service { id: "services/test".into(), title: "Test".to_owned(), hosts: vec![host], targets: Vec::new() }
}
