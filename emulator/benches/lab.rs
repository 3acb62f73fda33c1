//! What a lab costs, as ratios measured in one run.
//!
//! Each figure is taken in labs that differ in one thing, turn about, and the ratio of their medians is printed beside the
//! budget. Nothing here fails: machines differ, and a reader judges.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::fs::File;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, SockaddrStorage, sockopt};
use roadblock_emulator::lab::{CommandSpec, Lab};
use roadblock_emulator::sandbox;
use roadblock_scenarios::{Library, Scenario, resolve};

/// How often each lab is measured; the medians are compared.
const ROUNDS: usize = 5;
const SERVER: &str = "185.15.59.224";

fn main() {
    println!("{:<62} {:>12} {:>12} {:>8}  budget", "", "censored", "plain", "ratio");
    compare("bulk TCP, MB/s", Kind::Data, bulk, ">= 0.95");
    compare("new connections a second, profile that judges on data", Kind::Data, connections, ">= 0.85");
    compare("new connections a second, profile that tracks handshakes", Kind::Handshake, connections, ">= 0.65");
    latency();
    start_and_stop();
}

/// What the censor of a lab looks at.
#[derive(Clone, Copy)]
enum Kind {
    /// No censor at all.
    Plain,
    /// A box that needs no handshake.
    Data,
    /// The TSPU, which must know who began.
    Handshake,
}

fn compare(what: &str, kind: Kind, measure: fn(&Lab) -> f64, budget: &str) {
    let (mut censored, mut plain) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        censored.push(in_lab(kind, measure));
        plain.push(in_lab(Kind::Plain, measure));
    }
    let (censored, plain) = (median(censored), median(plain));
    println!("{what:<62} {censored:>12.1} {plain:>12.1} {:>8.2}  {budget}", censored / plain);
}

fn latency() {
    let (mut censored, mut plain) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        censored.push(in_lab(Kind::Data, round_trip));
        plain.push(in_lab(Kind::Plain, round_trip));
    }
    let (censored, plain) = (median(censored), median(plain));
    // The query and its answer are both looked at.
    let added = (censored - plain) / 2.0;
    println!(
        "{:<62} {censored:>12.1} {plain:>12.1} {added:>+8.1}  <= 30 added",
        "inspected packet, DNS round trip p50 and added each way, us"
    );
}

fn start_and_stop() {
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS * 2 {
        let began = Instant::now();
        let first_packet = in_lab(Kind::Data, |lab| {
            let argv = ["true"].map(Into::into).to_vec();
            lab.run_command("inside", &CommandSpec { argv, root: false }).unwrap_or_else(|error| panic!("{error}"));
            seconds_since_boot()
        });
        let ended = Instant::now();
        let now = seconds_since_boot();
        let began = now - ended.duration_since(began).as_secs_f64();
        up.push((first_packet - began) * 1e3);
        down.push((now - first_packet) * 1e3);
    }
    println!(
        "{:<62} {:>12.1} {:>12} {:>8}  <= 50",
        "lab of 5 namespaces, from exec to its command's end, ms",
        median(up),
        "",
        ""
    );
    println!("{:<62} {:>12.1} {:>12} {:>8}  <= 20", "the same lab, torn down, ms", median(down), "", "");
}

/// Measures in a lab of its own, in a process of its own.
fn in_lab(kind: Kind, measure: impl FnOnce(&Lab) -> f64) -> f64 {
    let (read, write) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).expect("a pipe");
    let scenario = scenario(kind);
    let status = sandbox::run(move || {
        let lab = Lab::start(scenario, "always", 1).unwrap_or_else(|error| panic!("{error}"));
        let figure = measure(&lab);
        let problems = lab.problems();
        assert!(problems.is_empty(), "{problems:?}");
        File::from(write).write_all(&figure.to_ne_bytes()).expect("somebody reads");
        0
    });
    assert!(matches!(status, Ok(0)), "{status:?}");
    let mut figure = [0; 8];
    File::from(read).read_exact(&mut figure).expect("it was measured");
    f64::from_ne_bytes(figure)
}

fn scenario(kind: Kind) -> Arc<Scenario> {
    let library = Library::embedded();
    let profile = library.document("censors/tspu-2026").expect("in the library").text();
    let tspu = profile.replace("server.port = 443", "server.port = 80").replace("censors/tspu-2026", "censors/tspu-80");
    let data = tspu.replace("censors/tspu-80", "censors/data-80").replace("from = \"syn\"", "from = \"any\"");
    let data = data.replace(", flow.client = \"inside\"", "");
    let library =
        library.with_files([("censors/tspu-80.toml".to_owned(), tspu), ("censors/data-80.toml".to_owned(), data)]);
    let censor = |profile: &str| {
        format!(
            "[censor.tspu]\nprofile = \"{profile}\"\nat = \"box\"\nsni-1 = [\"whatsapp.com\"]\n\
             [censor.dns]\nprofile = \"censors/dns-injector\"\nat = \"box\"\nnames = [\"whatsapp.com\"]\n"
        )
    };
    let censor = match kind {
        Kind::Plain => String::new(),
        Kind::Data => censor("censors/data-80"),
        Kind::Handshake => censor("censors/tspu-80"),
    };
    let text = format!("{TOPOLOGY}{censor}");
    Arc::new(resolve(&text, "bench.toml", &library).unwrap_or_else(|errors| panic!("{errors}")))
}

