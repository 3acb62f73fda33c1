//! What a measurement must find out: only what its probe looks for.

use std::ops::RangeInclusive;

use crate::declare::FindsDeclaration;
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::model::{Finds, FreezeFinds, Probe, Punished, ResidualFinds, ThroughputFinds, TraceFinds};
use crate::read::{Located, OneOrMany};

/// What must be found by this probe; `None` where nothing is said, or what is said is not its to find.
pub(super) fn finds(declared: Option<&FindsDeclaration>, probe: &Probe, errors: &mut Collector) -> Option<Finds> {
    let declared = declared?;
    let said = said(declared);
    if said.is_empty() {
        complain(declared, "`finds` says nothing", "name what must be found, or take it out", errors);
        return None;
    }
    let (word, keys) = looked_for(probe);
    if keys.is_empty() {
        let help = "take `finds` out: the verdict, the failure and `by` say what it gives";
        complain(declared, "this measurement finds nothing beside its verdict", help, errors);
        return None;
    }
    if let Some(other) = said.iter().find(|key| !keys.contains(key)) {
        let message = format!("a `{word}` does not look for `{other}`");
        let help = format!("it finds `{}`", keys.join("`, `"));
        complain(declared, &message, &help, errors);
        return None;
    }
    Some(match probe {
        Probe::Throughput { beside: None, .. } | Probe::Freeze { beside: None, .. }
            if declared.beside.is_some() || declared.spared.is_some() =>
        {
            let help = "name the neutral one with `beside` in the probe";
            complain(declared, "no name is measured beside this one", help, errors);
            return None;
        }
        Probe::Throughput { .. } => {
            Finds::Throughput(ThroughputFinds { limit: declared.limit, beside: declared.beside })
        }
        Probe::Freeze { .. } => Finds::Freeze(FreezeFinds {
            counts: declared.counts,
            direction: declared.direction,
            packets: range(declared, declared.packets.as_ref(), errors),
            kilobytes: range(declared, declared.kilobytes.as_ref(), errors),
            spared: declared.spared,
        }),
        Probe::Residual { elsewhere: None, .. } if declared.key == Some(Punished::TwoTuple) => {
            let help = "name a measurement at another port of the server with `elsewhere`";
            complain(declared, "nothing is measured at another port", help, errors);
            return None;
        }
        Probe::Residual { .. } => {
            let last = range(declared, declared.last.as_ref(), errors);
            Finds::Residual(ResidualFinds { key: declared.key, last })
        }
        Probe::Trace { .. } => {
            let hop = declared.hop.as_ref().map(|hop| hop.as_str().into());
            Finds::Trace(TraceFinds { hop, place: declared.place, blind: declared.blind })
        }
        _ => return None,
    })
}

/// The keys that the file says.
fn said(declared: &FindsDeclaration) -> Vec<&'static str> {
    let FindsDeclaration {
        limit,
        beside,
        counts,
        direction,
        packets,
        kilobytes,
        spared,
        key,
        last,
        hop,
        place,
        blind,
        ..
    } = declared;
    let keys = [
        ("limit", limit.is_some()),
        ("beside", beside.is_some()),
        ("counts", counts.is_some()),
        ("direction", direction.is_some()),
        ("packets", packets.is_some()),
        ("kilobytes", kilobytes.is_some()),
        ("spared", spared.is_some()),
        ("key", key.is_some()),
        ("last", last.is_some()),
        ("hop", hop.is_some()),
        ("place", place.is_some()),
        ("blind", blind.is_some()),
    ];
    keys.into_iter().filter(|(_, is_said)| *is_said).map(|(key, _)| key).collect()
}

/// A number, or the least and the most.
fn range<T: Copy + PartialOrd>(
    declared: &FindsDeclaration,
    written: Option<&OneOrMany<T>>,
    errors: &mut Collector,
) -> Option<RangeInclusive<T>> {
    match written?.0.as_slice() {
        [number] => return Some(*number..=*number),
        [least, most] if least <= most => return Some(*least..=*most),
        _ => {}
    }
    let help = "write one, or the least and the most, as `[20, 30]`";
    complain(declared, "what must be found is no range", help, errors);
    None
}

/// A probe's word and what it looks for.
fn looked_for(probe: &Probe) -> (&'static str, &'static [&'static str]) {
    match probe {
        Probe::Throughput { .. } => ("throughput", &["limit", "beside"]),
        Probe::Freeze { .. } => ("freeze", &["counts", "direction", "packets", "kilobytes", "spared"]),
        Probe::Residual { .. } => ("residual", &["key", "last"]),
        Probe::Trace { .. } => ("trace", &["hop", "place", "blind"]),
        _ => ("", &[]),
    }
}

fn complain(declared: &FindsDeclaration, message: &str, help: &str, errors: &mut Collector) {
    errors.push(Diagnostic::new(DiagnosticKind::BadValue, declared.at(), message).help(help));
}
