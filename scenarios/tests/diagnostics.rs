//! What is said about bad files: all mistakes at once, each with its place and what to do.

#[path = "support/sound.rs"]
mod sound;

use roadblock_scenarios::DiagnosticKind::{self, *};
use roadblock_scenarios::{Diagnostics, Library, load, resolve};
use sound::SOUND;

fn mistakes(text: &str) -> Diagnostics {
    resolve(text, "test.toml", &Library::embedded()).expect_err("the file is bad")
}

/// What is said of the sound file after a change.
fn broken(from: &str, to: &str) -> Diagnostics {
    assert!(SOUND.contains(from), "{from} is not in the file");
    mistakes(&SOUND.replacen(from, to, 1))
}

fn kinds(diagnostics: &Diagnostics) -> Vec<DiagnosticKind> {
    diagnostics.all.iter().map(|each| each.kind).collect()
}

#[test]
fn the_sound_file_is_sound() {
    if let Err(mistakes) = resolve(SOUND, "test.toml", &Library::embedded()) {
        panic!("{mistakes}");
    }
}

#[test]
fn unknown_key() {
    insta::assert_snapshot!(broken("resolvers = [\"isp\"]", "resolver = [\"isp\"]\nresolvers = [\"isp\"]"));
}

#[test]
fn bad_prefix() {
    insta::assert_snapshot!(broken(
        "sni-1 = [",
        "ip-drop = [\"157.240.0.0/33\", \"157.240.0.1/16\", \"2a03:2880::/32\", \"meta\"]\nsni-1 = ["
    ));
}

#[test]
fn unknown_list() {
    insta::assert_snapshot!(broken("sni-1 = [", "ip-drop = \"@lists/whatsap-prefixes\"\nsni-1 = ["));
}

#[test]
fn hop_without_a_path() {
    insta::assert_snapshot!(broken("[hop.access]", "[hop.access]\n\n[hop.lonely]"));
}

#[test]
fn vantage_without_a_hop() {
    insta::assert_snapshot!(broken("path = [\"access\"]", "path = []"));
}

#[test]
fn change_of_a_thing_that_is_not_there() {
    insta::assert_snapshot!(broken(
        "change = [{ in = \"censor.box.sni-1\", add = [\"example.com\"] }]",
        "change = [\n\
         { in = \"censor.box.sni-2\", add = [\"example.com\"] },\n\
         { in = \"censor.tspu.sni-1\", add = [\"example.com\"] },\n\
         { in = \"resolver.isp.lies.1.names\", add = [\"example.com\"] },\n\
         { in = \"resolver.isp.lies.0.names\", remove = [\"example.com\"] },\n\
         { in = \"vantage.inside\", set = \"x\" },\n\
         { in = \"censor.box.miss\", add = 0.5 },\n\
         ]"
    ));
}

#[test]
fn loop_in_use() {
    let service = |id: &str, uses: &str| {
        let text =
            format!("kind = \"service\"\nid = \"services/{id}\"\ntitle = \"{id}\"\nuse = [\"services/{uses}\"]\n");
        (format!("services/{id}.toml"), text)
    };
    let library =
        Library::embedded().with_files([service("one", "two"), service("two", "three"), service("three", "one")]);
    let text = SOUND.replacen("\"services/neutral\"", "\"services/neutral\", \"services/one\"", 1);
    insta::assert_snapshot!(resolve(&text, "test.toml", &library).expect_err("it goes in a circle"));
}

#[test]
fn syntax() {
    insta::assert_snapshot!(broken("title = \"A test\"", "title = \"A test\nid = = 2"));
}

#[test]
fn many_mistakes_at_once() {
    let diagnostics = mistakes(
        r#"
id = "test"
titel = "A test"
use = ["services/neutral", "services/public-dns", "services/whatsup"]

[hop.access]

[hop.Lonely_Hop]

[vantage.inside]
isp = "AS64500 Nobody"
path = ["access", "acess"]
delay = 5
resolvers = ["isp", "9.9.9.9"]

[vantage.other]
isp = "Rostelecom"
path = ["access", "elsewhere"]
resolvers = ["isp"]

[resolver.isp]
at = "access"
address = "192.168.0.1"
lies = [{ names = ["wiki*pedia.org"], answer = { rcode = "NXDOMIAN" }, facts = ["RU-NDSI-1"] }]

[censor.box]
profile = "censors/tspu-2025"
at = "nowhere"

[[phase]]
id = "second"
date = 2026-02-01

[[phase]]
id = "second"
date = "2026-01-01"

[[expect]]
phase = "third"
vantage = "outside"
probe = { tls = { address = "1.1.1.300", sni = "www.wikipedia.org" } }
verdict = "tsl"

[[expect]]
probe = { tls = { address = "1.1.1.1", sni = "www.wikipedia.org" } }
verdict = "tls"
failure = "conection_reset"
by = "box/sni-1"
"#,
    );
    // The library's profiles become more.
    let all = Library::embedded().profiles().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ");
    insta::assert_snapshot!(diagnostics.to_string().replace(&all, "[all profiles]"));
    let lines: Vec<_> = diagnostics.all.iter().map(|each| each.location.span.start).collect();
    assert!(lines.is_sorted(), "the mistakes come in the order of the file");
}

