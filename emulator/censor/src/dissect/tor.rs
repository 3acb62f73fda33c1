//! Tor without a disguise: TLS with a `ClientHello` for a name that nobody registered (FP-TOR).

use super::tls::ClientHello;

/// Whether a `ClientHello` is as that of Tor's own TLS: it names `www.`, 4 to 25 letters of base 32, `.com`, and offers no
/// protocols (ALPN), as browsers do. The name alone says little: `www.instagram.com` is of that form too.
pub fn is_tor(hello: &ClientHello) -> bool {
    hello.alpn.is_empty() && hello.sni.as_deref().is_some_and(is_tor_name)
}

/// Whether a name is of that form.
pub fn is_tor_name(name: &str) -> bool {
    let label = name.strip_prefix("www.").and_then(|rest| rest.strip_suffix(".com"));
    label.is_some_and(|label| {
        (4..=25).contains(&label.len()) && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::tls::{Hello, Options, client_hello};

    const TOR: &[u8] = include_bytes!("../../tests/data/tor-client-hello.bin");
    const CURL: &[u8] = include_bytes!("../../tests/data/curl-client-hello.bin");

    fn hello(stream: &[u8]) -> Box<ClientHello> {
        match client_hello(stream, &Options::default()) {
            Hello::ClientHello(hello) => hello,
            other => panic!("{other:?}"),
        }
    }

    /// FP-TOR: what Tor sent to a bridge without a transport; what curl sent is none.
    #[test]
    fn fp_tor_real_client_hellos() {
        assert!(is_tor(&hello(TOR)), "{:?}", hello(TOR).sni);
        assert!(!is_tor(&hello(CURL)));
    }

    /// FP-TOR: the bounds of the form.
    #[test]
    fn fp_tor_name_form() {
        let long = "a".repeat(25);
        for name in ["www.abcd.com", "www.az27.com", &format!("www.{long}.com")] {
            assert!(is_tor_name(name), "{name}");
        }
        for name in [
            "www.abc.com",
            "www.abc1.com",
            "www.abc8.com",
            "www.ab-d.com",
            "www.abcd.net",
            "abcd.com",
            &format!("www.{long}a.com"),
        ] {
            assert!(!is_tor_name(name), "{name}");
        }
        assert!(is_tor_name("www.instagram.com"), "what comes with such a rule");
    }
}
