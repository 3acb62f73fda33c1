//! STUN messages (RFC 8489), as bytes and without a socket: a Binding request in, its answer out.
//!
//! Answered are Binding requests, with XOR-MAPPED-ADDRESS and SOFTWARE, and with FINGERPRINT where the request had one.
//! Nothing is authenticated: whose MESSAGE-INTEGRITY it is the lab cannot know. Other methods, `WhatsApp`'s and TURN's
//! Allocate among them, get no answer.

use std::net::{IpAddr, SocketAddr};

/// A transaction's identifier.
pub(super) type TransactionId = [u8; 12];

/// A Binding request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct BindingRequest {
    transaction: TransactionId,
    has_fingerprint: bool,
    /// Attributes that must be understood (RFC 8489 section 14) and are not.
    not_understood: Vec<u16>,
}

/// Whether these bytes can be STUN and not RTP or DTLS that shares the port (RFC 7983).
pub(super) fn is_stun(bytes: &[u8]) -> bool {
    bytes.len() >= HEADER && bytes.first().is_some_and(|first| first >> 6 == 0) && bytes.get(4..8) == Some(&COOKIE)
}

/// The answer to a datagram from `client`; `None` where it is no Binding request.
pub(super) fn answer(datagram: &[u8], client: SocketAddr) -> Option<Vec<u8>> {
    let request = BindingRequest::parse(datagram)?;
    Some(if request.not_understood.is_empty() { request.success(client) } else { request.refusal() })
}

impl BindingRequest {
    /// The request in a datagram; `None` where it is something else, or its fingerprint is wrong.
    pub(super) fn parse(datagram: &[u8]) -> Option<Self> {
        let (header, attributes) = datagram.split_first_chunk::<HEADER>()?;
        let [kind_high, kind_low, length_high, length_low, a, b, c, d, transaction @ ..] = *header;
        let length = usize::from(u16::from_be_bytes([length_high, length_low]));
        let is_request = u16::from_be_bytes([kind_high, kind_low]) == BINDING_REQUEST && [a, b, c, d] == COOKIE;
        if !is_request || length != attributes.len() || length % 4 != 0 {
            return None;
        }
        let mut request = Self { transaction, has_fingerprint: false, not_understood: Vec::new() };
        for attribute in Attributes(attributes) {
            let Attribute { kind, value, before_end } = attribute?;
            match kind {
                FINGERPRINT => {
                    let covered = datagram.get(..datagram.len() - before_end)?;
                    if value != fingerprint(covered).as_slice() || before_end != FINGERPRINT_LENGTH {
                        return None;
                    }
                    request.has_fingerprint = true;
                }
                OPTIONAL.. => {}
                kind if UNDERSTOOD.contains(&kind) => {}
                kind => request.not_understood.push(kind),
            }
        }
        Some(request)
    }

    /// RFC 8489 section 6.3.1.1: what the client looks like from here.
    fn success(&self, client: SocketAddr) -> Vec<u8> {
        let mut body = Vec::new();
        put_attribute(&mut body, XOR_MAPPED_ADDRESS, &xor_address(client, &self.transaction));
        put_attribute(&mut body, SOFTWARE, b"roadblock");
        self.message(BINDING_SUCCESS, body)
    }

    /// RFC 8489 section 6.3.1: 420, Unknown Attribute.
    fn refusal(&self) -> Vec<u8> {
        let mut body = Vec::new();
        put_attribute(&mut body, ERROR_CODE, &[&[0, 0, 4, 20], b"Unknown Attribute".as_slice()].concat());
        let kinds: Vec<u8> = self.not_understood.iter().flat_map(|kind| kind.to_be_bytes()).collect();
        put_attribute(&mut body, UNKNOWN_ATTRIBUTES, &kinds);
        self.message(BINDING_ERROR, body)
    }

    fn message(&self, kind: u16, body: Vec<u8>) -> Vec<u8> {
        let tail = if self.has_fingerprint { FINGERPRINT_LENGTH } else { 0 };
        let length = (body.len() + tail) as u16;
        let mut message = [kind.to_be_bytes(), length.to_be_bytes()].concat();
        message.extend(COOKIE.iter().chain(&self.transaction));
        message.extend(body);
        if self.has_fingerprint {
            let value = fingerprint(&message);
            put_attribute(&mut message, FINGERPRINT, &value);
        }
        message
    }
}

/// RFC 8489 section 14.2: the address, hidden from gateways that rewrite addresses they find.
fn xor_address(address: SocketAddr, transaction: &TransactionId) -> Vec<u8> {
    let mask = [COOKIE.as_slice(), transaction].concat();
    let (family, octets) = match address.ip().to_canonical() {
        IpAddr::V4(address) => (1, address.octets().to_vec()),
        IpAddr::V6(address) => (2, address.octets().to_vec()),
    };
    let mut value = vec![0, family];
    value.extend(
        address.port().to_be_bytes().iter().chain(&octets).zip([&mask[..2], &mask].concat()).map(|(a, b)| a ^ b),
    );
    value
}

fn put_attribute(bytes: &mut Vec<u8>, kind: u16, value: &[u8]) {
    bytes.extend_from_slice(&kind.to_be_bytes());
    bytes.extend_from_slice(&(value.len() as u16).to_be_bytes());
    bytes.extend_from_slice(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

/// An attribute and how many bytes of the message there are from its beginning to the end.
struct Attribute<'a> {
    kind: u16,
    value: &'a [u8],
    before_end: usize,
}

/// The attributes of a message; `None` where one is broken, and nothing after that.
struct Attributes<'a>(&'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = Option<Attribute<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let attribute = self.attribute();
        if attribute.is_none() {
            self.0 = &[];
        }
        Some(attribute)
    }
}

