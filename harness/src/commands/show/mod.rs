//! `roadblock show`.

mod account;
mod changes;
mod deeds;
mod human;
mod resolved;
mod rules;

use roadblock_scenarios::Library;

use super::{library, print, print_json};
use crate::cli::{Format, ShowArguments};
use crate::output::Paint;
use crate::status;

/// Explains a scenario.
pub(super) fn show(library: &Library, arguments: &ShowArguments) -> u8 {
    if arguments.resolved {
        return resolved::show(library, arguments);
    }
    let Some(scenario) = library::scenario_with(library, &arguments.scenario, &arguments.parameters.set) else {
        return status::USAGE;
    };
    let account = account::Account::new(&scenario);
    match arguments.format {
        Format::Human => print(&human::render(&account, Paint::for_stdout()), status::OK),
        Format::Json => print_json(&account, status::OK),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flagship_is_explained() {
        let scenario = roadblock_scenarios::load("ru/whatsapp-2026", &Library::embedded()).expect("a sound scenario");
        insta::assert_snapshot!(human::render(&account::Account::new(&scenario), Paint::none()));
    }
}
