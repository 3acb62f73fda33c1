//! How a box keeps flows, how it reads TCP, and how much it looks at.

use std::time::Duration;

use roadblock_censor::policy::{
    Check, ClientRole, Decide, Overlap, Reassembly, SecondSyn, SequenceCheck, TeardownCheck, TrackFrom, Urgent,
};

use crate::declare::ByteSize;
use crate::read::{choice, table, words};

table! {
    /// How a box keeps flows.
    FlowDeclaration {
        /// What makes it begin to track a TCP flow.
        "from" => from: Option<TrackFrom>,
        /// Which end counts as the client.
        "client" => client: Option<ClientRole>,
        /// How long an idle flow is remembered.
        "idle" => idle: Option<IdleDeclaration>,
        /// How many flows it tracks at once; as many as the machine does where not said.
        "capacity" => capacity: Option<u32>,
        /// What a SYN with another sequence number makes of a flow that is known.
        "second-syn" => second_syn: Option<SecondSyn>,
        /// Which flags end the tracking; none where not said.
        "teardown" => teardown: Vec<TeardownFlag> = Vec::new(),
        /// What a packet that ends the tracking must agree with.
        "teardown-check" => teardown_check: Option<TeardownCheck>,
        /// After which packets the client's next segment says what comes next; none where not said.
        "resync" => resync: Vec<ResyncFlag> = Vec::new(),
    }
}

words! {
    /// What makes a box begin to track a TCP flow: a SYN, or a SYN/ACK where that was not seen; a SYN/ACK; the acknowledgement
    /// of one, which makes a handshake whole; any segment; or nothing, so that each packet is looked at by itself.
    TrackFrom {
        "syn" => Self::Syn,
        "syn-ack" => Self::SynAck,
        "established" => Self::Established,
        "any" => Self::Any,
        "nothing" => Self::Nothing,
    }
}

words! {
    /// Which end counts as the client: the one that sent the SYN (where both did, the outside one), the one whose packet was
    /// seen first, or the one inside.
    ClientRole { "syn-sender" => Self::SynSender, "first-sender" => Self::FirstSender, "inside" => Self::Inside, }
}

words! {
    /// What a SYN with another sequence number makes of a flow that is known: it begins anew, or nothing.
    SecondSyn { "restart" => Self::Restart, "ignore" => Self::Ignore, }
}

/// A flag that ends the tracking of a flow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum TeardownFlag {
    Fin,
    Rst,
}

words! {
    /// A flag that ends the tracking of a flow.
    TeardownFlag { "fin" => Self::Fin, "rst" => Self::Rst, }
}

words! {
    /// What a packet that ends the tracking must agree with: addresses, ports and the window; addresses and ports; or the two
    /// addresses alone, so that it ends every flow between them.
    TeardownCheck { "sequence" => Self::Sequence, "tuple" => Self::Tuple, "nothing" => Self::Nothing, }
}

/// A packet after which the client's next segment says what comes next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ResyncFlag {
    Syn,
    SynAck,
    BadSynAck,
    Ack,
    Rst,
    Fin,
}

words! {
    /// A packet after which the client's next segment says what comes next: a second SYN, a second SYN/ACK, a SYN/ACK that
    /// acknowledges something else, a bare acknowledgement, a RST, a FIN.
    ResyncFlag {
        "syn" => Self::Syn,
        "syn-ack" => Self::SynAck,
        "bad-syn-ack" => Self::BadSynAck,
        "ack" => Self::Ack,
        "rst" => Self::Rst,
        "fin" => Self::Fin,
    }
}

table! {
    /// How long an idle flow is remembered.
    IdleDeclaration {
        /// TCP, after a SYN.
        "syn-sent" => syn_sent: Option<Duration>,
        /// TCP, after the SYN/ACK.
        "syn-received" => syn_received: Option<Duration>,
        /// TCP, after data or the final ACK.
        "established" => established: Option<Duration>,
        /// UDP.
        "datagrams" => datagrams: Option<Duration>,
    }
}

