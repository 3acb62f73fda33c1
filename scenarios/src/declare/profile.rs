//! How a censor behaves, whatever it blocks: `censors/*.toml`.
//!
//! A profile has parameters, boxes and rules. The grammar, key by key, is the types below; in short:
//!
//! ```toml
//! kind = "profile"
//! id = "censors/example"
//! title = "Resets what is listed"
//! param.names = { type = "names" }                       # given by the scenario, or its default
//! param.after = { type = "duration", default = "1ms" }
//! box.place = "on-path"                                  # or several boxes: [box.dns], [box.tls], and box = "tls" in a rule
//!
//! [[rule]]                                               # the first rule that matches ends the search
//! id = "sni"
//! facts = ["GFW-SNI-1"]
//! when = { tls.sni = "$names", not.server.port = 8443 }  # all of these, and none of those under `not`
//! trigger = "pass"                                       # what happens to the packet that matched
//! inject = { reset = { to = "both", flags = "RA" }, delay = "$after" }
//! then.both.inject = { reset = { to = "both" } }          # what happens to later packets
//! key = "3t"                                             # which packets those are
//! last = "90s"                                           # for how long
//! ```

use std::time::Duration;

use roadblock_censor::policy::{Place, Refresh, ResidualKey, Sees, TrackFrom};
use serde_json::json;

use crate::declare::{AfterDeclaration, Argument, FileKind, InjectDeclaration, ResponseDeclaration, ThenWhat, When};
use crate::diagnostic::Collector;
use crate::read::{Definitions, Dictionary, Needed, OneOrMany, Read, choice, table, value, words};
use crate::source::{Spanned, Text};
use crate::tree::{Node, Value};

table! {
    /// How one censor behaves, whatever it blocks.
    ProfileFile {
        /// `"profile"`.
        "kind" => _kind: Spanned<FileKind>,
        /// Its place in the library, as `censors/tspu-2026`.
        "id" => id: Needed<Text>,
        /// One line for people.
        "title" => title: Needed<String>,
        /// What a scenario may set, beside `profile` and `at`.
        "param" => parameters: Dictionary<Parameter> = Dictionary::default(),
        /// The middleboxes: one, with its keys as `box.place`, or several, as `[box.dns]`.
        "box" => boxes: Boxes = Boxes::default(),
        /// What is looked for and what is done. The first rule that matches ends the search.
        "rule" => rules: Vec<RuleDeclaration> = Vec::new(),
    }
}

table! {
    /// What a scenario may set.
    Parameter {
        /// What it holds.
        "type" => kind: ParameterType,
        /// What it holds where the scenario does not say. Lists are empty and flags false without it.
        "default" => default: Option<Node>,
        /// One line for people.
        "about" => about: Option<String>,
    }
}

/// What a parameter holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ParameterType {
    Names,
    Prefixes,
    Addresses,
    Ports,
    Probability,
    Duration,
    Boolean,
    Count,
    Size,
    Rate,
}

impl ParameterType {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Names => "names",
            Self::Prefixes => "prefixes",
            Self::Addresses => "addresses",
            Self::Ports => "ports",
            Self::Probability => "probability",
            Self::Duration => "duration",
            Self::Boolean => "boolean",
            Self::Count => "count",
            Self::Size => "size",
            Self::Rate => "rate",
        }
    }
}

words! {
    /// What a parameter holds.
    ParameterType {
        "names" => Self::Names,
        "prefixes" => Self::Prefixes,
        "addresses" => Self::Addresses,
        "ports" => Self::Ports,
        "probability" => Self::Probability,
        "duration" => Self::Duration,
        "boolean" => Self::Boolean,
        "count" => Self::Count,
        "size" => Self::Size,
        "rate" => Self::Rate,
    }
}

/// The middleboxes of a profile.
#[derive(Clone, Debug)]
pub(crate) enum Boxes {
    /// One, which needs no name.
    One(Box<BoxDeclaration>),
    /// Several, in the order in which a packet from the inside meets them.
    Several(Dictionary<BoxDeclaration>),
}

impl Default for Boxes {
    fn default() -> Self {
        Self::Several(Dictionary::default())
    }
}

impl Read for Boxes {
    fn read(node: &Node, errors: &mut Collector) -> Option<Self> {
        let several = |entries: &Vec<_>| !BoxDeclaration::KEYS.iter().any(|key| value(entries, key).is_some());
        match &node.value {
            Value::Table(entries) if several(entries) => Dictionary::read(node, errors).map(Self::Several),
            _ => BoxDeclaration::read(node, errors).map(|one| Self::One(Box::new(one))),
        }
    }

