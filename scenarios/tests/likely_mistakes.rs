//! The likeliest mistakes in a scenario file, one by one, and what is said of each: what it is, where, and what to do.

use std::fmt::Write;

use roadblock_scenarios::{Library, resolve};

/// A sound scenario for people to break.
const SOUND: &str = r#"
id = "test"
title = "A test"
use = ["services/neutral", "services/public-dns"]

[hop.access]

[hop.elsewhere]

[vantage.inside]
isp = "AS12389 Rostelecom"
path = ["access"]
delay = "2ms"
resolvers = ["isp"]

[vantage.control]
isp = "AS3320 Deutsche Telekom"
path = ["elsewhere"]
resolvers = ["8.8.8.8"]

[resolver.isp]
at = "access"
lies = [{ id = "hide", names = ["wikipedia.org"], answer = { rcode = "NXDOMAIN" } }]

[censor.box]
profile = "censors/tspu-2026"
at = "access"
sni-1 = ["wikipedia.org"]
ip-drop = ["140.82.121.0/24"]

[[phase]]
id = "first"
date = 2026-01-01

[[phase]]
id = "second"
date = 2026-02-01
change = [{ in = "censor.box.sni-1", add = ["example.com"] }]

[[expect]]
id = "lie"
phase = ["first", "second"]
probe = { dns = { name = "www.wikipedia.org" } }
verdict = "dns"
failure = "dns_nxdomain_error"
by = "isp/hide"

[[expect]]
id = "sni"
phase = "second"
probe = { tls = { address = "1.1.1.1", sni = "www.example.com" } }
verdict = "tls"
failure = "connection_reset"
by = "box/sni-1"
then = { wait = "76s", same-tuple = true, sni = "ya.ru", verdict = "ok" }
"#;

