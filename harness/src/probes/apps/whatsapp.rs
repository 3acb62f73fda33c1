//! WhatsApp: a message and media each way, as its user knows it, and OONI's `whatsapp` 0.11.0 beside it (ts-018).

use std::net::SocketAddr;

use futures_util::future::join_all;
use roadblock_scenarios::model::{ChatHeader, Family, FamilyChoice, HttpVersion};
use serde_json::Value;

use super::super::chat::{self, Chat};
use super::super::known::Known;
use super::super::measure::MeasureError;
use super::super::named::Named;
use super::super::tcp;
use super::super::tools::Tools;
use super::super::trace::{Outcome, TestKeys, Trace};
use super::super::transfer::{Transfer, Way};
use super::super::web::{self, Visit};
use super::parts::{best, chat_and_media};

/// What is known of WhatsApp before it is used.
#[derive(Clone, Debug)]
pub(crate) struct WhatsApp {
    family: Family,
    chat: Named,
    media: [Transfer; 2],
    endpoints: Vec<Named>,
    registration: Visit,
    web: Visit,
}

impl WhatsApp {
    /// WhatsApp with so many kilobytes of media.
    pub(crate) fn new(known: Known<'_>, media: u32, family: Family) -> Result<Self, MeasureError> {
        let transfer = |way| known.transfer("mmg.whatsapp.net", family, media, way);
        let page = |url: &str| {
            Ok::<_, MeasureError>(known.visit(url.parse()?, FamilyChoice::Only(family), HttpVersion::One).unknown())
        };
        Ok(Self {
            family,
            chat: known.named("g.whatsapp.net"),
            media: [transfer(Way::Down), transfer(Way::Up)],
            endpoints: (1..=16).map(|number| known.named(&format!("e{number}.whatsapp.net"))).collect(),
            registration: page("https://v.whatsapp.net/v2/register")?,
            web: page("https://web.whatsapp.com/")?,
        })
    }

    /// Uses it and says what its user says.
    pub(crate) async fn probe(&self, tools: &Tools) -> Outcome {
        let beside = tools.without_port();
        chat_and_media(&beside, self.message(tools), &self.media, self.ooni(&beside)).await
    }

    /// A message goes through when one of the ports lets it.
    async fn message(&self, tools: &Tools) -> Outcome {
        let mut trace = Trace::default();
        let address = match self.chat.lookup(&mut trace, tools, self.family).await {
            Ok(address) => address,
            Err(failure) => return trace.unresolved(failure),
        };
        let attempts = PORTS.map(|port| {
            let chat = Chat { remote: SocketAddr::new(address, port), header: ChatHeader::Plain };
            chat::measure(trace.clone(), tools, chat)
        });
        best(join_all(attempts).await)
    }

    /// OONI's rules: one endpoint that can be connected to is enough, a host is blocked when both its ports fail, and of
    /// the two URLs any answer is good.
    async fn ooni(&self, tools: &Tools) -> TestKeys {
        let endpoints = join_all(self.endpoints.iter().map(|place| self.failed_ports(tools, place)));
        let (failed, registration, web) = tokio::join!(
            endpoints,
            Box::pin(answered(tools, &self.registration)),
            Box::pin(answered(tools, &self.web))
        );
        let blocked: Vec<&str> = self
            .endpoints
            .iter()
            .zip(&failed)
            .filter(|(_, failed)| **failed == PORTS.len())
            .map(|(place, _)| place.name.as_str())
            .collect();
        let all_failed = failed.iter().all(|failed| *failed == PORTS.len());
        let status = |blocked: bool| if blocked { "blocked" } else { "ok" };
        [
            ("registration_server_status", status(registration.is_some()).into()),
            ("registration_server_failure", registration.into()),
            ("whatsapp_endpoints_blocked", blocked.into()),
            ("whatsapp_endpoints_dns_inconsistent", Value::Array(Vec::new())),
            ("whatsapp_endpoints_status", status(all_failed).into()),
            ("whatsapp_web_status", status(web.is_some()).into()),
            ("whatsapp_web_failure", web.into()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }

    /// How many of an endpoint's ports cannot be connected to.
    async fn failed_ports(&self, tools: &Tools, place: &Named) -> usize {
        let mut trace = Trace::default();
        // OONI connects to what is answered, right or wrong.
        let answered = place.answered(&mut trace, tools).await;
        let Some(address) = answered.ok().and_then(|addresses| addresses.first().copied()) else {
            return PORTS.len();
        };
        let connects = PORTS.map(|port| tcp::probe(tools, SocketAddr::new(address, port)));
        join_all(connects).await.iter().filter(|outcome| !outcome.is_ok()).count()
    }
}

/// The failure of a page that OONI asks only for an answer of any kind.
async fn answered(tools: &Tools, visit: &Visit) -> Option<String> {
    web::probe(tools, visit).await.failure.map(|failure| failure.to_string())
}

const PORTS: [u16; 2] = [443, 5222];
