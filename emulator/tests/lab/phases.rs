//! Phases that begin while traffic flows.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use roadblock_censor::EventKind;
use roadblock_emulator::lab::{Lab, LabError, LabOptions};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::kernel_state::json_at;
use crate::support::{WIKIPEDIA, address, at, connect, lab_with, limit, scenario};

/// Two boxes on one path and a resolver, all of which each phase changes. Names and prefixes come and go by turns, so that every
/// change adds some and removes others.
const ESCALATION: &str = r#"
id = "tests/escalation"
title = "Two boxes and a resolver"
use = ["services/neutral", "services/public-dns"]

[hop.access]
[hop.inner]
[hop.outer]
[hop.elsewhere]

[vantage.inside]
isp = "AS12389 Rostelecom"
path = ["access", "inner", "outer"]
delay = "0ms"
resolvers = ["isp"]

[vantage.control]
isp = "AS3320 Deutsche Telekom"
path = ["elsewhere"]
delay = "0ms"
resolvers = ["8.8.8.8"]

[resolver.isp]
at = "access"
lies = [{ names = [], answer = { rcode = "NXDOMAIN" } }]

[censor.inner]
profile = "censors/tspu-2026"
at = "inner"
ip-drop = ["198.51.100.0/24"]

[censor.outer]
profile = "censors/tspu-2026"
at = "outer"
ip-drop = ["198.51.100.0/24"]

[[phase]]
id = "one"

[[phase]]
id = "odd"
change = [
    { in = "censor.inner.sni-1", add = ["github.com"] },
    { in = "censor.inner.ip-drop", add = ["GONE"] },
    { in = "censor.outer.ip-drop", set = ["203.0.113.0/24"] },
    { in = "resolver.isp.lies.0.names", add = ["github.com"] },
]

[[phase]]
id = "even"
change = [
    { in = "censor.outer.sni-1", add = ["ya.ru"] },
    { in = "censor.outer.ip-drop", set = ["192.0.2.0/24"] },
]
"#;

/// Yandex's address in the library's neutral service: what the phase `odd` begins to drop.
const GONE: &str = "77.88.55.242";
/// GitHub's address there: its name is listed from the phase `odd` on, its address never.
const LISTED: &str = "140.82.121.4";
/// What one request brings, the most that there is.
const FILE: usize = 16 << 20;
/// How often the file is asked for.
const FILES: usize = 3;
/// How often a phase begins meanwhile.
const CHANGES: usize = 10;

fn escalation() -> Lab {
    lab_with(&ESCALATION.replace("GONE", GONE), LabOptions::default())
}

