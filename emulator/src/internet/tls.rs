//! TLS 1.2 and 1.3: which certificate is shown to whom.

use std::fmt;
use std::sync::Arc;

use roadblock_scenarios::model::Certificate;
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::authority::Authority;
use super::page::Sites;
use super::servers::{ProblemKind, Problems};

/// A server's side of TLS for the hosts at one port. A client that names a host there gets that host's certificate;
/// one that names another, or none, gets the default host's, as from real servers. `alpn` are the protocols offered, the
/// best first.
pub(super) fn server_config(
    sites: Arc<Sites>,
    authority: Arc<Authority>,
    server: Arc<str>,
    problems: Problems,
    alpn: &[&[u8]],
) -> Result<ServerConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chooser = Chooser { sites, authority, server, problems };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(chooser));
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(config)
}

/// Chooses a certificate by the server name of the `ClientHello` (RFC 6066 section 3). It is made when first asked for:
/// a lab's start must not wait for keys that nobody uses.
struct Chooser {
    sites: Arc<Sites>,
    authority: Arc<Authority>,
    server: Arc<str>,
    problems: Problems,
}

impl ResolvesServerCert for Chooser {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let site = self.sites.choose(hello.server_name());
        let authority = match site.certificate {
            Certificate::Untrusted => self.authority.stranger(),
            Certificate::Trusted | Certificate::Expired | Certificate::WrongName => Ok(self.authority.as_ref()),
        };
        let issued = authority.and_then(|authority| match site.certificate {
            Certificate::Expired => authority.issue_expired(&site.names),
            Certificate::WrongName => authority.issue(&[WRONG_NAME.to_owned()], &[]),
            Certificate::Trusted | Certificate::Untrusted => authority.issue(&site.names, &site.certified),
        });
        match issued {
            Ok(certificate) => Some(certificate),
            Err(error) => {
                self.problems.note(&self.server, ProblemKind::Certificate(error.to_string()));
                None
            }
        }
    }
}

/// What a certificate is for that is for somebody else.
const WRONG_NAME: &str = "wrong-name.example";

impl fmt::Debug for Chooser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chooser").field("server", &self.server).finish_non_exhaustive()
    }
}
