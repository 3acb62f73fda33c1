//! IPv4 through NAT64 and DNS64: by real programs, and through a censor beyond the translator.

mod support;

use support::{can_run_labs, data, roadblock, said};

#[test]
fn a_censor_beyond_the_translator_is_met_through_it() {
    if !can_run_labs() {
        return;
    }
    let run = said(roadblock(&["run", &data("nat64.toml"), "--allow-commands"]));
    assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
}

/// RFC 6147: a name with IPv4 alone has an address in the well-known prefix, and curl reaches it.
#[test]
fn curl_reaches_an_ipv4_only_host_over_ipv6() {
    if !can_run_labs() {
        return;
    }
    let page = inside("curl -6 -sS -o /dev/null -w '%{http_code} %{remote_ip}' https://github.com/");
    assert_eq!(page, "200 64:ff9b::8c52:7904");
    assert!(!inside("curl -4 -sS https://github.com/ 2>&1; true").contains("<title>"));
    let native = inside("curl -6 -sS -o /dev/null -w '%{remote_ip}' https://www.wikipedia.org/");
    assert!(native.starts_with("2a02:"), "a name with an IPv6 address keeps it: {native}");
}

/// Errors of routers of IPv4 come back as those of IPv6 (RFC 7915 section 4.2), each from the router's address.
#[test]
fn traceroute_sees_the_routers_beyond_the_translator() {
    if !can_run_labs() {
        return;
    }
    let trace = inside("traceroute -6 -n -q 1 -w 1 64:ff9b::101:101");
    let shown: Vec<&str> = trace.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(shown, ["2a01:620:0:1::3", "64:ff9b::5fa7:ff01", "64:ff9b::5fa7:ff02", "64:ff9b::101:101"], "{trace}");
}

/// What a shell command prints at the vantage.
fn inside(command: &str) -> String {
    let scenario = data("nat64.toml");
    let arguments = ["exec", &scenario, "--allow-commands", "--quiet", "--", "sh", "-c", command];
    let said = said(roadblock(&arguments));
    assert_eq!(said.stderr, "", "{command}");
    said.stdout
}
