//! How a box reads TCP: what it puts together, what it believes, and what it checks as the receiving end would.

use core::time::Duration;

use serde::Serialize;

/// How a box reads TCP.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TcpPolicy {
    /// Whether segments are put together.
    pub reassembly: Reassembly,
    /// How many bytes of the beginning of a stream are put together, at most
    /// [`MAX_REASSEMBLY`](crate::machine::MAX_REASSEMBLY).
    pub limit: usize,
    /// How many separate pieces are kept while there are holes; a segment that would make one more is forgotten.
    pub pieces: usize,
    /// How long a hole is waited for before the pieces behind it are forgotten; `None`: as long as the flow lasts.
    pub hold: Option<Duration>,
    /// How many bytes a hole may have; what lies further on is forgotten (GFW-TCB-3). `None`: as many as the limit.
    pub hole: Option<usize>,
    /// Which of two copies of a byte is believed.
    pub overlap: Overlap,
    /// Which sequence numbers are believed.
    pub sequence: SequenceCheck,
    /// Segments with a wrong checksum.
    pub checksum: Check,
    /// Combinations of flags that no end sends: SYN with FIN or RST, FIN without ACK, none at all.
    pub flags: Check,
    /// Headers that contradict themselves: a data offset below five words or past the end, an option longer than the rest,
    /// an IP length that is not the packet's.
    pub header: Check,
    /// Segments with the option of RFC 2385 that nobody asked for, which Linux drops.
    pub md5: Check,
    /// Segments whose timestamp is older than the last (RFC 7323 section 5), which the end drops.
    pub timestamps: Check,
    /// Data without an acknowledgement, or with one of what was never sent, which the end drops.
    pub acknowledgement: Check,
    /// Which times to live are believed.
    pub ttl: TtlCheck,
    /// What becomes of the urgent byte, which the receiver does not get in its stream.
    pub urgent: Urgent,
    /// Whether data in a SYN are read.
    pub syn_data: bool,
}

impl Default for TcpPolicy {
    /// The strictest that is known, except that segments are looked at alone and sequence numbers do not matter: as the TSPU of
    /// 2022 (TSPU-12).
    fn default() -> Self {
        Self {
            reassembly: Reassembly::None,
            limit: 16_384,
            pieces: 64,
            hold: None,
            hole: None,
            overlap: Overlap::First,
            sequence: SequenceCheck::Ignore,
            checksum: Check::Verify,
            flags: Check::Verify,
            header: Check::Verify,
            md5: Check::Verify,
            timestamps: Check::Verify,
            acknowledgement: Check::Verify,
            ttl: TtlCheck::Any,
            urgent: Urgent::Skip,
            syn_data: false,
        }
    }
}

/// Whether segments are put together.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reassembly {
    /// Each is looked at alone (TSPU-12).
    #[default]
    None,
    /// In order; what comes early is forgotten, and lost to the box for good.
    InOrder,
    /// In any order.
    Full,
}

/// Which of two copies of a byte is believed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overlap {
    /// The one that came first.
    #[default]
    First,
    /// The one that came last (GFW-TCB-3).
    Last,
}

/// Which sequence numbers are believed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SequenceCheck {
    /// All.
    #[default]
    Ignore,
    /// Those in the window that the other end offered.
    Window,
    /// Only the very next (Geneva's mock censors).
    Exact,
}

/// Whether a segment that the receiving end would throw away is seen.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// It is not: it neither moves the box's state nor is it read.
    #[default]
    Verify,
    /// It is, like any other.
    Ignore,
}

/// Which times to live are believed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum TtlCheck {
    /// All.
    #[default]
    Any,
    /// Those that are not below this.
    Min(u8),
    /// Those that differ by no more than this from that of the sender's first segment.
    Drift(u8),
}

/// What becomes of the urgent byte.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Urgent {
    /// It is left out, as the receiver leaves it out.
    #[default]
    Skip,
    /// It is read as any other.
    Inline,
}
