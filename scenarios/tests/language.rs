//! What a profile says becomes the policy that it means, key by key, and what contradicts itself is said.

use std::fmt::Write;
use std::net::Ipv4Addr;
use std::time::Duration;

use roadblock_censor::policy::{
    BoxPolicy, Corrupt, DnsForgery, DnsInjection, DuplicateFragment, Fate, FragmentOverlap, FragmentPolicy,
    FragmentTtl, Injection, InjectionKind, IpShape, Ipv6Extensions, Number, Per, Pick, QueueLimit, Recipient, Refresh,
    Rejection, Residual, ResidualKey, Rewrite, Rule, Sees, SegmentShape, Shape, Share, ShareBy, TcpFlags, Threshold,
    ThresholdUnit,
};
use roadblock_scenarios::{Diagnostics, Library};

/// The boxes of a profile with this text after its head.
fn boxes(text: &str, arguments: &str) -> Result<Vec<BoxPolicy>, Diagnostics> {
    let profile = format!("kind = \"profile\"\nid = \"censors/mine\"\ntitle = \"Mine\"\n{text}");
    let library = Library::embedded().with_files([("censors/mine.toml".to_owned(), profile)]);
    library.profile("censors/mine", arguments).map(|profile| profile.policy.boxes)
}

/// The only box.
fn only_box(text: &str) -> BoxPolicy {
    let mut boxes = boxes(text, "").unwrap_or_else(|mistakes| panic!("{text}:\n{mistakes}"));
    assert_eq!(boxes.len(), 1);
    boxes.remove(0)
}

/// The only rule of an in-path box, with these lines in it.
fn rule(lines: &str) -> Rule {
    let head = "box.place = \"in-path\"\n[[rule]]\nid = \"one\"\nwhen = { tls.sni = \"a.b\" }\n";
    only_box(&format!("{head}{lines}")).rules.remove(0)
}

/// What is wrong with a profile of an in-path box and these lines in its only rule.
fn mistakes(lines: &str) -> String {
    let text = format!("box.place = \"in-path\"\n[[rule]]\nid = \"one\"\nwhen = {{ tls.sni = \"a.b\" }}\n{lines}");
    boxes(&text, "").expect_err(lines).to_string()
}

fn injections(lines: &str) -> Vec<Injection> {
    rule(lines).trigger.inject
}

#[test]
fn a_share_is_a_range_of_parts() {
    let share = only_box("box.share = { by = \"client-address\", of = 8, is = [\"0-3\", 7] }").share;
    assert_eq!(share, Some(Share { by: ShareBy::ClientAddress, of: 8, is: vec![0..=3, 7..=7] }));
    assert_eq!(only_box("box.place = \"in-path\"").share, None);
    for (by, expected) in [("2t", ShareBy::TwoTuple), ("3t", ShareBy::ThreeTuple), ("4t", ShareBy::FourTuple)] {
        let share = only_box(&format!("box.share = {{ by = \"{by}\", of = 2, is = 1 }}")).share;
        assert_eq!(share.map(|share| share.by), Some(expected));
    }
}

#[test]
fn fragments_have_four_fates() {
    let queue = FragmentPolicy::Queue {
        limit: 44,
        timeout: Duration::from_secs(6),
        duplicate: DuplicateFragment::Ignore,
        ttl: FragmentTtl::Own,
    };
    let (overlap, timeout) = (FragmentOverlap::Last, Duration::from_secs(3));
    for (said, meant) in [
        ("\"ignore\"", FragmentPolicy::Ignore),
        ("\"drop\"", FragmentPolicy::Drop),
        ("{ queue = {} }", FragmentPolicy::TSPU_QUEUE),
        ("{ queue = { limit = 44, timeout = \"6s\", duplicate = \"ignore\", ttl = \"own\" } }", queue),
        (
            "{ reassemble = { overlap = \"last\", limit = 2, timeout = \"3s\" } }",
            FragmentPolicy::Reassemble { overlap, limit: 2, timeout },
        ),
    ] {
        assert_eq!(only_box(&format!("box.fragments = {said}")).fragments, meant);
    }
    assert_eq!(only_box("box.ipv6-extensions = \"ignore\"").ipv6_extensions, Ipv6Extensions::Ignore);
}

