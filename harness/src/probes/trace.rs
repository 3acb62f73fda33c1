//! What a probe met, layer by layer.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use roadblock_scenarios::model::VerdictWord;
use tokio::time::{Instant, timeout};

use super::failure::Failure;
use super::found::Found;
use super::witness::hopeless;

/// A step of a measurement, as OONI names it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, schemars::JsonSchema, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Operation {
    /// The DNS query.
    Resolve,
    /// The ICMP echo request.
    Ping,
    /// The TCP connection.
    Connect,
    /// The TLS handshake.
    TlsHandshake,
    /// The QUIC handshake.
    QuicHandshake,
    /// The GET and its answer over QUIC.
    QuicRoundTrip,
    /// The GET and its answer.
    HttpRoundTrip,
    /// A transfer whose speed counts.
    Transfer,
    /// The opening of a WebSocket, and a message over it.
    WebSocket,
    /// The handshake of a chat's own encryption.
    ChatHandshake,
    /// A message and its receipt.
    Message,
    /// A STUN binding request.
    StunBinding,
    /// The sound of a call.
    Sound,
    /// The handshake of a tunnel.
    TunnelHandshake,
    /// A packet through a tunnel.
    TunnelPacket,
    /// Bytes on a connection, and what comes back.
    Payload,
    /// A datagram, and what comes back.
    Datagram,
    /// Several.
    Datagrams,
}

/// One layer of a measurement.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    /// What was tried.
    pub(crate) operation: Operation,
    /// With whom.
    pub(crate) remote: SocketAddr,
    /// From which port.
    pub(crate) local_port: u16,
    /// How it failed, if it did.
    pub(crate) failure: Option<Failure>,
    /// How long it took.
    pub(crate) took: Duration,
}

/// What a measurement gave.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// In one word.
    pub(crate) verdict: VerdictWord,
    /// How it failed; a block page and a wrong address are no failure.
    pub(crate) failure: Option<Failure>,
    /// The layers, in order; where the verdict is not `ok`, the last is the one that decided.
    pub(crate) layers: Vec<Layer>,
    /// What was answered to a DNS query: the first answer's addresses.
    pub(crate) addresses: Vec<IpAddr>,
    /// How many answers came to the DNS query; more than one means that somebody else answered too.
    pub(crate) answers: usize,
    /// Which part of an app this is about, for people: `chat`, `media`.
    pub(crate) part: Option<&'static str>,
    /// What a person says of it, where verdict and failure say too little: `cut`, `dies after 2 packets`.
    pub(crate) how: Option<String>,
    /// How fast a transfer was, in kilobits a second.
    pub(crate) speed: Option<u64>,
    /// OONI's test keys, where OONI has the test, and what else was measured.
    pub(crate) test_keys: TestKeys,
    /// All that was met, in OONI's form, where the measurement writes it down by itself.
    pub(crate) ooni: Option<Box<crate::ooni::measurement::TestKeys>>,
    /// What was found out, beside the verdict.
    pub(crate) found: Option<Found>,
}

/// Test keys by their names.
pub(crate) type TestKeys = serde_json::Map<String, serde_json::Value>;

impl Outcome {
    /// One of a measurement that met nothing.
    pub(crate) fn new(verdict: VerdictWord) -> Self {
        Self {
            verdict,
            failure: None,
            layers: Vec::new(),
            addresses: Vec::new(),
            answers: 0,
            part: None,
            how: None,
            speed: None,
            test_keys: TestKeys::new(),
            ooni: None,
            found: None,
        }
    }

    /// The same, as a part of an app.
    pub(crate) fn of(self, part: &'static str) -> Self {
        Self { part: Some(part), ..self }
    }

    /// The same, in a person's words.
    pub(crate) fn said(self, how: impl Into<String>) -> Self {
        Self { how: Some(how.into()), ..self }
    }

    /// The same, with another verdict.
    pub(crate) fn judged(self, verdict: VerdictWord) -> Self {
        Self { verdict, ..self }
    }

    /// Whether it was reached.
    pub(crate) fn is_ok(&self) -> bool {
        self.verdict == VerdictWord::Ok
    }

    /// The layer that decided a verdict other than `ok`.
    pub(crate) fn decisive_layer(&self) -> Option<&Layer> {
        self.layers.last()
    }

