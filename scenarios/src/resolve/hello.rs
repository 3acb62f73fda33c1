//! How a client says hello: what was written is checked, and a captured hello is read.

use super::probes::ProbeBuilder;
use crate::client_hello::with_server_name;
use crate::declare::{HttpProbe, SplitDeclaration, TlsProbe};
use crate::model::{Hello, HttpRequest, Payload, Split};
use crate::read::Located;

impl ProbeBuilder<'_> {
    /// The form of a probe's `ClientHello`.
    pub(super) fn hello(&mut self, tls: &TlsProbe) -> Option<Hello> {
        let split = tls.split.as_ref().map(split).unwrap_or_default();
        let Some(written) = &tls.hello else {
            return Some(Hello { split, ech_grease: tls.ech.is_some(), captured: None });
        };
        if tls.ech.is_some() {
            let help = "take `ech` out, or name a hello that has the extension";
            return self.refuse(tls.at(), "a captured hello is sent as it is", help);
        }
        let bytes = self.bytes(written)?;
        if with_server_name(&bytes, &tls.sni).is_none() {
            let message = format!("`{}` is no ClientHello with a server name", written.value);
            let help =
                "name one in a TLS record of its own, as a client sends it over TCP; for other bytes there is `speak`";
            return self.refuse(&written.at, &message, help);
        }
        let captured = Some(Payload { written: written.value.clone(), segments: vec![bytes] });
        Some(Hello { split, ech_grease: false, captured })
    }
}

impl ProbeBuilder<'_> {
    /// What a request for a page has beside the usual.
    pub(super) fn request(&mut self, http: &HttpProbe) -> Option<HttpRequest> {
        let split = http.split.as_ref().map(split).unwrap_or_default();
        if !split.records.is_empty() && !http.url.starts_with("https://") {
            let help = "take `records` out, or open the page with `https://`";
            return self.refuse(http.at(), "without TLS there are no records to cut", help);
        }
        let is_text = |text: &str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        for (name, value) in &http.headers.entries {
            let is_token = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            if !is_token || !is_text(value) {
                let help = "write letters, digits and `-` for its name, and printable ASCII for its value";
                return self.refuse(&name.at, &format!("`{}` cannot be a header", name.value), help);
            }
        }
        if let Some(host) = http.host.as_ref().filter(|host| host.is_empty() || !is_text(host)) {
            let message = format!("`{}` cannot be a Host header", host.escape_debug());
            return self.refuse(&host.at, &message, "write printable ASCII; for other bytes there is `speak`");
        }
        let headers = http.headers.entries.iter().map(|(name, value)| (name.value.clone(), value.clone())).collect();
        Some(HttpRequest { host: http.host.as_ref().map(|host| host.value.clone()), headers, split })
    }
}

/// What a table about cuts says.
pub(super) fn split(declared: &SplitDeclaration) -> Split {
    Split { segments: declared.segments.0.clone(), records: declared.records.0.clone() }
}
