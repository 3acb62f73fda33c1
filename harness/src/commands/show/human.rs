//! A scenario's account for people.

use std::fmt::{self, Write};
use std::time::Duration;

use roadblock_scenarios::model::{Access, Family};

use super::account::{Account, PhaseAccount};
use super::changes::Change;
use super::deeds;
use crate::output::Paint;
use crate::run::{Known, Table};

/// The whole account.
pub(super) fn render(account: &Account, paint: Paint) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, account, paint);
    text
}

fn write(text: &mut String, account: &Account, paint: Paint) -> fmt::Result {
    writeln!(text, "{}\n{}", paint.strong(&account.title), account.id)?;
    story(text, account)?;
    section(text, paint, "parameters", &parameters(account))?;
    section(text, paint, "vantages", &vantages(account))?;
    section(text, paint, "hops", &hops(account))?;
    section(text, paint, "machines", &machines(account))?;
    section(text, paint, "resolvers", &resolvers(account))?;
    section(text, paint, "censors", &censors(account))?;
    section(text, paint, "rules and lies", &rules(account, paint))?;
    writeln!(text, "\n{}", paint.strong("phases"))?;
    for phase in &account.phases {
        self::phase(text, paint, phase)?;
    }
    section(text, paint, "targets", &targets(account))?;
    section(text, paint, "sources", &sources(account))?;
    writeln!(text, "\nexpectations: {}", account.expectations)?;
    if !account.commands.is_empty() {
        writeln!(text, "commands that this machine would run: {}", account.commands.len())?;
    }
    Ok(())
}

/// What happened, for people who read no packets.
fn story(text: &mut String, account: &Account) -> fmt::Result {
    let mechanisms: Vec<&str> = account.mechanisms.iter().map(|each| each.word()).collect();
    if !mechanisms.is_empty() {
        writeln!(text, "{}", mechanisms.join(", "))?;
    }
    if let Some(story) = &account.story {
        writeln!(text, "\n{}", folded(story))?;
    }
    for (label, words) in [("felt", &account.felt), ("unknown", &account.unknown)] {
        if let Some(words) = words {
            writeln!(text, "\n{}", folded(&format!("{label}: {words}")))?;
        }
    }
    Ok(())
}

/// Paragraphs in lines that a terminal holds.
fn folded(paragraphs: &str) -> String {
    paragraphs.split('\n').map(fold).collect::<Vec<_>>().join("\n")
}

