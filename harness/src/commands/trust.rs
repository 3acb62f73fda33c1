//! Whose commands are run: those of the library that the binary carries, and those of a stranger's file only where the user
//! has said so.

use std::sync::Arc;

use roadblock_scenarios::Scenario;

/// A stranger's scenario would have this machine run something.
#[derive(Debug, thiserror::Error)]
#[error(
    "{place}: `{id}` would have this machine run a command, and it does not come with roadblock:\n  {command}{more}"
)]
pub(crate) struct NotAllowed {
    id: String,
    place: String,
    command: String,
    more: String,
}

/// The scenario, if its commands may be run: a stranger's are with `--allow-commands` alone.
pub(super) fn admit(scenario: Arc<Scenario>, allow_commands: bool) -> Result<Arc<Scenario>, NotAllowed> {
    if !scenario.foreign {
        return Ok(scenario);
    }
    if allow_commands {
        return Ok(Arc::new(Scenario { foreign: false, ..Scenario::clone(&scenario) }));
    }
    let mut commands = scenario.commands();
    let Some((place, command)) = commands.next() else {
        return Ok(Arc::clone(&scenario));
    };
    let more = match commands.count() {
        0 => String::new(),
        1 => "\nand one more".to_owned(),
        more => format!("\nand {more} more"),
    };
    let command = command.lines().collect::<Vec<_>>().join("\n  ");
    Err(NotAllowed { id: scenario.id.to_string(), place: place.to_string(), command, more })
}

/// What to do about it.
pub(super) const HELP: &str = "read the file, and if you trust whoever wrote it, add --allow-commands";

#[cfg(test)]
mod tests {
    use roadblock_scenarios::{Library, load, resolve};

    use super::*;

    /// The flagship with machines that run something, as a stranger's file.
    fn strangers() -> Arc<Scenario> {
        let library = Library::embedded();
        let text = library.document("ru/whatsapp-2026").expect("the flagship").text().to_owned();
        let machine = |name: &str, last: u8| {
            format!(
                "\n[machine.{name}]\naddress = \"185.70.40.{last}\"\nrun = \"\"\"\nset -e\n./serve {name}\n\"\"\"\n"
            )
        };
        let text = text + &machine("one", 1) + &machine("two", 2);
        Arc::new(resolve(&text, "theirs.toml", &library).unwrap_or_else(|errors| panic!("{errors}")))
    }

    #[test]
    fn a_strangers_commands_are_shown_and_not_run() {
        let error = admit(strangers(), false).expect_err("they are not allowed").to_string();
        let error =
            error.split_once(':').expect("a place").1.split_once(": ").expect("a line and a column").1.to_owned();
        insta::assert_snapshot!(error, @r"
        `ru/whatsapp-2026` would have this machine run a command, and it does not come with roadblock:
          set -e
          ./serve one
        and one more
        ");
        assert!(!admit(strangers(), true).expect("they are allowed").foreign);
    }

    #[test]
    fn what_runs_nothing_or_comes_with_roadblock_needs_no_permission() {
        let library = Library::embedded();
        let own = Arc::new(load("ru/whatsapp-2026", &library).expect("the flagship"));
        assert!(!own.foreign && admit(own, false).is_ok());
        let text = library.document("ru/whatsapp-2026").expect("the flagship").text().to_owned();
        let quiet = Arc::new(resolve(&text, "theirs.toml", &library).expect("the flagship"));
        assert!(quiet.foreign && admit(quiet, false).is_ok());
    }

    /// A folder that is laid over the library may change any part of it.
    #[test]
    fn a_library_of_somebody_elses_is_a_strangers() {
        let library = Library::embedded().with_files([]);
        assert!(load("ru/whatsapp-2026", &library).expect("the flagship").foreign);
    }
}
