//! One cell, in a lab of its own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use roadblock_emulator::events::Recorded;
use roadblock_emulator::lab::{Client, Companion, Lab, LabError, LabOptions, SHARED, SharedFile, SharedFolder};
use roadblock_scenarios::Scenario;
use roadblock_scenarios::model::{
    Check, Filling, Name, Readiness, Through, Tool, ToolClient, ToolServer, Vantage, WithTool, in_folder,
};
use tokio::runtime::Runtime;
use tokio::time::Instant;

use super::cells::{Cell, Subject};
use super::check::{DefaultCheck, PartResult, Way, gather};
use super::check_host;
use super::document::{Part, PartEnd};
use super::programs::Programs;
use super::target::{Target, target};
use crate::probes::Failure;
use crate::probes::{LabTime, Source, Timeouts, Tools, Trust};
use crate::run::Stop;

/// What playing a cell gave.
#[derive(Debug)]
pub(super) struct Played {
    /// Whether it was measured.
    pub(super) fate: Fate,
    /// What each part of the check gave.
    pub(super) parts: Vec<PartResult>,
    /// All decisions about the client's flows.
    pub(super) events: Vec<Recorded>,
    /// Whether the client has said in its log that it has reached its server.
    pub(super) connected: bool,
    /// What a reader should know besides.
    pub(super) notes: Vec<String>,
    /// The logs, by the names that their files are to have.
    pub(super) logs: Vec<(String, Vec<u8>)>,
    /// What the tool's `version` command printed, where it was asked.
    pub(super) version: Option<String>,
    /// How long it took.
    pub(super) took: Duration,
}

/// Whether a cell was measured.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Fate {
    /// It was.
    Measured,
    /// The tool itself does not start.
    NotStarted(String),
    /// It was not tried.
    Untried(String),
    /// The lab failed.
    Invalid(String),
    /// Somebody asked for the end.
    Interrupted,
}

impl Played {
    /// One that came to this before anything was measured.
    pub(super) fn only(fate: Fate) -> Self {
        Self {
            fate,
            parts: Vec::new(),
            events: Vec::new(),
            connected: false,
            notes: Vec::new(),
            logs: Vec::new(),
            version: None,
            took: Duration::ZERO,
        }
    }
}

/// How cells are played.
#[derive(Clone, Copy, Debug)]
pub(super) struct Playing {
    /// What all chance comes from.
    pub(super) seed: u64,
    /// How long a cell may take.
    pub(super) timeout: Duration,
}

/// Plays a cell in the lab of this number.
pub(super) fn play(cell: &Cell, number: usize, playing: Playing) -> Played {
    let began = Instant::now();
    if let Some(reason) = &cell.subject.untried {
        return Played::only(Fate::Untried(reason.clone()));
    }
    let played = in_a_lab(cell, number, playing);
    Played { took: began.elapsed(), ..played.unwrap_or_else(Played::only) }
}

