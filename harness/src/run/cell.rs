//! A result in two words.

use super::report::{Seen, Word};
use crate::output::Paint;
use crate::probes::Operation;

/// What a table's cell says: `ok`, `dns NXDOMAIN`, `tcp timeout`, `media tls reset`, `chat cut`, `calls croak`.
pub(crate) fn text(seen: &Seen) -> String {
    let what = match &seen.how {
        Some(how) if !matches!(seen.verdict, Word::Ok | Word::Invalid) => how.clone(),
        _ => layer(seen),
    };
    match &seen.part {
        Some(part) if !matches!(seen.verdict, Word::Ok | Word::Invalid) => format!("{part} {what}"),
        _ => what,
    }
}

/// The layer that failed and how.
fn layer(seen: &Seen) -> String {
    let word = seen.verdict.as_str();
    match (seen.verdict, &seen.failure) {
        (Word::Ok | Word::Invalid, _) => word.to_owned(),
        (Word::Dns, None) if seen.operation == Some(Operation::Resolve) => format!("{word} wrong address"),
        (_, Some(failure)) => format!("{word} {}", brief(failure)),
        (_, None) => word.to_owned(),
    }
}

/// The same in the colour of its meaning.
pub(crate) fn painted(paint: Paint, verdict: Word, text: &str) -> String {
    match verdict {
        Word::Ok => paint.good(text).to_string(),
        Word::Invalid | Word::Unmeasured => paint.doubtful(text).to_string(),
        _ => paint.bad(text).to_string(),
    }
}

/// A failure string, as short as a person can still read it.
fn brief(failure: &str) -> String {
    let brief = match failure {
        "connection_reset" => "reset",
        "connection_refused" => "refused",
        "connection_aborted" => "aborted",
        "generic_timeout_error" | "timed_out" => "timeout",
        "eof_error" => "closed",
        "dns_nxdomain_error" => "NXDOMAIN",
        "dns_refused_error" => "REFUSED",
        "dns_servfail_error" => "SERVFAIL",
        "dns_no_answer" => "no address",
        "dns_bogon_error" => "bogon",
        "dns_server_misbehaving" => "bad answer",
        "quic_incompatible_version" => "other version",
        "ssl_unknown_authority" => "unknown authority",
        "ssl_invalid_hostname" => "wrong name",
        "ssl_invalid_certificate" => "bad certificate",
        "ssl_failed_handshake" => "bad handshake",
        other => return other.strip_prefix("unknown_failure: ").unwrap_or(other).replace('_', " "),
    };
    brief.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_is_short_and_readable() {
        let failures = [
            "address_in_use",
            "connection_refused",
            "connection_reset",
            "dns_bogon_error",
            "dns_no_answer",
            "dns_nxdomain_error",
            "dns_refused_error",
            "dns_servfail_error",
            "dns_server_misbehaving",
            "eof_error",
            "generic_timeout_error",
            "host_unreachable",
            "network_unreachable",
            "quic_incompatible_version",
            "ssl_failed_handshake",
            "ssl_invalid_certificate",
            "ssl_invalid_hostname",
            "ssl_unknown_authority",
            "unknown_failure: no socket",
        ];
        insta::assert_snapshot!(failures.map(|failure| format!("{failure} -> {}", brief(failure))).join("\n"));
    }
}
