//! A hop's table in the kernel.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CString;
use std::io;

use nftnl::{Chain, ChainType, Hook, MsgType, Policy, ProtoFamily, Rule};
use roadblock_censor::{FlowKey, PrefixSet};

use super::change::{self, Change, Step};
use super::compile::{self, SetIds};
use super::sets::{FlowElement, SetMessage};
use super::transaction::{Draft, Drafts, Transaction};
use crate::kernel::netfilter::{Message, Messages, Socket};
use crate::plan::ruleset::{
    INSPECT, INSPECT_PRIORITY, Match, OFFLOAD, OFFLOAD_PRIORITY, PASSED_V4, PASSED_V6, RulePlan, Ruleset, Statement,
    TABLE,
};

/// Why a table could not be made or changed.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The netlink socket failed.
    #[error("failed to talk to nftables: {0}")]
    Socket(#[source] io::Error),
    /// The kernel refused a message; nothing of its batch was applied.
    #[error("nftables refused {what}: {cause}")]
    Refused {
        /// The message.
        what: String,
        /// What the kernel said.
        cause: io::Error,
    },
}

/// Why a table could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// It was refused, and the table is as it was.
    #[error(transparent)]
    Refused(TableError),
    /// It was refused in the middle, and so was going back.
    #[error("{cause}; nor could the table be given back what it had: {back}")]
    Half {
        /// Why the change was refused.
        cause: TableError,
        /// Why it was not taken back.
        back: TableError,
    },
}

/// How packets are handed to user space on this kernel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum QueueKind {
    /// nftables' own `queue` expression.
    Native,
    /// xtables' NFQUEUE target, by nftables' compatibility layer.
    Compat,
}

/// A hop's table, and the socket that changes it. Belongs to the namespace in which it was made.
#[derive(Debug)]
pub struct Table {
    socket: Socket,
    sets: BTreeSet<String>,
}

impl Table {
    /// Loads a ruleset, with its prefix sets filled.
    pub fn load(
        ruleset: &Ruleset,
        elements: &BTreeMap<String, PrefixSet>,
        queue: QueueKind,
    ) -> Result<Self, TableError> {
        let socket = Socket::open(1 << 20).map_err(TableError::Socket)?;
        let table = Self { socket, sets: ruleset.sets.iter().map(|set| set.name.clone()).collect() };
        let mut drafts = Drafts::default();
        let mut ids = SetIds::new();
        let nft_table = nftnl::Table::new(c_text(TABLE), ProtoFamily::Inet);
        drafts.add(&nft_table, MsgType::Add, "the table");
        for (id, set) in (1..).zip(&ruleset.sets) {
            ids.insert(set.name.clone(), id);
            let message = SetMessage::declaration(&c_text(&set.name), id, set.kind, ruleset.passed_size);
            drafts.add(&message, MsgType::Add, format!("set {}", set.name));
        }
        let kinds = ruleset.sets.iter().map(|set| (set.name.as_str(), set.kind)).collect();
        for (message, label) in change::filling(&kinds, elements) {
            drafts.add(&message, MsgType::Add, label);
        }
        // The chains come last: until then no packet meets what is half filled.
        for (name, priority, rules) in
            [(INSPECT, INSPECT_PRIORITY, &ruleset.inspect), (OFFLOAD, OFFLOAD_PRIORITY, &ruleset.offload)]
        {
            let mut chain = Chain::new(c_text(name), &nft_table);
            chain.set_hook(Hook::PreRouting, priority);
            chain.set_type(ChainType::Filter);
            chain.set_policy(Policy::Accept);
            drafts.add(&chain, MsgType::Add, format!("chain {name}"));
            for (number, plan) in rules.iter().enumerate() {
                let rule = build_rule(&chain, plan, &ids, queue);
                drafts.add(&rule, MsgType::Add, format!("rule {number} of {name}: {}", plan.comment));
            }
        }
        drafts.finish().iter().try_for_each(|transaction| table.commit(transaction))?;
        Ok(table)
    }

    /// Gives prefix sets other elements, or chains other rules. Each transaction of the change is applied whole or not at all;
    /// where one is refused, those before it are taken back.
    pub fn apply(&self, change: &Change) -> Result<(), ChangeError> {
        for (done, step) in change.steps().iter().enumerate() {
            if let Err(cause) = self.commit(&step.forth) {
                return match self.take_back(&change.steps()[..done]) {
                    Ok(()) => Err(ChangeError::Refused(cause)),
                    Err(back) => Err(ChangeError::Half { cause, back }),
                };
            }
        }
        Ok(())
    }

    /// Does what is left of a change that was applied and stays.
    pub fn settle(&mut self, change: &Change) -> Result<(), TableError> {
        self.sets.extend(change.new_sets().iter().cloned());
        self.commit(change.rest())
    }

