//! What can be written on the command line.

use std::ffi::OsString;
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use ipnet::IpNet;

use crate::suite::Partition;

/// A small internet with censors in it, on one machine and without root
#[derive(Debug, Parser)]
#[command(name = "roadblock", version, arg_required_else_help = true, max_term_width = 100, after_help = EXIT_STATUSES)]
pub(crate) struct Cli {
    /// Look for scenarios, services, profiles and lists here before the built-in library
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) library: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Play a scenario phase by phase and report what each vantage met
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArguments),
    /// Play the expectations of many scenarios, many labs side by side
    #[command(after_help = TEST_EXAMPLES)]
    Test(TestArguments),
    /// Run a command inside a scenario
    #[command(after_help = EXEC_EXAMPLES)]
    Exec(ExecArguments),
    /// Open a shell inside a scenario
    #[command(after_help = SHELL_EXAMPLES)]
    Shell(SeatArguments),
    /// List the labs that run, move one to another phase or through time, follow what is decided in it
    #[command(after_help = CTL_EXAMPLES)]
    Ctl(CtlArguments),
    /// Say what a censor would have done to a capture, packet by packet; needs no privileges
    #[command(after_help = REPLAY_EXAMPLES)]
    Replay(ReplayArguments),
    /// Join what several machines tested
    Report(ReportArguments),
    /// List the scenarios of the library, by country or by mechanism
    List(ListArguments),
    /// Explain a scenario: who, where, what is blocked, when, and how far it is known
    #[command(after_help = SHOW_EXAMPLES)]
    Show(ShowArguments),
    /// Start a scenario of one's own: a small one that runs at once, or a copy of another
    #[command(after_help = NEW_EXAMPLES)]
    New(NewArguments),
    /// Check scenario files and say all that is wrong with them
    #[command(after_help = CHECK_EXAMPLES)]
    Check(CheckArguments),
    /// Print the JSON Schema of a file or a document
    Schema(SchemaArguments),
    /// Try out whether this machine can run labs, and say what to do if not
    Doctor(FormatArgument),
    /// Print a completion script for a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(CompletionsArguments),
}

/// `roadblock run`.
#[derive(Args, Debug)]
pub(crate) struct RunArguments {
    /// A scenario of the library, or a path that starts with `/` or `.` or ends in `.toml`
    pub(crate) scenario: String,
    /// What is set.
    #[command(flatten)]
    pub(crate) parameters: ParameterArguments,
    /// Play only this phase; may be given several times
    #[arg(long = "phase", value_name = "PHASE")]
    pub(crate) phases: Vec<String>,
    /// Measure only from this vantage, beside `control`; may be given several times
    #[arg(long = "vantage", value_name = "VANTAGE")]
    pub(crate) vantages: Vec<String>,
    /// What all chance in the lab comes from
    #[arg(long, value_name = "NUMBER", default_value_t = DEFAULT_SEED)]
    pub(crate) seed: u64,
    /// Let a scenario that does not come with roadblock run its commands on this machine: `run` of its machines, `command`
    /// of its probes
    #[arg(long)]
    pub(crate) allow_commands: bool,
    /// How to print the report
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Write a page to look at, the report, all decisions, the captured packets and what ran on machines has said into this
    /// directory: `report/index.html`, `report.json`, `events.jsonl`, `run.pcapng`, `machines/NAME.log`
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// What a scenario lets its user set.
#[derive(Args, Debug)]
pub(crate) struct ParameterArguments {
    /// Set a parameter of the scenario; VALUE is TOML, or a bare word; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
}

/// `roadblock test`.
#[derive(Args, Debug)]
pub(crate) struct TestArguments {
    /// Scenarios of the library, also with `*` in them, files, and folders that start with `/` or `.`; all of the library if
    /// not given
    #[arg(value_name = "SCENARIO")]
    pub(crate) scenarios: Vec<String>,
    /// Only scenarios of this country, as `ru`; may be given several times
    #[arg(long = "country", value_name = "COUNTRY")]
    pub(crate) countries: Vec<String>,
    /// Only scenarios about this mechanism, as `sni-reset`; may be given several times
    #[arg(long = "mechanism", value_name = "MECHANISM")]
    pub(crate) mechanisms: Vec<String>,
    /// Only expectations about a rule that cites this fact, as `TSPU-1`; may be given several times
    #[arg(long = "fact", value_name = "FACT")]
    pub(crate) facts: Vec<String>,
    /// Only this phase; may be given several times
    #[arg(long = "phase", value_name = "PHASE")]
    pub(crate) phases: Vec<String>,
    /// Only expectations that measure by this probe, as `tls`; may be given several times
    #[arg(long = "probe", value_name = "PROBE")]
    pub(crate) probes: Vec<String>,
    /// Only a part, so that several machines share the work: `count:K/N` or `hash:K/N`, by which another scenario moves no
    /// other
    #[arg(long, value_name = "PART", conflicts_with = "mutate")]
    pub(crate) partition: Option<Partition>,
    /// Try a phase that does not go as expected so many times again; if it does then, it is called flaky
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) retries: u32,
    /// Begin nothing more once something did not go as expected
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// How many seconds a phase may take
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) timeout: u64,
    /// How many labs there are at a time; eight for each processor if not given
    #[arg(long, value_name = "NUMBER")]
    pub(crate) labs: Option<NonZero<u16>>,
    /// What all chance in the labs comes from
    #[arg(long, value_name = "NUMBER", default_value_t = DEFAULT_SEED)]
    pub(crate) seed: u64,
    /// Take out each rule in turn, and fail if nothing notices
    #[arg(long)]
    pub(crate) mutate: bool,
    /// With `--mutate`: only one rule in so many
    #[arg(long, value_name = "NUMBER", default_value_t = 1, requires = "mutate")]
    pub(crate) sample: usize,
    /// Let scenarios that do not come with roadblock run their commands on this machine: `run` of their machines, `command`
    /// of their probes
    #[arg(long)]
    pub(crate) allow_commands: bool,
    /// Write a JUnit file
    #[arg(long, value_name = "FILE", conflicts_with = "mutate")]
    pub(crate) junit: Option<PathBuf>,
    /// How to print what came of it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: SuiteFormat,
}

