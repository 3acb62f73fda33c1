//! The look-ups: the system's resolver, a well-known one over UDP, and one over HTTPS.

use std::net::IpAddr;
use std::time::Duration;

use roadblock_scenarios::model::{DnsTransport, Family};

use super::notes::{Course, Notes};
use super::plan::Resolvers;
use crate::ooni::dns::{Answer, Query};
use crate::ooni::occasion::Occasion;
use crate::ooni::web::{CLASSIC, depth_tag};
use crate::probes::dns::{self, Question, Truth};
use crate::probes::failure::Failure;
use crate::probes::timeouts::Timeouts;
use crate::probes::tools::Tools;
use crate::probes::trace::Trace;

/// The addresses of a name, those of the system's resolver first, each once; and whether that found it.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// The addresses.
    pub(super) addresses: Vec<(IpAddr, bool)>,
}

impl Found {
    fn add(&mut self, addresses: &[IpAddr], classic: bool) {
        for address in addresses {
            if self.addresses.iter().all(|(known, _)| known != address) {
                self.addresses.push((*address, classic));
            }
        }
    }
}

/// Asks all of them at once. An address in place of a name is its own answer, as `getaddrinfo` has it.
pub(super) async fn look_up(
    tools: &Tools,
    course: &Course,
    resolvers: &Resolvers,
    host: &str,
    depth: usize,
) -> (Notes, Found) {
    let mut found = Found::default();
    if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
        found.add(&[address], true);
        return (Notes::default(), found);
    }
    let system = ask(tools, course, How::System(resolvers.system), host, depth);
    let udp = async {
        match resolvers.udp {
            Some(address) => ask(tools, course, How::Udp(address), host, depth).await,
            None => (Notes::default(), Vec::new()),
        }
    };
    let doh = async {
        match &resolvers.doh {
            Some((address, name)) => ask(tools, course, How::Doh(*address, name), host, depth).await,
            None => (Notes::default(), Vec::new()),
        }
    };
    let mut notes = Notes::default();
    let (system, udp, doh) = tokio::join!(system, udp, doh);
    for (at, (met, addresses)) in [system, udp, doh].into_iter().enumerate() {
        notes.add(met);
        found.add(&addresses, at == 0);
    }
    (notes, found)
}

/// How a name is asked for.
#[derive(Clone, Copy, Debug)]
enum How<'a> {
    /// As `getaddrinfo` does it.
    System(IpAddr),
    /// Over UDP.
    Udp(IpAddr),
    /// Over HTTPS, from a server of this name.
    Doh(IpAddr, &'a str),
}

async fn ask(tools: &Tools, course: &Course, how: How<'_>, host: &str, depth: usize) -> (Notes, Vec<IpAddr>) {
    let began = course.now();
    let (four, six) = tokio::join!(one_family(tools, how, host, Family::V4), one_family(tools, how, host, Family::V6));
    let transaction = course.transaction();
    let query = |kind: &str, result: &Result<Vec<IpAddr>, Failure>| Query {
        answers: result.iter().flatten().map(answer).collect(),
        engine: Some(how.engine().to_owned()),
        failure: result.as_ref().err().map(ToString::to_string),
        hostname: host.to_owned(),
        query_type: kind.to_owned(),
        resolver_address: Some(how.resolver()),
        occasion: Occasion {
            t0: Some(began),
            t: course.now(),
            tags: [matches!(how, How::System(_)).then(|| CLASSIC.to_owned()), Some(depth_tag(depth))]
                .into_iter()
                .flatten()
                .collect(),
            transaction_id: Some(transaction),
        },
        ..Query::default()
    };
    let queries = match how {
        // One look-up of both kinds (df-002): it fails only where both do, as the first did.
        How::System(_) => vec![query("ANY", &both(&four.1, &six.1))],
        How::Udp(_) | How::Doh(..) => vec![query("A", &four.1), query("AAAA", &six.1)],
    };
    let mut notes = Notes::default();
    notes.keys.queries = queries;
    notes.layers = four.0.into_layers();
    notes.layers.extend(six.0.into_layers());
    (notes, four.1.into_iter().chain(six.1).flatten().collect())
}

fn both(four: &Result<Vec<IpAddr>, Failure>, six: &Result<Vec<IpAddr>, Failure>) -> Result<Vec<IpAddr>, Failure> {
    match (four, six) {
        (Err(failure), Err(_)) => Err(failure.clone()),
        _ => Ok(four.iter().chain(six).flatten().copied().collect()),
    }
}

async fn one_family(tools: &Tools, how: How<'_>, host: &str, family: Family) -> (Trace, Result<Vec<IpAddr>, Failure>) {
    let usual = |address| Question::usual(host, family, address);
    let question = match how {
        How::System(address) | How::Udp(address) => usual(address),
        How::Doh(address, name) => Question {
            resolver: std::net::SocketAddr::new(address, DnsTransport::Https.usual_port()),
            transport: DnsTransport::Https,
            server_name: Some(name.to_owned()),
            ..usual(address)
        },
    };
    // Nobody who opens a page waits for a second answer.
    let hasty = Tools { timeouts: Timeouts { late_answers: Duration::ZERO, ..tools.timeouts }, ..tools.clone() };
    let mut trace = Trace::default();
    let any = Truth::AllOf(Vec::new());
    let answered = Box::pin(dns::resolve(&mut trace, &hasty, &question, &any)).await;
    (trace, answered.map_err(|failure| failure.unwrap_or(Failure::DnsNoAnswer)))
}

impl How<'_> {
    fn engine(self) -> &'static str {
        match self {
            Self::System(_) => "getaddrinfo",
            Self::Udp(_) => "udp",
            Self::Doh(..) => "doh",
        }
    }

    fn resolver(self) -> String {
        match self {
            Self::System(_) => String::new(),
            Self::Udp(address) => std::net::SocketAddr::new(address, 53).to_string(),
            Self::Doh(_, name) => format!("https://{name}/dns-query"),
        }
    }
}

fn answer(address: &IpAddr) -> Answer {
    match address {
        IpAddr::V4(v4) => Answer { answer_type: "A".to_owned(), ipv4: Some(*v4), ..Answer::default() },
        IpAddr::V6(v6) => Answer { answer_type: "AAAA".to_owned(), ipv6: Some(*v6), ..Answer::default() },
    }
}
