//! MAX: its site, its API and its chat (facts, section 5b). Where whole countries are cut off it is what still works.

use roadblock_scenarios::model::{Authority, Family, FamilyChoice, HttpVersion, VerdictWord};

use super::super::failure::Failure;
use super::super::known::Known;
use super::super::measure::MeasureError;
use super::super::tools::Tools;
use super::super::trace::Outcome;
use super::super::web::{self, Visit};
use super::super::websocket::{self, Socket};
use super::parts::worst;

/// What is known of MAX before it is used.
#[derive(Clone, Debug)]
pub(crate) struct Max {
    authority: Authority,
    site: Visit,
    api: Visit,
    chat: Socket,
}

impl Max {
    /// MAX, with the API whose certificate this authority signed.
    pub(crate) fn new(known: Known<'_>, authority: Authority, family: Family) -> Result<Self, MeasureError> {
        let visit =
            |url: &str| Ok::<_, MeasureError>(known.visit(url.parse()?, FamilyChoice::Only(family), HttpVersion::One));
        let api = match authority {
            Authority::Known => "https://api.oneme.ru/",
            Authority::Foreign => "https://platform-api2.max.ru/",
        };
        Ok(Self {
            authority,
            site: visit("https://max.ru/")?,
            api: visit(api)?,
            chat: Socket {
                place: known.named("ws-api.oneme.ru"),
                path: "/websocket",
                origin: "https://web.max.ru",
                family,
                port: 443,
            },
        })
    }

    /// Uses it and says what its user says.
    pub(crate) async fn probe(&self, tools: &Tools) -> Outcome {
        let beside = tools.without_port();
        let (site, api, chat) = tokio::join!(
            web::probe(tools, &self.site),
            web::probe(&beside, &self.api),
            websocket::probe(&beside, &self.chat)
        );
        worst([("site", site), ("API", self.forgiven(api)), ("chat", chat)])
    }

    /// A certificate of an authority that this client has never heard of says nothing about blocking, where it is known
    /// that the server has such a one.
    fn forgiven(&self, api: Outcome) -> Outcome {
        let foreign = self.authority == Authority::Foreign && api.failure == Some(Failure::SslUnknownAuthority);
        if foreign { api.judged(VerdictWord::Unmeasured).said("not trusted by this client") } else { api }
    }
}