    /// The port that the last connection came from.
    pub(crate) fn local_port(&self) -> Option<u16> {
        self.layers.last().map(|layer| layer.local_port)
    }
}

/// The layers so far of a measurement that goes on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    layers: Vec<Layer>,
    addresses: Vec<IpAddr>,
    answers: usize,
}

impl Trace {
    /// Does one layer's work within its time and notes how it went.
    pub(crate) async fn layer<T>(
        &mut self,
        place: Place,
        limit: Duration,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let began = Instant::now();
        let hopeless = hopeless(place);
        let result = tokio::select! {
            biased;
            result = timeout(limit, work) => result.unwrap_or(Err(Failure::GenericTimeout)),
            () = hopeless => Err(Failure::GenericTimeout),
        };
        let Place { operation, remote, local_port } = place;
        let failure = result.as_ref().err().cloned();
        self.layers.push(Layer { operation, remote, local_port, failure, took: began.elapsed() });
        result
    }

    /// Notes a layer whose work was done already.
    pub(crate) fn note(&mut self, place: Place, failure: Option<Failure>) {
        let Place { operation, remote, local_port } = place;
        self.layers.push(Layer { operation, remote, local_port, failure, took: Duration::ZERO });
    }

    /// What was tried last.
    pub(crate) fn last_operation(&self) -> Option<Operation> {
        self.layers.last().map(|layer| layer.operation)
    }

    /// Takes over what was met elsewhere, by an attempt that ran beside others.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.layers.extend(other.layers);
    }

    /// Notes the answers to a DNS query.
    pub(crate) fn answered(&mut self, addresses: &[IpAddr], answers: usize) {
        self.addresses = addresses.to_vec();
        self.answers = answers;
    }

    /// What was met so far.
    pub(crate) fn into_layers(self) -> Vec<Layer> {
        self.layers
    }

    /// The end of a measurement, with this verdict and no failure.
    pub(crate) fn end(self, verdict: VerdictWord) -> Outcome {
        let Self { layers, addresses, answers } = self;
        Outcome { layers, addresses, answers, ..Outcome::new(verdict) }
    }

    /// The end of a measurement whose DNS query failed, or had a wrong address for its answer.
    pub(crate) fn unresolved(self, failure: Option<Failure>) -> Outcome {
        match failure {
            Some(failure) => self.failed(failure),
            None => self.end(VerdictWord::Dns),
        }
    }

    /// The end of a measurement whose last layer failed.
    pub(crate) fn failed(self, failure: Failure) -> Outcome {
        let verdict = self.layers.last().map_or(VerdictWord::Unmeasured, |last| verdict(last.operation, &failure));
        Outcome { failure: Some(failure), ..self.end(verdict) }
    }
}

/// Where a layer's work goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// What is tried.
    pub(crate) operation: Operation,
    /// With whom.
    pub(crate) remote: SocketAddr,
    /// From which port.
    pub(crate) local_port: u16,
}

fn verdict(operation: Operation, failure: &Failure) -> VerdictWord {
    match operation {
        _ if failure.is_local() => VerdictWord::Unmeasured,
        Operation::Resolve => VerdictWord::Dns,
        Operation::Ping => VerdictWord::Ip,
        // Over UDP these are the first that meet the network.
        Operation::Connect
        | Operation::StunBinding
        | Operation::TunnelHandshake
        | Operation::Datagram
        | Operation::Datagrams
            if failure.is_unreachable() =>
        {
            VerdictWord::Ip
        }
        Operation::Connect => VerdictWord::Tcp,
        // Every server of the lab has a certificate of the lab's authority: another's comes from somebody between.
        Operation::TlsHandshake | Operation::QuicHandshake if *failure == Failure::SslUnknownAuthority => {
            VerdictWord::Intercepted
        }
        Operation::TlsHandshake => VerdictWord::Tls,
        Operation::QuicHandshake | Operation::QuicRoundTrip => VerdictWord::Quic,
        Operation::HttpRoundTrip | Operation::Transfer | Operation::WebSocket => VerdictWord::Http,
        Operation::ChatHandshake
        | Operation::Message
        | Operation::StunBinding
        | Operation::Sound
        | Operation::TunnelHandshake
        | Operation::TunnelPacket
        | Operation::Payload
        | Operation::Datagram
        | Operation::Datagrams => VerdictWord::Protocol,
    }
}
