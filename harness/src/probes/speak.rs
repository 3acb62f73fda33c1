//! Bytes as they are written: do they arrive, and does something come back?

use std::net::SocketAddr;
use std::time::Duration;

use roadblock_censor::policy::TcpFlags;
use roadblock_scenarios::model::{Payload, Reply, Transport, VerdictWord};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::failure::Failure;
use super::segments::send_segment;
use super::tcp::{self, Opening};
use super::tools::Tools;
use super::trace::{Operation, Outcome, Place, Trace};

/// What is said, and what must come back.
#[derive(Clone, Debug)]
pub(crate) struct Speech {
    /// To whom.
    pub(crate) remote: SocketAddr,
    /// What carries it.
    pub(crate) transport: Transport,
    /// Bare segments that go before a connection, by their flags.
    pub(crate) before: Vec<TcpFlags>,
    /// The bytes; at least one payload.
    pub(crate) payloads: Vec<Payload>,
    /// How long after each before the next, on the lab's clock.
    pub(crate) pause: Duration,
    /// What must come back.
    pub(crate) reply: Reply,
}

/// Says it and listens.
pub(crate) async fn probe(tools: &Tools, speech: &Speech) -> Outcome {
    match speech.transport {
        Transport::Tcp => {
            let mut trace = Trace::default();
            match over_tcp(&mut trace, tools, speech).await {
                Ok(()) => trace.end(VerdictWord::Ok),
                Err(failure) => trace.failed(failure),
            }
        }
        Transport::Udp => over_udp(tools, speech).await,
    }
}

impl Speech {
    /// Whether it pauses, on the lab's clock.
    pub(crate) fn pauses(&self) -> bool {
        !self.pause.is_zero() && self.payloads.len() > 1
    }

    /// What is sent at one time: all of it, or one payload after the other with a pause between.
    fn turns(&self) -> Vec<&[Payload]> {
        if self.pauses() { self.payloads.chunks(1).collect() } else { vec![&self.payloads] }
    }
}

async fn over_tcp(trace: &mut Trace, tools: &Tools, speech: &Speech) -> Result<(), Failure> {
    let opening = Opening { before: &speech.before, ..Opening::default() };
    let mut stream = tcp::open(trace, tools, speech.remote, opening).await?;
    let local_port = stream.local_addr().map_or(0, |address| address.port());
    let place = Place { operation: Operation::Payload, remote: speech.remote, local_port };
    let turns = speech.turns();
    for (index, turn) in turns.iter().enumerate() {
        if index > 0 {
            tools.time.sleep_until(tools.time.now() + speech.pause).await;
        }
        let is_last = index + 1 == turns.len();
        let said = async {
            let segments = || turn.iter().flat_map(|payload| &payload.segments);
            for segment in segments() {
                send_segment(&stream, segment).await.map_err(|error| Failure::from(&error))?;
            }
            match speech.reply {
                Reply::Echo => hear_echo(&mut stream, &segments().flatten().copied().collect::<Vec<u8>>()).await,
                Reply::Any if is_last => hear(&mut stream).await,
                Reply::None if is_last => hear_nothing(&mut stream, tools.timeouts.settle).await,
                Reply::Any | Reply::None => Ok(()),
            }
        };
        trace.layer(place, tools.timeouts.message, said).await?;
    }
    Ok(())
}

async fn hear(stream: &mut TcpStream) -> Result<(), Failure> {
    match stream.read(&mut [0; 1500]).await.map_err(|error| Failure::from(&error))? {
        0 => Err(Failure::Eof),
        _ => Ok(()),
    }
}

async fn hear_echo(stream: &mut TcpStream, said: &[u8]) -> Result<(), Failure> {
    let mut heard = vec![0; said.len()];
    stream.read_exact(&mut heard).await.map_err(|error| Failure::from(&error))?;
    if heard == said { Ok(()) } else { Err(Failure::Unknown("other bytes came back".to_owned())) }
}