#[test]
fn each_fate_of_a_packet_can_be_said() {
    let shape = Shape { bits_per_second: 150_000, queue: QueueLimit::Bytes(64_000), per: Per::TwoTuple };
    let rewrite = Rewrite {
        tcp_flags: Some(TcpFlags::RST_ACK),
        strip_payload: true,
        acknowledgement: -7,
        window: Some(9),
        ttl: Some(58),
    };
    for (said, meant) in [
        ("\"pass\"", Fate::Pass),
        ("\"drop\"", Fate::Drop),
        ("\"divert\"", Fate::Divert),
        ("{ drop = { chance = 0.5 } }", Fate::Lose(0.5)),
        ("{ reject = \"admin-prohibited\" }", Fate::Reject(Rejection::AdministrativelyProhibited)),
        (
            "{ corrupt = { offset = 3, bytes = \"00 ff\" } }",
            Fate::Corrupt(Corrupt { offset: 3, bytes: [0, 255].into() }),
        ),
        ("{ shape = { rate = \"150kbit\", queue = \"64KB\", per = \"2t\" } }", Fate::Shape(shape)),
        (
            "{ shape = { rate = \"150kbit\", queue = \"2s\" } }",
            Fate::Shape(Shape { queue: QueueLimit::Time(Duration::from_secs(2)), per: Per::Flow, ..shape }),
        ),
        (
            "{ rewrite = { tcp-flags = \"RA\", payload = \"strip\", ack-offset = -7, window = 9, ttl = 58 } }",
            Fate::Rewrite(rewrite),
        ),
    ] {
        assert_eq!(rule(&format!("trigger = {said}")).trigger.fate, meant, "{said}");
    }
}

#[test]
fn counts_are_of_packets_bytes_and_connections_and_may_be_shared() {
    let packets = Threshold::packets(5, 8);
    let inbound = Threshold { count: Sees::Inbound, ..Threshold::packets(25, 25) };
    let bytes = Threshold { unit: ThresholdUnit::Bytes, ..Threshold::packets(16_000, 16_000) };
    let connections = Threshold {
        unit: ThresholdUnit::Connections,
        per: Per::TwoTuple,
        within: Some(Duration::from_secs(60)),
        ..Threshold::packets(12, 12)
    };
    for (said, meant) in [
        ("{ packets = \"5-8\" }", packets),
        ("{ packets = 25, count = \"inbound\" }", inbound),
        ("{ bytes = \"16KB\" }", bytes),
        ("{ connections = 12, per = \"2t\", within = \"60s\" }", connections),
    ] {
        assert_eq!(rule(&format!("after = {said}")).after, Some(meant), "{said}");
    }
}

#[test]
fn segments_have_flags_payload_numbers_and_headers() {
    let reset = "{ reset = { to = \"both\", flags = \"RA\", at = [0, 1460, 4380], window = \"cycle:1-65535\", ack-offset = 2 } }";
    let shape = SegmentShape {
        to: Recipient::Both,
        flags: TcpFlags::RST_ACK,
        at: vec![0, 1460, 4380],
        window: Number::Cycle(1..=65_535),
        acknowledgement: 2,
        ..SegmentShape::default()
    };
    assert_eq!(injections(&format!("inject = {reset}")), [InjectionKind::Segment(shape).into()]);
    let segment = "{ segment = { to = \"client\", flags = \"SA\", text = \"hi\", hex = \"01 02\", at = 77, window = \"random\" }, \
                   ip = { ttl = \"random\", id = \"copy\", df = false }, delay = [\"1ms\", \"2ms\"] }";
    let shape = SegmentShape {
        flags: TcpFlags::SYN_ACK,
        payload: [b'h', b'i', 1, 2].into(),
        at: vec![77],
        window: Number::RANDOM,
        ..SegmentShape::default()
    };
    let ip = IpShape { ttl: Number::RANDOM_TTL, id: Number::Copy, dont_fragment: false };
    let all = injections(&format!("inject = {segment}"));
    let delays: Vec<Duration> = all.iter().map(|each| each.delay).collect();
    assert_eq!(delays, [Duration::from_millis(1), Duration::from_millis(2)]);
    assert_eq!(all[1], Injection { kind: InjectionKind::Segment(shape), ip, delay: delays[1] });
    let ip = "ip = { ttl = 58, id = \"random:1-9\" }";
    let ip = injections(&format!("inject = {{ reset = {{ to = \"client\" }}, {ip} }}")).remove(0).ip;
    assert_eq!(ip, IpShape { ttl: Number::Fixed(58), id: Number::Random(1..=9), dont_fragment: true });
}

