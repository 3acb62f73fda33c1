//! Questions about TLS over TCP.

use super::{Habit, HelloQuestion, Span, Speaker};
use crate::dissect::tls::{Carrier, InnerGuess, ServerNames};
use crate::names::NameSet;
use crate::reading::{Heard, Reading};

/// A question about TLS over TCP.
#[derive(Clone, Debug, PartialEq)]
pub enum TlsQuestion {
    /// About the client's `ClientHello`.
    Hello(HelloQuestion),
    /// The server's certificate is for a name that is one of these (IR-CERT-1): that of a wildcard, `*.example.com`, is asked
    /// without its star. Not known where TLS 1.3 hides it.
    Certificate(NameSet),
    /// What both ends say in turn has the sizes of a TLS handshake inside the flow, be that itself TLS or not (RU-FET-1). A
    /// guess.
    Inner(InnerGuess),
}

impl TlsQuestion {
    pub(crate) fn looks_for(&self) -> Vec<String> {
        match self {
            Self::Hello(question) => question.looks_for("TLS"),
            Self::Certificate(names) => names.iter().map(|name| format!("certificate {name}")).collect(),
            Self::Inner(_) => vec!["TLS inside".to_owned()],
        }
    }

    pub(crate) const fn habit(&self) -> Habit {
        match self {
            Self::Hello(_) => Habit::STREAM,
            Self::Certificate(_) => Habit { from: Speaker::Server, ..Habit::BEGINNING },
            Self::Inner(_) => Habit { from: Speaker::Either, span: Span::Turns, ..Habit::STREAM },
        }
    }

    pub(crate) fn answer(&self, reading: &Reading<'_>) -> Option<bool> {
        match self {
            Self::Hello(question) => match reading.hello() {
                Heard::Nothing => None,
                Heard::NoHello => Some(false),
                Heard::Hello(hello) => question.answer(hello, Carrier::Tcp),
            },
            Self::Certificate(names) => match reading.server_names() {
                ServerNames::Incomplete | ServerNames::Hidden => None,
                ServerNames::NotTls => Some(false),
                ServerNames::Named(found) => Some(first_named(found, names).is_some()),
            },
            Self::Inner(guess) => reading.inner?.told(guess),
        }
    }

    pub(crate) fn describe(&self, reading: &Reading<'_>) -> Option<String> {
        if matches!(self, Self::Inner(_)) {
            return Some("sizes as of TLS inside".to_owned());
        }
        match (self, reading.hello(), reading.server_names()) {
            (Self::Hello(question), Heard::Hello(hello), _) => Some(question.describe(hello, Carrier::Tcp)),
            (Self::Certificate(names), _, ServerNames::Named(found)) => {
                let name = first_named(found, names).or(found.first()).map_or("nobody", String::as_str);
                Some(format!("certificate for {}", name.to_ascii_lowercase()))
            }
            _ => None,
        }
    }
}

/// The first of a certificate's names that is meant.
fn first_named<'a>(found: &'a [String], names: &NameSet) -> Option<&'a String> {
    found.iter().find(|name| names.matches(name.strip_prefix("*.").unwrap_or(name)))
}
