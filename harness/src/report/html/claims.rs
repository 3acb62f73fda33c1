//! How far each behaviour is known that a censor or a resolver of the scenario shows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use super::Page;
use super::text::escaped;
use crate::run::Known;

/// What a rule or a lie claims.
struct Claim {
    facts: Vec<String>,
    grade: Known,
    /// In how many flows it acted.
    acted: usize,
}

/// All rules and lies with their facts and grades, and what the grades mean.
pub(super) fn write(html: &mut String, page: &Page<'_>) -> fmt::Result {
    html.push_str(
        "<p>Each rule of a censor and each lie of a resolver cites published facts; its grade says how far the behaviour is \
         known.</p>\n",
    );
    let claims = claims(page);
    if !claims.is_empty() {
        html.push_str(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"claims\">\n<table class=\"claims\">\n\
             <thead><tr><th scope=\"col\">rule</th><th scope=\"col\">facts</th><th scope=\"col\">grade</th>\
             <th scope=\"col\">acted in this run</th></tr></thead>\n<tbody>\n",
        );
        // What acted comes first.
        let (acted, idle): (Vec<_>, Vec<_>) = claims.iter().partition(|(_, claim)| claim.acted > 0);
        for (by, claim) in acted.into_iter().chain(idle) {
            let acted = match claim.acted {
                0 => "no".to_owned(),
                1 => "in 1 flow".to_owned(),
                count => format!("in {count} flows"),
            };
            writeln!(
                html,
                "<tr><th scope=\"row\"><code>{}</code></th><td>{}</td><td>{}</td><td>{acted}</td></tr>",
                escaped(by),
                escaped(claim.facts.join(", ")),
                claim.grade.as_str()
            )?;
        }
        html.push_str("</tbody>\n</table>\n</div>\n");
    }
    facts(html, page, &claims)?;
    html.push_str("<h3>What the grades mean</h3>\n<dl class=\"grades\">\n");
    for (grade, meaning) in GRADES {
        writeln!(html, "<dt>{}</dt><dd>{meaning}</dd>", grade.as_str())?;
    }
    html.write_str("</dl>\n")
}

/// The facts that the rules cite, each with what it says and where it was published.
fn facts(html: &mut String, page: &Page<'_>, claims: &BTreeMap<String, Claim>) -> fmt::Result {
    let cited: BTreeSet<&String> = claims.values().flat_map(|claim| &claim.facts).collect();
    if cited.is_empty() {
        return Ok(());
    }
    html.push_str("<h3>The facts that they cite</h3>\n<dl class=\"grades\">\n");
    for id in cited {
        write!(html, "<dt>{}</dt>", escaped(id))?;
        if let Some(fact) = page.library.fact(id) {
            let grade = Known::from(fact.grade).as_str();
            write!(
                html,
                "<dd>{} <span class=\"soft\">{grade}; {}</span></dd>",
                escaped(fact.title),
                escaped(fact.source)
            )?;
        }
        html.push('\n');
    }
    html.write_str("</dl>\n")
}

const GRADES: [(Known, &str); 4] = [
    (Known::Measured, "Published as a measurement, which was read where it is published."),
    (Known::SingleSource, "Reported by one source or from one vantage point, and not confirmed by another."),
    (Known::Recalled, "Recalled from a publication that was not read again for this scenario."),
    (Known::Assumed, "Published by nobody; the scenario assumes it, and says so."),
];

/// Phase, client, server, the server's port, and which of the flows between them.
type FlowOf<'a> = (&'a str, &'a str, &'a str, u16, usize);

fn claims(page: &Page<'_>) -> BTreeMap<String, Claim> {
    let mut claims = BTreeMap::new();
    let phases = page.report.phases.iter().filter_map(|head| page.scenario.phase(&head.id));
    for phase in phases {
        for (resolver, lies) in &phase.state.lies {
            for lie in lies {
                let facts = lie.facts.iter().map(ToString::to_string).collect();
                add(&mut claims, format!("{resolver}/{}", lie.id), facts, lie.grade.into());
            }
        }
        let boxes = phase.state.policies.values().flat_map(|policy| &policy.boxes);
        for (name, rule) in boxes.flat_map(|each| each.rules.iter().map(move |rule| (&each.name, rule))) {
            let facts = rule.facts.iter().map(ToString::to_string).collect();
            add(&mut claims, format!("{name}/{}", rule.id), facts, rule.grade.into());
        }
    }
    let mut flows: BTreeMap<String, BTreeSet<FlowOf<'_>>> = BTreeMap::new();
    for event in &page.report.events {
        let Some(rule) = &event.rule else { continue };
        let flow = (&*event.phase, &*event.client, &*event.server, event.server_port, event.flow);
        flows.entry(format!("{}/{rule}", event.censor)).or_default().insert(flow);
    }
    for (by, flows) in flows {
        if let Some(claim) = claims.get_mut(&by) {
            claim.acted = flows.len();
        }
    }
    claims
}

fn add(claims: &mut BTreeMap<String, Claim>, by: String, facts: Vec<String>, grade: Known) {
    claims.entry(by).or_insert(Claim { facts, grade, acted: 0 });
}
