//! Instagram: its page, the API of its app, and pictures.

use roadblock_scenarios::model::{Family, FamilyChoice, HttpVersion};

use super::super::known::Known;
use super::super::measure::MeasureError;
use super::super::tools::Tools;
use super::super::trace::Outcome;
use super::super::transfer::{self, Transfer, Way};
use super::super::web::{self, Visit};
use super::parts::worst;

/// What is known of Instagram before it is used.
#[derive(Clone, Debug)]
pub(crate) struct Instagram {
    page: Visit,
    api: Visit,
    pictures: Transfer,
}

impl Instagram {
    /// Instagram with so many kilobytes of pictures.
    pub(crate) fn new(known: Known<'_>, media: u32, family: Family) -> Result<Self, MeasureError> {
        let visit =
            |url: &str| Ok::<_, MeasureError>(known.visit(url.parse()?, FamilyChoice::Only(family), HttpVersion::One));
        Ok(Self {
            page: visit("https://www.instagram.com/")?,
            api: visit("https://i.instagram.com/")?,
            pictures: known.transfer("scontent.cdninstagram.com", family, media, Way::Down),
        })
    }

    /// Uses it and says what its user says.
    pub(crate) async fn probe(&self, tools: &Tools) -> Outcome {
        let beside = tools.without_port();
        let (page, api, pictures) = tokio::join!(
            web::probe(tools, &self.page),
            web::probe(&beside, &self.api),
            transfer::probe(&beside, &self.pictures)
        );
        worst([("page", page), ("app", api), ("pictures", pictures)])
    }
}
