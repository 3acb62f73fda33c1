//! The cookies that a chain of redirects sets (RFC 6265), as far as one measurement needs them: by host, without paths and ages.

use std::collections::BTreeMap;

use hyper::header::{HeaderMap, SET_COOKIE};
use url::Url;

/// The cookies of one measurement.
#[derive(Clone, Debug, Default)]
pub(super) struct Cookies(BTreeMap<(String, String), String>);

impl Cookies {
    /// Keeps what an answer sets.
    pub(super) fn take(&mut self, url: &Url, headers: &HeaderMap) {
        let set = headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
        for cookie in set {
            let mut parts = cookie.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { continue };
            let domain = parts.find_map(|part| part.strip_prefix("Domain=").or_else(|| part.strip_prefix("domain=")));
            let host = url.host_str().unwrap_or_default();
            // Section 5.3: nobody sets a cookie for somebody else.
            let domain = domain.map(|domain| domain.trim_start_matches('.')).filter(|domain| within(host, domain));
            self.0.insert((domain.unwrap_or(host).to_owned(), name.to_owned()), value.to_owned());
        }
    }

    /// What is sent back to a host.
    pub(super) fn of(&self, url: &Url) -> Option<String> {
        let host = url.host_str().unwrap_or_default();
        let own = self.0.iter().filter(|((domain, _), _)| within(host, domain));
        let pairs: Vec<String> = own.map(|((_, name), value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

fn within(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_goes_back_to_whom_it_is_for() {
        let url = |text: &str| Url::parse(text).expect("a URL");
        let mut cookies = Cookies::default();
        let set = |value: &str| HeaderMap::from_iter([(SET_COOKIE, value.parse().expect("a value"))]);
        cookies.take(&url("https://a.example/"), &set("one=1; Path=/; Secure"));
        cookies.take(&url("https://www.b.example/"), &set("two=2; Domain=.b.example"));
        cookies.take(&url("https://c.example/"), &set("three=3; Domain=b.example"));
        assert_eq!(cookies.of(&url("http://a.example/x")).as_deref(), Some("one=1"));
        assert_eq!(cookies.of(&url("https://b.example/")).as_deref(), Some("two=2"));
        assert_eq!(cookies.of(&url("https://c.example/")).as_deref(), Some("three=3"));
        assert_eq!(cookies.of(&url("https://notb.example/")), None);
    }
}
