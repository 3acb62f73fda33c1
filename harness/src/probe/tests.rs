use roadblock_scenarios::{Library, Scenario, load};

use super::*;
use crate::run::describe;

fn flagship() -> Scenario {
    load("ru/whatsapp-2026", &Library::embedded()).expect("a sound scenario")
}

fn asked(word: &str, target: Option<&str>) -> Result<String, AskError> {
    kind(word)?.ask(&flagship(), target).map(|probe| describe(&probe))
}

#[test]
fn each_probe_is_called_by_a_word_of_its_own() {
    for (at, each) in KINDS.iter().enumerate() {
        assert!(KINDS[..at].iter().all(|other| other.word != each.word), "{}", each.word);
        assert!(!each.about.is_empty() && !each.test.name.is_empty());
    }
}

#[test]
fn targets_are_written_as_one_would_say_them() {
    let asked = |word, target: &str| asked(word, Some(target)).expect("a measurement");
    insta::assert_snapshot!(asked("dns", "web.whatsapp.com@8.8.8.8"), @"dns A web.whatsapp.com at 8.8.8.8, gathering answers for 1 s");
    insta::assert_snapshot!(asked("tcp", "[2a00::1]:80"), @"tcp [2a00::1]:80");
    insta::assert_snapshot!(asked("tls", "web.whatsapp.com@1.1.1.1"), @"tls 1.1.1.1:443 with SNI web.whatsapp.com");
    insta::assert_snapshot!(asked("tls", "web.whatsapp.com:8443"), @"tls 31.13.84.51:8443 with SNI web.whatsapp.com");
    insta::assert_snapshot!(asked("quic", "web.whatsapp.com"), @"quic 31.13.84.51:443 with SNI web.whatsapp.com");
    insta::assert_snapshot!(asked("http", "https://web.whatsapp.com/"), @"http https://web.whatsapp.com/");
    insta::assert_snapshot!(asked("h3", "https://web.whatsapp.com/"), @"h3 https://web.whatsapp.com/");
}

#[test]
fn what_cannot_be_asked_is_refused_with_what_can() {
    let refused = |word, target| asked(word, target).expect_err("no measurement").to_string();
    insta::assert_snapshot!(refused("tls", None), @"`tls` takes a target: NAME, NAME:PORT, or NAME@ADDRESS:PORT to say a name elsewhere");
    insta::assert_snapshot!(refused("whatsapp", Some("x")), @"`whatsapp` takes no target, and `x` is one");
    insta::assert_snapshot!(refused("tcp", Some("web.whatsapp.com")), @"`web.whatsapp.com` is not an address and a port, as 1.1.1.1:443");
    insta::assert_snapshot!(refused("tls", Some("nobody.example")), @"nothing in `ru/whatsapp-2026` is called `nobody.example`; write an address with it, as nobody.example@1.1.1.1:443");
    insta::assert_snapshot!(refused("h3", Some("http://a.example/")), @"`http://a.example/` is not a URL that HTTP/3 can reach: it has no other scheme than https");
    assert!(refused("gopher", None).starts_with("there is no probe `gopher`; there are `web`, `dns`, `tcp`"));
}