#[test]
fn each_mistake_has_its_kind() {
    for (from, to, kind) in [
        ("path = [\"access\"]", "path = [\"acess\"]", UnknownHop),
        ("path = [\"access\"]", "path = [\"access\", \"access\"]", Duplicate),
        ("path = [\"access\"]", "path = [\"access\", \"elsewhere\"]\ndelay = \"2 weeks\"", BadValue),
        ("at = \"access\"\nlies", "at = \"acess\"\nlies", UnknownHop),
        ("isp = \"AS12389 Rostelecom\"", "isp = \"AS1 Nobody\"", UnknownNetwork),
        ("[vantage.control]", "[vantage.contrl]", Control),
        ("path = [\"elsewhere\"]", "path = [\"access\"]", Control),
        ("resolvers = [\"8.8.8.8\"]", "resolvers = [\"isp\"]", Control),
        ("resolvers = [\"isp\"]", "resolvers = [\"ips\"]", UnknownResolver),
        ("resolvers = [\"isp\"]", "resolvers = [\"9.9.9.9\"]", UnknownResolver),
        ("at = \"access\"\nlies", "at = \"access\"\naddress = \"8.8.8.8\"\nlies", AddressClash),
        ("at = \"access\"\nlies", "at = \"access\"\naddress = \"10.0.0.1\"\nlies", NotPublic),
        ("at = \"access\"\nlies", "at = \"access\"\naddress = \"one\"\nlies", BadAddress),
        (
            "resolvers = [\"isp\"]",
            "resolvers = [\"isp\"]\naddress = { v4 = \"10.0.0.0/16\", v6 = \"2a01:620::/32\" }",
            NotPublic,
        ),
        (
            "resolvers = [\"isp\"]",
            "resolvers = [\"isp\"]\naddress = { v4 = \"95.167.0.0/24\", v6 = \"2a01:620::/32\" }",
            BadPrefix,
        ),
        (
            "resolvers = [\"isp\"]",
            "resolvers = [\"isp\"]\naddress = { v4 = \"1.1.0.0/20\", v6 = \"2a01:620::/32\" }",
            AddressClash,
        ),
        ("\"services/neutral\"", "\"censors/tspu-2026\"", WrongKind),
        ("\"services/neutral\"", "\"services/netral\"", UnknownService),
        ("censors/tspu-2026", "censors/tspu", UnknownProfile),
        ("censors/tspu-2026", "services/neutral", WrongKind),
        ("sni-1 = [\"wikipedia.org\"]", "sni1 = [\"wikipedia.org\"]", UnknownParameter),
        ("sni-1 = [\"wikipedia.org\"]", "sni-1 = [\"wiki*pedia\"]", BadPattern),
        ("sni-1 = [\"wikipedia.org\"]", "miss = 1.5", BadValue),
        ("sni-1 = [\"wikipedia.org\"]", "miss = \"often\"", WrongType),
        ("rcode = \"NXDOMAIN\"", "rcode = \"NXDOMAIN\", silence = true", BadValue),
        ("rcode = \"NXDOMAIN\" }", "rcode = \"NXDOMAIN\" }, facts = [\"RU-NSDI-2\"]", UnknownFact),
        ("id = \"second\"\ndate = 2026-02-01", "id = \"first\"\ndate = 2026-02-01", Duplicate),
        ("date = 2026-02-01", "date = 2025-02-01", OutOfOrder),
        ("date = 2026-02-01", "date = 2026-02-01T00:00:00Z", WrongType),
        ("id = \"second\"", "id = \"Second Phase\"", BadName),
        ("add = [\"example.com\"]", "add = [\"example.com\"], set = []", BadValue),
        ("verdict = \"dns\"", "verdict = \"dns\"\nphase = \"third\"", UnknownPhase),
        ("verdict = \"dns\"", "verdict = \"dns\"\nvantage = \"third\"", UnknownVantage),
        ("by = \"isp/lies.0\"", "by = \"isp/lies.1\"", UnknownRule),
        ("www.wikipedia.org", "www.wikipedia.test", UnknownHost),
        ("verdict = \"dns\"", "verdict = \"dns\"\nthen = { sni = \"a.b\", verdict = \"ok\" }", BadValue),
        ("title = \"A test\"", "", MissingKey),
        ("title = \"A test\"", "title = \"A test\"\nmechanisms = [\"dns-lies\"]", BadValue),
        ("title = \"A test\"", "title = \"A test\"\nkind = \"service\"", WrongKind),
        ("[censor.box]", "[censor.isp]", Duplicate),
        ("verdict = \"dns\"", "verdict = \"ok\"\nfailure = \"connection_reset\"", BadValue),
        ("at = \"access\"\nlies", "at = \"access\"\naddress = \"95.167.255.1\"\nlies", AddressClash),
    ] {
        let diagnostics = broken(from, to);
        assert!(kinds(&diagnostics).contains(&kind), "{to}: {diagnostics}");
        for each in &diagnostics.all {
            assert!(diagnostics.source(&each.location).is_some(), "{each} points into an unknown file");
        }
    }
}