/// What people do, and how: a part of the file, and what they write in its place.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("a key misspelt", "resolvers = [\"isp\"]", "resolver = [\"isp\"]"),
    ("a table misspelt", "[vantage.inside]", "[vantge.inside]"),
    ("a quote forgotten", "id = \"second\"", "id = \"second"),
    ("a bracket forgotten", "path = [\"access\"]", "path = [\"access\""),
    ("an equals sign forgotten", "title = \"A test\"", "title \"A test\""),
    ("a comma forgotten", "\"services/neutral\", ", "\"services/neutral\" "),
    ("a text without quotes", "verdict = \"dns\"", "verdict = dns"),
    ("a key twice", "delay = \"2ms\"", "delay = \"2ms\"\ndelay = \"3ms\""),
    ("a key missing", "isp = \"AS12389 Rostelecom\"\n", ""),
    ("one where several are needed", "path = [\"access\"]", "path = \"access\""),
    ("a number where a duration is needed", "wait = \"76s\"", "wait = 76"),
    ("a duration without its unit", "delay = \"2ms\"", "delay = \"2\""),
    ("a date as another country writes it", "date = 2026-02-01", "date = \"01.02.2026\""),
    ("a port that cannot be", "sni = \"www.example.com\" }", "sni = \"www.example.com\", port = 70000 }"),
    ("a prefix that cannot be", "140.82.121.0/24", "140.82.121.0/33"),
    ("an address that cannot be", "address = \"1.1.1.1\"", "address = \"1.1.1.256\""),
    ("a URL where a name is needed", "sni-1 = [\"wikipedia.org\"]", "sni-1 = [\"https://wikipedia.org/\"]"),
    ("a service that is not there", "services/neutral", "services/neutrals"),
    ("a profile that is not there", "censors/tspu-2026", "censors/tspu-2025"),
    ("a list that is not there", "[\"140.82.121.0/24\"]", "\"@lists/whatsapp-prefix\""),
    ("a parameter of another profile", "sni-1 = [\"wikipedia.org\"]", "sni = [\"wikipedia.org\"]"),
    ("names where prefixes are needed", "ip-drop = [\"140.82.121.0/24\"]", "ip-drop = [\"github.com\"]"),
    ("a hop that is not there", "path = [\"access\"]", "path = [\"acces\"]"),
    ("a resolver that is not there", "resolvers = [\"isp\"]", "resolvers = [\"ips\"]"),
    ("a resolver that nobody is", "resolvers = [\"8.8.8.8\"]", "resolvers = [\"8.8.8.9\"]"),
    ("a phase that is not there", "phase = \"second\"", "phase = \"third\""),
    ("a vantage that is not there", "phase = \"second\"\n", "phase = \"second\"\nvantage = \"moscow\"\n"),
    ("a name of which no service is used", "name = \"www.wikipedia.org\"", "name = \"www.wikipdia.org\""),
    ("no control", "[vantage.control]", "[vantage.other]"),
    ("control behind the censor", "path = [\"elsewhere\"]", "path = [\"access\"]"),
    ("an operator without its number", "AS12389 Rostelecom", "Rostelecom"),
    ("an operator that the library does not know", "AS12389 Rostelecom", "AS99999 Nobody"),
    ("a private address", "at = \"access\"\nlies", "at = \"access\"\naddress = \"10.0.0.53\"\nlies"),
    ("phases out of order", "date = 2026-02-01", "date = 2025-02-01"),
    ("a change of what is not there", "censor.box.sni-1", "censor.tspu.sni-1"),
    ("a change without what changes", ", add = [\"example.com\"]", ""),
    ("something taken out that was not there", "add = [\"example.com\"]", "remove = [\"example.org\"]"),
    ("a verdict of one's own", "verdict = \"tls\"", "verdict = \"blocked\""),
    ("a failure of one's own", "connection_reset", "reset"),
    ("a rule that is not there", "by = \"box/sni-1\"", "by = \"box/sni1\""),
    ("a rule that does nothing then", "by = \"box/sni-1\"", "by = \"box/sni-4\""),
    ("a measurement that is none", "probe = { dns = {", "probe = { dig = {"),
    (
        "two measurements in one",
        "{ dns = { name = \"www.wikipedia.org\" } }",
        "{ dns = { name = \"www.wikipedia.org\" }, tcp = { address = \"1.1.1.1\" } }",
    ),
    ("an answer that says nothing", "answer = { rcode = \"NXDOMAIN\" }", "answer = {}"),
    ("a code that is none", "NXDOMAIN", "NXDOMIAN"),
    ("two things of one name", "id = \"sni\"", "id = \"lie\""),
];

#[test]
fn each_mistake_is_said_with_its_place_and_what_to_do() {
    resolve(SOUND, "test.toml", &Library::embedded()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let library = Library::embedded();
    let mut all = String::new();
    for (number, (what, from, to)) in (1..).zip(MISTAKES) {
        assert!(SOUND.contains(from), "{what}: {from} is not in the file");
        let text = SOUND.replacen(from, to, 1);
        let mistakes = resolve(&text, "test.toml", &library).err().unwrap_or_else(|| panic!("{what} is fine"));
        // Something is said at the place where the mistake was made, or near it.
        let line = SOUND[..SOUND.find(from).expect("it is there")].lines().count().max(1);
        let found = mistakes.all.iter().any(|each| each.location.line.abs_diff(line) <= 6);
        assert!(found, "{what}: nothing is said at line {line}\n{mistakes}");
        assert!(mistakes.all.len() <= 3, "{what}: one mistake and so many words\n{mistakes}");
        let said: Vec<String> = mistakes.to_string().lines().map(shortened).collect();
        write!(all, "{number:02} {what}\n{}\n\n", said.join("\n")).expect("a string");
    }
    insta::assert_snapshot!(all);
}

/// Of a long list of what there is the beginning: the library grows, and what is said of a mistake stays.
fn shortened(line: &str) -> String {
    match line.match_indices("`, `").nth(3) {
        Some((end, _)) => format!("{}`, …", &line[..end]),
        None => line.to_owned(),
    }
}
