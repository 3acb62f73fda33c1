//! An app is as good as the worst of what its user does with it.

use roadblock_scenarios::model::VerdictWord;

use super::super::tools::Tools;
use super::super::trace::{Outcome, TestKeys};
use super::super::transfer::{self, Transfer};

/// A messenger whose users write and send media: the worst of its chat and of media each way, with OONI's test keys. All of it
/// is measured side by side; `beside` is for what must not take the chat's port.
pub(super) async fn chat_and_media(
    beside: &Tools,
    chat: impl Future<Output = Outcome>,
    [down, up]: &[Transfer; 2],
    ooni: impl Future<Output = TestKeys>,
) -> Outcome {
    let (chat, down, up, test_keys) =
        tokio::join!(chat, transfer::probe(beside, down), transfer::probe(beside, up), Box::pin(ooni));
    let app = worst([("chat", chat), ("media", down), ("media", up)]);
    Outcome { test_keys, ..app }
}

/// The worst of several parts, the first of those that are equally bad; it keeps what was met in all of them. What is the
/// same in every part is said of the app as a whole.
pub(super) fn worst<const N: usize>(parts: [(&'static str, Outcome); N]) -> Outcome {
    let mut parts = Vec::from(parts.map(|(name, outcome)| outcome.of(name)));
    let worst = parts.iter().map(|part| badness(part.verdict)).max().unwrap_or_default();
    let Some(at) = parts.iter().position(|part| badness(part.verdict) == worst) else {
        return Outcome::new(VerdictWord::Unmeasured);
    };
    let alike = parts.windows(2).all(|pair| matches!(pair, [one, other] if is_alike(one, other)));
    let mut chosen = parts.remove(at);
    let mut layers: Vec<_> = parts.into_iter().flat_map(|part| part.layers).collect();
    layers.append(&mut chosen.layers);
    Outcome { layers, part: if alike { None } else { chosen.part }, ..chosen }
}

/// The first of several attempts at the same thing that succeeded, else the first that failed.
pub(super) fn best(attempts: Vec<Outcome>) -> Outcome {
    let mut attempts = attempts;
    let at = attempts.iter().position(Outcome::is_ok).unwrap_or_default();
    if attempts.is_empty() { Outcome::new(VerdictWord::Unmeasured) } else { attempts.swap_remove(at) }
}

fn is_alike(one: &Outcome, other: &Outcome) -> bool {
    one.verdict == other.verdict && one.failure == other.failure && one.how == other.how
}

/// What is slow works still, what stands still worked for a while, and anything else does not work.
fn badness(verdict: VerdictWord) -> u8 {
    match verdict {
        VerdictWord::Ok => 0,
        VerdictWord::Unmeasured => 1,
        VerdictWord::Throttled => 2,
        VerdictWord::Freezes => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::failure::Failure;
    use super::*;

    fn outcome(verdict: VerdictWord) -> Outcome {
        Outcome::new(verdict)
    }

    #[test]
    fn the_worst_part_speaks_for_the_app() {
        let slow = outcome(VerdictWord::Throttled).said("slow");
        let app = worst([("chat", outcome(VerdictWord::Ok)), ("media", slow.clone())]);
        assert_eq!((app.verdict, app.part, app.how.as_deref()), (VerdictWord::Throttled, Some("media"), Some("slow")));
        let app = worst([("media", slow), ("chat", outcome(VerdictWord::Protocol).said("cut"))]);
        assert_eq!((app.verdict, app.part, app.how.as_deref()), (VerdictWord::Protocol, Some("chat"), Some("cut")));
        let app = worst([("chat", outcome(VerdictWord::Tcp)), ("media", outcome(VerdictWord::Tls))]);
        assert_eq!((app.verdict, app.part), (VerdictWord::Tcp, Some("chat")));
    }

    #[test]
    fn what_is_the_same_everywhere_is_said_of_the_app() {
        let gone = || Outcome { failure: Some(Failure::DnsNxdomain), ..outcome(VerdictWord::Dns) };
        let app = worst([("chat", gone()), ("media", gone())]);
        assert_eq!((app.verdict, app.part), (VerdictWord::Dns, None));
        let other = Outcome { failure: Some(Failure::DnsRefused), ..outcome(VerdictWord::Dns) };
        assert_eq!(worst([("chat", gone()), ("media", other)]).part, Some("chat"));
    }

    #[test]
    fn one_attempt_that_succeeds_is_enough() {
        let failed = || outcome(VerdictWord::Tcp);
        assert!(best(vec![failed(), outcome(VerdictWord::Ok)]).is_ok());
        assert_eq!(best(vec![failed(), outcome(VerdictWord::Protocol)]).verdict, VerdictWord::Tcp);
        assert_eq!(best(Vec::new()).verdict, VerdictWord::Unmeasured);
    }
}