#[test]
fn two_ways_up_from_a_hop() {
    let other = "[hop.border]\n\n[vantage.other]\nisp = \"AS12389 Rostelecom\"\npath = [\"access\", \"border\"]\n\
                 resolvers = [\"isp\"]\n";
    insta::assert_snapshot!(mistakes(&format!("{SOUND}\n{other}")));
}

#[test]
fn an_argument_that_names_nothing() {
    insta::assert_snapshot!(load("ru/whatsap-2026", &Library::embedded()).expect_err("there is none"));
    let unreadable = load("./no/such/file.toml", &Library::embedded()).expect_err("there is none");
    assert_eq!(kinds(&unreadable), [Unreadable]);
}

#[test]
fn mistakes_in_a_list_point_into_the_list() {
    let list = ("lists/mine.txt".to_owned(), "# a comment\nwikipedia.org\n  *.exam*ple.com # here\n".to_owned());
    let library = Library::embedded().with_files([list]);
    let text = SOUND.replacen("sni-1 = [", "sni-4 = \"@lists/mine\"\nsni-1 = [", 1);
    insta::assert_snapshot!(resolve(&text, "test.toml", &library).expect_err("the list is bad"));
}

#[test]
fn mistakes_in_a_profile_point_into_the_profile() {
    let profile = r#"
kind = "profile"
id = "censors/mine"
title = "Mine"
param.names = { type = "names" }
param.after = { type = "duration" }
box.place = "on-path"

[[rule]]
id = "one"
when = { tls.sni = "$nmes", server.port = "$names", not.fired = "two" }
trigger = "drop"
then = { both = "drop" }
inject = { delay = "1ms" }
facts = ["TSPU-99"]

[[rule]]
id = "one"
when = { tls.sin = "a.b" }
inject = { reset = { to = "client", flags = "XY" } }
"#;
    let library = Library::embedded().with_files([("censors/mine.toml".to_owned(), profile.to_owned())]);
    insta::assert_snapshot!(library.check("censors/mine").expect_err("the profile is bad"));
    let text = SOUND.replacen("censors/tspu-2026", "censors/mine", 1);
    let diagnostics = resolve(&text, "test.toml", &library).expect_err("the profile is bad");
    assert!(diagnostics.all.iter().any(|each| &*each.location.file == "censors/mine.toml"));
}

#[test]
fn numbers_with_units_and_ranges_are_explained() {
    let profile = r#"
kind = "profile"
id = "censors/mine"
title = "Mine"
param.slow = { type = "rate", default = "150kb" }
param.some = { type = "count", default = "8-5" }
param.need = { type = "size" }
box.place = "in-path"

[[rule]]
id = "one"
when = { server.port = ["599-596", 70000, "x"], payload = { starts = "5 741 1", length = {} } }
after = { packets = 2, bytes = "16KB" }
trigger = { police = { rate = "0bit", burst = "16" } }

[[rule]]
id = "two"
when = { wireguard = "hello", payload = { offset = 3 } }
after = { packets = "$slow", count = "up" }
trigger = { drop = { chance = 1.5 } }

[[rule]]
id = "three"
when = { payload = { starts = "57 41", offset = 255 } }
trigger = { police = { rate = "$slow", burst = "1KB" } }
then = { both = { redirect = { address = "195.208.6.1" } } }
key = "4t"
last = "1s"
"#;
    let library = Library::embedded().with_files([("censors/mine.toml".to_owned(), profile.to_owned())]);
    insta::assert_snapshot!(library.check("censors/mine").expect_err("the profile is bad"));
}
