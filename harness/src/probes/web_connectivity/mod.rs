//! OONI's Web Connectivity (ts-017, version 0.5): a URL is measured step by step, with a test helper beside it, and judged by
//! OONI's rule ([`crate::ooni::web`]).

mod control;
mod cookies;
mod endpoint;
mod fetch;
mod helper;
mod names;
mod notes;
mod plan;
mod recorder;

use std::net::{IpAddr, SocketAddr};

use futures_util::future::join_all;
use roadblock_scenarios::model::VerdictWord;
use serde_json::Value;
use url::Url;

use self::control::{ask, request};
use self::cookies::Cookies;
use self::endpoint::{Reached, reach};
use self::fetch::fetch;
use self::names::{Found, look_up};
use self::notes::{Course, Notes};
use super::failure::Failure;
use super::tools::Tools;
use super::trace::{Operation, Outcome};
use crate::ooni::control::{ControlRequest, ControlResponse};
use crate::ooni::web::{self, Evidence};
use crate::ooni::web_keys::{Blocking, WebKeys};

pub(crate) use self::plan::{Plan, PlanError};

/// Measures a URL and says what OONI would.
pub(crate) async fn probe(tools: &Tools, plan: &Plan) -> Outcome {
    let course = Course::begin();
    let mut notes = Notes::default();
    let (mut url, mut cookies, mut asked) = (plan.url.clone(), Cookies::default(), None);
    for depth in 0..=REDIRECTS {
        let host = url.host_str().unwrap_or_default().to_owned();
        let (met, found) = look_up(tools, &course, &plan.resolvers, &host, depth).await;
        notes.add(met);
        let endpoints = endpoints(&url, &found);
        let reaching = join_all(endpoints.iter().map(|each| each.reach(tools, &course, &url, depth)));
        let reached = if depth == 0 {
            let request = request(plan, &places(&endpoints));
            let (reached, answer) = tokio::join!(reaching, Box::pin(ask(tools, plan, &request)));
            notes.add(others(tools, &course, &url, &found, &answer).await);
            asked = Some((request, answer));
            reached
        } else {
            reaching.await
        };
        let Some(next) = open(tools, &mut notes, reached, &url, &mut cookies, depth).await else { break };
        url = next;
    }
    let (request, answer) = asked.unwrap_or_else(|| (ControlRequest::default(), Err(Failure::GenericTimeout)));
    conclude(plan, notes, &request, &answer)
}

/// An endpoint to be tried.
#[derive(Clone, Copy, Debug)]
struct Endpoint {
    place: SocketAddr,
    /// Whether the page may be had there; else it only shows whose address it is.
    fetches: bool,
    secure: bool,
    /// Whether the system's resolver found it.
    classic: bool,
}

impl Endpoint {
    async fn reach(&self, tools: &Tools, course: &Course, url: &Url, depth: usize) -> Reached {
        let stamp = course.stamp(self.place, depth, self.fetches, self.classic && self.fetches);
        Box::pin(reach(tools, stamp, url.host_str().filter(|_| self.secure))).await
    }
}

/// Where the page may be: at all addresses, but nobody connects to its own machine. A page without TLS is looked for with TLS
/// too, unless the URL names a port (ts-017, E001).
fn endpoints(url: &Url, found: &Found) -> Vec<Endpoint> {
    let port = url.port_or_known_default().unwrap_or_default();
    let secure = url.scheme() == "https";
    let public = found.addresses.iter().filter(|(address, _)| !address.is_loopback());
    let both = url.port().is_none() && !secure;
    let at = |(address, classic): &(IpAddr, bool)| {
        let page = Endpoint { place: SocketAddr::new(*address, port), fetches: true, secure, classic: *classic };
        let proof = Endpoint { place: SocketAddr::new(*address, 443), fetches: false, secure: true, ..page };
        [Some(page), both.then_some(proof)]
    };
    public.flat_map(at).flatten().collect()
}

fn places(endpoints: &[Endpoint]) -> Vec<SocketAddr> {
    endpoints.iter().map(|each| each.place).collect()
}

/// The addresses that the test helper alone knows are looked at too, but not for the page.
async fn others(
    tools: &Tools,
    course: &Course,
    url: &Url,
    found: &Found,
    answer: &Result<ControlResponse, Failure>,
) -> Notes {
    let known = |address: &IpAddr| found.addresses.iter().any(|(known, _)| known == address);
    let theirs = answer.iter().flat_map(|answer| &answer.dns.addrs).filter_map(|address| address.parse().ok());
    let new: Vec<(IpAddr, bool)> = theirs.filter(|address| !known(address)).map(|address| (address, false)).collect();
    let endpoints = endpoints(url, &Found { addresses: new });
    let unused = endpoints.iter().map(|each| Endpoint { fetches: false, ..*each });
    let all: Vec<Endpoint> = unused.collect();
    let reached = join_all(all.iter().map(|each| each.reach(tools, course, url, 0))).await;
    let mut notes = Notes::default();
    for each in reached {
        notes.add(gathered(each));
    }
    notes
}

fn gathered(mut reached: Reached) -> Notes {
    reached.ready = None;
    reached.gather();
    reached.notes
}

