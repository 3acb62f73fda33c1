//! Clients written in another language, with libraries that nobody here wrote.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::OnceLock;

use nix::fcntl::{Flock, FlockArg};

use crate::programs::run;

/// What a program of this folder printed. A machine that cannot install its libraries fails the test.
pub(crate) fn python(program: &str, arguments: &[&str]) -> String {
    let interpreter = environment().join("bin/python");
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/internet").join(program);
    let program = program.to_str().expect("a path");
    let output = run(interpreter.to_str().expect("a path"), [&[program], arguments].concat());
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{program}: {}\n{said}{}", output.status, errors(&output));
    said
}

/// A virtual environment below the target directory, made by the first test that needs it.
fn environment() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("internet-clients");
        let ready = place.join("ready");
        // Two runs of the tests at once must not make it at once.
        let lock = File::create(place.with_extension("lock")).expect("a file");
        let _lock = Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, error)| error).expect("a lock");
        let wanted = LIBRARIES.join("\n");
        if std::fs::read_to_string(&ready).is_ok_and(|installed| installed == wanted) {
            return place;
        }
        let path = place.to_str().expect("a path");
        let made = run("python3", ["-m", "venv", "--clear", path]);
        assert!(made.status.success(), "this test needs Python's venv (Debian: python3-venv): {}", errors(&made));
        let pip = format!("{path}/bin/pip");
        let installed = run(&pip, ["install", "--quiet"].iter().chain(&LIBRARIES));
        assert!(
            installed.status.success(),
            "this test needs {LIBRARIES:?} from a Python package index, and pip could not install them: {}",
            errors(&installed)
        );
        std::fs::write(ready, wanted).expect("a file");
        place
    })
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Noise, WebSocket, STUN, `MTProto` as a real client's library has it, and AES for the one that is written here.
const LIBRARIES: [&str; 5] =
    ["noiseprotocol==0.3.1", "websockets==17.4", "aioice==0.13.0", "telethon==1.45.0", "cryptography==50.0.2"];
