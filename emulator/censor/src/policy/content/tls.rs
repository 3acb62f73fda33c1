//! Questions about TLS.

use super::Habit;
use crate::names::NameSet;
use crate::reading::{Heard, Reading};

/// A question about the `ClientHello` of a TCP flow.
#[derive(Clone, Debug)]
pub enum TlsQuestion {
    /// There is one.
    Hello,
    /// It names a server.
    Named,
    /// It names one of these servers.
    Sni(NameSet),
}

impl TlsQuestion {
    pub(crate) fn looks_for(&self) -> Vec<String> {
        match self {
            Self::Hello => vec!["TLS".to_owned()],
            Self::Named => vec!["TLS with a name".to_owned()],
            Self::Sni(names) => names.iter().map(ToString::to_string).collect(),
        }
    }

    #[expect(clippy::unused_self, reason = "as the other questions")]
    pub(crate) const fn habit(&self) -> Habit {
        Habit::STREAM
    }

    pub(crate) fn answer(&self, reading: &Reading<'_>) -> Option<bool> {
        let hello = match reading.hello() {
            Heard::Nothing => return None,
            Heard::NoHello => return Some(false),
            Heard::Hello(hello) => hello,
        };
        Some(match self {
            Self::Hello => true,
            Self::Named => hello.sni.is_some(),
            Self::Sni(names) => hello.sni.as_deref().is_some_and(|name| names.matches(name)),
        })
    }

    #[expect(clippy::unused_self, reason = "as the other questions")]
    pub(crate) fn describe(&self, reading: &Reading<'_>) -> Option<String> {
        match reading.hello() {
            Heard::Hello(hello) => Some(match &hello.sni {
                Some(name) => format!("SNI {}", name.to_ascii_lowercase()),
                None => "a ClientHello without SNI".to_owned(),
            }),
            Heard::Nothing | Heard::NoHello => None,
        }
    }
}
