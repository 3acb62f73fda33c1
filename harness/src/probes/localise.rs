//! At which hop does somebody interfere? A trigger is said with a rising time to live, beside a neutral one, and the hop at
//! which the answers first differ is where it is seen (`CenTrace`: Raman et al., `Network Measurement Methods for Locating and
//! Examining Censorship Devices`, `CoNEXT` 2022).
//!
//! A box that answers or drops shows itself at its own hop, because what reaches it expires there. One that rewrites what the
//! server sends, as the TSPU does (T15), shows nothing before the trigger has reached the server, and its resets come from as
//! far as the server's own packets: both of these tests are blind then, and that is said. If such a box remembers the
//! connection, its hop is found all the same: the trigger expires on the way, and something neutral on the same ports is
//! hit from that hop on.

use std::net::SocketAddr;
use std::time::Duration;

use roadblock_censor::policy::Place as BoxPlace;
use roadblock_scenarios::model::{Name, Says, TraceFinds, Vantage, VerdictWord};
use serde_json::json;

use super::failure::Failure;
use super::found::Found;
use super::limited::{Answer, Heard, Words, say};
use super::socket::Source;
use super::tools::Tools;
use super::trace::{Operation, Outcome, Place, Trace};

/// A trigger and something neutral.
#[derive(Clone, Debug)]
pub(crate) struct Localise {
    /// What may be interfered with.
    pub(crate) trigger: Words,
    /// What is not.
    pub(crate) neutral: Words,
    /// The names of the vantage's hops, by which a hop that was found is called.
    pub(crate) path: Vec<Name>,
}

impl Localise {
    /// What says `about` and what says `neutral`, from this vantage.
    pub(crate) fn new(vantage: &Vantage, remote: SocketAddr, says: Says, (about, neutral): (&str, &str)) -> Self {
        let words = |name: &str| Words { remote, says, name: name.to_owned() };
        Self { trigger: words(about), neutral: words(neutral), path: vantage.path.clone() }
    }
}

/// What was found about where somebody interferes.
#[derive(Clone, Debug, Default)]
pub(crate) struct TraceFound {
    /// The hop, counted from 1; nothing where it could not be told.
    hop: Option<u8>,
    /// Its name.
    name: Option<Name>,
    /// What it does, as far as a client can tell.
    place: Option<BoxPlace>,
    /// Whether the interference itself does not show its hop.
    blind: bool,
    /// Whether a router quoted other bytes than were said.
    changed: bool,
    /// With what time to live the server's SYN/ACK and the reset came.
    times_to_live: Option<(u8, u8)>,
    /// Who said at each hop that it let the neutral words expire.
    routers: Vec<Option<std::net::IpAddr>>,
}

/// How somebody interferes, seen from the client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Interference {
    /// Somebody answered, or ended the connection.
    Answered(Answer),
    /// What was said went no further.
    Dropped,
}

/// Looks for the hop.
pub(crate) async fn probe(tools: &Tools, localise: &Localise) -> Outcome {
    match search(tools, localise).await {
        Ok(outcome) => outcome,
        Err(failure) => {
            let mut trace = Trace::default();
            trace.note(place(&localise.trigger, 0), Some(failure.clone()));
            trace.failed(failure)
        }
    }
}

