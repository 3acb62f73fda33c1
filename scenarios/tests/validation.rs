//! What is said without a lab about rules that never fire, lists that match nothing, and expectations of what is not there.

use roadblock_scenarios::{DiagnosticKind, Diagnostics, Library, Severity};

/// A profile's text after its head.
fn profile(text: &str) -> Library {
    let head = "kind = \"profile\"\nid = \"censors/mine\"\ntitle = \"Mine\"\n\
                param.names = { type = \"names\" }\nparam.others = { type = \"names\" }\n\
                param.prefixes = { type = \"prefixes\" }\nparam.ports = { type = \"ports\", default = [443] }\n";
    Library::embedded().with_files([("censors/mine.toml".to_owned(), format!("{head}{text}"))])
}

/// The two rules of a profile of an in-path box.
fn two_rules(first: &str, second: &str) -> String {
    format!(
        "box.place = \"in-path\"\n[[rule]]\nid = \"one\"\n{first}\ntrigger = \"drop\"\n[[rule]]\nid = \"two\"\n{second}\n\
         trigger = \"drop\"\n"
    )
}

fn never_fires(text: &str) -> Option<String> {
    let mistakes = profile(text).check("censors/mine").err()?;
    assert!(mistakes.all.iter().all(|each| each.kind == DiagnosticKind::NeverApplies), "{text}\n{mistakes}");
    Some(mistakes.to_string())
}

