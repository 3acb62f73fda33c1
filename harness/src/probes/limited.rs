//! Something is said that lives for so many hops: who answers, and where does it expire?
//!
//! What the kernel keeps to itself is heard on raw sockets: which router says that it has let a packet expire, what of the
//! packet it quotes (as tracebox compares, Detal et al., IMC 2013), and how far a reset has come.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket as StdUdpSocket};
use std::time::Duration;

use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};
use roadblock_censor::policy::TcpFlags;
use roadblock_censor::wire::icmp::Quote;
use roadblock_censor::wire::ip::IpPacket;
use roadblock_censor::wire::tcp::TcpSegment;
use roadblock_scenarios::model::{Says, VerdictWord};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout};

use super::exchange::AGENT;
use super::failure::Failure;
use super::tools::Tools;
use super::trace::{Operation, Trace};
use super::{dns, tcp, tls};

/// Something that is said to a server.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    /// To whom.
    pub(crate) remote: SocketAddr,
    /// In what.
    pub(crate) says: Says,
    /// The name that it says.
    pub(crate) name: String,
}

impl Words {
    /// Which layer speaks.
    pub(crate) const fn operation(&self) -> Operation {
        match self.says {
            Says::ClientHello => Operation::TlsHandshake,
            Says::Request => Operation::HttpRoundTrip,
            Says::Query => Operation::Resolve,
        }
    }

    /// What is sent.
    fn bytes(&self, tools: &Tools) -> Result<Vec<u8>, Failure> {
        let Self { remote, name, .. } = self;
        match self.says {
            Says::ClientHello => tls::client_hello(tools, *remote, name),
            Says::Request => {
                let request = format!("GET / HTTP/1.1\r\nHost: {name}\r\nUser-Agent: {AGENT}\r\nAccept: */*\r\n\r\n");
                Ok(request.into_bytes())
            }
            Says::Query => dns::query_bytes(name),
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Heard {
    /// From which port it was said.
    pub(crate) local_port: u16,
    /// What the client's own kernel made of the answers.
    pub(crate) answer: Answer,
    /// Who said that it has let it expire.
    pub(crate) expired_at: Option<IpAddr>,
    /// Whether the bytes that are quoted there are others than those that were said.
    pub(crate) changed: bool,
    /// The time to live with which the server's SYN/ACK came, and the first reset.
    pub(crate) handshake_ttl: Option<u8>,
    /// See there.
    pub(crate) reset_ttl: Option<u8>,
}

/// The answer to something that was said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Answer {
    /// None.
    Silence,
    /// Bytes.
    Bytes,
    /// A reset.
    Reset,
    /// The end of the connection.
    Closed,
    /// No connection was made, so that nothing was said.
    Unconnected,
}

/// Says it with this time to live, from these ports, and listens for a while; the connection itself is made with the usual
/// one. Without one all of it lives as long as usual.
pub(crate) async fn say(tools: &Tools, words: &Words, ttl: Option<u8>, listen: Duration) -> Result<Heard, Failure> {
    let mut ears = Ears::open().map_err(|error| Failure::of_socket(&error))?;
    let bytes = words.bytes(tools)?;
    let said = Said { remote: words.remote, bytes: &bytes, ttl, listen };
    let (local_port, answer) = match words.says {
        Says::ClientHello | Says::Request => over_tcp(tools, said, &mut ears).await?,
        Says::Query => over_udp(tools, said, &mut ears).await?,
    };
    let (own, remote) = (tools.source.client.v4, words.remote);
    let mut heard =
        Heard { local_port, answer, expired_at: None, changed: false, handshake_ttl: None, reset_ttl: None };
    for packet in &ears.errors {
        let Some(expiry) = expiry(packet, (own, local_port), remote) else { continue };
        heard.changed |= !expiry.quoted.is_empty() && !bytes.starts_with(&expiry.quoted);
        heard.expired_at.get_or_insert(expiry.at);
    }
    for packet in &ears.segments {
        let Some((flags, ttl)) = segment(packet, (own, local_port), remote) else { continue };
        if flags.contains(TcpFlags::RST) {
            heard.reset_ttl.get_or_insert(ttl);
        } else if flags.contains(TcpFlags::SYN) {
            heard.handshake_ttl.get_or_insert(ttl);
        }
    }
    Ok(heard)
}

/// Bytes on their way.
#[derive(Clone, Copy)]
struct Said<'a> {
    remote: SocketAddr,
    bytes: &'a [u8],
    ttl: Option<u8>,
    listen: Duration,
}

async fn over_tcp(tools: &Tools, said: Said<'_>, ears: &mut Ears) -> Result<(u16, Answer), Failure> {
    let Said { remote, bytes, ttl, listen } = said;
    let mut trace = Trace::default();
    let connected = tcp::connect(&mut trace, tools, remote).await;
    let unconnected = trace.end(VerdictWord::Ok).local_port().unwrap_or_default();
    let mut stream = match connected {
        Ok(stream) => stream,
        Err(failure) if failure.is_local() => return Err(failure),
        Err(_) => return Ok((unconnected, Answer::Unconnected)),
    };
    let local_port = stream.local_addr().map_or(unconnected, |address| address.port());
    if let Some(ttl) = ttl {
        stream.set_ttl(ttl.into()).map_err(|error| Failure::of_socket(&error))?;
    }
    stream.write_all(bytes).await.map_err(|error| Failure::from(&error))?;
    let mut buffer = [0; 2048];
    let answer = ears.while_listening(listen, stream.read(&mut buffer)).await;
    let answer = match answer {
        None => Answer::Silence,
        Some(Ok(0)) => Answer::Closed,
        Some(Ok(_)) => Answer::Bytes,
        Some(Err(_)) => Answer::Reset,
    };
    // What ends the connection goes all the way, so that its server forgets it and its ports are free.
    stream.set_ttl(USUAL_TTL).map_err(|error| Failure::of_socket(&error))?;
    stream.set_zero_linger().map_err(|error| Failure::of_socket(&error))?;
    Ok((local_port, answer))
}

async fn over_udp(tools: &Tools, said: Said<'_>, ears: &mut Ears) -> Result<(u16, Answer), Failure> {
    let Said { remote, bytes, ttl, listen } = said;
    let (socket, local_port) = tools.source.udp(remote).await.map_err(|error| Failure::of_socket(&error))?;
    if let Some(ttl) = ttl {
        socket.set_ttl(ttl.into()).map_err(|error| Failure::of_socket(&error))?;
    }
    socket.send(bytes).await.map_err(|error| Failure::from(&error))?;
    let mut buffer = [0; 2048];
    let answer = ears.while_listening(listen, socket.recv(&mut buffer)).await;
    Ok((
        local_port,
        answer.map_or(Answer::Silence, |answer| if answer.is_ok() { Answer::Bytes } else { Answer::Reset }),
    ))
}

/// Raw sockets, and what came on them.
struct Ears {
    icmp: UdpSocket,
    tcp: UdpSocket,
    errors: Vec<Vec<u8>>,
    segments: Vec<Vec<u8>>,
}

impl Ears {
    /// In the calling thread's namespace, in which the process must have `CAP_NET_RAW`.
    fn open() -> io::Result<Self> {
        let (icmp, tcp) = (raw(SockProtocol::Icmp)?, raw(SockProtocol::Tcp)?);
        Ok(Self { icmp, tcp, errors: Vec::new(), segments: Vec::new() })
    }

