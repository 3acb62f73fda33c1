//! A hop's table in the kernel.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::io;

use nftnl::{Batch, Chain, ChainType, FinalizedBatch, Hook, MsgType, Policy, ProtoFamily, Rule};
use roadblock_censor::{FlowKey, PrefixSet};

use super::compile::{self, SetIds};
use super::sets::{Element, FlowElement, SetMessage, range_elements};
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

/// How packets are handed to user space on this kernel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum QueueKind {
    /// nftables' own `queue` expression.
    Native,
    /// xtables' NFQUEUE target, by nftables' compatibility layer.
    Compat,
}

/// A batch that remembers what each of its messages was for.
pub(super) struct Labelled {
    batch: Batch,
    labels: Vec<String>,
}

impl Labelled {
    pub(super) fn new() -> Self {
        Self { batch: Batch::new(), labels: Vec::new() }
    }

    pub(super) fn add<T: nftnl::NlMsg>(&mut self, message: &T, kind: MsgType, label: impl Into<String>) {
        self.batch.add(message, kind);
        self.labels.push(label.into());
    }
}

/// A hop's table, and the socket that changes it. Belongs to the namespace in which it was made.
#[derive(Debug)]
pub struct Table {
    socket: Socket,
    kinds: BTreeMap<String, crate::plan::ruleset::SetKind>,
}

impl Table {
    /// Loads a ruleset, with its prefix sets filled, in one transaction.
    pub fn load(
        ruleset: &Ruleset,
        elements: &BTreeMap<String, PrefixSet>,
        queue: QueueKind,
    ) -> Result<Self, TableError> {
        let socket = Socket::open(1 << 20).map_err(TableError::Socket)?;
        let kinds = ruleset.sets.iter().map(|set| (set.name.clone(), set.kind)).collect();
        let table = Self { socket, kinds };
        let mut labelled = Labelled::new();
        let mut ids = SetIds::new();
        let nft_table = nftnl::Table::new(c_text(TABLE), ProtoFamily::Inet);
        labelled.add(&nft_table, MsgType::Add, "the table");
        for (id, set) in (1..).zip(&ruleset.sets) {
            ids.insert(set.name.clone(), id);
            let message = SetMessage::declaration(&c_text(&set.name), id, set.kind, ruleset.passed_size);
            labelled.add(&message, MsgType::Add, format!("set {}", set.name));
        }
        table.fill(&mut labelled, elements, &ids);
        for (name, priority, rules) in
            [(INSPECT, INSPECT_PRIORITY, &ruleset.inspect), (OFFLOAD, OFFLOAD_PRIORITY, &ruleset.offload)]
        {
            let mut chain = Chain::new(c_text(name), &nft_table);
            chain.set_hook(Hook::PreRouting, priority);
            chain.set_type(ChainType::Filter);
            chain.set_policy(Policy::Accept);
            labelled.add(&chain, MsgType::Add, format!("chain {name}"));
            for (number, plan) in rules.iter().enumerate() {
                let rule = build_rule(&chain, plan, &ids, queue);
                labelled.add(&rule, MsgType::Add, format!("rule {number} of {name}: {}", plan.comment));
            }
        }
        table.commit(labelled)?;
        Ok(table)
    }

    /// Gives the prefix sets new elements and forgets all flows that were passed, in one transaction.
    pub fn enter_phase(&self, elements: &BTreeMap<String, PrefixSet>) -> Result<(), TableError> {
        let mut labelled = Labelled::new();
        for name in self.kinds.keys() {
            labelled.add(&SetMessage::flush(&c_text(name)), MsgType::Del, format!("emptying {name}"));
        }
        self.fill(&mut labelled, elements, &SetIds::new());
        self.commit(labelled)
    }

