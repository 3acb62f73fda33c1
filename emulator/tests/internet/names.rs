//! DNS, as kdig sees it.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use roadblock_censor::policy::{DnsForgery, Grade};
use roadblock_censor::{EventKind, NamePattern, NameSet};
use roadblock_emulator::clock::LabClock;
use roadblock_emulator::events::EventLog;
use roadblock_emulator::internet::{LieTable, Speaker, Zone, start_name_servers};
use roadblock_scenarios::model::Protocol::Dns;
use roadblock_scenarios::model::{Lie, LieAnswer};

use crate::programs::{output, run};
use crate::running::{Running, internet, service, socket};

fn kdig(address: &str, running: &Running, arguments: &[&str]) -> String {
    let server = format!("@{address}");
    let port = running.port(Dns, address).to_string();
    output("kdig", [&server, "-p", &port, "+timeout=5", "+retry=0"].iter().chain(arguments))
}

#[test]
fn kdig_gets_both_families_over_both_transports() {
    let host = service(&["web.whatsapp.com", "dns.example"], &["127.8.1.1", "::1"], &[Dns]);
    let (running, _) = internet(&[host]);
    for transport in ["+notcp", "+tcp"] {
        let ask = |arguments: &[&str]| kdig("127.8.1.1", &running, &[&[transport], arguments].concat());
        assert_eq!(ask(&["+short", "web.whatsapp.com", "A"]), "127.8.1.1\n");
        assert_eq!(ask(&["+short", "WEB.whatsapp.com", "AAAA"]), "::1\n");
        let unknown = ask(&["no.such.example", "A"]);
        assert!(unknown.contains("NXDOMAIN") && unknown.contains("SOA"), "{unknown}");
        assert!(unknown.contains("Flags: qr rd ra;"), "{unknown}");
        let other = ask(&["web.whatsapp.com", "TXT"]);
        assert!(other.contains("NOERROR") && other.contains("ANSWER: 0"), "{other}");
        let extended = ask(&["+bufsize=4096", "web.whatsapp.com", "A"]);
        assert!(extended.contains("UDP size: 1232"), "{extended}");
    }
    assert_eq!(kdig("::1", &running, &["+short", "web.whatsapp.com", "A"]), "127.8.1.1\n");
}

#[test]
fn several_queries_share_a_connection() {
    let (running, _) = internet(&[service(&["a.example", "b.example"], &["127.8.1.2"], &[Dns])]);
    let said = kdig("127.8.1.2", &running, &["+tcp", "+keepopen", "+short", "a.example", "b.example", "a.example"]);
    assert_eq!(said, "127.8.1.2\n".repeat(3));
}

