//! What plays a scenario: `run`, `exec`, `shell` and `replay`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use ipnet::IpNet;

use super::{DEFAULT_SEED, Format, ParameterArguments};

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
    /// Write the measurements that OONI's probe hands in to the lab's collector into this file, one a line, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) measurements: Option<PathBuf>,
    /// Let this program, a path or a name that PATH finds, trust the lab although its roots are compiled in: inside, it is seen
    /// with the lab's certificate in place of one of its own; may be given several times
    #[arg(long = "graft", value_name = "BINARY")]
    pub(crate) grafts: Vec<OsString>,
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

pub(super) const RUN_EXAMPLES: &str = "\
Examples:
  roadblock run ru/whatsapp-2026
  roadblock run ./mine.toml --phase full-block --vantage moscow
  roadblock run ru/whatsapp-2026 --format json --out report/";

pub(super) const EXEC_EXAMPLES: &str = "\
Examples:
  roadblock exec ru/whatsapp-2026 -- curl -sS https://web.whatsapp.com/
  roadblock exec ru/whatsapp-2026 --phase before -- kdig web.whatsapp.com
  roadblock exec ru/whatsapp-2026 --root -- tcpdump -n
  roadblock exec ru/whatsapp-2026 --graft node -- node --use-bundled-ca probe.js
  roadblock exec ru/whatsapp-2026 --capture curl.pcapng -- curl -sS https://web.whatsapp.com/
  roadblock exec ./mine.toml --serve vpn=./server.sh -- ./client.sh";

pub(super) const SHELL_EXAMPLES: &str = "\
Examples:
  roadblock shell ru/whatsapp-2026 --phase full-block
  SHELL=/bin/sh roadblock shell ./mine.toml --vantage control";

pub(super) const REPLAY_EXAMPLES: &str = "\
Examples:
  roadblock replay curl.pcapng --profile censors/tspu-2026 --set 'sni-1 = [\"whatsapp.com\"]'
  roadblock replay office.pcap --profile ./mine.toml --inside 192.0.2.0/24 --format json
  roadblock replay report/run.pcapng --scenario ru/whatsapp-2026";