/// A long download of what no phase touches goes through ten changes without a lost or changed byte. What is blocked by address
/// from then on stalls in the middle of its connection; what is blocked by name goes on, and new connections are reset.
pub(crate) fn a_download_goes_through_ten_changes() {
    let lab = escalation();
    let trust = trust(&lab);
    let wanted = {
        let client = lab.fresh_client("control").expect("an address");
        let (trust, from) = (Arc::clone(&trust), client.v4.into());
        at(&lab, "control", move || digest(&download(&mut open(&trust, from, WIKIPEDIA, "www.wikipedia.org"), |_| {})))
    };
    let client = lab.fresh_client("inside").expect("an address");
    let from: IpAddr = client.v4.into();
    let (mut gone, mut listed) = {
        let trust = Arc::clone(&trust);
        let open = move || (open(&trust, from, GONE, "ya.ru"), open(&trust, from, LISTED, "github.com"));
        at(&lab, "inside", open)
    };
    assert!(fetch(&mut gone, 1000).is_ok() && fetch(&mut listed, 1000).is_ok(), "nothing is blocked yet");

    let (tell, told) = mpsc::channel();
    let mut stream = {
        let trust = Arc::clone(&trust);
        at(&lab, "inside", move || open(&trust, from, WIKIPEDIA, "www.wikipedia.org"))
    };
    // Sockets keep their namespace, so the download needs no thread of the vantage's, and nobody waits for it there.
    let downloading = std::thread::spawn(move || {
        download(&mut stream, |so_far| {
            let _ = tell.send(so_far);
        })
    });
    let mut begun = Vec::new();
    for (number, phase) in ["odd", "even"].into_iter().cycle().take(CHANGES).enumerate() {
        // Evenly over the download, and the last well before its end.
        let due = (number + 1) * FILE * FILES / (CHANGES + 2);
        let so_far = told.iter().find(|so_far| *so_far >= due).expect("the download is not over");
        lab.enter_phase(phase).unwrap_or_else(|error| panic!("{phase}: {error}"));
        begun.push(so_far);
    }
    let got = downloading.join().expect("the download ended well");
    assert!(begun.iter().all(|so_far| *so_far < FILE * FILES), "a phase began after the download: {begun:?}");
    assert_eq!(got.len(), FILE * FILES);
    assert_eq!(digest(&got), wanted, "a byte was changed");

    let stalled = fetch(&mut gone, 1000).expect_err("its address is blocked");
    assert!(is_time_out(&stalled), "{stalled}");
    fetch(&mut listed, 1000).expect("its name was looked at before it was listed");
    let anew = at(&lab, "inside", move || {
        let mut stream = open(&trust, from, LISTED, "github.com");
        fetch(&mut stream, 1000)
    });
    let reset = anew.expect_err("its name is listed now");
    assert_eq!(reset.kind(), std::io::ErrorKind::ConnectionReset, "{reset}");

    let events = lab.events().all();
    let mut interfered = events.iter().map(|each| &each.event).filter(|event| event.is_interference());
    assert!(
        interfered.clone().all(|event| event.flow.server != address(WIKIPEDIA)),
        "the download was interfered with"
    );
    assert!(interfered.any(|event| event.kind == EventKind::Dropped), "the stall has its event");
    assert!(lab.problems().is_empty(), "{:?}", lab.problems());
    assert_eq!(lab.phases().len(), 1 + CHANGES);
}

/// Where the kernel refuses the change at one hop, the hops before it and the resolver stay in the phase they were in, and the
/// packets that waited go on.
pub(crate) fn a_change_that_one_hop_refuses_changes_nothing() {
    let lab = escalation();
    let before = prefixes(&lab, "inner");
    assert!(!before.contains(GONE), "{before}");
    // Behind roadblock's back: the range that the phase is to remove is gone already.
    let sabotage = ["delete", "element", "inet", "roadblock", "block0_v4", "{ 198.51.100.0/24 }"];
    at_hop(&lab, "outer", &sabotage);
    let refused = lab.enter_phase("odd").expect_err("an element to remove is not there");
    let LabError::Phase { hop, cause } = &refused else { panic!("{refused}") };
    assert_eq!(hop, "outer");
    assert!(cause.to_string().contains("removing prefixes of block0_v4"), "{cause}");
    assert_eq!(&*lab.phase(), "one");
    assert_eq!(prefixes(&lab, "inner"), before, "the hop before was not given back what it had");
    assert_eq!(rcode(&lab, "github.com"), 0, "the resolver lies already");
    assert!(lab.problems().is_empty(), "{:?}", lab.problems());
    let trust = trust(&lab);
    let from: IpAddr = lab.fresh_client("inside").expect("an address").v4.into();
    let fetched = at(&lab, "inside", move || fetch(&mut open(&trust, from, LISTED, "github.com"), 1000));
    fetched.expect("the machines judge by the old policy");

    // Mended, it goes.
    at_hop(&lab, "outer", &["add", "element", "inet", "roadblock", "block0_v4", "{ 198.51.100.0/24 }"]);
    lab.enter_phase("odd").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(&*lab.phase(), "odd");
    assert!(prefixes(&lab, "inner").contains(GONE));
    assert_eq!(rcode(&lab, "github.com"), 3, "the resolver does not lie yet");
}

