//! Lists: put together, left out, and read from files beside a scenario.

mod folder;

use std::fs;
use std::os::unix::fs::symlink;

use folder::Folder;
use ipnet::IpNet;
use proptest::prelude::*;
use roadblock_censor::policy::Condition;
use roadblock_censor::{NameSet, PrefixSet};
use roadblock_scenarios::{DiagnosticKind, Diagnostics, Library, Scenario, load, load_with, resolve};

/// A scenario whose resolver hides these names, with these lines before all tables.
fn text(names: &str, lines: &str) -> String {
    format!(
        "id = \"x\"\ntitle = \"T\"\nuse = [\"services/public-dns\"]\n{lines}\n[hop.a]\n[hop.b]\n\
         [vantage.in]\nisp = \"AS12389 Rostelecom\"\npath = [\"a\"]\nresolvers = [\"isp\"]\n\
         [vantage.control]\nisp = \"AS3320 Deutsche Telekom\"\npath = [\"b\"]\nresolvers = [\"8.8.8.8\"]\n\
         [resolver.isp]\nat = \"a\"\nlies = [{{ id = \"hide\", names = {names}, answer = {{ rcode = \"NXDOMAIN\" }} }}]\n"
    )
}

fn library() -> Library {
    Library::embedded().with_files([
        ("lists/one.txt".to_owned(), "a.example # one\nb.example\n*.c.example\n".to_owned()),
        ("lists/two.txt".to_owned(), "b.example\nd.example\n".to_owned()),
    ])
}

/// The names that are hidden in the last phase.
fn hidden(scenario: &Scenario) -> NameSet {
    scenario.default_phase().expect("a phase").state.lies["isp"][0].names.clone()
}

