//! How a box keeps flows: what makes one, what ends one, and how long an idle one is remembered.

use core::time::Duration;

use serde::Serialize;

/// How a box keeps flows.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FlowPolicy {
    /// What makes the box begin to track a TCP flow.
    pub from: TrackFrom,
    /// Which end counts as the client.
    pub client: ClientRole,
    /// How long an idle flow is remembered in each state (TSPU-10).
    pub idle: IdleTimes,
    /// What a SYN makes of a flow that is already known.
    pub second_syn: SecondSyn,
    /// Which flags end the tracking of a flow. Empty: none does (RU-THR-4).
    pub teardown: Teardown,
    /// What such a packet must agree with.
    pub teardown_check: TeardownCheck,
    /// What makes the box take the next segment of the client's for the one that it waits for (GFW-TCB-1).
    pub resync: Resync,
    /// How many flows the box tracks at once; `None`: as many as the machine does.
    pub capacity: Option<usize>,
}

/// What makes the box begin to track a TCP flow.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrackFrom {
    /// A SYN; a SYN/ACK too, where the SYN was not seen. A flow joined in the middle is unknown and never matched (TSPU-10).
    #[default]
    Syn,
    /// A SYN/ACK (GFW-TCB-1).
    SynAck,
    /// The client's bare acknowledgement of a SYN/ACK: a whole handshake (GFW-ESNI-HS).
    Established,
    /// Any segment; the first sender is taken for the client unless a SYN says otherwise.
    Any,
    /// Nothing: no state is kept, and every packet is looked at alone (GFW-TCB-4).
    Nothing,
}

/// Which end counts as the client.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientRole {
    /// The one that sent the SYN; where both did, the outside one, so that the inside one is taken for the server (TSPU-8).
    #[default]
    SynSender,
    /// The one whose packet the box saw first.
    FirstSender,
    /// The one inside, always.
    Inside,
}

/// How long an idle flow is remembered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct IdleTimes {
    /// TCP, after a SYN.
    pub syn_sent: Duration,
    /// TCP, after the SYN/ACK.
    pub syn_received: Duration,
    /// TCP, after data or the final ACK.
    pub established: Duration,
    /// UDP (60 s: GFW-QUIC-1).
    pub datagrams: Duration,
}

impl Default for IdleTimes {
    fn default() -> Self {
        // TSPU-10, IMC'22 table 2 (recalled). UDP: as long as Linux remembers, where no fact says otherwise.
        Self {
            syn_sent: Duration::from_secs(60),
            syn_received: Duration::from_secs(105),
            established: Duration::from_secs(480),
            datagrams: Duration::from_secs(30),
        }
    }
}

/// What a SYN with another sequence number makes of a flow that is already known.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecondSyn {
    /// It begins the flow anew: the ports were used again.
    #[default]
    Restart,
    /// Nothing: the first counts (Geneva's first mock censor).
    Ignore,
}

/// Which flags end the tracking of a flow.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Teardown {
    /// A FIN ends it.
    pub fin: bool,
    /// A RST ends it.
    pub rst: bool,
}

/// What a packet that ends the tracking must agree with.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TeardownCheck {
    /// Addresses, ports, and a sequence number in the window.
    #[default]
    Sequence,
    /// Addresses and ports.
    Tuple,
    /// The two addresses: it ends every flow between them (Geneva's sixth mock censor).
    Nothing,
}

/// What puts a flow into the state in which the client's next segment says what comes next (GFW-TCB-1).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a packet of its own")]
pub struct Resync {
    /// A second SYN.
    pub syn: bool,
    /// A second SYN/ACK.
    pub syn_ack: bool,
    /// A SYN/ACK that acknowledges something else than the SYN.
    pub bad_syn_ack: bool,
    /// A bare acknowledgement.
    pub ack: bool,
    /// A RST.
    pub rst: bool,
    /// A FIN.
    pub fin: bool,
}
