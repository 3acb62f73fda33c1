use roadblock_scenarios::{Library, Scenario, resolve};

use super::*;
use crate::report::flows::{Flow, FlowStep, StepFate};
use crate::run::made_up_report;

/// The library with a small profile in place of the one that grows with what is known.
fn library() -> Library {
    let profile = "kind = \"profile\"\nid = \"censors/tspu-2026\"\ntitle = \"a filter\"\n\
                   param.sni-1 = { type = \"names\" }\nbox.place = \"in-path\"\n\
                   [[rule]]\nid = \"sni-1\"\nfacts = [\"TSPU-1\"]\nwhen = { tls.sni = \"$sni-1\" }\ntrigger = \"drop\"\n";
    Library::embedded().with_files([("censors/tspu-2026.toml".to_owned(), profile.to_owned())])
}

/// The scenario that `roadblock new` begins with.
fn scenario(library: &Library) -> Scenario {
    resolve(include_str!("../commands/new_template.toml"), "template.toml", library).expect("a sound scenario")
}

/// A made-up report of it.
fn report() -> Report {
    let mut report = made_up_report();
    report.scenario.id = "mine/first".to_owned();
    report.version = "0".to_owned();
    let names = report.vantages.iter_mut().map(|vantage| &mut vantage.name);
    let names = names.chain(report.cells.iter_mut().map(|cell| &mut cell.vantage));
    let names = names.chain(report.expectations.iter_mut().map(|each| &mut each.vantage));
    for name in names.filter(|name| **name == "moscow") {
        *name = "home".to_owned();
    }
    report.flows = vec![flow()];
    report.capture = Some(crate::run::report::CaptureEntry {
        file: "run.pcapng".to_owned(),
        packets: 4,
        notes: vec!["at filter, 3 packets came faster than they could be written down".to_owned()],
    });
    report
}

/// A `ClientHello` and the reset that its answer becomes.
fn flow() -> Flow {
    let decision = "dpi/sni-1 rewritten: SNI <web.whatsapp.com> (TSPU-1, measured)";
    let step = |at: u64, from: &str, to: &str, what: &str, fate| FlowStep {
        at_microseconds: at,
        until_microseconds: at,
        from: from.to_owned(),
        to: to.to_owned(),
        what: what.to_owned(),
        fate,
        decisions: if fate == StepFate::Passed { Vec::new() } else { vec![decision.to_owned()] },
        packets: if fate == StepFate::Rewritten { 3 } else { 1 },
        bytes: 0,
    };
    Flow {
        client: "95.24.0.8".to_owned(),
        client_port: 40000,
        server: "1.1.1.1:443".to_owned(),
        protocol: "tcp".to_owned(),
        began_microseconds: 0,
        hops: vec!["filter".to_owned()],
        ends_at: None,
        steps: vec![
            step(0, "client", "server", "SYN", StepFate::Passed),
            step(4000, "client", "server", "ClientHello SNI=<web.whatsapp.com>", StepFate::Passed),
            step(8000, "server", "filter", "ServerHello", StepFate::Replaced),
            step(8100, "filter", "client", "RST/ACK", StepFate::Rewritten),
        ],
        bare_acknowledgements: 1,
    }
}

/// What a reader sees: the page without its markup.
fn text(html: &str) -> String {
    let body = html.split("<body>").nth(1).expect("a body").split("<script>").next().expect("all before the script");
    let mut text = String::new();
    for part in body.split('<').skip(1) {
        let (tag, said) = part.split_once('>').expect("a tag that ends");
        let is_block =
            ["p", "li", "h1", "h2", "h3", "h4", "tr", "td", "th", "dt", "dd", "summary", "pre", "small", "text"];
        let name = tag.split([' ', '/']).next().unwrap_or_default();
        if is_block.contains(&name) && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(said.trim_matches('\n'));
    }
    text
}

#[test]
fn a_reader_is_told_all_of_it() {
    let library = library();
    insta::assert_snapshot!(text(&page(&report(), &scenario(&library), &library)));
}

#[test]
fn nothing_is_loaded_and_nothing_that_was_said_is_markup() {
    let library = library();
    let mut report = report();
    report.scenario.title = "<script>alert(1)</script>".to_owned();
    let html = page(&report, &scenario(&library), &library);
    assert!(html.contains("default-src 'none'"));
    assert!(!html.contains("alert(1)</script>") && !html.contains("SNI <web"));
    let sources = ["src=", "<link", "<img", "<iframe", "<object", "url(", "@import"];
    assert_eq!(sources.map(|source| html.contains(source)), [false; 7], "{sources:?}");
}

#[test]
fn every_link_inside_the_page_leads_somewhere() {
    let library = library();
    let html = page(&report(), &scenario(&library), &library);
    let mut links = html.split("href=\"#").skip(1).map(|rest| rest.split('"').next().expect("an end"));
    assert!(html.contains("href=\"#c0-1-0\"") && html.contains("href=\"#e0\""));
    assert_eq!(links.find(|id| !html.contains(&format!("id=\"{id}\""))), None);
}
