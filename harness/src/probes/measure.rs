//! From a scenario's probe to a measurement with nothing left open.

use std::net::{IpAddr, SocketAddr};

use roadblock_scenarios::Scenario;
use roadblock_scenarios::model::{Family, Hello, HttpRequest, HttpVersion, Probe, QuicVersion, Vantage};

use super::apps::{Instagram, Max, Messenger, Telegram, WhatsApp};
use super::call::{self, Call};
use super::chat::{self, Chat};
use super::command::{self, Program};
use super::connections::{self, Connections};
use super::dns::{self, Question, Truth};
use super::freeze::{self, Freeze};
use super::h3::{self, H3Visit};
use super::http::{self, Fetch};
use super::known::Known;
use super::localise::{self, Localise};
use super::mtproto::{self, DataCentre};
use super::residual::{self, Residual};
use super::speak::{self, Speech};
use super::throughput::{self, Throughput};
use super::tls::{self, Alpn, Greeting};
use super::tools::Tools;
use super::trace::Outcome;
use super::transfer::{Transfer, Way};
use super::url::{WebUrl, WebUrlError};
use super::web::{self, Visit};
use super::web_connectivity::{self, Plan, PlanError};
use super::wireguard::{self, Tunnel};
use super::{ping, quic, stun, tcp};

/// A measurement, ready to be made from any client of its vantage.
#[derive(Clone, Debug)]
pub(crate) enum Measure {
    /// A DNS query.
    Dns(Question, Truth),
    /// An ICMP echo request.
    Ping(IpAddr),
    /// A program.
    Command(Program),
    /// A TCP connection.
    Tcp(SocketAddr),
    /// A TLS handshake.
    Tls(Greeting, Hello),
    /// A page from a pinned address.
    Http(Fetch),
    /// A page, its address asked for.
    Web(Visit),
    /// A page as OONI measures it.
    WebConnectivity(Box<Plan>),
    /// WhatsApp.
    WhatsApp(Box<WhatsApp>),
    /// WhatsApp's chat at one server.
    Chat(Chat),
    /// Telegram.
    Telegram(Box<Telegram>),
    /// A data centre of Telegram.
    DataCentre(DataCentre),
    /// Facebook Messenger.
    Messenger(Box<Messenger>),
    /// Instagram.
    Instagram(Box<Instagram>),
    /// MAX.
    Max(Box<Max>),
    /// A call.
    Call(Call),
    /// A STUN binding request.
    Stun(SocketAddr),
    /// A WireGuard tunnel.
    Tunnel(Tunnel),
    /// A transfer whose speed counts.
    Throughput(Box<Throughput>),
    /// A transfer that may stand still.
    Freeze(Box<Freeze>),
    /// A punishment and its length.
    Residual(Box<Residual>),
    /// Where somebody interferes.
    Localise(Box<Localise>),
    /// Many connections.
    Connections(Connections),
    /// A QUIC handshake.
    Quic(Greeting, QuicVersion),
    /// A page over HTTP/3.
    H3(Box<H3Visit>),
    /// Bytes as they are written.
    Speak(Speech),
}

