//! How much a box looks at before it gives a flow up as harmless.

use serde::Serialize;

/// How much a box looks at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InspectPolicy {
    /// How many data segments of a TCP flow's client are looked at, each alone. A box that puts segments together gives up by
    /// bytes, so that many small segments do not tire it.
    pub segments: u32,
    /// How many datagrams of a UDP flow, of both ends together, are looked at. A flow that was found to speak a protocol which
    /// some rule names is looked at for as long as it lasts. One datagram of junk in front is enough to get by where this is 1
    /// (RU-VPN-2).
    pub datagrams: u32,
    /// How many packets of a flow's client, with or without data, are looked at (IR-PF-2); `None`: any number. A box that puts
    /// segments together and has read the length of a TLS record within them reads that to its end (IR-2024-1).
    pub packets: Option<u32>,
    /// A first payload that is longer than this and no protocol that the box knows ends the looking at once (RU-THR-3); `None`:
    /// it does not.
    pub unparsable: Option<usize>,
    /// Whether the first name decides the flow.
    pub decide: Decide,
}

impl Default for InspectPolicy {
    fn default() -> Self {
        Self { segments: 4, datagrams: 4, packets: None, unparsable: None, decide: Decide::Once }
    }
}

/// Whether the first `ClientHello` or request decides a flow.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decide {
    /// It does: what follows is not looked at.
    #[default]
    Once,
    /// Each later one is read too, also where it stands at the place of an earlier one.
    Always,
}