/// `roadblock report`.
#[derive(Args, Debug)]
pub(crate) struct ReportArguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: ReportCommand,
}

/// What to do with documents of `test`.
#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    /// Join the parts of a test into the document that one machine would have given; exits as that test would have
    #[command(after_help = MERGE_EXAMPLES)]
    Merge(MergeArguments),
}

/// `roadblock report merge`.
#[derive(Args, Debug)]
pub(crate) struct MergeArguments {
    /// What `roadblock test --partition ... --format json` printed, all parts of one whole, in any order
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Write a JUnit file
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// How to print what came of it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// How to print what a suite gives.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum SuiteFormat {
    /// For people
    #[default]
    Human,
    /// For programs: a document that names its schema, at the end
    Json,
    /// For programs: a line for each phase as soon as it was played
    Lines,
}

/// Where and when a command runs.
#[derive(Args, Debug)]
pub(crate) struct SeatArguments {
    /// A scenario of the library, or a path that starts with `/` or `.` or ends in `.toml`
    pub(crate) scenario: String,
    /// What is set.
    #[command(flatten)]
    pub(crate) parameters: ParameterArguments,
    /// The phase; the last one if not given
    #[arg(long, value_name = "PHASE")]
    pub(crate) phase: Option<String>,
    /// The vantage; the first one if not given
    #[arg(long, value_name = "VANTAGE")]
    pub(crate) vantage: Option<String>,
    /// What all chance in the lab comes from
    #[arg(long, value_name = "NUMBER", default_value_t = DEFAULT_SEED)]
    pub(crate) seed: u64,
    /// Write the packets at the hops that decide into this pcapng file, each decision as a comment of its packet, and with
    /// the TLS keys of the file that SSLKEYLOGFILE names
    #[arg(long, value_name = "FILE")]
    pub(crate) capture: Option<PathBuf>,
    /// Write all decisions into this file, one a line, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
    /// Be root inside, with all rights over the vantage, instead of yourself
    #[arg(long)]
    pub(crate) root: bool,
    /// Let a scenario that does not come with roadblock run its commands on this machine: `run` of its machines, `command`
    /// of its probes
    #[arg(long)]
    pub(crate) allow_commands: bool,
    /// Do not say afterwards what was blocked and why
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// `roadblock exec`.
#[derive(Args, Debug)]
pub(crate) struct ExecArguments {
    /// Where and when.
    #[command(flatten)]
    pub(crate) seat: SeatArguments,
    /// Run a shell command as root on a machine of the scenario's own, as `vpn=./server.sh`, until the lab ends; may be given
    /// several times
    #[arg(long = "serve", value_name = "MACHINE=COMMAND", value_parser = serve)]
    pub(crate) servers: Vec<Serve>,
    /// The command and its arguments, after `--`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// A server to run beside a command.
#[derive(Clone, Debug)]
pub(crate) struct Serve {
    /// The machine.
    pub(crate) machine: String,
    /// The command, for a shell.
    pub(crate) command: String,
}

fn serve(written: &str) -> Result<Serve, String> {
    match written.split_once('=') {
        Some((machine, command)) if !machine.is_empty() && !command.is_empty() => {
            Ok(Serve { machine: machine.to_owned(), command: command.to_owned() })
        }
        _ => Err("write a machine and a command, as `vpn=./server.sh`".to_owned()),
    }
}

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

/// `roadblock replay`.
#[derive(Args, Debug)]
#[command(group(clap::ArgGroup::new("who").required(true).args(["profile", "scenario"])))]
pub(crate) struct ReplayArguments {
    /// A file of packets, pcap or pcapng
    pub(crate) capture: PathBuf,
    /// Judge by this profile: one of the library, or a path that starts with `/` or `.` or ends in `.toml`
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<String>,
    /// Set a parameter of the profile, as a scenario does: `sni-1 = ["whatsapp.com"]`; may be given several times
    #[arg(long, value_name = "PARAMETER = VALUE", conflicts_with = "scenario")]
    pub(crate) set: Vec<String>,
    /// Give the profile's censor this name
    #[arg(long, value_name = "NAME", default_value = "censor", conflicts_with = "scenario")]
    pub(crate) name: String,
    /// Judge by the censors of this scenario; of a capture that one of its labs wrote, by each hop's what arrived there
    #[arg(long, value_name = "SCENARIO")]
    pub(crate) scenario: Option<String>,
    /// Judge all of it as in this phase; if not given, as in those that the capture's lab went through, or in the last
    #[arg(long, value_name = "PHASE", conflicts_with = "profile")]
    pub(crate) phase: Option<String>,
    /// Judge only what arrived at this hop of the lab
    #[arg(long, value_name = "HOP")]
    pub(crate) hop: Option<String>,
    /// Take these addresses to be in the censored network; if not given, whoever sent the SYN or the first datagram of each
    /// flow; may be given several times. A lab's own capture knows its sides
    #[arg(long, value_name = "PREFIX")]
    pub(crate) inside: Vec<IpNet>,
    /// What all chance comes from; if not given, as in the capture's lab, or 1
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// How to print what was decided
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// `roadblock show`.
#[derive(Args, Debug)]
pub(crate) struct ShowArguments {
    /// A scenario of the library, or a path that starts with `/` or `.` or ends in `.toml`
    pub(crate) scenario: String,
    /// What is set.
    #[command(flatten)]
    pub(crate) parameters: ParameterArguments,
    /// Print the whole scenario with everything filled in, each value with the file and line that it came from
    #[arg(long)]
    pub(crate) resolved: bool,
    /// With --resolved: as it is in this phase
    #[arg(long, value_name = "PHASE", requires = "resolved")]
    pub(crate) phase: Option<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// `roadblock new`.
#[derive(Args, Debug)]
pub(crate) struct NewArguments {
    /// The file to write; it must not be there yet
    pub(crate) file: PathBuf,
    /// Copy this scenario, of the library or from a path, with its comments
    #[arg(long, value_name = "SCENARIO")]
    pub(crate) from: Option<String>,
    /// Give it this id; if not given, a copy keeps its own and a new one is named after its file
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
}

/// `roadblock check`.
#[derive(Args, Debug)]
pub(crate) struct CheckArguments {
    /// Scenarios, profiles or services of the library, or paths that start with `/` or `.` or end in `.toml`
    #[arg(required = true, value_name = "SCENARIO")]
    pub(crate) scenarios: Vec<String>,
    /// What is set.
    #[command(flatten)]
    pub(crate) parameters: ParameterArguments,
    /// What besides errors makes a file bad
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) deny: Option<Deny>,
    /// How to print what is wrong
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// What `check` does not let pass.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Deny {
    /// What is odd: lists that match nothing, places that nobody has
    Warnings,
}

/// `roadblock schema`.
#[derive(Args, Debug)]
pub(crate) struct SchemaArguments {
    /// Of what
    #[arg(value_enum, default_value_t)]
    pub(crate) of: SchemaOf,
}

/// `roadblock completions`.
#[derive(Args, Debug)]
pub(crate) struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// `roadblock list`.
#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    /// What to group them by
    #[arg(long, value_enum, default_value_t)]
    pub(crate) by: ListBy,
    /// How to print them
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// What a list is grouped by.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum ListBy {
    /// The country whose networks a scenario shows
    #[default]
    Country,
    /// The ways of blocking, each with the scenarios that show it
    Mechanism,
}

/// A format and nothing else.
#[derive(Args, Debug)]
pub(crate) struct FormatArgument {
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// How to print a result.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Human,
    /// For programs: a document that names its schema
    Json,
}

/// What a schema is of.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// A scenario file
    #[default]
    Scenario,
    /// A censor profile
    Profile,
    /// A service file
    Service,
    /// What `roadblock run --format json` prints
    Run,
    /// What `roadblock replay --format json` prints
    Replay,
    /// What `roadblock test --format json` prints
    Test,
}

const DEFAULT_SEED: u64 = 1;

const EXIT_STATUSES: &str = "\
Exit status:
  0  all was as expected
  1  an expectation failed
  2  bad usage or bad scenario
  3  this machine cannot run labs; `roadblock doctor` says why
  4  roadblock's own fault
`exec` and `shell` pass the command's own and use 125 for ours, 126 for a command that cannot
be run and 127 for one that does not exist";

const RUN_EXAMPLES: &str = "\
Examples:
  roadblock run ru/whatsapp-2026
  roadblock run ./mine.toml --phase full-block --vantage moscow
  roadblock run ru/whatsapp-2026 --format json --out report/";

const TEST_EXAMPLES: &str = "\
Examples:
  roadblock test
  roadblock test 'ru/*' --mechanism sni-rewrite --junit junit.xml
  roadblock test ./scenarios/ --partition count:1/4 --retries 1
  roadblock test --mutate --sample 10";

const EXEC_EXAMPLES: &str = "\
Examples:
  roadblock exec ru/whatsapp-2026 -- curl -sS https://web.whatsapp.com/
  roadblock exec ru/whatsapp-2026 --phase before -- kdig web.whatsapp.com
  roadblock exec ru/whatsapp-2026 --root -- tcpdump -n
  roadblock exec ru/whatsapp-2026 --capture curl.pcapng -- curl -sS https://web.whatsapp.com/
  roadblock exec ./mine.toml --serve vpn=./server.sh -- ./client.sh";

const CTL_EXAMPLES: &str = "\
Examples:
  roadblock shell ru/whatsapp-2026 --phase before     # in one terminal; in another:
  roadblock ctl list
  roadblock ctl phase full-block
  roadblock ctl events --follow
  roadblock ctl clock +76s
  roadblock ctl reload                                # after editing the file of `exec ./mine.toml`
Exit status: 0 done; 1 the lab refused and is as it was; 2 no such lab or phase, or bad usage;
4 the lab failed or did not answer";

const REPLAY_EXAMPLES: &str = "\
Examples:
  roadblock replay curl.pcapng --profile censors/tspu-2026 --set 'sni-1 = [\"whatsapp.com\"]'
  roadblock replay office.pcap --profile ./mine.toml --inside 192.0.2.0/24 --format json
  roadblock replay report/run.pcapng --scenario ru/whatsapp-2026";

const MERGE_EXAMPLES: &str = "\
Examples:
  roadblock test --partition count:1/2 --format json >one.json    # on one machine
  roadblock test --partition count:2/2 --format json >two.json    # on another
  roadblock report merge one.json two.json --junit junit.xml";

const SHELL_EXAMPLES: &str = "\
Examples:
  roadblock shell ru/whatsapp-2026 --phase full-block
  SHELL=/bin/sh roadblock shell ./mine.toml --vantage control";

const SHOW_EXAMPLES: &str = "\
Examples:
  roadblock show ru/whatsapp-2026
  roadblock show ./mine.toml --format json
  roadblock show --resolved ru/whatsapp-2026 --phase full-block";

const NEW_EXAMPLES: &str = "\
Examples:
  roadblock new mine.toml
  roadblock new --from ru/whatsapp-2026 --id lab/mine mine.toml && roadblock run ./mine.toml";

const CHECK_EXAMPLES: &str = "\
Examples:
  roadblock check ./mine.toml
  roadblock check ru/whatsapp-2026 censors/tspu-2026 --format json";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  roadblock completions bash > ~/.local/share/bash-completion/completions/roadblock";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_hold_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn each_help_text_is_as_reviewed() {
        let mut root = Cli::command();
        root.build();
        insta::assert_snapshot!("help", root.clone().term_width(100).render_long_help());
        for command in root.get_subcommands().filter(|command| command.get_name() != "help") {
            let mut command = command.clone().term_width(100);
            insta::assert_snapshot!(format!("help-{}", command.get_name()), command.render_long_help());
            for deeper in command.get_subcommands().filter(|deeper| deeper.get_name() != "help") {
                let name = format!("help-{}-{}", command.get_name(), deeper.get_name());
                insta::assert_snapshot!(name, deeper.clone().term_width(100).render_long_help());
            }
        }
    }

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

    #[test]
    fn all_after_two_dashes_is_the_command() {
        let cli = Cli::try_parse_from(["roadblock", "exec", "a/b", "--quiet", "--", "curl", "--phase", "x"]);
        let Ok(Cli { command: Command::Exec(arguments), .. }) = cli else { panic!("{cli:?}") };
        assert_eq!(arguments.command, ["curl", "--phase", "x"]);
        assert!(arguments.seat.quiet && arguments.seat.phase.is_none());
    }
}
