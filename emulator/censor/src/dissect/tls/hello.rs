//! The fields of a `ClientHello` (RFC 8446 section 4.1.2, RFC 6347 section 4.2.1).

use core::ops::Range;

use super::reader::Reader;

/// What a censor reads in a `ClientHello`. Numbers are as sent and in the order sent, GREASE (RFC 8701) among them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ClientHello {
    /// The server name (RFC 6066 section 3), as sent.
    pub sni: Option<String>,
    /// Where in the stream the server name's bytes lie, with the headers of records between them where it is cut by such.
    pub sni_at: Option<Range<usize>>,
    /// The version field: `0x0303` for all that came after TLS 1.2.
    pub legacy_version: u16,
    /// What the `supported_versions` extension offers (RFC 8446 section 4.2.1).
    pub supported_versions: Vec<u16>,
    /// The cipher suites.
    pub cipher_suites: Vec<u16>,
    /// The types of its extensions.
    pub extensions: Vec<u16>,
    /// The named groups (RFC 8446 section 4.2.7).
    pub groups: Vec<u16>,
    /// The forms of points on a curve (RFC 8422 section 5.1.2).
    pub point_formats: Vec<u8>,
    /// The signature algorithms (RFC 8446 section 4.2.3).
    pub signature_algorithms: Vec<u16>,
    /// The protocols of ALPN (RFC 7301 section 3.1).
    pub alpn: Vec<Vec<u8>>,
    /// Whether there is an `encrypted_client_hello` extension, be it a real one or GREASE (TSPU-15).
    pub ech: bool,
    /// Whether there is an `encrypted_server_name` extension (GFW-ESNI).
    pub esni: bool,
    /// Whether its end was not seen, so that what it does not say here it may say there.
    pub is_cut: bool,
    /// How many bytes of the stream it took, with its record headers.
    pub length: usize,
}

impl ClientHello {
    /// The newest version that it offers: `0x0304` for TLS 1.3, `0xfefd` for DTLS 1.2.
    pub fn version(&self) -> u16 {
        let offered = self.supported_versions.iter().copied().filter(|version| !is_grease(*version));
        // Versions of DTLS count down.
        let newest = if is_datagram_version(self.legacy_version) { offered.min() } else { offered.max() };
        newest.unwrap_or(self.legacy_version)
    }

    /// Whether it offers this version.
    pub fn offers(&self, version: u16) -> bool {
        if self.supported_versions.is_empty() {
            self.legacy_version == version
        } else {
            self.supported_versions.contains(&version)
        }
    }

    /// Whether another says the same, wherever the two stand.
    pub fn is_repeated_by(&self, other: &Self) -> bool {
        let Self { sni_at, length, .. } = self;
        *self == Self { sni_at: sni_at.clone(), length: *length, ..other.clone() }
    }

    /// Whether it offers this protocol of the application, `h2` for instance.
    pub fn offers_protocol(&self, protocol: &str) -> bool {
        self.alpn.iter().any(|offered| offered == protocol.as_bytes())
    }
}

/// Whether a number is there only to keep servers honest (RFC 8701 section 2).
pub fn is_grease(number: u16) -> bool {
    let [high, low] = number.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}

/// Whether the version is one of DTLS.
pub(crate) fn is_datagram_version(version: u16) -> bool {
    version >> 8 == 0xfe
}

/// Types of extension that are read.
pub(super) mod extension {
    pub(crate) const SERVER_NAME: u16 = 0;
    pub(crate) const GROUPS: u16 = 10;
    pub(crate) const POINT_FORMATS: u16 = 11;
    pub(crate) const SIGNATURE_ALGORITHMS: u16 = 13;
    pub(crate) const ALPN: u16 = 16;
    pub(crate) const SUPPORTED_VERSIONS: u16 = 43;
    pub(crate) const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;
    /// Of draft-ietf-tls-esni-02 and before; 0xff02 to 0xff04, which came after, are not blocked (GFW-ESNI).
    pub(crate) const ENCRYPTED_SERVER_NAME: u16 = 0xffce;
}

/// Which of two forms a message has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    /// Of TLS, and of QUIC.
    Stream,
    /// Of DTLS, with a cookie.
    Datagram,
}

/// Reads a message without its handshake header; `None` when the fields do not fill it exactly. The name's place is counted
/// from the message's beginning, and its length is not known here.
pub(crate) fn parse(body: &[u8], form: Form) -> Option<ClientHello> {
    let mut body = Reader::new(body);
    let mut hello = parse_head(&mut body, form)?;
    if body.is_empty() {
        return Some(hello); // Before TLS 1.3 there may be no extensions at all.
    }
    let mut extensions = body.vector16()?;
    while !extensions.is_empty() {
        let kind = extensions.u16()?;
        let data = extensions.vector16()?;
        hello.extensions.push(kind);
        hello.read_extension(kind, data)?;
    }
    body.is_empty().then_some(hello)
}