    /// Takes a change back that was applied.
    pub fn revert(&self, change: &Change) -> Result<(), TableError> {
        self.take_back(change.steps())
    }

    /// Forgets that a flow was passed, in both directions.
    pub fn recall(&self, flow: &FlowKey) -> Result<(), TableError> {
        for element in FlowElement::both_directions(flow).into_iter().flatten() {
            let name = if element.v4 { PASSED_V4 } else { PASSED_V6 };
            let mut draft = Draft::new();
            for message in SetMessage::elements(&c_text(name), 0, &[element.element()]) {
                draft.add(&message, MsgType::Del, format!("recalling {flow}"));
            }
            match self.commit(&draft.finish()) {
                // It was not there: one direction has not been passed yet, or its note has expired.
                Err(TableError::Refused { cause, .. }) if cause.raw_os_error() == Some(libc::ENOENT) => {}
                other => other?,
            }
        }
        Ok(())
    }

    /// Forgets all flows that were passed.
    pub fn recall_all(&self) -> Result<(), TableError> {
        let mut draft = Draft::new();
        for name in [PASSED_V4, PASSED_V6] {
            if self.sets.contains(name) {
                draft.add(&SetMessage::flush(&c_text(name)), MsgType::Del, format!("emptying {name}"));
            }
        }
        self.commit(&draft.finish())
    }

    fn take_back(&self, steps: &[Step]) -> Result<(), TableError> {
        steps.iter().rev().try_for_each(|step| self.commit(&step.back))
    }

    fn commit(&self, transaction: &Transaction) -> Result<(), TableError> {
        commit(&self.socket, transaction)
    }
}

/// Sends a transaction and waits until each of its messages is answered.
pub(super) fn commit(socket: &Socket, transaction: &Transaction) -> Result<(), TableError> {
    if transaction.is_empty() {
        return Ok(());
    }
    socket.send(transaction.bytes()).map_err(TableError::Socket)?;
    let mut buffer = vec![0; 1 << 16];
    let mut answered = 0;
    let mut refused = None;
    while answered < transaction.len() && refused.is_none() {
        let received = nix::sys::socket::recv(
            std::os::fd::AsRawFd::as_raw_fd(socket),
            &mut buffer,
            nix::sys::socket::MsgFlags::empty(),
        )
        .map_err(|errno| TableError::Socket(errno.into()))?;
        for message in Messages::new(&buffer[..received]) {
            let message = message.map_err(|malformed| TableError::Socket(io::Error::other(malformed)))?;
            let Message::Answer { sequence, errno } = message else { continue };
            match transaction.label(sequence) {
                Some(_) if errno == 0 => answered += 1,
                label if errno != 0 => {
                    let what = label.unwrap_or("a transaction").to_owned();
                    refused = Some(TableError::Refused { what, cause: io::Error::from_raw_os_error(errno) });
                    break;
                }
                _ => {}
            }
        }
    }
    drain(socket);
    refused.map_or(Ok(()), Err)
}

/// Takes what answers are left, so that they are not taken for those of the next batch.
fn drain(socket: &Socket) {
    let mut buffer = vec![0; 1 << 16];
    let fd = std::os::fd::AsRawFd::as_raw_fd(socket);
    while nix::sys::socket::recv(fd, &mut buffer, nix::sys::socket::MsgFlags::MSG_DONTWAIT).is_ok_and(|n| n > 0) {}
}

/// Tries in the namespace of the calling thread which way packets can be queued. The table it makes for that is removed.
pub fn detect_queue_kind() -> Result<QueueKind, TableError> {
    let try_kind = |kind| {
        let plan =
            RulePlan { comment: "try".to_owned(), matches: vec![Match::Protocol(0)], then: vec![Statement::Queue] };
        let ruleset = Ruleset { inspect: vec![plan], ..Ruleset::default() };
        let table = Table::load(&ruleset, &BTreeMap::new(), kind)?;
        let mut draft = Draft::new();
        let nft_table = nftnl::Table::new(c_text(TABLE), ProtoFamily::Inet);
        draft.add(&nft_table, MsgType::Del, "removing the table");
        table.commit(&draft.finish())
    };
    if try_kind(QueueKind::Native).is_ok() {
        return Ok(QueueKind::Native);
    }
    try_kind(QueueKind::Compat).map(|()| QueueKind::Compat)
}

pub(super) fn build_rule<'a>(chain: &'a Chain<'a>, plan: &RulePlan, ids: &SetIds, queue: QueueKind) -> Rule<'a> {
    let mut rule = Rule::new(chain);
    for expression in compile::rule(plan, ids, queue) {
        rule.add_expr(&expression);
    }
    // A comment that is too long is no reason to go without the rule.
    let _ = rule.set_comment(c_text(&plan.comment));
    rule
}

pub(super) fn c_text(value: &str) -> CString {
    CString::new(value.replace('\0', "")).unwrap_or_default()
}
