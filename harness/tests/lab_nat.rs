//! Address families of a vantage, and translators before its first hop.

mod support;

use support::{can_run_labs, data, roadblock, run, said};

/// T15, TSPU-RSTACK, and that what a censor does is told of the right client though all have one address.
#[test]
fn tspu_rstack_behind_a_strict_router_a_reset_is_a_time_out() {
    if !can_run_labs() {
        return;
    }
    let report = run(&data("nat.toml"));
    let expectations = report["expectations"].as_array().expect("expectations");
    let of = |vantage: &str| {
        let found = expectations.iter().find(|each| each["id"] == "reset" && each["vantage"] == vantage);
        found.expect("the expectation")["clients"].clone()
    };
    assert!(of("home")[0].as_str().expect("an address").starts_with("192.168.1."), "{}", of("home"));
    assert!(of("both")[0].as_str().expect("an address").starts_with("192.168.1."), "{}", of("both"));
    assert!(of("carrier")[0].as_str().expect("an address").starts_with("100.64.0."), "{}", of("carrier"));
    assert_eq!(of("carrier").as_array().expect("addresses").len(), 1, "it has no IPv6");
    // The censor saw the public addresses and no others.
    let events = report["events"].as_array().expect("events").iter();
    let private = events
        .filter_map(|event| event["client"].as_str())
        .find(|client| client.starts_with("192.168.") || client.starts_with("100.64."));
    assert_eq!(private, None);
}

#[test]
fn each_translator_is_a_router_on_the_way() {
    if !can_run_labs() {
        return;
    }
    let trace = inside("both", "traceroute -n -q 1 -w 1 1.1.1.1");
    let shown: Vec<&str> = trace.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(&shown[..2], ["192.168.1.1", "100.64.0.1"], "{trace}");
    assert_eq!(shown.last(), Some(&"1.1.1.1"), "{trace}");
    let own = inside("both", "ip -4 -o address show dev eth0");
    assert!(own.contains("192.168.1.10/32"), "{own}");
}

#[test]
fn of_a_family_that_is_not_there_curl_says_so() {
    if !can_run_labs() {
        return;
    }
    for (vantage, family) in [("carrier", "-6"), ("six", "-4")] {
        let curl = format!("curl {family} -sS https://www.wikipedia.org/ 2>&1; true");
        let literal = if family == "-6" { "[2606:4700:4700::1111]" } else { "1.1.1.1" };
        let direct = inside(vantage, &format!("curl {family} -sS https://{literal}/ 2>&1; true"));
        assert!(direct.contains("Network is unreachable") || direct.contains("Couldn't connect"), "{direct}");
        assert!(!inside(vantage, &curl).contains("<title>"));
    }
    let six = inside("six", "curl -6 -sS https://www.wikipedia.org/");
    assert!(six.contains("<title>"), "{six}");
    assert_eq!(inside("carrier", "ip -6 -o address show dev eth0 scope global"), "");
}

/// What a shell command prints at a vantage.
fn inside(vantage: &str, command: &str) -> String {
    let scenario = data("nat.toml");
    said(roadblock(&["exec", &scenario, "--vantage", vantage, "--quiet", "--", "sh", "-c", command])).stdout
}
