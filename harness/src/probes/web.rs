//! What a person does: a name is looked up, the first address is connected to, and a page is read.

use std::net::{IpAddr, SocketAddr};

use roadblock_scenarios::model::{Family, VerdictWord};

use super::dns::{self, Question, Truth};
use super::http::{self, Fetch};
use super::socket::Source;
use super::timeouts::Timeouts;
use super::tls::Trust;
use super::trace::{Outcome, Trace};
use super::url::WebUrl;

/// A page to open.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    /// Which page.
    pub(crate) url: WebUrl,
    /// Over IPv4 or IPv6.
    pub(crate) family: Family,
    /// Whom to ask for the address.
    pub(crate) resolver: IpAddr,
    /// What the name's addresses are.
    pub(crate) addresses: Vec<IpAddr>,
    /// The title by which the page is known.
    pub(crate) title: Option<String>,
}

/// Opens a page; the first layer that goes wrong gives the verdict.
pub(crate) async fn probe(source: &Source, visit: &Visit, trust: &Trust, timeouts: Timeouts) -> Outcome {
    let mut trace = Trace::default();
    // Nobody who opens a page waits for a second answer.
    let hasty = Timeouts { late_answers: std::time::Duration::ZERO, ..timeouts };
    let question = Question {
        name: visit.url.host.clone(),
        family: visit.family,
        resolver: SocketAddr::new(visit.resolver, 53),
        tcp: false,
    };
    let truth = Truth::OnlyOf(visit.addresses.clone());
    let addresses = match dns::resolve(&mut trace, &source.without_port(), &question, &truth, hasty).await {
        Ok(addresses) => addresses,
        Err(Some(failure)) => return trace.failed(failure),
        Err(None) => return trace.end(VerdictWord::Dns),
    };
    let Some(first) = addresses.first() else {
        return trace.end(VerdictWord::Dns);
    };
    let address = SocketAddr::new(*first, visit.url.port);
    let fetch = Fetch { url: visit.url.clone(), address, title: visit.title.clone() };
    http::measure(trace, source, &fetch, trust, timeouts).await
}
