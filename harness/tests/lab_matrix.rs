//! `roadblock matrix`: tools in labs, with programs that nobody here wrote.

mod support;

use std::path::{Path, PathBuf};

use serde_json::Value;
use support::{can_run_labs, roadblock, said};

/// A cut that lets a handshake and a little more through, with a page that it is about.
struct Spared {
    fact: &'static str,
    scenario: &'static str,
    phase: &'static str,
    page: &'static str,
    verdict: &'static str,
    by: &'static str,
}

/// Of the facts about cuts that spare the handshake, those whose cut `curl -I` survives. RU-VPN-1 is about tunnels, and has a
/// test of its own below. TSPU-2 lets five to eight packets pass after the `ClientHello`: the handshake and no answer, which
/// `curl -I` notices.
const SPARED: [Spared; 5] = [
    Spared {
        fact: "RU-L425-1",
        scenario: "mechanisms/freeze-25-packets",
        phase: "always",
        page: "https://mmg.whatsapp.net/",
        verdict: "freezes",
        by: "tspu/l4-25",
    },
    Spared {
        fact: "RU-L425-1",
        scenario: "ru/l4-25",
        phase: "mobile",
        page: "https://vps.digitalocean.example/",
        verdict: "freezes",
        by: "tspu-mobile/l4-25",
    },
    Spared {
        fact: "RU-SIB-1",
        scenario: "ru/tls-policing-2025",
        phase: "policed",
        page: "https://shop.cloudflare.example/",
        verdict: "policed",
        by: "tspu/siberian",
    },
    Spared {
        fact: "RU-THR-1",
        scenario: "ru/twitter-2021",
        phase: "t-co",
        page: "https://pbs.twimg.com/",
        verdict: "slow",
        by: "tspu/name",
    },
    Spared {
        fact: "RU-YT-1",
        scenario: "ru/youtube-2024",
        phase: "videos",
        page: "https://rr1---sn-4g5e6nzl.googlevideo.com/",
        verdict: "slow",
        by: "home/media-name",
    },
];

#[test]
fn what_curl_takes_for_reached_the_check_does_not() {
    if !can_run_labs() {
        return;
    }
    for Spared { fact, scenario, phase, page, .. } in &SPARED {
        let head = ["exec", scenario, "--phase", phase, "--quiet", "--", "curl", "-sSI", "--fail", page];
        let head = said(roadblock(&head));
        assert_eq!(head.status, 0, "{fact}, {scenario}@{phase}: {head:?}");
    }
    let direct = file("direct", "check = \"default\"\n");
    let mut arguments = vec!["-f", direct.as_str()];
    for Spared { scenario, phase, .. } in &SPARED {
        arguments.extend(["--scenarios", scenario, "--phase", phase]);
    }
    let document = matrix(&arguments);
    for Spared { fact, scenario, phase, page, verdict, by } in &SPARED {
        let cell = cell(&document, "direct", scenario, phase);
        assert_eq!(cell["verdict"]["word"], *verdict, "{fact}, {scenario}@{phase}: {cell:#}");
        let rule = by.rsplit('/').next().expect("a rule");
        assert!(cell["by"][0]["by"].as_str().expect("a rule").ends_with(rule), "{cell:#}");
        assert!(cell["by"][0]["facts"].to_string().contains(fact), "{cell:#}");
        assert_eq!(part(cell, "page")["end"], "whole", "{page}: {cell:#}");
    }
}

/// TSPU-2: the handshake is spared, and nothing else.
#[test]
fn a_cut_behind_the_handshake_is_known_as_one() {
    if !can_run_labs() {
        return;
    }
    let direct = file("direct", "check = \"default\"\n");
    let document = matrix(&["-f", &direct, "--scenarios", "mechanisms/sni-drop-later"]);
    let cell = cell(&document, "direct", "mechanisms/sni-drop-later", "always");
    assert_eq!(cell["verdict"]["word"], "handshake-only", "{cell:#}");
    assert!(cell["by"][0]["facts"].to_string().contains("TSPU-2"), "{cell:#}");
}

/// RU-FET-1 and GFW-FET-1 by a server at a hoster, and the same again with the same seed, as a baseline compares: what the tool
/// draws by chance stays chance. A salt that happens to be more than half printable is one of GFW-FET-1's exemptions, in one
/// of a hundred connections, and the cut then comes one connection later.
#[test]
fn shadowsocks_is_cut_where_it_is_known_to_be_and_the_same_way_twice() {
    if !can_run_labs() {
        return;
    }
    let kept = tempfile::tempdir().expect("a directory");
    let baseline = kept.path().join("baseline.json").display().to_string();
    let arguments = [
        "-f",
        "tools/shadowsocks-libev",
        "--scenarios",
        "ru/shadowsocks-2024",
        "--scenarios",
        "cn/fully-encrypted-2021",
        "--baseline",
        baseline.as_str(),
    ];
    let document = matrix(&[arguments.as_slice(), &["--accept"]].concat());
    let tool = "shadowsocks-libev";
    for (scenario, phase, fact) in [
        ("ru/shadowsocks-2024", "before", None),
        ("ru/shadowsocks-2024", "cut", Some("RU-FET-1")),
        ("cn/fully-encrypted-2021", "before", None),
        ("cn/fully-encrypted-2021", "drop", Some("GFW-FET-1")),
        ("cn/fully-encrypted-2021", "paused", None),
    ] {
        let cell = cell(&document, tool, scenario, phase);
        match fact {
            None => assert_eq!(cell["verdict"]["word"], "works", "{cell:#}"),
            Some(fact) => {
                assert_ne!(cell["verdict"]["word"], "works", "{cell:#}");
                assert!(cell["by"].to_string().contains(fact), "{cell:#}");
            }
        }
    }
    let again = matrix(&arguments);
    let changes = &again["changes"];
    assert!(changes["cells"].as_array().is_some_and(Vec::is_empty), "{changes:#}");
    assert_eq!(changes["same"], document["cells"].as_array().map_or(0, Vec::len), "{changes:#}");
}

