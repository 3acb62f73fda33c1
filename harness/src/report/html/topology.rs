//! The lab as a picture: each vantage's way to the internet, and who sits on it.

use std::fmt::{self, Write};

use roadblock_scenarios::model::{Name, Vantage};

use super::Page;
use super::text::escaped;

const BOX_WIDTH: usize = 164;
const GAP: usize = 28;
const ROW: usize = 118;
const BOX_HEIGHT: usize = 84;
const MARGIN: usize = 12;
/// How much of a line fits into a box.
const FITS: usize = 25;

/// The picture, and the same in words for whoever cannot see it.
pub(super) fn write(html: &mut String, page: &Page<'_>) -> fmt::Result {
    let vantages: Vec<&Vantage> =
        page.report.vantages.iter().filter_map(|head| page.scenario.vantage(&head.name)).collect();
    let columns = vantages.iter().map(|vantage| vantage.path.len() + 2).max().unwrap_or(2);
    let width = 2 * MARGIN + columns * BOX_WIDTH + (columns - 1) * GAP;
    let height = 2 * MARGIN + vantages.len() * ROW - (ROW - BOX_HEIGHT);
    write!(
        html,
        "<div class=\"scroll picture\" tabindex=\"0\" role=\"region\" aria-label=\"Topology\">\n\
         <svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\">\n",
        escaped(in_words(page, &vantages))
    )?;
    let internet = MARGIN + (columns - 1) * (BOX_WIDTH + GAP);
    for (row, vantage) in vantages.iter().enumerate() {
        let y = MARGIN + row * ROW;
        let middle = y + BOX_HEIGHT / 2;
        writeln!(html, "<line class=\"wire\" x1=\"{MARGIN}\" y1=\"{middle}\" x2=\"{internet}\" y2=\"{middle}\"/>")?;
        let network = format!("AS{} {}", vantage.network.asn, vantage.network.operator);
        let client = [(&*vantage.name, "name"), (&network, "small"), ("client", "small")];
        write_box(html, MARGIN, y, BOX_HEIGHT, "box", &client)?;
        for (place, hop) in vantage.path.iter().enumerate() {
            let x = MARGIN + (place + 1) * (BOX_WIDTH + GAP);
            write_hop(html, page, x, y, hop)?;
        }
    }
    let services: Vec<&str> = page.scenario.services.iter().map(|service| &*service.title).collect();
    let mut lines = vec![("internet", "name")];
    let room = ((height - 2 * MARGIN) / 17).saturating_sub(2);
    lines.extend(services.iter().take(room).map(|title| (*title, "small")));
    if services.len() > room {
        lines.push(("and others", "small"));
    }
    write_box(html, internet, MARGIN, height - 2 * MARGIN, "box", &lines)?;
    html.push_str("</svg>\n</div>\n");
    write!(html, "<p class=\"soft\">{}</p>", escaped(in_words(page, &vantages)))
}

fn write_hop(html: &mut String, page: &Page<'_>, x: usize, y: usize, hop: &Name) -> fmt::Result {
    let mut lines = vec![(hop.to_string(), "name")];
    let (censors, resolvers) = (censors_at(page, hop), resolvers_at(page, hop));
    lines.extend(censors.iter().map(|name| (format!("censor {name}"), "small")));
    lines.extend(resolvers.iter().map(|name| (format!("resolver {name}"), "small")));
    let class = match (censors.is_empty(), resolvers.is_empty()) {
        (false, _) => "box censor",
        (true, false) => "box lies",
        (true, true) => "box",
    };
    let lines: Vec<(&str, &str)> = lines.iter().map(|(line, class)| (line.as_str(), *class)).collect();
    write_box(html, x, y, BOX_HEIGHT, class, &lines)
}

fn write_box(html: &mut String, x: usize, y: usize, height: usize, class: &str, lines: &[(&str, &str)]) -> fmt::Result {
    writeln!(html, "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{BOX_WIDTH}\" height=\"{height}\" rx=\"8\"/>")?;
    for (index, (line, class)) in lines.iter().enumerate() {
        let (x, y) = (x + 10, y + 24 + index * 18);
        writeln!(html, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>", escaped(fitting(line)))?;
    }
    Ok(())
}

/// As much of a line as fits.
fn fitting(line: &str) -> String {
    if line.chars().count() <= FITS {
        return line.to_owned();
    }
    line.chars().take(FITS - 1).chain(['…']).collect()
}

fn censors_at<'a>(page: &Page<'a>, hop: &Name) -> Vec<&'a str> {
    page.scenario.censors.iter().filter(|censor| censor.at == *hop).map(|censor| &*censor.name).collect()
}

fn resolvers_at<'a>(page: &Page<'a>, hop: &Name) -> Vec<&'a str> {
    page.scenario.resolvers.iter().filter(|resolver| resolver.at == *hop).map(|resolver| &*resolver.name).collect()
}

/// `moscow reaches the internet by rt-access (resolver isp), tspu-moscow (censor tspu) and border.`
fn in_words(page: &Page<'_>, vantages: &[&Vantage]) -> String {
    let hop = |name: &Name| {
        let censors = censors_at(page, name).into_iter().map(|each| format!("censor {each}"));
        let who: Vec<String> =
            censors.chain(resolvers_at(page, name).into_iter().map(|each| format!("resolver {each}"))).collect();
        if who.is_empty() { name.to_string() } else { format!("{name} ({})", who.join(", ")) }
    };
    let sentence = |vantage: &&Vantage| {
        let path: Vec<String> = vantage.path.iter().map(hop).collect();
        format!("{} reaches the internet by {}.", vantage.name, path.join(", then "))
    };
    vantages.iter().map(sentence).collect::<Vec<_>>().join(" ")
}
