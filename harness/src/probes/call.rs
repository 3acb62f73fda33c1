//! A call: STUN, then sound both ways for as long as it must hold (RU-CALL-1).
//!
//! A second of the call is a second of the lab's clock, in which some packets of sound (RTP, RFC 3550) go out and come
//! back from the far party. A censor that counts packets, keeps a residual or polices sees the whole call; the person who
//! waits for the result does not.

use std::net::SocketAddr;
use std::time::Duration;

use roadblock_scenarios::model::VerdictWord;
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use super::failure::Failure;
use super::stun;
use super::tools::Tools;
use super::trace::{Operation, Outcome, Place, Trace};

/// A call to be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// The relay.
    pub(crate) relay: SocketAddr,
    /// How long it must hold, on the lab's clock.
    pub(crate) lasts: Duration,
}

/// Makes a call and says how it went.
pub(crate) async fn probe(tools: &Tools, call: Call) -> Outcome {
    let mut trace = Trace::default();
    let began = Instant::now();
    let (socket, local_port) = match stun::open(&mut trace, tools, call.relay).await {
        Ok(open) => open,
        Err(failure) => return stun::failed(trace, failure, "no call (STUN cut)"),
    };
    let place = Place { operation: Operation::Sound, remote: call.relay, local_port };
    let patience = (began.elapsed() * 4).clamp(LEAST_PATIENCE, MOST_PATIENCE);
    let mut sound = Sound { socket, patience, last: tools.timeouts.packet, sent: 0, heard: Vec::new() };
    match sound.talk(tools, call.lasts).await {
        Ok(()) => sound.judge(trace, place),
        Err(failure) => {
            trace.note(place, Some(failure.clone()));
            trace.failed(failure)
        }
    }
}

/// The sound of a call so far.
struct Sound {
    socket: UdpSocket,
    /// How long the far party's packets are waited for in a second of the call.
    patience: Duration,
    /// How long they are waited for at the end.
    last: Duration,
    sent: u16,
    /// The numbers of the packets that came back.
    heard: Vec<u16>,
}

impl Sound {
    /// Talks until the end, or until it is clear how the call is.
    async fn talk(&mut self, tools: &Tools, lasts: Duration) -> Result<(), Failure> {
        let began = tools.time.now();
        let seconds = u32::try_from(lasts.as_secs()).unwrap_or(u32::MAX).max(1);
        let all = seconds * u32::from(PACKETS);
        for second in 0..seconds {
            tools.time.sleep_until(began + Duration::from_secs(1) * second).await;
            // One packet waits for the other at first, so that a censor that cuts after so many of them always cuts after
            // the same one.
            if second < IN_TURN {
                for _ in 0..PACKETS {
                    let patience = if self.silent_packets() < FALLEN_SILENT { self.last } else { self.patience };
                    self.say(1, patience).await?;
                }
            } else {
                self.say(PACKETS, self.patience).await?;
            }
            let lost = u32::from(self.sent) - u32::try_from(self.heard.len()).unwrap_or(u32::MAX);
            let clear = self.sent >= ENOUGH && lost * 100 > u32::from(self.sent) * CLEARLY;
            if self.silent_packets() >= SILENCE || lost * 100 > all * CROAKS || clear {
                break;
            }
        }
        self.listen(self.last).await
    }

    async fn say(&mut self, packets: u16, patience: Duration) -> Result<(), Failure> {
        for _ in 0..packets {
            self.sent += 1;
            self.socket.send(&packet(self.sent)).await.map_err(|error| Failure::from(&error))?;
        }
        self.listen(patience).await
    }

    /// Listens until all has come back, or for so long.
    async fn listen(&mut self, patience: Duration) -> Result<(), Failure> {
        let until = Instant::now() + patience;
        let mut buffer = [0; 1500];
        while self.heard.len() < usize::from(self.sent) {
            let Ok(received) = timeout_at(until, self.socket.recv(&mut buffer)).await else { break };
            let length = received.map_err(|error| Failure::from(&error))?;
            match buffer.get(..length).and_then(number) {
                Some(number) if number <= self.sent && !self.heard.contains(&number) => self.heard.push(number),
                _ => {}
            }
        }
        Ok(())
    }

    /// How many packets have come to nothing since the last that came back.
    fn silent_packets(&self) -> u16 {
        self.sent - self.last_heard()
    }

    fn last_heard(&self) -> u16 {
        self.heard.iter().copied().max().unwrap_or_default()
    }

    fn judge(self, mut trace: Trace, place: Place) -> Outcome {
        let (sent, heard) = (u32::from(self.sent), u32::try_from(self.heard.len()).unwrap_or(u32::MAX));
        let cut = self.silent_packets() >= SILENCE;
        let mut outcome = if cut {
            trace.note(place, Some(Failure::GenericTimeout));
            let how = match self.last_heard() {
                0 => "no sound".to_owned(),
                1 => "cut after 1 packet".to_owned(),
                last => format!("cut after {last} packets"),
            };
            trace.failed(Failure::GenericTimeout).said(how)
        } else {
            trace.note(place, None);
            let croaks = (sent - heard) * 100 > sent * CROAKS;
            if croaks { trace.end(VerdictWord::Throttled).said("croaks") } else { trace.end(VerdictWord::Ok) }
        };
        outcome.test_keys.insert("packets_sent".to_owned(), sent.into());
        outcome.test_keys.insert("packets_heard".to_owned(), heard.into());
        outcome
    }
}

/// A packet of sound: 20 ms of G.711, whose meaning is nobody's affair.
fn packet(number: u16) -> Vec<u8> {
    let [high, low] = number.to_be_bytes();
    let clock = (u32::from(number) * 160).to_be_bytes();
    [&[0x80, 0x00, high, low][..], &clock, &SPEAKER, &[0x55; 160]].concat()
}

/// The number of a packet of sound.
fn number(bytes: &[u8]) -> Option<u16> {
    match bytes {
        [first, _, high, low, ..] if first >> 6 == 2 && bytes.len() >= 12 => Some(u16::from_be_bytes([*high, *low])),
        _ => None,
    }
}

/// How many packets a second of the call has.
const PACKETS: u16 = 5;
/// In how many seconds at the beginning packets go one after the other.
const IN_TURN: u32 = 2;
/// After so many packets in a row that came to nothing, the next one is not waited for as long.
const FALLEN_SILENT: u16 = 3;
/// So many packets in a row that come to nothing are the end of the call.
const SILENCE: u16 = 25;
/// After so many packets, so many lost in a hundred need no more to be sure.
const ENOUGH: u16 = 50;
const CLEARLY: u32 = 30;
/// More loss than so many in a hundred is no talking any more.
const CROAKS: u32 = 20;
/// A machine that is busy must not look like a censor.
const LEAST_PATIENCE: Duration = Duration::from_millis(15);
/// STUN that had to be repeated says little about how long packets travel.
const MOST_PATIENCE: Duration = Duration::from_millis(40);
const SPEAKER: [u8; 4] = *b"rdbl";

#[cfg(test)]
#[path = "call_tests.rs"]
mod tests;
