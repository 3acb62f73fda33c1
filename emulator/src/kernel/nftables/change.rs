//! What becomes of prefix sets when a phase begins: only what differs, and how to take it back.

use std::collections::BTreeMap;

use nftnl::{Chain, MsgType, ProtoFamily, Rule};
use roadblock_censor::PrefixSet;

use super::compile::SetIds;
use super::sets::{CHUNK, SetMessage, Value, elements_of};
use super::table::{QueueKind, build_rule, c_text};
use super::transaction::{Draft, Drafts, Transaction, Weighed};
use crate::plan::ruleset::{INSPECT, OFFLOAD, Ruleset, SetKind, TABLE};

/// A change of a table, worked out beforehand: of the elements of its prefix sets, in one transaction or in a few where more
/// changes than one can carry; or of its rules too.
#[derive(Debug, Default)]
pub struct Change {
    steps: Vec<Step>,
    /// What nobody needs any more when all steps were made for good.
    rest: Transaction,
    /// Sets that are new.
    new_sets: Vec<String>,
}

/// A transaction, and the one that takes it back.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) forth: Transaction,
    pub(super) back: Transaction,
}

/// Ranges of one set that go, and those that come in their place. What goes and what comes in two of these neither overlaps
/// nor touches, so that they can be applied one after the other.
struct Patch<T> {
    gone: Vec<(T, T)>,
    new: Vec<(T, T)>,
}

impl Change {
    /// What leads from some sets' elements to others'. A set that only one of both names is empty in the other.
    pub fn between(old: &BTreeMap<String, PrefixSet>, new: &BTreeMap<String, PrefixSet>) -> Self {
        let empty = PrefixSet::default();
        let mut writer = Writer::default();
        for name in old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))) {
            let (old, new) = (old.get(name).unwrap_or(&empty), new.get(name).unwrap_or(&empty));
            match SetKind::of_prefixes(name) {
                SetKind::PrefixesV6 => writer.set(name, old.v6_ranges(), new.v6_ranges()),
                _ => writer.set(name, old.v4_ranges(), new.v4_ranges()),
            }
        }
        writer.finish()
    }

    /// What leads from the rules of one ruleset to those of another, whose sets of prefixes have other names. The new sets are
    /// filled first, while nothing looks at them; then one transaction gives both chains their new rules. The chains stay, and
    /// with them the packets that are queued.
    pub fn of_rules(old: &Ruleset, new: &Ruleset, elements: &BTreeMap<String, PrefixSet>, queue: QueueKind) -> Self {
        let mut filling = Drafts::default();
        for (id, set) in (1..).zip(&new.sets) {
            let message = SetMessage::declaration(&c_text(&set.name), id, set.kind, new.passed_size);
            filling.add(&message, MsgType::Add, format!("set {}", set.name));
        }
        let kinds = new.sets.iter().map(|set| (set.name.as_str(), set.kind)).collect();
        for (message, label) in self::filling(&kinds, elements) {
            filling.add(&message, MsgType::Add, label);
        }
        let mut steps: Vec<Step> =
            filling.finish().into_iter().map(|forth| Step { forth, back: Transaction::default() }).collect();
        if let Some(first) = steps.first_mut() {
            first.back = removal(new);
        }
        steps.push(Step { forth: rules(new, queue), back: rules(old, queue) });
        let new_sets = new.sets.iter().map(|set| set.name.clone()).collect();
        Self { steps, rest: removal(old), new_sets }
    }

    /// The sets that are new.
    pub(super) fn new_sets(&self) -> &[String] {
        &self.new_sets
    }

    /// What is left to do when the change stays.
    pub(super) fn rest(&self) -> &Transaction {
        &self.rest
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }
}

/// The messages that fill sets which are empty, and what each is for.
pub(super) fn filling(
    kinds: &BTreeMap<&str, SetKind>,
    elements: &BTreeMap<String, PrefixSet>,
) -> Vec<(SetMessage, String)> {
    let mut messages = Vec::new();
    for (name, prefixes) in elements {
        let ranges = match kinds.get(name.as_str()) {
            Some(SetKind::PrefixesV4) => elements_of(prefixes.v4_ranges()),
            Some(SetKind::PrefixesV6) => elements_of(prefixes.v6_ranges()),
            Some(SetKind::FlowsV4 | SetKind::FlowsV6) | None => continue,
        };
        let some = SetMessage::elements(&c_text(name), 0, &ranges);
        messages.extend(some.into_iter().map(|message| (message, format!("prefixes of {name}"))));
    }
    messages
}

/// Gives both chains these rules and no others.
fn rules(ruleset: &Ruleset, queue: QueueKind) -> Transaction {
    let mut draft = Draft::new();
    let table = nftnl::Table::new(c_text(TABLE), ProtoFamily::Inet);
    for (name, rules) in [(INSPECT, &ruleset.inspect), (OFFLOAD, &ruleset.offload)] {
        let chain = Chain::new(c_text(name), &table);
        // A rule that says no more than its chain stands for all of them.
        draft.add(&Rule::new(&chain), MsgType::Del, format!("emptying chain {name}"));
        for (number, plan) in rules.iter().enumerate() {
            let rule = build_rule(&chain, plan, &SetIds::new(), queue);
            draft.add(&rule, MsgType::Add, format!("rule {number} of {name}: {}", plan.comment));
        }
    }
    draft.finish()
}