#[test]
fn pages_answers_and_errors_are_injected_too() {
    let http = "{ http = { to = \"client\", status = 302, location = \"http://block.example/\" } }";
    let all =
        injections(&format!("inject = [{http}, {{ icmp = {{ to = \"client\", error = \"host-unreachable\" }} }}]"));
    let InjectionKind::Segment(page) = &all[0].kind else { panic!("{all:?}") };
    let text = String::from_utf8_lossy(&page.payload);
    assert!(text.starts_with("HTTP/1.1 302 Found\r\nLocation: http://block.example/\r\n"), "{text}");
    assert_eq!((page.flags, page.to), (TcpFlags::FIN_PSH_ACK, Recipient::Client));
    assert_eq!(all[1].kind, InjectionKind::Icmp { to: Recipient::Client, error: Rejection::HostUnreachable });
    let dns = "{ dns = { addresses = [\"192.0.2.1\"], pick = \"cycle\", ttl = 5, authoritative = true, recursion-available = false, \
               cname = \"a.b\", qtypes = [\"A\", \"HTTPS\"], whatever-type = true, copy-query = true } }";
    let answer = DnsInjection {
        forgery: DnsForgery {
            rcode: 0,
            addresses: vec![Ipv4Addr::new(192, 0, 2, 1).into()],
            ttl: 5,
            authoritative: true,
        },
        pick: Pick::Cycle,
        recursion_available: false,
        cname: Some("a.b".into()),
        qtypes: vec![1, 65],
        whatever_type: true,
        copy_query: true,
    };
    assert_eq!(injections(&format!("inject = {dns}")), [InjectionKind::Dns(answer).into()]);
}

#[test]
fn texts_are_parameters_too() {
    let text = "param.page = { type = \"text\" }\nbox.place = \"in-path\"\n[[rule]]\nid = \"one\"\nwhen = { tls.sni = \"a.b\" }\n\
                inject = { http = { to = \"client\", status = 200, body = \"$page\" } }";
    let boxes = boxes(text, "page = \"<p>no</p>\"").expect("it is sound");
    let InjectionKind::Segment(page) = &boxes[0].rules[0].trigger.inject[0].kind else { panic!("{boxes:?}") };
    assert!(page.payload.ends_with(b"\r\n\r\n<p>no</p>"));
}

#[test]
fn a_punishment_has_its_own_words_or_the_rules() {
    let drop = || roadblock_censor::policy::Response { fate: Fate::Drop, inject: Vec::new() };
    let both = Residual {
        when: None,
        key: ResidualKey::ThreeTuple,
        after: None,
        last: Duration::from_secs(90),
        begins: Duration::from_secs(1),
        refresh: Refresh::OnClientPacket,
        hits: 0.6,
        outbound: drop(),
        inbound: drop(),
    };
    let told = rule(
        "then = { both = \"drop\" }\nkey = \"3t\"\nlast = \"90s\"\nbegins = \"1s\"\nrefresh = \"on-client-packet\"\nhits = 0.6",
    );
    assert_eq!(format!("{:?}", told.residuals), format!("[{both:?}]"));
    let own = "then = [{ when = { protocol = \"tcp\" }, outbound = \"drop\", key = \"client\", last = \"1s\" }, { both = \"drop\" }]\n\
               key = \"3t\"\nlast = \"90s\"\nbegins = \"1s\"\nrefresh = \"on-client-packet\"\nhits = 0.6";
    let told = rule(own).residuals;
    assert_eq!(
        (told[0].key, told[0].last, told[0].inbound.fate.clone()),
        (ResidualKey::Client, Duration::from_secs(1), Fate::Pass)
    );
    assert!(told[0].when.is_some());
    assert_eq!(format!("{:?}", told[1]), format!("{both:?}"));
}

