//! Rules that need no machine: what the kernel can decide from addresses, ports and direction alone (TSPU-6).

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{BoxPolicy, Condition, Fate, Place, PortSet, Rejection, Rule, Sees};
use crate::outbox::Direction;
use crate::prefixes::PrefixSet;

/// A rule as the kernel can execute it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KernelBlock {
    /// The servers: destinations of packets that leave, sources of those that enter.
    pub prefixes: PrefixSet,
    /// The IP protocol number; `None`: all of them, ICMP too.
    pub protocol: Option<u8>,
    /// The server ports; `None`: all, and protocols without ports. Where there are ports and no protocol, TCP and UDP.
    pub ports: Option<PortSet>,
    /// The way of the packets; `None`: both.
    pub direction: Option<Direction>,
    /// What to do with them.
    pub action: KernelAction,
}

/// What the kernel does with a packet that a [`KernelBlock`] names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KernelAction {
    /// Swallow it.
    Drop,
    /// Swallow it and refuse its sender.
    Reject(Rejection),
}

impl BoxPolicy {
    /// The rules that the kernel can execute in this box's stead, in order: those that stand before the first one that needs
    /// the machine. A later one stays with the machine, because an earlier rule may exempt what it would block. The machine
    /// executes all of them when it sees the packets, since a replay over a capture has no kernel.
    pub fn kernel_blocks(&self) -> impl Iterator<Item = (&Rule, KernelBlock)> {
        self.rules.iter().map_while(|rule| Some((rule, self.kernel_block(rule)?)))
    }

    /// One of this box's rules, as the kernel can execute it. An on-path box blocks nothing, what it does not see it does
    /// not block, and which share of the flows it sees the kernel cannot tell.
    fn kernel_block(&self, rule: &Rule) -> Option<KernelBlock> {
        if self.place == Place::OnPath || self.share.is_some() {
            return None;
        }
        let block = rule.kernel_block()?;
        let seen = match self.sees {
            Sees::Both => return Some(block),
            Sees::Outbound => Direction::Outbound,
            Sees::Inbound => Direction::Inbound,
        };
        block
            .direction
            .is_none_or(|direction| direction == seen)
            .then_some(KernelBlock { direction: Some(seen), ..block })
    }
}

impl Rule {
    /// The rule as the kernel can execute it for an in-path box; `None` when it needs the machine: it looks at more than
    /// addresses, ports and direction, remembers, injects, misses or lets the search go on.
    pub fn kernel_block(&self) -> Option<KernelBlock> {
        if self.machine_only {
            return None;
        }
        let action = match self.trigger.fate {
            Fate::Drop => KernelAction::Drop,
            Fate::Reject(rejection) => KernelAction::Reject(rejection),
            _ => return None,
        };
        let remembers = !self.residuals.is_empty() || self.after.is_some() || self.suspect;
        if remembers || !self.trigger.inject.is_empty() || self.miss > 0.0 || self.also {
            return None;
        }
        let mut place = Where::default();
        place.narrow(&self.when)?;
        Some(KernelBlock {
            prefixes: place.prefixes.unwrap_or_else(everywhere),
            protocol: place.protocol,
            ports: place.ports,
            direction: place.direction,
            action,
        })
    }
}

/// What a condition says about the place of a packet.
#[derive(Default)]
struct Where {
    prefixes: Option<PrefixSet>,
    protocol: Option<u8>,
    ports: Option<PortSet>,
    direction: Option<Direction>,
}

impl Where {
    /// Adds a condition; `None` when the kernel could not judge it.
    fn narrow(&mut self, condition: &Condition) -> Option<()> {
        match condition {
            Condition::All(parts) => parts.iter().try_for_each(|part| self.narrow(part)),
            Condition::Any(parts) if parts.len() == 1 => self.narrow(&parts[0]),
            Condition::ServerAddress(prefixes) => set_once(&mut self.prefixes, prefixes),
            Condition::Protocol(protocol) => set_once(&mut self.protocol, protocol),
            Condition::ServerPort(ports) => set_once(&mut self.ports, ports),
            Condition::Direction(direction) => set_once(&mut self.direction, direction),
            Condition::Any(_)
            | Condition::Not(_)
            | Condition::ClientAddress(_)
            | Condition::ClientPort(_)
            | Condition::ClientPortAboveServer
            | Condition::Packet(_)
            | Condition::Content(_)
            | Condition::Time(_)
            | Condition::ClientInside
            | Condition::Fired(_) => None,
        }
    }
}