/// Why a probe cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MeasureError {
    /// Its URL is none.
    #[error(transparent)]
    Url(#[from] WebUrlError),
    /// Its URL is none that OONI can measure, or there is nobody to ask.
    #[error(transparent)]
    Web(#[from] PlanError),
    /// There is nobody to ask.
    #[error("vantage `{0}` has no resolver")]
    NoResolver(String),
    /// There is no tunnel.
    #[error("no service has the keys of a tunnel at {0}")]
    NoTunnel(IpAddr),
    /// Meta's prefixes cannot be read.
    #[error("the library's list of Meta's prefixes is not there or has something else in it: `{0}`")]
    Prefixes(String),
}

impl Measure {
    /// The measurement that a scenario's probe means at this vantage.
    pub(crate) fn new(scenario: &Scenario, vantage: &Vantage, probe: &Probe) -> Result<Self, MeasureError> {
        let known = Known::at(scenario, vantage)?;
        Ok(match probe {
            Probe::Dns { name, family, resolver, port, transport, answer, patience } => {
                let address = resolver.unwrap_or_else(|| known.resolver());
                let question = Question {
                    name: name.clone(),
                    family: *family,
                    resolver: SocketAddr::new(address, *port),
                    transport: *transport,
                    server_name: known.name_at(address),
                    patience: *patience,
                };
                let truth = if answer.is_empty() { known.truth(name) } else { Truth::AllOf(answer.clone()) };
                Self::Dns(question, truth)
            }
            Probe::Command { run, status, within, .. } => {
                Self::Command(Program { run: run.clone(), status: *status, within: *within })
            }
            Probe::Ping { address } => Self::Ping(*address),
            Probe::Tcp { address, port } => Self::Tcp(SocketAddr::new(*address, *port)),
            Probe::Tls { address, port, sni, verify, hello } => {
                let remote = SocketAddr::new(*address, *port);
                let greeting = Greeting { remote, sni: sni.clone(), verify: *verify, alpn: Alpn::Http1 };
                Self::Tls(greeting, hello.clone())
            }
            Probe::Http { url, address: Some(address), version, request, .. } => {
                Self::pinned(known, url, *address, *version, request)?
            }
            Probe::Http { url, address: None, family, version, request } => {
                let visit = known.visit(url.parse()?, *family, *version);
                let title = match &request.host {
                    Some(host) => known.title_for(&visit.url.host, host_of(host)),
                    None => visit.title,
                };
                Self::Web(Visit { title, request: request.clone(), ..visit })
            }
            Probe::WebConnectivity { url } => Self::WebConnectivity(Box::new(Plan::new(scenario, vantage, url)?)),
            Probe::WhatsApp { media, family } => Self::WhatsApp(Box::new(WhatsApp::new(known, *media, *family)?)),
            Probe::WhatsAppChat { address, port, header } => {
                Self::Chat(Chat { remote: SocketAddr::new(*address, *port), header: *header })
            }
            Probe::Telegram { media, transport } => Self::Telegram(Box::new(Telegram::new(known, *media, *transport)?)),
            Probe::TelegramChat { address, port, transport } => {
                Self::DataCentre(DataCentre { remote: SocketAddr::new(*address, *port), transport: *transport })
            }
            Probe::Messenger { media, family } => Self::Messenger(Box::new(Messenger::new(known, *media, *family)?)),
            Probe::Instagram { media, family } => Self::Instagram(Box::new(Instagram::new(known, *media, *family)?)),
            Probe::Max { authority, family } => Self::Max(Box::new(Max::new(known, *authority, *family)?)),
            Probe::Call { address, port, lasts } => {
                Self::Call(Call { relay: SocketAddr::new(*address, *port), lasts: *lasts })
            }
            Probe::Stun { address, port } => Self::Stun(SocketAddr::new(*address, *port)),
            Probe::WireGuard { address, port, packets } => {
                let keys = known.tunnel_keys(*address).ok_or(MeasureError::NoTunnel(*address))?;
                Self::Tunnel(Tunnel { remote: SocketAddr::new(*address, *port), keys, packets: *packets })
            }
            Probe::Throughput { host, address, kilobytes, upload, at_least, beside } => {
                let at_least = |usual| Transfer { at_least: *at_least, ..usual };
                let (transfer, beside) = known.transfers(*address, (host, beside.as_deref()), *kilobytes, way(*upload));
                let (transfer, beside) = (at_least(transfer), beside.map(at_least));
                Self::Throughput(Box::new(Throughput { transfer, beside }))
            }
            Probe::Freeze { host, address, kilobytes, upload, beside } => {
                let (transfer, beside) = known.transfers(*address, (host, beside.as_deref()), *kilobytes, way(*upload));
                Self::Freeze(Box::new(Freeze { transfer, beside }))
            }
            Probe::Residual { trigger, test, elsewhere, within, tries } => {
                let measure = |probe: &Probe| Self::new(scenario, vantage, probe);
                Self::Residual(Box::new(Residual {
                    trigger: measure(trigger)?,
                    test: measure(test)?,
                    elsewhere: elsewhere.as_deref().map(measure).transpose()?,
                    within: *within,
                    tries: *tries,
                }))
            }
            Probe::Trace { address, port, says, about, neutral } => {
                let remote = SocketAddr::new(*address, *port);
                Self::Localise(Box::new(Localise::new(vantage, remote, *says, (about, neutral))))
            }
            Probe::Connections { address, port, sni, verify, count, within } => {
                let remote = SocketAddr::new(*address, *port);
                let greeting = Greeting { remote, sni: sni.clone(), verify: *verify, alpn: Alpn::Http1 };
                Self::Connections(Connections { greeting, count: *count, within: *within })
            }
            Probe::Quic { address, port, sni, version, verify } => {
                let remote = SocketAddr::new(*address, *port);
                let greeting = Greeting { remote, sni: sni.clone(), verify: *verify, alpn: Alpn::Http3 };
                Self::Quic(greeting, *version)
            }
            Probe::H3 { url, address, family } => Self::h3(known, url, *address, *family)?,
            Probe::Speak { address, port, transport, before, payloads, pause, reply } => Self::Speak(Speech {
                remote: SocketAddr::new(*address, *port),
                transport: *transport,
                before: before.clone(),
                payloads: payloads.clone(),
                pause: *pause,
                reply: *reply,
            }),
        })
    }

    fn h3(known: Known<'_>, url: &str, pinned: Option<IpAddr>, family: Family) -> Result<Self, MeasureError> {
        let url: WebUrl = url.parse()?;
        let place = known.named(&url.host);
        let verify = pinned.is_none_or(|address| known.serves(address, &url.host));
        let title = match pinned {
            Some(address) => known.title_at(address, &url.host),
            None => known.title(&url.host),
        }
        .filter(|_| url.is_page());
        Ok(Self::H3(Box::new(H3Visit { url, place, pinned, family, verify, title })))
    }

    fn pinned(
        known: Known<'_>,
        url: &str,
        address: IpAddr,
        version: HttpVersion,
        request: &HttpRequest,
    ) -> Result<Self, MeasureError> {
        let url: WebUrl = url.parse()?;
        let title =
            known.title_at(address, request.host.as_deref().map_or(&url.host, host_of)).filter(|_| url.is_page());
        let verify = known.serves(address, &url.host);
        let (address, request) = (SocketAddr::new(address, url.port), request.clone());
        Ok(Self::Http(Fetch { url, address, version, verify, title, request }))
    }

    /// Whether a test helper at the control vantage must be there.
    pub(crate) fn needs_helper(&self) -> bool {
        matches!(self, Self::WebConnectivity(plan) if plan.needs_helper())
    }

    /// Whether it waits in the lab's time, so that others must be able to go on meanwhile.
    pub(crate) fn waits(&self) -> bool {
        match self {
            Self::Call(_) | Self::Residual(_) => true,
            Self::Speak(speech) => speech.pauses(),
            Self::Connections(connections) => !connections.within.is_zero(),
            Self::Dns(question, _) => !question.patience.within.is_zero(),
            _ => false,
        }
    }

    /// Makes the measurement. Must run where the client's addresses are: on the runtime of its vantage.
    pub(crate) async fn run(&self, tools: &Tools) -> Outcome {
        // Boxed, because all of them together are more than a vantage's thread has room for.
        match self {
            Self::Dns(question, truth) => Box::pin(dns::probe(tools, question, truth)).await,
            Self::Command(program) => Box::pin(command::probe(tools, program)).await,
            Self::Ping(address) => Box::pin(ping::probe(tools, *address)).await,
            Self::Tcp(remote) => Box::pin(tcp::probe(tools, *remote)).await,
            Self::Tls(greeting, hello) => Box::pin(tls::probe(tools, greeting, hello)).await,
            Self::Http(fetch) => Box::pin(http::probe(tools, fetch)).await,
            Self::Web(visit) => Box::pin(web::probe(tools, visit)).await,
            Self::WebConnectivity(plan) => Box::pin(web_connectivity::probe(tools, plan)).await,
            Self::WhatsApp(app) => Box::pin(app.probe(tools)).await,
            Self::Chat(chat) => Box::pin(chat::probe(tools, *chat)).await,
            Self::Telegram(app) => Box::pin(app.probe(tools)).await,
            Self::DataCentre(centre) => Box::pin(mtproto::probe(tools, *centre)).await,
            Self::Messenger(app) => Box::pin(app.probe(tools)).await,
            Self::Instagram(app) => Box::pin(app.probe(tools)).await,
            Self::Max(app) => Box::pin(app.probe(tools)).await,
            Self::Call(call) => Box::pin(call::probe(tools, *call)).await,
            Self::Stun(remote) => Box::pin(stun::probe(tools, *remote)).await,
            Self::Tunnel(tunnel) => Box::pin(wireguard::probe(tools, tunnel)).await,
            Self::Throughput(throughput) => Box::pin(throughput::probe(tools, throughput)).await,
            Self::Freeze(freeze) => Box::pin(freeze::probe(tools, freeze)).await,
            Self::Residual(residual) => Box::pin(residual::probe(tools, residual)).await,
            Self::Localise(localise) => Box::pin(localise::probe(tools, localise)).await,
            Self::Connections(connections) => Box::pin(connections::probe(tools, connections)).await,
            Self::Quic(greeting, version) => Box::pin(quic::probe(tools, greeting, *version)).await,
            Self::H3(visit) => Box::pin(h3::probe(tools, visit)).await,
            Self::Speak(speech) => Box::pin(speak::probe(tools, speech)).await,
        }
    }
}

fn way(upload: bool) -> Way {
    if upload { Way::Up } else { Way::Down }
}

/// The name in a Host header, without a port and without the dot of the root.
fn host_of(header: &str) -> &str {
    let name = header.rsplit_once(':').map_or(header, |(name, _)| name);
    name.trim_end_matches('.')
}
