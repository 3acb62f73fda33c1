//! How a DNS query travels and its answer comes back: UDP, TCP, TLS (RFC 7858), HTTPS (RFC 8484).

use std::io;

use hickory_proto::op::{Message, MessageType};
use http_body_util::Full;
use hyper::Method;
use hyper::body::Bytes;
use hyper::header::{ACCEPT, CONTENT_TYPE};
use roadblock_scenarios::model::{DnsTransport, HttpVersion};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use super::dns::Question;
use super::failure::Failure;
use super::tls::{Alpn, Greeting};
use super::tools::Tools;
use super::trace::{Operation, Place, Trace};
use super::url::WebUrl;
use super::{exchange, tls};

/// Asks and gives the answers, in the order in which they came; over a connection there is only one.
pub(crate) async fn ask(
    trace: &mut Trace,
    tools: &Tools,
    question: &Question,
    query: &Message,
) -> Result<Vec<Message>, Failure> {
    let bytes = query.to_vec().map_err(|error| Failure::Ours(error.to_string()))?;
    // The rarer and larger ones are boxed: an app asks many names at once, and a thread's stack has its limits.
    match question.transport {
        DnsTransport::Udp => over_udp(trace, tools, question, query, &bytes).await,
        DnsTransport::Tcp => over_tcp(trace, tools, question, query, &bytes).await,
        DnsTransport::Tls => Box::pin(over_tls(trace, tools, question, query, &bytes)).await,
        DnsTransport::Https => Box::pin(over_https(trace, tools, question, query, bytes)).await,
    }
}

async fn over_udp(
    trace: &mut Trace,
    tools: &Tools,
    question: &Question,
    query: &Message,
    bytes: &[u8],
) -> Result<Vec<Message>, Failure> {
    let remote = question.resolver;
    let (socket, local_port) = tools.source.udp(remote).await.map_err(|error| Failure::of_socket(&error))?;
    let place = Place { operation: Operation::Resolve, remote, local_port };
    let sent = tools.time.now();
    let first = async {
        socket.send(bytes).await.map_err(|error| Failure::from(&error))?;
        next_answer(&socket, query).await.map_err(|error| Failure::from(&error))
    };
    let mut answers = vec![trace.layer(place, tools.timeouts.dns, first).await?];
    late_answers(&mut answers, tools, &socket, query).await;
    if !question.patience.within.is_zero() {
        // The lab's clock may jump to the end of this, and what it releases then comes a moment later.
        tools.time.sleep_until(sent + question.patience.within).await;
        late_answers(&mut answers, tools, &socket, query).await;
    }
    Ok(answers)
}

/// Listens for a moment.
async fn late_answers(answers: &mut Vec<Message>, tools: &Tools, socket: &UdpSocket, query: &Message) {
    let until = Instant::now() + tools.timeouts.late_answers;
    while let Ok(Ok(answer)) = timeout_at(until, next_answer(socket, query)).await {
        answers.push(answer);
    }
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

async fn over_tcp(
    trace: &mut Trace,
    tools: &Tools,
    question: &Question,
    query: &Message,
    bytes: &[u8],
) -> Result<Vec<Message>, Failure> {
    let remote = question.resolver;
    let (socket, local_port) = tools.source.tcp(remote.ip()).map_err(|error| Failure::of_socket(&error))?;
    let place = Place { operation: Operation::Resolve, remote, local_port };
    let asked = async {
        let stream = socket.connect(remote).await.map_err(|error| Failure::from(&error))?;
        on_stream(stream, bytes).await
    };
    let answer = trace.layer(place, tools.timeouts.dns, asked).await?;
    read(&answer, query)
}

async fn over_tls(
    trace: &mut Trace,
    tools: &Tools,
    question: &Question,
    query: &Message,
    bytes: &[u8],
) -> Result<Vec<Message>, Failure> {
    let stream = tls::connect(trace, tools, &greeting(question, Alpn::Nothing)).await?;
    let local_port = stream.get_ref().0.local_addr().map_or(0, |address| address.port());
    let place = Place { operation: Operation::Resolve, remote: question.resolver, local_port };
    let answer = trace.layer(place, tools.timeouts.dns, on_stream(stream, bytes)).await?;
    read(&answer, query)
}

/// Asks on a connection that is there.
pub(crate) async fn ask_on(stream: impl AsyncRead + AsyncWrite + Unpin, query: &Message) -> Result<Message, Failure> {
    let bytes = query.to_vec().map_err(|error| Failure::Ours(error.to_string()))?;
    let answer = on_stream(stream, &bytes).await?;
    read(&answer, query)?.pop().ok_or(Failure::DnsNoAnswer)
}

/// RFC 1035 section 4.2.2: a length of two bytes comes first.
async fn on_stream(mut stream: impl AsyncRead + AsyncWrite + Unpin, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
    let length = u16::try_from(bytes.len()).map_err(|_| Failure::Ours("the query is too long".to_owned()))?;
    let exchange = async {
        stream.write_all(&[&length.to_be_bytes()[..], bytes].concat()).await?;
        let length = stream.read_u16().await?;
        let mut answer = vec![0; usize::from(length)];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    };
    exchange.await.map_err(|error: io::Error| Failure::from(&error))
}

/// RFC 8484 section 4.1, by POST over HTTP/2, which its section 5.2 asks for.
async fn over_https(
    trace: &mut Trace,
    tools: &Tools,
    question: &Question,
    query: &Message,
    bytes: Vec<u8>,
) -> Result<Vec<Message>, Failure> {
    let greeting = greeting(question, Alpn::Http2);
    let stream = tls::connect(trace, tools, &greeting).await?;
    let local_port = stream.get_ref().0.local_addr().map_or(0, |address| address.port());
    let place = Place { operation: Operation::Resolve, remote: question.resolver, local_port };
    let url =
        WebUrl { secure: true, host: greeting.sni, port: question.resolver.port(), path: "/dns-query".to_owned() };
    let request = exchange::request(Method::POST, &url, HttpVersion::Two)
        .header(CONTENT_TYPE, MESSAGE)
        .header(ACCEPT, MESSAGE)
        .body(Full::new(Bytes::from(bytes)))
        .map_err(|error| Failure::Ours(error.to_string()))?;
    let asked = Box::pin(exchange::send(request, HttpVersion::Two, stream));
    let answer = trace.layer(place, tools.timeouts.dns, asked).await?;
    if !answer.status.is_success() {
        return Err(Failure::DnsServerMisbehaving);
    }
    read(&answer.body, query)
}

fn greeting(question: &Question, alpn: Alpn) -> Greeting {
    Greeting { remote: question.resolver, sni: question.server_name.clone().unwrap_or_default(), verify: true, alpn }
}

fn read(bytes: &[u8], query: &Message) -> Result<Vec<Message>, Failure> {
    let answer = Message::from_vec(bytes).map_err(|_| Failure::DnsServerMisbehaving)?;
    if answers(&answer, query) { Ok(vec![answer]) } else { Err(Failure::DnsServerMisbehaving) }
}

fn answers(answer: &Message, query: &Message) -> bool {
    answer.metadata.message_type == MessageType::Response
        && answer.metadata.id == query.metadata.id
        && (answer.queries.is_empty() || answer.queries == query.queries)
}

/// RFC 8484 section 6.
const MESSAGE: &str = "application/dns-message";
