//! The bytes that a measurement sends: as text, in hexadecimal, or from a file of the library's folder `bytes`.

use roadblock_censor::policy::TcpFlags;

use super::probes::ProbeBuilder;
use crate::declare::{Cuts, SpeakProbe};
use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::model::{Payload, Transport};
use crate::read::Located;
use crate::source::{Location, Text};
use crate::suggest;

impl ProbeBuilder<'_> {
    /// The bare segments that go before the connection.
    pub(super) fn before(&mut self, speak: &SpeakProbe) -> Option<Vec<TcpFlags>> {
        if speak.transport == Transport::Udp && !speak.before.0.is_empty() {
            let help = "leave `before` out, or write `transport = \"tcp\"`";
            return self.refuse(speak.at(), "datagrams have no connection that something could come before", help);
        }
        Some(speak.before.0.iter().map(|letters| letters.0).collect())
    }

    /// What is sent, in its segments.
    pub(super) fn payloads(&mut self, speak: &SpeakProbe) -> Option<Vec<Payload>> {
        let mut payloads = Vec::new();
        for written in &speak.send.0 {
            let bytes = self.bytes(written)?;
            if speak.transport == Transport::Udp && bytes.len() > LONGEST_DATAGRAM {
                let message = format!("{} bytes are more than one datagram carries whole", bytes.len());
                let help = format!("cut them into datagrams of at most {LONGEST_DATAGRAM} bytes, each an element");
                return self.refuse(&written.at, &message, &help);
            }
            payloads.push(Payload { written: written.value.clone(), segments: vec![bytes] });
        }
        if payloads.is_empty() {
            return self.refuse(speak.at(), "nothing is sent", "write bytes into `send`, as \"hex:16 03 01\"");
        }
        if let Some(first) = payloads.first_mut().filter(|_| !speak.split.0.is_empty()) {
            if speak.transport == Transport::Udp {
                let help = "write each datagram as an element of `send`";
                return self.refuse(speak.at(), "a datagram is not cut into segments", help);
            }
            let whole = first.segments.concat();
            let length = whole.len();
            if speak.split.0.last().is_some_and(|last| usize::from(*last) >= length) {
                let message = format!("the first element of `send` has {length} bytes and cannot be cut there");
                return self.refuse(speak.at(), &message, "write offsets in `split` that lie within it");
            }
            first.segments = cut(&whole, &speak.split);
        }
        Some(payloads)
    }

    /// The bytes that a text stands for; never none.
    pub(super) fn bytes(&mut self, written: &Text) -> Option<Vec<u8>> {
        let found = if let Some(text) = written.strip_prefix("text:") {
            Some(text.as_bytes().to_vec())
        } else if let Some(digits) = written.strip_prefix("hex:") {
            hexadecimal(digits)
        } else if let Some(id) = written.strip_prefix('@') {
            return self.captured(id, written);
        } else {
            None
        };
        if let Some(bytes) = found.filter(|bytes| !bytes.is_empty()) {
            return Some(bytes);
        }
        let message = format!("`{}` are not bytes", written.escape_debug());
        let help =
            "write \"text:GET / HTTP/1.1\\r\\n\\r\\n\", \"hex:16 03 01\", or \"@bytes/x\" for a file of the library";
        self.refuse(&written.at, &message, help)
    }

    fn captured(&mut self, id: &str, written: &Text) -> Option<Vec<u8>> {
        let Some(source) = self.library.bytes(id) else {
            let message = format!("the library has no bytes `@{id}`");
            let known: Vec<String> = self.library.captured().map(|id| format!("@{id}")).collect();
            let help = suggest::help("it has", written, known.iter().map(String::as_str));
            return self.refuse(&written.at, &message, &help);
        };
        let bytes = hexadecimal(&without_comments(source.text())).filter(|bytes| !bytes.is_empty());
        if bytes.is_none() {
            self.errors.open(source);
            let message = "this file does not hold bytes in hexadecimal";
            let help = "write two digits for each byte; `#` begins a comment";
            return self.refuse(&source.location(0..0), message, help);
        }
        bytes
    }

    pub(super) fn refuse<T>(&mut self, at: &Location, message: &str, help: &str) -> Option<T> {
        self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, at, message).help(help));
        None
    }
}

/// The pieces of these bytes between the offsets.
fn cut(bytes: &[u8], cuts: &Cuts) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for end in cuts.0.iter().map(|cut| usize::from(*cut)).chain([bytes.len()]) {
        pieces.push(bytes.get(start..end).unwrap_or_default().to_vec());
        start = end;
    }
    pieces
}

fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split('#').next().unwrap_or_default()).collect::<Vec<_>>().join(" ")
}

/// The bytes of an even number of digits, whatever white space is between them.
fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.split_ascii_whitespace().collect();
    data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()
}

/// What a network with an MTU of 1500 carries over IPv4 and UDP.
const LONGEST_DATAGRAM: usize = 1472;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn digits_may_be_set_apart_and_must_come_in_pairs() {
        assert_eq!(hexadecimal(" 16 0301\n AB"), Some(vec![0x16, 0x03, 0x01, 0xab]));
        assert_eq!(hexadecimal("163"), None);
        assert_eq!(hexadecimal("0x16"), None);
        assert_eq!(without_comments("# a comment of ab\n16 # 03\n01"), " 16  01");
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_whole(bytes in prop::collection::vec(any::<u8>(), 4..40), cuts in prop::collection::btree_set(1_u16..4, 0..3)) {
            let cuts = Cuts(cuts.into_iter().collect());
            let pieces = cut(&bytes, &cuts);
            prop_assert_eq!(pieces.len(), cuts.0.len() + 1);
            prop_assert!(pieces.iter().all(|piece| !piece.is_empty()));
            prop_assert_eq!(pieces.concat(), bytes);
        }
    }
}
