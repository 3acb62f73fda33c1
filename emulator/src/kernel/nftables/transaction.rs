//! Transactions of nftables as bytes. The kernel applies the messages of one datagram together or not at all.

use std::mem;

use nftnl::{Batch, MsgType, NlMsg};

/// Messages that are applied together, and what each was for.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    bytes: Vec<u8>,
    labels: Vec<String>,
    /// The sequence number of the first message.
    first: u32,
}

impl Transaction {
    /// The most bytes of messages in one. A datagram must fit into the socket's send buffer, which without privileges over the
    /// first namespace is at most `net.core.wmem_max`, doubled: 425 984 bytes as kernels come.
    pub(super) const LARGEST: usize = 360_000;

    /// What is sent.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many messages are answered.
    pub(super) fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// What the message of this sequence number was for.
    pub(super) fn label(&self, sequence: u32) -> Option<&str> {
        let index = usize::try_from(sequence.checked_sub(self.first)?).ok()?;
        self.labels.get(index).map(String::as_str)
    }
}

/// A transaction that is being written.
pub(super) struct Draft {
    batch: Batch,
    labels: Vec<String>,
}

impl Draft {
    pub(super) fn new() -> Self {
        Self { batch: Batch::new(), labels: Vec::new() }
    }

    pub(super) fn add<T: NlMsg>(&mut self, message: &T, kind: MsgType, label: impl Into<String>) {
        self.batch.add(message, kind);
        self.labels.push(label.into());
    }

    pub(super) fn finish(self) -> Transaction {
        let Self { batch, labels } = self;
        let batch = batch.finalize();
        let numbers = batch.sequence_numbers();
        // Since Linux 6.10 the message that begins a batch is answered too and has a number of its own, before ours.
        let answered = usize::try_from(numbers.end - numbers.start).unwrap_or(0);
        let first = if answered > labels.len() { numbers.start + 1 } else { numbers.start };
        Transaction { bytes: batch.iter().flat_map(<[u8]>::to_vec).collect(), labels, first }
    }
}

/// Messages in order, in as few transactions as they fit into.
#[derive(Default)]
pub(super) struct Drafts {
    finished: Vec<Transaction>,
    draft: Option<Draft>,
    size: usize,
}

impl Drafts {
    pub(super) fn add<T: Sized + NlMsg + Weighed>(&mut self, message: &T, kind: MsgType, label: impl Into<String>) {
        let size = message.most_bytes();
        if self.size + size > Transaction::LARGEST {
            self.cut();
        }
        self.size += size;
        self.draft.get_or_insert_with(Draft::new).add(message, kind, label);
    }

    pub(super) fn finish(mut self) -> Vec<Transaction> {
        self.cut();
        self.finished
    }

    /// Ends the transaction; what comes next begins another.
    fn cut(&mut self) {
        self.size = 0;
        self.finished.extend(mem::take(&mut self.draft).map(Draft::finish));
    }
}

/// A message of which it is known how large it can be.
pub(super) trait Weighed {
    /// No fewer bytes than it takes.
    fn most_bytes(&self) -> usize;
}

/// No rule, chain or table of ours comes near this; libnftnl reserves sixteen times as much for each.
const OTHERS: usize = 4096;

impl Weighed for nftnl::Table {
    fn most_bytes(&self) -> usize {
        OTHERS
    }
}

impl Weighed for nftnl::Chain<'_> {
    fn most_bytes(&self) -> usize {
        OTHERS
    }
}

impl Weighed for nftnl::Rule<'_> {
    fn most_bytes(&self) -> usize {
        OTHERS
    }
}