/// Gets the page from the first endpoint that can be used, the system's resolver's first; where it leads to another, that.
async fn open(
    tools: &Tools,
    notes: &mut Notes,
    reached: Vec<Reached>,
    url: &Url,
    cookies: &mut Cookies,
    depth: usize,
) -> Option<Url> {
    let usable = |each: &Reached| each.ready.is_some() && each.stamp.tags.contains(&web::fetch_tag(true));
    let chosen = reached.iter().position(usable);
    let mut next = None;
    for (at, mut each) in reached.into_iter().enumerate() {
        if Some(at) != chosen {
            notes.add(gathered(each));
            continue;
        }
        if let Some(mut fetched) = fetch(tools, &mut each, url, cookies).await {
            if fetched.next.is_some() && depth == REDIRECTS {
                fetched.transaction.failure = Some(TOO_MANY.to_owned());
                fetched.next = None;
            }
            each.notes.keys.requests.push(fetched.transaction);
            each.notes.layers.extend(fetched.layers);
            next = fetched.next;
        }
        notes.add(gathered(each));
    }
    next
}

/// Judges all that was met.
fn conclude(plan: &Plan, notes: Notes, request: &ControlRequest, answer: &Result<ControlResponse, Failure>) -> Outcome {
    let Notes { mut keys, layers } = notes;
    let failure = answer.as_ref().err().map(ToString::to_string);
    let network_of = |address: IpAddr| plan.networks.get(&address).copied();
    let judged = web::judge(&Evidence {
        met: &keys,
        host: plan.host(),
        control: answer.as_ref().map_err(|_| failure.as_deref().unwrap_or_default()),
        network_of: &network_of,
    });
    let judged = WebKeys { client_resolver: Some(plan.resolvers.system.to_string()), ..judged };
    blocked(&mut keys.tcp_connect, answer.as_ref().ok());
    let verdict = verdict(&judged);
    let test_keys = short(&judged);
    keys.own.insert("agent".to_owned(), "redirect".into());
    keys.own.insert("x_control_request".to_owned(), serde_json::to_value(request).unwrap_or_default());
    let outcome =
        Outcome { failure: told(&judged), layers: in_order(layers, verdict), test_keys, ..Outcome::new(verdict) };
    match keys.with(&judged) {
        Ok(keys) => Outcome { ooni: Some(Box::new(keys)), ..outcome },
        Err(_) => outcome,
    }
}

/// ts-017: whether a connection failed here and not at the test helper.
fn blocked(connects: &mut [crate::ooni::tcp::TcpConnect], control: Option<&ControlResponse>) {
    for connect in connects {
        let place = SocketAddr::new(connect.ip, connect.port).to_string();
        let known = control.and_then(|control| control.tcp_connect.get(&place));
        connect.status.blocked = known.map(|known| !connect.status.success && known.status);
    }
}

/// The word of the lab for what OONI says. What is down for everybody, and what nobody knows, says nothing of blocking.
fn verdict(keys: &WebKeys) -> VerdictWord {
    const TLS: i64 = 4;
    match (keys.blocking, keys.accessible) {
        (Blocking::None, Some(true)) => VerdictWord::Ok,
        (Blocking::None | Blocking::Unknown, _) => VerdictWord::Unmeasured,
        (Blocking::Dns, _) => VerdictWord::Dns,
        (Blocking::TcpIp, _) => VerdictWord::Tcp,
        (Blocking::HttpDiff, _) => VerdictWord::Blockpage,
        (Blocking::HttpFailure, _) if keys.x_blocking_flags.unwrap_or_default() & TLS != 0 => VerdictWord::Tls,
        (Blocking::HttpFailure, _) => VerdictWord::Http,
    }
}

fn told(keys: &WebKeys) -> Option<Failure> {
    keys.dns_experiment_failure.as_deref().or(keys.http_experiment_failure.as_deref()).map(Failure::from_word)
}

/// The keys that OONI's tests of the rule compare, without the test helper's whole answer.
fn short(keys: &WebKeys) -> super::trace::TestKeys {
    let Ok(Value::Object(mut keys)) = serde_json::to_value(keys) else { return super::trace::TestKeys::new() };
    keys.remove("control");
    keys
}

/// The layer that decided comes last.
fn in_order(mut layers: Vec<super::trace::Layer>, verdict: VerdictWord) -> Vec<super::trace::Layer> {
    let failed = |operation: Operation| {
        move |layer: &super::trace::Layer| layer.operation == operation && layer.failure.is_some()
    };
    let decided = match verdict {
        VerdictWord::Dns => layers.iter().position(|layer| layer.operation == Operation::Resolve),
        VerdictWord::Tcp => layers.iter().rposition(failed(Operation::Connect)),
        VerdictWord::Tls => layers.iter().rposition(failed(Operation::TlsHandshake)),
        VerdictWord::Http => {
            let page = layers.iter().rposition(failed(Operation::HttpRoundTrip));
            page.or_else(|| layers.iter().rposition(failed(Operation::Connect)))
        }
        _ => layers.iter().rposition(|layer| layer.operation == Operation::HttpRoundTrip),
    };
    if let Some(decided) = decided {
        let decisive = layers.remove(decided);
        layers.push(decisive);
    }
    layers
}

/// After so many redirects a probe stops.
const REDIRECTS: usize = 10;
/// What it says then, as Go's client does.
const TOO_MANY: &str = "unknown_failure: stopped after too many redirects";
