//! What is tested: a page that is asked for at one mirror after the other, until one answers.

use std::time::Duration;

use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

/// The first page that can be had, and the mirror that it came from. The errors of all mirrors if there is none.
pub fn first_page<'a>(mirrors: &[&'a str]) -> Result<(&'a str, String), Vec<ureq::Error>> {
    // The system's authorities, which a lab adds its own to; with authorities compiled in, no lab is trusted.
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    let agent: Agent =
        Agent::config_builder().tls_config(tls).timeout_global(Some(Duration::from_secs(5))).build().into();
    let mut errors = Vec::new();
    for mirror in mirrors {
        match agent.get(*mirror).call().and_then(|mut answer| answer.body_mut().read_to_string()) {
            Ok(page) => return Ok((mirror, page)),
            Err(error) => errors.push(error),
        }
    }
    Err(errors)
}
