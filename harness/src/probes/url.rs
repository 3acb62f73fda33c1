//! The part of a URL that a page of the lab needs.

use std::fmt;
use std::str::FromStr;

use hyper::Uri;

/// An `http://` or `https://` URL.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct WebUrl {
    /// Whether it is `https://`.
    pub(crate) secure: bool,
    /// The server's name.
    pub(crate) host: String,
    /// The port, 80 or 443 where not said.
    pub(crate) port: u16,
    /// The path, with the query.
    pub(crate) path: String,
}

/// A text that is no such URL.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is not an `http://` or `https://` URL with a name")]
pub(crate) struct WebUrlError(String);

impl WebUrl {
    /// Whether a page with a title stands there; what the lab's hosts serve as `/bytes/N` has none.
    pub(crate) fn is_page(&self) -> bool {
        !self.path.starts_with("/bytes/")
    }

    /// What the Host header says (RFC 9110 section 7.2).
    pub(crate) fn authority(&self) -> String {
        if self.port == default_port(self.secure) { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }
}

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.path)
    }
}

impl FromStr for WebUrl {
    type Err = WebUrlError;

    fn from_str(text: &str) -> Result<Self, WebUrlError> {
        let wrong = || WebUrlError(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong()),
        };
        let host = uri.host().ok_or_else(wrong)?.to_owned();
        let port = uri.port_u16().unwrap_or(default_port(secure));
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { secure, host, port, path })
    }
}

fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_has_its_default() {
        let url: WebUrl = "https://web.whatsapp.com".parse().expect("a URL");
        assert_eq!((url.secure, &*url.host, url.port, &*url.path), (true, "web.whatsapp.com", 443, "/"));
        assert_eq!(url.authority(), "web.whatsapp.com");
    }

    #[test]
    fn what_is_said_holds() {
        let url: WebUrl = "http://max.ru:8080/a?b=c".parse().expect("a URL");
        assert_eq!((url.secure, &*url.path, &*url.authority()), (false, "/a?b=c", "max.ru:8080"));
    }

    #[test]
    fn other_things_are_refused() {
        for text in ["", "max.ru", "ftp://max.ru/", "/path", "https://"] {
            assert!(text.parse::<WebUrl>().is_err(), "{text}");
        }
    }
}