    /// Forgets that a flow was passed, in both directions.
    pub fn recall(&self, flow: &FlowKey) -> Result<(), TableError> {
        for element in FlowElement::both_directions(flow).into_iter().flatten() {
            let name = if element.v4 { PASSED_V4 } else { PASSED_V6 };
            let mut labelled = Labelled::new();
            for message in SetMessage::elements(&c_text(name), 0, &[element.element()]) {
                labelled.add(&message, MsgType::Del, format!("recalling {flow}"));
            }
            match self.commit(labelled) {
                // It was not there: one direction has not been passed yet, or its note has expired.
                Err(TableError::Refused { cause, .. }) if cause.raw_os_error() == Some(libc::ENOENT) => {}
                other => other?,
            }
        }
        Ok(())
    }

    /// Forgets all flows that were passed.
    pub fn recall_all(&self) -> Result<(), TableError> {
        let mut labelled = Labelled::new();
        for name in [PASSED_V4, PASSED_V6] {
            if self.kinds.contains_key(name) {
                labelled.add(&SetMessage::flush(&c_text(name)), MsgType::Del, format!("emptying {name}"));
            }
        }
        self.commit(labelled)
    }

    fn fill(&self, labelled: &mut Labelled, elements: &BTreeMap<String, PrefixSet>, ids: &SetIds) {
        for (name, prefixes) in elements {
            let Some(kind) = self.kinds.get(name) else { continue };
            let ranges: Vec<Element> = range_elements(prefixes, *kind)
                .into_iter()
                .map(|(key, interval_end)| Element { key, interval_end })
                .collect();
            let id = ids.get(name).copied().unwrap_or(0);
            for message in SetMessage::elements(&c_text(name), id, &ranges) {
                labelled.add(&message, MsgType::Add, format!("prefixes of {name}"));
            }
        }
    }

    fn commit(&self, labelled: Labelled) -> Result<(), TableError> {
        commit(&self.socket, labelled)
    }
}

/// Sends a batch and waits until each of its messages is answered.
pub(super) fn commit(socket: &Socket, labelled: Labelled) -> Result<(), TableError> {
    let Labelled { batch, labels } = labelled;
    if labels.is_empty() {
        return Ok(());
    }
    let batch: FinalizedBatch = batch.finalize();
    let bytes: Vec<u8> = batch.iter().flat_map(<[u8]>::to_vec).collect();
    socket.send(&bytes).map_err(TableError::Socket)?;
    let mut buffer = vec![0; 1 << 16];
    let mut answered = 0;
    let mut refused = None;
    while answered < labels.len() && refused.is_none() {
        let received = nix::sys::socket::recv(
            std::os::fd::AsRawFd::as_raw_fd(socket),
            &mut buffer,
            nix::sys::socket::MsgFlags::empty(),
        )
        .map_err(|errno| TableError::Socket(errno.into()))?;
        for message in Messages::new(&buffer[..received]) {
            let message = message.map_err(|malformed| TableError::Socket(io::Error::other(malformed)))?;
            let Message::Answer { sequence, errno } = message else { continue };
            // The batch begins with a message of its own; ours are numbered after it.
            let index = usize::try_from(sequence).unwrap_or(0).checked_sub(2);
            match index.and_then(|index| labels.get(index)) {
                Some(_) if errno == 0 => answered += 1,
                label if errno != 0 => {
                    let what = label.cloned().unwrap_or_else(|| "a transaction".to_owned());
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
        let mut labelled = Labelled::new();
        let nft_table = nftnl::Table::new(c_text(TABLE), ProtoFamily::Inet);
        labelled.add(&nft_table, MsgType::Del, "removing the table");
        table.commit(labelled)
    };
    if try_kind(QueueKind::Native).is_ok() {
        return Ok(QueueKind::Native);
    }
    try_kind(QueueKind::Compat).map(|()| QueueKind::Compat)
}

fn build_rule<'a>(chain: &'a Chain<'a>, plan: &RulePlan, ids: &SetIds, queue: QueueKind) -> Rule<'a> {
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
