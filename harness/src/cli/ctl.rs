//! `roadblock ctl`.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::{Format, FormatArgument};

/// `roadblock ctl`.
#[derive(Args, Debug)]
pub(crate) struct CtlArguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: CtlCommand,
}

/// What to do with a lab that runs.
#[derive(Debug, Subcommand)]
pub(crate) enum CtlCommand {
    /// List your labs
    List(FormatArgument),
    /// Move a lab to another phase; connections stay open
    #[command(allow_missing_positional = true)]
    Phase(CtlPhaseArguments),
    /// Have a lab play its scenario's file as it is now: its lists, policies, lies and phases; connections stay open
    Reload(CtlLabArgument),
    /// Move a lab's clock on without waiting, so that punishments end in time
    #[command(allow_missing_positional = true)]
    Clock(CtlClockArguments),
    /// Print what was decided in a lab
    Events(CtlEventsArguments),
    /// Say how a lab is: its phase, its clock, what its censors have done, and whether it is to be trusted
    Status(CtlStatusArguments),
}

/// `roadblock ctl phase`.
#[derive(Args, Debug)]
pub(crate) struct CtlPhaseArguments {
    /// The lab, as `ctl list` calls it; may be left out where only one runs
    pub(crate) lab: Option<String>,
    /// A phase of its scenario
    pub(crate) phase: String,
}

/// A lab and nothing else.
#[derive(Args, Debug)]
pub(crate) struct CtlLabArgument {
    /// The lab, as `ctl list` calls it; may be left out where only one runs
    pub(crate) lab: Option<String>,
}

/// `roadblock ctl clock`.
#[derive(Args, Debug)]
pub(crate) struct CtlClockArguments {
    /// The lab, as `ctl list` calls it; may be left out where only one runs
    pub(crate) lab: Option<String>,
    /// How far, as `+90s` or `+10min`
    #[arg(value_name = "+DURATION", value_parser = forward)]
    pub(crate) by: Duration,
}

/// `roadblock ctl events`.
#[derive(Args, Debug)]
pub(crate) struct CtlEventsArguments {
    /// The lab, as `ctl list` calls it; may be left out where only one runs
    pub(crate) lab: Option<String>,
    /// Go on with what is decided from now on, until the lab ends
    #[arg(long)]
    pub(crate) follow: bool,
    /// How to print them; as JSON, one a line, as `exec --events` writes them
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// `roadblock ctl status`.
#[derive(Args, Debug)]
pub(crate) struct CtlStatusArguments {
    /// The lab, as `ctl list` calls it; may be left out where only one runs
    pub(crate) lab: Option<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

fn forward(written: &str) -> Result<Duration, String> {
    let parsed = written.strip_prefix('+').and_then(roadblock_scenarios::duration);
    parsed.ok_or_else(|| "write how far, as `+90s` or `+10min`; a clock does not go back".to_owned())
}

pub(super) const CTL_EXAMPLES: &str = "\
Examples:
  roadblock shell ru/whatsapp-2026 --phase before     # in one terminal; in another:
  roadblock ctl list
  roadblock ctl phase full-block
  roadblock ctl events --follow
  roadblock ctl clock +76s
  roadblock ctl reload                                # after editing the file of `exec ./mine.toml`
Exit status: 0 done; 1 the lab refused and is as it was; 2 no such lab or phase, or bad usage;
4 the lab failed or did not answer";

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    #[test]
    fn a_lab_may_be_left_out() {
        let phase = |arguments: &[&str]| {
            let all = [&["roadblock", "ctl", "phase"], arguments].concat();
            match Cli::try_parse_from(all).map(|cli| cli.command) {
                Ok(Command::Ctl(CtlArguments { command: CtlCommand::Phase(arguments) })) => arguments,
                other => panic!("{other:?}"),
            }
        };
        let alone = phase(&["full-block"]);
        assert_eq!((alone.lab.as_deref(), &*alone.phase), (None, "full-block"));
        let named = phase(&["bcdf", "full-block"]);
        assert_eq!((named.lab.as_deref(), &*named.phase), (Some("bcdf"), "full-block"));
    }

    #[test]
    fn a_clock_goes_forward() {
        assert_eq!(forward("+90s"), Ok(Duration::from_secs(90)));
        for bad in ["90s", "-90s", "+90", "+", "++9s"] {
            assert!(forward(bad).is_err(), "{bad}");
        }
    }
}