/// RU-VPN-1: the tunnel's handshake is spared, its data are not.
#[test]
fn a_tunnel_that_is_cut_after_its_handshake_is_known_as_one() {
    if !can_run_labs() {
        return;
    }
    let document = matrix(&["-f", "tools/wireguard", "--scenarios", "ru/vpn-2023"]);
    let before = cell(&document, "wireguard", "ru/vpn-2023", "before");
    assert_eq!(before["verdict"]["word"], "works", "{before:#}");
    let cut = cell(&document, "wireguard", "ru/vpn-2023", "cut");
    assert_eq!(cut["verdict"]["word"], "handshake-only", "{cut:#}");
    assert!(cut["by"].to_string().contains("RU-VPN-1"), "{cut:#}");
}

#[test]
fn what_does_not_work_anywhere_is_broken_and_what_is_missing_untried() {
    if !can_run_labs() {
        return;
    }
    let wrong_key = file(
        "wrong-key",
        "server = { run = \"ss-server -s {server} -p 8388 -k one -m aes-256-gcm\", at = \"185.70.40.10\", ready = \"tcp:8388\" }\n\
         client = { run = \"ss-local -s {server} -p 8388 -k two -m aes-256-gcm -b 127.0.0.1 -l 1080\", ready = \"tcp:127.0.0.1:1080\" }\n",
    );
    let dead =
        file("dead", "server = { run = \"echo no licence; exit 3\", at = \"185.70.40.10\", ready = \"tcp:443\" }\n");
    let missing = file("missing", "programs = [\"no-such-program\"]\ncheck = \"true\"\n");
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("matrix-out");
    let out = out.to_str().expect("a plain path");
    let document = matrix(&[
        "-f",
        &wrong_key,
        "-f",
        &dead,
        "-f",
        &missing,
        "--scenarios",
        "ru/whatsapp-2026",
        "--phase",
        "before",
        "--out",
        out,
    ]);
    let verdict = |tool| &cell(&document, tool, "ru/whatsapp-2026", "before")["verdict"];
    assert_eq!(verdict("wrong-key")["word"], "broken");
    assert_eq!(verdict("dead")["word"], "broken");
    assert!(verdict("dead")["reason"].to_string().contains("no licence"), "{}", verdict("dead"));
    assert_eq!(
        *verdict("missing"),
        serde_json::json!({ "word": "untried", "reason": "no-such-program is not installed" })
    );
    let cell = cell(&document, "wrong-key", "ru/whatsapp-2026", "before");
    assert!(cell["notes"].to_string().contains("made room"), "{cell:#}");
    for log in cell["logs"].as_array().expect("logs") {
        assert!(Path::new(out).join(log.as_str().expect("a path")).is_file(), "{log}");
    }
    assert!(Path::new(out).join("matrix.json").is_file());
}

#[test]
fn a_command_of_ones_own_is_a_check() {
    if !can_run_labs() {
        return;
    }
    let doh = file(
        "doh-by-hand",
        "check = \"curl -sS --fail -m 8 -o {dir}/page --doh-url https://dns.google/dns-query {target}\"\n",
    );
    let plain = file("plain", "check = \"curl -sS --fail -m 8 -o {dir}/page {target}\"\n");
    let document = matrix(&["-f", &doh, "-f", &plain, "--scenarios", "mechanisms/dns-nxdomain"]);
    let verdict = |tool| cell(&document, tool, "mechanisms/dns-nxdomain", "always")["verdict"]["word"].clone();
    assert_eq!((verdict("doh-by-hand"), verdict("plain")), ("works".into(), "blocked".into()));
}

#[test]
fn the_document_keeps_to_its_schema() {
    if !can_run_labs() {
        return;
    }
    let direct = file("direct", "check = \"default\"\n");
    let document = matrix(&["-f", &direct, "--scenarios", "mechanisms/dns-nxdomain"]);
    let schema: Value = serde_json::from_str(&said(roadblock(&["schema", "matrix"])).stdout).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let mistakes: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(mistakes.is_empty(), "{mistakes:#?}");
}

/// A tool file of this name, in a folder of its own.
fn file(name: &str, text: &str) -> String {
    let folder: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tools").join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("tool.toml");
    std::fs::write(&path, text).expect("a file");
    path.to_str().expect("a plain path").to_owned()
}

fn matrix(arguments: &[&str]) -> Value {
    let said = said(roadblock(&[&["matrix", "--format", "json"], arguments].concat()));
    assert_eq!(said.status, 0, "{said:?}");
    serde_json::from_str(&said.stdout).expect("a document")
}

fn cell<'a>(document: &'a Value, tool: &str, scenario: &str, phase: &str) -> &'a Value {
    let cells = document["cells"].as_array().expect("cells");
    let found =
        cells.iter().find(|cell| cell["tool"] == tool && cell["scenario"] == scenario && cell["phase"] == phase);
    found.unwrap_or_else(|| panic!("no cell {tool} {scenario}@{phase}"))
}

fn part<'a>(cell: &'a Value, part: &str) -> &'a Value {
    let parts = cell["parts"].as_array().expect("parts");
    parts.iter().find(|each| each["part"] == part).expect("the part")
}
