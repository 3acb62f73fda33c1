//! Techniques below the transport.

use core::time::Duration;

use roadblock_censor::policy::{FragmentOverlap, FragmentPolicy, Ipv6Extensions};
use roadblock_censor::wire::fragment::split;

use super::{drops_with, hello_by, hello_over};
use crate::facts::WHATSAPP_HELLO;
use crate::pair::craft::with_extension;
use crate::pair::{Connection, Outbound, Outcome, Pair};

const PUT_TOGETHER: FragmentPolicy =
    FragmentPolicy::Reassemble { overlap: FragmentOverlap::First, limit: 64, timeout: Duration::from_secs(30) };

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
            (FragmentPolicy::Ignore, Outcome::Answered),
            (FragmentPolicy::Drop, Outcome::Silence),
            (PUT_TOGETHER, Outcome::Silence),
            (FragmentPolicy::TSPU_QUEUE, Outcome::Silence),
        ] {
            let policy = || drops_with(|each| each.fragments = mode);
            assert_eq!(hello_by(policy(), technique), expected, "{mode:?}");
            assert_eq!(hello_over(Pair::v6(policy()), technique), expected, "{mode:?} over IPv6");
        }
    }
}

/// zapret's hopbyhop and destopt: a header between IPv6 and TCP, with a `PadN` of four bytes.
#[test]
pub(crate) fn extension_headers() {
    for header in [0, 60] {
        for (mode, expected) in [(Ipv6Extensions::Ignore, Outcome::Answered), (Ipv6Extensions::Walk, Outcome::Silence)]
        {
            let pair = Pair::v6(drops_with(|each| each.ipv6_extensions = mode));
            let outcome = hello_over(pair, |pair, connection| {
                let hello = pair.part(connection, 0..WHATSAPP_HELLO.len()).bytes();
                pair.send(Outbound, with_extension(&hello, header));
            });
            assert_eq!(outcome, expected, "{header} {mode:?}");
        }
    }
}