async fn search(tools: &Tools, localise: &Localise) -> Result<Outcome, Failure> {
    let Localise { trigger, neutral, .. } = localise;
    let tools = &Tools { source: Source { port: None, abort: true, ..tools.source.clone() }, ..tools.clone() };
    let mut found = TraceFound::default();
    // As far as the server, which answers.
    let mut neutrals = Vec::new();
    loop {
        let ttl = u8::try_from(neutrals.len() + 1).unwrap_or(u8::MAX);
        let heard = say(tools, neutral, Some(ttl), LISTEN).await?;
        found.changed |= heard.changed;
        found.routers.push(heard.expired_at);
        let (ends, reached) = (ttl == FARTHEST, heard.answer == Answer::Bytes);
        neutrals.push(heard);
        match (reached, ends) {
            (true, _) => break,
            (false, true) => {
                return Ok(outcome(neutral, 0, Some(Interference::Dropped), found).judged(VerdictWord::Unmeasured));
            }
            (false, false) => {}
        }
    }
    for (index, beside) in neutrals.iter().enumerate() {
        let ttl = u8::try_from(index + 1).unwrap_or(u8::MAX);
        let heard = say(tools, trigger, Some(ttl), LISTEN).await?;
        found.changed |= heard.changed;
        let Some(interference) = interference(&heard, beside) else { continue };
        found.times_to_live = heard.handshake_ttl.zip(heard.reset_ttl);
        if index + 1 < neutrals.len() {
            found.hop = Some(ttl);
            found.place = Some(if heard.expired_at.is_some() { BoxPlace::OnPath } else { BoxPlace::InPath });
        } else {
            found.blind = true;
            found.hop = remembered(tools, localise, neutrals.len()).await?;
            found.place = Some(BoxPlace::InPath);
        }
        found.name = found.hop.and_then(|hop| named(&localise.path, hop, neutrals.len()));
        return Ok(outcome(trigger, heard.local_port, Some(interference), found));
    }
    Ok(outcome(trigger, 0, None, found))
}

/// Whether the trigger's fate is another than the neutral words' with the same time to live.
fn interference(trigger: &Heard, neutral: &Heard) -> Option<Interference> {
    match (trigger.answer, neutral.answer) {
        (Answer::Silence, Answer::Bytes) => Some(Interference::Dropped),
        // A router that never says anything tells nothing by its silence.
        (Answer::Silence, _) => {
            (trigger.expired_at.is_none() && neutral.expired_at.is_some()).then_some(Interference::Dropped)
        }
        (answer, beside) if answer != beside => Some(Interference::Answered(answer)),
        _ => None,
    }
}

/// The first hop from which on a trigger that expired there has its connection hit.
async fn remembered(tools: &Tools, localise: &Localise, distance: usize) -> Result<Option<u8>, Failure> {
    // What hits other connections, too, has been earned already.
    if say(tools, &localise.neutral, None, LISTEN).await?.answer != Answer::Bytes {
        return Ok(None);
    }
    for ttl in (1..distance).filter_map(|ttl| u8::try_from(ttl).ok()) {
        let earned = say(tools, &localise.trigger, Some(ttl), LISTEN).await?;
        let again = Tools {
            source: Source { port: Some(earned.local_port), ..tools.source.clone() },
            timeouts: tools.timeouts.for_used_ports(),
            ..tools.clone()
        };
        if say(&again, &localise.neutral, None, LISTEN).await?.answer != Answer::Bytes {
            return Ok(Some(ttl));
        }
    }
    Ok(None)
}

/// The scenario's name of a hop. What stands before the vantage's path, as a router of the user's own, has none.
fn named(path: &[Name], hop: u8, distance: usize) -> Option<Name> {
    let own = (distance - 1).checked_sub(path.len())?;
    path.get(usize::from(hop).checked_sub(own + 1)?).cloned()
}

fn place(words: &Words, local_port: u16) -> Place {
    Place { operation: words.operation(), remote: words.remote, local_port }
}

fn outcome(words: &Words, local_port: u16, interference: Option<Interference>, found: TraceFound) -> Outcome {
    let mut trace = Trace::default();
    let failure = match interference {
        None | Some(Interference::Answered(Answer::Bytes)) => None,
        Some(Interference::Answered(Answer::Closed)) => Some(Failure::Eof),
        Some(Interference::Answered(_)) => Some(Failure::ConnectionReset),
        Some(Interference::Dropped) => Some(Failure::GenericTimeout),
    };
    trace.note(place(words, local_port), failure.clone());
    let how = found.how();
    let outcome = match (interference, failure) {
        (None, _) => trace.end(VerdictWord::Ok),
        (Some(_), Some(failure)) => trace.failed(failure).said(how),
        (Some(_), None) => trace.end(forged(words.operation())).said(how),
    };
    Outcome { found: Some(Found::Trace(found)), ..outcome }
}

