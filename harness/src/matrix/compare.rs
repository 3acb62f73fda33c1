//! What is not as in the baseline, and whose doing it is: the tool's or the model's.
//!
//! A cell rests on three things: the tool, the model that judged it, and chance. The tool is the same where its folder's
//! digest and its version are; the model where the cell's digest and roadblock's version are; chance where the seed is. A
//! verdict that differs is the doing of the one that differs. Where neither tool nor model shows a difference it is the tool's:
//! its program changed without saying so. Where both do, nobody can tell from one run, and it is said so.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::baseline::{Baseline, BaselineCell, BaselineTool};
use super::document::{CellEntry, Document, ToolEntry};
use super::verdict::Verdict;

/// What is not as in the baseline.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub(crate) struct Changes {
    /// The version of roadblock that the baseline was made with.
    pub(crate) version: String,
    /// Whether the baseline was made with another state of the library. Cells are told apart by what judged them.
    pub(crate) other_library: bool,
    /// The seed that the baseline was made with.
    pub(crate) seed: u64,
    /// The tools that are not as they were.
    pub(crate) tools: Vec<ToolChange>,
    /// How many cells are as they were.
    pub(crate) same: usize,
    /// Those that are not, in the order of the document; then those that are not there any more.
    pub(crate) cells: Vec<CellChange>,
}

/// A tool that is not as it was.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub(crate) struct ToolChange {
    /// Its name.
    pub(crate) tool: String,
    /// What its `version` command printed then.
    pub(crate) before: Option<String>,
    /// What it printed now.
    pub(crate) now: Option<String>,
    /// Whether its tool file, or what lies beside it, is another.
    pub(crate) other_files: bool,
}

/// A cell that is not as it was.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub(crate) struct CellChange {
    /// The tool's name.
    pub(crate) tool: String,
    /// As `ru/whatsapp-2026@full-block from moscow`.
    pub(crate) place: String,
    /// Whose doing it is.
    pub(crate) kind: ChangeKind,
    /// What a user felt then.
    pub(crate) before: Option<Felt>,
    /// What a user feels now.
    pub(crate) now: Option<Felt>,
}

/// A verdict and the rules that did it.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub(crate) struct Felt {
    /// The verdict.
    pub(crate) verdict: Verdict,
    /// The rules, sorted.
    pub(crate) by: Vec<String>,
}

/// Whose doing a change is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ChangeKind {
    /// The tool's: the model is as it was.
    Tool,
    /// Tool and model both changed, so that one run cannot tell.
    ToolOrModel,
    /// It was measured and is not any more, although it was to be.
    NotMeasured,
    /// The model's: the tool is as it was.
    Model,
    /// The verdict is as it was, and other rules do it.
    Rules,
    /// It was not in the baseline.
    New,
    /// It is in the baseline only; it was not asked for.
    Gone,
}

impl ChangeKind {
    /// Whether the one who keeps the tool has to look at it: exit status 1.
    pub(crate) const fn is_failure(self) -> bool {
        match self {
            Self::Tool | Self::ToolOrModel | Self::NotMeasured => true,
            Self::Model | Self::Rules | Self::New | Self::Gone => false,
        }
    }

    /// As reports say it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Tool => "your tool changed",
            Self::ToolOrModel => "your tool and our model changed",
            Self::NotMeasured => "not measured any more",
            Self::Model => "our model changed",
            Self::Rules => "other rules",
            Self::New => "new",
            Self::Gone => "gone",
        }
    }
}

impl Changes {
    /// Whether nothing has to be looked at.
    pub(crate) fn are_accepted(&self) -> bool {
        !self.cells.iter().any(|change| change.kind.is_failure())
    }

    /// Those of one kind.
    pub(crate) fn of_kind(&self, kind: ChangeKind) -> impl Iterator<Item = &CellChange> {
        self.cells.iter().filter(move |change| change.kind == kind)
    }

    /// How many cells are in the baseline only.
    pub(crate) fn gone(&self) -> usize {
        self.of_kind(ChangeKind::Gone).count()
    }

    /// What became of a cell, where it is not as it was.
    pub(crate) fn of_cell(&self, cell: &CellEntry) -> Option<&CellChange> {
        let place = cell.place();
        self.cells.iter().find(|change| change.tool == cell.tool && change.place == place)
    }
}

/// Compares what was measured with what is known.
pub(crate) fn compare(baseline: &Baseline, now: &Document) -> Changes {
    let mut changes = Changes {
        version: baseline.version.clone(),
        other_library: baseline.library != now.library,
        seed: baseline.seed,
        tools: now.tools.iter().filter_map(|tool| tool_change(baseline.tools.get(&tool.name)?, tool)).collect(),
        same: 0,
        cells: Vec::new(),
    };
    let is_other_judge = baseline.version != now.version || baseline.seed != now.seed;
    for cell in &now.cells {
        let before = baseline.tools.get(&cell.tool).and_then(|tool| tool.cells.get(&cell.place()));
        let is_other_tool = changes.tools.iter().any(|change| change.tool == cell.tool);
        let kind = match before {
            None if cell.verdict.is_measured() => Some(ChangeKind::New),
            None => None,
            Some(before) => kind(before, cell, is_other_tool, is_other_judge || before.model != cell.model),
        };
        match kind {
            None => changes.same += usize::from(before.is_some()),
            Some(kind) => changes.cells.push(CellChange {
                tool: cell.tool.clone(),
                place: cell.place(),
                kind,
                before: before.map(Felt::of),
                now: Some(Felt::of(&BaselineCell::of(cell))),
            }),
        }
    }
    changes.cells.extend(gone(baseline, now));
    changes
}

