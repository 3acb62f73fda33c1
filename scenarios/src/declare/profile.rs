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

use roadblock_censor::policy::{Grade, Refresh, ResidualKey};

use crate::declare::{
    AfterDeclaration, Argument, Boxes, FileKind, InjectDeclaration, ResponseDeclaration, ThenWhat, When,
};
use crate::read::{Dictionary, Needed, OneOrMany, table, words};
use crate::source::{Spanned, Text};
use crate::tree::Node;

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
    /// What may be set: of a profile by a scenario, of a scenario by one that extends it or by a command.
    Parameter {
        /// What it holds.
        "type" => kind: ParameterType,
        /// What it holds where nobody sets it. Lists are empty and flags false without it; anything else must be set.
        "default" => default: Option<Node>,
        /// One line for people.
        "about" => about: Option<String>,
        /// How far the default is known.
        "grade" => grade: Option<Grade>,
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
    Text,
    Keywords,
    Fingerprints,
}

impl ParameterType {
    /// Whether it holds a list, which is empty where nothing is said.
    pub(crate) fn is_list(self) -> bool {
        match self {
            Self::Names | Self::Prefixes | Self::Addresses | Self::Ports | Self::Keywords | Self::Fingerprints => true,
            Self::Probability | Self::Duration | Self::Boolean | Self::Count | Self::Size | Self::Rate | Self::Text => {
                false
            }
        }
    }

    /// Whether it has no neutral value: where there is no default, it must be set.
    pub(crate) fn is_needed(self) -> bool {
        !self.is_list() && self != Self::Boolean
    }

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
            Self::Text => "text",
            Self::Keywords => "keywords",
            Self::Fingerprints => "fingerprints",
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
        "text" => Self::Text,
        "keywords" => Self::Keywords,
        "fingerprints" => Self::Fingerprints,
    }
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
        /// Whether the flow's first payload and its server are handed to an active prober.
        "suspect" => suspect: bool = false,
        /// What happens to later packets: one punishment, or several of which the first that covers a packet decides. Needs
        /// `key` and `last`, here or in each.
        "then" => then: OneOrMany<ThenWhat> = OneOrMany(Vec::new()),
        /// Which later packets are meant.
        "key" => key: Option<ResidualKey>,
        /// For how long, from its beginning.
        "last" => last: Option<Argument<Duration>>,
        /// How long after its trigger a punishment begins; at once where not said.
        "begins" => begins: Option<Argument<Duration>>,
        /// Which packets start the time anew; `"never"` where not said.
        "refresh" => refresh: Option<Refresh>,
        /// The share of later flows that it hits, from 0 to 1; all where not said. The flow that triggered it is always hit.
        "hits" => hits: Option<Argument<f64>>,
        /// How often the rule fails to act, from 0 to 1, drawn once for each flow.
        "miss" => miss: Option<Argument<f64>>,
        /// How often the rule acts, from 0 to 1, drawn once for each flow: the same said the other way round.
        "chance" => chance: Option<Argument<f64>>,
        /// Whether the search goes on after this rule matched.
        "also" => also: bool = false,
    }
}

words! {
    /// Whether a later packet starts the time of a punishment anew: none, each, or each of the client's.
    Refresh { "never" => Self::Never, "on-packet" => Self::OnPacket, "on-client-packet" => Self::OnClientPacket, }
}
