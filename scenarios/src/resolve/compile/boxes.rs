//! `box` becomes a box without rules.

use roadblock_censor::policy::{
    BoxPolicy, FlowPolicy, FragmentPolicy, InspectPolicy, Place, Reads, Reassembly, Resync, Share, TcpPolicy, Teardown,
    TtlCheck,
};

use super::Compiler;
use crate::declare::{
    BoxDeclaration, FlowDeclaration, FragmentsDeclaration, InspectDeclaration, ResyncFlag, ShareDeclaration,
    TcpDeclaration, TeardownFlag, TtlDeclaration,
};
use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::read::Located;

impl Compiler<'_, '_> {
    /// All of a box but its name and its rules.
    pub(super) fn box_without_rules(&mut self, declared: &BoxDeclaration) -> BoxPolicy {
        self.check_box(declared);
        BoxPolicy {
            place: declared.place,
            sees: declared.sees,
            share: declared.share.as_ref().map(|share| self.share(share)),
            fragments: fragments(&declared.fragments),
            ipv6_extensions: declared.ipv6_extensions,
            flow: declared.flow.as_ref().map(flow).unwrap_or_default(),
            tcp: declared.tcp.as_ref().map(tcp).unwrap_or_default(),
            inspect: declared.inspect.as_ref().map(inspect).unwrap_or_default(),
            reads: reads(declared),
            ..BoxPolicy::default()
        }
    }

