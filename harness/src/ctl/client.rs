//! The side of `roadblock ctl`.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::place;
use super::protocol::{About, Answer, Demand, LONGEST_LINE, Reason, Reply, Request, SCHEMA};

/// Why a lab could not be asked, or did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CtlError {
    /// There is none.
    #[error("no lab of yours is running; `roadblock shell SCENARIO` starts one")]
    NoLabs,
    /// There is none of this name.
    #[error("no lab of yours is called `{name}`; there is {has}")]
    NoSuchLab {
        /// The name.
        name: String,
        /// Those that there are.
        has: String,
    },
    /// There are several, and none was named.
    #[error("several labs of yours are running, so name one: {has}")]
    SeveralLabs {
        /// Those that there are.
        has: String,
    },
    /// It cannot be reached, or ended in the middle.
    #[error("lab `{lab}` did not answer: {cause}")]
    Silent {
        /// The lab.
        lab: String,
        /// What was said.
        cause: io::Error,
    },
    /// It speaks another version.
    #[error("lab `{lab}` speaks `{schema}` and this roadblock `{SCHEMA}`; use the roadblock that started it")]
    OtherVersion {
        /// The lab.
        lab: String,
        /// What it speaks.
        schema: String,
    },
    /// It did not do it.
    #[error("{why}")]
    Refused {
        /// The kind.
        reason: Reason,
        /// The reason.
        why: String,
    },
}

/// A connection to a lab.
#[derive(Debug)]
pub(crate) struct Conversation {
    lab: String,
    stream: BufReader<UnixStream>,
}

/// The labs of this user, by name.
pub(crate) fn all() -> Vec<About> {
    let asked = place::living().into_iter().map(|(lab, stream)| {
        let mut conversation = Conversation::new(lab, stream);
        match conversation.ask(Demand::About) {
            Ok(Answer::About(about)) => Some(about),
            // It ended meanwhile.
            Ok(_) | Err(_) => None,
        }
    });
    asked.flatten().collect()
}

/// The lab of this name; without a name the only one there is.
pub(crate) fn find(name: Option<&str>) -> Result<Conversation, CtlError> {
    let mut living = place::living();
    let has = living.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let place = match name {
        _ if living.is_empty() => return Err(CtlError::NoLabs),
        Some(name) => living.iter().position(|(each, _)| each == name),
        None if living.len() == 1 => Some(0),
        None => return Err(CtlError::SeveralLabs { has }),
    };
    let missing = || CtlError::NoSuchLab { name: name.unwrap_or_default().to_owned(), has };
    let (lab, stream) = living.swap_remove(place.ok_or_else(missing)?);
    Ok(Conversation::new(lab, stream))
}

impl Conversation {
    fn new(lab: String, stream: UnixStream) -> Self {
        Self { lab, stream: BufReader::new(stream) }
    }

    /// Asks, and waits for an answer that is not a refusal.
    pub(crate) fn ask(&mut self, demand: Demand) -> Result<Answer, CtlError> {
        // A long list may take its time; a lab that is stopped in a debugger shall not keep others from being listed.
        let patience = if demand == Demand::About { Some(PATIENCE) } else { None };
        let silent = |lab: &str| {
            let lab = lab.to_owned();
            move |cause| CtlError::Silent { lab, cause }
        };
        let line = serde_json::to_string(&Request::new(demand)).map_err(io::Error::other);
        let stream = self.stream.get_mut();
        let sent = line.and_then(|line| {
            stream.set_read_timeout(patience)?;
            stream.write_all((line + "\n").as_bytes())
        });
        sent.map_err(silent(&self.lab))?;
        self.hear()
    }

    /// Waits for another answer of a stream.
    pub(crate) fn hear(&mut self) -> Result<Answer, CtlError> {
        let lab = || self.lab.clone();
        let mut line = String::new();
        let read = self.stream.by_ref().take(LONGEST_LINE).read_line(&mut line);
        let read = read.map_err(|cause| CtlError::Silent { lab: lab(), cause })?;
        if read == 0 {
            return Err(CtlError::Silent { lab: lab(), cause: io::ErrorKind::UnexpectedEof.into() });
        }
        // Another version's answer need not be one of ours, so its name is looked at first.
        let value: serde_json::Value = serde_json::from_str(&line).map_err(|error| odd(lab(), error))?;
        match value.get("schema").and_then(serde_json::Value::as_str) {
            Some(SCHEMA) => {}
            other => {
                let schema = other.unwrap_or("nothing that names its schema").to_owned();
                return Err(CtlError::OtherVersion { lab: lab(), schema });
            }
        }
        let reply: Reply = serde_json::from_value(value).map_err(|error| odd(lab(), error))?;
        match reply.said {
            Answer::Refused { reason, why } => Err(CtlError::Refused { reason, why }),
            answer => Ok(answer),
        }
    }
}

fn odd(lab: String, error: serde_json::Error) -> CtlError {
    CtlError::Silent { lab, cause: io::Error::other(error) }
}

/// How long a lab may take to say what it is.
const PATIENCE: Duration = Duration::from_secs(5);
