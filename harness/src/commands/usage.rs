//! A command line that clap does not understand, or one that asks for help.

use std::ffi::OsString;

use clap::error::ErrorKind;

use crate::{output, status};

/// Says what is wrong, or the help that was asked for.
pub(crate) fn usage(error: &clap::Error, arguments: impl Iterator<Item = OsString>) -> u8 {
    if let Err(error) = error.print() {
        output::notice(format_args!("roadblock: {error}"));
    }
    status_of(error, arguments)
}

fn status_of(error: &clap::Error, arguments: impl Iterator<Item = OsString>) -> u8 {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => status::OK,
        _ if means_exec(arguments) => status::EXEC_OURS,
        _ => status::USAGE,
    }
}

/// Whether the command is `exec` or `shell`, so that 2 would look like the inner command's own status.
fn means_exec(arguments: impl Iterator<Item = OsString>) -> bool {
    let mut arguments = arguments.skip(1);
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--library") => drop(arguments.next()),
            Some(option) if option.starts_with('-') => {}
            word => return matches!(word, Some("exec" | "shell")),
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    fn status(arguments: &[&str]) -> u8 {
        let error = Cli::try_parse_from(arguments).expect_err("a bad command line");
        status_of(&error, arguments.iter().map(OsString::from))
    }

    #[test]
    fn bad_usage_is_two_and_under_exec_one_hundred_and_twenty_five() {
        assert_eq!(status(&["roadblock", "run"]), status::USAGE);
        assert_eq!(status(&["roadblock", "--library", "exec", "show"]), status::USAGE);
        assert_eq!(status(&["roadblock", "exec", "ru/whatsapp-2026"]), status::EXEC_OURS);
        assert_eq!(status(&["roadblock", "--library", "x", "shell", "--nonsense"]), status::EXEC_OURS);
        assert_eq!(status(&["roadblock", "exec", "--help"]), status::OK);
    }
}