fn fold(paragraph: &str) -> String {
    let mut lines: Vec<String> = vec![String::new()];
    for word in paragraph.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

/// How many characters a line of a story has.
const WIDTH: usize = 100;

fn section(text: &mut String, paint: Paint, title: &str, table: &Table) -> fmt::Result {
    let lines = table.render("  ");
    if lines.is_empty() { Ok(()) } else { write!(text, "\n{}\n{lines}", paint.strong(title)) }
}

fn parameters(account: &Account) -> Table {
    let mut table = Table::default();
    for parameter in &account.parameters {
        let grade = parameter.grade.map(|grade| Known::from(grade).as_str());
        let known = if parameter.is_set { "set" } else { grade.unwrap_or_default() };
        let about = parameter.about.as_deref().unwrap_or_default();
        let value = some_letters(&parameter.value);
        table.row([&*parameter.name, parameter.kind, &value, known, about]);
    }
    table
}

/// The beginning of a long text.
fn some_letters(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}

fn vantages(account: &Account) -> Table {
    let mut table = Table::default();
    for vantage in &account.vantages {
        let delay = deeds::of_duration(Duration::from_micros(u64::try_from(vantage.delay_microseconds).unwrap_or(0)));
        let path = format!("{} ({delay})", vantage.path.join(" > "));
        let asks = format!("asks {}{}", vantage.resolvers.join(", "), connected(&vantage.access));
        table.row([&vantage.name, &vantage.network, &path, &asks]);
    }
    table
}

/// How a client is connected, where it is not as usual.
fn connected(access: &Access) -> String {
    let families = match access.families.as_slice() {
        [Family::V4] => "; IPv4 alone",
        [Family::V6] if access.nat64 => "; IPv6 alone, and IPv4 by NAT64",
        [Family::V6] => "; IPv6 alone",
        _ => "",
    };
    let nat: Vec<&str> = access.nat.iter().map(|kind| kind.word()).collect();
    let nat = if nat.is_empty() { String::new() } else { format!("; behind NAT: {}", nat.join(", ")) };
    format!("{families}{nat}")
}

fn machines(account: &Account) -> Table {
    let mut table = Table::default();
    for machine in &account.machines {
        let place = machine.at.as_ref().map_or_else(|| "abroad".to_owned(), |hop| format!("at {hop}"));
        let run = machine.run.as_deref().map(|run| format!("runs `{}`", some_letters(run))).unwrap_or_default();
        table.row([&*machine.name, &place, &machine.addresses.join(", "), &run]);
    }
    table
}

fn hops(account: &Account) -> Table {
    let mut table = Table::default();
    for hop in &account.hops {
        table.row([&*hop.name, &hop.addresses.join(", ")]);
    }
    table
}

fn resolvers(account: &Account) -> Table {
    let mut table = Table::default();
    for resolver in &account.resolvers {
        table.row([&*resolver.name, &format!("at {}", resolver.at), &resolver.addresses.join(", ")]);
    }
    table
}

fn censors(account: &Account) -> Table {
    let mut table = Table::default();
    for censor in &account.censors {
        table.row([&*censor.name, &format!("at {}", censor.at), &censor.profile]);
    }
    table
}

fn rules(account: &Account, paint: Paint) -> Table {
    let mut table = Table::default();
    if account.rules.is_empty() {
        return table;
    }
    table.headings(paint, ["by", "grade", "facts", "looks for, in the last phase", "does"]);
    for rule in &account.rules {
        let looks_for = some_of(rule.looks_for.iter());
        table.row([&*rule.by, rule.grade.as_str(), &rule.facts.join(" "), &looks_for, &rule.does]);
    }
    table
}

fn phase(text: &mut String, paint: Paint, phase: &PhaseAccount) -> fmt::Result {
    write!(text, "  {}", paint.strong(&phase.id))?;
    for word in [&phase.date, &phase.title].into_iter().flatten() {
        write!(text, "  {word}")?;
    }
    writeln!(text)?;
    for (label, words) in [("felt", &phase.felt), ("unknown", &phase.unknown)] {
        if let Some(words) = words {
            writeln!(text, "    {label}: {words}")?;
        }
    }
    let mut table = Table::default();
    for Change { by, added, removed, does } in &phase.changes {
        let signed = |sign: char, words: &[String]| {
            if words.is_empty() { String::new() } else { format!("{sign} {}", some_of(words.iter())) }
        };
        let words = [signed('+', added), signed('-', removed), does.clone().unwrap_or_default()];
        let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
        table.row([&**by, &words.join("  ")]);
    }
    text.write_str(&table.render("    "))
}

fn targets(account: &Account) -> Table {
    let mut table = Table::default();
    for target in account.services.iter().flat_map(|service| &service.targets) {
        table.row([&target.title, &target.url]);
    }
    table
}

fn sources(account: &Account) -> Table {
    let mut table = Table::default();
    for source in &account.sources {
        let date = source.date.as_deref().unwrap_or_default();
        let title = match &source.url {
            Some(url) => format!("{} {url}", source.title),
            None => source.title.clone(),
        };
        table.row([date, &title, &source.facts.join(" ")]);
    }
    table
}

/// The first few, and how many more.
fn some_of<'a>(words: impl ExactSizeIterator<Item = &'a String>) -> String {
    let more = words.len().saturating_sub(SHOWN);
    let mut shown: Vec<&str> = words.take(SHOWN).map(String::as_str).collect();
    let rest = format!("and {more} more");
    if more > 0 {
        shown.push(&rest);
    }
    shown.join(", ")
}

const SHOWN: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_is_folded_between_words_and_paragraphs_stay_apart() {
        let long = "word ".repeat(30).trim_end().to_owned();
        let shown = folded(&format!("{long}\n\n{}", "x".repeat(120)));
        assert!(shown.lines().all(|line| line.len() <= WIDTH || !line.contains(' ')), "{shown}");
        assert_eq!(shown.lines().count(), 4);
        assert_eq!(shown.split_whitespace().count(), 31);
    }
}
