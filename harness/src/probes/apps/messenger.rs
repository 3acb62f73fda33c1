//! Facebook Messenger: its edge and its media, as its user knows them, and OONI's `facebook_messenger` 0.2.1 beside them
//! (ts-019).

use std::net::SocketAddr;

use futures_util::future::join_all;
use ipnet::IpNet;
use roadblock_scenarios::model::{Family, FamilyChoice, HttpVersion};
use serde_json::Value;

use super::super::known::{Known, meta_prefixes};
use super::super::measure::MeasureError;
use super::super::named::Named;
use super::super::tcp;
use super::super::tools::Tools;
use super::super::trace::{Outcome, TestKeys, Trace};
use super::super::transfer::{self, Transfer, Way};
use super::super::web::{self, Visit};
use super::parts::worst;

/// What is known of Messenger before it is used.
#[derive(Clone, Debug)]
pub(crate) struct Messenger {
    edge: Visit,
    media: Transfer,
    services: Vec<Service>,
    prefixes: Vec<IpNet>,
}

/// One of the names that OONI looks at.
#[derive(Clone, Debug)]
struct Service {
    /// What its test keys begin with.
    key: &'static str,
    place: Named,
    /// Whether it is connected to.
    connects: bool,
}

/// What OONI says of a service.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Seen {
    /// It could not be resolved, or to an address of another network.
    Inconsistent,
    /// It could not be connected to.
    Unreachable,
    /// All was well.
    Reachable,
}

impl Messenger {
    /// Messenger with so many kilobytes of media.
    pub(crate) fn new(known: Known<'_>, media: u32, family: Family) -> Result<Self, MeasureError> {
        let url = "https://edge-mqtt.facebook.com/".parse()?;
        Ok(Self {
            edge: known.visit(url, FamilyChoice::Only(family), HttpVersion::One),
            media: known.transfer("scontent.xx.fbcdn.net", family, media, Way::Down),
            services: SERVICES
                .map(|(key, name, connects)| Service { key, place: known.named(name), connects })
                .to_vec(),
            prefixes: meta_prefixes()?,
        })
    }

    /// Uses it and says what its user says.
    pub(crate) async fn probe(&self, tools: &Tools) -> Outcome {
        let beside = tools.without_port();
        let (chat, media, test_keys) = tokio::join!(
            web::probe(tools, &self.edge),
            transfer::probe(&beside, &self.media),
            Box::pin(self.ooni(&beside))
        );
        Outcome { test_keys, ..worst([("chat", chat), ("media", media)]) }
    }

    /// OONI's rules: an answer outside AS32934 is blocking by DNS, and a connection that fails is blocking by TCP.
    async fn ooni(&self, tools: &Tools) -> TestKeys {
        let seen = join_all(self.services.iter().map(|service| self.look(tools, service))).await;
        let mut keys = TestKeys::new();
        for (service, seen) in self.services.iter().zip(&seen) {
            let consistent = *seen != Seen::Inconsistent;
            keys.insert(format!("facebook_{}_dns_consistent", service.key), consistent.into());
            if service.connects {
                let reachable = if consistent { Value::from(*seen == Seen::Reachable) } else { Value::Null };
                keys.insert(format!("facebook_{}_reachable", service.key), reachable);
            }
        }
        keys.insert("facebook_dns_blocking".to_owned(), seen.contains(&Seen::Inconsistent).into());
        keys.insert("facebook_tcp_blocking".to_owned(), seen.contains(&Seen::Unreachable).into());
        keys
    }

    async fn look(&self, tools: &Tools, service: &Service) -> Seen {
        let mut trace = Trace::default();
        let Ok(addresses) = service.place.answered(&mut trace, tools).await else { return Seen::Inconsistent };
        let is_metas = |address| self.prefixes.iter().any(|prefix| prefix.contains(address));
        let Some(first) = addresses.first().filter(|_| addresses.iter().all(is_metas)) else {
            return Seen::Inconsistent;
        };
        if service.connects && !tcp::probe(tools, SocketAddr::new(*first, 443)).await.is_ok() {
            return Seen::Unreachable;
        }
        Seen::Reachable
    }
}

const SERVICES: [(&str, &str, bool); 7] = [
    ("b_api", "b-api.facebook.com", true),
    ("b_graph", "b-graph.facebook.com", true),
    ("edge", "edge-mqtt.facebook.com", true),
    ("external_cdn", "external.xx.fbcdn.net", true),
    ("scontent_cdn", "scontent.xx.fbcdn.net", true),
    ("star", "star.c10r.facebook.com", true),
    ("stun", "stun.fbsbx.com", false),
];
