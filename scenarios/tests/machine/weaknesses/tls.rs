//! Techniques within TLS.

use super::{ANSWER, drops, drops_when, middle_of_the_name, request_by, send_all};
use crate::facts::WHATSAPP_HELLO;
use crate::pair::{Outcome, Pair};

/// What OpenSSL's server sent over TLS 1.2, with its certificate in the clear.
const SERVER_FLIGHT: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/openssl-server-flight-tls12.bin");

/// tlsrec: the same handshake message in two records, cut in the middle of the name.
#[test]
pub(crate) fn two_records() {
    let message = &WHATSAPP_HELLO[5..];
    let record = |part: &[u8]| {
        let length = u16::try_from(part.len()).expect("short").to_be_bytes();
        [&WHATSAPP_HELLO[..3], &length, part].concat()
    };
    let (first, second) = message.split_at(middle_of_the_name() - 5);
    let hello = [record(first), record(second)].concat();
    for (records, expected) in [("first", Outcome::Answered), ("join", Outcome::Silence)] {
        let pair = Pair::new(drops(&format!("tls.records = \"{records}\"")));
        assert_eq!(request_by(pair, &hello, send_all), expected, "{records}");
    }
}

/// tpws --tlsminor: a record version that no client sends and every server takes.
#[test]
pub(crate) fn odd_version() {
    let mut hello = WHATSAPP_HELLO.to_vec();
    hello[2] = 2;
    for (version, expected) in [("strict", Outcome::Answered), ("any", Outcome::Silence)] {
        let pair = || Pair::new(drops(&format!("tls.version = \"{version}\"")));
        assert_eq!(request_by(pair(), &hello, send_all), expected, "{version}");
        assert_eq!(request_by(pair(), WHATSAPP_HELLO, send_all), Outcome::Silence, "{version}");
    }
}

/// The server's window makes the client cut its `ClientHello` (GoodbyeDPI -f, brdgrd).
#[test]
pub(crate) fn small_window_of_the_server() {
    for (reassembly, expected) in [("none", Outcome::Answered), ("full", Outcome::Silence)] {
        let mut pair = Pair::new(drops(&format!("tcp.reassembly = \"{reassembly}\"")));
        pair.server.opening_window = 60;
        let connection = pair.connect(443);
        assert_eq!(pair.exchange(connection, WHATSAPP_HELLO, ANSWER), expected, "{reassembly}");
    }
}

/// The client's makes the server cut its certificate (zapret's wssize 1:6).
#[test]
pub(crate) fn small_window_of_the_client() {
    for (reassembly, expected) in [("none", Outcome::Answered), ("full", Outcome::Silence)] {
        let keys = format!("tcp.reassembly = \"{reassembly}\"");
        let mut pair = Pair::new(drops_when(&keys, "tls.certificate = [\"instagram.com\"]"));
        pair.client.opening_window = 6;
        let connection = pair.connect(443);
        assert_eq!(pair.exchange(connection, WHATSAPP_HELLO, SERVER_FLIGHT), expected, "{reassembly}");
    }
}
