//! The proof that no packet can leave: before any address of the real internet is used, every namespace of the lab is seen
//! to hold only the links that the plan gave it.

use std::collections::BTreeSet;
use std::io;

use nix::net::if_::if_nameindex;

use super::LabError;
use crate::kernel::namespace::Namespace;
use crate::plan::Topology;
use crate::plan::topology::LOOPBACK;
use crate::sandbox;

/// Looks at the sandbox's own namespace: it must not be the host's, and hold nothing but a loopback.
pub(super) fn verify_sandbox() -> Result<(), LabError> {
    let here = sandbox::network_namespace().map_err(LabError::isolation)?;
    let Some(inside) = sandbox::inside() else {
        return Err(LabError::Isolation("this process is not in a sandbox".to_owned()));
    };
    if here == inside.outer_network {
        return Err(LabError::Isolation("the sandbox shares the host's network".to_owned()));
    }
    expect("the sandbox", &interfaces().map_err(LabError::isolation)?, &BTreeSet::from([LOOPBACK.to_owned()]))
}

/// Looks at a namespace of the lab: its interfaces must be those of the plan, whose other ends are in the lab too.
pub(super) fn verify(namespace: &Namespace, topology: &Topology) -> Result<(), LabError> {
    let mut planned = BTreeSet::from([LOOPBACK.to_owned()]);
    planned.extend(topology.links_of(namespace.name()).map(|(here, _)| here.interface.to_string()));
    // A TUN device leads to a program of the lab's own.
    let devices = topology.namespace(namespace.name()).map(|plan| plan.devices.as_slice()).unwrap_or_default();
    planned.extend(devices.iter().map(ToString::to_string));
    let found = namespace.block_on(async { interfaces() }).and_then(|found| found).map_err(LabError::isolation)?;
    expect(namespace.name(), &found, &planned)
}

fn expect(place: &str, found: &BTreeSet<String>, planned: &BTreeSet<String>) -> Result<(), LabError> {
    if found == planned {
        return Ok(());
    }
    let strange: Vec<&str> = found.symmetric_difference(planned).map(String::as_str).collect();
    Err(LabError::Isolation(format!("{place} has other links than planned: {}", strange.join(", "))))
}

/// The names of the interfaces in the namespace of the calling thread.
fn interfaces() -> io::Result<BTreeSet<String>> {
    let interfaces = if_nameindex()?;
    Ok(interfaces.iter().map(|each| each.name().to_string_lossy().into_owned()).collect())
}
