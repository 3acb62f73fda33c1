//! What a probe met, layer by layer.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use roadblock_scenarios::model::VerdictWord;
use tokio::time::{Instant, timeout};

use super::failure::Failure;

/// A step of a measurement, as OONI names it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, schemars::JsonSchema, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Operation {
    /// The DNS query.
    Resolve,
    /// The TCP connection.
    Connect,
    /// The TLS handshake.
    TlsHandshake,
    /// The GET and its answer.
    HttpRoundTrip,
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
}

impl Outcome {
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
#[derive(Debug, Default)]
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
        let result = timeout(limit, work).await.unwrap_or(Err(Failure::GenericTimeout));
        let Place { operation, remote, local_port } = place;
        let failure = result.as_ref().err().cloned();
        self.layers.push(Layer { operation, remote, local_port, failure, took: began.elapsed() });
        result
    }

    /// Notes the answers to a DNS query.
    pub(crate) fn answered(&mut self, addresses: &[IpAddr], answers: usize) {
        self.addresses = addresses.to_vec();
        self.answers = answers;
    }

    /// The end of a measurement, with this verdict and no failure.
    pub(crate) fn end(self, verdict: VerdictWord) -> Outcome {
        let Self { layers, addresses, answers } = self;
        Outcome { verdict, failure: None, layers, addresses, answers }
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
        Operation::Connect if failure.is_unreachable() => VerdictWord::Ip,
        Operation::Connect => VerdictWord::Tcp,
        // Every server of the lab has a certificate of the lab's authority: another's comes from somebody between.
        Operation::TlsHandshake if *failure == Failure::SslUnknownAuthority => VerdictWord::Intercepted,
        Operation::TlsHandshake => VerdictWord::Tls,
        Operation::HttpRoundTrip => VerdictWord::Http,
    }
}
