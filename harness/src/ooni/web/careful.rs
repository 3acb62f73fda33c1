//! What a careful analyst says beside OONI's rule, from the same measurement: where the rule says too much, too little, or one
//! thing of several (facts, section 6, and the issues of ooni/probe that are named).

use std::fmt;

use super::super::measurement::TestKeys;
use super::super::web_keys::{Blocking, WebKeys};

/// Something that the rule does not say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Remark {
    /// The page began and then stood still (T26).
    Froze {
        /// How many bytes of it had come.
        after: u64,
    },
    /// It was still coming when the probe gave up (T27).
    TooSlow {
        /// In kilobits a second.
        kilobits: u64,
    },
    /// It can be read, slowly (T27, T28).
    Slow {
        /// In kilobits a second.
        kilobits: u64,
    },
    /// Nothing came, which loss does too (ooni/probe#2457).
    OnlySilence,
    /// The test helper shook hands and could not get the page (ooni/probe#2881).
    ControlShookHands,
    /// Another page than the test helper's, over TLS (ts-017).
    OtherPageOverTls,
    /// Another page than the test helper's, with the server's own certificate nowhere in sight.
    OtherPage,
    /// Names are lied about, and the page can be read.
    LiesDoNotMatter,
    /// More is blocked than the one thing that is named.
    MoreThanOne(Vec<&'static str>),
    /// The certificate is of an authority that this client does not know (T20).
    Interception,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Froze { after } => {
                write!(f, "the page began and stood still after {after} bytes: a freeze, not a refusal")
            }
            Self::TooSlow { kilobits } => {
                write!(f, "the page was still coming, at {kilobits} kbit/s, when the probe gave up: slow, not refused")
            }
            Self::Slow { kilobits } => {
                write!(f, "it can be read, at {kilobits} kbit/s: compare with another name at the same address")
            }
            Self::OnlySilence => f.write_str("silence alone is what loss looks like too: measure again"),
            Self::ControlShookHands => f.write_str(
                "the test helper shook hands and failed later: the server is up, so this need not be its fault",
            ),
            Self::OtherPageOverTls => f.write_str(
                "another page than the test helper's, but over TLS: the server itself says it to this client",
            ),
            Self::OtherPage => f.write_str(
                "another page than the test helper's: a block page, or what the server itself says to this client",
            ),
            Self::LiesDoNotMatter => f.write_str("resolvers lie about the name, and the page can be read all the same"),
            Self::MoreThanOne(what) => write!(f, "more than one thing is blocked: {}", what.join(", ")),
            Self::Interception => f.write_str(
                "somebody answers with a certificate that nobody knows: read, unless the server's own is private",
            ),
        }
    }
}

/// What there is to remark on a measurement of Web Connectivity.
pub(crate) fn read(met: &TestKeys, keys: &WebKeys) -> Vec<Remark> {
    let failure = keys.http_experiment_failure.as_deref();
    let silent = failure == Some("generic_timeout_error");
    let page = met.requests.first();
    let came = page.map(|page| bytes_read(met, page.transaction_id)).unwrap_or_default();
    let page_failed = page.is_some_and(|page| page.failure.is_some());
    let other = keys.status_code_match == Some(false) || keys.body_length_match == Some(false);
    let over_tls = page.is_some_and(|page| page.request.url.starts_with("https://"));
    let reached = keys.accessible == Some(true);
    let named = flags_named(keys);
    let control_shook = keys.control.as_ref().is_some_and(|control| {
        control.http_request.failure.is_some() && control.tls_handshake.values().any(|handshake| handshake.status)
    });
    let found = [
        (silent && page_failed && came > 0).then(|| unfinished(met, came)),
        (silent && came == 0 && keys.blocking != Blocking::None).then_some(Remark::OnlySilence),
        slow(met).filter(|_| reached).map(|kilobits| Remark::Slow { kilobits }),
        (control_shook && failure.is_some()).then_some(Remark::ControlShookHands),
        (reached && over_tls && other).then_some(Remark::OtherPageOverTls),
        (keys.blocking == Blocking::HttpDiff).then_some(Remark::OtherPage),
        (reached && keys.dns_consistency.as_deref() == Some("inconsistent")).then_some(Remark::LiesDoNotMatter),
        (failure == Some("ssl_unknown_authority") && keys.blocking != Blocking::None).then_some(Remark::Interception),
        (named.len() > 1).then_some(Remark::MoreThanOne(named)),
    ];
    found.into_iter().flatten().collect()
}

/// What a page is that began and did not end: one that stood still for most of its time froze, another was slow.
fn unfinished(met: &TestKeys, came: u64) -> Remark {
    let Some(page) = met.requests.first() else { return Remark::OnlySilence };
    let reads = met.network_events.iter().filter(|event| event.occasion.transaction_id == page.transaction_id);
    let reads = reads.filter(|event| event.operation == "read" && event.num_bytes.is_some_and(|bytes| bytes > 0));
    let last = reads.map(|event| event.occasion.t).fold(0.0, f64::max);
    let (began, ended) = (page.t0.unwrap_or_default(), page.t.unwrap_or_default());
    let milliseconds =
        u64::try_from(std::time::Duration::try_from_secs_f64(ended - began).unwrap_or_default().as_millis());
    if ended - last > (ended - began) / 2.0 {
        return Remark::Froze { after: came };
    }
    Remark::TooSlow { kilobits: came * 8 / milliseconds.unwrap_or(u64::MAX).max(1) }
}

