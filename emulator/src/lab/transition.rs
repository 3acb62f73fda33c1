//! How a live lab moves from one phase to another: at every hop and resolver, or nowhere.
//!
//! All that takes time is worked out first. Then every inspector stops taking packets, so that those on their way wait in its
//! queue and none meets one hop in the old phase and the next in the new. While they wait, prefix sets change by one transaction
//! at each hop, machines take on their policies, and all resolvers their lies. What the kernel decides alone does not wait: what
//! a set blocks changes at each hop with its transaction, microseconds after that of the hop before.
//!
//! Only the transactions can be refused, so they come first: where one is, those before it are taken back, and nothing else has
//! changed yet.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard, PoisonError};

use roadblock_censor::{Instant, ReadyPolicy};
use roadblock_scenarios::Scenario;
use roadblock_scenarios::model::{Name, Phase};

use super::{Begun, Lab, LabError, Now, differences, rulesets};
use crate::inspector::{Inspector, NewPolicy};
use crate::internet::LieTable;
use crate::kernel::nftables::{Change, ChangeError, QueueKind};
use crate::plan::Ruleset;
use crate::plan::ruleset::policy_at;

/// What one hop does.
struct Move<'a> {
    inspector: &'a Inspector,
    change: Arc<Change>,
    policy: NewPolicy,
}

/// Where the lab goes.
struct Goal<'a> {
    scenario: &'a Arc<Scenario>,
    phase: &'a Phase,
    rulesets: BTreeMap<Name, (u32, Ruleset)>,
}

impl Lab {
    /// Moves to another phase, live: policies, lies and set elements change, flows stay, and so do residuals of rules whose id
    /// stays. Where a hop refuses, the lab stays in the phase it was in.
    pub fn enter_phase(&self, phase: &str) -> Result<(), LabError> {
        let mut now = self.changing();
        let scenario = Arc::clone(&now.scenario);
        let phase = scenario.phase(phase).ok_or_else(|| LabError::NoSuchPhase(phase.to_owned()))?;
        let rulesets = now.rulesets.clone();
        self.go(&mut now, Goal { scenario: &scenario, phase, rulesets })
    }

    /// Plays another reading of the scenario's file from now on, in the phase that it is in: its lists, policies, lies and
    /// phases. Where it differs in what a lab is built of, or a hop refuses, the lab goes on as before.
    pub fn reload(&self, scenario: &Arc<Scenario>) -> Result<(), LabError> {
        let mut now = self.changing();
        let differences = differences::between(&self.scenario, scenario);
        if !differences.is_empty() {
            return Err(LabError::Fixed(differences));
        }
        let phase = now.phase();
        let phase = scenario.phase(&phase).ok_or_else(|| LabError::PhaseIsGone(phase.to_string()))?;
        let mut replaced = BTreeMap::new();
        for (hop, ruleset) in rulesets(scenario, self.passed_flows)? {
            let Some((generation, old)) = now.rulesets.get(&hop) else {
                return Err(LabError::Fixed(vec![format!("hop.{hop} has something to look at for the first time")]));
            };
            let generation = generation + u32::from(ruleset != *old);
            replaced.insert(hop, (generation, ruleset));
        }
        // Where nothing is left to look at, the inspector stays and looks at nothing.
        for (hop, (generation, old)) in &now.rulesets {
            let nothing = || Ruleset { passed_size: self.passed_flows, ..Ruleset::default() };
            replaced.entry(Name::clone(hop)).or_insert_with(|| {
                let nothing = nothing();
                (generation + u32::from(nothing != *old), nothing)
            });
        }
        self.go(&mut now, Goal { scenario, phase, rulesets: replaced })
    }

    /// The phase that the lab is in.
    pub fn phase(&self) -> Name {
        self.changing().phase()
    }

    /// The phases that the lab was in, each with its beginning, ending with the one it is in.
    pub fn phases(&self) -> Vec<Begun> {
        self.changing().phases.clone()
    }

    /// What the lab plays: the scenario that it was built from, or the same file read again.
    pub fn plays(&self) -> Arc<Scenario> {
        Arc::clone(&self.changing().scenario)
    }

    /// Held by whoever changes the lab.
    pub(super) fn changing(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn go(&self, now: &mut Now, goal: Goal<'_>) -> Result<(), LabError> {
        let moves = self.inspectors.iter().map(|inspector| plan(now, inspector, &goal)).collect();
        let at = self.make(moves, goal.phase)?;
        now.phases.push(Begun { phase: Name::clone(&goal.phase.id), at });
        now.scenario = Arc::clone(goal.scenario);
        now.rulesets = goal.rulesets;
        Ok(())
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
        let settled: Vec<_> = moves.iter().map(|each| (each.inspector, Arc::clone(&each.change))).collect();
        let replaced = self.adopt(moves);
        LieTable::set_all(self.lies.iter().map(|(resolver, table)| {
            let lies = next.state.lies.get(resolver).cloned().unwrap_or_default();
            (table, lies)
        }));
        drop(held);
        // What is left behind is in nobody's way: no packet need wait until it is gone.
        for (inspector, change) in settled {
            if let Ok(Err(cause)) = inspector.settle_table(&change) {
                self.failures.note(inspector.hop(), format!("its old sets cannot be removed: {cause}"));
            }
        }
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

impl Now {
    fn phase(&self) -> Name {
        // There is one from the beginning.
        self.phases.last().map_or_else(|| Name::from(""), |begun| Name::clone(&begun.phase))
    }
}

fn plan<'a>(now: &Now, inspector: &'a Inspector, goal: &Goal<'_>) -> Move<'a> {
    let hop = inspector.hop();
    let nothing = (0, Ruleset::default());
    let (old_generation, old) = now.rulesets.get(hop).unwrap_or(&nothing);
    let (generation, new) = goal.rulesets.get(hop).unwrap_or(&nothing);
    let elements = Ruleset::elements_of_generation(*generation, goal.scenario, hop, &goal.phase.id);
    let policy = NewPolicy::new(policy_at(goal.scenario, hop, &goal.phase.id));
    let (change, policy) = if generation == old_generation {
        let before = Ruleset::elements_of_generation(*generation, &now.scenario, hop, &now.phase());
        (Change::between(&before, &elements), policy)
    } else {
        let old = old.clone().of_generation(*old_generation);
        let new = new.clone().of_generation(*generation);
        // There is an inspector, so it was found out how packets are queued.
        let queue = now.queue.unwrap_or(QueueKind::Compat);
        (Change::of_rules(&old, &new, &elements, queue), policy.with_ruleset(&new))
    };
    Move { inspector, change: Arc::new(change), policy }
}
