//! Punishments that a server on the loopback deals out by the lab's clock.

use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;

use super::super::lab_time::LabTime;
use super::super::testing;
use super::*;

/// Refuses, after a visit to its first port, whoever comes to those ports within the time: a connection is dropped by reset
/// once it is made, so the visits are TLS handshakes that fail.
struct Censor {
    time: LabTime,
    until: Arc<Mutex<Option<Instant>>>,
}

impl Censor {
    /// A port at which visits are punished for so long, or which takes part in the punishment.
    async fn port(&self, triggers: Option<Duration>, punishes: bool) -> std::net::SocketAddr {
        let (listener, remote) = testing::listener().await;
        tokio::spawn(serve(listener, self.time.clone(), Arc::clone(&self.until), triggers, punishes));
        remote
    }
}

async fn serve(
    listener: TcpListener,
    time: LabTime,
    until: Arc<Mutex<Option<Instant>>>,
    triggers: Option<Duration>,
    punishes: bool,
) {
    loop {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let punished = until.lock().expect("no panic").is_some_and(|until| time.now() < until);
        if let Some(last) = triggers {
            *until.lock().expect("no panic") = Some(time.now() + last);
        } else if punished && punishes {
            testing::reset(stream);
            continue;
        }
        tokio::spawn(async move {
            let mut said = [0; 1];
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut said).await;
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, &said).await;
        });
    }
}

fn speak(remote: std::net::SocketAddr) -> Measure {
    use roadblock_scenarios::model::{Payload, Reply, Transport};
    let payload = Payload { written: "text:a".to_owned(), segments: vec![vec![b'a']] };
    Measure::Speak(super::super::speak::Speech {
        remote,
        transport: Transport::Tcp,
        before: Vec::new(),
        payloads: vec![payload],
        pause: Duration::ZERO,
        reply: Reply::Echo,
    })
}

/// What is found of a punishment that lasts so long and hits these ports.
async fn found(last: Duration, hits_here: bool, hits_elsewhere: bool) -> (VerdictWord, ResidualFound) {
    let time = LabTime::alone();
    let censor = Censor { time: time.clone(), until: Arc::default() };
    let trigger = speak(censor.port(Some(last), false).await);
    let test = speak(censor.port(None, hits_here).await);
    let elsewhere = Some(speak(censor.port(None, hits_elsewhere).await));
    let residual = Residual { trigger, test, elsewhere, within: Duration::from_secs(600), tries: 1 };
    let measuring = time.join();
    let tools = Tools { time, ..testing::tools_from(testing::source()) };
    let outcome = probe(&tools, &residual).await;
    drop(measuring);
    match outcome.found {
        Some(Found::Residual(found)) => (outcome.verdict, found),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn how_long_it_lasts_is_found_to_a_second() {
    let (verdict, found) = found(Duration::from_secs(75), true, false).await;
    assert_eq!((verdict, found.key), (VerdictWord::Protocol, Punished::ThreeTuple));
    let last = found.last.expect("an end");
    assert!((75..=76).contains(&last.as_secs()), "{last:?}");
    let wanted = |key, least, most| ResidualFinds {
        key: Some(key),
        last: Some(Duration::from_secs(least)..=Duration::from_secs(most)),
    };
    assert!(found.is(&wanted(Punished::ThreeTuple, 73, 77)));
    assert!(!found.is(&wanted(Punished::ThreeTuple, 80, 100)));
    assert!(!found.is(&wanted(Punished::FourTuple, 73, 77)));
}

#[tokio::test]
async fn another_port_of_the_server_makes_it_an_address() {
    assert_eq!(found(Duration::from_secs(30), true, true).await.1.key, Punished::TwoTuple);
}

#[tokio::test]
async fn where_nobody_is_punished_that_is_said() {
    let (verdict, found) = found(Duration::from_secs(30), false, false).await;
    assert_eq!((verdict, found.key, found.last), (VerdictWord::Ok, Punished::Nobody, None));
}

#[tokio::test]
async fn what_does_not_end_is_said_to_be_longer() {
    let (_, found) = found(Duration::from_secs(4000), true, false).await;
    assert_eq!(found.said(), "punishes every connection of this client to this port of the server for more than 600 s");
}
