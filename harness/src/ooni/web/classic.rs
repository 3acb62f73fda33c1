//! The one word that OONI gives: `blocking`, and `accessible` with it.

use std::cmp::Reverse;

use super::super::web_keys::Blocking;
use super::observed::{Endpoint, Expected, Fate, Lookup, Observed};

/// What is said of a site.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Verdict {
    /// What keeps it from being read.
    pub(super) blocking: Blocking,
    /// Whether it can be read.
    pub(super) accessible: Option<bool>,
    /// How reading it failed.
    pub(super) http_failure: Option<String>,
}

/// What one observation leads to.
enum Finding {
    /// The page can be read.
    Reached,
    /// Nobody knows.
    Unknown,
    /// It is down for everybody.
    Down,
    /// This keeps it from being read.
    Blocked(Blocking),
}

/// How far an observation got; the furthest is looked at first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Reach {
    Lookup,
    Connection,
    Handshake,
    Page,
}

/// The observations in the order in which they are looked at: from the last redirect to the first, and at each of them from the
/// page down to the name, what went well before what failed. The first that says anything decides.
pub(super) fn walk(observed: &Observed, consistency: Option<&str>, differs: bool) -> Verdict {
    let lookups = observed.lookups.iter().map(Observation::Lookup);
    let mut all: Vec<Observation<'_>> = lookups.chain(observed.endpoints.iter().map(Observation::Endpoint)).collect();
    all.sort_by_key(Observation::order);
    let decided = all.iter().find_map(|each| each.finding(observed.control.as_ref(), differs));
    let Some((finding, http_failure)) = decided else { return Verdict::default() };
    let lied_to = consistency == Some("inconsistent");
    let (blocking, accessible) = match finding {
        Finding::Reached => (Blocking::None, Some(true)),
        // Whatever it was, names lie here: that alone is said.
        _ if lied_to => (Blocking::Dns, Some(false)),
        Finding::Unknown => (Blocking::Unknown, None),
        Finding::Down => (Blocking::None, Some(false)),
        Finding::Blocked(blocking) => (blocking, Some(false)),
    };
    Verdict { blocking, accessible, http_failure }
}

#[derive(Clone, Copy)]
enum Observation<'a> {
    Lookup(&'a Lookup),
    Endpoint(&'a Endpoint),
}

impl Observation<'_> {
    fn order(&self) -> (Reverse<Option<u32>>, Reverse<Reach>, String, Reverse<i64>) {
        let (depth, transaction) = match self {
            Self::Lookup(lookup) => (lookup.depth, lookup.transaction),
            Self::Endpoint(endpoint) => (endpoint.depth, endpoint.transaction),
        };
        let (reach, fate) = self.end();
        (Reverse(depth), Reverse(reach), fate.as_ref().err().cloned().unwrap_or_default(), Reverse(transaction))
    }

    /// The last thing that was tried, and how it ended.
    fn end(&self) -> (Reach, &Fate) {
        match self {
            Self::Lookup(lookup) => (Reach::Lookup, &lookup.fate),
            Self::Endpoint(Endpoint { http: Some(http), .. }) => (Reach::Page, http),
            Self::Endpoint(Endpoint { tls: Some(tls), .. }) => (Reach::Handshake, tls),
            Self::Endpoint(Endpoint { tcp, .. }) => (Reach::Connection, tcp),
        }
    }

    /// What it leads to, with the failure that is told; nothing where it says nothing.
    fn finding(&self, control: Option<&Expected>, differs: bool) -> Option<(Finding, Option<String>)> {
        match self {
            Self::Lookup(lookup) => of_lookup(lookup, control),
            Self::Endpoint(endpoint) if endpoint.final_response().is_some() => {
                Some((of_page(endpoint, control, differs), None))
            }
            Self::Endpoint(endpoint) => {
                let (reach, fate) = self.end();
                let failure = fate.as_ref().err()?;
                let control_page = control.map(Expected::http);
                let found = match reach {
                    Reach::Page => blamed(control_page.as_ref(), None, Blocking::HttpFailure),
                    Reach::Handshake => {
                        blamed(endpoint.control_tls.as_ref(), control_page.as_ref(), Blocking::HttpFailure)
                    }
                    _ => {
                        // Where the test helper did not go, after a redirect, the page is all that it knows.
                        let known = endpoint.control_tcp.as_ref();
                        let blocking = if known.is_some() { Blocking::TcpIp } else { Blocking::HttpFailure };
                        blamed(known, control_page.as_ref(), blocking)
                    }
                };
                Some((found, Some(failure.clone())))
            }
        }
    }
}

/// What a failure means beside the same at the test helper, or, where that knows nothing of it, beside its page.
fn blamed(same: Option<&Fate>, page: Option<&Fate>, blocking: Blocking) -> Finding {
    match (same, page) {
        (Some(Err(_)), _) => Finding::Down,
        (Some(Ok(())), _) | (None, Some(_)) => Finding::Blocked(blocking),
        (None, None) => Finding::Unknown,
    }
}

/// A page that came over TLS is the right one: somebody else would have no certificate.
fn of_page(endpoint: &Endpoint, control: Option<&Expected>, differs: bool) -> Finding {
    match (&endpoint.tls, control) {
        (Some(Ok(())), _) => Finding::Reached,
        (_, None) => Finding::Unknown,
        (_, Some(_)) if differs => Finding::Blocked(Blocking::HttpDiff),
        (_, Some(_)) => Finding::Reached,
    }
}

fn of_lookup(lookup: &Lookup, control: Option<&Expected>) -> Option<(Finding, Option<String>)> {
    let beside = control.filter(|_| lookup.is_the_control_s);
    match (&lookup.fate, beside) {
        (Err(failure), None) => {
            let finding = if control.is_some() { Finding::Blocked(Blocking::Dns) } else { Finding::Reached };
            Some((finding, Some(failure.clone())))
        }
        (Err(failure), Some(beside)) => {
            let none_for_both = failure == "dns_no_answer" && beside.addresses.is_empty();
            if beside.lookup.is_ok() && none_for_both {
                return Some((Finding::Down, None));
            }
            let down = beside.lookup.is_err();
            Some((if down { Finding::Down } else { Finding::Blocked(Blocking::Dns) }, Some(failure.clone())))
        }
        // Nobody connects to its own machine, so that nothing else was met.
        (Ok(()), Some(beside)) if only_loopback(lookup.addresses.iter()) && beside.lookup.is_ok() => {
            let same = only_loopback(beside.addresses.iter());
            Some((if same { Finding::Down } else { Finding::Blocked(Blocking::Dns) }, None))
        }
        (Ok(()), _) => None,
    }
}

fn only_loopback<'a>(addresses: impl Iterator<Item = &'a String>) -> bool {
    let mut parsed = addresses.filter_map(|address| address.parse::<std::net::IpAddr>().ok()).peekable();
    parsed.peek().is_some() && parsed.all(|address| address.is_loopback())
}