fn in_a_lab(cell: &Cell, number: usize, playing: Playing) -> Result<Played, Fate> {
    let invalid = |doing: &str, cause: &dyn std::fmt::Display| Fate::Invalid(format!("failed to {doing}: {cause}"));
    let Subject { loaded, .. } = &*cell.subject;
    let files = loaded.folder.files.iter().map(|(path, file)| SharedFile {
        path,
        contents: &file.contents,
        executable: file.executable,
    });
    let shared = SharedFolder::lay_out(number, files).map_err(|cause| invalid("copy the tool's folder", &cause))?;
    let with = cell.scenario.with_tool(&loaded.tool, SHARED).map_err(|clash| Fate::Untried(clash.to_string()))?;
    let WithTool { mut scenario, displaced } = with;
    check_host::add(&mut scenario);
    let programs = Programs::here();
    let own: Vec<Name> = loaded.tool.servers.iter().map(ToolServer::machine).collect();
    for machine in scenario.machines.iter_mut().filter(|machine| own.contains(&machine.name)) {
        if let Some(run) = &mut machine.run {
            run.command = programs.before(&run.command);
        }
    }
    let scenario = Arc::new(scenario);
    let vantage = scenario.vantage(&cell.vantage).ok_or_else(|| invalid("find the vantage", &cell.vantage))?;
    let target = target(&scenario, &cell.phase, vantage);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|cause| invalid("start a runtime", &cause))?;
    let stop = Stop::listen(&runtime, Some(playing.timeout)).map_err(|cause| invalid("listen for signals", &cause))?;
    let options = LabOptions { seed: playing.seed, number, ..LabOptions::default() };
    let lab = Lab::start_with(Arc::clone(&scenario), &cell.phase, options).map_err(|cause| match cause {
        LabError::Machine { .. } | LabError::MachineCommand { .. } => Fate::NotStarted(cause.to_string()),
        LabError::MachineProgram { log, .. } => {
            Fate::Untried(format!("a program is missing{}", last_line(log.as_bytes())))
        }
        other => invalid("build the lab", &other),
    })?;
    let trust = Trust::new(lab.authority_der()).map_err(|cause| invalid("trust the lab's authority", &cause))?;
    let time = LabTime::new(lab.clock().clone());
    let stage = Stage {
        cell,
        lab: &lab,
        scenario: &scenario,
        vantage,
        target_url: target.url.to_string(),
        target,
        runtime: &runtime,
        stop: &stop,
        trust,
        time,
        programs,
    };
    let mut played = stage.play(&displaced).map_err(|cause| invalid("play the cell", &cause))?;
    if stop.is_set() {
        let late = played.took >= playing.timeout;
        let too_long = || Fate::Invalid(format!("it took longer than {} s", playing.timeout.as_secs()));
        played.fate = if late { too_long() } else { Fate::Interrupted };
    }
    drop(lab);
    drop(shared);
    Ok(played)
}

/// A lab with a tool in it.
struct Stage<'a> {
    cell: &'a Cell,
    lab: &'a Lab,
    scenario: &'a Scenario,
    vantage: &'a Vantage,
    target: Target,
    /// The same, written.
    target_url: String,
    runtime: &'a Runtime,
    stop: &'a Stop,
    trust: Trust,
    time: LabTime,
    /// What its commands find.
    programs: Programs,
}