/// A file in which nothing is blocked; then one in which names, addresses and a port are, so that a hop needs a rule it did not
/// have; and back. A download does not notice.
pub(crate) fn a_file_read_again_is_played_under_a_download() {
    let nothing = ESCALATION.replace("GONE", GONE).replace("ip-drop = [\"198.51.100.0/24\"]", "");
    let nothing = &nothing[..nothing.find("[[phase]]\nid = \"odd\"").expect("the second phase")];
    let something = nothing.replace("at = \"inner\"", "at = \"inner\"\nsni-1 = [\"github.com\"]\nports-drop = [8443]");
    let something = something.replace("at = \"outer\"", &format!("at = \"outer\"\nip-drop = [\"{GONE}\"]"));
    let lab = lab_with(nothing, LabOptions::default());
    let before = sets(&lab, "inner");
    assert!(!before.is_empty() && before.iter().all(|set| set.starts_with("block")), "{before:?}");
    let trust = trust(&lab);
    let from: IpAddr = lab.fresh_client("inside").expect("an address").v4.into();
    let mut stream = {
        let trust = Arc::clone(&trust);
        at(&lab, "inside", move || open(&trust, from, WIKIPEDIA, "www.wikipedia.org"))
    };
    let (tell, told) = mpsc::channel();
    let downloading = std::thread::spawn(move || {
        download(&mut stream, |so_far| {
            let _ = tell.send(so_far);
        })
    });
    for (number, text) in [&something, nothing, &something].into_iter().enumerate() {
        let due = (number + 1) * FILE * FILES / 5;
        told.iter().find(|so_far| *so_far >= due).expect("the download is not over");
        lab.reload(&scenario(text)).unwrap_or_else(|error| panic!("{error}"));
    }
    let got = downloading.join().expect("the download ended well");
    let wanted = {
        let client: IpAddr = lab.fresh_client("control").expect("an address").v4.into();
        let trust = Arc::clone(&trust);
        at(&lab, "control", move || download(&mut open(&trust, client, WIKIPEDIA, "www.wikipedia.org"), |_| {}))
    };
    assert_eq!(digest(&got), digest(&wanted), "a byte was lost or changed");
    assert!(lab.problems().is_empty(), "{:?}", lab.problems());

    let reset = {
        let trust = Arc::clone(&trust);
        at(&lab, "inside", move || fetch(&mut open(&trust, from, LISTED, "github.com"), 1000))
    };
    assert_eq!(reset.expect_err("its name is listed").kind(), std::io::ErrorKind::ConnectionReset);
    assert!(prefixes(&lab, "outer").contains(GONE));
    let after: Vec<String> = before.iter().map(|set| format!("g3_{set}")).collect();
    assert_eq!(sets(&lab, "inner"), after, "those of earlier readings are gone");
    assert_eq!(sets(&lab, "outer"), before, "no rule changes where only prefixes do");
    let refused = lab.reload(&scenario(&something.replace("resolvers = [\"8.8.8.8\"]", "resolvers = [\"1.1.1.1\"]")));
    let Err(LabError::Fixed(differences)) = refused else { panic!("{refused:?}") };
    assert_eq!(differences, ["vantage.control differs"]);
    assert_eq!(sets(&lab, "inner"), after);
}

/// A list of more prefixes than one transaction carries is loaded, replaced and given back.
pub(crate) fn lists_longer_than_a_transaction_come_and_go() {
    limit(Duration::from_secs(120));
    let many = |second: usize| {
        let each = |number: usize| {
            format!("\"{}.{}.{}.0/25\"", 20 + number / 65_536, second + (number >> 8 & 127), number & 255)
        };
        (0..30_000).map(each).collect::<Vec<_>>().join(", ")
    };
    let text = ESCALATION.replace("ip-drop = [\"198.51.100.0/24\"]", &format!("ip-drop = [{}]", many(0)));
    let text = text.replace("set = [\"203.0.113.0/24\"]", &format!("set = [{}]", many(128))).replace("GONE", GONE);
    let lab = lab_with(&text, LabOptions::default());
    let count = |hop: &str| prefixes(&lab, hop).matches("\"prefix\"").count();
    assert_eq!((count("inner"), count("outer")), (30_000, 30_000));
    let before = prefixes(&lab, "outer");
    lab.enter_phase("odd").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(count("outer"), 30_000);
    assert_ne!(prefixes(&lab, "outer"), before);
    lab.enter_phase("one").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(prefixes(&lab, "outer"), before);
}

type Stream = StreamOwned<ClientConnection, TcpStream>;

fn trust(lab: &Lab) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(lab.authority_der().to_vec().into()).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Arc::new(config.expect("versions").with_root_certificates(roots).with_no_client_auth())
}

