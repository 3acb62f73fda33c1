//! How long does a punishment last, and whom does it hit: the connection that earned it, later ones of the same client to the
//! same port of the server, or to any port of it (Bock et al., `Your Censor is My Censor`, WOOT 2021)?
//!
//! Something innocuous is measured at moments of the lab's clock after a trigger. Each look has a trigger of its own, behind
//! a pause in which every punishment of before ends, because a look may itself prolong what it looks at.

use std::pin::Pin;
use std::time::Duration;

use roadblock_censor::Instant;
use roadblock_scenarios::model::{Punished, ResidualFinds, VerdictWord};
use serde_json::json;

use super::found::Found;
use super::measure::Measure;
use super::socket::Source;
use super::tools::Tools;
use super::trace::Outcome;

/// A punishment that is looked for.
#[derive(Clone, Debug)]
pub(crate) struct Residual {
    /// What earns it.
    pub(crate) trigger: Measure,
    /// What is innocuous, at the same port of the same server.
    pub(crate) test: Measure,
    /// The same at another port of it.
    pub(crate) elsewhere: Option<Measure>,
    /// How long it may last; every look is followed by such a pause.
    pub(crate) within: Duration,
    /// How often each look is taken, where a punishment hits by chance.
    pub(crate) tries: u16,
}

/// What was found about a punishment.
#[derive(Clone, Debug)]
pub(crate) struct ResidualFound {
    /// Whom it hits.
    key: Punished,
    /// How long it lasts, to a second; nothing where it does not end within the time that was looked at.
    last: Option<Duration>,
    within: Duration,
    looks: u32,
}

/// Whose a look is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Look {
    /// The connection's own ports.
    SameTuple,
    /// Another port of the client.
    OtherClientPort,
    /// Another port of the server.
    OtherServerPort,
}

/// Looks for it.
pub(crate) async fn probe(tools: &Tools, residual: &Residual) -> Outcome {
    let mut search = Search { tools, residual, quiet_from: tools.time.now(), looks: 0 };
    let before = run(&residual.test, &search.tools_for(None)).await;
    if !before.is_ok() {
        // What fails by itself tells nothing about what comes after something else.
        return before.judged(VerdictWord::Unmeasured).said("fails without a trigger");
    }
    // The widest first: what hits another port of the server hits the same one too.
    for look in [Look::OtherServerPort, Look::OtherClientPort, Look::SameTuple] {
        if let Some(hit) = search.look(look, SOON).await {
            let last = search.last(look).await;
            return ended(hit, look.key(), last, &search);
        }
    }
    ended(before, Punished::Nobody, None, &search)
}

fn ended(outcome: Outcome, key: Punished, last: Option<Duration>, search: &Search<'_>) -> Outcome {
    let found = ResidualFound { key, last, within: search.residual.within, looks: search.looks };
    Outcome { found: Some(Found::Residual(found)), ..outcome }
}

/// A search that goes on.
struct Search<'a> {
    tools: &'a Tools,
    residual: &'a Residual,
    /// When the last look was over.
    quiet_from: Instant,
    looks: u32,
}

impl Search<'_> {
    /// What was met so long after the beginning of a trigger, if it was not `ok` in each of the tries.
    async fn look(&mut self, look: Look, after: Duration) -> Option<Outcome> {
        let measure = match look {
            Look::OtherServerPort => self.residual.elsewhere.as_ref()?,
            Look::OtherClientPort | Look::SameTuple => &self.residual.test,
        };
        for _ in 0..self.residual.tries {
            let time = &self.tools.time;
            time.sleep_until(self.quiet_from + self.residual.within).await;
            let began = time.now();
            let trigger = run(&self.residual.trigger, &self.tools_for(None)).await;
            time.sleep_until(began + after).await;
            let port = trigger.local_port().filter(|_| look == Look::SameTuple);
            let seen = run(measure, &self.tools_for(port)).await;
            self.quiet_from = time.now();
            self.looks += 1;
            if !seen.is_ok() {
                return Some(seen);
            }
        }
        None
    }

    /// How long it lasts, to a second: the first moment at which it does not hit any more. It hits soon after its trigger.
    async fn last(&mut self, look: Look) -> Option<Duration> {
        if self.look(look, self.residual.within).await.is_some() {
            return None;
        }
        let (mut hits, mut spares) = (SOON, self.residual.within);
        while spares > hits + EXACT {
            let middle = halfway(hits, spares);
            match self.look(look, middle).await {
                Some(_) => hits = middle,
                None => spares = middle,
            }
        }
        Some(spares)
    }

    /// Connections end with a reset, so that their ports are free at once and nothing is sent again behind the search's
    /// back.
    fn tools_for(&self, port: Option<u16>) -> Tools {
        let timeouts = if port.is_some() { self.tools.timeouts.for_used_ports() } else { self.tools.timeouts };
        let source = Source { port, abort: true, ..self.tools.source.clone() };
        Tools { source, timeouts, ..self.tools.clone() }
    }
}

/// On a whole second.
fn halfway(from: Duration, to: Duration) -> Duration {
    Duration::from_secs(u64::midpoint(from.as_secs(), to.as_secs()))
}

/// A measurement within a measurement.
fn run<'a>(measure: &'a Measure, tools: &'a Tools) -> Pin<Box<dyn Future<Output = Outcome> + Send + 'a>> {
    Box::pin(measure.run(tools))
}

impl Look {
    const fn key(self) -> Punished {
        match self {
            Self::SameTuple => Punished::FourTuple,
            Self::OtherClientPort => Punished::ThreeTuple,
            Self::OtherServerPort => Punished::TwoTuple,
        }
    }
}

impl ResidualFound {
    /// Whether it is what must be found.
    pub(super) fn is(&self, wanted: &ResidualFinds) -> bool {
        let ResidualFinds { key, last } = wanted;
        key.is_none_or(|key| key == self.key)
            && last.as_ref().is_none_or(|range| self.last.is_some_and(|last| range.contains(&last)))
    }

    /// What was found, by the keys of `finds`, without numbers.
    pub(super) fn words(&self) -> Vec<(&'static str, String)> {
        vec![("key", self.key.word().to_owned())]
    }

    /// The numbers behind it.
    pub(super) fn evidence(&self) -> serde_json::Value {
        json!({ "said": self.said(), "seconds": self.last.map(|last| last.as_secs()), "looks": self.looks })
    }

    fn said(&self) -> String {
        let whom = match self.key {
            Punished::Nobody => return "nothing that came after it was punished".to_owned(),
            Punished::FourTuple => "the connection's own ports",
            Punished::ThreeTuple => "every connection of this client to this port of the server",
            Punished::TwoTuple => "every connection of this client to this server",
        };
        match self.last {
            Some(last) => format!("punishes {whom} for {} s", last.as_secs()),
            None => format!("punishes {whom} for more than {} s", self.within.as_secs()),
        }
    }
}

/// So long after a trigger a punishment is in force: some censors need a second (GFW-ESNI).
const SOON: Duration = Duration::from_secs(2);
/// How exactly its length is found.
const EXACT: Duration = Duration::from_secs(1);

#[cfg(test)]
#[path = "residual_tests.rs"]
mod tests;