const TOPOLOGY: &str = r#"
id = "bench/lab"
title = "Five namespaces: a client, two hops, the internet, and the control's hop and client beside them"
use = ["services/neutral", "services/public-dns"]
[hop.box]
[hop.border]
[hop.elsewhere]
[vantage.inside]
isp = "AS12389 Rostelecom"
path = ["box", "border"]
delay = "0ms"
resolvers = ["8.8.8.8"]
[vantage.control]
isp = "AS3320 Deutsche Telekom"
path = ["elsewhere"]
delay = "0ms"
resolvers = ["8.8.8.8"]
"#;

/// Megabytes a second over one connection.
fn bulk(lab: &Lab) -> f64 {
    const PIECE: usize = 16 << 20;
    const PIECES: usize = 24;
    let from = local(lab);
    at(lab, move || {
        let mut stream = connect(from);
        let mut buffer = vec![0; 1 << 16];
        let mut began = Instant::now();
        // A box looks at a few segments before it gives a flow up as harmless; what is bulk comes after that.
        for _ in 0..8 {
            request(&mut stream, 1);
            let length = stream.read(&mut buffer).expect("it comes");
            assert!(length > 0, "the server closed");
        }
        for piece in 0..PIECES {
            if piece == 1 {
                // The first piece opens the windows.
                began = Instant::now();
            }
            request(&mut stream, PIECE);
            let mut left = PIECE;
            while left > 0 {
                let length = stream.read(&mut buffer).expect("it comes");
                assert!(length > 0, "the server closed");
                left = left.saturating_sub(length);
            }
        }
        megabytes(PIECE * (PIECES - 1)) / began.elapsed().as_secs_f64()
    })
}

/// Connections a second, each with a request and its answer, one after the other.
fn connections(lab: &Lab) -> f64 {
    const CONNECTIONS: u32 = 3000;
    let from = local(lab);
    at(lab, move || {
        let began = Instant::now();
        let mut buffer = [0; 2048];
        for _ in 0..CONNECTIONS {
            let mut stream = connect(from);
            request(&mut stream, 1);
            let length = stream.read(&mut buffer).expect("it comes");
            assert!(length > 0, "the server closed");
            let linger = libc::linger { l_onoff: 1, l_linger: 0 };
            socket::setsockopt(&stream, sockopt::Linger, &linger).expect("set");
        }
        f64::from(CONNECTIONS) / began.elapsed().as_secs_f64()
    })
}

/// The median round trip of a DNS query, in microseconds.
fn round_trip(lab: &Lab) -> f64 {
    // A query for the A record of www.debian.org, as kdig writes it without EDNS.
    const QUERY: &[u8] =
        b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x06debian\x03org\x00\x00\x01\x00\x01";
    let from = local(lab);
    at(lab, move || {
        let socket = UdpSocket::bind(from).expect("bound");
        socket.connect("8.8.8.8:53").expect("connected");
        socket.set_read_timeout(Some(Duration::from_secs(2))).expect("set");
        let mut buffer = [0; 512];
        let trips = (0..2000).map(|_| {
            let began = Instant::now();
            socket.send(QUERY).expect("sent");
            socket.recv(&mut buffer).expect("answered");
            began.elapsed().as_secs_f64() * 1e6
        });
        median(trips.collect())
    })
}

fn local(lab: &Lab) -> SocketAddr {
    SocketAddr::new(lab.fresh_client("inside").expect("there are addresses").v4.into(), 0)
}

fn at(lab: &Lab, what: impl FnOnce() -> f64 + Send + 'static) -> f64 {
    let (tell, told) = std::sync::mpsc::channel();
    lab.runtime("inside").expect("the vantage exists").spawn(async move { tell.send(what()) });
    told.recv().expect("it was measured")
}

fn connect(from: SocketAddr) -> TcpStream {
    let fd = socket::socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).expect("a socket");
    socket::bind(fd.as_raw_fd(), &SockaddrStorage::from(from)).expect("bound");
    let server: IpAddr = SERVER.parse().expect("an address");
    socket::connect(fd.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(server, 80))).expect("connected");
    TcpStream::from(fd)
}

fn request(stream: &mut TcpStream, bytes: usize) {
    let request = format!("GET /bytes/{bytes} HTTP/1.1\r\nHost: www.wikipedia.org\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

/// The clock that all processes share.
fn seconds_since_boot() -> f64 {
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC).expect("a clock");
    Duration::from(now).as_secs_f64()
}
