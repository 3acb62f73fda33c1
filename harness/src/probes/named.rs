//! A name that is looked up before it is used.

use std::net::IpAddr;
use std::time::Duration;

use roadblock_scenarios::model::Family;

use super::dns::{self, Question, Truth};
use super::failure::Failure;
use super::timeouts::Timeouts;
use super::tools::Tools;
use super::trace::Trace;

/// A name of the lab, whom to ask for it, and the truth.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// The name.
    pub(crate) name: String,
    /// Whom to ask.
    pub(crate) resolver: IpAddr,
    /// What its addresses are.
    pub(crate) truth: Truth,
}

impl Named {
    /// The first address that it has, once that is known to be true. An error without a failure is a wrong address.
    pub(crate) async fn lookup(
        &self,
        trace: &mut Trace,
        tools: &Tools,
        family: Family,
    ) -> Result<IpAddr, Option<Failure>> {
        self.ask(trace, tools, family, &self.truth).await?.first().copied().ok_or(None)
    }

    /// The same name for who does not know the truth.
    pub(crate) fn unknown(self) -> Self {
        Self { truth: Truth::Public, ..self }
    }

    /// The addresses that are answered, true or not.
    pub(crate) async fn answered(&self, trace: &mut Trace, tools: &Tools) -> Result<Vec<IpAddr>, Option<Failure>> {
        self.ask(trace, tools, Family::V4, &Truth::AllOf(Vec::new())).await
    }

    /// Nobody who uses an app waits for a second answer, or asks from a port that was promised to the connection.
    async fn ask(
        &self,
        trace: &mut Trace,
        tools: &Tools,
        family: Family,
        truth: &Truth,
    ) -> Result<Vec<IpAddr>, Option<Failure>> {
        let question = Question::usual(&self.name, family, self.resolver);
        let timeouts = Timeouts { late_answers: Duration::ZERO, ..tools.timeouts };
        let hasty = Tools { timeouts, ..tools.without_port() };
        dns::resolve(trace, &hasty, &question, truth).await
    }
}
