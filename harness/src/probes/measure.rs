//! From a scenario's probe to a measurement with nothing left open.

use std::net::{IpAddr, SocketAddr};

use roadblock_scenarios::Scenario;
use roadblock_scenarios::model::{Family, Probe, Vantage};

use super::dns::{self, Question, Truth};
use super::http::{self, Fetch};
use super::socket::Source;
use super::tcp;
use super::timeouts::Timeouts;
use super::tls::{self, Greeting, Trust};
use super::trace::Outcome;
use super::url::{WebUrl, WebUrlError};
use super::web::{self, Visit};

/// A measurement, ready to be made from any client of its vantage.
#[derive(Clone, Debug)]
pub(crate) enum Measure {
    /// A DNS query.
    Dns(Question, Truth),
    /// A TCP connection.
    Tcp(SocketAddr),
    /// A TLS handshake.
    Tls(Greeting),
    /// A page from a pinned address.
    Http(Fetch),
    /// A page, its address asked for.
    Web(Visit),
}

/// Why a probe cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MeasureError {
    /// Its URL is none.
    #[error(transparent)]
    Url(#[from] WebUrlError),
    /// There is nobody to ask.
    #[error("vantage `{0}` has no resolver")]
    NoResolver(String),
}

impl Measure {
    /// The measurement that a scenario's probe means at this vantage.
    pub(crate) fn new(scenario: &Scenario, vantage: &Vantage, probe: &Probe) -> Result<Self, MeasureError> {
        Ok(match probe {
            Probe::Dns { name, family, resolver, tcp, answer } => {
                let resolver = resolver.map_or_else(|| first_resolver(vantage), Ok)?;
                let question = Question {
                    name: name.clone(),
                    family: *family,
                    resolver: SocketAddr::new(resolver, 53),
                    tcp: *tcp,
                };
                let truth = if answer.is_empty() {
                    Truth::OnlyOf(scenario.addresses_of(name))
                } else {
                    Truth::AllOf(answer.clone())
                };
                Self::Dns(question, truth)
            }
            Probe::Tcp { address, port } => Self::Tcp(SocketAddr::new(*address, *port)),
            Probe::Tls { address, port, sni, verify } => {
                let remote = SocketAddr::new(*address, *port);
                Self::Tls(Greeting { remote, sni: sni.clone(), verify: *verify })
            }
            Probe::Http { url, address: Some(address), .. } => {
                let url: WebUrl = url.parse()?;
                let title = title(scenario, &url.host);
                Self::Http(Fetch { address: SocketAddr::new(*address, url.port), title, url })
            }
            Probe::Http { url, address: None, family } => Self::visit(scenario, vantage, url, *family)?,
        })
    }

    /// Opening a page as a person does.
    pub(crate) fn visit(
        scenario: &Scenario,
        vantage: &Vantage,
        url: &str,
        family: Family,
    ) -> Result<Self, MeasureError> {
        let url: WebUrl = url.parse()?;
        Ok(Self::Web(Visit {
            family,
            resolver: first_resolver(vantage)?,
            addresses: scenario.addresses_of(&url.host),
            title: title(scenario, &url.host),
            url,
        }))
    }

    /// Makes the measurement. Must run where the client's addresses are: on the runtime of its vantage.
    pub(crate) async fn run(&self, source: &Source, trust: &Trust, timeouts: Timeouts) -> Outcome {
        match self {
            Self::Dns(question, truth) => dns::probe(source, question, truth, timeouts).await,
            Self::Tcp(remote) => tcp::probe(source, *remote, timeouts).await,
            Self::Tls(greeting) => tls::probe(source, greeting, trust, timeouts).await,
            Self::Http(fetch) => http::probe(source, fetch, trust, timeouts).await,
            Self::Web(visit) => web::probe(source, visit, trust, timeouts).await,
        }
    }
}

fn first_resolver(vantage: &Vantage) -> Result<IpAddr, MeasureError> {
    vantage.resolvers.first().copied().ok_or_else(|| MeasureError::NoResolver(vantage.name.to_string()))
}

/// The title of the page that a host of this name serves.
fn title(scenario: &Scenario, name: &str) -> Option<String> {
    let hosts = scenario.services.iter().flat_map(|service| &service.hosts);
    let mut own = hosts.filter(|host| host.names.iter().any(|each| each.eq_ignore_ascii_case(name)));
    own.next().map(|host| host.page.title.clone())
}
