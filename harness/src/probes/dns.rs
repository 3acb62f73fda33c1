//! DNS: what is answered, how often, and is it the truth?

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use roadblock_scenarios::model::{DnsPatience, DnsTransport, Family, VerdictWord};
use tokio::io::{AsyncRead, AsyncWrite};

use super::bogon::is_bogon;
use super::dns_carrier;
use super::failure::Failure;
use super::tools::Tools;
use super::trace::{Outcome, Trace};

/// A question and whom to ask.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// The name asked for.
    pub(crate) name: String,
    /// A or AAAA.
    pub(crate) family: Family,
    /// Whom to ask.
    pub(crate) resolver: SocketAddr,
    /// How it is carried.
    pub(crate) transport: DnsTransport,
    /// The name that the resolver's certificate must be for, where it is asked over TLS.
    pub(crate) server_name: Option<String>,
    /// How long answers are waited for, and which counts.
    pub(crate) patience: DnsPatience,
}

impl Question {
    /// One over UDP, as a stub resolver asks.
    pub(crate) fn usual(name: &str, family: Family, resolver: IpAddr) -> Self {
        let resolver = SocketAddr::new(resolver, 53);
        Self {
            name: name.to_owned(),
            family,
            resolver,
            transport: DnsTransport::Udp,
            server_name: None,
            patience: DnsPatience::default(),
        }
    }
}

/// What makes an answer true.
#[derive(Clone, Debug)]
pub(crate) enum Truth {
    /// It holds only addresses of these.
    OnlyOf(Vec<IpAddr>),
    /// It holds all of these; what the scenario pins may be a bogon.
    AllOf(Vec<IpAddr>),
    /// It holds no bogon: for who cannot know more, as OONI's tests do.
    Public,
}

impl Truth {
    fn holds(&self, answered: &[IpAddr]) -> bool {
        match self {
            Self::OnlyOf(own) => answered.iter().all(|each| own.contains(each)),
            Self::AllOf(pinned) => pinned.iter().all(|each| answered.contains(each)),
            Self::Public => !answered.iter().any(|each| is_bogon(*each)),
        }
    }

    /// Whether these addresses are wrong, and the failure that OONI has for it if any.
    fn judge(&self, answered: &[IpAddr]) -> Result<(), Option<Failure>> {
        if self.holds(answered) {
            return Ok(());
        }
        Err(answered.iter().any(|each| is_bogon(*each)).then_some(Failure::DnsBogon))
    }
}

/// Asks, listens for late answers, and says whether the one that is believed is the truth.
pub(crate) async fn probe(tools: &Tools, question: &Question, truth: &Truth) -> Outcome {
    let mut trace = Trace::default();
    match resolve(&mut trace, tools, question, truth).await {
        Ok(_) => trace.end(VerdictWord::Ok),
        Err(Some(failure)) => trace.failed(failure),
        Err(None) => trace.end(VerdictWord::Dns),
    }
}

/// The addresses of the answer that is believed, for the layers above. An error without a failure is a wrong address.
pub(crate) async fn resolve(
    trace: &mut Trace,
    tools: &Tools,
    question: &Question,
    truth: &Truth,
) -> Result<Vec<IpAddr>, Option<Failure>> {
    let query = query(question).map_err(Some)?;
    let answers = dns_carrier::ask(trace, tools, question, &query).await.map_err(Some)?;
    let believed = if question.patience.last { answers.last() } else { answers.first() };
    let first = believed.map_or(Err(Failure::DnsNoAnswer), addresses);
    trace.answered(first.as_deref().unwrap_or_default(), answers.len());
    let addresses = first.map_err(Some)?;
    truth.judge(&addresses)?;
    Ok(addresses)
}

/// The same over a connection that somebody else has made, as DNS over TCP (RFC 7766).
pub(crate) async fn ask_on<S>(stream: S, question: &Question, truth: &Truth) -> Result<Vec<IpAddr>, Option<Failure>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let query = query(question).map_err(Some)?;
    let answer = dns_carrier::ask_on(stream, &query).await.map_err(Some)?;
    let addresses = addresses(&answer).map_err(Some)?;
    truth.judge(&addresses)?;
    Ok(addresses)
}

/// The bytes of a query for a name's A record.
pub(crate) fn query_bytes(name: &str) -> Result<Vec<u8>, Failure> {
    let query = query(&Question::usual(name, Family::V4, IpAddr::from([0, 0, 0, 0])))?;
    query.to_vec().map_err(|error| Failure::Ours(error.to_string()))
}

fn query(question: &Question) -> Result<Message, Failure> {
    let mut name =
        Name::from_str(&question.name).map_err(|error| Failure::Ours(format!("{}: {error}", question.name)))?;
    name.set_fqdn(true);
    let kind = match question.family {
        Family::V4 => RecordType::A,
        Family::V6 => RecordType::AAAA,
    };
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name, kind));
    Ok(message)
}

fn addresses(answer: &Message) -> Result<Vec<IpAddr>, Failure> {
    match answer.metadata.response_code {
        ResponseCode::NoError => {}
        ResponseCode::NXDomain => return Err(Failure::DnsNxdomain),
        ResponseCode::Refused => return Err(Failure::DnsRefused),
        ResponseCode::ServFail => return Err(Failure::DnsServfail),
        _ => return Err(Failure::DnsServerMisbehaving),
    }
    let addresses: Vec<IpAddr> = answer.answers.iter().filter_map(|record| address(&record.data)).collect();
    if addresses.is_empty() { Err(Failure::DnsNoAnswer) } else { Ok(addresses) }
}

fn address(data: &RData) -> Option<IpAddr> {
    match data {
        RData::A(address) => Some(address.0.into()),
        RData::AAAA(address) => Some(address.0.into()),
        _ => None,
    }
}

#[cfg(test)]
#[path = "dns_tests.rs"]
mod tests;
