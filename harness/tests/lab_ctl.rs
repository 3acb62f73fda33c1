//! `roadblock ctl`: a lab that runs is listed, moved and followed from outside, by its own user only.

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use support::{FLAGSHIP, Said, can_run_labs, notice, program, roadblock, said};
use tempfile::TempDir;

/// Where the labs of one test are, so that those of others are not in its way.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = tempfile::tempdir().expect("a directory");
        std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o700)).expect("it is ours");
        Self(place)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn roadblock(&self, arguments: &[&str]) -> Command {
        let mut command = roadblock(arguments);
        command.env("XDG_RUNTIME_DIR", self.path());
        command
    }

    fn ctl(&self, arguments: &[&str]) -> Said {
        said(self.roadblock(&[&["ctl"], arguments].concat()))
    }

    fn sockets(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path().join("roadblock")).map(|entries| entries.flatten().collect());
        entries.unwrap_or_else(|_| Vec::new()).iter().map(std::fs::DirEntry::path).collect()
    }
}

/// A shell inside a lab, which does one thing after the other.
struct Shell {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Shell {
    fn start(mut command: Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().expect("the binary runs");
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().expect("piped"));
        let mut shell = Self { child, stdin, stdout: BufReader::new(stdout) };
        assert_eq!(shell.status("true"), 0, "the lab is up");
        shell
    }

    /// In the flagship, before anything is blocked.
    fn before(place: &Place) -> Self {
        Self::start(place.roadblock(&["exec", FLAGSHIP, "--phase", "before", "--quiet", "--", "sh"]))
    }

    /// The status of a command, whose output goes nowhere.
    fn status(&mut self, command: &str) -> i32 {
        let stdin = self.stdin.as_mut().expect("open");
        writeln!(stdin, "{command} >/dev/null 2>&1 </dev/null; echo $?").expect("the shell reads");
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("the shell answers");
        line.trim().parse().unwrap_or_else(|_| panic!("a status: {line:?}"))
    }

    /// Ends the shell, and with it the lab.
    fn end(mut self) -> i32 {
        drop(self.stdin.take());
        self.child.wait().expect("it ends").code().expect("it was not killed")
    }
}

/// Curl to an address that is not blocked, under a name, from a port.
fn curl(name: &str, port: u16) -> String {
    let resolve = format!("{name}:443:1.1.1.1");
    format!("curl -sSk --connect-timeout 3 --max-time 6 --local-port {port} --resolve {resolve} https://{name}/")
}

/// TSPU-1: the name is listed from the phase on, its punishment lasts for 75 seconds of the lab's clock, and what was decided is
/// told while it happens.
#[test]
fn a_lab_is_listed_moved_through_phases_and_time_and_followed() {
    if !can_run_labs() {
        return;
    }
    let place = Place::new();
    let none = place.ctl(&["list"]);
    assert_eq!((none.status, &*none.stdout), (0, ""), "{none:?}");
    let mut shell = Shell::before(&place);

    let list = place.ctl(&["list", "--format", "json"]);
    let list: serde_json::Value = serde_json::from_str(&list.stdout).expect("a document");
    assert_eq!(list["schema"], "roadblock.labs/1");
    let [lab] = list["labs"].as_array().expect("a list").as_slice() else { panic!("one lab: {list}") };
    assert_eq!((&lab["scenario"], &lab["phase"]), (&FLAGSHIP.into(), &"before".into()));
    assert_eq!(lab["pid"], shell.child.id());
    assert_eq!(lab["command"], format!("roadblock exec {FLAGSHIP} --phase before --quiet -- sh"));
    let name = lab["lab"].as_str().expect("a name").to_owned();
    let human = place.ctl(&["list"]);
    assert!(human.stdout.lines().count() == 2 && human.stdout.contains(&name), "{human:?}");

    let mut follow = place.roadblock(&["ctl", "events", "--follow"]);
    let mut follow = follow.stdout(Stdio::piped()).spawn().expect("the binary runs");
    let lines = BufReader::new(follow.stdout.take().expect("piped")).lines();
    let (tell, followed) = mpsc::channel();
    let listening = std::thread::spawn(move || {
        for line in lines.map(|line| line.expect("text")).filter(|line| line.contains("tspu/sni-1")) {
            // What comes after the first is of no interest.
            let _ = tell.send(line);
        }
    });

    // A connection that was closed in order keeps its ports for a while; one that was reset does not.
    assert_eq!(shell.status(&curl("web.whatsapp.com", 41_001)), 0, "nothing is blocked yet");
    let moved = place.ctl(&["phase", &name, "full-block"]);
    assert_eq!((moved.status, &*moved.stdout), (0, "phase before -> full-block\n"), "{moved:?}");
    assert_eq!(shell.status(&curl("web.whatsapp.com", 41_000)), 35, "its name is listed");
    let decided = followed.recv_timeout(PATIENCE).expect("the decision is told while the lab lives");
    assert!(decided.contains("SNI web.whatsapp.com") && decided.contains("TSPU-1"), "{decided}");

    assert_ne!(shell.status(&curl("one.one.one.one", 41_000)), 0, "these ports are punished, whatever the name");
    let clock = place.ctl(&["clock", "+75s"]);
    assert_eq!(clock.status, 0, "{clock:?}");
    assert_eq!(shell.status(&curl("one.one.one.one", 41_000)), 0, "the punishment is over");

    let status = place.ctl(&["status", "--format", "json"]);
    let status: serde_json::Value = serde_json::from_str(&status.stdout).expect("a document");
    assert_eq!((&status["schema"], &status["about"]["phase"]), (&"roadblock.lab/1".into(), &"full-block".into()));
    assert!(status["nanoseconds"].as_u64().is_some_and(|shown| shown >= 75_000_000_000), "{status}");
    assert_eq!(status["problems"], serde_json::json!([]));
    let human = place.ctl(&["status"]);
    assert!(human.stdout.contains("full-block, 5 of 8") && human.stdout.contains("tspu-moscow"), "{human:?}");

    let events = place.ctl(&["events", "--format", "json"]);
    let first: serde_json::Value = serde_json::from_str(events.stdout.lines().next().expect("one")).expect("JSON");
    assert!(first["hop"].is_string() && first["flow"].is_object(), "as `exec --events` writes them: {first}");

    assert_eq!(shell.end(), 0);
    listening.join().expect("it ends with the lab");
    assert_eq!(follow.wait().expect("it ended").code(), Some(0));
    assert!(place.sockets().is_empty(), "{:?}", place.sockets());
}

