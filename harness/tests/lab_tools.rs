//! The library's tools, run by the programs of others, in the phases that are known to stop them and beside those that are
//! known not to. `ci/tools` installs the programs.

mod support;

use serde_json::Value;
use support::{can_run_labs, notice, roadblock, said};

/// Those of the Go module proxy, and what changes more of a machine than a test may: where their programs are not here, that is
/// said.
const NOT_EVERYWHERE: [&str; 4] = ["amneziawg", "ssh", "vless-reality", "vless-reality-sing-box"];

/// Marked so in their files.
const UNTRIED: [&str; 4] = ["dnscrypt-proxy", "outline", "psiphon", "snowflake"];

const ALL: [&str; 17] = [
    "amneziawg",
    "doh",
    "hysteria2",
    "hysteria2-salamander",
    "iodine",
    "obfs4",
    "openvpn",
    "shadowsocks-2022",
    "shadowsocks-libev",
    "ssh",
    "stunnel",
    "trojan",
    "tuic",
    "vless-reality",
    "vless-reality-sing-box",
    "wireguard",
    "wireguard-sing-box",
];

/// What a tool gives in a phase: the verdict's word, and where it does not work, the rule and a fact of it.
type Expected<'a> = (&'a str, &'a str, &'a str, &'a str);

#[test]
fn every_tool_of_the_library_works_where_nothing_is_blocked() {
    if !can_run_labs() {
        return;
    }
    let listed: Vec<&str> = ALL.into_iter().chain(UNTRIED).collect();
    let cells = matrix(&listed, "ru/whatsapp-2026", "before");
    for tool in ALL {
        let cell = cell(&cells, tool);
        if !is_missing(cell, tool) {
            assert_eq!(word(cell), "works", "{cell:#}");
        }
    }
    for tool in UNTRIED {
        let cell = cell(&cells, tool);
        assert_eq!(word(cell), "untried", "{cell:#}");
        assert!(!cell["verdict"]["reason"].as_str().unwrap_or_default().is_empty(), "{cell:#}");
    }
}

#[test]
fn ru_fet_1_noise_with_tls_inside_is_cut_on_phones() {
    in_phase(
        "ru/shadowsocks-2024",
        "cut",
        &[
            ("shadowsocks-2022", "freezes", "tspu-mobile/shape", "RU-FET-1"),
            ("shadowsocks-libev", "freezes", "tspu-mobile/shape", "RU-FET-1"),
            ("obfs4", "", "tspu-mobile/shape", "RU-FET-1"),
            ("trojan", "works", "", ""),
            ("stunnel", "works", "", ""),
        ],
    );
}

/// Of 20 connections more than one is drawn, and then the server's port is silent for three minutes.
#[test]
fn gfw_fet_1_noise_is_dropped_and_what_looks_like_a_protocol_is_not() {
    in_phase(
        "cn/fully-encrypted-2021",
        "drop",
        &[
            ("shadowsocks-2022", "", "gfw.fet/fet", "GFW-FET-1"),
            ("shadowsocks-libev", "", "gfw.fet/fet", "GFW-FET-1"),
            ("obfs4", "", "gfw.fet/fet", "GFW-FET-1"),
            ("trojan", "works", "", ""),
            ("vless-reality", "works", "", ""),
            ("ssh", "works", "", ""),
            ("hysteria2-salamander", "works", "", ""),
        ],
    );
}

#[test]
fn ru_vpn_1_tunnels_shake_hands_and_carry_nothing_and_junk_before_them_helps() {
    in_phase(
        "ru/vpn-2023",
        "cut",
        &[
            ("openvpn", "", "tspu-mobile/openvpn", "RU-VPN-1"),
            ("wireguard", "handshake-only", "tspu-mobile/wireguard", "RU-VPN-1"),
            ("wireguard-sing-box", "blocked", "tspu-mobile/wireguard", "RU-VPN-1"),
            ("amneziawg", "works", "", ""),
            ("shadowsocks-2022", "works", "", ""),
        ],
    );
}

#[test]
fn tspu_5_quic_is_dropped_unless_it_is_made_noise() {
    in_phase(
        "ru/quic-2022",
        "dropped",
        &[
            ("hysteria2", "blocked", "tspu/quic-1", "TSPU-5"),
            ("tuic", "blocked", "tspu/quic-1", "TSPU-5"),
            ("hysteria2-salamander", "works", "", ""),
        ],
    );
}

#[test]
fn ir_udp_1_no_datagram_leaves_for_port_443() {
    in_phase(
        "ir/udp-2022",
        "port-443",
        &[
            ("hysteria2", "blocked", "iran.border/udp-443", "IR-UDP-1"),
            ("hysteria2-salamander", "blocked", "iran.border/udp-443", "IR-UDP-1"),
            ("wireguard", "works", "", ""),
            ("iodine", "works", "", ""),
        ],
    );
}

