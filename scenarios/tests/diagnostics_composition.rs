//! What is said about files that extend others wrongly, and about parameters and lists that are wrong.

#[path = "support/sound.rs"]
mod sound;

use roadblock_scenarios::{Diagnostics, Library, load, resolve};
use sound::SOUND;

fn library() -> Library {
    Library::embedded().with_files([("lab/sound.toml".to_owned(), SOUND.replace("\"test\"", "\"lab/sound\""))])
}

/// What is said of a file with these lines.
fn mistakes(lines: &str) -> Diagnostics {
    let text = format!("id = \"mine\"\ntitle = \"Mine\"\n{lines}");
    resolve(&text, "mine.toml", &library()).expect_err(lines)
}

/// What is said of a file that extends the sound one with these lines.
fn extending(lines: &str) -> Diagnostics {
    mistakes(&format!("extends = \"lab/sound\"\n{lines}"))
}

/// Each file and what is said of it.
fn all(cases: &[&str], said: impl Fn(&str) -> Diagnostics) -> String {
    cases.iter().map(|lines| format!("{}\n{}\n", lines.trim_end(), said(lines))).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_extends_nothing_that_is_there() {
    insta::assert_snapshot!(all(
        &["extends = \"lab/sund\"", "extends = \"./sound.toml\"", "extends = [\"lab/sound\"]",],
        mistakes
    ));
}

#[test]
fn files_that_extend_each_other() {
    let file = |id: &str, extends: &str| {
        let text = format!("id = \"lab/{id}\"\ntitle = \"{id}\"\nextends = \"lab/{extends}\"\n");
        (format!("lab/{id}.toml"), text)
    };
    let circle = Library::embedded().with_files([file("a", "b"), file("b", "c"), file("c", "b")]);
    let chain = (0..12).map(|number| file(&format!("n{number}"), &format!("n{}", number + 1)));
    let chain = Library::embedded().with_files(chain);
    let said = |id: &str, library: &Library| load(id, library).expect_err(id).to_string();
    insta::assert_snapshot!(format!("{}\n{}", said("lab/a", &circle), said("lab/n0", &chain)));
}

#[test]
fn what_is_not_there_to_be_taken_out() {
    let nothing = mistakes("without = [\"phase.first\"]");
    let wrong = extending(
        "without = [\"phase.frist\", \"expect.hidden\", \"vantages.inside\", \"censor.box.sni-4\", \"title\", \"expect.0\"]",
    );
    insta::assert_snapshot!(format!("{nothing}\n\n{wrong}"));
}

#[test]
fn parameters_that_are_wrong() {
    insta::assert_snapshot!(all(
        &[
            "set = { mis = 0.5 }",
            "set = 3",
            "param.slow = { type = \"duration\", default = 2 }\nparam.Miss = { type = \"probability\" }\n\
             param.names = { type = \"names\", default = [\"a*b\"] }\nset = { slwo = \"1s\" }\n\
             vantage.inside.delay = \"$slow\"\ncensor.box.miss = \"$mis\"",
            // The value is what is wrong, so its place is shown.
            "param.rate = { type = \"rate\", default = \"150kbit\" }\nvantage.inside.delay = \"$rate\"",
        ],
        extending
    ));
}

#[test]
fn lists_that_are_none() {
    let file = |written: &str| extending(&format!("censor.box.sni-1 = {written}"));
    insta::assert_snapshot!(all(
        &[
            "{ union = 3 }",
            "{ except = [\"a.b\"] }",
            "{ union = [\"@lists/ru-nsdi-meta\"], excep = [\"a.b\"] }",
            "{ union = [\"a.b\"], except = [\"www.a.b\", \"c.d\"] }",
            "[\"@../mine.txt\", \"@./mine.txt\"]",
        ],
        file
    ));
}