table! {
    /// How a box reads TCP.
    TcpDeclaration {
        /// Whether it puts segments together before it looks; it does not where not said.
        "reassembly" => reassembly: Option<Reassembly>,
        /// How many bytes of a stream's beginning are put together, as `"16KB"`.
        "limit" => limit: Option<ByteSize>,
        /// How many separate pieces are kept while there are holes.
        "segments" => segments: Option<u32>,
        /// How long a hole is waited for; as long as the flow lasts where not said.
        "hold" => hold: Option<Duration>,
        /// How many bytes a hole may have, as `"1KB"`; what lies further on is forgotten. Any number where not said.
        "hole" => hole: Option<ByteSize>,
        /// Which of two copies of a byte it believes.
        "overlap" => overlap: Option<Overlap>,
        /// Which sequence numbers it believes.
        "sequence" => sequence: Option<SequenceCheck>,
        /// Segments with a wrong checksum.
        "checksum" => checksum: Option<Check>,
        /// Segments with flags that no end sends together.
        "flags" => flags: Option<Check>,
        /// Segments whose header contradicts itself.
        "header" => header: Option<Check>,
        /// Segments with the option of RFC 2385, which nobody asked for.
        "md5" => md5: Option<Check>,
        /// Segments whose timestamp is older than the last.
        "timestamps" => timestamps: Option<Check>,
        /// Data without an acknowledgement, or with one of what was never sent.
        "ack" => acknowledgement: Option<Check>,
        /// Which times to live it believes; all where not said.
        "ttl" => ttl: Option<TtlDeclaration>,
        /// What becomes of the urgent byte.
        "urgent" => urgent: Option<Urgent>,
        /// Whether data in a SYN are read.
        "syn-data" => syn_data: bool = false,
    }
}

words! {
    /// Whether a box puts segments together before it looks: it does not, only in order, or in any order.
    Reassembly { "none" => Self::None, "in-order" => Self::InOrder, "full" => Self::Full, }
}

words! {
    /// Which of two copies of a byte is believed.
    Overlap { "first" => Self::First, "last" => Self::Last, }
}

words! {
    /// Which sequence numbers are believed: all, those in the window, or only the very next.
    SequenceCheck { "ignore" => Self::Ignore, "window" => Self::Window, "exact" => Self::Exact, }
}

words! {
    /// Whether a segment that the receiving end throws away is not seen (`"verify"`), or seen like any other (`"ignore"`).
    Check { "verify" => Self::Verify, "ignore" => Self::Ignore, }
}

words! {
    /// What becomes of the urgent byte: it is left out as the receiver leaves it out, or read as any other.
    Urgent { "skip" => Self::Skip, "inline" => Self::Inline, }
}

choice! {
    /// Which times to live are believed.
    TtlDeclaration {
        words {}
        keys {
            /// Those that are not below this.
            "min" => Min(u8),
            /// Those that differ by no more than this from that of the sender's first segment.
            "drift" => Drift(u8),
        }
    }
}

table! {
    /// How much a box looks at before it gives a flow up as harmless.
    InspectDeclaration {
        /// How many data segments of a TCP flow's client, where it does not put segments together.
        "segments" => segments: Option<u32>,
        /// How many datagrams of a UDP flow, of both ends together.
        "datagrams" => datagrams: Option<u32>,
        /// How many packets of a flow's client, with or without data; any number where not said.
        "packets" => packets: Option<u32>,
        /// A first payload that is longer than so many bytes and no protocol that the box knows ends the looking at once.
        "unparsable" => unparsable: Option<u16>,
        /// Whether the first name decides the flow.
        "decide" => decide: Option<Decide>,
    }
}

words! {
    /// Whether the first name decides a flow, or each later `ClientHello` and request is read too.
    Decide { "once" => Self::Once, "always" => Self::Always, }
}