#[test]
fn an_answer_too_long_for_udp_comes_by_tcp() {
    let many: Vec<_> = (1..=90).map(|last| format!("127.8.2.{last}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let services = [service(&["dns.example"], &["127.8.1.3"], &[Dns]), service(&["many.example"], &many, &[])];
    let (running, _) = internet(&services);
    let said = kdig("127.8.1.3", &running, &["+short", "many.example", "A"]);
    assert_eq!(said.lines().filter(|line| line.starts_with("127.8.2.")).count(), 90, "{said}");
    let cut = kdig("127.8.1.3", &running, &["+ignore", "many.example", "A"]);
    assert!(cut.contains("Flags: qr tc rd ra;"), "{cut}");
}

/// A resolver with lies, and what it notes.
struct Resolver {
    running: Running,
    lies: LieTable,
    events: EventLog,
}

fn resolver(address: &str) -> Resolver {
    let zone = Arc::new(Zone::new(&[service(&["web.whatsapp.com", "max.ru"], &["127.8.9.9"], &[])]));
    let (lies, events) = (LieTable::default(), EventLog::default());
    let speaker =
        Speaker::lying(zone, "isp".into(), "rt-access".into(), lies.clone(), LabClock::start(), events.clone());
    let place = socket(&format!("{address}:0"));
    let running = Running::new(move || start_name_servers([place], &speaker)).expect("a resolver");
    Resolver { running, lies, events }
}

fn lie(answer: LieAnswer) -> Vec<Lie> {
    let names = NameSet::from_iter([NamePattern::Domain("whatsapp.com".to_owned())]);
    vec![Lie { id: "lies.0".into(), names, answer, facts: vec!["RU-NSDI-1".into()], grade: Grade::Measured }]
}

#[test]
fn a_phase_changes_what_a_resolver_says_and_each_lie_is_an_event() {
    let Resolver { running, lies, events } = resolver("127.8.1.4");
    let ask = |name: &str| kdig("127.8.1.4", &running, &[name, "A"]);
    assert!(ask("web.whatsapp.com").contains("127.8.9.9"));
    assert!(events.is_empty());

    lies.set(lie(LieAnswer::Forged(DnsForgery { rcode: 3, addresses: vec![], ttl: 0, authoritative: false })));
    assert!(ask("web.whatsapp.com").contains("NXDOMAIN"));
    assert!(ask("max.ru").contains("127.8.9.9"));
    assert!(kdig("127.8.1.4", &running, &["+tcp", "web.whatsapp.com", "AAAA"]).contains("NXDOMAIN"));

    let [over_udp, over_tcp] = events.all().try_into().expect("two lies");
    assert_eq!(&*over_udp.hop, "rt-access");
    assert_eq!(over_udp.event.by().as_deref(), Some("isp/lies.0"));
    assert_eq!(over_udp.event.kind, EventKind::Lied);
    assert_eq!(over_udp.event.matched.as_deref(), Some("query A web.whatsapp.com"));
    assert_eq!(over_tcp.event.matched.as_deref(), Some("query AAAA web.whatsapp.com"));
    assert_eq!((over_udp.event.flow.protocol, over_tcp.event.flow.protocol), (17, 6));
    assert_eq!(over_udp.event.flow.server.to_string(), "127.8.1.4");

    lies.set(Vec::new());
    assert!(ask("web.whatsapp.com").contains("127.8.9.9"));
}

#[test]
fn silence_over_udp_is_no_answer() {
    let Resolver { running, lies, events } = resolver("127.8.1.5");
    lies.set(lie(LieAnswer::Silence));
    let port = running.port(Dns, "127.8.1.5").to_string();
    let asked = run("kdig", ["@127.8.1.5", "-p", &port, "+timeout=1", "+retry=0", "+notcp", "web.whatsapp.com", "A"]);
    assert!(!asked.status.success());
    assert!(!events.is_empty());
}

#[test]
fn silence_over_tcp_keeps_the_connection_open() {
    let Resolver { running, lies, .. } = resolver("127.8.1.6");
    lies.set(lie(LieAnswer::Silence));
    let mut stream = TcpStream::connect(("127.8.1.6", running.port(Dns, "127.8.1.6"))).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_millis(300))).expect("a time-out");
    stream.write_all(&framed_query(1, &["web", "whatsapp", "com"])).expect("a query");
    let mut length = [0; 2];
    let nothing = stream.read(&mut length).expect_err("silence");
    assert!(matches!(nothing.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{nothing}");

    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out");
    stream.write_all(&framed_query(2, &["max", "ru"])).expect("a query");
    stream.read_exact(&mut length).expect("a length");
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!(answer[..2], [0, 2]);
}

fn framed_query(id: u8, labels: &[&str]) -> Vec<u8> {
    let mut query = vec![0, id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in labels {
        query.push(u8::try_from(label.len()).expect("a label"));
        query.extend_from_slice(label.as_bytes());
    }
    query.extend_from_slice(&[0, 0, 1, 0, 1]);
    let length = u16::try_from(query.len()).expect("a short query");
    [length.to_be_bytes().as_slice(), &query].concat()
}
