//! A profile by itself, without a scenario.

use std::fmt::Write;
use std::path::Path;

use roadblock_censor::policy::{Condition, Content, HelloQuestion, TlsQuestion};
use roadblock_scenarios::Library;

/// A profile with a parameter that must be set and one that need not be.
const MINE: &str = r#"
kind = "profile"
id = "censors/mine"
title = "Mine"
param.names = { type = "names", about = "what is dropped" }
param.last = { type = "duration" }
box.place = "in-path"

[[rule]]
id = "sni"
when = { tls.sni = "$names" }
trigger = "drop"
then = { both = "drop" }
key = "4t"
last = "$last"
"#;

fn library() -> Library {
    Library::embedded().with_files([("censors/mine.toml".to_owned(), MINE.to_owned())])
}

#[test]
fn parameters_are_set_as_in_a_scenario() {
    let profile = library().profile("censors/mine", "names = [\"a.b\"]\nlast = \"3s\"").expect("it is sound");
    assert_eq!((&*profile.id, &*profile.title), ("censors/mine", "Mine"));
    let told: Vec<_> = profile.parameters.iter().map(|each| (&*each.name, each.kind, each.about.as_deref())).collect();
    assert_eq!(told, [("names", "names", Some("what is dropped")), ("last", "duration", None)]);
    let [only] = &*profile.policy.boxes else { panic!("{:?}", profile.policy) };
    assert_eq!(&*only.name, "censor");
    assert_eq!(only.rules[0].residuals[0].last.as_secs(), 3);
}

#[test]
fn a_path_names_a_file_of_ones_own() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("censors/sni-drop.toml");
    let path = path.to_str().expect("a plain path");
    let profile = Library::embedded().profile_named("box", path, "names = \"a.b\"").expect("it is sound");
    assert_eq!(&*profile.policy.boxes[0].name, "box");
}

#[test]
fn lists_of_the_library_can_be_named() {
    let profile = library().profile("censors/mine", "names = \"@lists/ru-nsdi-whatsapp\"\nlast = \"3s\"");
    let profile = profile.expect("it is sound");
    let Condition::Content(Content::Tls(TlsQuestion::Hello(HelloQuestion::Sni(names)))) =
        &profile.policy.boxes[0].rules[0].when
    else {
        panic!("{:?}", profile.policy)
    };
    assert!(names.iter().count() > 1);
}

#[test]
fn what_is_wrong_with_arguments_points_into_them() {
    let mut all = String::new();
    for arguments in ["names = [\"a..b\"]\nlst = \"3s\"", "last = 3", "last = ", ""] {
        let mistakes = library().profile("censors/mine", arguments).expect_err("it is wrong");
        writeln!(all, "--- {arguments:?}\n{mistakes}").expect("a string takes all");
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_reference_that_names_nothing() {
    for (reference, said) in [
        ("censors/min", "did you mean `censors/mine`?"),
        ("services/max", "the library has no profile `services/max`"),
        ("./no/such/file.toml", "cannot read `./no/such/file.toml`"),
    ] {
        let mistakes = library().profile(reference, "").expect_err("there is none").to_string();
        assert!(mistakes.contains(said), "{mistakes}");
    }
}

#[test]
fn a_file_of_either_kind_is_checked_by_its_path() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = Library::embedded();
    for file in ["censors/sni-drop.toml", "mechanisms/ip-drop.toml"] {
        library.check_file(root.join(file).to_str().expect("a plain path")).expect("it is sound");
    }
    assert!(library.check_file(root.join("services/max.toml").to_str().expect("a plain path")).is_err());
    assert!(library.check_file("no/such.toml").is_err());
}
