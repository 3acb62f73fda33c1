//! How a client says hello: what was written is checked, and a captured hello is read.

use super::probes::ProbeBuilder;
use crate::client_hello::with_server_name;
use crate::declare::{SplitDeclaration, TlsProbe};
use crate::model::{Hello, Payload, Split};
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

/// What a table about cuts says.
pub(super) fn split(declared: &SplitDeclaration) -> Split {
    Split { segments: declared.segments.0.clone(), records: declared.records.0.clone() }
}
