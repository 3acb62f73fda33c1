//! The shape of a flow's first packets, by which `OpenVPN` is told when its bytes are veiled (FP-OVPN-2).

use crate::dissect::openvpn::{AckCount, AckRule, OpcodeCount, OpcodeRule};

/// What a flow's packets were so far.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct TunnelShape {
    opcodes: OpcodeCount,
    acknowledgements: AckCount,
    packets: u16,
}

/// No rule looks at more.
const MAX_PACKETS: u16 = 1000;

impl TunnelShape {
    /// Adds a packet with payload: a datagram, or a segment, in which the first byte comes after a length.
    pub(crate) fn add(&mut self, from_client: bool, payload: &[u8], is_segment: bool) {
        let opcode = if is_segment { payload.get(2) } else { payload.first() };
        self.packets = self.packets.saturating_add(1);
        self.opcodes.add(from_client, opcode.copied().unwrap_or_default());
        self.acknowledgements.add(from_client, payload.len());
    }

    /// Whether the flow's packets have the opcodes of `OpenVPN`; `None` while it cannot be told.
    pub(crate) fn has_opcodes(&self, rule: &OpcodeRule) -> Option<bool> {
        self.opcodes.look_like_openvpn(rule).or_else(|| self.is_over().then_some(false))
    }

    /// Whether they are as long as those of `OpenVPN` when it acknowledges.
    pub(crate) fn has_acknowledgements(&self, rule: &AckRule) -> Option<bool> {
        self.acknowledgements.look_like_openvpn(rule).or_else(|| self.is_over().then_some(false))
    }

    /// Whether all packets came that are looked at.
    pub(crate) const fn is_over(&self) -> bool {
        self.packets >= MAX_PACKETS
    }
}

/// The shape with a packet, and before it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct TunnelTold {
    pub(crate) before: TunnelShape,
    pub(crate) now: TunnelShape,
}

impl TunnelTold {
    /// What this packet tells; `None` where that was told before it, or cannot be yet.
    pub(crate) fn new_of(&self, ask: impl Fn(&TunnelShape) -> Option<bool>) -> Option<bool> {
        ask(&self.now).filter(|_| ask(&self.before).is_none())
    }
}
