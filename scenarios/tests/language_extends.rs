//! One scenario laid over another, and parameters filled in.

mod folder;

use std::fs;

use folder::Folder;
use roadblock_censor::policy::Grade;
use roadblock_scenarios::{DiagnosticKind, Library, Scenario, load, load_with};

/// A scenario to extend.
const BASE: &str = r#"
id = "lab/base"
title = "Base"
story = "What was."
use = ["services/neutral", "services/public-dns"]
mechanisms = ["dns-lie"]
sources = [{ title = "One" }]
param.hidden = { type = "names", default = ["wikipedia.org"], about = "What is hidden", grade = "recalled" }
param.slow = { type = "duration", default = "2ms" }

[hop.access]
[hop.second]
[hop.elsewhere]

[vantage.inside]
isp = "AS12389 Rostelecom"
path = ["access"]
delay = "$slow"
resolvers = ["isp"]

[vantage.other]
isp = "AS8359 MTS"
path = ["second"]
resolvers = ["8.8.8.8"]

[vantage.control]
isp = "AS3320 Deutsche Telekom"
path = ["elsewhere"]
resolvers = ["8.8.8.8"]

[resolver.isp]
at = "access"
lies = [{ id = "hide", names = ["$hidden", "example.org"], answer = { rcode = "NXDOMAIN" } }]

[[phase]]
id = "first"
date = 2026-01-01

[[phase]]
id = "second"
date = 2026-02-01
change = [{ in = "resolver.isp.lies.hide.names", add = "example.com" }]

[[expect]]
id = "hidden"
probe = { dns = { name = "www.wikipedia.org" } }
verdict = "dns"
by = "isp/hide"

[[expect]]
id = "later"
phase = ["second"]
probe = { dns = { name = "example.com" } }
verdict = "dns"

[[expect]]
id = "elsewhere"
vantage = ["other", "control"]
probe = { dns = { name = "example.com", resolver = "8.8.8.8" } }
verdict = "ok"
"#;

fn library() -> Library {
    Library::embedded().with_files([("lab/base.toml".to_owned(), BASE.to_owned())])
}

/// A file of one's own with these lines, which extends the base.
fn extended(lines: &str, set: &[&str]) -> Result<Scenario, roadblock_scenarios::Diagnostics> {
    let head = "id = \"mine/one\"\ntitle = \"Mine\"\nextends = \"lab/base\"\n";
    let library = library().with_files([("mine/one.toml".to_owned(), format!("{head}{lines}"))]);
    let set: Vec<String> = set.iter().map(|each| (*each).to_owned()).collect();
    load_with("mine/one", &set, &library)
}

