//! What a profile says of a box becomes how the box keeps flows, reads and gives up, key by key.

use std::fmt::Write;
use std::time::Duration;

use roadblock_censor::dissect::{http, quic, tls};
use roadblock_censor::policy::{
    BoxPolicy, Check, ClientRole, Decide, FlowPolicy, InspectPolicy, Overlap, Place, Reads, Reassembly, SecondSyn,
    SequenceCheck, TcpPolicy, Teardown, TeardownCheck, TrackFrom, TtlCheck, Urgent,
};
use roadblock_scenarios::{Diagnostics, Library};

fn read(lines: &str) -> Result<BoxPolicy, Diagnostics> {
    let profile = format!("kind = \"profile\"\nid = \"censors/mine\"\ntitle = \"Mine\"\n{lines}");
    let library = Library::embedded().with_files([("censors/mine.toml".to_owned(), profile)]);
    library.profile("censors/mine", "").map(|mut profile| profile.policy.boxes.remove(0))
}

fn only_box(lines: &str) -> BoxPolicy {
    read(lines).unwrap_or_else(|mistakes| panic!("{lines}:\n{mistakes}"))
}

#[test]
fn a_box_that_is_not_told_otherwise_is_the_engines() {
    let told = only_box("box.place = \"in-path\"");
    assert_eq!(told.flow, FlowPolicy::default());
    assert_eq!(told.tcp, TcpPolicy::default());
    assert_eq!(told.inspect, InspectPolicy::default());
    assert_eq!(told.reads, Reads::default());
}

/// `[box.http]` is a box where it has a place, and how one box reads HTTP where it has none.
#[test]
fn a_box_may_be_called_as_a_key_is() {
    let several = only_box("[box.http]\nplace = \"on-path\"\n[box.tls]\nplace = \"in-path\"");
    assert_eq!((&*several.name, several.place), ("censor.http", Place::OnPath));
    assert_eq!(only_box("[box.http]\nlimit = \"1KB\"").reads.http.limit, 1000);
}

/// Each key alone changes what it names and nothing else.
#[test]
fn each_key_of_flow_says_what_it_says() {
    type Change = fn(&mut FlowPolicy);
    let cases: [(&str, Change); 20] = [
        ("from = \"syn\"", |_| {}),
        ("from = \"syn-ack\"", |flow| flow.from = TrackFrom::SynAck),
        ("from = \"established\"", |flow| flow.from = TrackFrom::Established),
        ("from = \"any\"", |flow| flow.from = TrackFrom::Any),
        ("from = \"nothing\"", |flow| flow.from = TrackFrom::Nothing),
        ("client = \"first-sender\"", |flow| flow.client = ClientRole::FirstSender),
        ("client = \"inside\"", |flow| flow.client = ClientRole::Inside),
        ("idle.syn-sent = \"1s\"", |flow| flow.idle.syn_sent = Duration::from_secs(1)),
        ("idle.syn-received = \"1s\"", |flow| flow.idle.syn_received = Duration::from_secs(1)),
        ("idle.established = \"1s\"", |flow| flow.idle.established = Duration::from_secs(1)),
        ("idle.datagrams = \"1s\"", |flow| flow.idle.datagrams = Duration::from_secs(1)),
        ("capacity = 9", |flow| flow.capacity = Some(9)),
        ("second-syn = \"ignore\"", |flow| flow.second_syn = SecondSyn::Ignore),
        ("teardown = [\"fin\"]", |flow| flow.teardown = Teardown { fin: true, rst: false }),
        ("teardown = [\"rst\"]", |flow| flow.teardown = Teardown { fin: false, rst: true }),
        ("resync = [\"syn\", \"fin\"]", |flow| (flow.resync.syn, flow.resync.fin) = (true, true)),
        ("resync = [\"syn-ack\"]", |flow| flow.resync.syn_ack = true),
        ("resync = [\"bad-syn-ack\"]", |flow| flow.resync.bad_syn_ack = true),
        ("resync = [\"ack\"]", |flow| flow.resync.ack = true),
        ("resync = [\"rst\"]", |flow| flow.resync.rst = true),
    ];
    for (said, change) in cases {
        let mut meant = FlowPolicy::default();
        change(&mut meant);
        assert_eq!(only_box(&format!("box.flow.{said}")).flow, meant, "{said}");
    }
}

#[test]
fn each_key_of_tcp_says_what_it_says() {
    type Change = fn(&mut TcpPolicy);
    let cases: [(&str, Change); 15] = [
        ("reassembly = \"in-order\"", |tcp| tcp.reassembly = Reassembly::InOrder),
        ("reassembly = \"full\"", |tcp| tcp.reassembly = Reassembly::Full),
        ("sequence = \"window\"", |tcp| tcp.sequence = SequenceCheck::Window),
        ("sequence = \"exact\"", |tcp| tcp.sequence = SequenceCheck::Exact),
        ("checksum = \"ignore\"", |tcp| tcp.checksum = Check::Ignore),
        ("flags = \"ignore\"", |tcp| tcp.flags = Check::Ignore),
        ("header = \"ignore\"", |tcp| tcp.header = Check::Ignore),
        ("md5 = \"ignore\"", |tcp| tcp.md5 = Check::Ignore),
        ("timestamps = \"ignore\"", |tcp| tcp.timestamps = Check::Ignore),
        ("ack = \"ignore\"", |tcp| tcp.acknowledgement = Check::Ignore),
        ("ttl = { min = 5 }", |tcp| tcp.ttl = TtlCheck::Min(5)),
        ("ttl = { drift = 2 }", |tcp| tcp.ttl = TtlCheck::Drift(2)),
        ("urgent = \"inline\"", |tcp| tcp.urgent = Urgent::Inline),
        ("syn-data = true", |tcp| tcp.syn_data = true),
        ("md5 = \"verify\"", |_| {}),
    ];
    for (said, change) in cases {
        let mut meant = TcpPolicy::default();
        change(&mut meant);
        assert_eq!(only_box(&format!("box.tcp.{said}")).tcp, meant, "{said}");
    }
}

