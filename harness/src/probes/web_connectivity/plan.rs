//! What is measured, and whom it asks.

use std::collections::BTreeMap;
use std::net::IpAddr;

use roadblock_scenarios::Scenario;
use roadblock_scenarios::model::{Protocol, Vantage};
use url::Url;

/// A URL to be measured, with all that the lab has for it.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The URL.
    pub(super) url: Url,
    /// Whom the probe asks for names.
    pub(super) resolvers: Resolvers,
    /// Whom the control vantage asks.
    pub(super) control_resolver: IpAddr,
    /// The test helpers, by name, where the lab has them: they are asked over the network. Where it has none, one at the
    /// control vantage answers without it.
    pub(super) helpers: Vec<String>,
    /// Which addresses belong together: those of one host of the lab, which stand for one network.
    pub(super) networks: BTreeMap<IpAddr, u32>,
}

/// Whom a probe asks for names.
#[derive(Clone, Debug)]
pub(super) struct Resolvers {
    /// The vantage's own.
    pub(super) system: IpAddr,
    /// A public one over UDP, where the lab has one.
    pub(super) udp: Option<IpAddr>,
    /// A public one over HTTPS and its name, where the lab has one.
    pub(super) doh: Option<(IpAddr, String)>,
}

impl Plan {
    /// What measuring this URL takes at this vantage; `resolver` is the vantage's own.
    pub(crate) fn new(scenario: &Scenario, vantage: &Vantage, url: &str) -> Result<Self, PlanError> {
        let parsed = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = parsed.ok_or_else(|| PlanError::Url(url.to_owned()))?;
        let control = scenario.control().and_then(|control| control.resolvers.first());
        let system = vantage.resolvers.first();
        let missing = || PlanError::NoResolver(vantage.name.to_string());
        let hosts = || scenario.services.iter().flat_map(|service| &service.hosts);
        let public = |protocol: Protocol| {
            let speaks = hosts().filter(move |host| host.listen.iter().any(|each| each.protocol == protocol));
            let mut found = speaks.filter_map(|host| Some((*host.addresses.iter().find(|each| each.is_ipv4())?, host)));
            found.next().map(|(address, host)| (address, host.names.first().cloned().unwrap_or_default()))
        };
        let networks =
            (1..).zip(hosts()).flat_map(|(number, host)| host.addresses.iter().map(move |each| (*each, number)));
        let names = hosts().flat_map(|host| &host.names);
        Ok(Self {
            url,
            resolvers: Resolvers {
                system: *system.ok_or_else(missing)?,
                udp: public(Protocol::Dns).map(|(address, _)| address),
                doh: public(Protocol::Doh),
            },
            control_resolver: *control.ok_or_else(missing)?,
            helpers: HELPERS
                .iter()
                .filter(|helper| names.clone().any(|name| name == *helper))
                .map(|each| (*each).to_owned())
                .collect(),
            networks: networks.collect(),
        })
    }

    /// Whether a test helper at the control vantage is needed.
    pub(crate) fn needs_helper(&self) -> bool {
        self.helpers.is_empty()
    }

    /// The name in the URL.
    pub(super) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }
}

/// Why a URL cannot be measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanError {
    /// It is none.
    #[error("`{0}` is not an `http://` or `https://` URL")]
    Url(String),
    /// There is nobody to ask.
    #[error("vantage `{0}` or `control` has no resolver")]
    NoResolver(String),
}

/// OONI's test helpers, in the order in which a probe tries them.
const HELPERS: [&str; 5] =
    ["0.th.ooni.org", "1.th.ooni.org", "2.th.ooni.org", "3.th.ooni.org", "d33d1gs9kpq1c5.cloudfront.net"];
