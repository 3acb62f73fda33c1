//! Names on the wire (RFC 1035 sections 3.1 and 4.1.4).

use core::fmt::Write as _;

/// The most a name takes on the wire (RFC 1035 section 2.3.4).
pub(super) const MAX_NAME_LEN: usize = 255;
const MAX_LABEL_LEN: usize = 63;
/// Nothing that a pointer may point to comes before this.
const HEADER_LEN: usize = 12;

/// Reads a name without compression, and where it ends.
pub(super) fn read_plain(message: &[u8], start: usize) -> Option<(String, usize)> {
    let (name, end) = read(message, start)?;
    // A name takes one byte more than its labels with their lengths, if no pointer stands for some of them.
    let is_plain = message.get(end.checked_sub(1)?) == Some(&0) && !has_pointer(message, start, end);
    is_plain.then_some((name, end))
}

/// Reads a name, and where what stands of it at this place ends.
///
/// A pointer is followed only to what lies before the labels that led to it, as RFC 1035 section 4.1.4 has it ("a prior
/// occurrence"), so a loop cannot be, and the work is bounded by the longest name.
pub(super) fn read(message: &[u8], start: usize) -> Option<(String, usize)> {
    let mut name = String::new();
    let (mut at, mut piece_start, mut length) = (start, start, 0);
    let mut end = None;
    loop {
        let first = *message.get(at)?;
        match first {
            0 => return Some((name, end.unwrap_or(at + 1))),
            0xc0.. => {
                let target = usize::from(u16::from_be_bytes([first & 0x3f, *message.get(at + 1)?]));
                end = end.or(Some(at + 2));
                if target >= piece_start || target < HEADER_LEN {
                    return None;
                }
                (at, piece_start) = (target, target);
            }
            _ => {
                let label = message.get(at + 1..at + 1 + usize::from(first))?;
                length += 1 + label.len();
                // The root's byte counts too.
                if label.len() > MAX_LABEL_LEN || length + 1 > MAX_NAME_LEN {
                    return None;
                }
                push_label(&mut name, label);
                at += 1 + label.len();
            }
        }
    }
}

/// Writes a host name without compression; `None` where it is none.
pub(super) fn write(name: &str) -> Option<Vec<u8>> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let mut bytes = Vec::with_capacity(name.len() + 2);
    for label in name.split('.') {
        let is_label = (1..=MAX_LABEL_LEN).contains(&label.len());
        bytes.push(u8::try_from(label.len()).ok().filter(|_| is_label)?);
        bytes.extend(label.bytes());
    }
    bytes.push(0);
    (bytes.len() <= MAX_NAME_LEN).then_some(bytes)
}

fn has_pointer(message: &[u8], start: usize, end: usize) -> bool {
    let mut at = start;
    while at < end {
        match message.get(at) {
            Some(length @ 0..0x40) => at += 1 + usize::from(*length),
            _ => return true,
        }
    }
    false
}

fn push_label(name: &mut String, label: &[u8]) {
    if !name.is_empty() {
        name.push('.');
    }
    for byte in label {
        match *byte {
            b'.' | b'\\' => name.extend(['\\', char::from(*byte)]),
            0x21..=0x7e => name.push(char::from(*byte)),
            // Writing to a String cannot fail.
            other => drop(write!(name, "\\{other:03}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message's header, then these bytes.
    fn message(bytes: &[u8]) -> Vec<u8> {
        [&[0; HEADER_LEN], bytes].concat()
    }

    /// RFC 1035 section 4.1.4: the example of the RFC, moved to where a message's names begin.
    #[test]
    fn rfc_1035_compression() {
        let message = message(b"\x01F\x03ISI\x04ARPA\x00\x03FOO\xc0\x0c\xc0\x12\x00");
        let read = |at| read(&message, at);
        assert_eq!(read(12), Some(("F.ISI.ARPA".to_owned(), 24)));
        assert_eq!(read(24), Some(("FOO.F.ISI.ARPA".to_owned(), 30)));
        assert_eq!(read(30), Some(("ARPA".to_owned(), 32)));
        assert_eq!(read(32), Some((String::new(), 33)), "the root");
        assert_eq!(read_plain(&message, 12), Some(("F.ISI.ARPA".to_owned(), 24)));
        assert_eq!(read_plain(&message, 24), None, "a pointer");
    }

    /// Pointers to themselves, forward, into the header and in a ring lead nowhere.
    #[test]
    fn loops_are_refused() {
        for bytes in [&b"\xc0\x0c"[..], b"\xc0\x0e\x00", b"\xc0\x00", b"\x01a\xc0\x0c", b"\xc0", b"\x40a", b"\x80"] {
            assert_eq!(read(&message(bytes), 12), None, "{bytes:?}");
        }
        let ring = message(b"\xc0\x0e\xc0\x0c");
        assert_eq!((read(&ring, 12), read(&ring, 14)), (None, None));
    }

    /// RFC 1035 section 2.3.4: 255 bytes are a name, 256 are not, also where pointers make them.
    #[test]
    fn the_longest_name() {
        let labels = |lengths: &[u8]| -> Vec<u8> {
            lengths.iter().flat_map(|length| core::iter::once(*length).chain((0..*length).map(|_| b'a'))).collect()
        };
        for (lengths, is_name) in [([63, 63, 63, 61], true), ([63, 63, 63, 62], false)] {
            let bytes = [labels(&lengths), vec![0]].concat();
            assert_eq!(read(&message(&bytes), 12).is_some(), is_name);
            let pointed = [labels(&lengths[1..]), vec![0], labels(&lengths[..1]), vec![0xc0, 12]].concat();
            let start = 12 + pointed.len() - 2 - 64;
            assert_eq!(read(&message(&pointed), start).is_some(), is_name);
        }
    }

    /// A name is read as it was written, and what is none is not written.
    #[test]
    fn writes_names() {
        for name in ["a", "www.example.org", "_dns.a.b."] {
            let bytes = message(&write(name).expect("a name"));
            assert_eq!(read_plain(&bytes, 12), Some((name.trim_end_matches('.').to_owned(), bytes.len())));
        }
        for name in ["", ".", "a..b", ".a", &"a".repeat(64), &"a.".repeat(128)] {
            assert_eq!(write(name), None, "{name:?}");
        }
    }
}