    /// Listens until the time is over or, a moment before, something was answered; gives the answer.
    async fn while_listening<T>(&mut self, listen: Duration, answer: impl Future<Output = T>) -> Option<T> {
        let (mut until, mut given) = (Instant::now() + listen, None);
        tokio::pin!(answer);
        let (mut error, mut segment) = (vec![0; LONGEST], vec![0; LONGEST]);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let next = async {
                tokio::select! {
                    value = &mut answer, if given.is_none() => Event::Answer(value),
                    Ok(length) = self.icmp.recv(&mut error) => Event::Error(length),
                    Ok(length) = self.tcp.recv(&mut segment) => Event::Segment(length),
                }
            };
            match timeout(left, next).await {
                Err(_) => return given,
                Ok(Event::Answer(value)) => {
                    given = Some(value);
                    until = until.min(Instant::now() + GRACE);
                }
                Ok(Event::Error(length)) => self.errors.push(error.get(..length).unwrap_or_default().to_vec()),
                Ok(Event::Segment(length)) => self.segments.push(segment.get(..length).unwrap_or_default().to_vec()),
            }
        }
    }
}

enum Event<T> {
    Answer(T),
    Error(usize),
    Segment(usize),
}

fn raw(protocol: SockProtocol) -> io::Result<UdpSocket> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    UdpSocket::from_std(StdUdpSocket::from(socket(AddressFamily::Inet, SockType::Raw, flags, protocol)?))
}

/// Where a packet expired, and what is quoted of its payload.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Expiry {
    at: IpAddr,
    quoted: Vec<u8>,
}

