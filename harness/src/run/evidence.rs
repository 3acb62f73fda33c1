//! Who did it: from a measurement and the lab's events to the rule that decided.

use std::time::Duration;

use roadblock_censor::{Event, EventKind};
use roadblock_emulator::events::{EventLog, Recorded};
use roadblock_emulator::lab::Client;
use roadblock_scenarios::model::VerdictWord;

use super::report::{LayerEntry, Seen, Word};
use crate::probes::{Found, Layer, Outcome};

/// A measurement with what the lab says about it.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    /// What was met.
    pub(crate) outcome: Outcome,
    /// The decisions about its client's flows while it ran.
    pub(crate) events: Vec<Recorded>,
}

impl Measured {
    /// What the report says.
    pub(crate) fn seen(&self) -> Seen {
        let Outcome { verdict, failure, layers, addresses, answers, part, how, test_keys, found, .. } = &self.outcome;
        let blocked = *verdict != VerdictWord::Ok;
        let decisive = self.decisive_event();
        Seen {
            verdict: Word::from(*verdict),
            failure: failure.as_ref().map(ToString::to_string),
            operation: self.outcome.decisive_layer().filter(|_| blocked).map(|layer| layer.operation),
            by: decisive.and_then(Event::by),
            matched: decisive.and_then(|event| event.matched.clone()),
            facts: decisive.map(|event| event.facts.iter().map(ToString::to_string).collect()).unwrap_or_default(),
            grade: decisive.map(|event| event.grade.into()),
            layers: layers.iter().map(layer_entry).collect(),
            addresses: addresses.iter().map(ToString::to_string).collect(),
            answers: *answers,
            part: part.map(str::to_owned),
            how: how.clone(),
            test_keys: test_keys.clone(),
            found: found.iter().flat_map(Found::words).map(|(key, value)| (key.to_owned(), value)).collect(),
            evidence: found.as_ref().map(Found::evidence),
        }
    }

    /// Whether this rule interfered, whatever came of it.
    pub(crate) fn met(&self, by: &str) -> bool {
        let mut events = self.events.iter().map(|each| &each.event);
        events.any(|event| event.is_interference() && event.by().as_deref() == Some(by))
    }

    /// The last interference with the flow of the layer that failed, else with any flow of the client. What was done to a
    /// packet comes before what was only got ready for later ones.
    fn decisive_event(&self) -> Option<&Event> {
        if self.outcome.verdict == VerdictWord::Ok {
            return None;
        }
        let interference = || self.events.iter().map(|each| &each.event).filter(|event| event.is_interference());
        let Some(layer) = self.outcome.decisive_layer() else {
            // What a program of the user's did is known by its client alone.
            return interference().next_back().filter(|_| self.outcome.verdict == VerdictWord::Protocol);
        };
        let on_flow = || interference().filter(|event| is_about(event, layer));
        on_flow().rfind(|event| is_deed(event)).or_else(|| on_flow().next_back()).or_else(|| interference().next_back())
    }
}

/// The decisions about a client after a mark, once those about a failed measurement have arrived: the kernel reports the
/// packets that it drops itself a moment later than they are missed.
pub(crate) async fn gather(log: &EventLog, mark: usize, client: &Client, outcome: &Outcome) -> Vec<Recorded> {
    let about_client = || -> Vec<Recorded> {
        let own = |mut each: Recorded| {
            each.event.flow = client.own_flow(&each.event.flow)?;
            Some(each)
        };
        log.since(mark).into_iter().filter_map(own).collect()
    };
    let layer = outcome.decisive_layer();
    if outcome.verdict == VerdictWord::Ok || (layer.is_none() && outcome.verdict != VerdictWord::Protocol) {
        return about_client();
    }
    let explains = |event: &Event| layer.is_none_or(|layer| is_about(event, layer));
    let explained =
        |events: &[Recorded]| events.iter().any(|each| each.event.is_interference() && explains(&each.event));
    let until = tokio::time::Instant::now() + LATE_EVENTS;
    loop {
        let events = about_client();
        if explained(&events) || tokio::time::Instant::now() >= until {
            return events;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Whether a packet met it, as opposed to a rule that waits for the next ones: China's second box for TLS is armed by the
/// `ClientHello` that the first has answered with resets.
fn is_deed(event: &Event) -> bool {
    !matches!(event.kind, EventKind::Triggered | EventKind::ResidualArmed)
}

fn is_about(event: &Event, layer: &Layer) -> bool {
    let flow = &event.flow;
    flow.server == layer.remote.ip()
        && (flow.server_port == layer.remote.port() || flow.server_port == 0)
        && (flow.client_port == layer.local_port || flow.client_port == 0)
}

fn layer_entry(layer: &Layer) -> LayerEntry {
    LayerEntry {
        operation: layer.operation,
        address: layer.remote.to_string(),
        failure: layer.failure.as_ref().map(ToString::to_string),
        milliseconds: u64::try_from(layer.took.as_millis()).unwrap_or(u64::MAX),
    }
}

/// How long an event may be on its way.
const LATE_EVENTS: Duration = Duration::from_millis(250);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

#[cfg(test)]
mod tests {
    use super::super::testing::{client, event, flow, outcome};
    use super::*;

    #[test]
    fn the_last_interference_with_the_failing_flow_decides() {
        let events = vec![event(flow(40000), "sni-1"), event(flow(40000), "sni-4"), event(flow(9), "ip-drop")];
        let measured = Measured { outcome: outcome(VerdictWord::Tls, 40000), events };
        let seen = measured.seen();
        assert_eq!(seen.by.as_deref(), Some("tspu/sni-4"));
        assert_eq!(seen.facts, ["TSPU-1"]);
    }

    #[test]
    fn what_was_done_comes_before_what_was_got_ready() {
        let of_kind = |rule, kind| {
            let Recorded { hop, event } = event(flow(40000), rule);
            Recorded { hop, event: Event { kind, ..event } }
        };
        let armed = [of_kind("sni-2", EventKind::Triggered), of_kind("sni-2", EventKind::ResidualArmed)];
        let by = |events: Vec<Recorded>| Measured { outcome: outcome(VerdictWord::Tls, 40000), events }.seen().by;
        let both = [vec![of_kind("sni-1", EventKind::Injected)], armed.to_vec()].concat();
        assert_eq!(by(both).as_deref(), Some("tspu/sni-1"));
        assert_eq!(by(armed.to_vec()).as_deref(), Some("tspu/sni-2"));
    }

    #[test]
    fn interference_with_another_flow_of_the_client_is_better_than_none() {
        let measured = Measured { outcome: outcome(VerdictWord::Tls, 40000), events: vec![event(flow(9), "ip-drop")] };
        assert_eq!(measured.seen().by.as_deref(), Some("tspu/ip-drop"));
    }

    #[test]
    fn what_was_reached_was_done_by_nobody() {
        let measured = Measured { outcome: outcome(VerdictWord::Ok, 40000), events: vec![event(flow(40000), "sni-1")] };
        assert_eq!((measured.seen().by, measured.seen().operation), (None, None));
    }

    #[tokio::test]
    async fn an_event_that_comes_late_is_waited_for() {
        let log = EventLog::default();
        let late = log.clone();
        let writer = async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let Recorded { hop, event } = event(flow(40000), "ip-drop");
            late.record(&hop, event);
        };
        let (client, outcome) = (client(), outcome(VerdictWord::Tcp, 40000));
        let reader = gather(&log, 0, &client, &outcome);
        let (events, ()) = tokio::join!(reader, writer);
        assert_eq!(events.len(), 1);
    }
}