    fn schema(definitions: &mut Definitions) -> serde_json::Value {
        json!({ "anyOf": [BoxDeclaration::schema(definitions), Dictionary::<BoxDeclaration>::schema(definitions)] })
    }
}

table! {
    /// A middlebox.
    BoxDeclaration {
        /// Whether it can hold and drop packets, or only watch and inject.
        "place" => place: Place = Place::default(),
        /// Which directions it sees.
        "sees" => sees: Sees = Sees::default(),
        /// How it keeps flows.
        "flow" => flow: Option<FlowDeclaration>,
        /// How it reads TCP.
        "tcp" => tcp: Option<TcpDeclaration>,
    }
}

table! {
    /// How a box keeps flows.
    FlowDeclaration {
        /// What makes it begin to track a TCP flow: a SYN, or any segment.
        "from" => from: TrackFrom = TrackFrom::default(),
        /// Which flags end the tracking; none where not said.
        "teardown" => teardown: Vec<TeardownFlag> = Vec::new(),
        /// How long an idle flow is remembered.
        "idle" => idle: Option<IdleDeclaration>,
        /// How many data segments of the client are looked at before the flow is given up as harmless.
        "inspect-segments" => inspect_segments: Option<u32>,
        /// How many datagrams of both ends are looked at before the flow is given up as harmless.
        "inspect-datagrams" => inspect_datagrams: Option<u32>,
    }
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

table! {
    /// How long an idle TCP flow is remembered.
    IdleDeclaration {
        /// After a SYN.
        "syn-sent" => syn_sent: Option<Duration>,
        /// After the SYN/ACK.
        "syn-received" => syn_received: Option<Duration>,
        /// After data or the final ACK.
        "established" => established: Option<Duration>,
    }
}

table! {
    /// How a box reads TCP.
    TcpDeclaration {
        /// Whether it puts segments together before it looks: `"none"`, or `{ limit = BYTES }`.
        "reassembly" => reassembly: Option<Reassembly>,
        /// Whether a segment with a wrong checksum is ignored (`"verify"`) or looked at all the same (`"ignore"`).
        "checksum" => checksum: Option<Checksum>,
    }
}

choice! {
    /// Whether a box puts segments together before it looks.
    Reassembly {
        words {
            /// It looks at each segment alone.
            "none" => None,
        }
        keys {
            /// It puts together so many bytes of the client's, in order.
            "limit" => Limit(u32),
        }
    }
}

/// What a box does with a wrong checksum.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Checksum {
    Verify,
    Ignore,
}

words! {
    /// What a box does with a segment whose checksum is wrong.
    Checksum { "verify" => Self::Verify, "ignore" => Self::Ignore, }
}

table! {
    /// What is looked for and what is done.
    RuleDeclaration {
        /// Its name, which `by` and events use.
        "id" => id: Text,
        /// The box whose rule it is, where the profile has several.
        "box" => in_box: Option<Text>,
        /// One line for people.
        "about" => _about: Option<String>,
        /// The facts it reproduces; its grade is that of the weakest.
        "facts" => facts: Vec<Text> = Vec::new(),
        /// When it applies: all of these hold.
        "when" => when: When,
        /// How many matching packets of a flow pass before the rule acts on those that come after.
        "after" => after: Option<AfterDeclaration>,
        /// What happens to the packet that matched; it passes where not said.
        "trigger" => trigger: ResponseDeclaration = ResponseDeclaration::Pass,
        /// What is sent besides.
        "inject" => inject: OneOrMany<InjectDeclaration> = OneOrMany(Vec::new()),
        /// What happens to later packets. Needs `key` and `last`.
        "then" => then: Option<ThenWhat>,
        /// Which later packets are meant.
        "key" => key: Option<ResidualKey>,
        /// For how long.
        "last" => last: Option<Argument<Duration>>,
        /// Whether a later packet starts the time anew; `"never"` where not said.
        "refresh" => refresh: Option<Refresh>,
        /// How often the rule fails to act, from 0 to 1.
        "miss" => miss: Option<Argument<f64>>,
        /// Whether the search goes on after this rule matched.
        "also" => also: bool = false,
    }
}

words! {
    /// Whether a later packet starts the time of a punishment anew: none, each, or each of the client's.
    Refresh { "never" => Self::Never, "on-packet" => Self::OnPacket, "on-client-packet" => Self::OnClientPacket, }
}
