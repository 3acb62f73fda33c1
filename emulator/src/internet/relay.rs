//! STUN servers and call relays, over UDP (RU-CALL-1).
//!
//! A relay stands for the far party of a call: once a client's Binding request was answered, its RTP packets (RFC 3550
//! section 5.1: version 2 in the first two bits, at least 12 bytes) come back as they were, as if the far party spoke in
//! the same rhythm. RTP from an address that did not ask first gets no answer, as from a relay without an allocation;
//! nor does anything that is neither STUN nor RTP. What real relays do between the two (TURN's Allocate, `WhatsApp`'s and
//! Telegram's own packets) is left out: how it is cut in the facts, by ports and by the first packets, needs none of it.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::UdpSocket;

use super::listen::note_and_wait;
use super::servers::Problems;
use super::stun;

/// Who may speak through a relay.
#[derive(Debug)]
pub(super) struct Callers {
    relays: bool,
    known: HashSet<SocketAddr>,
}

impl Callers {
    /// Nobody yet. A plain STUN server relays nothing.
    pub(super) fn new(relays: bool) -> Self {
        Self { relays, known: HashSet::new() }
    }

    /// What is sent back to `client` for a datagram.
    pub(super) fn answer(&mut self, datagram: &[u8], client: SocketAddr) -> Option<Vec<u8>> {
        if stun::is_stun(datagram) {
            let answer = stun::answer(datagram, client)?;
            if self.relays {
                self.admit(client);
            }
            return Some(answer);
        }
        (is_rtp(datagram) && self.known.contains(&client)).then(|| datagram.to_vec())
    }

    /// So that floods cannot fill the memory, all are forgotten when there are too many; a caller asks again.
    fn admit(&mut self, client: SocketAddr) {
        if self.known.len() >= MOST_CALLERS {
            self.known.clear();
        }
        self.known.insert(client);
    }
}

/// Answers datagrams for ever.
pub(super) async fn serve(socket: UdpSocket, mut callers: Callers, server: Arc<str>, problems: Problems) {
    let mut buffer = vec![0; LONGEST];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((length, client)) => {
                if let Some(answer) = callers.answer(buffer.get(..length).unwrap_or_default(), client) {
                    // An answer that cannot be sent is lost, as on any network.
                    let _ = socket.send_to(&answer, client).await;
                }
            }
            Err(error) => note_and_wait(&error, &server, &problems).await,
        }
    }
}

fn is_rtp(datagram: &[u8]) -> bool {
    datagram.len() >= RTP_HEADER && datagram.first().is_some_and(|first| first >> 6 == 2)
}

/// Longer than any packet of a call: there is a relay at each of many ports, and what is longer is none.
const LONGEST: usize = 2048;
const RTP_HEADER: usize = 12;
const MOST_CALLERS: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn binding() -> Vec<u8> {
        [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[9; 12]].concat()
    }

    fn audio() -> Vec<u8> {
        [&[0x80, 0x6f][..], &[1; 10], &[0x55; 160]].concat()
    }

    #[test]
    fn a_caller_that_asked_hears_the_far_party() {
        let client = "192.0.2.1:40000".parse().expect("an address");
        let mut callers = Callers::new(true);
        assert_eq!(callers.answer(&audio(), client), None);
        assert!(callers.answer(&binding(), client).is_some());
        assert_eq!(callers.answer(&audio(), client), Some(audio()));
        assert_eq!(callers.answer(&audio(), "192.0.2.1:40001".parse().expect("an address")), None);
        assert_eq!(callers.answer(b"neither of them", client), None);
    }

    #[test]
    fn a_plain_stun_server_relays_nothing() {
        let client = "192.0.2.1:40000".parse().expect("an address");
        let mut callers = Callers::new(false);
        assert!(callers.answer(&binding(), client).is_some());
        assert_eq!(callers.answer(&audio(), client), None);
    }

    #[test]
    fn a_flood_of_callers_is_bounded() {
        let mut callers = Callers::new(true);
        for port in 1..=u16::MAX {
            callers.answer(&binding(), SocketAddr::new([192, 0, 2, 1].into(), port));
        }
        assert!(callers.known.len() <= MOST_CALLERS);
    }
}