/// Whose doing it is that a cell is not as it was; nothing where it is.
fn kind(before: &BaselineCell, cell: &CellEntry, is_other_tool: bool, is_other_model: bool) -> Option<ChangeKind> {
    if !cell.verdict.is_measured() {
        return Some(ChangeKind::NotMeasured);
    }
    if before.verdict.is_like(&cell.verdict) {
        return (before.by != BaselineCell::of(cell).by).then_some(ChangeKind::Rules);
    }
    Some(match (is_other_tool, is_other_model) {
        (_, false) => ChangeKind::Tool,
        (true, true) => ChangeKind::ToolOrModel,
        (false, true) => ChangeKind::Model,
    })
}

fn tool_change(before: &BaselineTool, now: &ToolEntry) -> Option<ToolChange> {
    let other_files = before.digest != now.digest;
    (other_files || before.version != now.version).then(|| ToolChange {
        tool: now.name.clone(),
        before: before.version.clone(),
        now: now.version.clone(),
        other_files,
    })
}

/// The cells of the baseline that nobody asked for now.
fn gone(baseline: &Baseline, now: &Document) -> Vec<CellChange> {
    let asked: BTreeSet<(&str, String)> = now.cells.iter().map(|cell| (cell.tool.as_str(), cell.place())).collect();
    let all = baseline.tools.iter().flat_map(|(tool, cells)| cells.cells.iter().map(move |cell| (tool, cell)));
    let gone = all.filter(|(tool, (place, _))| !asked.contains(&(tool.as_str(), (*place).clone())));
    let change = |(tool, (place, cell)): (&String, (&String, &BaselineCell))| CellChange {
        tool: tool.clone(),
        place: place.clone(),
        kind: ChangeKind::Gone,
        before: Some(Felt::of(cell)),
        now: None,
    };
    gone.map(change).collect()
}

impl Felt {
    fn of(cell: &BaselineCell) -> Self {
        Self { verdict: cell.verdict.clone(), by: cell.by.clone() }
    }
}

