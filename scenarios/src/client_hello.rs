//! The server's name in a TLS `ClientHello` that somebody else sent (RFC 8446 section 4.1.2, RFC 6066 section 3).

/// A record with a `ClientHello`, its server name replaced by this one and every length made right; `None` where it is no
/// such record, or has no server name. Nothing else of it is touched.
pub fn with_server_name(record: &[u8], name: &str) -> Option<Vec<u8>> {
    let ([kind, version @ ..], message) = record.split_first_chunk::<5>()?;
    let [high, low, length @ ..] = version;
    if *kind != HANDSHAKE || *high != 3 || usize::from(u16::from_be_bytes(*length)) != message.len() {
        return None;
    }
    let message = hello_with_server_name(message, name)?;
    let length = u16::try_from(message.len()).ok()?.to_be_bytes();
    Some([&[*kind, *high, *low], length.as_slice(), &message].concat())
}

/// The same of a handshake message, which QUIC carries without a record.
fn hello_with_server_name(message: &[u8], name: &str) -> Option<Vec<u8>> {
    let ([kind, length @ ..], body) = message.split_first_chunk::<4>()?;
    let [a, b, c] = *length;
    if *kind != CLIENT_HELLO || u32::from_be_bytes([0, a, b, c]) as usize != body.len() {
        return None;
    }
    // Version and random, session id, cipher suites, compression methods.
    let (_, rest) = body.split_at_checked(34)?;
    let (_, rest) = vector8(rest)?;
    let (_, rest) = vector16(rest)?;
    let (_, rest) = vector8(rest)?;
    let before = body.get(..body.len() - rest.len())?;
    let (extensions, []) = vector16(rest)? else { return None };
    let extensions = extensions_with_server_name(extensions, name)?;
    let body = [before, &u16::try_from(extensions.len()).ok()?.to_be_bytes(), &extensions].concat();
    let [0, length @ ..] = u32::try_from(body.len()).ok()?.to_be_bytes() else { return None };
    Some([&[*kind], length.as_slice(), &body].concat())
}

fn extensions_with_server_name(mut extensions: &[u8], name: &str) -> Option<Vec<u8>> {
    let (mut all, mut found) = (Vec::new(), false);
    while let ([high, low, ..], Some(rest)) = (extensions, extensions.get(2..)) {
        let (value, after) = vector16(rest)?;
        let kind = [*high, *low];
        let is_name = kind == SERVER_NAME;
        let value = if is_name { server_name(name)? } else { value.to_vec() };
        found |= is_name;
        all.extend(kind);
        all.extend(u16::try_from(value.len()).ok()?.to_be_bytes());
        all.extend(value);
        extensions = after;
    }
    (found && extensions.is_empty()).then_some(all)
}

/// A list of one name, of type `host_name`.
fn server_name(name: &str) -> Option<Vec<u8>> {
    let name_length = u16::try_from(name.len()).ok()?;
    let list_length = name_length.checked_add(3)?;
    Some([list_length.to_be_bytes().as_slice(), &[HOST_NAME], &name_length.to_be_bytes(), name.as_bytes()].concat())
}

/// A vector whose length is one byte, and what follows it.
fn vector8(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(*length))
}

/// A vector whose length is two bytes, and what follows it.
fn vector16(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_NAME: [u8; 2] = [0, 0];
const HOST_NAME: u8 = 0;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use roadblock_censor::dissect::tls;

    use super::*;

    const CHROMIUM: &[u8] = include_bytes!("../../emulator/censor/tests/data/chromium-client-hello.bin");
    const CURL: &[u8] = include_bytes!("../../emulator/censor/tests/data/curl-client-hello.bin");
    const DTLS: &[u8] = include_bytes!("../../emulator/censor/tests/data/dtls-client-hello-sni.bin");

    fn name_of(record: &[u8]) -> String {
        match tls::client_hello(record, &tls::Options::default()) {
            tls::Hello::ClientHello(hello) => hello.sni.expect("a name"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_name_is_replaced_and_nothing_else() {
        assert_eq!(with_server_name(CURL, "www.instagram.com").as_deref(), Some(CURL));
        let longer = with_server_name(CHROMIUM, "a-rather-long-name.of-many-labels.example").expect("a hello");
        let back = with_server_name(&longer, name_of(CHROMIUM).as_str()).expect("a hello");
        assert_eq!(back, CHROMIUM);
        assert_eq!(name_of(&longer), "a-rather-long-name.of-many-labels.example");
    }

    #[test]
    fn what_is_no_hello_in_a_record_is_refused() {
        assert_eq!(with_server_name(DTLS, "a.example"), None);
        assert_eq!(with_server_name(b"GET / HTTP/1.1\r\n\r\n", "a.example"), None);
        assert_eq!(with_server_name(&CURL[..CURL.len() - 1], "a.example"), None);
        assert_eq!(with_server_name(CURL, &"a".repeat(65_534)), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_hello_or_none(at in 0_usize..517, byte in any::<u8>(), name in "[a-z.]{0,80}") {
            let mut changed = CURL.to_vec();
            if let Some(place) = changed.get_mut(at) {
                *place = byte;
            }
            if let Some(renamed) = with_server_name(&changed, &name) {
                prop_assert!(with_server_name(&renamed, &name) == Some(renamed));
            }
        }
    }
}