#[test]
fn a_chance_is_a_miss_the_other_way_round() {
    assert!((rule("chance = 0.263").miss - 0.737).abs() < 1e-9);
    assert!((rule("miss = 0.02").miss - 0.02).abs() < 1e-9);
    assert!(rule("suspect = true").suspect && !rule("trigger = \"pass\"").suspect);
}

#[test]
fn contradictions_are_explained() {
    let mut all = String::new();
    for lines in [
        "miss = 0.1\nchance = 0.9",
        "hits = 0.5",
        "then = { both = \"drop\" }\nkey = \"3t\"",
        "then = {}\nkey = \"3t\"\nlast = \"1s\"",
        "then = [{ both = \"drop\" }, { inbound = \"drop\" }]\nkey = \"3t\"\nlast = \"1s\"",
        "then = { when = { tls.sni = \"a.b\" }, both = \"drop\" }\nkey = \"3t\"\nlast = \"1s\"",
        "after = { packets = 3, connections = 3 }",
        "after = { connections = 3 }",
        "trigger = { rewrite = {} }",
        "trigger = { shape = { rate = \"1kbit\", queue = \"fast\" } }",
        "inject = { reset = { to = \"client\" }, dns = {} }",
        "inject = { reset = { to = \"client\", window = \"cycle:9-1\", at = 5000000000 } }",
        "inject = { reset = { to = \"client\" }, ip = { ttl = \"cycle:1-300\" } }",
        "inject = { http = { to = \"client\", status = 100 } }",
        "inject = { http = { to = \"client\", status = 302, location = \"http://a.b/\\r\\nSet-Cookie: x\" } }",
        "inject = { dns = { qtypes = [\"AAA\"] } }",
    ] {
        writeln!(all, "--- {lines}\n{}", mistakes(lines)).expect("a string takes all");
    }
    for text in [
        "box.share = { by = \"2t\", of = 4, is = [\"2-4\"] }",
        "box.fragments = \"queue\"",
        "box = { place = \"on-path\", fragments = { queue = {} } }",
        "box.place = \"in-path\"\n[[rule]]\nid = \"all\"\nwhen = {}\ntrigger = \"drop\"\n[[rule]]\nid = \"some\"\nwhen = { protocol = \"tcp\" }",
        "box.place = \"on-path\"\n[[rule]]\nid = \"one\"\nwhen = { tls.sni = \"a.b\" }\nthen = { both = \"divert\" }\nkey = \"3t\"\nlast = \"1s\"",
    ] {
        writeln!(all, "--- {text}\n{}", boxes(text, "").expect_err(text)).expect("a string takes all");
    }
    insta::assert_snapshot!(all.replace("censors/mine.toml", "mine"));
}

/// A rule that matches everything ends the search only if it always acts.
#[test]
fn what_may_fail_or_goes_on_leaves_something_to_the_next_rule() {
    for lines in ["also = true", "miss = 0.5", "chance = 0.5", "after = { packets = 3 }"] {
        let first =
            format!("box.place = \"in-path\"\n[[rule]]\nid = \"all\"\nwhen = {{}}\ntrigger = \"drop\"\n{lines}");
        let text = format!("{first}\n[[rule]]\nid = \"some\"\nwhen = {{ protocol = \"tcp\" }}");
        assert_eq!(boxes(&text, "").map(|boxes| boxes[0].rules.len()).unwrap_or_default(), 2, "{lines}");
    }
}
