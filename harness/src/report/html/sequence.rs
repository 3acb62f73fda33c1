//! The packets of a measurement as a ladder: who sent what to whom, and who decided what.

use std::collections::BTreeSet;
use std::fmt::{self, Write};
use std::net::{IpAddr, SocketAddr};

use super::Page;
use super::text::{bytes, duration, escaped};
use crate::report::flows::{Flow, FlowStep, StepFate};
use crate::run::report::Seen;

/// How many steps of a flow are drawn; the capture has all.
const DRAWN: usize = 40;

/// A picture that can be opened. `summary` is markup.
pub(super) fn write(
    html: &mut String,
    page: &Page<'_>,
    id: &str,
    summary: &str,
    seen: &Seen,
    clients: &[String],
) -> fmt::Result {
    writeln!(html, "<details><summary>{summary}</summary><div class=\"inside\" id=\"{id}\">")?;
    write_cause(html, seen)?;
    let flows: Vec<&Flow> = page.report.flows.iter().filter(|flow| clients.contains(&flow.client)).collect();
    if flows.is_empty() {
        html.push_str("<p>No packet of it was captured.</p>\n");
    }
    for flow in flows {
        write_flow(html, page, flow)?;
    }
    html.write_str("</div></details>\n")
}

/// `By tspu/sni-1: SNI web.whatsapp.com. Facts TSPU-1, TSPU-8; measured.`
fn write_cause(html: &mut String, seen: &Seen) -> fmt::Result {
    let Some(by) = &seen.by else { return Ok(()) };
    write!(html, "<p>Decided by <code>{}</code>", escaped(by))?;
    if let Some(matched) = &seen.matched {
        write!(html, " because of {}", escaped(matched))?;
    }
    if !seen.facts.is_empty() {
        write!(html, "; facts {}", escaped(seen.facts.join(", ")))?;
    }
    if let Some(grade) = seen.grade {
        write!(html, "; {}", grade.as_str())?;
    }
    if let Some(failure) = &seen.failure {
        write!(html, ". OONI calls it <code>{}</code>", escaped(failure))?;
    }
    html.write_str(".</p>\n")
}

fn write_flow(html: &mut String, page: &Page<'_>, flow: &Flow) -> fmt::Result {
    let end = far_end(page, flow);
    let port = if flow.client_port == 0 { String::new() } else { format!(" port {}", flow.client_port) };
    write!(
        html,
        "<div class=\"flow\"><h4>{} from {}{port} to {}",
        flow.protocol.to_uppercase(),
        escaped(&flow.client),
        escaped(&flow.server)
    )?;
    if let Some(name) = &end {
        write!(html, " ({})", escaped(name))?;
    }
    html.push_str("</h4>\n");
    let actors = Actors::of(flow);
    writeln!(html, "<ol class=\"ladder\" style=\"--n:{}\">", actors.names.len())?;
    html.push_str("<li class=\"actors\" aria-hidden=\"true\"><span class=\"pad\"></span><div class=\"row\">");
    for (place, name) in actors.names.iter().enumerate() {
        let note = note(page, name);
        write!(html, "<span style=\"--a:{place}\">{}<small>{}</small></span>", escaped(name), escaped(note))?;
    }
    html.push_str("</div><span class=\"pad\"></span></li>\n");
    let mut said = BTreeSet::new();
    for step in flow.steps.iter().take(DRAWN) {
        write_step(html, &actors, step, &mut said)?;
    }
    html.push_str("</ol>\n");
    if flow.steps.len() > DRAWN {
        writeln!(html, "<p class=\"soft\">{} more steps are in the capture.</p>", flow.steps.len() - DRAWN)?;
    }
    match flow.bare_acknowledgements {
        0 => {}
        1 => html.push_str("<p class=\"soft\">One bare ACK is not drawn.</p>\n"),
        count => writeln!(html, "<p class=\"soft\">{count} bare ACKs are not drawn.</p>")?,
    }
    html.write_str("</div>\n")
}

/// The columns of a ladder.
struct Actors<'a> {
    names: Vec<&'a str>,
}