/// What a router says about a packet of these ports (RFC 792: time exceeded, in transit).
fn expiry(packet: &[u8], own: (Ipv4Addr, u16), remote: SocketAddr) -> Option<Expiry> {
    let packet = IpPacket::parse(packet)?;
    let Quote { addresses, ports, .. } = Quote::parse(&packet)?;
    let is_own = addresses.source() == IpAddr::V4(own.0)
        && addresses.destination() == remote.ip()
        && ports == (own.1, remote.port())
        && packet.payload().first() == Some(&TIME_EXCEEDED);
    let quoted = IpPacket::parse_beginning(packet.payload().get(ICMP_HEADER..)?)?;
    let payload = match quoted.protocol() {
        PROTOCOL_TCP => TcpSegment::parse_carelessly(quoted.payload()).map(|segment| segment.payload().to_vec()),
        _ => quoted.payload().get(UDP_HEADER..).map(<[u8]>::to_vec),
    };
    is_own.then(|| Expiry { at: packet.addresses().source(), quoted: payload.unwrap_or_default() })
}

/// The flags and time to live of a segment that came to these ports.
fn segment(packet: &[u8], own: (Ipv4Addr, u16), remote: SocketAddr) -> Option<(TcpFlags, u8)> {
    let packet = IpPacket::parse(packet)?;
    let segment = TcpSegment::parse_carelessly(packet.payload())?;
    let addresses = packet.addresses();
    let is_own = addresses.source() == remote.ip()
        && addresses.destination() == IpAddr::V4(own.0)
        && (segment.source_port(), segment.destination_port()) == (remote.port(), own.1);
    is_own.then(|| (segment.flags(), packet.ttl()))
}

const TIME_EXCEEDED: u8 = 11;
const ICMP_HEADER: usize = 8;
const UDP_HEADER: usize = 8;
const PROTOCOL_TCP: u8 = 6;
const LONGEST: usize = 65_535;
/// What Linux sends with.
const USUAL_TTL: u32 = 64;
/// How long after an answer another sign of where it came from may still come.
const GRACE: Duration = Duration::from_millis(60);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OWN: (Ipv4Addr, u16) = (Ipv4Addr::new(10, 0, 0, 1), 4000);

    fn remote() -> SocketAddr {
        "198.51.100.7:443".parse().expect("an address")
    }

    /// What a router of Linux answers: the whole packet is quoted (RFC 1812 section 4.3.2.3).
    fn time_exceeded(payload: &[u8]) -> Vec<u8> {
        let segment =
            [&[0x0f, 0xa0, 0x01, 0xbb, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x18, 1, 0, 0, 0, 0, 0], payload].concat();
        let length = |header: usize, rest: usize| u16::try_from(header + rest).expect("short").to_be_bytes();
        let [high, low] = length(20, segment.len());
        let quoted =
            [&[0x45, 0, high, low, 0, 0, 0, 0, 1, 6, 0, 0, 10, 0, 0, 1, 198, 51, 100, 7][..], &segment].concat();
        let message = [&[11, 0, 0, 0, 0, 0, 0, 0][..], &quoted].concat();
        let [high, low] = length(20, message.len());
        [&[0x45, 0, high, low, 0, 0, 0, 0, 64, 1, 0, 0, 192, 0, 2, 1, 10, 0, 0, 1][..], &message].concat()
    }

    #[test]
    fn a_router_says_where_it_is_and_what_it_saw() {
        let expected = Expiry { at: "192.0.2.1".parse().expect("one"), quoted: b"hello".to_vec() };
        assert_eq!(expiry(&time_exceeded(b"hello"), OWN, remote()), Some(expected));
        assert_eq!(expiry(&time_exceeded(b"hello"), (OWN.0, 4001), remote()), None, "another connection's");
        let mut unreachable = time_exceeded(b"hello");
        unreachable[20] = 3;
        assert_eq!(expiry(&unreachable, OWN, remote()), None);
    }

    #[test]
    fn a_reset_says_how_far_it_has_come() {
        let mut packet = vec![0x45, 0, 0, 40, 0, 0, 0, 0, 57, 6, 0, 0, 198, 51, 100, 7, 10, 0, 0, 1];
        packet.extend([0x01, 0xbb, 0x0f, 0xa0, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x14, 0, 0, 0, 0, 0, 0]);
        let (flags, ttl) = segment(&packet, OWN, remote()).expect("its own");
        assert!(flags.contains(TcpFlags::RST) && ttl == 57);
        assert_eq!(segment(&packet, (OWN.0, 1), remote()), None);
    }

    proptest! {
        #[test]
        fn arbitrary_packets_are_no_danger(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = expiry(&bytes, OWN, remote());
            let _ = segment(&bytes, OWN, remote());
        }
    }
}
