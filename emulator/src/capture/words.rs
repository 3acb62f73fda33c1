//! A decision in words, the same in packet comments, reports and wherever else it is told.

use roadblock_censor::Event;
use roadblock_censor::policy::Grade;
use serde::Serialize;

/// `tspu/sni-1 triggered: SNI web.whatsapp.com (TSPU-1, recalled)`.
pub fn decision(event: &Event) -> String {
    let who = event.by().unwrap_or_else(|| event.censor.to_string());
    let matched = event.matched.as_ref().map(|matched| format!(": {matched}")).unwrap_or_default();
    // What was let through cites nothing.
    if event.rule.is_none() && event.facts.is_empty() {
        return format!("{who} {}{matched}", kind(event));
    }
    let mut known: Vec<&str> = event.facts.iter().map(|fact| &**fact).collect();
    known.push(grade(event.grade));
    format!("{who} {}{matched} ({})", kind(event), known.join(", "))
}

/// The event log's word for what was decided.
fn kind(event: &Event) -> String {
    match event.kind.serialize(serde_json::value::Serializer) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

const fn grade(grade: Grade) -> &'static str {
    match grade {
        Grade::Measured => "measured",
        Grade::SingleSource => "single source",
        Grade::Recalled => "recalled",
        Grade::Assumed => "assumed",
    }
}

#[cfg(test)]
mod tests {
    use roadblock_censor::{Direction, EventKind, FlowKey, Instant};

    use super::*;

    #[test]
    fn who_what_why_and_how_far_it_is_known() {
        let mut event = Event {
            at: Instant::ZERO,
            censor: "tspu".into(),
            rule: Some("sni-1".into()),
            facts: vec!["TSPU-1".into(), "TSPU-8".into()],
            grade: Grade::SingleSource,
            flow: FlowKey {
                protocol: 6,
                client: [5, 136, 0, 10].into(),
                client_port: 40000,
                server: [1, 1, 1, 1].into(),
                server_port: 443,
            },
            direction: Direction::Outbound,
            kind: EventKind::ResidualArmed,
            matched: Some("SNI web.whatsapp.com".to_owned()),
            bytes: None,
            residual: false,
        };
        let told = "tspu/sni-1 residual-armed: SNI web.whatsapp.com (TSPU-1, TSPU-8, single source)";
        assert_eq!(decision(&event), told);
        event = Event { rule: None, facts: Vec::new(), kind: EventKind::Passed, matched: None, ..event };
        assert_eq!(decision(&event), "tspu passed");
    }
}
