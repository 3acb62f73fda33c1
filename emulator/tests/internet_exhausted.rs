//! What a server does when its process has no file descriptors left. Alone in its process, because the limit is the
//! process's.
#![expect(clippy::disallowed_methods, reason = "servers are judged by programs that nobody here wrote")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, SystemTime};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use roadblock_emulator::internet::{self, Authority, Problems, Servers, Zone};
use roadblock_scenarios::model::{Host, Listener, Page, Protocol, Service};

#[test]
fn a_server_without_descriptors_says_so_and_recovers() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    setrlimit(Resource::RLIMIT_NOFILE, 48, hard).expect("a limit");
    let servers = serve();
    let port = servers.bound()[0].actual.port();

    let mut crowd = crowd(port);
    let problem = first(&servers.problem_list());
    assert_eq!(problem, "http 127.8.4.1:0: it could not take what came: Too many open files (os error 24)");
    crowd.kill().expect("the crowd goes");
    crowd.wait().expect("the crowd is gone");

    let mut stream = TcpStream::connect(("127.8.4.1", port)).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
    stream.write_all(b"GET / HTTP/1.1\r\nhost: max.ru\r\nconnection: close\r\n\r\n").expect("a request");
    let mut page = String::new();
    stream.read_to_string(&mut page).expect("a page");
    assert!(page.starts_with("HTTP/1.1 200 OK"), "{page}");
    assert_eq!(servers.problems().len(), 1, "each problem is noted once");
}

/// A web server on a thread that lives as long as the process.
fn serve() -> Servers {
    let (started, when_started) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            let services = [service()];
            let authority = Arc::new(Authority::new(SystemTime::UNIX_EPOCH).expect("an authority"));
            let servers = internet::start(&services, &Arc::new(Zone::new(&services)), &authority, None);
            started.send(servers.expect("an internet")).expect("the test waits");
            std::future::pending::<()>().await;
        });
    });
    when_started.recv().expect("the servers start")
}

fn service() -> Service {
    let host = Host {
        names: vec!["max.ru".to_owned()],
        addresses: vec!["127.8.4.1".parse().expect("an address")],
        listen: vec![Listener { port: 0, protocol: Protocol::Http }],
        page: Page { title: "MAX".to_owned(), text: "A page of the test.".to_owned(), length: None },
        ..Host::default()
    };
    Service { id: "services/test".into(), title: "Test".to_owned(), hosts: vec![host], targets: Vec::new() }
}

/// A hundred connections from a process with a limit of its own, held until it is killed.
fn crowd(port: u16) -> Child {
    let script = format!(
        "ulimit -Sn 256; for i in {{1..100}}; do exec {{fd}}<>/dev/tcp/127.8.4.1/{port} || exit; done; echo ready; read"
    );
    let mut bash = Command::new("bash");
    bash.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut bash = bash.spawn().expect("this test needs bash (see ci/test)");
    let mut said = String::new();
    BufReader::new(bash.stdout.take().expect("its output")).read_line(&mut said).expect("a line");
    assert_eq!(said, "ready\n");
    bash
}

fn first(problems: &Problems) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let first = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(20), problems.first()).await });
    first.expect("a problem").to_string()
}