#[test]
fn what_makes_no_sense_is_said_and_changes_nothing() {
    if !can_run_labs() {
        return;
    }
    let place = Place::new();
    let nobody = place.ctl(&["phase", "full-block"]);
    assert_eq!(nobody.status, 2);
    insta::assert_snapshot!(nobody.stderr);
    let mut shell = Shell::before(&place);
    let phase = place.ctl(&["phase", "blocked"]);
    assert_eq!(phase.status, 2);
    insta::assert_snapshot!(phase.stderr);
    let lab = place.ctl(&["status", "nosuch"]);
    assert_eq!(lab.status, 2);
    assert!(lab.stderr.contains("no lab of yours is called `nosuch`; there is `"), "{lab:?}");
    let back = place.ctl(&["clock", "-75s"]);
    assert_eq!(back.status, 2, "{back:?}");
    let other = Shell::before(&place);
    let several = place.ctl(&["phase", "full-block"]);
    assert_eq!(several.status, 2);
    assert!(several.stderr.contains("several labs of yours are running, so name one: `"), "{several:?}");
    assert_eq!(other.end(), 0);
    assert_eq!(shell.status(&curl("web.whatsapp.com", 41_000)), 0, "it is in the phase it was in");
    assert_eq!(shell.end(), 0);
}

/// A file edited while its lab runs: what can change does, what cannot is named, what is wrong is explained; the lab goes on.
#[test]
fn a_file_is_read_again() {
    if !can_run_labs() {
        return;
    }
    let place = Place::new();
    let file = place.path().join("mine.toml");
    let write = |names: &str, more: &str| {
        std::fs::write(&file, SMALL.replace("NAMES", names).replace("MORE", more)).expect("written");
    };
    write("", "");
    let path = file.to_str().expect("text");
    let mut shell = Shell::start(place.roadblock(&["exec", path, "--quiet", "--", "sh"]));
    assert_eq!(shell.status(&curl("web.whatsapp.com", 41_000)), 0, "nothing is listed");

    write("\"whatsapp.com\"", "[[phase]]\nid = \"later\"\n");
    let again = place.ctl(&["reload"]);
    assert_eq!(
        (again.status, &*again.stdout),
        (0, "plays the file as it is now, in phase now of now, later\n"),
        "{again:?}"
    );
    assert_eq!(shell.status(&curl("web.whatsapp.com", 41_001)), 35, "its name is listed");
    assert_eq!(place.ctl(&["phase", "later"]).status, 0, "a phase that came with the edit");

    write("", "[vantage.more]\nisp = \"AS8359 MTS\"\npath = [\"box\"]\nresolvers = [\"8.8.8.8\"]\n");
    let fixed = place.ctl(&["reload"]);
    assert_eq!(fixed.status, 1);
    insta::assert_snapshot!(fixed.stderr);
    write("\"whatsapp.com\"", "[[phase]]\nid = \"last\"\n");
    let gone = place.ctl(&["reload"]);
    assert_eq!(gone.status, 1);
    insta::assert_snapshot!(gone.stderr);
    write("7", "");
    let wrong = place.ctl(&["reload"]);
    assert_eq!(wrong.status, 2);
    assert!(wrong.stderr.contains("mine.toml") && wrong.stderr.contains("sni-1 = [7]"), "{wrong:?}");
    assert_eq!(shell.status(&curl("web.whatsapp.com", 41_002)), 35, "it goes on as before");
    assert_eq!(shell.end(), 0);
}