/// What says how something is done stands beside what says that it is.
#[test]
fn each_key_that_needs_another_says_what_it_says() {
    let tcp = |said: &str| only_box(&format!("box.tcp = {{ reassembly = \"full\", {said} }}")).tcp;
    let full = TcpPolicy { reassembly: Reassembly::Full, ..TcpPolicy::default() };
    assert_eq!(tcp("limit = \"4KB\""), TcpPolicy { limit: 4000, ..full.clone() });
    assert_eq!(tcp("segments = 3"), TcpPolicy { pieces: 3, ..full.clone() });
    assert_eq!(tcp("hold = \"2s\""), TcpPolicy { hold: Some(Duration::from_secs(2)), ..full.clone() });
    assert_eq!(tcp("overlap = \"last\""), TcpPolicy { overlap: Overlap::Last, ..full });
    for (word, check) in
        [("sequence", TeardownCheck::Sequence), ("tuple", TeardownCheck::Tuple), ("nothing", TeardownCheck::Nothing)]
    {
        let told = only_box(&format!("box.flow = {{ teardown = [\"rst\"], teardown-check = \"{word}\" }}")).flow;
        assert_eq!(told.teardown_check, check);
    }
}

#[test]
fn each_key_of_inspect_says_what_it_says() {
    type Change = fn(&mut InspectPolicy);
    let cases: [(&str, Change); 5] = [
        ("segments = 1", |inspect| inspect.segments = 1),
        ("datagrams = 1", |inspect| inspect.datagrams = 1),
        ("packets = 9", |inspect| inspect.packets = Some(9)),
        ("unparsable = 100", |inspect| inspect.unparsable = Some(100)),
        ("decide = \"always\"", |inspect| inspect.decide = Decide::Always),
    ];
    for (said, change) in cases {
        let mut meant = InspectPolicy::default();
        change(&mut meant);
        assert_eq!(only_box(&format!("box.inspect.{said}")).inspect, meant, "{said}");
    }
}

#[test]
fn each_key_of_a_protocol_says_what_it_says() {
    type Change = fn(&mut Reads);
    let cases: [(&str, Change); 10] = [
        ("tls.records = \"first\"", |reads| reads.tls.records = tls::JoinRecords::First),
        ("tls.records = \"in-segment\"", |reads| reads.tls.records = tls::JoinRecords::InSegment),
        ("tls.version = \"strict\"", |reads| reads.tls.version = tls::RecordVersion::Strict),
        ("quic.versions = [\"v2\"]", |reads| reads.quic.versions = vec![quic::Version::V2]),
        ("quic.crypto = \"first-frame\"", |reads| reads.quic.crypto = quic::JoinCrypto::FirstFrame),
        ("quic.datagrams = 1", |reads| reads.quic.datagrams = 1),
        ("http.parser = \"exact\"", |reads| reads.http.parser = http::Parser::Exact),
        ("http.parser = \"case-insensitive\"", |reads| reads.http.parser = http::Parser::CaseInsensitive),
        ("http.requests = \"first\"", |reads| reads.http.requests = http::Requests::First),
        ("http.limit = \"2KiB\"", |reads| reads.http.limit = 2048),
    ];
    for (said, change) in cases {
        let mut meant = Reads::default();
        change(&mut meant);
        assert_eq!(only_box(&format!("box.{said}")).reads, meant, "{said}");
    }
}

#[test]
fn mistakes_in_a_box_are_explained() {
    let mut all = String::new();
    for lines in [
        "box.flow = { from = \"sin\" }",
        "box.flow = { inspect-segments = 4 }",
        "box.tcp = { ttl = 5 }",
        "box.tcp = { reassembly = { limit = 5 } }",
        "box.tcp = { limit = 16384 }",
        "box.quic.versions = [\"v3\"]",
        "box.inspect.decide = true",
        "box.tcp = { overlap = \"last\" }",
        "box.tcp = { reassembly = \"none\", limit = \"1KB\" }",
        "box.flow = { teardown-check = \"tuple\" }",
        "box.flow.from = \"nothing\"\n[[rule]]\nid = \"a\"\nwhen = {}\nafter = { packets = 3 }\ntrigger = \"drop\"",
        "box.flow.from = \"nothing\"\n[[rule]]\nid = \"a\"\nwhen.not.fired = \"a\"\n[[rule]]\nid = \"b\"\nwhen.fired = \"a\"",
    ] {
        writeln!(all, "--- {lines}\n{}", read(lines).expect_err(lines)).expect("a string takes all");
    }
    insta::assert_snapshot!(all.replace("censors/mine.toml", "mine"));
}
