//! What a lab costs, as ratios measured in one run.
//!
//! Each figure is taken in labs that differ in one thing, turn about, and the ratio of their medians is printed beside the
//! budget. Nothing here fails: machines differ, and a reader judges.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, SockaddrStorage};
use roadblock_emulator::kernel::nfqueue::{Decision, Queue};
use roadblock_emulator::kernel::nftables::{Table, detect_queue_kind};
use roadblock_emulator::lab::{CommandSpec, Lab};
use roadblock_emulator::plan::Ruleset;
use roadblock_emulator::plan::ruleset::{QUEUE, RulePlan, Statement};
use roadblock_emulator::sandbox;
use roadblock_scenarios::{Library, Scenario, resolve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

/// How often each lab is measured; the medians are compared.
const ROUNDS: usize = 5;
const SERVER: &str = "185.15.59.224";

fn main() {
    println!("medians of {ROUNDS} rounds, lowest and highest ratio in brackets\n");
    println!("{:<50} {:>10} {:>10} {:>20}  budget", "", "censored", "plain", "ratio");
    compare("bulk TCP, MB/s", Kind::Data, bulk, ">= 0.95");
    compare("the same, every packet through a no-op queue", Kind::NoOp, bulk, "none");
    compare("connections a second, judged on data", Kind::Data, connections, ">= 0.85");
    compare("connections a second, handshakes tracked", Kind::Handshake, connections, ">= 0.65");
    compare("the same, every packet through a no-op queue", Kind::NoOp, connections, "none");
    latency();
    start_and_stop();
}

/// What the censor of a lab looks at.
#[derive(Clone, Copy)]
enum Kind {
    /// No censor at all.
    Plain,
    /// No censor, but every packet goes through a queue whose reader lets it pass at once: what a queue costs by itself.
    NoOp,
    /// A box that needs no handshake.
    Data,
    /// The TSPU, which must know who began.
    Handshake,
}

fn compare(what: &str, kind: Kind, measure: fn(&Lab) -> f64, budget: &str) {
    let pairs: Vec<(f64, f64)> = (0..ROUNDS).map(|_| (in_lab(kind, measure), in_lab(Kind::Plain, measure))).collect();
    let (censored, plain) = medians(&pairs);
    let ratios: Vec<f64> = pairs.iter().map(|(censored, plain)| censored / plain).collect();
    let (low, high) = spread(&ratios);
    let ratio = format!("{:.2} [{low:.2} {high:.2}]", median(ratios));
    println!("{what:<50} {censored:>10.0} {plain:>10.0} {ratio:>20}  {budget}");
}

fn latency() {
    let pairs: Vec<(f64, f64)> =
        (0..ROUNDS).map(|_| (in_lab(Kind::Data, round_trip), in_lab(Kind::Plain, round_trip))).collect();
    let (censored, plain) = medians(&pairs);
    // The query and its answer are both looked at.
    let added: Vec<f64> = pairs.iter().map(|(censored, plain)| (censored - plain) / 2.0).collect();
    let (low, high) = spread(&added);
    let added = format!("{:+.1} [{low:+.1} {high:+.1}]", median(added));
    println!(
        "{:<50} {censored:>10.1} {plain:>10.1} {added:>20}  <= 30 added",
        "DNS round trip p50, added each way, us"
    );
}

fn start_and_stop() {
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS * 2 {
        let began = seconds_since_boot();
        let first_packet = in_lab(Kind::Data, |lab| {
            let argv = ["true"].map(Into::into).to_vec();
            lab.run_command("inside", &CommandSpec { argv, root: false }).unwrap_or_else(|error| panic!("{error}"));
            seconds_since_boot()
        });
        up.push((first_packet - began) * 1e3);
        down.push((seconds_since_boot() - first_packet) * 1e3);
    }
    for (what, figures, budget) in
        [("lab of 5 namespaces, start to a command's end, ms", up, 50), ("the same lab, torn down, ms", down, 20)]
    {
        let (low, high) = spread(&figures);
        let figure = format!("{:.1} [{low:.1} {high:.1}]", median(figures));
        println!("{what:<50} {:>10} {:>10} {figure:>20}  <= {budget}", "", "");
    }
}

/// Measures in a lab of its own, in a process of its own.
fn in_lab(kind: Kind, measure: impl FnOnce(&Lab) -> f64) -> f64 {
    let (read, write) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).expect("a pipe");
    let scenario = scenario(kind);
    let status = sandbox::run(move || {
        let lab = Lab::start(scenario, "always", 1).unwrap_or_else(|error| panic!("{error}"));
        if matches!(kind, Kind::NoOp) {
            queue_everything(&lab);
        }
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

/// Queues every packet at the hop and lets it pass at once, for as long as the lab lives.
fn queue_everything(lab: &Lab) {
    let (tell, told) = std::sync::mpsc::channel();
    lab.hop_runtime("box").expect("the hop exists").spawn(async move {
        let kind = detect_queue_kind().expect("packets can be queued");
        let mut queue = Queue::open(QUEUE).expect("opened");
        let rule = RulePlan { comment: "all".to_owned(), matches: Vec::new(), then: vec![Statement::Queue] };
        let ruleset = Ruleset { inspect: vec![rule], ..Ruleset::default() };
        let _table = Table::load(&ruleset, &BTreeMap::new(), kind).expect("loaded");
        tell.send(()).expect("somebody waits");
        loop {
            queue.readable().await.expect("readable");
            let mut ids = Vec::new();
            queue.take(|queued| ids.push(queued.id)).expect("taken");
            for id in ids {
                queue.decide(id, Decision::Accept);
            }
            queue.flush().expect("sent");
        }
    });
    told.recv().expect("the queue is open");
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
        Kind::Plain | Kind::NoOp => String::new(),
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

/// Connections a second, each with a request and its answer, many at a time.
fn connections(lab: &Lab) -> f64 {
    const AT_ONCE: u32 = 16;
    const EACH: u32 = 250;
    let from = local(lab);
    let (tell, told) = std::sync::mpsc::channel();
    lab.runtime("inside").expect("the vantage exists").spawn(async move {
        let began = Instant::now();
        let tasks: Vec<_> = (0..AT_ONCE).map(|_| tokio::spawn(connect_again_and_again(from, EACH))).collect();
        for task in tasks {
            task.await.expect("it did not panic");
        }
        tell.send(f64::from(AT_ONCE * EACH) / began.elapsed().as_secs_f64())
    });
    told.recv().expect("it was measured")
}

async fn connect_again_and_again(from: SocketAddr, times: u32) {
    let server = SocketAddr::new(SERVER.parse().expect("an address"), 80);
    let mut buffer = [0; 2048];
    for _ in 0..times {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(from).expect("bound");
        // Ended by a reset, so that no port is left waiting.
        socket.set_zero_linger().expect("set");
        let mut stream = socket.connect(server).await.expect("connected");
        stream.write_all(b"GET /bytes/1 HTTP/1.1\r\nHost: www.wikipedia.org\r\n\r\n").await.expect("sent");
        let length = stream.read(&mut buffer).await.expect("it comes");
        assert!(length > 0, "the server closed");
    }
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

fn medians(pairs: &[(f64, f64)]) -> (f64, f64) {
    let (censored, plain): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    (median(censored), median(plain))
}

fn spread(figures: &[f64]) -> (f64, f64) {
    (figures.iter().copied().fold(f64::INFINITY, f64::min), figures.iter().copied().fold(f64::NEG_INFINITY, f64::max))
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