#[test]
fn a_rule_behind_one_that_matches_all_that_it_asks_for_is_an_error() {
    let shadowed = [
        ("when = { tls.sni = \"$names\" }", "when = { tls.sni = \"$names\" }"),
        ("when = { tls.sni = \"$names\" }", "when = { tls.sni = \"$names\", server.port = 443 }"),
        ("when = { server.address = \"$prefixes\" }", "when = { server.address = \"$prefixes\", protocol = \"tcp\" }"),
        ("when = { tls.sni = [\"a.example\"] }", "when = { tls.sni = [\"a.example\"] }"),
    ];
    let said: Vec<String> = shadowed
        .iter()
        .map(|(one, two)| never_fires(&two_rules(one, two)).unwrap_or_else(|| panic!("{one} / {two} is fine")))
        .collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_rule_behind_one_that_lets_some_through_is_none() {
    let reached = [
        ("when = { tls.sni = \"$names\", server.port = 443 }", "when = { tls.sni = \"$names\" }"),
        ("when = { tls.sni = \"$names\" }", "when = { tls.sni = \"$others\" }"),
        ("when = { tls.sni = \"$names\" }\nalso = true", "when = { tls.sni = \"$names\" }"),
        ("when = { tls.sni = \"$names\" }\nmiss = 0.1", "when = { tls.sni = \"$names\" }"),
        ("when = { tls.sni = \"$names\" }\nafter = { packets = 3 }", "when = { tls.sni = \"$names\" }"),
        ("when = { tls.sni = [\"a.example\"] }", "when = { tls.sni = [\"b.example\"] }"),
        ("when = { any = [{ tls.sni = \"$names\" }, { http.host = \"$names\" }] }", "when = { tls.sni = \"$names\" }"),
    ];
    for (one, two) in reached {
        assert_eq!(never_fires(&two_rules(one, two)), None, "{one} / {two}");
    }
}

#[test]
fn a_condition_that_excludes_itself_is_an_error() {
    let rule = |when: &str| {
        format!("box.place = \"in-path\"\n[[rule]]\nid = \"one\"\nwhen = {{ {when} }}\ntrigger = \"drop\"\n")
    };
    let impossible = [
        "protocol = \"udp\", tls.sni = \"$names\"",
        "protocol = \"tcp\", any = [{ protocol = \"udp\" }]",
        "server.port = 443, any = [{ server.port = [80, 8080] }]",
        "direction = \"outbound\", any = [{ direction = \"inbound\" }]",
        "tls.sni = \"$names\", not.tls.sni = \"$names\"",
        "protocol = \"icmp\", server.port = 443",
    ];
    let said: Vec<String> =
        impossible.iter().map(|when| never_fires(&rule(when)).unwrap_or_else(|| panic!("{when} can be"))).collect();
    insta::assert_snapshot!(said.join("\n"));
    let possible = [
        "protocol = \"tcp\", tls.sni = \"$names\", server.port = \"$ports\"",
        "server.port = \"$ports\", any = [{ server.port = [80, 443] }]",
        "server.address = \"$prefixes\", not.server.address = [\"1.1.1.1\"]",
        "tls.sni = \"$names\", not.tls.sni = \"$others\"",
        "protocol = \"icmp\"",
        "direction = \"outbound\", not.direction = \"inbound\"",
    ];
    for when in possible {
        assert_eq!(never_fires(&rule(when)), None, "{when}");
    }
}

const SOUND: &str = r#"
id = "test"
title = "A test"
use = ["services/neutral", "services/public-dns"]
[hop.access]
[hop.elsewhere]
[vantage.inside]
isp = "AS12389 Rostelecom"
path = ["access"]
resolvers = ["isp"]
[vantage.control]
isp = "AS3320 Deutsche Telekom"
path = ["elsewhere"]
resolvers = ["8.8.8.8"]
[resolver.isp]
at = "access"
lies = [{ id = "hide", names = [], answer = { rcode = "NXDOMAIN" } }]
[censor.box]
profile = "censors/ip-block"
at = "access"
drop = ["185.15.59.0/24"]
[[phase]]
id = "before"
[[phase]]
id = "block"
change = [{ in = "resolver.isp.lies.hide.names", add = ["wikipedia.org"] }]
[[expect]]
id = "lie"
phase = "block"
probe = { dns = { name = "www.wikipedia.org" } }
verdict = "dns"
by = "isp/hide"
[[expect]]
id = "address"
probe = { tcp = { address = "185.15.59.224" } }
verdict = "tcp"
by = "box/drop"
"#;

/// What is said of the sound file after a change.
fn checked(from: &str, to: &str) -> Result<Diagnostics, Diagnostics> {
    assert!(SOUND.contains(from), "{from}");
    let library = Library::embedded().with_files([("ru/test.toml".to_owned(), SOUND.replacen(from, to, 1))]);
    library.check_with("ru/test", &[])
}

fn with_id(text: &str) -> String {
    text.replace("id = \"test\"", "id = \"ru/test\"")
}

/// What is said of the sound file after a change, with its kinds.
fn said(changes: &[(&str, &str)]) -> Result<Diagnostics, Diagnostics> {
    let mut text = with_id(SOUND);
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    Library::embedded().with_files([("ru/test.toml".to_owned(), text)]).check("ru/test")
}

#[test]
fn a_sound_file_has_no_warnings() {
    assert!(checked("id = \"test\"", "id = \"ru/test\"").expect("sound").all.is_empty());
}

#[test]
fn what_is_odd_is_a_warning() {
    let address = "address = { v4 = \"5.16.0.0/20\", v6 = \"2a02:2698:8000::/48\" }\nresolvers = [\"isp\"]";
    let odd = [
        vec![
            ("add = [\"wikipedia.org\"]", "add = [\"wikipedia.org\", \"x.example\"]"),
            ("drop = [\"185.15.59.0/24\"]", "drop = [\"185.15.59.0/24\"]\nreset = [\"31.13.84.0/24\"]"),
        ],
        vec![
            ("id = \"block\"\n", "id = \"block\"\n"),
            (
                "add = [\"wikipedia.org\"] }]",
                "add = [\"wikipedia.org\"] }, { in = \"resolver.isp.lies.0.names\", add = [\"wikpedia.org\"] }]",
            ),
        ],
        vec![
            ("drop = [\"185.15.59.0/24\"]", "drop = [\"185.15.59.0/24\", \"1.2.3.4/32\"]"),
            ("address = \"185.15.59.224\"", "address = \"1.2.3.4\""),
        ],
        vec![("resolvers = [\"isp\"]", address)],
        vec![(
            "[[expect]]\nid = \"address\"",
            "[[expect]]\nid = \"again\"\nprobe = { tcp = { address = \"185.15.59.224\" } }\nverdict = \"tcp\"\n[[expect]]\nid = \"address\"",
        )],
    ];
    let mut all = Vec::new();
    for changes in odd {
        let warnings = said(&changes).unwrap_or_else(|mistakes| panic!("{changes:?}\n{mistakes}"));
        assert!(!warnings.all.is_empty(), "{changes:?}");
        assert!(warnings.all.iter().all(|each| each.severity == Severity::Warning), "{warnings}");
        all.push(warnings.to_string());
    }
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn what_cannot_be_is_an_error() {
    let wrong = [
        vec![("phase = \"block\"\n", "phase = \"before\"\n")],
        vec![("by = \"box/drop\"", "by = \"box/reset\"")],
        vec![(
            "[[expect]]\nid = \"address\"",
            "[[expect]]\nid = \"not\"\nphase = \"before\"\nprobe = { tcp = { address = \"185.15.59.224\" } }\nverdict = \"ok\"\n[[expect]]\nid = \"address\"",
        )],
    ];
    let all: Vec<String> =
        wrong.iter().map(|changes| said(changes).err().unwrap_or_else(|| panic!("{changes:?}")).to_string()).collect();
    insta::assert_snapshot!(all.join("\n"));
}

/// Every scenario, profile and service of the library: what is odd there is a mistake.
#[test]
fn the_library_has_no_warnings() {
    let library = Library::embedded();
    let ids: Vec<&str> = library.ids().chain(library.profiles()).chain(library.services()).collect();
    let mut odd = Vec::new();
    for id in ids {
        let warnings = library.check(id).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let meant = |said: &String| MEANT.iter().any(|(place, _)| said.starts_with(place));
        odd.extend(warnings.all.iter().map(ToString::to_string).filter(|said| !meant(said)));
    }
    assert!(odd.is_empty(), "{}", odd.join("\n"));
}

/// What is odd and meant: where, and why.
const MEANT: &[(&str, &str)] =
    &[("ru/whatsapp-2026.toml", "the national resolver lost whole domains of which nothing is in this lab")];