fn names(written: &str) -> Vec<String> {
    let scenario = resolve(&text(written, ""), "x.toml", &library()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    hidden(&scenario).iter().map(ToString::to_string).collect()
}

fn mistakes(written: &str) -> Diagnostics {
    resolve(&text(written, ""), "x.toml", &library()).expect_err(written)
}

#[test]
fn lists_are_put_together_and_others_left_out() {
    assert_eq!(names("[\"@lists/one\", \"@lists/two\"]"), ["a.example", "b.example", "d.example", "*.c.example"]);
    assert_eq!(
        names("{ union = [\"@lists/one\", \"x.example\"], except = \"@lists/two\" }"),
        ["a.example", "x.example", "*.c.example"]
    );
    assert_eq!(names("{ union = \"@lists/two\" }"), ["b.example", "d.example"]);
    assert_eq!(names("{ union = \"@lists/two\", except = [] }"), ["b.example", "d.example"]);
}

#[test]
fn a_pattern_goes_if_another_means_all_that_it_means() {
    assert_eq!(
        names("{ union = [\"=www.a.example\", \"*.a.example\", \"b.example\"], except = \"a.example\" }"),
        ["b.example"]
    );
    assert_eq!(names("{ union = [\"x.a.example\", \"*t.co*\"], except = [\"*.a.example\", \"*t.co*\"] }"), [""; 0]);
    for written in [
        "{ union = \"a.example\", except = \"www.a.example\" }",
        "{ union = \"a.example\", except = \"=a.example\" }",
        "{ union = \"*a*\", except = \"a.example\" }",
    ] {
        let said = mistakes(written);
        assert_eq!(said.all[0].kind, DiagnosticKind::BadValue, "{said}");
        assert!(said.to_string().contains("means it too, and more"), "{said}");
    }
    let said = mistakes("{ union = \"a.example\", except = \"b.example\" }");
    assert_eq!(said.all[0].kind, DiagnosticKind::NothingToChange, "{said}");
    assert_eq!(names("{ union = \"a.example\", except = \"@lists/two\" }"), ["a.example"], "a list may say more");
}

#[test]
fn a_phase_may_put_lists_together_too() {
    let change = |change: &str| {
        let text = format!(
            "{}[[phase]]\nid = \"one\"\nchange = [{{ in = \"resolver.isp.lies.hide.names\", {change} }}]\n",
            text("[\"x.example\"]", "")
        );
        let scenario = resolve(&text, "x.toml", &library()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        hidden(&scenario).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        change("add = { union = \"@lists/one\", except = \"@lists/two\" }"),
        ["a.example", "x.example", "*.c.example"]
    );
    assert_eq!(change("set = { union = \"@lists/two\", except = \"b.example\" }"), ["d.example"]);
}

/// What a profile's rule about these addresses comes to.
fn prefixes(written: &str) -> Result<PrefixSet, Diagnostics> {
    let profile = "kind = \"profile\"\nid = \"censors/mine\"\ntitle = \"M\"\nparam.all = { type = \"prefixes\" }\n\
                   box.place = \"in-path\"\n[[rule]]\nid = \"one\"\nwhen = { server.address = \"$all\" }\n\
                   trigger = \"drop\"\n";
    let library = library().with_files([("censors/mine.toml".to_owned(), profile.to_owned())]);
    let profile = library.profile("censors/mine", &format!("all = {written}"))?;
    Ok(addresses(&profile.policy.boxes[0].rules[0].when))
}

/// The addresses that a condition asks about.
fn addresses(when: &Condition) -> PrefixSet {
    match when {
        Condition::All(all) => addresses(all.first().expect("a condition")),
        Condition::ServerAddress(set) => set.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_prefix_is_cut() {
    let left =
        prefixes("{ union = [\"10.0.0.0/8\", \"2001:db8::/32\"], except = [\"10.128.0.0/9\", \"2001:db8::/48\"] }")
            .unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(left.v4_ranges(), [(u32::from_be_bytes([10, 0, 0, 0]), u32::from_be_bytes([10, 127, 255, 255]))]);
    assert!(!left.contains("2001:db8::1".parse().expect("an address")));
    assert!(left.contains("2001:db8:1::1".parse().expect("an address")));
    let said = prefixes("{ union = \"10.0.0.0/8\", except = \"192.0.2.0/24\" }").expect_err("not there");
    assert_eq!(said.all[0].kind, DiagnosticKind::NothingToChange);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_is_left_is_in_the_one_and_not_in_the_other(
        union in prop::collection::vec((any::<u32>(), 0..=6_u8), 1..6),
        except in prop::collection::vec((any::<u32>(), 0..=8_u8), 1..6),
        probes in prop::collection::vec(any::<u32>(), 16),
    ) {
        let net = |(address, length): &(u32, u8)| {
            ipnet::Ipv4Net::new((*address).into(), *length).expect("a length").trunc()
        };
        let all: PrefixSet = union.iter().map(|each| IpNet::from(net(each))).collect();
        let out: PrefixSet = except.iter().map(|each| IpNet::from(net(each))).collect();
        let list = |nets: &[(u32, u8)]| nets.iter().map(|each| net(each).to_string()).collect::<Vec<_>>().join("\n");
        let library = Library::embedded().with_files([
            ("lists/all.txt".to_owned(), list(&union)),
            ("lists/out.txt".to_owned(), list(&except)),
            ("censors/mine.toml".to_owned(), "kind = \"profile\"\nid = \"censors/mine\"\ntitle = \"M\"\nbox.place = \"in-path\"\n\
              [[rule]]\nid = \"one\"\nwhen = { server.address = { union = \"@lists/all\", except = \"@lists/out\" } }\n\
              trigger = \"drop\"\n".to_owned()),
        ]);
        let profile = library.profile("censors/mine", "").expect("sound");
        let left = addresses(&profile.policy.boxes[0].rules[0].when);
        let ends = union.iter().chain(&except).map(net).flat_map(|net| [net.network(), net.broadcast()]);
        for address in probes.into_iter().map(std::net::Ipv4Addr::from).chain(ends) {
            let address = address.into();
            prop_assert_eq!(left.contains(address), all.contains(address) && !out.contains(address), "{}", address);
        }
    }
}

#[test]
fn a_list_lies_beside_the_file_that_names_it() {
    let folder = Folder::new("lists");
    folder.write("mine.txt", "one.example\n");
    folder.write("below/more.txt", "two.example\n");
    let path = folder.write("x.toml", &text("[\"@./mine.txt\", \"@./below/more.txt\"]", ""));
    let scenario = load(&path, &library()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(hidden(&scenario).len(), 2);
    // What another file says is looked for beside that file.
    folder.write("below/base.toml", &text("\"@./more.txt\"", ""));
    let extending = folder.write("y.toml", "id = \"y\"\ntitle = \"Y\"\nextends = \"./below/base.toml\"\n");
    let scenario = load(&extending, &library()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert!(hidden(&scenario).matches("two.example"));
    // A mistake in it is shown there.
    folder.write("below/more.txt", "good.example\n*b*ad.example\n");
    let said = load(&extending, &library()).expect_err("a bad list");
    let place = format!("{}/below/more.txt:2:1: ", folder.path().display());
    assert!(said.to_string().starts_with(&place), "{said}");
}

#[test]
fn nothing_outside_the_files_own_folder_is_a_list() {
    let folder = Folder::new("strange-lists");
    let outside = folder.write("secret.txt", "secret.example\n");
    folder.write("inside/keep.txt", "");
    let inside = folder.path().join("inside");
    symlink(&outside, inside.join("link.txt")).expect("linked");
    symlink(folder.path(), inside.join("up")).expect("linked");
    for (list, kind) in [
        ("@../secret.txt", DiagnosticKind::Outside),
        ("@./x/../../secret.txt", DiagnosticKind::Outside),
        (&*format!("@{outside}"), DiagnosticKind::Outside),
        ("@./link.txt", DiagnosticKind::Outside),
        ("@./up/secret.txt", DiagnosticKind::Outside),
        ("@/dev/zero", DiagnosticKind::Outside),
        ("@./", DiagnosticKind::Unreadable),
        ("@./none.txt", DiagnosticKind::Unreadable),
        ("@lists/../../secret", DiagnosticKind::UnknownList),
    ] {
        for lines in [
            text(&format!("[\"{list}\"]"), ""),
            text("\"$p\"", &format!("param.p = {{ type = \"names\", default = \"{list}\" }}")),
        ] {
            let path = folder.write("inside/x.toml", &lines);
            let said = load(&path, &library()).expect_err(list);
            assert_eq!(said.all.iter().map(|each| each.kind).collect::<Vec<_>>(), [kind], "{list}: {said}");
            assert!(!said.to_string().contains("secret.example"), "{said}");
        }
    }
    let here = resolve(&text("\"@./keep.txt\"", ""), "x.toml", &library()).expect_err("a text has no folder");
    assert_eq!(here.all[0].kind, DiagnosticKind::Outside);
}

#[test]
fn a_command_names_lists_beside_itself() {
    let folder = Folder::new("command-lists");
    let path = folder.write("x.toml", &text("\"$p\"", "param.p = { type = \"names\" }"));
    // Tests run in the crate's own folder.
    let list = "@./lists/ru-nsdi-whatsapp.txt";
    let scenario = load_with(&path, &[format!("p={list}")], &library()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert!(hidden(&scenario).matches("web.whatsapp.com"));
    let said = load_with(&path, &["p=@../README.md".to_owned()], &library()).expect_err("outside");
    assert_eq!(said.all[0].kind, DiagnosticKind::Outside);
}

#[test]
fn a_library_does_not_follow_links_out_of_itself() {
    let folder = Folder::new("library-links");
    let outside = folder.write("secret.txt", "secret.example\n");
    folder.write("library/lists/good.txt", "good.example\n");
    let library = folder.path().join("library");
    symlink(library.join("lists/good.txt"), library.join("lists/same.txt")).expect("linked");
    assert_eq!(Library::at(&library).expect("it is read").lists().filter(|list| *list == "lists/same").count(), 1);
    symlink(outside, library.join("lists/link.txt")).expect("linked");
    let error = Library::at(&library).expect_err("a link that leads out");
    assert!(error.to_string().contains("lists/link.txt"), "{error}");
}

#[test]
fn a_large_list_beside_a_file_is_read() {
    let folder = Folder::new("large");
    let list = (0..100_000).fold(String::new(), |list, number| list + &format!("n{number}.example\n"));
    folder.write("large.txt", &list);
    let out = (0..50_000).fold(String::new(), |list, number| list + &format!("n{number}.example\n"));
    folder.write("out.txt", &out);
    let path = folder.write("x.toml", &text("{ union = \"@./large.txt\", except = \"@./out.txt\" }", ""));
    assert_eq!(hidden(&load(&path, &library()).expect("sound")).len(), 50_000);
    fs::remove_file(folder.path().join("large.txt")).expect("gone");
}