fn sound(lines: &str, set: &[&str]) -> Scenario {
    extended(lines, set).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// The names that the resolver hides in the last phase.
fn hidden(scenario: &Scenario) -> Vec<String> {
    let lies = &scenario.default_phase().expect("a phase").state.lies["isp"];
    let mut names: Vec<String> = lies.iter().flat_map(|lie| lie.names.iter().map(ToString::to_string)).collect();
    names.sort();
    names
}

fn ids(scenario: &Scenario) -> Vec<&str> {
    scenario.expectations.iter().map(|each| &*each.id).collect()
}

#[test]
fn all_but_its_name_is_taken_over() {
    let mine = sound("", &[]);
    assert_eq!((&*mine.id, mine.title.as_str(), mine.story.as_deref()), ("mine/one", "Mine", Some("What was.")));
    assert_eq!(ids(&mine), ["hidden", "later", "elsewhere"]);
    assert_eq!(hidden(&mine), ["example.com", "example.org", "wikipedia.org"]);
    assert_eq!(mine.default_vantage().map(|vantage| &*vantage.name), Some("inside"));
    assert_eq!(mine.vantages[0].delay.as_millis(), 2);
}

#[test]
fn what_the_file_says_holds_before_what_it_extends() {
    let lines = "story = \"What is.\"\nmechanisms = [\"dns-drop\", \"dns-lie\"]\nsources = [{ title = \"Two\" }]\n\
                 use = [\"services/whatsapp\", \"services/neutral\"]\n[vantage.inside]\ndelay = \"7ms\"\n\
                 [[phase]]\nid = \"third\"\ndate = 2026-03-01\n[[phase]]\nid = \"first\"\ndate = 2025-01-01\n\
                 [[expect]]\nid = \"hidden\"\nphase = \"third\"\n[[expect]]\nprobe = \"whatsapp\"\nverdict = \"ok\"\n";
    let mine = sound(lines, &[]);
    assert_eq!(mine.story.as_deref(), Some("What is."));
    assert_eq!(mine.mechanisms.iter().map(|each| each.word()).collect::<Vec<_>>(), ["dns-lie", "dns-drop"]);
    assert_eq!(mine.sources.iter().map(|each| &*each.title).collect::<Vec<_>>(), ["One", "Two"]);
    let services: Vec<&str> = mine.services.iter().map(|each| &*each.id).collect();
    assert_eq!(services, ["services/neutral", "services/public-dns", "services/whatsapp"]);
    assert_eq!((mine.vantages[0].delay.as_millis(), mine.vantages[0].path.len()), (7, 1));
    let phases: Vec<(&str, Option<&str>)> = mine.phases.iter().map(|each| (&*each.id, each.date.as_deref())).collect();
    assert_eq!(phases, [("first", Some("2025-01-01")), ("second", Some("2026-02-01")), ("third", Some("2026-03-01"))]);
    assert_eq!(ids(&mine), ["hidden", "later", "elsewhere", "expect.3"]);
    assert_eq!(mine.expectations[0].phases.iter().map(|each| &**each).collect::<Vec<_>>(), ["third"]);
}

#[test]
fn what_is_taken_out_takes_what_was_expected_of_it_along() {
    let mine = sound("without = [\"phase.second\"]\n", &[]);
    assert_eq!((ids(&mine), mine.phases.len()), (vec!["hidden", "elsewhere"], 1));
    assert_eq!(hidden(&mine), ["example.org", "wikipedia.org"]);
    let mine = sound(
        "without = [\"vantage.other\", \"hop.second\", \"use.services/neutral\", \"expect.hidden\", \"expect.later\", \"expect.elsewhere.probe.dns.resolver\", \"expect.elsewhere\"]\n",
        &[],
    );
    assert_eq!((mine.vantages.len(), mine.expectations.len(), mine.services.len()), (2, 0, 1));
    let mine = sound("without = [\"expect.*\"]\n", &[]);
    assert_eq!(ids(&mine), [""; 0]);
    let mine = sound("without = [\"vantage.other\", \"hop.second\"]\n", &[]);
    let elsewhere = mine.expectations.iter().find(|each| &*each.id == "elsewhere").expect("it stays");
    assert_eq!(elsewhere.vantages.iter().map(|each| &**each).collect::<Vec<_>>(), ["control"]);
    // A list loses a line, and what is taken out can be written anew.
    let lines = "without = [\"resolver.isp.lies.hide.names.example.org\", \"expect.later\"]\n\
                 [[expect]]\nid = \"later\"\nprobe = { dns = { name = \"www.wikipedia.org\" } }\nverdict = \"dns\"\n";
    let mine = sound(lines, &[]);
    assert_eq!(hidden(&mine), ["example.com", "wikipedia.org"]);
    assert_eq!(ids(&mine), ["hidden", "elsewhere", "later"]);
}

#[test]
fn a_command_sets_before_a_file_and_a_file_before_the_default() {
    let base = load("lab/base", &library()).expect("sound");
    assert_eq!(
        base.parameters.iter().map(|each| (&*each.name, each.kind)).collect::<Vec<_>>(),
        [("hidden", "names"), ("slow", "duration")]
    );
    let hidden_one = &base.parameters[0];
    assert_eq!((hidden_one.grade, hidden_one.is_set), (Some(Grade::Recalled), false));
    assert_eq!(hidden_one.value, "[\"wikipedia.org\"]");
    assert_eq!(hidden_one.at.to_string(), "lab/base.toml:8:44");

    let lines = "set = { slow = \"5ms\", hidden = [\"a.example\", \"b.example\"] }\n";
    let mine = sound(lines, &[]);
    assert_eq!(hidden(&mine), ["a.example", "b.example", "example.com", "example.org"]);
    assert_eq!((mine.parameters[0].grade, mine.parameters[0].is_set), (None, true));
    assert_eq!(mine.vantages[0].delay.as_millis(), 5);

    let mine = sound(lines, &["slow=9ms", "hidden = [\"c.example\"]"]);
    assert_eq!(hidden(&mine), ["c.example", "example.com", "example.org"]);
    assert_eq!(mine.vantages[0].delay.as_millis(), 9);
    assert_eq!(sound(lines, &["slow=9ms", "slow=11ms"]).vantages[0].delay.as_millis(), 11, "the last one counts");
}

#[test]
fn parameters_have_the_types_of_a_profiles() {
    let text = "id = \"x\"\ntitle = \"T\"\nuse = [\"services/public-dns\"]\nparam.n = { type = \"count\", default = 3 }\n\
        param.flag = { type = \"boolean\" }\nparam.list = { type = \"prefixes\" }\nparam.word = { type = \"text\", default = \"ok\" }\n\
        [hop.a]\n[hop.b]\n[vantage.control]\nisp = \"AS3320 Deutsche Telekom\"\npath = [\"b\"]\nresolvers = [\"8.8.8.8\"]\n\
        [vantage.in]\nisp = \"AS12389 Rostelecom\"\npath = [\"a\"]\nresolvers = [\"8.8.8.8\"]\n\
        [censor.c]\nprofile = \"censors/ip-drop\"\nat = \"a\"\nprefixes = [\"$list\"]\n\
        [[expect]]\nprobe = { dns = { name = \"dns.google\" } }\nverdict = \"$word\"\n\
        [[expect]]\nprobe = { tcp = { address = \"8.8.8.8\", port = 53 } }\nverdict = \"ok\"\nfailure = \"$$x\"\n";
    let library = Library::embedded().with_files([("lab/x.toml".to_owned(), text.replace("\"x\"", "\"lab/x\""))]);
    let mistakes = load("lab/x", &library).expect_err("a dollar is no failure").to_string();
    assert!(mistakes.contains("`$x` is not a failure string"), "two dollars stand for one: {mistakes}");
    assert!(!mistakes.contains("parameter"), "{mistakes}");
    for (set, said) in [
        ("n=many", "is not a number"),
        ("n=[1]", "expected"),
        ("flag=1", "expected true or false, found an integer"),
        ("list=[\"1.2.3.4/33\"]", "is not a prefix"),
        ("word=3", "expected a string, found an integer"),
        ("wrod=x", "did you mean `word`?"),
        ("word", "sets nothing"),
        ("list=[", "--set list=["),
    ] {
        let mistakes = load_with("lab/x", &[set.to_owned()], &library).expect_err(set).to_string();
        assert!(mistakes.contains(said) && mistakes.contains("--set "), "{set}: {mistakes}");
    }
}

#[test]
fn files_extend_files_beside_them_and_below() {
    let folder = Folder::new("below");
    folder.write("below/deep/base.toml", BASE);
    let middle = "id = \"m\"\ntitle = \"M\"\nextends = \"./deep/base.toml\"\nset.slow = \"5ms\"\n";
    folder.write("below/middle.toml", middle);
    let top = "id = \"t\"\ntitle = \"T\"\nextends = \"below/middle.toml\"\nvantage.inside.delay = \"6ms\"\nset.slow = \"7ms\"\n";
    let path = folder.write("top.toml", top);
    let scenario = load(&path, &Library::embedded()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!((&*scenario.id, scenario.vantages[0].delay.as_millis()), ("t", 6));
    let slow = scenario.parameters.iter().find(|each| &*each.name == "slow").expect("it is there");
    assert_eq!((slow.value.as_str(), slow.at.line), ("\"7ms\"", 5), "the nearest file counts");
    // A mistake far below is shown where it was made.
    folder.write("below/deep/base.toml", &BASE.replace("delay = \"$slow\"", "delay = 3"));
    let lost = top.replace("vantage.inside.delay", "vantage.other.delay");
    folder.write("top.toml", &lost);
    let mistakes = load(&path, &Library::embedded()).expect_err("a mistake");
    assert_eq!(mistakes.all.len(), 1, "{mistakes}");
    assert!(mistakes.all[0].location.file.ends_with("below/deep/base.toml"), "{mistakes}");
}

#[test]
fn nothing_outside_the_files_own_folder_is_extended() {
    let folder = Folder::new("outside");
    let outside = folder.write("secret.toml", BASE);
    let inside = folder.path().join("inside");
    fs::create_dir(&inside).expect("made");
    std::os::unix::fs::symlink(&outside, inside.join("link.toml")).expect("linked");
    std::os::unix::fs::symlink(folder.path(), inside.join("up")).expect("linked");
    fs::create_dir(inside.join("folder.toml")).expect("made");
    for (extends, kind) in [
        ("../secret.toml", DiagnosticKind::Outside),
        ("./a/../../secret.toml", DiagnosticKind::Outside),
        (outside.as_str(), DiagnosticKind::Outside),
        ("./link.toml", DiagnosticKind::Outside),
        ("./up/secret.toml", DiagnosticKind::Outside),
        ("./folder.toml", DiagnosticKind::Unreadable),
        ("./missing.toml", DiagnosticKind::Unreadable),
        ("/dev/zero.toml", DiagnosticKind::Outside),
    ] {
        let path = folder.write("inside/mine.toml", &format!("id = \"m\"\ntitle = \"M\"\nextends = \"{extends}\"\n"));
        let mistakes = load(&path, &Library::embedded()).expect_err(extends);
        assert_eq!(mistakes.all.iter().map(|each| each.kind).collect::<Vec<_>>(), [kind], "{extends}: {mistakes}");
        assert!(!mistakes.to_string().contains("wikipedia"), "nothing of the file is shown: {mistakes}");
    }
    // A library's own file has no folder, wherever the library lies.
    let library = Library::embedded().with_files([(
        "lab/x.toml".to_owned(),
        "id = \"lab/x\"\ntitle = \"M\"\nextends = \"./base.toml\"\n".to_owned(),
    )]);
    assert_eq!(load("lab/x", &library).expect_err("none").all[0].kind, DiagnosticKind::Outside);
}
