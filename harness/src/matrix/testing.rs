//! A made-up matrix: every verdict, and tools of every kind.

use super::document::{
    CellEntry, Document, MatrixConclusion, Part, PartEnd, PartEntry, PhaseEntry, RawEntry, RuleEntry, SCHEMA, ToolEntry,
};
use super::verdict::Verdict;
use crate::run::report::Known;

/// Scenario, title, phase, date, the rule at work, its fact and its grade.
type PhaseOf = (&'static str, &'static str, &'static str, Option<&'static str>, &'static str, &'static str, Known);

/// The phases, each with its date and the rule that is at work in it.
const PHASES: [PhaseOf; 4] = [
    ("ru/shadowsocks-2024", "Russia recognises Shadowsocks", "before", None, "", "", Known::Measured),
    (
        "ru/shadowsocks-2024",
        "Russia recognises Shadowsocks",
        "freeze",
        Some("2024-06-01"),
        "tspu/l4-25",
        "RU-L425-1",
        Known::SingleSource,
    ),
    (
        "cn/fully-encrypted-2021",
        "China drops what looks like nothing",
        "blocked",
        Some("2021-11-06"),
        "gfw/fet",
        "GFW-FET-1",
        Known::Measured,
    ),
    (
        "ru/tls-policing-2025",
        "Russia counts TLS <connections> & more",
        "policed",
        Some("2025-06-10"),
        "tspu/sib",
        "RU-SIB-1",
        Known::Recalled,
    ),
];

/// Three tools in four phases.
pub(super) fn document() -> Document {
    let tool = |name: &str, version: Option<&str>| ToolEntry {
        name: name.to_owned(),
        file: format!("./{name}.toml"),
        about: Some(format!("{name}, as its users run it.")),
        digest: format!("{name}-files"),
        version: version.map(str::to_owned),
    };
    let phase =
        |(scenario, title, phase, date, _, _, grade): (&str, &str, &str, Option<&str>, &str, &str, Known)| PhaseEntry {
            scenario: scenario.to_owned(),
            title: title.to_owned(),
            phase: phase.to_owned(),
            phase_title: None,
            date: date.map(str::to_owned),
            grade: Some(grade),
        };
    let broken = Verdict::Broken { reason: "the client ended: bad configuration\nline 2".to_owned() };
    let untried = Verdict::Untried { reason: "`iodine` is not installed".to_owned() };
    let verdicts = [
        ("shadowsocks", [Verdict::Works, Verdict::Freezes { kilobytes: 16 }, Verdict::Blocked, Verdict::Works]),
        (
            "vless-reality",
            [
                Verdict::Works,
                Verdict::HandshakeOnly,
                Verdict::Slow { percent: 3 },
                Verdict::Policed { connections: 12 },
            ],
        ),
        ("iodine", [broken, Verdict::Dies { seconds: 20 }, untried.clone(), untried]),
    ];
    let cells = verdicts.into_iter().flat_map(|(tool, verdicts)| {
        PHASES.into_iter().zip(verdicts).map(move |(phase, verdict)| cell(tool, phase, verdict))
    });
    Document {
        schema: SCHEMA.to_owned(),
        version: "0".to_owned(),
        library: "5f".repeat(32),
        seed: 1,
        milliseconds: 83_250,
        conclusion: MatrixConclusion::Measured,
        tools: vec![
            tool("shadowsocks", Some("sing-box version 1.14.4")),
            tool("vless-reality", Some("sing-box version 1.14.4")),
            tool("iodine", None),
        ],
        phases: PHASES.map(phase).to_vec(),
        cells: cells.collect(),
        changes: None,
    }
}

fn cell(tool: &str, (scenario, _, phase, date, rule, fact, grade): PhaseOf, verdict: Verdict) -> CellEntry {
    let rule = RuleEntry {
        by: rule.to_owned(),
        kinds: vec!["dropped".to_owned()],
        matched: vec!["25 packets".to_owned()],
        facts: vec![fact.to_owned()],
        grade,
    };
    let is_blocked = verdict.is_measured() && !matches!(verdict, Verdict::Works | Verdict::Broken { .. });
    let rules = if is_blocked { vec![rule] } else { Vec::new() };
    let part = PartEntry {
        part: Part::Download,
        end: if is_blocked { PartEnd::Partial } else { PartEnd::Whole },
        failure: is_blocked.then(|| "generic_timeout_error".to_owned()),
        how: None,
        by: rules.iter().map(|rule| rule.by.clone()).collect(),
        raw: RawEntry {
            of: 262_144,
            done: if is_blocked { 16_384 } else { 262_144 },
            kilobits_per_second: None,
            milliseconds: 90,
        },
    };
    CellEntry {
        tool: tool.to_owned(),
        scenario: scenario.to_owned(),
        phase: phase.to_owned(),
        vantage: "moscow".to_owned(),
        date: date.map(str::to_owned),
        model: format!("model of {scenario}@{phase}"),
        grade: Some(grade),
        parts: if verdict.is_measured() { vec![part] } else { Vec::new() },
        verdict,
        by: rules.clone(),
        fired: rules,
        notes: Vec::new(),
        logs: Vec::new(),
        milliseconds: 2100,
    }
}