    /// What contradicts itself, and what is said for nothing.
    fn check_box(&mut self, declared: &BoxDeclaration) {
        let holds = matches!(declared.fragments, FragmentsDeclaration::Drop | FragmentsDeclaration::Queue(_));
        if declared.place == Place::OnPath && holds {
            let message = "an on-path box holds no fragments back and drops none";
            let help = "write `place = \"in-path\"`, or `fragments = { reassemble = {} }` to read a copy";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, declared.at(), message).help(help));
        }
        if let Some(tcp) = &declared.tcp {
            self.check_tcp(tcp);
        }
        if let Some(flow) =
            declared.flow.as_ref().filter(|flow| flow.teardown_check.is_some() && flow.teardown.is_empty())
        {
            let message = "`teardown-check` says something about `teardown`, which is not there";
            let help = "say which packets end a flow, as `teardown = [\"rst\"]`, or leave it out";
            self.errors.push(Diagnostic::new(DiagnosticKind::NeverApplies, flow.at(), message).help(help));
        }
    }

    fn check_tcp(&mut self, tcp: &TcpDeclaration) {
        let about = [
            ("limit", tcp.limit.is_some()),
            ("segments", tcp.segments.is_some()),
            ("hold", tcp.hold.is_some()),
            ("hole", tcp.hole.is_some()),
            ("overlap", tcp.overlap.is_some()),
        ];
        let is_alone = tcp.reassembly.unwrap_or_default() == Reassembly::None;
        if let (true, Some((key, _))) = (is_alone, about.iter().find(|(_, is_there)| *is_there)) {
            let message = format!("`{key}` says how segments are put together, and this box looks at each alone");
            let help = "say `reassembly = \"in-order\"` or `\"full\"`, or leave it out";
            self.errors.push(Diagnostic::new(DiagnosticKind::NeverApplies, tcp.at(), message).help(help));
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
fn flow(declared: &FlowDeclaration) -> FlowPolicy {
    let default = FlowPolicy::default();
    let resyncs = |flag| declared.resync.contains(&flag);
    let mut idle = default.idle;
    if let Some(said) = &declared.idle {
        idle.syn_sent = said.syn_sent.unwrap_or(idle.syn_sent);
        idle.syn_received = said.syn_received.unwrap_or(idle.syn_received);
        idle.established = said.established.unwrap_or(idle.established);
        idle.datagrams = said.datagrams.unwrap_or(idle.datagrams);
    }
    FlowPolicy {
        from: declared.from.unwrap_or(default.from),
        client: declared.client.unwrap_or(default.client),
        idle,
        second_syn: declared.second_syn.unwrap_or(default.second_syn),
        teardown: Teardown {
            fin: declared.teardown.contains(&TeardownFlag::Fin),
            rst: declared.teardown.contains(&TeardownFlag::Rst),
        },
        teardown_check: declared.teardown_check.unwrap_or(default.teardown_check),
        resync: Resync {
            syn: resyncs(ResyncFlag::Syn),
            syn_ack: resyncs(ResyncFlag::SynAck),
            bad_syn_ack: resyncs(ResyncFlag::BadSynAck),
            ack: resyncs(ResyncFlag::Ack),
            rst: resyncs(ResyncFlag::Rst),
            fin: resyncs(ResyncFlag::Fin),
        },
        capacity: declared.capacity.map(number),
    }
}

fn tcp(declared: &TcpDeclaration) -> TcpPolicy {
    let default = TcpPolicy::default();
    TcpPolicy {
        reassembly: declared.reassembly.unwrap_or(default.reassembly),
        limit: declared.limit.map_or(default.limit, |limit| usize::try_from(limit.0).unwrap_or(usize::MAX)),
        pieces: declared.segments.map_or(default.pieces, number),
        hold: declared.hold,
        hole: declared.hole.map(|hole| usize::try_from(hole.0).unwrap_or(usize::MAX)),
        overlap: declared.overlap.unwrap_or(default.overlap),
        sequence: declared.sequence.unwrap_or(default.sequence),
        checksum: declared.checksum.unwrap_or(default.checksum),
        flags: declared.flags.unwrap_or(default.flags),
        header: declared.header.unwrap_or(default.header),
        md5: declared.md5.unwrap_or(default.md5),
        timestamps: declared.timestamps.unwrap_or(default.timestamps),
        acknowledgement: declared.acknowledgement.unwrap_or(default.acknowledgement),
        ttl: match declared.ttl {
            None => TtlCheck::Any,
            Some(TtlDeclaration::Min(ttl)) => TtlCheck::Min(ttl),
            Some(TtlDeclaration::Drift(drift)) => TtlCheck::Drift(drift),
        },
        urgent: declared.urgent.unwrap_or(default.urgent),
        syn_data: declared.syn_data,
    }
}

fn inspect(declared: &InspectDeclaration) -> InspectPolicy {
    let default = InspectPolicy::default();
    InspectPolicy {
        segments: declared.segments.unwrap_or(default.segments),
        datagrams: declared.datagrams.unwrap_or(default.datagrams),
        packets: declared.packets,
        unparsable: declared.unparsable.map(usize::from),
        decide: declared.decide.unwrap_or(default.decide),
    }
}

/// How the box reads each protocol.
fn reads(declared: &BoxDeclaration) -> Reads {
    let mut reads = Reads::default();
    if let Some(tls) = &declared.tls {
        reads.tls.records = tls.records.unwrap_or(reads.tls.records);
        reads.tls.version = tls.version.unwrap_or(reads.tls.version);
        reads.tls.hello = tls.hello.unwrap_or(reads.tls.hello);
    }
    if let Some(quic) = &declared.quic {
        reads.quic.versions = quic.versions.as_ref().map_or(reads.quic.versions, |versions| versions.0.clone());
        reads.quic.crypto = quic.crypto.unwrap_or(reads.quic.crypto);
        reads.quic.datagrams = quic.datagrams.unwrap_or(reads.quic.datagrams);
    }
    if let Some(http) = &declared.http {
        reads.http.parser = http.parser.unwrap_or(reads.http.parser);
        reads.http.requests = http.requests.unwrap_or(reads.http.requests);
        reads.http.limit = http.limit.map_or(reads.http.limit, |limit| usize::try_from(limit.0).unwrap_or(usize::MAX));
    }
    reads
}

fn number(declared: u32) -> usize {
    usize::try_from(declared).unwrap_or(usize::MAX)
}
