//! What is not as in the baseline, for people.

use std::fmt::{self, Write};

use super::compare::{CellChange, ChangeKind, Changes, Felt, ToolChange};
use crate::output::Paint;

/// The kinds, in the order in which a reader wants to know of them.
pub(super) const KINDS: [ChangeKind; 7] = [
    ChangeKind::Tool,
    ChangeKind::ToolOrModel,
    ChangeKind::NotMeasured,
    ChangeKind::Model,
    ChangeKind::Rules,
    ChangeKind::New,
    ChangeKind::Gone,
];

/// What changed, kind by kind, each cell before and now; then whether it is accepted.
pub(super) fn write_changes(text: &mut String, changes: &Changes, paint: Paint) -> fmt::Result {
    writeln!(text, "\n{}", paint.strong("beside the baseline"))?;
    for tool in &changes.tools {
        writeln!(text, "  {}", tool_words(tool))?;
    }
    for kind in KINDS {
        let cells: Vec<&CellChange> = changes.of_kind(kind).collect();
        if cells.is_empty() {
            continue;
        }
        let heading = format!("{} ({}); {}", kind.as_str(), cells.len(), consequence(kind));
        let heading = if kind.is_failure() { paint.bad(heading) } else { paint.doubtful(heading) };
        writeln!(text, "  {heading}")?;
        // What is new or gone is seen in the table or nowhere; only how many there are is of interest.
        for change in cells.into_iter().filter(|_| !matches!(kind, ChangeKind::New | ChangeKind::Gone)) {
            writeln!(text, "    {} {}: {}", change.tool, change.place, before_and_now(change))?;
        }
    }
    writeln!(text, "  {}", sum(changes))
}

/// In one line.
pub(super) fn sum(changes: &Changes) -> String {
    let differ = changes.cells.iter().filter(|change| change.kind.is_failure()).count();
    let same = changes.same;
    let library = if changes.other_library { "; the library is another than the baseline's" } else { "" };
    let same = match same {
        1 => "1 cell is as in the baseline".to_owned(),
        same => format!("{same} cells are as in the baseline"),
    };
    match differ {
        0 => format!("{same}, and none differs by the tool's doing{library}"),
        1 => format!("{same}, 1 is to be looked at{library}"),
        differ => format!("{same}, {differ} are to be looked at{library}"),
    }
}

/// `works, now blocked by gfw/fet`.
pub(super) fn before_and_now(change: &CellChange) -> String {
    let said = |felt: &Option<Felt>| felt.as_ref().map(ToString::to_string);
    match (said(&change.before), said(&change.now)) {
        (Some(before), Some(now)) => format!("{before}, now {now}"),
        (Some(before), None) => format!("{before} before"),
        (None, Some(now)) => now,
        (None, None) => String::new(),
    }
}

/// `sing-box: version sing-box 1.12 before, sing-box 1.13 now; other files`.
pub(super) fn tool_words(change: &ToolChange) -> String {
    let version = |version: &Option<String>| version.clone().unwrap_or_else(|| "unknown".to_owned());
    let versions = match (&change.before, &change.now) {
        (before, now) if before == now => None,
        (before, now) => Some(format!("version {} before, {} now", version(before), version(now))),
    };
    let files = change.other_files.then(|| "its tool file, or what lies beside it, is another".to_owned());
    let words: Vec<String> = [versions, files].into_iter().flatten().collect();
    format!("{}: {}", change.tool, words.join("; "))
}

/// What follows from a kind of change.
pub(super) const fn consequence(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Tool => "the model is as it was",
        ChangeKind::ToolOrModel => {
            "one run cannot tell which it was: measure the tool as it was then, or with the library of then"
        }
        ChangeKind::NotMeasured => "it was measured then, and could not be now",
        ChangeKind::Model => "the tool is as it was: a note, no failure",
        ChangeKind::Rules => "the verdict is as it was: a note, no failure",
        ChangeKind::New => "not in the baseline; `--accept` takes them in",
        ChangeKind::Gone => "in the baseline, and not asked for now",
    }
}
