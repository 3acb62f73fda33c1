//! The lab's side: answers those whom the outer process has let in.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use roadblock_emulator::capture::decision;
use roadblock_emulator::events::Recorded;
use roadblock_emulator::lab::{Lab, LabError};
use roadblock_emulator::sandbox::Visitors;
use roadblock_scenarios::Scenario;

use super::protocol::{
    About, Answer, Demand, HopStatus, LONGEST_LINE, Reason, Reply, Request, SCHEMA, Status, StatusProblem,
};

/// Whether a lab may be changed from outside.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Change {
    /// Whoever runs something in it decides what it meets.
    Allowed,
    /// It is being measured, and the measurements say what it shall be.
    Refused,
}

/// Reads the scenario's file again, or says what is wrong with it.
pub(crate) type Reread = Box<dyn Fn() -> Result<Arc<Scenario>, String> + Send + Sync>;

/// What a server knows.
struct Server {
    lab: Arc<Lab>,
    about: About,
    change: Change,
    read: Reread,
    busy: AtomicUsize,
}

/// Serves a lab until its process ends. What fails here ends no lab: it can be used without.
pub(crate) fn serve(visitors: Visitors, lab: Arc<Lab>, about: About, change: Change, read: Reread) {
    let server = Arc::new(Server { lab, about, change, read, busy: AtomicUsize::new(0) });
    let welcome = move || {
        while let Ok(Some(visitor)) = visitors.next() {
            let server = Arc::clone(&server);
            if server.busy.fetch_add(1, Ordering::Relaxed) >= AT_ONCE {
                let _ = say(&visitor, Answer::refused(Reason::Refused, "too many are talking to this lab already"));
                server.busy.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            let talk = move || {
                // A visitor that goes away in the middle is no news.
                let _ = server.talk(&visitor);
                server.busy.fetch_sub(1, Ordering::Relaxed);
            };
            if thread::Builder::new().name("ctl".to_owned()).spawn(talk).is_err() {
                return;
            }
        }
    };
    // Without a thread nobody is answered; visitors see that the connection ends.
    let _ = thread::Builder::new().name("ctl-door".to_owned()).spawn(welcome);
}

impl Server {
    fn talk(&self, visitor: &UnixStream) -> io::Result<()> {
        let mut lines = BufReader::new(visitor);
        loop {
            let mut line = String::new();
            if lines.by_ref().take(LONGEST_LINE).read_line(&mut line)? == 0 {
                return Ok(());
            }
            match serde_json::from_str::<Request>(&line) {
                Ok(Request { schema, demand }) if schema == SCHEMA => match demand {
                    Demand::Events { follow } => self.tell_events(visitor, follow)?,
                    demand => say(visitor, self.answer(demand))?,
                },
                Ok(Request { schema, .. }) => {
                    say(
                        visitor,
                        Answer::refused(Reason::Usage, format!("this lab speaks `{SCHEMA}`, not `{schema}`")),
                    )?;
                }
                Err(error) => {
                    say(visitor, Answer::refused(Reason::Usage, format!("failed to read the request: {error}")))?;
                    // Where one line ends and the next begins is no longer sure.
                    return Ok(());
                }
            }
        }
    }

    fn answer(&self, demand: Demand) -> Answer {
        match demand {
            Demand::About => Answer::About(self.about()),
            Demand::Status => Answer::Status(Box::new(self.status())),
            Demand::Phase { id } => self.changed(|lab| enter(lab, &id)),
            Demand::Reload => self.changed(|lab| self.reload(lab)),
            Demand::Clock { nanoseconds } => self.changed(|lab| {
                lab.advance(Duration::from_nanos(nanoseconds));
                Answer::Clock { nanoseconds: lab.clock().now().as_nanos() }
            }),
            // Told elsewhere, because it is many answers.
            Demand::Events { .. } => Answer::End,
        }
    }

    fn changed(&self, how: impl FnOnce(&Lab) -> Answer) -> Answer {
        match self.change {
            Change::Allowed => how(&self.lab),
            Change::Refused => Answer::refused(
                Reason::Refused,
                "this lab is being measured, so it cannot be changed; change one of `exec` or `shell`",
            ),
        }
    }

    fn reload(&self, lab: &Lab) -> Answer {
        let scenario = match (self.read)() {
            Ok(scenario) => scenario,
            Err(wrong) => return Answer::refused(Reason::Usage, wrong),
        };
        match lab.reload(&scenario) {
            Ok(()) => Answer::Reloaded { phase: lab.phase().to_string(), phases: phases(&scenario) },
            Err(error) => refused(&error),
        }
    }

    fn about(&self) -> About {
        About { phase: self.lab.phase().to_string(), ..self.about.clone() }
    }

    fn status(&self) -> Status {
        let scenario = self.lab.plays();
        let hops = scenario.hops.iter().filter_map(|hop| {
            let counters = self.lab.counters(&hop.name)?;
            Some(HopStatus {
                hop: hop.name.to_string(),
                packets: counters.packets,
                dropped: counters.dropped,
                injected: counters.injected,
                flows: counters.flows,
                residuals: counters.residuals,
            })
        });
        let problems = self.lab.problems().into_iter();
        Status {
            about: self.about(),
            phases: phases(&scenario),
            nanoseconds: self.lab.clock().now().as_nanos(),
            events: self.lab.events().len(),
            hops: hops.collect(),
            problems: problems.map(|problem| StatusProblem { place: problem.place, what: problem.what }).collect(),
        }
    }

    fn tell_events(&self, visitor: &UnixStream, follow: bool) -> io::Result<()> {
        let events = self.lab.events();
        let mut told = 0;
        loop {
            let new =
                if follow && told == events.len() { events.wait_since(told, LOOK_UP) } else { events.since(told) };
            told += new.len();
            for recorded in &new {
                say(visitor, event(recorded)?)?;
            }
            if !follow && new.is_empty() {
                return say(visitor, Answer::End);
            }
            if has_left(visitor)? {
                return Ok(());
            }
        }
    }
}

fn enter(lab: &Lab, id: &str) -> Answer {
    let from = lab.phase().to_string();
    match lab.enter_phase(id) {
        Ok(()) => Answer::Phase { from, to: id.to_owned() },
        Err(LabError::NoSuchPhase(_)) => {
            let scenario = lab.plays();
            let has: Vec<String> = phases(&scenario).iter().map(|phase| format!("`{phase}`")).collect();
            let has = has.join(", ");
            Answer::refused(Reason::Usage, format!("`{}` has no phase `{id}`; it has {has}", scenario.id))
        }
        Err(error) => refused(&error),
    }
}

/// Why the lab does not change: it is as before, or it failed.
fn refused(error: &LabError) -> Answer {
    let as_before =
        matches!(error, LabError::Phase { .. } | LabError::Fixed(_) | LabError::PhaseIsGone(_) | LabError::Ruleset(_));
    Answer::refused(if as_before { Reason::Refused } else { Reason::Fault }, error.to_string())
}

fn phases(scenario: &Scenario) -> Vec<String> {
    scenario.phases.iter().map(|phase| phase.id.to_string()).collect()
}

fn event(recorded: &Recorded) -> io::Result<Answer> {
    Ok(Answer::Event {
        decision: serde_json::to_value(recorded).map_err(io::Error::other)?,
        flow: recorded.event.flow.to_string(),
        words: decision(&recorded.event),
    })
}

fn say(mut visitor: &UnixStream, said: Answer) -> io::Result<()> {
    let line = serde_json::to_string(&Reply::new(said)).map_err(io::Error::other)?;
    visitor.write_all((line + "\n").as_bytes())
}

/// Whether the other side has closed. It says nothing while it listens to a stream, so that is all that can be read.
fn has_left(visitor: &UnixStream) -> io::Result<bool> {
    visitor.set_nonblocking(true)?;
    let mut reader = visitor;
    let read = reader.read(&mut [0]);
    visitor.set_nonblocking(false)?;
    match read {
        Ok(0) => Ok(true),
        Ok(_) => Ok(false),
        Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(cause) => Err(cause),
    }
}

/// How many may talk to a lab at once.
const AT_ONCE: usize = 16;
/// How often somebody who follows the decisions of a quiet lab is looked after.
const LOOK_UP: Duration = Duration::from_secs(1);