/// A connection to 443 on which nothing was said yet: the `ClientHello` comes with the first request.
fn open(trust: &Arc<ClientConfig>, from: IpAddr, to: &str, name: &'static str) -> Stream {
    let stream = connect(SocketAddr::new(from, 0), SocketAddr::new(address(to), 443)).expect("connected");
    let name = ServerName::try_from(name).expect("a name");
    StreamOwned::new(ClientConnection::new(Arc::clone(trust), name).expect("a client"), stream)
}

/// Asks for the file until all is there; `progress` hears how many bytes are.
fn download(stream: &mut Stream, mut progress: impl FnMut(usize)) -> Vec<u8> {
    let mut all = Vec::new();
    for _ in 0..FILES {
        let before = all.len();
        fetch_with(stream, FILE, |bytes| {
            all.extend_from_slice(bytes);
            progress(all.len());
        })
        .expect("the download goes on");
        assert_eq!(all.len() - before, FILE);
    }
    all
}

fn fetch(stream: &mut Stream, length: usize) -> std::io::Result<()> {
    fetch_with(stream, length, |_| {})
}

/// One request on a connection that stays open, and its answer.
fn fetch_with(stream: &mut Stream, length: usize, mut take: impl FnMut(&[u8])) -> std::io::Result<()> {
    write!(stream, "GET /bytes/{length} HTTP/1.1\r\nHost: lab.example\r\n\r\n")?;
    stream.flush()?;
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let mut left = length;
    let mut buffer = vec![0; 1 << 16];
    while left > 0 {
        let most = left.min(buffer.len());
        let read = stream.read(&mut buffer[..most])?;
        assert!(read > 0, "the server closed in the middle");
        take(&buffer[..read]);
        left -= read;
    }
    Ok(())
}

fn digest(bytes: &[u8]) -> Vec<u8> {
    ring::digest::digest(&ring::digest::SHA256, bytes).as_ref().to_vec()
}

fn is_time_out(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}

/// What the resolver at the access hop answers about a name: the response code.
fn rcode(lab: &Lab, name: &str) -> u8 {
    let resolver = lab.scenario().resolvers[0].addresses[0];
    let from: IpAddr = lab.fresh_client("inside").expect("an address").v4.into();
    // Id, RD, one question.
    let mut query = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        query.push(u8::try_from(label.len()).expect("short"));
        query.extend_from_slice(label.as_bytes());
    }
    // The root; type A; class IN.
    query.extend_from_slice(&[0, 0, 1, 0, 1]);
    at(lab, "inside", move || {
        let socket = UdpSocket::bind((from, 0)).expect("bound");
        socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a time-out");
        socket.send_to(&query, (resolver, 53)).expect("sent");
        let mut answer = [0; 512];
        socket.recv(&mut answer).expect("answered");
        answer[3] & 0xf
    })
}

/// The elements of the first set of IPv4 prefixes at a hop, as nft prints them.
fn prefixes(lab: &Lab, hop: &str) -> String {
    let listed = json_at(lab, hop, "nft", &["-j", "list", "set", "inet", "roadblock", "block0_v4"]);
    let sets = listed["nftables"].as_array().expect("a list").iter();
    sets.filter_map(|each| each.get("set")).map(|set| set["elem"].to_string()).collect()
}

/// The names of the sets of prefixes at a hop.
fn sets(lab: &Lab, hop: &str) -> Vec<String> {
    let listed = json_at(lab, hop, "nft", &["-j", "list", "sets"]);
    let sets = listed["nftables"].as_array().expect("a list").iter().filter_map(|each| each.get("set"));
    let names = sets.map(|set| set["name"].as_str().expect("a name").to_owned());
    let mut names: Vec<String> = names.filter(|name| name.contains("block")).collect();
    names.sort_unstable();
    names
}

fn at_hop(lab: &Lab, hop: &str, arguments: &[&str]) {
    let arguments: Vec<String> = arguments.iter().map(|each| (*each).to_owned()).collect();
    let (tell, told) = mpsc::channel();
    lab.hop_runtime(hop).expect("the hop exists").spawn(async move {
        tell.send(std::process::Command::new("nft").args(arguments).output().expect("nft is installed"))
    });
    let output = told.recv().expect("it ran");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
