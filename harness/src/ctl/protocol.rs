//! `roadblock.ctl/1`: lines of JSON, one request and then one answer or a stream of them.
//!
//! A request is `{"schema": "roadblock.ctl/1", "do": …}`, an answer `{"schema": "roadblock.ctl/1", "said": …}`. What stands for
//! the dots is a word, or an object with a word for its only key: `"status"`, `{"phase": {"id": "full-block"}}`.

use serde::{Deserialize, Serialize};

/// The name of this version.
pub(crate) const SCHEMA: &str = "roadblock.ctl/1";
/// The longest line that is read, in bytes.
pub(crate) const LONGEST_LINE: u64 = 1 << 20;

/// What a lab is asked.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// [`SCHEMA`].
    pub(crate) schema: String,
    /// What is to be done.
    #[serde(rename = "do")]
    pub(crate) demand: Demand,
}

/// What a lab can do.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Demand {
    /// Say what it is.
    About,
    /// Say how it is.
    Status,
    /// Enter a phase.
    Phase {
        /// The phase's id.
        id: String,
    },
    /// Read its scenario's file again, and play that.
    Reload,
    /// Move its clock on.
    Clock {
        /// By how much.
        nanoseconds: u64,
    },
    /// Say what was decided, one answer for each decision.
    Events {
        /// Go on with what is decided from now on, until the lab ends.
        follow: bool,
    },
}

/// What a lab says.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Reply {
    /// [`SCHEMA`].
    pub(crate) schema: String,
    /// What it says.
    pub(crate) said: Answer,
}

/// What a lab can say.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Answer {
    /// What it is.
    About(About),
    /// How it is.
    Status(Box<Status>),
    /// It is in another phase, or still in the one asked for.
    Phase {
        /// The phase it was in.
        from: String,
        /// The phase it is in.
        to: String,
    },
    /// It plays the file as it is now.
    Reloaded {
        /// The phase it is in, as before.
        phase: String,
        /// The phases that there are now.
        phases: Vec<String>,
    },
    /// Its clock stands here now.
    Clock {
        /// Since the lab began.
        nanoseconds: u64,
    },
    /// A decision.
    Event {
        /// As the line of `exec --events`.
        decision: serde_json::Value,
        /// The flow it was about, in words.
        flow: String,
        /// What was decided, by whom and why, in words.
        words: String,
    },
    /// That were all.
    End,
    /// It was not done.
    Refused {
        /// Why, as a kind.
        reason: Reason,
        /// Why, as a sentence fragment.
        why: String,
    },
}

/// Why something was not done.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reason {
    /// What was asked makes no sense to this lab: it has no such phase, or does not know the request.
    Usage,
    /// The lab does not do that, and goes on as before.
    Refused,
    /// The lab failed.
    Fault,
}

/// What a lab is; it does not change while the lab lives, except for the phase.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct About {
    /// What the user calls it.
    pub(crate) lab: String,
    /// The process outside that it dies with.
    pub(crate) pid: u32,
    /// The scenario's id.
    pub(crate) scenario: String,
    /// The phase that it is in.
    pub(crate) phase: String,
    /// The scenario's vantages.
    pub(crate) vantages: Vec<String>,
    /// What runs in it, as one would type it.
    pub(crate) command: String,
    /// When it began, in seconds since 1970 by the clock of the machine.
    pub(crate) since: u64,
    /// Whether it moves to other phases and through time on demand. One that is measured does not.
    pub(crate) changeable: bool,
}

/// How a lab is.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Status {
    /// What it is.
    pub(crate) about: About,
    /// The scenario's phases, in order.
    pub(crate) phases: Vec<String>,
    /// What its clock shows, since it began.
    pub(crate) nanoseconds: u64,
    /// How much was decided so far.
    pub(crate) events: usize,
    /// The hops that look at packets.
    pub(crate) hops: Vec<HopStatus>,
    /// What makes results untrustworthy.
    pub(crate) problems: Vec<StatusProblem>,
}

/// How a hop is that looks at packets.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct HopStatus {
    /// Its name.
    pub(crate) hop: String,
    /// Packets looked at.
    pub(crate) packets: u64,
    /// Packets dropped.
    pub(crate) dropped: u64,
    /// Packets made.
    pub(crate) injected: u64,
    /// Flows tracked now.
    pub(crate) flows: usize,
    /// Punishments in force now.
    pub(crate) residuals: usize,
}

/// Something that makes results untrustworthy.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct StatusProblem {
    /// Where.
    pub(crate) place: String,
    /// What.
    pub(crate) what: String,
}

impl Request {
    pub(crate) fn new(demand: Demand) -> Self {
        Self { schema: SCHEMA.to_owned(), demand }
    }
}

impl Reply {
    pub(crate) fn new(said: Answer) -> Self {
        Self { schema: SCHEMA.to_owned(), said }
    }
}

impl Answer {
    pub(crate) fn refused(reason: Reason, why: impl Into<String>) -> Self {
        Self::Refused { reason, why: why.into() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(value: &impl Serialize) -> String {
        serde_json::to_string(value).expect("JSON")
    }

    /// Other programs write these.
    #[test]
    fn requests_are_written_as_documented() {
        insta::assert_snapshot!(line(&Request::new(Demand::Status)), @r#"{"schema":"roadblock.ctl/1","do":"status"}"#);
        insta::assert_snapshot!(line(&Request::new(Demand::Phase { id: "full-block".to_owned() })), @r#"{"schema":"roadblock.ctl/1","do":{"phase":{"id":"full-block"}}}"#);
        insta::assert_snapshot!(line(&Request::new(Demand::Clock { nanoseconds: 90_000_000_000 })), @r#"{"schema":"roadblock.ctl/1","do":{"clock":{"nanoseconds":90000000000}}}"#);
        insta::assert_snapshot!(line(&Request::new(Demand::Events { follow: true })), @r#"{"schema":"roadblock.ctl/1","do":{"events":{"follow":true}}}"#);
        insta::assert_snapshot!(line(&Reply::new(Answer::refused(Reason::Usage, "no phase is called `x`"))), @r#"{"schema":"roadblock.ctl/1","said":{"refused":{"reason":"usage","why":"no phase is called `x`"}}}"#);
        insta::assert_snapshot!(line(&Reply::new(Answer::End)), @r#"{"schema":"roadblock.ctl/1","said":"end"}"#);
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        for odd in [
            r#"{"schema":"roadblock.ctl/1","do":"explode"}"#,
            r#"{"schema":"roadblock.ctl/1","do":"status","and":1}"#,
            r#"{"schema":"roadblock.ctl/1","do":{"phase":{"id":"x","now":true}}}"#,
            r#"{"do":"status"}"#,
        ] {
            assert!(serde_json::from_str::<Request>(odd).is_err(), "{odd}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_a_request_or_an_error(text in ".{0,200}") {
            if let Ok(request) = serde_json::from_str::<Request>(&text) {
                prop_assert_eq!(serde_json::from_str::<Request>(&line(&request)).expect("its own"), request);
            }
        }
    }
}
