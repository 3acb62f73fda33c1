//! Who trusts the lab's authority: each client reads a page over TLS, and refuses a host whose authority nobody knows, so
//! that none of them trusts just anything. `docs/trust.md` says the same for people.

mod support;

use std::path::{Path, PathBuf};

use support::{FLAGSHIP, Said, can_run_labs, program, roadblock, said};
use tempfile::TempDir;

/// A page that all should read.
const PAGE: &str = "https://www.wikipedia.org/";
/// What is on it.
const TITLE: &str = "The free encyclopedia.";
/// A host whose certificate is of an authority that no client of the lab knows.
const STRANGER: &str = "https://platform-api2.max.ru/";
/// Roots from files must not help a program that is said to use its own.
const WITHOUT_FILES: [&str; 4] =
    ["env", "--unset=NODE_EXTRA_CA_CERTS", "--unset=SSL_CERT_FILE", "--unset=SSL_CERT_DIR"];

/// A command in the flagship, from where nothing is blocked.
fn in_lab(options: &[&str], command: &[&str]) -> Said {
    let seat = ["exec", FLAGSHIP, "--phase", "before", "--vantage", "control", "--quiet"];
    said(roadblock(&[&seat, options, &["--"], command].concat()))
}

fn reads(options: &[&str], command: &[&str]) {
    let page = in_lab(options, &[command, &[PAGE]].concat());
    assert_eq!(page.status, 0, "{command:?}: {page:?}");
    assert!(page.stdout.contains(TITLE), "{command:?}: {page:?}");
}

fn refuses(options: &[&str], command: &[&str], url: &str) -> Said {
    let refused = in_lab(options, &[command, &[url]].concat());
    assert_ne!(refused.status, 0, "{command:?} {url}: {refused:?}");
    assert!(!refused.stdout.contains("inside a roadblock lab"), "{command:?} {url}: {refused:?}");
    refused
}

fn trusts_the_lab_and_nobody_else(command: &[&str]) {
    reads(&[], command);
    refuses(&[], command, STRANGER);
}

fn beside_this(file: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trust").join(file).display().to_string()
}

#[test]
fn curl() {
    if can_run_labs() {
        trusts_the_lab_and_nobody_else(&["curl", "-sS"]);
    }
}

#[test]
fn wget() {
    if can_run_labs() {
        trusts_the_lab_and_nobody_else(&["wget", "-nv", "-O-", "--tries=1"]);
    }
}

#[test]
fn python_requests() {
    if can_run_labs() {
        trusts_the_lab_and_nobody_else(&[python().as_str(), &beside_this("get.py")]);
    }
}

#[test]
fn node() {
    if can_run_labs() {
        trusts_the_lab_and_nobody_else(&["node", &beside_this("get.js")]);
    }
}

#[test]
fn java() {
    if can_run_labs() {
        trusts_the_lab_and_nobody_else(&["java", &beside_this("Get.java")]);
    }
}

#[test]
fn go() {
    if can_run_labs() {
        let (_folder, get) = go_program();
        trusts_the_lab_and_nobody_else(&[get.to_str().expect("text"), "system"]);
    }
}

