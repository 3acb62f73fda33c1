//! One line why a command was blocked.

use std::collections::BTreeSet;

use roadblock_censor::Event;
use roadblock_emulator::events::Recorded;
use roadblock_emulator::lab::{Begun, Client, Lab};

use super::select::Seat;
use crate::run::Known;

/// Who interfered with the command's traffic; nothing where nobody did.
pub(super) fn explain(lab: &Lab, seat: &Seat) -> Option<String> {
    let client = lab.main_client(&seat.vantage).ok()?;
    line(&lab.events().all(), &client, &lab.phases())
}

fn line(events: &[Recorded], client: &Client, phases: &[Begun]) -> Option<String> {
    let interference: Vec<&Event> = events
        .iter()
        .map(|each| &each.event)
        .filter(|event| event.is_interference() && client.may_own(&event.flow))
        .collect();
    let first = interference.first()?;
    let others: BTreeSet<String> = interference.iter().map(|event| name(event)).collect();
    let more = match others.len() - 1 {
        0 => String::new(),
        more => format!(" (+{more} more)"),
    };
    let phase = phases.iter().rev().find(|begun| begun.at <= first.at).map(|begun| &*begun.phase).unwrap_or_default();
    Some(format!("roadblock: blocked by {} ({}) in phase {phase}{more}", name(first), because(first)))
}

fn name(event: &Event) -> String {
    event.by().unwrap_or_else(|| event.censor.to_string())
}

/// `SNI web.whatsapp.com, TSPU-1, measured`.
fn because(event: &Event) -> String {
    let mut words: Vec<&str> = event.matched.as_deref().into_iter().collect();
    words.extend(event.facts.iter().map(|fact| &**fact));
    words.push(Known::from(event.grade).as_str());
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use roadblock_censor::{EventKind, Instant};

    use super::*;
    use crate::run::testing::{client, event, flow};

    fn phases() -> Vec<Begun> {
        vec![
            Begun { phase: "full-block".into(), at: Instant::ZERO },
            Begun { phase: "meta-block".into(), at: Instant::from_nanos(u64::MAX) },
        ]
    }

    #[test]
    fn the_first_is_told_and_the_others_are_counted() {
        let events = [event(flow(1), "sni-1"), event(flow(1), "sni-1"), event(flow(2), "ip-drop")];
        assert_eq!(
            line(&events, &client(), &phases()).as_deref(),
            Some(
                "roadblock: blocked by tspu/sni-1 (SNI web.whatsapp.com, TSPU-1, measured) in phase full-block (+1 more)"
            ),
        );
    }

    #[test]
    fn a_lie_blocks_too() {
        let mut lie = event(flow(1), "lies.0");
        lie.event.censor = "isp".into();
        lie.event.kind = EventKind::Lied;
        lie.event.matched = Some("query A web.whatsapp.com".to_owned());
        assert_eq!(
            line(&[lie], &client(), &phases()).as_deref(),
            Some("roadblock: blocked by isp/lies.0 (query A web.whatsapp.com, TSPU-1, measured) in phase full-block"),
        );
    }

    #[test]
    fn nothing_is_said_about_what_was_let_through_or_about_others() {
        let mut passed = event(flow(1), "sni-1");
        passed.event.kind = EventKind::Passed;
        let mut stranger = event(flow(1), "sni-1");
        stranger.event.flow.client = [9, 9, 9, 9].into();
        assert_eq!(line(&[passed, stranger], &client(), &phases()), None);
    }
}