/// Fills an empty slot; the same again changes nothing. Two different values would have to be intersected, which nobody
/// writes and the machine does anyway.
fn set_once<T: Clone + PartialEq>(slot: &mut Option<T>, value: &T) -> Option<()> {
    if slot.as_ref().is_some_and(|before| before != value) {
        return None;
    }
    *slot = Some(value.clone());
    Some(())
}

fn everywhere() -> PrefixSet {
    [IpNet::V4(Ipv4Net::default()), IpNet::V6(Ipv6Net::default())].into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Grade, Interest, Policy, PortInterest, Redirect, Response, Threshold};

    fn rule(when: Condition, fate: Fate) -> Rule {
        Rule {
            id: "ip-out".into(),
            facts: vec!["TSPU-6".into()],
            grade: Grade::Measured,
            when,
            trigger: Response { fate, inject: vec![] },
            ..Rule::default()
        }
    }

    fn policy(place: Place, sees: Sees, rule: Rule) -> Policy {
        Policy {
            boxes: vec![BoxPolicy { name: "tspu".into(), place, sees, rules: vec![rule], ..BoxPolicy::default() }],
        }
    }

    fn address() -> Condition {
        Condition::ServerAddress(["31.13.64.0/18".parse().expect("a prefix")].into_iter().collect())
    }

    /// TSPU-6: a block of addresses for all protocols needs no machine.
    #[test]
    fn tspu_6_is_left_to_the_kernel() {
        let policy = policy(Place::InPath, Sees::Both, rule(address(), Fate::Drop));
        assert_eq!(policy.interest(), Interest::default());
        let (_, block) = policy.boxes[0].kernel_blocks().next().expect("a kernel block");
        assert!(block.prefixes.contains("31.13.94.49".parse().expect("an address")));
        assert_eq!((block.protocol, block.ports, block.direction), (None, None, None));
        assert_eq!(block.action, KernelAction::Drop);
    }

    /// TSPU-9: a box that sees one direction blocks one direction.
    #[test]
    fn tspu_9_direction_of_the_box() {
        let policy = policy(Place::InPath, Sees::Outbound, rule(address(), Fate::Drop));
        let blocks: Vec<_> = policy.boxes[0].kernel_blocks().map(|(_, block)| block.direction).collect();
        assert_eq!(blocks, [Some(Direction::Outbound)]);
    }

    /// What needs the machine is not left to the kernel, and the machine wants to see all of it.
    #[test]
    fn the_rest_is_not() {
        let threshold = Threshold::packets(2, 2);
        let with = |change: &dyn Fn(&mut Rule)| {
            let mut rule = rule(address(), Fate::Drop);
            change(&mut rule);
            rule
        };
        for rule in [
            rule(address(), Fate::Pass),
            rule(address(), Fate::Lose(0.5)),
            rule(address(), Fate::Redirect(Redirect::default())),
            rule(Condition::All(vec![address(), Condition::ClientInside]), Fate::Drop),
            rule(Condition::Not(Box::new(address())), Fate::Drop),
            with(&|rule| rule.also = true),
            with(&|rule| rule.machine_only = true),
            with(&|rule| rule.after = Some(threshold)),
            with(&|rule| rule.miss = 0.1),
        ] {
            assert_eq!(rule.kernel_block(), None, "{rule:?}");
            let interest = policy(Place::InPath, Sees::Both, rule).interest();
            assert_eq!((interest.tcp, interest.udp), (PortInterest::Any, PortInterest::Any));
        }
        assert_eq!(policy(Place::OnPath, Sees::Both, rule(address(), Fate::Drop)).boxes[0].kernel_blocks().count(), 0);
    }
}