impl Stage<'_> {
    fn play(&self, displaced: &[String]) -> Result<Played, LabError> {
        let began = Instant::now();
        let tool = self.tool();
        let client = self.lab.main_client(&self.vantage.name)?;
        let mut played = Played::only(Fate::Measured);
        played.notes.extend(displaced.iter().map(|name| format!("{name} made room for the tool's server")));
        if !self.target.blocked && !self.is_control() {
            let host = &self.target.url.host;
            played.notes.push(format!("nothing that is blocked here is a page of the lab: {host} was opened"));
        }
        if self.cell.asks_version {
            played.version = self.version()?;
        }
        let mut companion = None;
        let mut is_ready = true;
        if let Some(declared) = &tool.client {
            let (started, part) = self.start(declared, &client)?;
            is_ready = part.end == PartEnd::Whole;
            played.connected = is_ready && matches!(declared.ready, Some(Readiness::Log(_)));
            played.parts.push(part);
            companion = started;
        }
        if is_ready {
            let parts = match &tool.check {
                Check::Default => self.default_check(&client)?,
                Check::Command { run, within } => {
                    vec![self.command(&run.fill(self.filling()), *within, &client, &mut played)?]
                }
            };
            played.parts.extend(parts);
        }
        if let Some(companion) = &mut companion {
            if let Ok(Some(status)) = companion.ended()
                && is_ready
            {
                played.notes.push(format!("its client ended while it was measured: {status}"));
            }
            played.logs.push(("client.log".to_owned(), companion.log()));
        }
        played.took = began.elapsed();
        self.close(&mut played, &client);
        Ok(played)
    }

    fn tool(&self) -> &Tool {
        &self.cell.subject.loaded.tool
    }

    fn is_control(&self) -> bool {
        self.scenario.control().is_some_and(|control| control.name == self.vantage.name)
    }

    /// What the lab has to say at the end.
    fn close(&self, played: &mut Played, client: &Client) {
        let own = |recorded: &Recorded| client.own_flow(&recorded.event.flow).is_some();
        played.events = self.lab.events().all().into_iter().filter(own).collect();
        let machines: Vec<Name> = self.tool().servers.iter().map(ToolServer::machine).collect();
        let mut failures = Vec::new();
        for problem in self.lab.problems() {
            let what = format!("{}: {}", problem.place, problem.what);
            // A tool's server that ends is the tool's affair, not the lab's.
            if machines.iter().any(|machine| **machine == *problem.place) {
                played.notes.push(what);
            } else {
                failures.push(what);
            }
        }
        if !failures.is_empty() {
            played.fate = Fate::Invalid(failures.join("; "));
        }
        for log in self.lab.machine_logs() {
            let name = log.machine.strip_prefix("tool-").unwrap_or(&log.machine);
            played.logs.push((format!("{name}.log"), log.text));
        }
    }

    /// The first line of what the version command prints.
    fn version(&self) -> Result<Option<String>, LabError> {
        let Some(version) = &self.tool().version else { return Ok(None) };
        let Ok(mut companion) = self.lab.accompany(&self.vantage.name, &self.in_folder(version), false) else {
            return Ok(None);
        };
        self.lab.companion_ends(&mut companion, &self.vantage.name, VERSION)?;
        let said = companion.log();
        let said = String::from_utf8_lossy(&said).into_owned();
        Ok(said.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned))
    }

    fn in_folder(&self, command: &str) -> String {
        self.programs.before(&in_folder(SHARED, command))
    }

    fn filling(&self) -> Filling<'_> {
        Filling { folder: SHARED, target: &self.target_url }
    }

    fn start(&self, declared: &ToolClient, client: &Client) -> Result<(Option<Companion>, PartResult), LabError> {
        let (began, mark) = (Instant::now(), self.lab.events().len());
        let command = self.in_folder(&declared.run.fill(self.filling()));
        let failed = |how: String| PartResult {
            how: Some(how),
            failure: Some(Failure::Unknown("the client did not get ready".to_owned())),
            ..PartResult::new(Part::Client, PartEnd::Nothing)
        };
        let (companion, part) = match self.lab.accompany(&self.vantage.name, &command, declared.root) {
            Err(cause) => (None, failed(cause.to_string())),
            Ok(mut companion) => {
                let ready = match &declared.ready {
                    None => Ok(()),
                    Some(ready) => {
                        self.lab.companion_ready(&mut companion, &self.vantage.name, ready, declared.ready_within)?
                    }
                };
                let part = match ready {
                    Ok(()) => PartResult::new(Part::Client, PartEnd::Whole),
                    Err(cause) => failed(format!("{cause}{}", last_line(&companion.log()))),
                };
                (Some(companion), part)
            }
        };
        let is_ready = part.end == PartEnd::Whole;
        let took = began.elapsed();
        let events = self.runtime.block_on(gather(self.lab.events(), mark, client, !is_ready));
        Ok((companion, PartResult { events, took, ..part }))
    }

    fn default_check(&self, client: &Client) -> Result<Vec<PartResult>, LabError> {
        let tool = self.tool();
        let (source, resolver) = match tool.through {
            // The kernel chooses the address by the route, and whoever brings a tunnel brings a resolver.
            Through::Tunnel => {
                let anywhere =
                    Client::new(Name::clone(&self.vantage.name), Ipv4Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED);
                (anywhere, Some(IpAddr::V4(check_host::ADDRESS)))
            }
            _ => (client.clone(), self.vantage.resolvers.first().copied()),
        };
        let tools = Tools {
            source: Source::any_port(source),
            trust: self.trust.clone(),
            time: self.time.clone(),
            timeouts: Timeouts {
                tcp: CONNECT,
                tls: CONNECT,
                dns: ASK,
                late_answers: Duration::ZERO,
                ..Timeouts::default()
            },
            errands: None,
            control: None,
        };
        let resolver = SocketAddr::new(resolver.unwrap_or(IpAddr::V4(check_host::ADDRESS)), 53);
        let url = &self.target.url;
        let own = tool.servers.is_empty() && url.secure && url.port == 443;
        let check = DefaultCheck {
            way: Way { through: tool.through, tools, resolver },
            has_server: !tool.servers.is_empty(),
            bulk_host: if own { url.host.clone() } else { check_host::NAME.to_owned() },
            target: self.target.clone(),
            events: self.lab.events().clone(),
            client: client.clone(),
        };
        let measuring = self.time.join();
        let there = self.lab.runtime(&self.vantage.name)?.spawn(async move {
            let parts = Box::pin(check.run()).await;
            drop(measuring);
            parts
        });
        Ok(self.drive(there).unwrap_or_default())
    }

    /// Waits for the check, and moves the lab's clock when it waits for that.
    fn drive(&self, mut check: tokio::task::JoinHandle<Vec<PartResult>>) -> Option<Vec<PartResult>> {
        loop {
            let due = self.runtime.block_on(async {
                tokio::select! {
                    parts = &mut check => Err(parts.ok()),
                    () = self.stop.wait() => Err(None),
                    due = self.time.all_wait() => Ok(due),
                }
            });
            match due {
                Err(parts) => {
                    check.abort();
                    return parts;
                }
                // The inspectors are told outside the runtime, because telling them blocks.
                Ok(due) => {
                    self.lab.advance(due.saturating_since(self.time.now()));
                    self.time.wake();
                }
            }
        }
    }

    fn command(
        &self,
        command: &str,
        within: Duration,
        client: &Client,
        played: &mut Played,
    ) -> Result<PartResult, LabError> {
        let (began, mark) = (Instant::now(), self.lab.events().len());
        let part = |end, how: String| PartResult { how: Some(how), ..PartResult::new(Part::Command, end) };
        let result = match self.lab.accompany(&self.vantage.name, &self.in_folder(command), false) {
            Err(cause) => part(PartEnd::Nothing, cause.to_string()),
            Ok(mut companion) => {
                let ended = self.lab.companion_ends(&mut companion, &self.vantage.name, within)?;
                let log = companion.log();
                let said = last_line(&log);
                played.logs.push(("check.log".to_owned(), log));
                match ended {
                    Some(status) if status.success() => PartResult::new(Part::Command, PartEnd::Whole),
                    Some(status) if status.code() == Some(NOT_FOUND) => {
                        played.fate = Fate::Untried(format!("its check cannot be run{said}"));
                        part(PartEnd::NotMade, format!("{status}{said}"))
                    }
                    Some(status) => part(PartEnd::Nothing, format!("{status}{said}")),
                    None => {
                        let late = part(PartEnd::Nothing, format!("not done within {} s{said}", within.as_secs_f64()));
                        PartResult { failure: Some(Failure::GenericTimeout), ..late }
                    }
                }
            }
        };
        let took = began.elapsed();
        let events = self.runtime.block_on(gather(self.lab.events(), mark, client, result.end != PartEnd::Whole));
        Ok(PartResult { events, took, ..result })
    }
}

/// `: ` and the last line of a log, if it has one.
fn last_line(log: &[u8]) -> String {
    let log = String::from_utf8_lossy(log);
    let last = log.lines().rev().map(str::trim).find(|line| !line.is_empty());
    last.map(|line| format!(": {line}")).unwrap_or_default()
}

const VERSION: Duration = Duration::from_secs(5);
const CONNECT: Duration = Duration::from_secs(4);
const ASK: Duration = Duration::from_secs(2);
/// What a shell says of a program that is not there.
const NOT_FOUND: i32 = 127;