impl<'a> Attributes<'a> {
    fn attribute(&mut self) -> Option<Attribute<'a>> {
        let before_end = self.0.len();
        let ([a, b, c, d], rest) = self.0.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes([*c, *d]));
        let (padded, rest) = rest.split_at_checked(length.next_multiple_of(4))?;
        self.0 = rest;
        Some(Attribute { kind: u16::from_be_bytes([*a, *b]), value: padded.get(..length)?, before_end })
    }
}

/// RFC 8489 section 14.7.
fn fingerprint(covered: &[u8]) -> [u8; 4] {
    (crc32(covered) ^ 0x5354_554e).to_be_bytes()
}

/// The CRC of ITU V.42, bit by bit: messages are short.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

const HEADER: usize = 20;
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const BINDING_ERROR: u16 = 0x0111;
const ERROR_CODE: u16 = 0x0009;
const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const SOFTWARE: u16 = 0x8022;
const FINGERPRINT: u16 = 0x8028;
const FINGERPRINT_LENGTH: usize = 8;
/// From here on a server may pass over what it does not know.
const OPTIONAL: u16 = 0x8000;
/// USERNAME, MESSAGE-INTEGRITY, REALM, NONCE, MESSAGE-INTEGRITY-SHA256, PASSWORD-ALGORITHM, USERHASH, and ICE's PRIORITY
/// and USE-CANDIDATE (RFC 8445): known, and without consequence here.
const UNDERSTOOD: [u16; 9] = [0x0006, 0x0008, 0x0014, 0x0015, 0x001c, 0x001d, 0x001e, 0x0024, 0x0025];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 5769 section 2.1.
    const SAMPLE_REQUEST: &str = "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74\
        002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3\
        f249c1b571a280280004e57a3bcf";
    /// RFC 5769 section 2.2, to 192.0.2.1 port 32853.
    const SAMPLE_RESPONSE: &str = "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001\
        a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96";
    /// RFC 5769 section 2.3: XOR-MAPPED-ADDRESS of [2001:db8:1234:5678:11:2233:4455:6677]:32853.
    const SAMPLE_IPV6: &str = "0002a1470113a9faa5d3f179bc25f4b5bed2b9d9";

    fn hex(text: &str) -> Vec<u8> {
        data_encoding::HEXLOWER.decode(text.as_bytes()).expect("hexadecimal digits")
    }

    fn transaction() -> TransactionId {
        hex("b7e7a701bc34d686fa87dfae").try_into().expect("12 bytes")
    }

    #[test]
    fn the_sample_request_is_read_fingerprint_included() {
        let request = BindingRequest::parse(&hex(SAMPLE_REQUEST)).expect("a request");
        let expected = BindingRequest { transaction: transaction(), has_fingerprint: true, not_understood: vec![] };
        assert_eq!(request, expected);
        let mut changed = hex(SAMPLE_REQUEST);
        changed[30] ^= 1;
        assert_eq!(BindingRequest::parse(&changed), None);
    }

    #[test]
    fn addresses_are_hidden_as_in_the_samples() {
        let four = xor_address("192.0.2.1:32853".parse().expect("an address"), &transaction());
        assert!(hex(SAMPLE_RESPONSE).windows(four.len()).any(|part| part == four));
        let six = "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().expect("an address");
        assert_eq!(xor_address(six, &transaction()), hex(SAMPLE_IPV6));
    }

    #[test]
    fn the_sample_response_has_our_fingerprint() {
        let sample = hex(SAMPLE_RESPONSE);
        let (covered, tail) = sample.split_at(sample.len() - FINGERPRINT_LENGTH);
        assert_eq!(tail[4..], fingerprint(covered));
    }

    #[test]
    fn an_answer_says_who_asked_and_ends_with_a_fingerprint() {
        let client = "192.0.2.1:32853".parse().expect("an address");
        let bytes = answer(&hex(SAMPLE_REQUEST), client).expect("an answer");
        assert_eq!(bytes[..2], [1, 1]);
        assert_eq!(bytes[4..20], hex(SAMPLE_REQUEST)[4..20]);
        assert_eq!(usize::from(u16::from_be_bytes([bytes[2], bytes[3]])), bytes.len() - HEADER);
        let (covered, tail) = bytes.split_at(bytes.len() - FINGERPRINT_LENGTH);
        assert_eq!(tail, [&[0x80, 0x28, 0, 4], fingerprint(covered).as_slice()].concat());
    }

    #[test]
    fn an_attribute_that_must_be_understood_is_refused_by_its_number() {
        let mut request = [&[0, 1, 0, 4], COOKIE.as_slice(), &transaction(), &[0x70, 0, 0, 0]].concat();
        let client = "192.0.2.1:1".parse().expect("an address");
        let refusal = answer(&request, client).expect("an answer");
        assert_eq!(refusal[..2], [1, 0x11]);
        assert!(refusal.ends_with(&[0, 10, 0, 2, 0x70, 0, 0, 0]));
        request[1] = 3;
        assert_eq!(answer(&request, client), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered_or_not(tail in prop::collection::vec(any::<u8>(), 0..120), headed in any::<bool>()) {
            let length = (tail.len() as u16).to_be_bytes();
            let header = [&[0, 1], length.as_slice(), &COOKIE, &[7; 12]].concat();
            let bytes = if headed { [header, tail].concat() } else { tail };
            let client = "192.0.2.1:1".parse().expect("an address");
            if let Some(answer) = answer(&bytes, client) {
                prop_assert!(is_stun(&bytes) && is_stun(&answer));
            }
        }
    }
}