/// Reads the beginning of a message of which the end is missing; `None` where that does not reach as far as the name.
pub(crate) fn parse_cut(body: &[u8]) -> Option<ClientHello> {
    let mut body = Reader::new(body);
    let mut hello = parse_head(&mut body, Form::Stream)?;
    hello.is_cut = true;
    body.u16()?; // The length of the extensions.
    while let Some((kind, data)) = body.u16().and_then(|kind| Some((kind, body.vector16()?))) {
        hello.extensions.push(kind);
        hello.read_extension(kind, data)?;
    }
    hello.sni.is_some().then_some(hello)
}

/// Reads what comes before the extensions.
fn parse_head(body: &mut Reader<'_>, form: Form) -> Option<ClientHello> {
    let legacy_version = body.u16()?;
    body.take(32)?; // The random.
    let session_id = body.vector8()?;
    if form == Form::Datagram {
        body.vector8()?; // The cookie.
    }
    let cipher_suites = body.vector16()?;
    let compression_methods = body.vector8()?;
    let version_is_right = match form {
        Form::Stream => legacy_version >> 8 == 3,
        Form::Datagram => is_datagram_version(legacy_version),
    };
    let is_sound = version_is_right
        && session_id.rest().len() <= 32
        && !cipher_suites.is_empty()
        && cipher_suites.rest().len() % 2 == 0
        && !compression_methods.is_empty();
    let cipher_suites = cipher_suites.numbers();
    is_sound.then(|| ClientHello { legacy_version, cipher_suites, ..ClientHello::default() })
}

impl ClientHello {
    /// Takes what an extension says. The name must be sound; of the others, which the name does not depend on, nothing is
    /// taken that is not (TSPU-12).
    fn read_extension(&mut self, kind: u16, data: Reader<'_>) -> Option<()> {
        match kind {
            extension::SERVER_NAME if self.sni.is_none() => {
                let (name, place) = parse_server_name(data)?;
                (self.sni, self.sni_at) = (Some(name), Some(place));
            }
            extension::GROUPS => self.groups = parse_list16(data).unwrap_or_default(),
            extension::POINT_FORMATS => self.point_formats = parse_point_formats(data).unwrap_or_default(),
            extension::SIGNATURE_ALGORITHMS => self.signature_algorithms = parse_list16(data).unwrap_or_default(),
            extension::ALPN => self.alpn = parse_alpn(data).unwrap_or_default(),
            extension::SUPPORTED_VERSIONS => self.supported_versions = parse_list8(data).unwrap_or_default(),
            extension::ENCRYPTED_CLIENT_HELLO => self.ech = true,
            extension::ENCRYPTED_SERVER_NAME => self.esni = true,
            _ => {}
        }
        Some(())
    }
}

/// Reads the list of RFC 6066 section 3, which holds one host name.
fn parse_server_name(mut data: Reader<'_>) -> Option<(String, Range<usize>)> {
    const HOST_NAME: u8 = 0;
    let mut list = data.vector16()?;
    let kind = list.u8()?;
    let name = list.vector16()?;
    let is_sound = kind == HOST_NAME && !name.is_empty() && list.is_empty() && data.is_empty();
    let text = is_sound.then(|| str::from_utf8(name.rest()).ok())??;
    Some((text.to_owned(), name.at()..name.at() + text.len()))
}

/// Reads numbers of 16 bits behind a length of 16 bits.
fn parse_list16(mut data: Reader<'_>) -> Option<Vec<u16>> {
    let list = data.vector16()?;
    data.is_empty().then(|| list.numbers())
}

/// Reads numbers of 16 bits behind a length of 8 bits.
fn parse_list8(mut data: Reader<'_>) -> Option<Vec<u16>> {
    let list = data.vector8()?;
    data.is_empty().then(|| list.numbers())
}

fn parse_point_formats(mut data: Reader<'_>) -> Option<Vec<u8>> {
    let list = data.vector8()?;
    data.is_empty().then(|| list.rest().to_vec())
}

fn parse_alpn(mut data: Reader<'_>) -> Option<Vec<Vec<u8>>> {
    let mut list = data.vector16()?;
    let mut protocols = Vec::new();
    while !list.is_empty() {
        protocols.push(list.vector8()?.rest().to_vec());
    }
    data.is_empty().then_some(protocols)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8701 section 2: sixteen numbers.
    #[test]
    fn rfc_8701_grease() {
        assert_eq!((0..=u16::MAX).filter(|number| is_grease(*number)).count(), 16);
        assert!(is_grease(0x0a0a) && is_grease(0xfafa) && !is_grease(0x0a1a));
    }

    /// The newest version is the greatest of TLS and the least of DTLS, GREASE aside.
    #[test]
    fn newest_version() {
        let hello = |legacy_version, supported: &[u16]| ClientHello {
            legacy_version,
            supported_versions: supported.to_vec(),
            ..ClientHello::default()
        };
        assert_eq!(hello(0x0303, &[]).version(), 0x0303);
        assert_eq!(hello(0x0303, &[0xfafa, 0x0303, 0x0304]).version(), 0x0304);
        assert_eq!(hello(0xfefd, &[0xfefd, 0xfefc]).version(), 0xfefc);
        assert!(hello(0x0303, &[]).offers(0x0303) && !hello(0x0303, &[0x0304]).offers(0x0303));
    }
}
