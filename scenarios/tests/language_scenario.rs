//! What a scenario says about itself: the story, the mechanisms, the country.

use roadblock_scenarios::model::Mechanism;
use roadblock_scenarios::{Library, Scenario, resolve};

/// A scenario with these lines after its title.
fn scenario(id: &str, lines: &str) -> Scenario {
    let text = format!(
        "id = \"{id}\"\ntitle = \"T\"\n{lines}\nuse = [\"services/public-dns\"]\n[hop.a]\n[vantage.control]\n\
         isp = \"AS3320 Deutsche Telekom\"\npath = [\"a\"]\nresolvers = [\"8.8.8.8\"]\n"
    );
    resolve(&text, "test.toml", &Library::embedded()).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

#[test]
fn the_story_is_told_whatever_the_lines_it_was_written_on() {
    let told = scenario(
        "x",
        "story = \"\"\"\nOne morning\n  names were gone.\n\nThen more.\n\"\"\"\nfelt = \"Nothing\"\nunknown = \" Why. \"",
    );
    assert_eq!(told.story.as_deref(), Some("One morning names were gone.\n\nThen more."));
    assert_eq!((told.felt.as_deref(), told.unknown.as_deref()), (Some("Nothing"), Some("Why.")));
    let silent = scenario("x", "");
    assert_eq!((silent.story, silent.felt, silent.unknown), (None, None, None));
}

#[test]
fn mechanisms_are_words_of_a_list_and_each_is_kept_once() {
    let named = scenario("x", "mechanisms = [\"dns-lie\", \"sni-rewrite\", \"dns-lie\"]");
    assert_eq!(named.mechanisms, [Mechanism::DnsLie, Mechanism::SniRewrite]);
    for each in Mechanism::ALL {
        assert_eq!(each.word().parse(), Ok(*each));
        assert!(each.about().ends_with('.'), "{each}");
    }
    let unknown = "dns-lies".parse::<Mechanism>().expect_err("no such word").to_string();
    assert!(unknown.starts_with("`dns-lies` is no mechanism; did you mean `dns-lie`?"), "{unknown}");
}

#[test]
fn the_country_is_the_folder_where_that_is_one() {
    for (id, country) in
        [("ru/x", Some("ru")), ("ve/x", Some("ve")), ("mechanisms/x", None), ("mine/x", None), ("ru", None)]
    {
        assert_eq!(scenario(id, "").country(), country, "{id}");
    }
}
