//! Packets that the censor reads and the server never takes.

use super::{fake_first, middle_of_the_name, with_and_without};
use crate::pair::craft::{MD5, PSH, Segment, timestamps};
use crate::pair::{Connection, Outbound, Pair};

/// A fake that dies between the censor and the server.
#[test]
pub(crate) fn few_hops() {
    let technique = fake_first(|fake| Segment { ttl: 5, ..fake });
    for without in ["tcp.ttl = { min = 5 }", "tcp.ttl = { drift = 2 }"] {
        with_and_without("", without, &technique);
    }
}

/// A fake with a wrong TCP checksum.
#[test]
pub(crate) fn wrong_checksum() {
    let technique = fake_first(|fake| Segment { bad_checksum: true, ..fake });
    with_and_without("tcp.checksum = \"ignore\"", "tcp.checksum = \"verify\"", technique);
}

/// A fake left of the window, or half of the numbers away.
#[test]
pub(crate) fn wrong_sequence() {
    for offset in [10_000_u32.wrapping_neg(), 0x8000_0000] {
        let technique = fake_first(move |fake| Segment { sequence: fake.sequence.wrapping_add(offset), ..fake });
        with_and_without("tcp.sequence = \"ignore\"", "tcp.sequence = \"window\"", technique);
    }
}

/// A fake that acknowledges what lies far back (zapret: -66000).
#[test]
pub(crate) fn wrong_acknowledgement() {
    let technique = fake_first(|fake| Segment { acknowledgement: fake.acknowledgement.wrapping_sub(66_000), ..fake });
    with_and_without("tcp.ack = \"ignore\"", "tcp.ack = \"verify\"", technique);
}

/// A fake with the option of RFC 2385 that nobody asked for.
#[test]
pub(crate) fn md5() {
    let technique = fake_first(|fake| fake.with_option(&MD5));
    with_and_without("tcp.md5 = \"ignore\"", "tcp.md5 = \"verify\"", technique);
}

/// A fake without ACK.
#[test]
pub(crate) fn no_acknowledgement() {
    let keys = |ack| format!("tcp = {{ flags = \"ignore\", ack = \"{ack}\" }}");
    with_and_without(&keys("ignore"), &keys("verify"), fake_first(|fake| Segment { flags: PSH, ..fake }));
}

/// A fake with FIN, RST, ECE, ACK, CWR and NS at once, outside of the window so that it resets nothing (Geneva).
#[test]
pub(crate) fn odd_flags() {
    let technique = fake_first(|fake| Segment { flags: 0xd5, ttl: 5, ..fake });
    with_and_without("tcp.flags = \"ignore\"", "tcp.flags = \"verify\"", technique);
}

/// A fake whose timestamp is ten minutes old.
#[test]
pub(crate) fn old_timestamp() {
    let technique = fake_first(|fake| {
        let value = u32::from_be_bytes([fake.options[4], fake.options[5], fake.options[6], fake.options[7]]);
        Segment { options: timestamps(value.wrapping_sub(600_000), 0), ..fake }
    });
    with_and_without("tcp.timestamps = \"ignore\"", "tcp.timestamps = \"verify\"", technique);
}

/// A fake whose header claims to be shorter than a header can be.
#[test]
pub(crate) fn corrupt_header() {
    let technique = fake_first(|fake| Segment { data_offset: Some(4), options: Vec::new(), ..fake });
    with_and_without("tcp.header = \"ignore\"", "tcp.header = \"verify\"", technique);
}

/// Whatever the server throws the fake away for: a box that lets the first name decide has decided.
#[test]
pub(crate) fn first_name_decides() {
    let keys = |decide| format!("inspect.decide = \"{decide}\"");
    with_and_without(&keys("once"), &keys("always"), fake_first(|fake| Segment { ttl: 5, ..fake }));
}

/// The same to a box that puts segments together.
#[test]
pub(crate) fn first_name_decides_in_a_stream() {
    let keys = |decide| format!("tcp.reassembly = \"full\"\ninspect.decide = \"{decide}\"");
    with_and_without(&keys("once"), &keys("always"), fake_first(|fake| Segment { ttl: 5, ..fake }));
}

/// fakedsplit and hostfakesplit: only the piece with the name is preceded by a fake of itself, with another name in it.
#[test]
pub(crate) fn fake_pieces() {
    let keys = |overlap| format!("tcp = {{ reassembly = \"full\", overlap = \"{overlap}\" }}");
    let technique = |pair: &mut Pair, connection: Connection| {
        let (from, to) = (middle_of_the_name() - 4, middle_of_the_name() + 8);
        for range in pair.cut(connection, &[from, to]) {
            let part = pair.part(connection, range.clone());
            if range.start == from {
                let payload = b"mapsgoogle.ru"[..part.payload.len()].to_vec();
                pair.send(Outbound, Segment { ttl: 5, payload, ..part.clone() }.bytes());
            }
            pair.send(Outbound, part.bytes());
        }
    };
    with_and_without(&keys("first"), &keys("last"), technique);
    // Where the pieces are not put together, no fake is needed; where the fake is told apart, none helps.
    let keys = |ttl| format!("tcp = {{ reassembly = \"full\"{ttl} }}");
    with_and_without(&keys(""), &keys(", ttl = { drift = 2 }"), technique);
}