/// `blocked by tspu/sni-1`.
impl std::fmt::Display for Felt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.verdict)?;
        match self.by.as_slice() {
            [] => Ok(()),
            by => write!(f, " by {}", by.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::document;
    use super::*;

    /// What comparing gives once `change` was made to a matrix of which the baseline was kept: the kinds of what differs.
    fn kinds(change: impl FnOnce(&mut Document)) -> Vec<ChangeKind> {
        let mut now = document();
        let baseline = Baseline::of(&now);
        change(&mut now);
        compare(&baseline, &now).cells.iter().map(|change| change.kind).collect()
    }

    /// The cell of shadowsocks in `before`, which works.
    fn works(document: &mut Document) -> &mut CellEntry {
        let cell = &mut document.cells[0];
        assert_eq!((&*cell.tool, &cell.verdict), ("shadowsocks", &Verdict::Works));
        cell
    }

    #[test]
    fn what_is_as_it_was_is_accepted() {
        let now = document();
        let changes = compare(&Baseline::of(&now), &now);
        assert!(
            changes.are_accepted() && changes.cells.is_empty() && changes.tools.is_empty() && !changes.other_library
        );
        // Two cells of iodine were never measured.
        assert_eq!((changes.same, now.cells.len()), (10, 12));
    }

    #[test]
    fn a_verdict_that_differs_is_the_doing_of_what_differs() {
        let block = |document: &mut Document| works(document).verdict = Verdict::Blocked;
        let of = |tool: bool, model: bool, version: bool, seed: bool| {
            kinds(|document| {
                if tool {
                    document.tools[0].digest.push('x');
                }
                if model {
                    works(document).model.push('x');
                }
                block(document);
                if version {
                    document.version.push('1');
                }
                document.seed += u64::from(seed);
            })
        };
        // A program that changed without saying so, or one that says so; nothing but the tool is left.
        assert_eq!(of(false, false, false, false), [ChangeKind::Tool]);
        assert_eq!(of(true, false, false, false), [ChangeKind::Tool]);
        assert_eq!(of(false, true, false, false), [ChangeKind::Model]);
        assert_eq!(of(false, false, true, false), [ChangeKind::Model]);
        assert_eq!(of(false, false, false, true), [ChangeKind::Model]);
        assert_eq!(of(true, true, false, false), [ChangeKind::ToolOrModel]);
    }

    #[test]
    fn a_model_that_differs_and_judges_alike_is_nothing() {
        assert_eq!(kinds(|document| document.cells.iter_mut().for_each(|cell| cell.model.push('x'))), []);
        assert_eq!(kinds(|document| document.library.push('x')), []);
        // Numbers that are neighbours are alike.
        assert_eq!(kinds(|document| document.cells[1].verdict = Verdict::Freezes { kilobytes: 32 }), []);
        assert_eq!(
            kinds(|document| document.cells[1].verdict = Verdict::Freezes { kilobytes: 128 }),
            [ChangeKind::Tool]
        );
    }

    #[test]
    fn what_is_not_in_both_is_told_apart() {
        let untried = Verdict::Untried { reason: "not installed".to_owned() };
        assert_eq!(kinds(|document| works(document).verdict = untried), [ChangeKind::NotMeasured]);
        let invalid = Verdict::Invalid { reason: "the queue lost a packet".to_owned() };
        assert_eq!(kinds(|document| works(document).verdict = invalid), [ChangeKind::NotMeasured]);
        assert_eq!(
            kinds(|document| works(document).vantage = "elsewhere".to_owned()),
            [ChangeKind::New, ChangeKind::Gone]
        );
        assert_eq!(kinds(|document| document.cells[11].verdict = Verdict::Works), [ChangeKind::New]);
        assert_eq!(kinds(|document| document.cells.truncate(9)), [ChangeKind::Gone]);
        assert_eq!(kinds(|document| document.cells[2].by[0].by = "gfw/ip".to_owned()), [ChangeKind::Rules]);
    }

    #[test]
    fn a_baseline_is_read_back_and_is_none_other() {
        let (folder, now) = (tempfile::tempdir().expect("a folder"), document());
        let path = folder.path().join("baseline.json");
        let baseline = Baseline::of(&now);
        std::fs::write(&path, baseline.text().expect("JSON")).expect("written");
        assert_eq!(Baseline::read(&path).expect("a baseline"), baseline);
        let said = |text: &str| {
            std::fs::write(&path, text).expect("written");
            let error = Baseline::read(&path).expect_err("no baseline").to_string();
            error.replace(&path.display().to_string(), "FILE")
        };
        let errors = [
            said(&serde_json::to_string(&now).expect("JSON")),
            said("{"),
            said("{\"schema\": \"roadblock.matrix-baseline/1\"}"),
        ];
        insta::assert_snapshot!("no-baseline", errors.join("\n"));
        insta::assert_snapshot!("baseline", baseline.text().expect("JSON"));
        let schema = serde_json::to_value(super::super::baseline_schema()).expect("a schema");
        let validator = jsonschema::validator_for(&schema).expect("a validator");
        assert!(validator.is_valid(&serde_json::to_value(&baseline).expect("JSON")));
    }

    fn verdict() -> impl Strategy<Value = Verdict> {
        let reason = || "r".to_owned();
        prop_oneof![
            Just(Verdict::Works),
            Just(Verdict::Blocked),
            Just(Verdict::HandshakeOnly),
            (1_u64..512).prop_map(|kilobytes| Verdict::Freezes { kilobytes }),
            Just(Verdict::Broken { reason: reason() }),
            Just(Verdict::Invalid { reason: reason() }),
            Just(Verdict::Untried { reason: reason() }),
        ]
    }

    proptest! {
        /// Each cell of either side is told of once, and only a verdict that was measured and differs can be anybody's doing.
        #[test]
        fn every_cell_is_counted_once(
            before in prop::collection::vec(verdict(), 12),
            after in prop::collection::vec((verdict(), any::<bool>(), any::<bool>()), 12),
        ) {
            let (mut old, mut new) = (document(), document());
            for (cell, verdict) in old.cells.iter_mut().zip(&before) {
                cell.verdict = verdict.clone();
            }
            for (cell, (verdict, other_model, is_gone)) in new.cells.iter_mut().zip(&after) {
                cell.verdict = verdict.clone();
                if *other_model {
                    cell.model.push('x');
                }
                if *is_gone {
                    cell.tool = "gone".to_owned();
                }
            }
            let stored = before.iter().filter(|verdict| verdict.is_measured()).count();
            let changes = compare(&Baseline::of(&old), &new);
            let counted = changes.same + changes.cells.iter().filter(|change| change.before.is_some()).count();
            prop_assert_eq!(counted, stored);
            for change in &changes.cells {
                let unlike = change.before.as_ref().zip(change.now.as_ref()).is_some_and(|(one, two)| !one.verdict.is_like(&two.verdict));
                let is_blamed = matches!(change.kind, ChangeKind::Tool | ChangeKind::Model | ChangeKind::ToolOrModel);
                prop_assert_eq!(is_blamed, unlike && change.now.as_ref().is_some_and(|felt| felt.verdict.is_measured()));
            }
            prop_assert_eq!(changes.are_accepted(), !changes.cells.iter().any(|change| change.kind.is_failure()));
        }
    }
}
