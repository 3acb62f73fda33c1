//! What the tests share: a small scenario, and sockets at its vantages.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, SockaddrStorage, sockopt};
use roadblock_emulator::lab::{Lab, LabOptions};
use roadblock_scenarios::{Library, Scenario, resolve};

/// A vantage behind a box that looks at TLS names on 443 and at DNS names, and drops a prefix; and one that is not.
pub(crate) const SCENARIO: &str = r#"
id = "tests/small"
title = "A small lab"
use = ["services/neutral", "services/whatsapp", "services/public-dns"]

[hop.access]
[hop.box]
[hop.border]
[hop.elsewhere]

[vantage.inside]
isp = "AS12389 Rostelecom"
path = ["access", "box", "border"]
delay = "0ms"
resolvers = ["8.8.8.8"]

[vantage.control]
isp = "AS3320 Deutsche Telekom"
path = ["elsewhere"]
delay = "0ms"
resolvers = ["8.8.8.8"]

[censor.tspu]
profile = "censors/tspu-2026"
at = "box"
sni-1 = ["whatsapp.com"]
ip-drop = ["157.240.0.0/16", "2a03:2880::/32"]

[[phase]]
id = "one"

[[phase]]
id = "two"
change = [{ in = "censor.tspu.sni-1", add = ["wikipedia.org"] }]
"#;

/// Wikipedia's address in the library's neutral service.
pub(crate) const WIKIPEDIA: &str = "185.15.59.224";
/// Likewise.
pub(crate) const WIKIPEDIA_V6: &str = "2a02:ec80:300:ed1a::1";

pub(crate) fn scenario(text: &str) -> Arc<Scenario> {
    Arc::new(resolve(text, "small.toml", &library()).unwrap_or_else(|errors| panic!("{errors}")))
}

/// The library, and a TSPU that looks at port 80 in place of 443: there a connection can be used again and again after it
/// was judged, by a client that needs no TLS.
fn library() -> Library {
    let library = Library::embedded();
    let profile = library.document("censors/tspu-2026").expect("the profile is in the library").text();
    let plain =
        profile.replace("server.port = 443", "server.port = 80").replace("censors/tspu-2026", "censors/tspu-80");
    let queue = |limit: u16| (format!("censors/queue-{limit}.toml"), QUEUE.replace("LIMIT", &limit.to_string()));
    library.with_files([
        ("censors/tspu-80.toml".to_owned(), plain),
        ("censors/pings.toml".to_owned(), PINGS.to_owned()),
        queue(45),
        queue(2),
    ])
}

/// A box that does nothing but let fragments wait for each other.
const QUEUE: &str = r#"
kind = "profile"
id = "censors/queue-LIMIT"
title = "Fragments wait"
box.place = "in-path"
box.fragments = { queue = { limit = LIMIT } }
"#;

/// A box that cuts a client off after two pings.
const PINGS: &str = r#"
kind = "profile"
id = "censors/pings"
title = "Pings cost everything"

[box]
place = "in-path"

[[rule]]
id = "pings"
when = { protocol = "icmp", direction = "outbound" }
after = { packets = 2, per = "client" }
trigger = "drop"
then = { both = "drop" }
key = "client"
last = "60s"
"#;

pub(crate) fn lab() -> Lab {
    lab_with(SCENARIO, LabOptions::default())
}

pub(crate) fn lab_with(text: &str, options: LabOptions) -> Lab {
    Lab::start_with(scenario(text), "one", options).unwrap_or_else(|error| panic!("{error}"))
}

/// Ends this process with a message when the time is over, so that a test that hangs is a test that fails.
pub(crate) fn limit(time: Duration) {
    nix::unistd::alarm::set(u32::try_from(time.as_secs()).expect("short"));
}

/// Runs something on the thread of a vantage, where its sockets belong.
pub(crate) fn at<T: Send + 'static>(lab: &Lab, vantage: &str, what: impl FnOnce() -> T + Send + 'static) -> T {
    let (tell, told) = std::sync::mpsc::channel();
    lab.runtime(vantage).expect("the vantage exists").spawn(async move { tell.send(what()) });
    told.recv().expect("what ran at the vantage did not panic")
}

/// A TCP connection from this address and port.
pub(crate) fn connect(from: SocketAddr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let family = if from.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let fd = socket::socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    socket::setsockopt(&fd, sockopt::ReuseAddr, &true)?;
    let raw = std::os::fd::AsRawFd::as_raw_fd(&fd);
    socket::bind(raw, &SockaddrStorage::from(from))?;
    socket::connect(raw, &SockaddrStorage::from(to))?;
    let stream = TcpStream::from(fd);
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    Ok(stream)
}

/// Asks for `/bytes/1`, and reads the answer's end.
pub(crate) fn get(stream: &mut TcpStream) {
    stream.write_all(b"GET /bytes/1 HTTP/1.1\r\nHost: www.wikipedia.org\r\n\r\n").expect("sent");
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
        let length = stream.read(&mut buffer).expect("answered");
        assert!(length > 0, "the server closed before it answered");
        answer.extend_from_slice(&buffer[..length]);
    }
}

/// How many packets the machine at the box has seen.
pub(crate) fn seen(lab: &Lab) -> u64 {
    lab.counters("box").expect("the box looks at packets").packets
}

/// The first fresh client of the vantage behind the box.
pub(crate) fn client(lab: &Lab) -> roadblock_emulator::lab::Client {
    lab.fresh_client("inside").expect("there are addresses")
}

pub(crate) fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}
