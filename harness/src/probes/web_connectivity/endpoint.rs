//! An endpoint: a connection, and a handshake where the URL wants one.

use std::net::SocketAddr;
use std::sync::PoisonError;

use tokio_rustls::client::TlsStream;

use super::notes::{Notes, Stamp};
use super::recorder::{Events, Recorder};
use crate::ooni::tcp::{TcpConnect, TcpStatus};
use crate::ooni::tls::{Certificate, TlsHandshake};
use crate::probes::failure::Failure;
use crate::probes::tcp;
use crate::probes::tls::{self, Alpn, Greeting};
use crate::probes::tools::Tools;
use crate::probes::trace::Trace;

/// A connection that can be used.
#[derive(Debug)]
pub(super) enum Ready {
    /// As it is.
    Plain(Recorder),
    /// With TLS.
    Secure(Box<TlsStream<Recorder>>),
}

/// What came of an endpoint.
#[derive(Debug)]
pub(super) struct Reached {
    /// What was met.
    pub(super) notes: Notes,
    /// What marks it.
    pub(super) stamp: Stamp,
    /// The connection, where it can be used.
    pub(super) ready: Option<Ready>,
    /// What happens on it from here on.
    pub(super) events: Events,
    /// The port that it came from.
    pub(super) local_port: u16,
}

/// Connects, and shakes hands as `sni` where there is one.
pub(super) async fn reach(tools: &Tools, stamp: Stamp, sni: Option<&str>) -> Reached {
    let mut trace = Trace::default();
    let began = stamp.now();
    let connected = tcp::connect(&mut trace, tools, stamp.remote).await;
    let mut notes = Notes::default();
    let failure = connected.as_ref().err().map(ToString::to_string);
    notes.keys.network_events.push(stamp.event("connect", None, failure.clone()));
    notes.keys.tcp_connect.push(connect_entry(&stamp, began, failure));
    let Ok(stream) = connected else {
        notes.layers = trace.into_layers();
        return Reached { notes, stamp, ready: None, events: Events::default(), local_port: 0 };
    };
    let local_port = stream.local_addr().map_or(0, |address| address.port());
    let (stream, events) = Recorder::new(stream, stamp.clone());
    let ready = match sni {
        None => Some(Ready::Plain(stream)),
        Some(sni) => {
            let shaken = shake(&mut trace, tools, &mut notes, (&stamp, sni), local_port, stream).await;
            shaken.map(|stream| Ready::Secure(Box::new(stream)))
        }
    };
    notes.layers = trace.into_layers();
    Reached { notes, stamp, ready, events, local_port }
}

impl Reached {
    /// Takes what happened on the connection so far into the notes.
    pub(super) fn gather(&mut self) {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        self.notes.keys.network_events.append(&mut events);
    }
}

async fn shake(
    trace: &mut Trace,
    tools: &Tools,
    notes: &mut Notes,
    (stamp, sni): (&Stamp, &str),
    local_port: u16,
    stream: Recorder,
) -> Option<TlsStream<Recorder>> {
    let greeting = Greeting { remote: stamp.remote, sni: sni.to_owned(), verify: true, alpn: Alpn::Http1 };
    notes.keys.network_events.push(stamp.event("tls_handshake_start", None, None));
    let began = stamp.now();
    let shaken = Box::pin(tls::shake_from(trace, tools, &greeting, local_port, stream)).await;
    let failure = shaken.as_ref().err().map(Failure::to_string);
    notes.keys.network_events.push(stamp.event("tls_handshake_done", None, failure.clone()));
    notes.keys.tls_handshakes.push(handshake_entry(stamp, sni, began, failure, shaken.as_ref().ok()));
    shaken.ok()
}

fn connect_entry(stamp: &Stamp, began: f64, failure: Option<String>) -> TcpConnect {
    TcpConnect {
        ip: stamp.remote.ip(),
        port: SocketAddr::port(&stamp.remote),
        status: TcpStatus { blocked: None, success: failure.is_none(), failure },
        occasion: stamp.since(began),
    }
}

fn handshake_entry(
    stamp: &Stamp,
    sni: &str,
    began: f64,
    failure: Option<String>,
    stream: Option<&TlsStream<Recorder>>,
) -> TlsHandshake {
    let session = stream.map(|stream| stream.get_ref().1);
    let suite = session.and_then(|session| session.negotiated_cipher_suite());
    let version = session.and_then(|session| session.protocol_version());
    let certificates = session.and_then(|session| session.peer_certificates()).unwrap_or_default();
    let alpn = session.and_then(|session| session.alpn_protocol());
    TlsHandshake {
        network: Some("tcp".to_owned()),
        address: Some(stamp.remote.to_string()),
        // rustls writes the version into the name of a suite of TLS 1.3, IANA does not.
        cipher_suite: suite.map(|suite| format!("{:?}", suite.suite()).replace("TLS13_", "TLS_")),
        failure,
        negotiated_protocol: alpn.map(|protocol| String::from_utf8_lossy(protocol).into_owned()),
        peer_certificates: certificates.iter().map(|each| Certificate(each.to_vec())).collect(),
        server_name: Some(sni.to_owned()),
        tls_version: version.map(|version| format!("{version:?}").replace("TLSv1_", "TLSv1.")),
        occasion: stamp.since(began),
        ..TlsHandshake::default()
    }
}
