//! Nothing outlives a lab, whoever of its processes is killed and whenever.
//!
//! These tests run outside of a sandbox and look at the processes of labs from there.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use roadblock_emulator::lab::Lab;

use crate::{IN_SANDBOX, OUTSIDE, support};

/// How many moments each process is killed at.
const MOMENTS: u16 = 50;
/// A lab is up before this many milliseconds have passed for each moment, so that the last moments find it running.
const SPACING: u16 = 3;

/// A lab that stays until somebody ends it. It says so on stdout when it is up.
pub(crate) fn hold() {
    let lab = match Lab::start(support::scenario(support::SCENARIO), "one", 1) {
        Ok(lab) => lab,
        Err(error) => {
            eprintln!("{error}\nadvice: {}", error.advice().unwrap_or_default());
            std::process::exit(if error.advice().is_some() { 3 } else { 4 });
        }
    };
    let mut stdout = std::io::stdout();
    writeln!(stdout, "up").expect("somebody listens");
    // Ends with its stdin, which the test holds.
    let mut line = String::new();
    let _ = std::io::stdin().read_line(&mut line);
    drop(lab);
}

pub(crate) fn killing_the_outer_process_leaves_nothing() {
    kill_at_every_moment(0);
}

pub(crate) fn killing_init_leaves_nothing() {
    kill_at_every_moment(1);
}

pub(crate) fn killing_the_lab_leaves_nothing() {
    kill_at_every_moment(2);
}

/// Under a limit on network namespaces that a few labs would exhaust, fifty labs run one after the other.
pub(crate) fn fifty_labs_one_after_the_other_leave_nothing() {
    let mark = new_mark();
    let program = std::env::current_exe().expect("this program");
    // A lab of these tests has seven network namespaces. The kernel frees them some time after their processes have ended.
    let script = format!("echo 60 > /proc/sys/user/max_net_namespaces && exec \"$0\" {OUTSIDE} lifetime::in_turn");
    let mut unshare = Command::new("unshare");
    unshare.args(["--user", "--map-root-user", "sh", "-c", &script]).arg(program).env(MARK, &mark);
    let status = unshare.stdin(Stdio::null()).status().expect("unshare runs");
    assert!(status.success(), "{status}");
    expect_nothing_of(&mark);
}

/// Runs fifty labs, each in a process of its own.
pub(crate) fn in_turn() {
    for _ in 0..50 {
        let mut held = start();
        held.wait_until_up();
        held.end();
    }
}

pub(crate) fn eight_labs_at_once_do_not_clash() {
    let mut labs: Vec<Held> = (0..8).map(|_| start()).collect();
    for held in &mut labs {
        held.wait_until_up();
    }
    for held in labs {
        held.end();
    }
}

/// Kills the outer process (0), its child (1) or its child's child (2) at many moments of a lab's life.
fn kill_at_every_moment(generation: usize) {
    let before = Host::look();
    for moment in 0..MOMENTS {
        let Held { mut child, mark } = start();
        pass(Duration::from_millis(u64::from(moment * SPACING)));
        let victim = descendant(child.id(), generation);
        kill(Pid::from_raw(victim.cast_signed()), Signal::SIGKILL).expect("it was there, or is not reaped yet");
        drop(child.stdin.take());
        child.wait().expect("it ends");
        expect_nothing_of(&mark);
    }
    assert_eq!(Host::look(), before, "something remains on the host");
}

/// What a lab might leave on its host besides processes.
#[derive(Debug, Eq, PartialEq)]
struct Host {
    mounts: BTreeSet<String>,
    links: BTreeSet<String>,
    named_namespaces: BTreeSet<String>,
    private_files: bool,
}

impl Host {
    fn look() -> Self {
        let lines = |path| std::fs::read_to_string(path).expect("it can be read").lines().map(mount_point).collect();
        let names = |path| {
            let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        };
        Self {
            mounts: lines("/proc/self/mountinfo"),
            links: names("/sys/class/net"),
            named_namespaces: names("/run/netns"),
            private_files: Path::new("/run/roadblock").exists(),
        }
    }
}

fn mount_point(line: &str) -> String {
    line.split(' ').skip(3).take(2).collect::<Vec<_>>().join(" ")
}

/// Starts a process that holds a lab.
fn start() -> Held {
    let mark = new_mark();
    let child = command(IN_SANDBOX, "lifetime::hold").env(MARK, &mark).spawn().expect("this program runs");
    Held { child, mark }
}

fn new_mark() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

fn command(how: &str, what: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args([how, what]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    command
}

const MARK: &str = "ROADBLOCK_TEST_MARK";

/// A process that holds a lab. All its descendants have its mark in their environment.
struct Held {
    child: Child,
    mark: String,
}

impl Held {
    /// Waits until the lab is up.
    fn wait_until_up(&mut self) {
        let mut line = String::new();
        let stdout = self.child.stdout.as_mut().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("it can be read");
        assert_eq!(line, "up\n");
    }

    /// Lets the lab end, and waits until nothing of it is left.
    fn end(mut self) {
        drop(self.child.stdin.take());
        let status = self.child.wait().expect("it ends");
        assert!(status.success(), "{status}");
        expect_nothing_of(&self.mark);
    }
}

/// Waits until no process has this mark. Init ends at once; the kernel then takes a moment for the rest.
fn expect_nothing_of(mark: &str) {
    let mark = format!("{MARK}={mark}");
    for _ in 0..1000 {
        let left = processes().filter(|process| has_mark(process, &mark)).collect::<Vec<_>>();
        if left.is_empty() {
            return;
        }
        pass(Duration::from_millis(5));
    }
    panic!("processes with {mark} are left");
}

fn processes() -> impl Iterator<Item = std::path::PathBuf> {
    std::fs::read_dir("/proc").expect("there is a /proc").flatten().map(|entry| entry.path())
}

fn has_mark(process: &Path, mark: &str) -> bool {
    let environment = std::fs::read(process.join("environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
}

/// Lets time pass: the moments of this test are times.
fn pass(time: Duration) {
    let (read, _write) = nix::unistd::pipe().expect("a pipe");
    let mut nothing = [PollFd::new(read.as_fd(), PollFlags::POLLIN)];
    poll(&mut nothing, PollTimeout::try_from(time).expect("short")).expect("it waits");
}

/// The n-th generation of children below a process, or the last one there is.
fn descendant(of: u32, generation: usize) -> u32 {
    let mut process = of;
    for _ in 0..generation {
        let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
        match children.ok().and_then(|all| all.split(' ').next().and_then(|first| first.parse().ok())) {
            Some(child) => process = child,
            None => break,
        }
    }
    process
}
