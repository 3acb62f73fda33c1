//! A policy with what can be worked out beforehand.

use crate::evaluate::mentions;
use crate::event::FlowKey;
use crate::outbox::Direction;
use crate::policy::{BoxPolicy, Condition, Interest, Policy, Rule, TrackFrom};
use crate::residual::RulePlace;
use crate::wire::ip::protocol;

/// A policy, ready to be asked.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) boxes: Vec<CompiledBox>,
    /// Flows outside are not tracked: no rule that remembers can match them.
    pub(crate) interest: Interest,
    /// Whether some box begins to track a TCP flow in the middle.
    pub(crate) tracks_from_any: bool,
}

/// One box, ready to be asked.
#[derive(Debug)]
pub(crate) struct CompiledBox {
    pub(crate) policy: BoxPolicy,
    /// Where each rule can match.
    reach: Vec<Interest>,
    /// Where some rule reads a `ClientHello`.
    pub(crate) listens_tls: Interest,
    /// Where some rule reads a DNS query.
    pub(crate) listens_dns: Interest,
    /// The places of the rules that arm residuals.
    pub(crate) with_residual: Vec<usize>,
}

impl Compiled {
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            interest: policy.interest(),
            tracks_from_any: policy.boxes.iter().any(|each| each.flow.from == TrackFrom::Any),
            boxes: policy.boxes.into_iter().map(CompiledBox::new).collect(),
        }
    }

    /// The place of the box that a packet travelling this way meets at this step.
    pub(crate) fn box_at_step(&self, step: usize, direction: Direction) -> usize {
        match direction {
            Direction::Outbound => step,
            Direction::Inbound => self.boxes.len() - 1 - step,
        }
    }

    /// The place of the box of this name.
    pub(crate) fn find_box(&self, name: &str) -> Option<usize> {
        self.boxes.iter().position(|each| *each.policy.name == *name)
    }

    /// The place of a rule of this policy in another, if it is there and punishes the same packets.
    pub(crate) fn place_in(&self, other: &Self, place: RulePlace) -> Option<RulePlace> {
        let each = &self.boxes.get(place.of_box)?.policy;
        let rule = each.rules.get(place.rule)?;
        let of_box = other.find_box(&each.name)?;
        let key = |rule: &Rule| rule.residual.as_ref().map(|residual| residual.key);
        let is_same = |other: &Rule| other.id == rule.id && other.residual.is_some() && key(other) == key(rule);
        let rule = other.boxes[of_box].policy.rules.iter().position(is_same)?;
        Some(RulePlace { of_box, rule })
    }
}

impl CompiledBox {
    fn new(policy: BoxPolicy) -> Self {
        let listens = |is_kind: &dyn Fn(&Condition) -> bool| {
            let listening = policy.rules.iter().filter(|rule| mentions(&rule.when, is_kind));
            listening.map(Rule::interest).fold(Interest::default(), Interest::or)
        };
        let places = policy.rules.iter().enumerate();
        Self {
            reach: policy.rules.iter().map(Rule::interest).collect(),
            listens_tls: listens(&|leaf| matches!(leaf, Condition::TlsSni(_))),
            listens_dns: listens(&|leaf| matches!(leaf, Condition::DnsName(_))),
            with_residual: places.filter(|(_, rule)| rule.residual.is_some()).map(|(place, _)| place).collect(),
            policy,
        }
    }

    /// The rules that can match a packet of this flow, with their places.
    pub(crate) fn rules_for(&self, key: FlowKey) -> impl Iterator<Item = (usize, &Rule)> {
        let has_ports = matches!(key.protocol, protocol::TCP | protocol::UDP);
        let reaches = move |reach: &Interest| !has_ports || reach.covers(key.protocol, key.server_port);
        let rules = self.policy.rules.iter().zip(&self.reach).enumerate();
        rules.filter(move |(_, (_, reach))| reaches(reach)).map(|(place, (rule, _))| (place, rule))
    }

    /// Whether the box sees packets travelling this way and has rules at all.
    pub(crate) fn looks_at(&self, direction: Direction) -> bool {
        !self.policy.rules.is_empty() && self.policy.sees.direction(direction)
    }
}
