//! Some facts once more between ends that nobody wrote for these tests.

use super::{INSTAGRAM_HELLO, WHATSAPP_HELLO};
use crate::pair::case::{check, fact_case, inline};
use crate::pair::independent::exchange;
use crate::pair::{Outcome, SERVER};

const V4: (&str, &str) = ("94.25.168.10", SERVER);
const V6: (&str, &str) = ("2a02:2168::1", "2a03:2880:f145::1");
const ANSWER: &[u8] = b"a ServerHello and more";

/// Without anything that blocks, what is asked is answered.
#[test]
fn an_independent_stack_is_answered() {
    for ends in [V4, V6] {
        let report = exchange(roadblock_censor::Policy::default(), ends, WHATSAPP_HELLO, ANSWER);
        assert_eq!((report.outcome, report.server_stands), (Outcome::Answered, true));
    }
}

/// TSPU-1: the client's stack takes the rewritten answer for a reset; the server's has the `ClientHello` and knows of nothing.
#[test]
fn tspu_1_an_independent_stack_is_reset() {
    fact_case("TSPU-1", "censors/tspu-2026", "sni-1 = [\"whatsapp.com\"]", &["sni-1"], |policy| {
        for ends in [V4, V6] {
            let report = exchange(policy.clone(), ends, WHATSAPP_HELLO, ANSWER);
            check(report.outcome == Outcome::Reset, &format!("a reset, not {report:?}"))?;
            check(report.server_stands && report.server_got == WHATSAPP_HELLO, "the server knows of nothing")?;
            let other = exchange(policy.clone(), ends, INSTAGRAM_HELLO, ANSWER);
            check(other.outcome == Outcome::Answered, "another name is answered")?;
        }
        Ok(())
    });
}

/// TSPU-4: the `ClientHello` never arrives, and the client hears nothing.
#[test]
fn tspu_4_an_independent_stack_waits() {
    fact_case("TSPU-4", "censors/tspu-2026", "sni-4 = [\"whatsapp.com\"]", &["sni-4"], |policy| {
        let report = exchange(policy, V4, WHATSAPP_HELLO, ANSWER);
        check(report.outcome == Outcome::Silence && report.server_got.is_empty(), &format!("silence, not {report:?}"))
    });
}

/// An injected reset has the numbers that a stack accepts, whichever end gets it.
#[test]
fn injected_resets_are_taken() {
    for to in ["both", "client", "server"] {
        let policy = inline(&format!(
            "box.place = \"on-path\"\n[[rule]]\nid = \"sni\"\nwhen = {{ tls.sni = [\"whatsapp.com\"] }}\n\
             inject = {{ reset = {{ to = \"{to}\", flags = \"RA\" }}, delay = \"0ms\" }}\n"
        ));
        let report = exchange(policy, V4, WHATSAPP_HELLO, ANSWER);
        // What the one that was reset then says to the other resets that one too, sooner or later.
        assert_eq!(report.outcome, Outcome::Reset, "{to}");
        assert!(!report.server_stands, "{to}");
    }
    let report = exchange(inline("box.place = \"on-path\"\n"), V4, WHATSAPP_HELLO, ANSWER);
    assert_eq!(report.outcome, Outcome::Answered);
}
