//! DNS: what is answered, how often, and is it the truth?

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use hickory_proto::op::{Message, MessageType, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use roadblock_scenarios::model::{Family, VerdictWord};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use super::bogon::is_bogon;
use super::failure::Failure;
use super::socket::Source;
use super::timeouts::Timeouts;
use super::trace::{Operation, Outcome, Place, Trace};

/// A question and whom to ask.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// The name asked for.
    pub(crate) name: String,
    /// A or AAAA.
    pub(crate) family: Family,
    /// Whom to ask.
    pub(crate) resolver: SocketAddr,
    /// Over TCP instead of UDP.
    pub(crate) tcp: bool,
}

/// What makes an answer true.
#[derive(Clone, Debug)]
pub(crate) enum Truth {
    /// It holds only addresses of these.
    OnlyOf(Vec<IpAddr>),
    /// It holds all of these; what the scenario pins may be a bogon.
    AllOf(Vec<IpAddr>),
}

impl Truth {
    fn holds(&self, answered: &[IpAddr]) -> bool {
        match self {
            Self::OnlyOf(own) => answered.iter().all(|each| own.contains(each)),
            Self::AllOf(pinned) => pinned.iter().all(|each| answered.contains(each)),
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

/// Asks, listens for late answers, and says whether the first one is the truth.
pub(crate) async fn probe(source: &Source, question: &Question, truth: &Truth, timeouts: Timeouts) -> Outcome {
    let mut trace = Trace::default();
    match resolve(&mut trace, source, question, truth, timeouts).await {
        Ok(_) => trace.end(VerdictWord::Ok),
        Err(Some(failure)) => trace.failed(failure),
        Err(None) => trace.end(VerdictWord::Dns),
    }
}

/// The addresses of the first answer, for the layers above. An error without a failure is a wrong address.
pub(crate) async fn resolve(
    trace: &mut Trace,
    source: &Source,
    question: &Question,
    truth: &Truth,
    timeouts: Timeouts,
) -> Result<Vec<IpAddr>, Option<Failure>> {
    let query = query(question).map_err(Some)?;
    let answers = if question.tcp {
        ask_tcp(trace, source, question.resolver, &query, timeouts).await
    } else {
        ask_udp(trace, source, question.resolver, &query, timeouts).await
    };
    let answers = answers.map_err(Some)?;
    let first = answers.first().map_or(Err(Failure::DnsNoAnswer), addresses);
    trace.answered(first.as_deref().unwrap_or_default(), answers.len());
    let addresses = first.map_err(Some)?;
    truth.judge(&addresses)?;
    Ok(addresses)
}

async fn ask_udp(
    trace: &mut Trace,
    source: &Source,
    resolver: SocketAddr,
    query: &Message,
    timeouts: Timeouts,
) -> Result<Vec<Message>, Failure> {
    let bytes = encode(query)?;
    let (socket, local_port) = source.udp(resolver).await.map_err(|error| Failure::of_socket(&error))?;
    let place = Place { operation: Operation::Resolve, remote: resolver, local_port };
    let first = async {
        socket.send(&bytes).await.map_err(|error| Failure::from(&error))?;
        next_answer(&socket, query).await.map_err(|error| Failure::from(&error))
    };
    let mut answers = vec![trace.layer(place, timeouts.dns, first).await?];
    let until = Instant::now() + timeouts.late_answers;
    while let Ok(Ok(answer)) = timeout_at(until, next_answer(&socket, query)).await {
        answers.push(answer);
    }
    Ok(answers)
}

/// The next datagram that answers the query; what does not is passed over, as a stub resolver does.
async fn next_answer(socket: &UdpSocket, query: &Message) -> io::Result<Message> {
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        let length = socket.recv(&mut buffer).await?;
        match Message::from_vec(&buffer[..length]) {
            Ok(answer) if answers(&answer, query) => return Ok(answer),
            _ => {}
        }
    }
}

async fn ask_tcp(
    trace: &mut Trace,
    source: &Source,
    resolver: SocketAddr,
    query: &Message,
    timeouts: Timeouts,
) -> Result<Vec<Message>, Failure> {
    let bytes = encode(query)?;
    let length = u16::try_from(bytes.len()).map_err(|_| Failure::Ours("the query is too long".to_owned()))?;
    let (socket, local_port) = source.tcp(resolver.ip()).map_err(|error| Failure::of_socket(&error))?;
    let place = Place { operation: Operation::Resolve, remote: resolver, local_port };
    let exchange = async {
        // RFC 1035 section 4.2.2: a length of two bytes comes first.
        let mut stream = socket.connect(resolver).await?;
        stream.write_all(&[&length.to_be_bytes()[..], &bytes].concat()).await?;
        let length = stream.read_u16().await?;
        let mut answer = vec![0; usize::from(length)];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    };
    let answer = trace
        .layer(place, timeouts.dns, async { exchange.await.map_err(|error: io::Error| Failure::from(&error)) })
        .await?;
    let answer = Message::from_vec(&answer).map_err(|_| Failure::DnsServerMisbehaving)?;
    if answers(&answer, query) { Ok(vec![answer]) } else { Err(Failure::DnsServerMisbehaving) }
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

fn encode(query: &Message) -> Result<Vec<u8>, Failure> {
    query.to_vec().map_err(|error| Failure::Ours(error.to_string()))
}

fn answers(answer: &Message, query: &Message) -> bool {
    answer.metadata.message_type == MessageType::Response
        && answer.metadata.id == query.metadata.id
        && (answer.queries.is_empty() || answer.queries == query.queries)
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
