//! `roadblock probe`: one measurement, for people, for programs, and as OONI would publish it.

mod human;
mod kind;
mod kinds;
mod play;
mod report;
mod target;

pub(crate) use human::render;
pub(crate) use kind::{AskError, Kind};
pub(crate) use play::{Played, play};
pub(crate) use report::{Document, schema};

/// What can be measured. A probe of one's own is a file beside the others in `kinds` and a line here.
pub(crate) const KINDS: &[&Kind] = &[
    &kinds::web::KIND,
    &kinds::dns::KIND,
    &kinds::tcp::KIND,
    &kinds::tls::KIND,
    &kinds::http::KIND,
    &kinds::quic::KIND,
    &kinds::h3::KIND,
    &kinds::throughput::KIND,
    &kinds::freeze::KIND,
    &kinds::residual::KIND,
    &kinds::trace::KIND,
    &kinds::whatsapp::KIND,
    &kinds::telegram::KIND,
    &kinds::facebook_messenger::KIND,
];

/// Web Connectivity.
pub(crate) const WEB: &Kind = &kinds::web::KIND;

/// The kind that is called so.
pub(crate) fn kind(word: &str) -> Result<&'static Kind, AskError> {
    let found = KINDS.iter().find(|kind| kind.word == word).copied();
    found.ok_or_else(|| AskError::Unknown {
        word: word.to_owned(),
        known: KINDS.iter().map(|kind| format!("`{}`", kind.word)).collect::<Vec<_>>().join(", "),
    })
}

/// The kinds and what they take, for the end of the command's help.
pub(crate) fn help() -> String {
    let line = |kind: &&Kind| {
        let takes = kind.takes.map(|takes| format!("\n      takes {takes}")).unwrap_or_default();
        format!("  {}: {}{takes}\n", kind.word, kind.about)
    };
    let lines: String = KINDS.iter().map(line).collect();
    format!("Probes:\n{lines}{EXAMPLES}")
}

const EXAMPLES: &str = "
Examples:
  roadblock probe ru/whatsapp-2026 tls web.whatsapp.com
  roadblock probe ru/whatsapp-2026 dns web.whatsapp.com@8.8.8.8 --phase before
  roadblock probe ru/whatsapp-2026 whatsapp --format ooni -o measurements.jsonl";

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
