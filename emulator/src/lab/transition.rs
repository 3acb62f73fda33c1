//! How a live lab moves from one phase to another: at every hop and resolver, or nowhere.
//!
//! All that takes time is worked out first. Then every inspector stops taking packets, so that those on their way wait in its
//! queue and none meets one hop in the old phase and the next in the new. While they wait, prefix sets change by one transaction
//! at each hop, machines take on their policies, and all resolvers their lies. What the kernel decides alone does not wait: what
//! a set blocks changes at each hop with its transaction, microseconds after that of the hop before.
//!
//! Only the transactions can be refused, so they come first: where one is, those before it are taken back, and nothing else has
//! changed yet.

use std::sync::{Arc, MutexGuard, PoisonError};

use roadblock_censor::{Instant, ReadyPolicy};
use roadblock_scenarios::model::{Name, Phase};

use super::{Begun, Lab, LabError};
use crate::inspector::{Inspector, NewPolicy};
use crate::internet::LieTable;
use crate::kernel::nftables::{Change, ChangeError};
use crate::plan::Ruleset;
use crate::plan::ruleset::policy_at;

/// What one hop does.
struct Move<'a> {
    inspector: &'a Inspector,
    change: Arc<Change>,
    policy: NewPolicy,
}

impl Lab {
    /// Moves to another phase, live: policies, lies and set elements change, flows stay, and so do residuals of rules whose id
    /// stays. Where a hop refuses, the lab stays in the phase it was in.
    pub fn enter_phase(&self, phase: &str) -> Result<(), LabError> {
        let mut phases = self.changing();
        let next = self.scenario.phase(phase).ok_or_else(|| LabError::NoSuchPhase(phase.to_owned()))?;
        let current = current(&phases);
        let moves = self.inspectors.iter().map(|inspector| self.plan(inspector, &current, &next.id)).collect();
        let at = self.make(moves, next)?;
        phases.push(Begun { phase: Name::clone(&next.id), at });
        Ok(())
    }

    /// The phase that the lab is in.
    pub fn phase(&self) -> Name {
        current(&self.changing())
    }

    /// The phases that the lab was in, each with its beginning, ending with the one it is in.
    pub fn phases(&self) -> Vec<Begun> {
        self.changing().clone()
    }

    /// Held by whoever changes the lab.
    pub(super) fn changing(&self) -> MutexGuard<'_, Vec<Begun>> {
        self.phases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn plan<'a>(&self, inspector: &'a Inspector, from: &str, to: &str) -> Move<'a> {
        let elements = |phase| Ruleset::elements(&self.scenario, inspector.hop(), phase);
        Move {
            inspector,
            change: Arc::new(Change::between(&elements(from), &elements(to))),
            policy: NewPolicy::new(policy_at(&self.scenario, inspector.hop(), to)),
        }
    }

    /// Makes the moves and gives the moment from which packets meet the new phase.
    fn make(&self, moves: Vec<Move<'_>>, next: &Phase) -> Result<Instant, LabError> {
        let held = moves.iter().map(|each| each.inspector.hold());
        let held: Vec<_> = held.collect::<Result<_, _>>().map_err(LabError::system("stop the packets at every hop"))?;
        self.change_tables(&moves)?;
        let now = self.clock.now();
        if let Some(capture) = &self.capture {
            capture.phase_begins(&next.id, now);
        }
        let replaced = self.adopt(moves);
        LieTable::set_all(self.lies.iter().map(|(resolver, table)| {
            let lies = next.state.lies.get(resolver).cloned().unwrap_or_default();
            (table, lies)
        }));
        drop(held);
        // Dropping what long lists were compiled to takes time, for which no packet need wait.
        drop(replaced?);
        Ok(now)
    }

    fn change_tables(&self, moves: &[Move<'_>]) -> Result<(), LabError> {
        for (done, each) in moves.iter().enumerate() {
            if each.change.is_empty() {
                continue;
            }
            let hop = each.inspector.hop();
            let cause = match each.inspector.change_table(&each.change) {
                Ok(Ok(())) => continue,
                Ok(Err(cause)) => cause,
                Err(ended) => {
                    self.revert_tables(&moves[..done])?;
                    return Err(LabError::system(format!("enter the phase at {hop}"))(ended));
                }
            };
            self.revert_tables(&moves[..done])?;
            return Err(match cause {
                ChangeError::Refused(cause) => LabError::Phase { hop: hop.to_string(), cause },
                half @ ChangeError::Half { .. } => self.half_changed(hop, &half),
            });
        }
        Ok(())
    }

    /// Tries all of them, so that as little as can be is half changed.
    fn revert_tables(&self, moves: &[Move<'_>]) -> Result<(), LabError> {
        let mut result = Ok(());
        for each in moves.iter().filter(|each| !each.change.is_empty()) {
            let hop = each.inspector.hop();
            match each.inspector.revert_table(&each.change) {
                Ok(Ok(())) => {}
                Ok(Err(cause)) => result = Err(self.half_changed(hop, &cause)),
                Err(cause) => result = Err(self.half_changed(hop, &cause)),
            }
        }
        result
    }

    /// A machine takes on any policy. Only one that has ended does not, and then nothing can be taken back.
    fn adopt(&self, moves: Vec<Move<'_>>) -> Result<Vec<ReadyPolicy>, LabError> {
        let mut replaced = Ok(Vec::new());
        for Move { inspector, policy, .. } in moves {
            match inspector.adopt(policy) {
                Ok(old) => {
                    if let Ok(replaced) = &mut replaced {
                        replaced.push(old);
                    }
                }
                Err(cause) => replaced = Err(self.half_changed(inspector.hop(), &cause)),
            }
        }
        replaced
    }

    /// Notes that the lab is in no phase at all, which makes every result of it invalid.
    fn half_changed(&self, hop: &Name, cause: &dyn std::fmt::Display) -> LabError {
        self.failures.note(hop, format!("it is between two phases: {cause}"));
        LabError::HalfChanged { hop: hop.to_string(), cause: cause.to_string() }
    }
}

fn current(phases: &[Begun]) -> Name {
    // There is one from the beginning.
    phases.last().map_or_else(|| Name::from(""), |begun| Name::clone(&begun.phase))
}
