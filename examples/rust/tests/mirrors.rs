//! The same code at four places of the internet, one after the other on this machine. Under plain `cargo test`; all it needs
//! is `roadblock` in the PATH, or ROADBLOCK=/path/to/roadblock.

use mirrors::first_page;

const MIRRORS: [&str; 2] = ["https://web.whatsapp.com/", "https://www.wikipedia.org/"];

#[roadblock::test(scenario = "ru/whatsapp-2026", phase = "before", vantage = "moscow")]
fn the_first_mirror_is_taken_where_it_is_not_blocked() {
    assert_eq!(first_page(&MIRRORS).unwrap().0, MIRRORS[0]);
}

// Here its name is gone from the provider's resolver.
#[roadblock::test(scenario = "ru/whatsapp-2026", phase = "full-block", vantage = "moscow")]
fn the_second_mirror_is_taken_where_the_first_is_blocked() {
    assert_eq!(first_page(&MIRRORS).unwrap().0, MIRRORS[1]);
}

#[roadblock::test(scenario = "ru/whatsapp-2026", phase = "full-block", vantage = "control")]
fn elsewhere_nothing_is_blocked() {
    assert_eq!(first_page(&MIRRORS).unwrap().0, MIRRORS[0]);
}

// A scenario of one's own: its path begins at the package's folder.
#[roadblock::test(scenario = "./scenarios/no-mirror.toml")]
#[should_panic(expected = "Connection reset by peer")]
fn with_all_mirrors_blocked_there_is_no_page() {
    first_page(&MIRRORS).unwrap();
}