/// What bytes are that come from the way.
const fn forged(operation: Operation) -> VerdictWord {
    match operation {
        Operation::Resolve => VerdictWord::Dns,
        Operation::HttpRoundTrip => VerdictWord::Blockpage,
        Operation::TlsHandshake => VerdictWord::Intercepted,
        _ => VerdictWord::Protocol,
    }
}

impl TraceFound {
    /// Whether it is what must be found.
    pub(super) fn is(&self, wanted: &TraceFinds) -> bool {
        let TraceFinds { hop, place, blind } = wanted;
        hop.as_ref().is_none_or(|hop| self.name.as_ref() == Some(hop))
            && place.is_none_or(|place| self.place == Some(place))
            && blind.is_none_or(|blind| self.blind == blind)
    }

    /// What was found, by the keys of `finds`.
    pub(super) fn words(&self) -> Vec<(&'static str, String)> {
        let place = self.place.map(|place| match place {
            BoxPlace::InPath => "in-path",
            BoxPlace::OnPath => "on-path",
        });
        let words = [
            ("hop", self.name.as_ref().map(ToString::to_string)),
            ("number", self.hop.map(|hop| hop.to_string())),
            ("place", place.map(str::to_owned)),
            ("blind", Some(self.blind.to_string())),
        ];
        words.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }

    /// The routers that were met.
    pub(super) fn evidence(&self) -> serde_json::Value {
        json!({ "said": self.how(), "routers": self.routers, "handshake_and_reset_ttl": self.times_to_live, "quoted_other_bytes": self.changed })
    }

    fn how(&self) -> String {
        let hop = self.hop.map(|hop| match &self.name {
            Some(name) => format!("at hop {hop}, {name}"),
            None => format!("at hop {hop}"),
        });
        match (hop, self.blind) {
            (Some(hop), false) => hop,
            (Some(hop), true) => format!("{hop}, by what it remembers: the time to live of its packets tells nothing"),
            (None, true) => "at a hop that cannot be told: the time to live of its packets tells nothing".to_owned(),
            (None, false) => "at no hop".to_owned(),
        }
    }
}

/// How long an answer is waited for.
const LISTEN: Duration = Duration::from_millis(500);
/// A server that is not reached within so many hops is not there.
const FARTHEST: u8 = 30;

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(answer: Answer, expired: bool) -> Heard {
        let expired_at = expired.then(|| "192.0.2.1".parse().expect("an address"));
        Heard { local_port: 1, answer, expired_at, changed: false, handshake_ttl: None, reset_ttl: None }
    }

    #[test]
    fn only_what_the_neutral_words_do_not_meet_is_interference() {
        let silent = |expired| heard(Answer::Silence, expired);
        assert_eq!(interference(&silent(true), &silent(true)), None);
        assert_eq!(interference(&silent(false), &silent(true)), Some(Interference::Dropped));
        assert_eq!(interference(&silent(false), &silent(false)), None, "a router that says nothing");
        let reset = heard(Answer::Reset, true);
        assert_eq!(interference(&reset, &silent(true)), Some(Interference::Answered(Answer::Reset)));
        let reached = heard(Answer::Bytes, false);
        assert_eq!(interference(&silent(false), &reached), Some(Interference::Dropped));
        assert_eq!(interference(&reached, &reached), None);
    }

    #[test]
    fn a_hop_has_the_name_that_the_scenario_gives_it() {
        let path = ["access".into(), "tspu".into()];
        assert_eq!(named(&path, 2, 3).as_deref(), Some("tspu"));
        assert_eq!(named(&path, 2, 4).as_deref(), Some("access"), "behind a router of the user's own");
        assert_eq!(named(&path, 1, 4), None);
    }

    #[test]
    fn what_is_blind_says_so() {
        let found = TraceFound { blind: true, hop: Some(2), name: Some("tspu".into()), ..TraceFound::default() };
        assert!(found.how().contains("tells nothing"));
        assert!(found.is(&TraceFinds { hop: Some("tspu".into()), place: None, blind: Some(true) }));
        assert!(!found.is(&TraceFinds { hop: Some("border".into()), place: None, blind: None }));
        assert!(!found.is(&TraceFinds { hop: None, place: None, blind: Some(false) }));
    }
}