#[test]
fn ir_tlsfp_1_go_is_known_by_its_hello() {
    in_phase(
        "ir/udp-2022",
        "october",
        &[
            ("trojan", "blocked", "iran.border/fingerprint", "IR-TLSFP-1"),
            ("stunnel", "works", "", ""),
            ("vless-reality", "works", "", ""),
        ],
    );
}

#[test]
fn ru_tlsfp_1_chrome_is_cut_and_firefox_is_not() {
    in_phase(
        "ru/tls-fingerprint-2026",
        "abroad",
        &[
            ("vless-reality", "blocked", "tspu/fingerprint", "RU-TLSFP-1"),
            ("vless-reality-sing-box", "works", "", ""),
            ("trojan", "works", "", ""),
        ],
    );
}

#[test]
fn ru_sib_1_many_connections_are_policed_and_one_that_carries_all_is_not() {
    in_phase(
        "ru/tls-policing-2025",
        "policed",
        &[
            ("trojan", "policed", "tspu/siberian", "RU-SIB-1"),
            ("stunnel", "policed", "tspu/siberian", "RU-SIB-1"),
            ("ssh", "works", "", ""),
            ("hysteria2", "works", "", ""),
        ],
    );
}

#[test]
fn ru_l425_1_what_is_hosted_abroad_freezes() {
    in_phase(
        "ru/l4-25",
        "mobile",
        &[
            ("trojan", "freezes", "tspu-mobile/l4-25", "RU-L425-1"),
            ("wireguard", "freezes", "tspu-mobile/l4-25", "RU-L425-1"),
        ],
    );
}

#[test]
fn ru_dns_1_a_resolver_over_https_is_reset_by_its_name_and_helps_against_one_that_lies() {
    in_phase("ru/doh-2021", "reset", &[("doh", "blocked", "tspu/resolver-names", "RU-DNS-1")]);
    in_phase("mechanisms/dns-nxdomain", "always", &[("doh", "works", "", "")]);
}

/// Plays these tools in a phase, at the first vantage of its scenario, and compares. A verdict that is not said may be any of
/// those that a rule was the cause of.
fn in_phase(scenario: &str, phase: &str, table: &[Expected<'_>]) {
    if !can_run_labs() {
        return;
    }
    let tools: Vec<&str> = table.iter().map(|(tool, ..)| *tool).collect();
    let cells = matrix(&tools, scenario, phase);
    for (tool, verdict, by, fact) in table {
        let cell = cell(&cells, tool);
        if is_missing(cell, tool) {
            continue;
        }
        if verdict.is_empty() {
            assert!(["blocked", "handshake-only", "policed", "freezes", "dies"].contains(&word(cell)), "{cell:#}");
        } else {
            assert_eq!(word(cell), *verdict, "{cell:#}");
        }
        let rules = cell["by"].as_array().expect("rules");
        let facts = |rule: &Value| rule["facts"].as_array().is_some_and(|facts| facts.iter().any(|each| each == fact));
        let found = rules.iter().any(|rule| rule["by"] == *by && facts(rule));
        assert!(if by.is_empty() { rules.is_empty() } else { found }, "{by} ({fact}): {cell:#}");
    }
}

fn matrix(tools: &[&str], scenario: &str, phase: &str) -> Vec<Value> {
    let mut arguments = vec!["matrix", "--scenarios", scenario, "--phase", phase, "--format", "json"];
    let files: Vec<String> = tools.iter().map(|tool| format!("tools/{tool}")).collect();
    arguments.extend(files.iter().flat_map(|file| ["--file", file.as_str()]));
    let run = said(roadblock(&arguments));
    let document: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}{}", run.stdout, run.stderr));
    document["cells"].as_array().expect("cells").clone()
}

fn cell<'a>(cells: &'a [Value], tool: &str) -> &'a Value {
    cells.iter().find(|cell| cell["tool"] == tool).unwrap_or_else(|| panic!("no cell of {tool}"))
}

fn word(cell: &Value) -> &str {
    cell["verdict"]["word"].as_str().expect("a verdict")
}

/// Whether its program is not here, which only some may be; it is said.
fn is_missing(cell: &Value, tool: &str) -> bool {
    let missing = word(cell) == "untried";
    assert!(!missing || NOT_EVERYWHERE.contains(&tool), "ci/tools installs what this needs: {cell:#}");
    if missing {
        notice(&format!("UNTRIED: {tool}: {}", cell["verdict"]["reason"].as_str().unwrap_or_default()));
    }
    missing
}
