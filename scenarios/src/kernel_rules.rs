//! Which rules stay with the machine because a phase changes more of them than the prefixes that they hold.
//!
//! In a live lab the elements of the kernel's sets can change and its chains cannot: rebuilding a chain drops the packets that
//! are queued. The machine executes any rule.

use std::collections::BTreeSet;
use std::sync::Arc;

use roadblock_censor::Direction;
use roadblock_censor::policy::{KernelAction, PortSet, Rule};

use crate::model::Phase;

/// A rule of a box of a censor: their names.
type Place = (Arc<str>, Arc<str>, Arc<str>);

/// All of a kernel's rule that a chain has.
type Shape = (Option<u8>, Option<PortSet>, Option<Direction>, KernelAction);

/// Keeps the rules with the machine that the kernel could not execute in the same shape in every phase.
pub(crate) fn settle(phases: &mut [Phase]) {
    let changing = changing(phases);
    if changing.is_empty() {
        return;
    }
    for (censor, policy) in phases.iter_mut().flat_map(|phase| &mut phase.state.policies) {
        for in_box in &mut policy.boxes {
            for rule in &mut in_box.rules {
                let place = (Arc::clone(censor), Arc::clone(&in_box.name), Arc::clone(&rule.id));
                rule.machine_only |= changing.contains(&place);
            }
        }
    }
}

fn changing(phases: &[Phase]) -> BTreeSet<Place> {
    let mut changing = BTreeSet::new();
    let Some((first, others)) = phases.split_first() else { return changing };
    for (censor, policy) in &first.state.policies {
        for (which, in_box) in policy.boxes.iter().enumerate() {
            for rule in &in_box.rules {
                let shape_in = |phase: &Phase| {
                    let rules = &phase.state.policies.get(censor)?.boxes.get(which)?.rules;
                    rules.iter().find(|each| each.id == rule.id).and_then(shape)
                };
                if others.iter().any(|phase| shape_in(phase) != shape(rule)) {
                    changing.insert((Arc::clone(censor), Arc::clone(&in_box.name), Arc::clone(&rule.id)));
                }
            }
        }
    }
    changing
}

fn shape(rule: &Rule) -> Option<Shape> {
    rule.kernel_block().map(|block| (block.protocol, block.ports, block.direction, block.action))
}
