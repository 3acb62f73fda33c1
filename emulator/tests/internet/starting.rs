//! What can go wrong when the internet starts.

use std::net::TcpListener;
use std::sync::Arc;

use roadblock_emulator::internet::{self, Authority, InternetError, Zone};
use roadblock_scenarios::model::Protocol::{Dns, Http, Https};
use roadblock_scenarios::model::Service;

use crate::running::{Running, now, service};

fn at_port(mut service: Service, port: u16) -> Service {
    for listener in &mut service.hosts[0].listen {
        listener.port = port;
    }
    service
}

fn failure(services: Vec<Service>) -> InternetError {
    let authority = Arc::new(Authority::new(now()).expect("an authority"));
    let zone = Arc::new(Zone::new(&services));
    match Running::new(move || internet::start(&services, &zone, &authority, None)) {
        Ok(_) => panic!("it started"),
        Err(error) => error,
    }
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.8.3.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let error = failure(vec![at_port(service(&["max.ru"], &["127.8.3.1"], &[Https]), port)]);
    assert!(error.to_string().starts_with(&format!("listen as https 127.8.3.1:{port}: ")), "{error}");
}

#[test]
fn two_protocols_at_one_port_are_a_conflict() {
    let one = at_port(service(&["one.example"], &["127.8.3.2"], &[Http]), 8053);
    let other = at_port(service(&["other.example"], &["127.8.3.2"], &[Dns]), 8053);
    assert_eq!(failure(vec![one, other]).to_string(), "listen at 127.8.3.2:8053 as http and as dns at once");
}

#[test]
fn outside_a_runtime_nothing_starts() {
    let authority = Arc::new(Authority::new(now()).expect("an authority"));
    let refused = internet::start(&[], &Arc::new(Zone::default()), &authority, None);
    assert!(matches!(refused, Err(InternetError::Runtime(_))));
}