/// Whatever comes is right, as long as nobody ends the connection.
async fn hear_nothing(stream: &mut TcpStream, settle: Duration) -> Result<(), Failure> {
    let heard = async {
        loop {
            if let Err(failure) = hear(stream).await {
                return failure;
            }
        }
    };
    timeout(settle, heard).await.map_or(Ok(()), Err)
}

async fn over_udp(tools: &Tools, speech: &Speech) -> Outcome {
    let mut trace = Trace::default();
    let mut talk = match Talk::open(tools, speech).await {
        Ok(talk) => talk,
        Err(failure) => {
            let place = Place { operation: Operation::Datagram, remote: speech.remote, local_port: 0 };
            trace.note(place, Some(failure.clone()));
            return trace.failed(failure);
        }
    };
    let result = talk.all(&mut trace, tools, speech).await;
    let mut outcome = match result {
        Ok(()) => trace.end(VerdictWord::Ok),
        Err(failure) => trace.failed(failure),
    };
    if speech.payloads.len() > 1 && speech.reply == Reply::Echo {
        outcome.test_keys.insert("datagrams_sent".to_owned(), talk.sent.into());
        outcome.test_keys.insert("datagrams_returned".to_owned(), talk.returned.into());
    }
    outcome
}

/// Datagrams that are sent and come back.
struct Talk {
    socket: UdpSocket,
    place: Place,
    /// What was sent and has not come back.
    missed: Vec<Vec<u8>>,
    sent: u32,
    returned: u32,
}

impl Talk {
    async fn open(tools: &Tools, speech: &Speech) -> Result<Self, Failure> {
        let (socket, local_port) = tools.source.udp(speech.remote).await.map_err(|error| Failure::of_socket(&error))?;
        // One that is alone is given up when it was dropped; of many, others may come through.
        let operation = if speech.payloads.len() == 1 { Operation::Datagram } else { Operation::Datagrams };
        let place = Place { operation, remote: speech.remote, local_port };
        Ok(Self { socket, place, missed: Vec::new(), sent: 0, returned: 0 })
    }

    async fn all(&mut self, trace: &mut Trace, tools: &Tools, speech: &Speech) -> Result<(), Failure> {
        let turns = speech.turns();
        for (index, turn) in turns.iter().enumerate() {
            if index > 0 {
                tools.time.sleep_until(tools.time.now() + speech.pause).await;
            }
            let is_last = index + 1 == turns.len();
            let place = self.place;
            let said = async {
                for segment in turn.iter().flat_map(|payload| &payload.segments) {
                    self.socket.send(segment).await.map_err(|error| Failure::from(&error))?;
                    self.missed.push(segment.clone());
                    self.sent += 1;
                }
                match speech.reply {
                    Reply::Echo => self.hear_echoes().await,
                    Reply::Any if is_last => self.hear().await.map(drop),
                    Reply::None if is_last => self.hear_nothing(tools.timeouts.settle).await,
                    Reply::Any | Reply::None => Ok(()),
                }
            };
            trace.layer(place, tools.timeouts.datagram, said).await?;
        }
        Ok(())
    }

    async fn hear(&self) -> Result<Vec<u8>, Failure> {
        let mut buffer = vec![0; usize::from(u16::MAX)];
        let length = self.socket.recv(&mut buffer).await.map_err(|error| Failure::from(&error))?;
        buffer.truncate(length);
        Ok(buffer)
    }

    /// All of them must come back, in any order; what nobody said is passed over.
    async fn hear_echoes(&mut self) -> Result<(), Failure> {
        while !self.missed.is_empty() {
            let heard = self.hear().await?;
            if let Some(index) = self.missed.iter().position(|missed| *missed == heard) {
                self.missed.swap_remove(index);
                self.returned += 1;
            }
        }
        Ok(())
    }

    /// Whatever comes is right, as long as it is no error.
    async fn hear_nothing(&self, settle: Duration) -> Result<(), Failure> {
        let heard = timeout(settle, async {
            loop {
                if let Err(failure) = self.hear().await {
                    return failure;
                }
            }
        });
        heard.await.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
#[path = "speak_tests.rs"]
mod tests;