/// Removes the sets of prefixes.
fn removal(ruleset: &Ruleset) -> Transaction {
    let mut draft = Draft::new();
    for set in &ruleset.sets {
        if matches!(set.kind, SetKind::PrefixesV4 | SetKind::PrefixesV6) {
            let message = SetMessage::declaration(&c_text(&set.name), 0, set.kind, 0);
            draft.add(&message, MsgType::Del, format!("removing set {}", set.name));
        }
    }
    draft.finish()
}

/// Writes a transaction and its opposite side by side.
#[derive(Default)]
struct Writer {
    steps: Vec<Step>,
    forth: Option<Draft>,
    back: Option<Draft>,
    size: usize,
}

impl Writer {
    fn set<T: Value>(&mut self, name: &str, old: &[(T, T)], new: &[(T, T)]) {
        for patch in patches(old, new) {
            let name_text = c_text(name);
            let messages = |ranges: &[(T, T)]| SetMessage::elements(&name_text, 0, &elements_of(ranges));
            let (gone, new) = (messages(&patch.gone), messages(&patch.new));
            self.make_room(gone.iter().chain(&new).map(Weighed::most_bytes).sum());
            for (draft, remove, add) in [(&mut self.forth, &gone, &new), (&mut self.back, &new, &gone)] {
                let draft = draft.get_or_insert_with(Draft::new);
                for message in remove {
                    draft.add(message, MsgType::Del, format!("removing prefixes of {name}"));
                }
                for message in add {
                    draft.add(message, MsgType::Add, format!("adding prefixes of {name}"));
                }
            }
        }
    }

    fn make_room(&mut self, size: usize) {
        if self.size + size > Transaction::LARGEST {
            self.cut();
        }
        self.size += size;
    }

    fn cut(&mut self) {
        self.size = 0;
        if let (Some(forth), Some(back)) = (self.forth.take(), self.back.take()) {
            self.steps.push(Step { forth: forth.finish(), back: back.finish() });
        }
    }

    fn finish(mut self) -> Change {
        self.cut();
        Change { steps: self.steps, ..Change::default() }
    }
}

/// How two ascending lists of disjoint ranges differ, in pieces of about a message's size.
fn patches<T: Value>(old: &[(T, T)], new: &[(T, T)]) -> Vec<Patch<T>> {
    let (mut old, mut new) = (old.iter().copied().peekable(), new.iter().copied().peekable());
    let mut patches = Vec::new();
    let mut patch = Patch { gone: Vec::new(), new: Vec::new() };
    let mut end: Option<T> = None;
    loop {
        let (range, is_old) = match (old.peek().copied(), new.peek().copied()) {
            (None, None) => break,
            (Some(same), Some(other)) if same == other => {
                old.next();
                new.next();
                continue;
            }
            (Some(range), None) => (range, true),
            (None, Some(range)) => (range, false),
            (Some(gone), Some(come)) => {
                if gone <= come {
                    (gone, true)
                } else {
                    (come, false)
                }
            }
        };
        let touches = end.is_some_and(|end| range.0 <= end || end.after() == Some(range.0));
        if !touches && 2 * (patch.gone.len() + patch.new.len()) >= CHUNK {
            patches.push(std::mem::replace(&mut patch, Patch { gone: Vec::new(), new: Vec::new() }));
        }
        end = end.max(Some(range.1));
        if is_old {
            old.next();
            patch.gone.push(range);
        } else {
            new.next();
            patch.new.push(range);
        }
    }
    if !patch.gone.is_empty() || !patch.new.is_empty() {
        patches.push(patch);
    }
    patches
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Ranges as [`PrefixSet`] keeps them: ascending, neither overlapping nor adjacent.
    fn ranges() -> impl Strategy<Value = Vec<(u32, u32)>> {
        proptest::collection::vec((2_u32..6, 0_u32..4), 0..900).prop_map(|steps| {
            let mut at = 0;
            let each = |(gap, length)| {
                let first = at + gap;
                at = first + length;
                (first, at)
            };
            steps.into_iter().map(each).collect()
        })
    }

    proptest! {
        /// Whatever is applied of the pieces, in order, what is there is what both lists have in common, and of each piece all
        /// of the old or all of the new: no address is blocked that neither phase blocks.
        #[test]
        fn pieces_lead_from_one_to_the_other(old in ranges(), new in ranges()) {
            let mut now: BTreeSet<(u32, u32)> = old.iter().copied().collect();
            let mut last = None;
            for patch in patches(&old, &new) {
                let all = || patch.gone.iter().chain(&patch.new);
                let first = all().map(|range| range.0).min();
                prop_assert!(last.is_none_or(|last: u32| Some(last + 1) < first), "pieces touch at {last:?}");
                last = all().map(|range| range.1).max();
                for gone in &patch.gone {
                    prop_assert!(now.remove(gone), "{gone:?} goes and was not there");
                }
                now.extend(&patch.new);
                let mut before = None;
                for range in &now {
                    prop_assert!(before.is_none_or(|end| end < range.0), "{range:?} overlaps what ends at {before:?}");
                    before = Some(range.1);
                }
            }
            prop_assert_eq!(now, new.iter().copied().collect());
        }
    }

    #[test]
    fn what_stays_is_not_mentioned() {
        let patches = patches(&[(10_u32, 19), (30, 39)], &[(10, 19), (30, 49), (60, 69)]);
        let [patch] = patches.as_slice() else { panic!("one piece") };
        assert_eq!((patch.gone.as_slice(), patch.new.as_slice()), (&[(30, 39)][..], &[(30, 49), (60, 69)][..]));
    }
}
