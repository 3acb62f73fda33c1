//! What about a segment its receiver would not accept.

use crate::policy::{Anomaly, Check, SequenceCheck, TcpPolicy, TtlCheck};

/// What is wrong with a segment, as far as the box can tell.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a reason of its own")]
pub(crate) struct Doubts {
    pub(crate) checksum: bool,
    pub(crate) flags: bool,
    pub(crate) header: bool,
    pub(crate) md5: bool,
    pub(crate) timestamp: bool,
    pub(crate) acknowledgement: bool,
    /// It lies outside the window.
    pub(crate) outside: bool,
    /// It is not the very next.
    pub(crate) not_next: bool,
    /// How far the time to live is from that of the sender's first segment.
    pub(crate) ttl_drift: u8,
    pub(crate) ttl: u8,
}

/// A jump of the time to live that no change of route explains.
const TTL_JUMP: u8 = 3;

impl Doubts {
    /// Whether a box with this policy sees the segment all the same.
    pub(crate) fn are_overlooked(&self, policy: &TcpPolicy) -> bool {
        let counts = |check: Check, doubt: bool| check == Check::Verify && doubt;
        let outside = match policy.sequence {
            SequenceCheck::Ignore => false,
            SequenceCheck::Window => self.outside,
            SequenceCheck::Exact => self.not_next,
        };
        let ttl = match policy.ttl {
            TtlCheck::Any => false,
            TtlCheck::Min(least) => self.ttl < least,
            TtlCheck::Drift(most) => self.ttl_drift > most,
        };
        let is_doubted = counts(policy.checksum, self.checksum)
            || counts(policy.flags, self.flags)
            || counts(policy.header, self.header)
            || counts(policy.md5, self.md5)
            || counts(policy.timestamps, self.timestamp)
            || counts(policy.acknowledgement, self.acknowledgement);
        !is_doubted && !outside && !ttl
    }

    /// Whether the segment has this about it.
    pub(crate) fn has(&self, anomaly: Anomaly) -> bool {
        match anomaly {
            Anomaly::Checksum => self.checksum,
            Anomaly::TtlJump => self.ttl_drift > TTL_JUMP,
            Anomaly::Md5 => self.md5,
            Anomaly::Sequence => self.outside,
            Anomaly::Header => self.header || self.flags,
        }
    }
}
