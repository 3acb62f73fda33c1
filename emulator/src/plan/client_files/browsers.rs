//! Enterprise policies: how browsers, which ignore the system's roots, are told to trust the lab and to ask its
//! resolvers.

use serde_json::{Value, json};

use super::files::LabCertificate;

/// A policy of Chromium and Chrome. `CACertificates` adds roots (since version 128); DNS over HTTPS is off, because the
/// browser would upgrade a public resolver by itself and a vantage's DNS would be measured no more.
pub fn chromium_policy(authority: LabCertificate<'_>) -> String {
    pretty(&json!({
        "BackgroundModeEnabled": false,
        "CACertificates": [base64_of(authority.pem)],
        "ComponentUpdatesEnabled": false,
        "DnsOverHttpsMode": "off",
        "MetricsReportingEnabled": false,
    }))
}

/// A policy of Firefox that installs the certificate at this path as a root.
pub fn firefox_policy(certificate: &str) -> String {
    pretty(&json!({
        "policies": {
            "CaptivePortal": false,
            "Certificates": { "Install": [certificate] },
            "DNSOverHTTPS": { "Enabled": false, "Locked": true },
            "DisableAppUpdate": true,
            "DisableFirefoxStudies": true,
            "DisableTelemetry": true,
        }
    }))
}

/// What stands between a PEM block's lines of dashes is the DER in base64 (RFC 7468 section 2).
fn base64_of(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with('-')).map(str::trim).collect()
}

fn pretty(policy: &Value) -> String {
    format!("{policy:#}\n")
}
