//! Every technique of the tools against censors, with the weakness that it lives on and without.
//!
//! Each test sends what the tool would send: with the weakness the server gets all of the request and the client its answer,
//! without it they do not. The censor drops what it recognises, and all that follows on the connection, so that what is
//! answered was not recognised.

mod ip;

use roadblock_censor::Policy;
use roadblock_censor::policy::BoxPolicy;

use crate::facts::WHATSAPP_HELLO;
use crate::pair::case::inline;
use crate::pair::{Connection, Outcome, Pair};

const ANSWER: &[u8] = b"an answer";

/// A row of the survey, by its first words, and the test that stands for it.
type Row = (&'static str, fn());

const ROWS: &[Row] = &[("IPv4/IPv6 ipfrag1/ipfrag2", ip::fragments), ("v6 hopbyhop/destopt", ip::extension_headers)];

/// Drops every `ClientHello` for whatsapp.com and what follows on its connection.
const DROPS: &str = r#"
[[rule]]
id = "sni"
when = { tls.sni = ["whatsapp.com"] }
trigger = "drop"
then = { both = "drop" }
key = "4t"
last = "60s"
"#;

/// A censor that drops by name, with this said of its box.
fn drops(box_keys: &str) -> Policy {
    inline(&format!("[box]\nplace = \"in-path\"\n{box_keys}\n{DROPS}"))
}

/// The same, with its box changed.
fn drops_with(change: impl FnOnce(&mut BoxPolicy)) -> Policy {
    let mut policy = drops("");
    change(&mut policy.boxes[0]);
    policy
}

/// How it goes when a `ClientHello` is sent in this way on a new connection.
fn hello_by(policy: Policy, technique: impl FnOnce(&mut Pair, Connection)) -> Outcome {
    hello_over(Pair::new(policy), technique)
}

fn hello_over(mut pair: Pair, technique: impl FnOnce(&mut Pair, Connection)) -> Outcome {
    let connection = pair.connect(443);
    assert!(pair.is_open(connection), "the handshake is let through");
    pair.client_takes(connection, WHATSAPP_HELLO);
    technique(&mut pair, connection);
    pair.answer(connection, WHATSAPP_HELLO, ANSWER)
}

/// No row of the survey is left out, and none is there that it does not have.
#[test]
fn every_row_has_a_test() {
    let rows: Vec<&str> = include_str!("rows.txt").lines().collect();
    for (row, _) in ROWS {
        assert!(rows.contains(row), "no row of the survey: {row}");
    }
}
