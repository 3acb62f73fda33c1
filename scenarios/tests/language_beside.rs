//! Censors and services of one's own, beside a scenario.

mod folder;

use folder::Folder;
use roadblock_scenarios::{DiagnosticKind, Library, Origin, load, resolved};

const SCENARIO: &str = r#"
id = "mine/one"
title = "Mine"
use = ["./parts/sites.toml", "services/public-dns"]

[hop.access]
[hop.elsewhere]

[vantage.inside]
isp = "AS12389 Rostelecom"
path = ["access"]
resolvers = ["8.8.8.8"]

[vantage.control]
isp = "AS3320 Deutsche Telekom"
path = ["elsewhere"]
resolvers = ["8.8.8.8"]

[censor.box]
profile = "./parts/box.toml"
at = "access"

[[expect]]
probe = { tls = { address = "203.0.114.7", sni = "mine.example" } }
verdict = "tls"
by = "box/sni"
"#;

const BOX: &str = r#"
kind = "profile"
id = "censors/my-box"
title = "My box"
param.names = { type = "names", default = "@./names.txt" }
param.last = { type = "duration", default = "75s" }
box.place = "in-path"

[[rule]]
id = "sni"
when = { tls.sni = "$names" }
trigger = "drop"
then = { both = "drop" }
key = "3t"
last = "$last"
"#;

const SITES: &str = r#"
kind = "service"
id = "services/my-sites"
title = "My sites"
use = ["services/neutral", "./more.toml"]

[[host]]
names = ["mine.example"]
addresses = ["203.0.114.7"]
listen = ["https"]
"#;

const MORE: &str = r#"
kind = "service"
id = "services/more"
title = "More"

[[host]]
names = ["more.example"]
addresses = ["203.0.114.8"]
listen = ["https"]
"#;

fn files(name: &str) -> (Folder, String) {
    let folder = Folder::new(name);
    folder.write("parts/box.toml", BOX);
    folder.write("parts/names.txt", "mine.example\n");
    folder.write("parts/sites.toml", SITES);
    folder.write("parts/more.toml", MORE);
    let path = folder.write("one.toml", SCENARIO);
    (folder, path)
}

#[test]
fn a_profile_and_services_lie_beside_a_scenario_and_name_what_lies_beside_them() {
    let (folder, path) = files("beside");
    let library = Library::embedded();
    let scenario = load(&path, &library).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let services: Vec<&str> = scenario.services.iter().map(|each| &*each.id).collect();
    assert_eq!(services, ["services/neutral", "services/more", "services/my-sites", "services/public-dns"]);
    assert!(scenario.rules().iter().any(|rule| rule.by == "box/sni" && rule.active));
    let shown = resolved(&path, &[], None, &library).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let last = shown.values.iter().find(|each| each.path == "censor.box.last").expect("it is filled in");
    let file = folder.path().join("parts/box.toml").display().to_string();
    assert_eq!(last.origin, Origin::Profile { file, line: 6 });
}

#[test]
fn they_are_looked_for_nowhere_else() {
    let (folder, path) = files("beside-outside");
    folder.write("inside/one.toml", SCENARIO);
    let cases = [
        ("./parts/box.toml", "../parts/box.toml", DiagnosticKind::Outside),
        ("./parts/box.toml", "./parts/none.toml", DiagnosticKind::Unreadable),
        ("./parts/box.toml", "./parts/sites.toml", DiagnosticKind::WrongKind),
        ("./parts/sites.toml", "/etc/hosts", DiagnosticKind::Outside),
        ("./parts/sites.toml", "./parts/box.toml", DiagnosticKind::WrongKind),
    ];
    for (from, to, kind) in cases {
        folder.write("one.toml", &SCENARIO.replace(from, to));
        let mistakes = load(&path, &Library::embedded()).expect_err(to);
        assert!(mistakes.all.iter().any(|each| each.kind == kind), "{to}: {mistakes}");
    }
    // A service that brings itself.
    folder.write("one.toml", SCENARIO);
    folder.write("parts/more.toml", &MORE.replace("title =", "use = [\"./sites.toml\"]\ntitle ="));
    let mistakes = load(&path, &Library::embedded()).expect_err("a circle");
    assert_eq!(mistakes.all[0].kind, DiagnosticKind::UseLoop, "{mistakes}");
}