/// One hop, one censor.
const SMALL: &str = r#"
id = "tests/mine"
title = "Edited while it runs"
use = ["services/neutral", "services/whatsapp", "services/public-dns"]
[hop.box]
[hop.elsewhere]
[vantage.inside]
isp = "AS12389 Rostelecom"
path = ["box"]
resolvers = ["8.8.8.8"]
[vantage.control]
isp = "AS3320 Deutsche Telekom"
path = ["elsewhere"]
resolvers = ["8.8.8.8"]
[censor.tspu]
profile = "censors/tspu-2026"
at = "box"
sni-1 = [NAMES]
[[phase]]
id = "now"
MORE"#;

/// What a command inside could reach would let it choose by what it is measured.
#[test]
fn from_inside_there_is_no_way_to_the_lab() {
    if !can_run_labs() {
        return;
    }
    let place = Place::new();
    let mut shell = Shell::before(&place);
    let [socket] = place.sockets().try_into().expect("one socket");
    assert_ne!(shell.status(&format!("test -e {}", socket.display())), 0);
    assert_eq!(shell.end(), 0);
}

#[test]
fn the_socket_of_a_lab_that_was_killed_is_removed() {
    if !can_run_labs() {
        return;
    }
    let place = Place::new();
    let mut shell = Shell::before(&place);
    shell.child.kill().expect("it lives");
    shell.child.wait().expect("it was killed");
    assert_eq!(place.sockets().len(), 1, "nobody was left to remove it");
    let list = place.ctl(&["list"]);
    assert_eq!((list.status, &*list.stdout), (0, ""), "{list:?}");
    assert!(place.sockets().is_empty(), "{:?}", place.sockets());
}

/// Its measurements say what it shall be.
#[test]
fn a_lab_that_is_measured_is_looked_at_and_not_changed() {
    if !can_run_labs() {
        return;
    }
    let place = Place::new();
    let out = place.path().join("report");
    let arguments =
        ["run", FLAGSHIP, "--phase", "before", "--phase", "full-block", "--out", out.to_str().expect("text")];
    let mut run = place.roadblock(&arguments);
    let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary runs");
    // Its socket is there before its lab is, and answers when the lab does.
    while place.sockets().iter().all(|path| path.extension().is_none_or(|extension| extension != "sock")) {
        assert!(run.try_wait().expect("a child").is_none(), "it ended before it had a socket");
    }
    let status = place.ctl(&["status"]);
    assert_eq!(status.status, 0, "{status:?}");
    let refused = place.ctl(&["clock", "+75s"]);
    assert_eq!(refused.status, 1);
    insta::assert_snapshot!(refused.stderr);
    // On a busy machine not all of it may be as expected; whether it is lies with the tests of `run`.
    let ended = run.wait().expect("it ends").code();
    assert!(matches!(ended, Some(0 | 1)), "it was invalid: {ended:?}");
}

/// Needs to be root, to be two users.
#[test]
fn another_user_is_refused() {
    if !can_run_labs() {
        return;
    }
    let id = program("id").arg("-u").output().expect("id runs");
    if id.stdout != b"0\n" {
        return notice(
            "PASSED OVER: only root can be two users; emulator/src/sandbox/door.rs has the same as a unit test",
        );
    }
    let place = Place::new();
    let binary = place.path().join("binary");
    std::fs::copy(env!("CARGO_BIN_EXE_roadblock"), &binary).expect("copied");
    chown(place.path(), Some(NOBODY), Some(NOBODY)).expect("given away");
    let mut theirs = program("setpriv");
    theirs.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all"]);
    theirs.arg(&binary).args(["exec", FLAGSHIP, "--phase", "before", "--quiet", "--", "sh"]);
    theirs.env("XDG_RUNTIME_DIR", place.path()).env("HOME", place.path()).current_dir(place.path());
    let shell = Shell::start(theirs);
    // Root may enter every directory; that the lab is another's the kernel says.
    let [socket] = place.sockets().try_into().expect("one socket");
    let mut stream = UnixStream::connect(&socket).expect("somebody listens");
    stream.write_all(b"{\"schema\":\"roadblock.ctl/1\",\"do\":\"status\"}\n").expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("read");
    insta::assert_snapshot!(answer);
    let mode = |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&socket), mode(socket.parent().expect("a directory"))), (0o600, 0o700));
    assert_eq!(place.ctl(&["list"]).stdout, "", "and it is not among one's own");
    assert_eq!(shell.end(), 0);
}

/// After so long a test that waits has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// A user who owns nothing.
const NOBODY: u32 = 65_534;
