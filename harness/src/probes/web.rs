//! What a person does: a name is looked up, its address is connected to, and a page is read.

use std::net::{IpAddr, SocketAddr};

use roadblock_scenarios::model::{FamilyChoice, HttpRequest, HttpVersion};

use super::eyeballs;
use super::http::{self, Fetch};
use super::named::Named;
use super::tools::Tools;
use super::trace::{Outcome, Trace};
use super::url::WebUrl;

/// A page to open.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    /// Which page.
    pub(crate) url: WebUrl,
    /// Its server.
    pub(crate) place: Named,
    /// Over IPv4, IPv6, or whichever is faster.
    pub(crate) family: FamilyChoice,
    /// In which version of HTTP.
    pub(crate) version: HttpVersion,
    /// The title by which the page is known.
    pub(crate) title: Option<String>,
    /// What the request has beside the usual.
    pub(crate) request: HttpRequest,
}

/// Opens a page; the first layer that goes wrong gives the verdict.
pub(crate) async fn probe(tools: &Tools, visit: &Visit) -> Outcome {
    let mut trace = Trace::default();
    match visit.family {
        FamilyChoice::Only(family) => match visit.place.lookup(&mut trace, tools, family).await {
            Ok(address) => http::measure(trace, tools, &visit.fetch(address)).await,
            Err(failure) => trace.unresolved(failure),
        },
        FamilyChoice::Any => match eyeballs::connect(&mut trace, tools, &visit.place, visit.url.port).await {
            Ok((address, stream)) => {
                let outcome = http::measure_on(trace, tools, &visit.fetch(address), stream).await;
                eyeballs::note_winner(outcome, address)
            }
            Err(failure) => trace.unresolved(failure),
        },
    }
}

impl Visit {
    /// The same for who knows neither the true addresses nor the right page, as OONI's tests do.
    pub(crate) fn unknown(self) -> Self {
        Self { title: None, place: self.place.unknown(), ..self }
    }

    fn fetch(&self, address: IpAddr) -> Fetch {
        Fetch {
            url: self.url.clone(),
            address: SocketAddr::new(address, self.url.port),
            version: self.version,
            verify: true,
            title: self.title.clone(),
            request: self.request.clone(),
        }
    }
}
