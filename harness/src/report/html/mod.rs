//! The report as one page that needs nothing else: no script to be read, no request to be made.

mod claims;
mod expectations;
mod sequence;
pub(crate) mod shell;
mod story;
mod summary;
mod tables;
pub(crate) mod text;
mod topology;

use std::fmt::{self, Write};

use roadblock_scenarios::{Library, Scenario};

use crate::run::report::Report;

/// The page.
pub(crate) fn page(report: &Report, scenario: &Scenario, library: &Library) -> String {
    let mut html = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut html, &Page { report, scenario, library });
    html
}

/// What every part of the page is written from.
#[derive(Clone, Copy)]
struct Page<'a> {
    report: &'a Report,
    scenario: &'a Scenario,
    library: &'a Library,
}

/// The parts of the page, by their ids and headings.
const PARTS: [(&str, &str); 7] = [
    ("timeline", "What happened, phase by phase"),
    ("topology", "Who is where"),
    ("seen", "What each vantage met"),
    ("expectations", "Expectations"),
    ("claims", "How far each claim is known"),
    ("sources", "Sources, and what is not known"),
    ("again", "How to see it again"),
];

fn write(html: &mut String, page: &Page<'_>) -> fmt::Result {
    shell::head(html, &page.report.scenario.title, "")?;
    summary::write(html, page)?;
    write!(html, "<nav aria-label=\"Parts of this page\"><ul>")?;
    for (id, heading) in PARTS {
        write!(html, "<li><a href=\"#{id}\">{heading}</a></li>")?;
    }
    html.push_str("</ul></nav>\n</header>\n<main>\n");
    for (id, heading) in PARTS {
        write!(html, "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{heading}</h2>\n")?;
        match id {
            "timeline" => story::timeline(html, page)?,
            "topology" => topology::write(html, page)?,
            "seen" => tables::write(html, page)?,
            "expectations" => expectations::write(html, page)?,
            "claims" => claims::write(html, page)?,
            "sources" => story::sources(html, page)?,
            _ => story::again(html, page)?,
        }
        html.push_str("</section>\n");
    }
    html.push_str("</main>\n");
    shell::foot(html, &page.report.version, "")
}

#[cfg(test)]
#[path = "../html_tests.rs"]
mod tests;
