//! What must be observed. Each layer can be pinned, so that each rule can be proved alone.

use std::time::Duration;

use super::{FindsDeclaration, NeighboursDeclaration, ProbeDeclaration};
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::model::VerdictWord;
use crate::read::{Definitions, Dictionary, OneOrMany, Read, table};
use crate::source::{Spanned, Text};
use crate::tree::{Node, Value};

table! {
    /// What must be observed, from a fresh client address.
    ExpectDeclaration {
        /// A short name for reports; `expect.3` for the fourth where not said.
        "id" => id: Option<Text>,
        /// In which phases; `"*"` is all, and all where not said.
        "phase" => phases: Option<OneOrMany<Text>>,
        /// From which vantages; `"*"` is all, and the first where not said.
        "vantage" => vantages: Option<OneOrMany<Text>>,
        /// What is measured.
        "probe" => probe: ProbeDeclaration,
        /// What it must give.
        "verdict" => verdict: VerdictWord,
        /// OONI's failure string.
        "failure" => failure: Option<Text>,
        /// The rule or lie that must have done it, as `tspu/sni-1` or `isp/lies.0`; of several any.
        "by" => by: OneOrMany<Text> = OneOrMany(Vec::new()),
        /// What the speed must be, beside that of the same `throughput` from the control vantage.
        "of-control" => of_control: Option<OfControlDeclaration>,
        /// What it must find out, beside its verdict.
        "finds" => finds: Option<FindsDeclaration>,
        /// What OONI's test keys must be, where the probe gives some, as `{ blocking = "dns", accessible = false }`; `"null"` is
        /// JSON's `null`.
        "keys" => keys: Dictionary<TestKey> = Dictionary::default(),
        /// Where chance decides: how often it is measured, each time from a client of its own, and how many must be `ok`.
        /// The others must be as `verdict`, `failure` and `by` say.
        "times" => times: Option<TimesDeclaration>,
        /// How often it is tried, one after the other from one client. Each try must give the verdict.
        "attempts" => attempts: Option<u16>,
        /// After how many of these tries it is reached: that many must give the verdict, and each later one must be `ok`.
        "reached-after" => reached_after: Option<Spanned<u16>>,
        /// How long after the beginning of a try the next begins, on the lab's clock; at once where not said.
        "every" => every: Duration = Duration::ZERO,
        /// Expectations with the same sequence share a client address and run in the order of the file.
        "sequence" => sequence: Option<Text>,
        /// What of its neighbourhood must give which verdict, so that a block which is drawn too wide is noticed.
        "neighbours" => neighbours: Option<NeighboursDeclaration>,
        /// What must hold afterwards, from the same client address.
        "then" => then: OneOrMany<ThenDeclaration> = OneOrMany(Vec::new()),
    }
}

table! {
    /// How often something is measured, and how many of these must be `ok`. Chance comes from the seed, the rule, the client
    /// and the server, so that the same file gives the same number run after run; a file whose other expectations change,
    /// or a run in one lab, as `--out` makes one, has other clients and may give another: a range holds then too.
    TimesDeclaration {
        /// How often, from 2 to 200.
        "of" => of: u16,
        /// How many must be `ok`: a number, or the least and the most.
        "ok" => ok: OneOrMany<u16>,
    }
}

table! {
    /// A speed, as a ratio to the same measurement's from the control vantage at the same time. What is faster than ten
    /// times the probe's `at-least` counts as that fast: how fast the lab itself is depends on the machine.
    OfControlDeclaration {
        /// At least so much, from 0 to 1.
        "at-least" => at_least: Option<f64>,
        /// At most so much, from 0 to 1.
        "at-most" => at_most: Option<f64>,
    }
}

table! {
    /// A measurement after another.
    ThenDeclaration {
        /// How long after the beginning of the measurement before it begins, on the lab's clock.
        "wait" => wait: Duration = Duration::ZERO,
        /// Whether the client port of the measurement before is used again.
        "same-tuple" => same_tuple: bool = false,
        /// The measurement before, with another server name.
        "sni" => sni: Option<Text>,
        /// Another measurement; the one before where not said.
        "probe" => probe: Option<ProbeDeclaration>,
        /// What it must give.
        "verdict" => verdict: VerdictWord,
        /// OONI's failure string.
        "failure" => failure: Option<Text>,
        /// The rule or lie that must have done it; of several any.
        "by" => by: OneOrMany<Text> = OneOrMany(Vec::new()),
        /// What it must find out, beside its verdict.
        "finds" => finds: Option<FindsDeclaration>,
    }
}

/// The value of a test key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TestKey(pub(crate) serde_json::Value);

impl Read for TestKey {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        Some(Self(match &node.value {
            Value::String(text) if text == "null" => serde_json::Value::Null,
            Value::String(text) => text.as_str().into(),
            Value::Boolean(value) => (*value).into(),
            Value::Integer(Some(number)) => (*number).into(),
            Value::Float(number) => (*number).into(),
            _ => {
                let message = "this is not the value of a test key";
                let help = "write a text, a number, `true` or `false`, or \"null\"";
                errors.push(Diagnostic::new(DiagnosticKind::BadValue, &node.at, message).help(help));
                return None;
            }
        }))
    }

    fn schema(_: &mut Definitions) -> serde_json::Value {
        serde_json::json!({ "type": ["string", "number", "boolean"] })
    }
}
