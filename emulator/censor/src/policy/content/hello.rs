//! Questions about a `ClientHello`, whatever carries it.

use crate::dissect::tls::{Carrier, ClientHello};
use crate::fingerprints::FingerprintSet;
use crate::names::NameSet;

/// A question about a `ClientHello`.
#[derive(Clone, Debug, PartialEq)]
pub enum HelloQuestion {
    /// There is one.
    Any,
    /// It names a server.
    Named,
    /// It names one of these servers.
    Sni(NameSet),
    /// It offers one of these protocols by ALPN.
    Alpn(Vec<String>),
    /// The newest version that it offers is one of these, as numbers on the wire: `0x0304` for TLS 1.3, `0xfefd` for DTLS 1.2.
    Version(Vec<u16>),
    /// It has an `encrypted_client_hello` extension, be it GREASE (TSPU-15).
    Ech,
    /// It has an `encrypted_server_name` extension (GFW-ESNI).
    Esni,
    /// Its JA3 is one of these (IR-TLSFP-1).
    Ja3(FingerprintSet),
    /// Its JA4 is one of these (RU-TG-1, RU-DTLS-2).
    Ja4(FingerprintSet),
}

impl HelloQuestion {
    /// Whether it is about an empty list, so that no `ClientHello` is what is asked for.
    pub(crate) fn is_about_nothing(&self) -> bool {
        match self {
            Self::Sni(names) => names.is_empty(),
            Self::Ja3(set) | Self::Ja4(set) => set.is_empty(),
            _ => false,
        }
    }

    /// What is looked for, as a listing says it; `carrier`: `TLS`, for instance.
    pub(crate) fn looks_for(&self, carrier: &str) -> Vec<String> {
        match self {
            Self::Any => vec![carrier.to_owned()],
            Self::Named => vec![format!("{carrier} with a name")],
            Self::Sni(names) => names.iter().map(ToString::to_string).collect(),
            Self::Alpn(protocols) => protocols.iter().map(|protocol| format!("ALPN {protocol}")).collect(),
            Self::Version(versions) => versions.iter().copied().map(version_name).collect(),
            Self::Ech => vec!["ECH".to_owned()],
            Self::Esni => vec!["ESNI".to_owned()],
            Self::Ja3(set) => set.iter().map(|pattern| format!("JA3 {pattern}")).collect(),
            Self::Ja4(set) => set.iter().map(|pattern| format!("JA4 {pattern}")).collect(),
        }
    }

    /// The answer; `None` where it lies in what was not seen.
    pub(crate) fn answer(&self, hello: &ClientHello, carrier: Carrier) -> Option<bool> {
        let is_open = hello.is_cut
            && match self {
                Self::Any | Self::Named | Self::Sni(_) => false,
                Self::Alpn(_) => hello.alpn.is_empty(),
                Self::Version(_) => hello.supported_versions.is_empty(),
                Self::Ech => !hello.ech,
                Self::Esni => !hello.esni,
                Self::Ja3(_) | Self::Ja4(_) => true,
            };
        (!is_open).then(|| self.answer_seen(hello, carrier))
    }

    fn answer_seen(&self, hello: &ClientHello, carrier: Carrier) -> bool {
        match self {
            Self::Any => true,
            Self::Named => hello.sni.is_some(),
            Self::Sni(names) => hello.sni.as_deref().is_some_and(|name| names.matches(name)),
            Self::Alpn(protocols) => protocols.iter().any(|protocol| hello.offers_protocol(protocol)),
            Self::Version(versions) => versions.contains(&hello.version()),
            Self::Ech => hello.ech,
            Self::Esni => hello.esni,
            Self::Ja3(set) => set.matches_ja3(&hello.ja3()),
            Self::Ja4(set) => set.matches_ja4(&hello.ja4(carrier)),
        }
    }

    /// What was found, as a person would say it.
    pub(crate) fn describe(&self, hello: &ClientHello, carrier: Carrier) -> String {
        match self {
            Self::Any | Self::Named | Self::Sni(_) => match &hello.sni {
                Some(name) => format!("SNI {}", name.to_ascii_lowercase()),
                None => "a ClientHello without SNI".to_owned(),
            },
            Self::Alpn(_) => {
                let protocols: Vec<_> = hello.alpn.iter().map(|protocol| String::from_utf8_lossy(protocol)).collect();
                format!("ALPN {}", protocols.join(" "))
            }
            Self::Version(_) => version_name(hello.version()),
            Self::Ech => (if hello.ech { "ECH" } else { "a ClientHello without ECH" }).to_owned(),
            Self::Esni => (if hello.esni { "ESNI" } else { "a ClientHello without ESNI" }).to_owned(),
            Self::Ja3(_) => format!("JA3 {}", hello.ja3().hash),
            Self::Ja4(_) => format!("JA4 {}", hello.ja4(carrier)),
        }
    }
}

fn version_name(version: u16) -> String {
    let name = match version {
        0x0300 => "SSL 3.0",
        0x0301 => "TLS 1.0",
        0x0302 => "TLS 1.1",
        0x0303 => "TLS 1.2",
        0x0304 => "TLS 1.3",
        0xfeff => "DTLS 1.0",
        0xfefd => "DTLS 1.2",
        0xfefc => "DTLS 1.3",
        other => return format!("TLS version {other:#06x}"),
    };
    name.to_owned()
}
