//! Techniques below the transport.

use roadblock_censor::wire::fragment::split;

use super::{drops, hello_by, request_by};
use crate::facts::WHATSAPP_HELLO;
use crate::pair::craft::with_extension;
use crate::pair::{Connection, Outbound, Outcome, Pair};

/// zapret's ipfrag2, cut after 24 bytes of the transport as it does by default for TCP at 32, over both families and with the
/// second piece first (ipfrag2 of zapret 2 can do either).
#[test]
pub(crate) fn fragments() {
    for is_reversed in [false, true] {
        let technique = |pair: &mut Pair, connection: Connection| {
            let hello = pair.part(connection, 0..WHATSAPP_HELLO.len()).bytes();
            let mut pieces = split(&hello, &[32], 0x1234).expect("two pieces");
            if is_reversed {
                pieces.reverse();
            }
            for piece in pieces {
                pair.send(Outbound, piece);
            }
        };
        for (mode, expected) in [
            ("\"ignore\"", Outcome::Answered),
            ("\"drop\"", Outcome::Silence),
            ("{ reassemble = { overlap = \"first\" } }", Outcome::Silence),
            ("{ queue = { limit = 45 } }", Outcome::Silence),
        ] {
            let policy = || drops(&format!("fragments = {mode}"));
            assert_eq!(hello_by(policy(), technique), expected, "{mode}");
            assert_eq!(request_by(Pair::v6(policy()), WHATSAPP_HELLO, technique), expected, "{mode} over IPv6");
        }
    }
}

/// zapret's hopbyhop and destopt: a header between IPv6 and TCP, with a `PadN` of four bytes.
#[test]
pub(crate) fn extension_headers() {
    for header in [0, 60] {
        for (mode, expected) in [("ignore", Outcome::Answered), ("walk", Outcome::Silence)] {
            let pair = Pair::v6(drops(&format!("ipv6-extensions = \"{mode}\"")));
            let outcome = request_by(pair, WHATSAPP_HELLO, |pair, connection| {
                let hello = pair.part(connection, 0..WHATSAPP_HELLO.len()).bytes();
                pair.send(Outbound, with_extension(&hello, header));
            });
            assert_eq!(outcome, expected, "{header} {mode}");
        }
    }
}
