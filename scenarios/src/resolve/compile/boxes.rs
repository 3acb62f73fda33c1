//! `box` becomes a box without rules.

use roadblock_censor::policy::{BoxPolicy, Check, FlowPolicy, FragmentPolicy, InspectPolicy, Place, Share, TcpPolicy};

use super::Compiler;
use crate::declare::{BoxDeclaration, Checksum, FragmentsDeclaration, Reassembly, ShareDeclaration, TeardownFlag};
use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::read::Located;

impl Compiler<'_, '_> {
    /// All of a box but its name and its rules.
    pub(super) fn box_without_rules(&mut self, declared: &BoxDeclaration) -> BoxPolicy {
        let holds = matches!(declared.fragments, FragmentsDeclaration::Drop | FragmentsDeclaration::Queue(_));
        if declared.place == Place::OnPath && holds {
            let message = "an on-path box holds no fragments back and drops none";
            let help = "write `place = \"in-path\"`, or `fragments = { reassemble = {} }` to read a copy";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, declared.at(), message).help(help));
        }
        BoxPolicy {
            place: declared.place,
            sees: declared.sees,
            share: declared.share.as_ref().map(|share| self.share(share)),
            fragments: fragments(&declared.fragments),
            ipv6_extensions: declared.ipv6_extensions,
            flow: flow(declared),
            tcp: tcp(declared),
            inspect: inspect(declared),
            ..BoxPolicy::default()
        }
    }

    fn share(&mut self, share: &ShareDeclaration) -> Share {
        let is: Vec<_> = share.is.0.iter().map(|range| range.least..=range.most).collect();
        if is.is_empty() || is.iter().any(|range| *range.end() >= share.of) {
            let message = format!("the parts are counted from 0 to {}", i64::from(share.of) - 1);
            let help = "write which of them the box sees: `share = { by = \"2t\", of = 8, is = [\"0-3\"] }`";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, share.at(), message).help(help));
        }
        Share { by: share.by, of: share.of, is }
    }
}

fn fragments(declared: &FragmentsDeclaration) -> FragmentPolicy {
    match declared {
        FragmentsDeclaration::Ignore => FragmentPolicy::Ignore,
        FragmentsDeclaration::Drop => FragmentPolicy::Drop,
        FragmentsDeclaration::Reassemble(how) => {
            FragmentPolicy::Reassemble { overlap: how.overlap, limit: how.limit, timeout: how.timeout }
        }
        FragmentsDeclaration::Queue(how) => {
            FragmentPolicy::Queue { limit: how.limit, timeout: how.timeout, duplicate: how.duplicate, ttl: how.ttl }
        }
    }
}

/// How a box keeps flows: what the profile says, and the engine's defaults for the rest.
fn flow(declared: &BoxDeclaration) -> FlowPolicy {
    let mut policy = FlowPolicy::default();
    if let Some(flow) = &declared.flow {
        policy.from = flow.from;
        policy.teardown.fin = flow.teardown.contains(&TeardownFlag::Fin);
        policy.teardown.rst = flow.teardown.contains(&TeardownFlag::Rst);
        if let Some(idle) = &flow.idle {
            policy.idle.syn_sent = idle.syn_sent.unwrap_or(policy.idle.syn_sent);
            policy.idle.syn_received = idle.syn_received.unwrap_or(policy.idle.syn_received);
            policy.idle.established = idle.established.unwrap_or(policy.idle.established);
        }
    }
    policy
}

/// How a box reads TCP.
fn tcp(declared: &BoxDeclaration) -> TcpPolicy {
    let mut policy = TcpPolicy::default();
    if let Some(tcp) = &declared.tcp {
        policy.checksum = if tcp.checksum == Some(Checksum::Ignore) { Check::Ignore } else { Check::Verify };
        if let Some(Reassembly::Limit(bytes)) = tcp.reassembly {
            policy.reassembly = roadblock_censor::policy::Reassembly::Full;
            policy.limit = usize::try_from(bytes).unwrap_or(policy.limit);
        }
    }
    policy
}

/// How much a box looks at.
fn inspect(declared: &BoxDeclaration) -> InspectPolicy {
    let mut policy = InspectPolicy::default();
    if let Some(flow) = &declared.flow {
        policy.segments = flow.inspect_segments.unwrap_or(policy.segments);
        policy.datagrams = flow.inspect_datagrams.unwrap_or(policy.datagrams);
    }
    policy
}
