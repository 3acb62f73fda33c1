//! The story around the measurements: phases, sources, what is not known, how to see it again.

use std::fmt::{self, Write};

use super::Page;
use super::text::escaped;

/// The phases that were played, with dates and plain sentences.
pub(super) fn timeline(html: &mut String, page: &Page<'_>) -> fmt::Result {
    html.push_str("<ol class=\"timeline\">\n");
    for head in &page.report.phases {
        let phase = page.scenario.phase(&head.id);
        let title = head.title.as_deref().unwrap_or(&head.id);
        write!(html, "<li><h3>{}</h3>", escaped(title))?;
        let date = head.date.as_ref().map(|date| format!("<time datetime=\"{0}\">{0}</time>, ", escaped(date)));
        write!(html, "<div class=\"soft\">{}phase <code>{}</code></div>", date.unwrap_or_default(), escaped(&head.id))?;
        let said = [
            ("What people felt", phase.and_then(|phase| phase.felt.as_deref())),
            ("What is not known", phase.and_then(|phase| phase.unknown.as_deref())),
        ];
        if said.iter().any(|(_, text)| text.is_some()) {
            html.push_str("<dl>");
            for (what, text) in said.into_iter().filter_map(|(what, text)| text.map(|text| (what, text))) {
                write!(html, "<dt>{what}</dt><dd>{}</dd>", escaped(text))?;
            }
            html.push_str("</dl>");
        }
        html.push_str("</li>\n");
    }
    html.push_str("</ol>\n");
    Ok(())
}

/// Where the story is told, and what nobody knows.
pub(super) fn sources(html: &mut String, page: &Page<'_>) -> fmt::Result {
    html.push_str("<ul>\n");
    for source in &page.scenario.sources {
        let title = escaped(&source.title);
        match &source.url {
            Some(url) if is_web(url) => {
                write!(html, "<li><a href=\"{}\" rel=\"noreferrer\">{title}</a>", escaped(url))?;
            }
            _ => write!(html, "<li>{title}")?,
        }
        if let Some(date) = &source.date {
            write!(html, ", {}", escaped(date))?;
        }
        if !source.facts.is_empty() {
            write!(html, " <span class=\"soft\">for {}</span>", escaped(source.facts.join(", ")))?;
        }
        html.push_str("</li>\n");
    }
    html.push_str("</ul>\n<h3>What is not known</h3>\n<ul>\n");
    let phases = page.report.phases.iter().filter_map(|head| page.scenario.phase(&head.id));
    let mut any = false;
    for phase in phases {
        if let Some(unknown) = &phase.unknown {
            any = true;
            writeln!(html, "<li><code>{}</code>: {}</li>", escaped(&phase.id), escaped(unknown))?;
        }
    }
    for note in page.report.capture.iter().flat_map(|capture| &capture.notes) {
        any = true;
        writeln!(html, "<li>The capture is not complete: {}</li>", escaped(note))?;
    }
    for problem in &page.report.problems {
        any = true;
        let (phase, place, what) = (escaped(&problem.phase), escaped(&problem.place), escaped(&problem.what));
        writeln!(html, "<li>The results of phase <code>{phase}</code> are invalid: {place}: {what}</li>")?;
    }
    if !any {
        html.push_str("<li>The scenario names nothing.</li>\n");
    }
    html.push_str("</ul>\n");
    Ok(())
}

/// The command, and the files beside this page.
pub(super) fn again(html: &mut String, page: &Page<'_>) -> fmt::Result {
    let report = page.report;
    write!(html, "<pre>roadblock run {}", escaped(&report.scenario.id))?;
    if report.phases.len() < page.scenario.phases.len() {
        for phase in &report.phases {
            write!(html, " --phase {}", escaped(&phase.id))?;
        }
    }
    if report.vantages.len() < page.scenario.vantages.len() {
        for vantage in &report.vantages {
            write!(html, " --vantage {}", escaped(&vantage.name))?;
        }
    }
    writeln!(html, " --seed {} --out DIR</pre>", report.seed)?;
    writeln!(
        html,
        "<p>This was roadblock {}. The same scenario, seed and version give the same verdicts and decisions; times, ports \
         and retransmissions differ.</p>",
        escaped(&report.version)
    )?;
    let Some(capture) = &report.capture else { return Ok(()) };
    writeln!(
        html,
        "<p>Beside this page's folder lie <code>report.json</code>, all that is said here as data; \
         <code>events.jsonl</code>, every decision with its time; and <code>{}</code>, the {} packets that these pictures \
         are drawn from. Wireshark and tshark open it: each decision is a comment of its packet, and the TLS keys are \
         inside.</p>",
        escaped(&capture.file),
        capture.packets
    )?;
    let example =
        report.events.iter().find_map(|event| event.rule.as_ref().map(|rule| format!("{}/{rule}", event.censor)));
    if let Some(by) = example {
        writeln!(
            html,
            "<pre>tshark -r {} -Y 'frame.comment contains \"{}\"'</pre>",
            escaped(&capture.file),
            escaped(by)
        )?;
    }
    Ok(())
}

fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}
