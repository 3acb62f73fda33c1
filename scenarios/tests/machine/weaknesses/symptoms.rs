//! Techniques that live on what a censor's own packets look like, and what censors do about that.

use super::{ANSWER, drops, fake_first, hello_by, send_all};
use crate::facts::WHATSAPP_HELLO;
use crate::pair::case::inline;
use crate::pair::craft::{RST, Segment};
use crate::pair::{Incoming, Outcome, Pair};

/// A box on the path that answers a listed name with this.
fn injects(injection: &str) -> Pair {
    Pair::new(inline(&format!(
        "box.place = \"on-path\"\n[[rule]]\nid = \"listed\"\nwhen = {{ tls.sni = [\"whatsapp.com\"] }}\n{injection}\n"
    )))
}

fn outcome(mut pair: Pair) -> Outcome {
    let connection = pair.connect(443);
    pair.exchange(connection, WHATSAPP_HELLO, ANSWER)
}

/// GoodbyeDPI --ip-id: resets whose identification is zero or one are the censor's.
#[test]
pub(crate) fn known_by_the_identification() {
    for (id, expected) in [("0", Outcome::Answered), ("\"random\"", Outcome::Reset)] {
        let injection = format!("inject = {{ reset = {{ to = \"client\", flags = \"RA\" }}, ip = {{ id = {id} }} }}");
        let mut pair = injects(&injection);
        pair.client.lets_through = |packet| {
            let is_reset = Incoming::parse(packet).is_some_and(|segment| segment.has(RST));
            !is_reset || packet[4] != 0 || packet[5] > 1
        };
        assert_eq!(outcome(pair), expected, "{id}");
    }
}

/// Who throws away every reset is safe from a censor that cannot drop, and from no other.
#[test]
pub(crate) fn resets_are_ignored() {
    let both = "inject = { reset = { to = \"client\", flags = \"R\" } }";
    assert_eq!(outcome(injects(both)), Outcome::Reset, "without the filter");
    for (mut pair, expected) in [(injects(both), Outcome::Answered), (Pair::new(drops("")), Outcome::Silence)] {
        pair.client.lets_through = |packet| !Incoming::parse(packet).is_some_and(|segment| segment.has(RST));
        assert_eq!(outcome(pair), expected);
    }
}

/// A censor that hunts for fakes drops the connection on which it sees one.
#[test]
pub(crate) fn fakes_are_hunted() {
    let hunts = |anomaly: &str| {
        let rule = format!(
            "tcp.checksum = \"ignore\"\n[[rule]]\nid = \"hunt\"\nwhen = {{ packet.anomaly = \"{anomaly}\" }}\n\
             trigger = \"drop\"\nthen = {{ both = \"drop\" }}\nkey = \"4t\"\nlast = \"60s\""
        );
        drops(&rule)
    };
    let few_hops = || fake_first(|fake| Segment { ttl: 5, ..fake });
    let wrong = || fake_first(|fake| Segment { bad_checksum: true, ..fake });
    assert_eq!(hello_by(drops("tcp.checksum = \"ignore\""), few_hops()), Outcome::Answered);
    assert_eq!(hello_by(hunts("ttl-jump"), few_hops()), Outcome::Silence);
    assert_eq!(hello_by(drops("tcp.checksum = \"ignore\""), wrong()), Outcome::Answered);
    assert_eq!(hello_by(hunts("checksum"), wrong()), Outcome::Silence);
    assert_eq!(hello_by(hunts("ttl-jump"), send_all), Outcome::Silence, "the name is still looked for");
}

/// What byedpi's --auto tells apart: a reset, silence, a redirect, and something that is no `ServerHello`.
#[test]
pub(crate) fn each_has_its_own() {
    let got = |injection: &str| {
        let mut pair = injects(injection);
        let connection = pair.connect(443);
        let outcome = pair.exchange(connection, WHATSAPP_HELLO, ANSWER);
        (outcome, pair.at_client(connection).stream())
    };
    assert_eq!(got("inject = { reset = { to = \"client\", flags = \"RA\" } }").0, Outcome::Reset);
    assert_eq!(outcome(Pair::new(drops(""))), Outcome::Silence);
    let redirect = got("inject = { http = { to = \"client\", status = 302, location = \"http://block.example/\" } }");
    assert!(redirect.1.starts_with(b"HTTP/1.1 302"), "{:?}", String::from_utf8_lossy(&redirect.1));
    let other = got("inject = { segment = { to = \"client\", flags = \"PA\", text = \"no ServerHello\" } }");
    assert!(other.1.starts_with(b"no ServerHello"));
}