impl<'a> Actors<'a> {
    fn of(flow: &'a Flow) -> Self {
        let mut names = vec!["client"];
        names.extend(flow.hops.iter().map(String::as_str));
        // A server that lives at a captured hop is that hop's column.
        match &flow.ends_at {
            Some(hop) if flow.hops.contains(hop) => {}
            Some(hop) => names.push(hop),
            None => names.push("server"),
        }
        Self { names }
    }

    fn place(&self, name: &str) -> usize {
        self.names.iter().position(|each| *each == name).unwrap_or(self.names.len() - 1)
    }
}

/// Who sits at a hop.
fn note(page: &Page<'_>, name: &str) -> String {
    let scenario = page.scenario;
    let censors = scenario.censors.iter().filter(|each| &*each.at == name).map(|each| format!("censor {}", each.name));
    let resolvers =
        scenario.resolvers.iter().filter(|each| &*each.at == name).map(|each| format!("resolver {}", each.name));
    censors.chain(resolvers).collect::<Vec<_>>().join(", ")
}

fn write_step<'a>(
    html: &mut String,
    actors: &Actors<'_>,
    step: &'a FlowStep,
    said: &mut BTreeSet<&'a str>,
) -> fmt::Result {
    let (from, to) = (actors.place(&step.from), actors.place(&step.to));
    let (left, width) = (from.min(to), from.abs_diff(to));
    let way = if from <= to { "right" } else { "left" };
    // Where there is little room the words stand at the arrow's end of the lane.
    let side = match (left, left + width + 1 == actors.names.len()) {
        (0, false) => "west",
        (0, true) | (_, false) => "",
        (_, true) => "east",
    };
    let (class, note) = fate(step);
    write!(
        html,
        "<li><time>+{}</time><div class=\"lane {way} {side} {class}\" style=\"--a:{left};--w:{width}\"><span><span \
         class=\"hidden\">{} to {}: </span><b>{}</b>",
        duration(step.at_microseconds),
        escaped(&step.from),
        escaped(&step.to),
        escaped(&step.what)
    )?;
    if let Some(size) = size(step) {
        write!(html, " <span class=\"soft\">{size}</span>")?;
    }
    html.push_str("</span><i></i></div><div class=\"why\">");
    if let Some(note) = note {
        write!(html, "<span class=\"mark {}\">{note}</span>", if class.contains("cut") { "bad" } else { "odd" })?;
    }
    for decision in &step.decisions {
        // What was said of the step before is not said again.
        if said.insert(decision) {
            write!(html, "<span>{}</span>", escaped(decision))?;
        }
    }
    html.write_str("</div></li>\n")
}

/// `6 packets until +4.8 s, 1.9 kB`.
fn size(step: &FlowStep) -> Option<String> {
    let count = (step.packets > 1).then(|| {
        let until = step.until_microseconds;
        format!("{} packets until +{}", step.packets, duration(until))
    });
    let bytes = (step.bytes > 0).then(|| bytes(step.bytes));
    let words: Vec<String> = count.into_iter().chain(bytes).collect();
    (!words.is_empty()).then(|| format!("({})", words.join(", ")))
}

/// How a step is drawn, and what is said of its fate.
const fn fate(step: &FlowStep) -> (&'static str, Option<&'static str>) {
    match step.fate {
        StepFate::Passed => ("", None),
        StepFate::Dropped => ("cut stop", Some("dropped")),
        StepFate::Replaced => ("cut stop", Some("replaced")),
        StepFate::Rewritten => ("forged", Some("rewritten here")),
        StepFate::Injected => ("forged", Some("injected here")),
        StepFate::Lied => ("forged", Some("a lie")),
        StepFate::Sent => ("", Some("sent by this hop")),
        StepFate::Lost => ("cut stop", Some("did not go on")),
    }
}

/// What lives at the other end.
fn far_end(page: &Page<'_>, flow: &Flow) -> Option<String> {
    let address: IpAddr = match flow.server.parse::<SocketAddr>() {
        Ok(server) => server.ip(),
        Err(_) => flow.server.parse().ok()?,
    };
    let resolver = page.scenario.resolvers.iter().find(|resolver| resolver.addresses.contains(&address));
    if let Some(resolver) = resolver {
        return Some(format!("resolver {}", resolver.name));
    }
    let mut hosts = page.scenario.services.iter().flat_map(|service| &service.hosts);
    hosts.find(|host| host.addresses.contains(&address)).and_then(|host| host.names.first().cloned())
}
