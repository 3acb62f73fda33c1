//! Every decision is an event: which box and rule, about which flow, because of what, and how far the behaviour is known.

use core::fmt;
use core::net::IpAddr;
use core::ops::Range;
use std::sync::Arc;

use serde::Serialize;

use crate::outbox::Direction;
use crate::policy::Grade;
use crate::time::Instant;

/// A flow as seen from the inside: `client` is the end in the censored network, whoever began it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct FlowKey {
    /// The IP protocol number: 6 for TCP, 17 for UDP.
    pub protocol: u8,
    /// The inside address.
    pub client: IpAddr,
    /// The inside port; 0 where the protocol has none.
    pub client_port: u16,
    /// The outside address.
    pub server: IpAddr,
    /// The outside port; 0 where the protocol has none.
    pub server_port: u16,
}

impl fmt::Display for FlowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            1 => "icmp",
            6 => "tcp",
            17 => "udp",
            58 => "icmpv6",
            _ => "ip",
        };
        let client = core::net::SocketAddr::new(self.client, self.client_port);
        let server = core::net::SocketAddr::new(self.server, self.server_port);
        write!(f, "{protocol} {client} -> {server}")
    }
}

/// One decision.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Event {
    /// When, on the machine's clock.
    #[serde(serialize_with = "nanoseconds")]
    pub at: Instant,
    /// The box that decided: the name the scenario gives the censor, with `.box` where its profile has several.
    pub censor: Arc<str>,
    /// The rule that decided, where one did.
    pub rule: Option<Arc<str>>,
    /// The facts that the rule cites.
    pub facts: Vec<Arc<str>>,
    /// How far the behaviour is known.
    pub grade: Grade,
    /// The flow it was about.
    pub flow: FlowKey,
    /// The way the packet travelled.
    pub direction: Direction,
    /// What was decided.
    pub kind: EventKind,
    /// What matched, as a person would say it: `SNI web.whatsapp.com`, `query A instagram.com`.
    pub matched: Option<String>,
    /// Where in the packet that stands, in bytes from the first of the IP header, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Range<usize>>,
    /// Whether a residual did it, rather than the rule on what the packet itself holds. What matched is then what armed it.
    #[serde(skip_serializing_if = "is_false")]
    pub residual: bool,
}

/// What was decided.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// A rule matched and its fate for the packet was to pass it; what follows is in the residual.
    Triggered,
    /// A rule would have matched but missed, as its failure rate says.
    Missed,
    /// A packet was dropped.
    Dropped,
    /// A packet was rewritten in place.
    Rewritten,
    /// A packet was injected.
    Injected,
    /// A packet was refused with a reset or an ICMP error.
    Rejected,
    /// A packet was lost by chance, or came above a rate. Said at most once a second for each rule and flow; how many there
    /// were is counted in [`Counters::policed`](crate::machine::Counters::policed).
    Policed,
    /// A packet had to wait for a rate. Said at most once a second for each rule and flow.
    Shaped,
    /// A query was sent to another resolver, or its answer given the address of the asked one.
    Redirected,
    /// A packet was handed to an interceptor.
    Diverted,
    /// The flow's server was handed to an active prober.
    Suspected,
    /// A resolver told a lie, or kept silent.
    Lied,
    /// A residual began.
    ResidualArmed,
    /// The flow was judged harmless and is no longer looked at.
    Passed,
    /// A flow could not be tracked because the table was full.
    TableFull,
}

impl Event {
    /// The name that an expectation's `by` uses: `censor/rule`.
    pub fn by(&self) -> Option<String> {
        self.rule.as_ref().map(|rule| format!("{}/{rule}", self.censor))
    }

    /// Whether this event is interference, as opposed to a note that all is well.
    pub fn is_interference(&self) -> bool {
        matches!(
            self.kind,
            EventKind::Triggered
                | EventKind::Dropped
                | EventKind::Rewritten
                | EventKind::Injected
                | EventKind::Rejected
                | EventKind::Policed
                | EventKind::Shaped
                | EventKind::Redirected
                | EventKind::Diverted
                | EventKind::Lied
                | EventKind::ResidualArmed
        )
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn nanoseconds<S: serde::Serializer>(at: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(at.as_nanos())
}