#[test]
fn chromium() {
    if !can_run_labs() {
        return;
    }
    let home = TempDir::new().expect("a folder");
    let home = format!("HOME={}", home.path().display());
    // Its own sandbox works where its user is not root.
    let chromium = ["env", &home, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"];
    reads(&[], &chromium);
    // It ends well with an empty page, and says why.
    let refused = in_lab(&[], &[&chromium, &[STRANGER][..]].concat());
    assert!(refused.stderr.contains("ERR_CERT_AUTHORITY_INVALID"), "{refused:?}");
}

/// The page looks the same whether it came over TLS or not. Of a host that it does not trust, Firefox makes no picture.
#[test]
fn firefox() {
    if !can_run_labs() {
        return;
    }
    let home = TempDir::new().expect("a folder");
    let place = |file: &str| home.path().join(file).display().to_string();
    let picture_of = |url: &str, file: &str| {
        let home = format!("HOME={}", home.path().display());
        // As root it cannot make the user namespace of its sandbox, and otherwise waits for it for ever.
        let command =
            ["timeout", "60", "env", &home, "MOZ_ASSUME_USER_NS=0", "firefox-esr", "--headless", "--no-remote"];
        let what = ["--profile", &place("profile"), "--screenshot", &place(file), url];
        std::fs::create_dir_all(place("profile")).expect("a folder");
        let taken = in_lab(&[], &[&command[..], &what].concat());
        std::fs::read(place(file)).unwrap_or_else(|error| panic!("{url}: {error}: {taken:?}"))
    };
    let plain = picture_of(&PAGE.replace("https", "http"), "plain.png");
    assert!(picture_of(PAGE, "tls.png") == plain, "the pictures differ");
    assert!(picture_of("https://www.debian.org/", "other.png") != plain, "it shows whatever page it is");
}

/// A program whose roots are compiled in as OONI's are trusts nothing of the lab, until it is grafted.
#[test]
fn a_go_program_with_roots_of_its_own_is_grafted() {
    if !can_run_labs() {
        return;
    }
    let (_folder, get) = go_program();
    let command = [get.to_str().expect("text"), "own"];
    let before = std::fs::read(&get).expect("the program");
    let refused = refuses(&[], &command, PAGE);
    assert!(refused.stderr.contains("certificate signed by unknown authority"), "{refused:?}");
    let graft = ["--graft", command[0]];
    reads(&graft, &command);
    refuses(&graft, &command, STRANGER);
    assert!(std::fs::read(&get).expect("the program") == before, "the caller's file is not touched");
    refuses(&[], &command, PAGE);
}

#[test]
fn node_with_roots_of_its_own_is_grafted_by_name() {
    if !can_run_labs() {
        return;
    }
    let script = beside_this("get.js");
    let command = [&WITHOUT_FILES[..], &["node", "--use-bundled-ca", &script]].concat();
    refuses(&[], &command, PAGE);
    reads(&["--graft", "node"], &command);
    refuses(&["--graft", "node"], &command, STRANGER);
}

#[test]
fn what_cannot_be_grafted_is_said_and_nothing_runs() {
    if !can_run_labs() {
        return;
    }
    let folder = TempDir::new().expect("a folder");
    let script = folder.path().join("script");
    std::fs::write(&script, "#!/bin/sh\n").expect("a file");
    let script = script.to_str().expect("text");
    let mut told = String::new();
    for binary in ["true", script, "/no/such/file", "no-such-program"] {
        let refused = in_lab(&["--graft", binary], &["echo", "it ran"]);
        assert_eq!((refused.status, &*refused.stdout), (125, ""), "{refused:?}");
        told += &refused.stderr.replace(script, "SCRIPT");
    }
    let told = told.lines().map(|line| line.replace("/usr/bin/true", "/bin/true")).collect::<Vec<_>>();
    insta::assert_snapshot!(told.join("\n"));
}

/// The client in Go, with the roots of this machine compiled in.
fn go_program() -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a folder");
    let place = |file: &str| folder.path().join(file);
    std::fs::copy(beside_this("get.go"), place("get.go")).expect("the source");
    std::fs::copy("/etc/ssl/certs/ca-certificates.crt", place("roots.pem")).expect("this machine's roots");
    std::fs::write(place("go.mod"), "module get\n\ngo 1.19\n").expect("a file");
    let built = program("go")
        .args(["build", "-o", "get"])
        .current_dir(folder.path())
        .env("GOTOOLCHAIN", "local")
        .env("GOFLAGS", "-mod=mod")
        .output()
        .expect("go runs (Debian's package golang-go)");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let get = place("get");
    (folder, get)
}

/// A Python that has requests.
fn python() -> String {
    let has_it = |python: &&str| {
        let asked = program(python).args(["-c", "import requests"]).output();
        asked.is_ok_and(|asked| asked.status.success())
    };
    let found = ["python3", "/usr/bin/python3"].into_iter().find(has_it);
    found.expect("a Python with requests (Debian's package python3-requests)").to_owned()
}