/// How much came on a connection, TLS and headers included.
fn bytes_read(met: &TestKeys, transaction: Option<i64>) -> u64 {
    let handshake = met
        .tls_handshakes
        .iter()
        .filter(|each| each.occasion.transaction_id == transaction)
        .map(|each| each.occasion.t);
    let since = handshake.fold(0.0, f64::max);
    let own = met
        .network_events
        .iter()
        .filter(|event| event.occasion.transaction_id == transaction && event.occasion.t > since);
    own.filter(|event| event.operation == "read").filter_map(|event| event.num_bytes).sum()
}

/// The speed of a page that is long enough to have one, where that is what a person calls slow.
fn slow(met: &TestKeys) -> Option<u64> {
    let page = met.requests.first().filter(|page| page.failure.is_none())?;
    let bytes = bytes_read(met, page.transaction_id);
    let took = std::time::Duration::try_from_secs_f64(page.t? - page.t0?).ok()?;
    let milliseconds = u64::try_from(took.as_millis()).ok().filter(|took| *took > 0)?;
    let kilobits = bytes * 8 / milliseconds;
    (bytes >= LONG && kilobits < FAST).then_some(kilobits)
}

fn flags_named(keys: &WebKeys) -> Vec<&'static str> {
    let flags = keys.x_blocking_flags.unwrap_or_default();
    let named = [(1, "the name"), (2, "the address"), (4, "the handshake"), (8, "the page"), (16, "what it says")];
    named.into_iter().filter(|(flag, _)| flags & flag != 0).map(|(_, word)| word).collect()
}

/// A page of fewer bytes says nothing about speed.
const LONG: u64 = 16 * 1024;
/// What is slower, in kilobits a second, a person notices.
const FAST: u64 = 256;

#[cfg(test)]
mod tests {
    use super::super::super::http::{Request, Transaction};
    use super::super::super::network::NetworkEvent;
    use super::super::super::occasion::Occasion;
    use super::*;

    fn met(failure: Option<&str>, bytes: u64, took: f64) -> TestKeys {
        let request = Request { url: "https://a.example/".to_owned(), ..Request::default() };
        let failure = failure.map(str::to_owned);
        let (t0, t, transaction_id) = (Some(1.0), Some(1.0 + took), Some(2));
        let read = NetworkEvent {
            operation: "read".to_owned(),
            num_bytes: Some(bytes),
            occasion: Occasion { t: 1.5, transaction_id, ..Occasion::default() },
            ..NetworkEvent::default()
        };
        TestKeys {
            requests: vec![Transaction { failure, request, t0, t, transaction_id, ..Transaction::default() }],
            network_events: vec![read],
            ..TestKeys::default()
        }
    }

    fn failed(blocking: Blocking) -> WebKeys {
        let failure = Some("generic_timeout_error".to_owned());
        WebKeys { http_experiment_failure: failure, blocking, accessible: Some(false), ..WebKeys::default() }
    }

    #[test]
    fn a_freeze_is_told_from_silence_and_from_slowness() {
        let timeout = Some("generic_timeout_error");
        let keys = failed(Blocking::HttpFailure);
        assert_eq!(read(&met(timeout, 5_000, 0.8), &keys), [Remark::TooSlow { kilobits: 50 }]);
        assert_eq!(read(&met(timeout, 16_000, 5.0), &keys), [Remark::Froze { after: 16_000 }]);
        assert_eq!(read(&met(timeout, 0, 5.0), &keys), [Remark::OnlySilence]);
    }

    #[test]
    fn what_is_slow_and_what_is_only_short_can_both_be_read() {
        let keys = WebKeys { accessible: Some(true), blocking: Blocking::None, ..WebKeys::default() };
        assert_eq!(read(&met(None, 64_000, 4.0), &keys), [Remark::Slow { kilobits: 128 }]);
        assert_eq!(read(&met(None, 64_000, 0.1), &keys), []);
        assert_eq!(read(&met(None, 1_000, 4.0), &keys), []);
    }

    #[test]
    fn what_the_rule_passes_over_is_said() {
        let reached = WebKeys { accessible: Some(true), blocking: Blocking::None, ..WebKeys::default() };
        let captcha = WebKeys { status_code_match: Some(false), ..reached.clone() };
        assert_eq!(read(&met(None, 10, 0.1), &captcha), [Remark::OtherPageOverTls]);
        let lied_to = WebKeys { dns_consistency: Some("inconsistent".to_owned()), ..reached };
        assert_eq!(read(&met(None, 10, 0.1), &lied_to), [Remark::LiesDoNotMatter]);
        let several = WebKeys { x_blocking_flags: Some(1 | 4 | 32), blocking: Blocking::Dns, ..WebKeys::default() };
        assert_eq!(read(&met(None, 10, 0.1), &several), [Remark::MoreThanOne(vec!["the name", "the handshake"])]);
    }
}
