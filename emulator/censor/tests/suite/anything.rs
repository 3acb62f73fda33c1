//! Any policy: boxes with every habit, and rules that ask every question.

use core::time::Duration;

use crate::invariants::rich_policy;
use crate::support::*;
use proptest::prelude::*;
use proptest::sample::select;
use roadblock_censor::dissect::http::{self, Keywords};
use roadblock_censor::dissect::{openvpn, quic, tls, wireguard};
use roadblock_censor::policy::{
    Anomaly, BoxPolicy, BytePrefix, BytesQuestion, Check, ClientRole, Condition, Content, Decide, DnsQuestion,
    DuplicateFragment, Fate, FlowPolicy, FragmentOverlap, FragmentPolicy, FragmentTtl, HelloQuestion, HttpQuestion,
    IdleTimes, InspectPolicy, Ipv6Extensions, Measure, Overlap, PacketQuestion, Policy, QuicQuestion, Reads,
    Reassembly, ResponseQuestion, Resync, Rule, SecondSyn, SequenceCheck, Speech, TcpFlags, TcpPolicy, Teardown,
    TeardownCheck, TlsQuestion, TrackFrom, TtlCheck, Urgent,
};

/// The policy with something of everything, its boxes with other habits, and some rules that ask anything in front.
pub(crate) fn policy_of_anything() -> impl Strategy<Value = Policy> {
    let habits = prop::collection::vec(habits(), 5);
    let rules = prop::collection::vec(any_rule(), 0..4);
    (habits, rules).prop_map(|(habits, rules)| {
        let mut policy = rich_policy();
        for (each, habits) in policy.boxes.iter_mut().zip(habits) {
            let BoxPolicy { flow, tcp, inspect, reads, fragments, ipv6_extensions, .. } = habits;
            *each = BoxPolicy { flow, tcp, inspect, reads, fragments, ipv6_extensions, ..each.clone() };
        }
        if let Some(first) = policy.boxes.first_mut() {
            first.rules.splice(0..0, rules);
        }
        policy
    })
}

fn habits() -> impl Strategy<Value = BoxPolicy> {
    (flow(), tcp(), inspect(), reads(), fragments(), any::<bool>()).prop_map(
        |(flow, tcp, inspect, reads, fragments, walks)| {
            let ipv6_extensions = if walks { Ipv6Extensions::Walk } else { Ipv6Extensions::Ignore };
            BoxPolicy { flow, tcp, inspect, reads, fragments, ipv6_extensions, ..BoxPolicy::default() }
        },
    )
}

fn flow() -> impl Strategy<Value = FlowPolicy> {
    use TrackFrom::{Any, Established, Nothing, Syn, SynAck};
    let from = select(vec![Syn, Syn, SynAck, Established, Any, Nothing]);
    let client = select(vec![ClientRole::SynSender, ClientRole::FirstSender, ClientRole::Inside]);
    let check = select(vec![TeardownCheck::Sequence, TeardownCheck::Tuple, TeardownCheck::Nothing]);
    let flags = (any::<[bool; 8]>(), any::<bool>());
    let capacity = select(vec![None, Some(0), Some(1), Some(3)]);
    let seconds = select(vec![0u64, 1, 60, 480]);
    (from, client, check, flags, capacity, seconds).prop_map(
        |(
            from,
            client,
            teardown_check,
            ([fin, rst, syn, syn_ack, bad_syn_ack, ack, rst_too, fin_too], first),
            capacity,
            seconds,
        )| {
            let idle = Duration::from_secs(seconds);
            FlowPolicy {
                from,
                client,
                idle: IdleTimes { syn_sent: idle, syn_received: idle, established: idle, datagrams: idle },
                second_syn: if first { SecondSyn::Restart } else { SecondSyn::Ignore },
                teardown: Teardown { fin, rst },
                teardown_check,
                resync: Resync { syn, syn_ack, bad_syn_ack, ack, rst: rst_too, fin: fin_too },
                capacity,
            }
        },
    )
}

fn tcp() -> impl Strategy<Value = TcpPolicy> {
    let reassembly = select(vec![Reassembly::None, Reassembly::InOrder, Reassembly::Full]);
    let limit = select(vec![0usize, 1, 600, 16_384, usize::MAX]);
    let hold = select(vec![None, Some(Duration::ZERO), Some(Duration::from_secs(1))]);
    let hole = select(vec![None, Some(0usize), Some(1000)]);
    let sequence = select(vec![SequenceCheck::Ignore, SequenceCheck::Window, SequenceCheck::Exact]);
    let ttl = select(vec![TtlCheck::Any, TtlCheck::Min(5), TtlCheck::Drift(2)]);
    (reassembly, limit, 0..70usize, (hold, hole), sequence, ttl, any::<[bool; 9]>()).prop_map(
        |(
            reassembly,
            limit,
            pieces,
            (hold, hole),
            sequence,
            ttl,
            [first, checksum, flags, header, md5, timestamps, ack, skips, syn_data],
        )| {
            let check = |verifies| if verifies { Check::Verify } else { Check::Ignore };
            TcpPolicy {
                reassembly,
                limit,
                pieces,
                hold,
                hole,
                overlap: if first { Overlap::First } else { Overlap::Last },
                sequence,
                checksum: check(checksum),
                flags: check(flags),
                header: check(header),
                md5: check(md5),
                timestamps: check(timestamps),
                acknowledgement: check(ack),
                ttl,
                urgent: if skips { Urgent::Skip } else { Urgent::Inline },
                syn_data,
            }
        },
    )
}

fn inspect() -> impl Strategy<Value = InspectPolicy> {
    let packets = select(vec![None, Some(0), Some(2), Some(50)]);
    let unparsable = select(vec![None, Some(0), Some(100)]);
    (0..5u32, 0..5u32, packets, unparsable, any::<bool>()).prop_map(
        |(segments, datagrams, packets, unparsable, once)| {
            let decide = if once { Decide::Once } else { Decide::Always };
            InspectPolicy { segments, datagrams, packets, unparsable, decide }
        },
    )
}

fn reads() -> impl Strategy<Value = Reads> {
    use http::{Parser, Requests};
    let parser = select(vec![Parser::Exact, Parser::CaseInsensitive, Parser::Tolerant]);
    (any::<[bool; 6]>(), parser, 0..4000usize, 0..5u32).prop_map(
        |([records, version, whole, v2, crypto, all], parser, limit, datagrams)| Reads {
            tls: tls::Options {
                records: if records { tls::JoinRecords::Join } else { tls::JoinRecords::First },
                version: if version { tls::RecordVersion::Any } else { tls::RecordVersion::Strict },
                hello: if whole { tls::HelloNeed::Whole } else { tls::HelloNeed::Cut },
            },
            quic: quic::Options {
                versions: if v2 { vec![quic::Version::V1, quic::Version::V2] } else { vec![quic::Version::V1] },
                crypto: if crypto { quic::JoinCrypto::Join } else { quic::JoinCrypto::FirstFrame },
                datagrams,
            },
            http: http::Options { parser, requests: if all { Requests::All } else { Requests::First }, limit },
        },
    )
}

fn fragments() -> impl Strategy<Value = FragmentPolicy> {
    let timeout = select(vec![Duration::ZERO, Duration::from_secs(5)]);
    (0..5u8, 0..50u16, timeout, any::<bool>(), any::<bool>()).prop_map(|(mode, limit, timeout, one, two)| match mode {
        0 => FragmentPolicy::Ignore,
        1 => FragmentPolicy::Drop,
        2 => {
            let overlap = if one { FragmentOverlap::First } else { FragmentOverlap::Last };
            FragmentPolicy::Reassemble { overlap, limit, timeout }
        }
        _ => {
            let duplicate = if one { DuplicateFragment::DiscardQueue } else { DuplicateFragment::Ignore };
            let ttl = if two { FragmentTtl::OfFirst } else { FragmentTtl::Own };
            FragmentPolicy::Queue { limit, timeout, duplicate, ttl }
        }
    })
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let when = leaf().prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Condition::All),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Condition::Any),
            inner.prop_map(|part| Condition::Not(Box::new(part))),
        ]
    });
    let what = select(vec![Fate::Pass, Fate::Drop, Fate::Lose(0.5), Fate::Divert]);
    (when, what, any::<[bool; 4]>(), 0..1000u16).prop_map(|(when, what, [punishes, also, suspect, waits], number)| {
        Rule {
            trigger: fate(what),
            residuals: if punishes { vec![dropped_for(2)] } else { vec![] },
            after: waits.then(|| packets(0, 3)),
            also,
            suspect,
            ..rule(&format!("any-{number}"), when)
        }
    })
}

fn leaf() -> impl Strategy<Value = Condition> {
    let words = || Keywords::new(["a", "instagram", "\0"]).expect("words");
    let hello = || {
        let all = ["*a*", "instagram.com"];
        [
            HelloQuestion::Any,
            HelloQuestion::Named,
            HelloQuestion::Sni(names(&all)),
            HelloQuestion::Alpn(vec!["h2".to_owned(), "h3".to_owned()]),
            HelloQuestion::Version(vec![0x0304, 0xfefd]),
            HelloQuestion::Ech,
            HelloQuestion::Esni,
        ]
    };
    let mut all = vec![
        Condition::ClientPortAboveServer,
        Condition::ClientInside,
        Condition::Protocol(6),
        Condition::Direction(Inbound),
        Condition::Fired("sni".into()),
        Condition::ServerPort([443, 80].into()),
        prefixes(&["157.240.0.0/16", "2a03:2880::/32"]),
        Condition::Content(Content::Tls(TlsQuestion::Certificate(names(&["*a*"])))),
        Condition::Content(Content::Quic(QuicQuestion::Initial)),
        Condition::Content(Content::Quic(QuicQuestion::Version(vec![1]))),
        Condition::qname(names(&["*a*"])),
        Condition::starts(vec![BytePrefix { offset: 1, bytes: vec![3, 1] }]),
    ];
    all.extend(hello().map(|question| Condition::Content(Content::Tls(TlsQuestion::Hello(question)))));
    all.extend(hello().map(|question| Condition::Content(Content::Quic(QuicQuestion::Hello(question)))));
    all.extend(hello().map(|question| Condition::Content(Content::Dtls(question))));
    let http = [
        HttpQuestion::Request,
        HttpQuestion::Host(names(&["*a*"])),
        HttpQuestion::Target(words()),
        HttpQuestion::Keyword(words()),
        HttpQuestion::Method(vec!["GET".to_owned()]),
        HttpQuestion::Body(words()),
        HttpQuestion::Response(ResponseQuestion::default()),
    ];
    all.extend(http.map(|question| Condition::Content(Content::Http(question))));
    let dns = || {
        [
            DnsQuestion::Query,
            DnsQuestion::Name(names(&["*a*"])),
            DnsQuestion::Type(vec![1, 28, 65]),
            DnsQuestion::AnyName(names(&["*a*"])),
            DnsQuestion::Answer,
            DnsQuestion::Address(["0.0.0.0/1".parse().expect("a prefix")].into_iter().collect()),
        ]
    };
    all.extend(dns().map(|question| Condition::Content(Content::Dns(question))));
    all.extend(dns().map(|question| Condition::Content(Content::DnsOverTcp(question))));
    let measure = |of, least, most| BytesQuestion::Measure { of, least, most };
    let bytes = [
        BytesQuestion::Contains(words()),
        BytesQuestion::First,
        BytesQuestion::FullyEncrypted,
        measure(Measure::Popcount, 3.4, 4.6),
        measure(Measure::Entropy, 0.0, 7.0),
        measure(Measure::Printable, 0.5, 1.0),
        measure(Measure::PrintablePrefix, 0.0, 5.0),
        measure(Measure::PrintableRun, 20.0, 9000.0),
    ];
    all.extend(bytes.map(|question| Condition::Content(Content::Bytes(question))));
    let speech = [
        Speech::Stun,
        Speech::DtlsHello,
        Speech::WireGuard(Some(wireguard::Kind::Data)),
        Speech::OpenVpn(None),
        Speech::OpenVpn(Some(openvpn::Kind::Data)),
        Speech::WhatsAppChat,
        Speech::TelegramTransport,
        Speech::SshBanner,
        Speech::AmneziaWg(
            wireguard::Amnezia { junk: Some(10..=60), s1: 0, s2: 4, headers: [Some(1), None, None, Some(4)] },
            None,
        ),
        Speech::OpenVpnOpcodes(openvpn::OpcodeRule::default()),
        Speech::OpenVpnAcks(openvpn::AckRule::default()),
        Speech::Socks(None),
        Speech::TorTls,
        Speech::TelegramFakeTls,
    ];
    all.extend(speech.map(|question| Condition::Content(Content::Speech(question))));
    let packet = [
        PacketQuestion::PayloadLength { least: 1, most: 600 },
        PacketQuestion::Length { least: 100, most: 900 },
        PacketQuestion::Ttl { least: 0, most: 63 },
        PacketQuestion::Fragment,
        PacketQuestion::Flags { of: TcpFlags(0x17), set: TcpFlags::SYN },
        PacketQuestion::TcpHeader { least: 20, most: 20 },
        PacketQuestion::Anomaly(Anomaly::Checksum),
        PacketQuestion::Anomaly(Anomaly::TtlJump),
        PacketQuestion::Anomaly(Anomaly::Md5),
        PacketQuestion::Anomaly(Anomaly::Sequence),
        PacketQuestion::Anomaly(Anomaly::Header),
    ];
    all.extend(packet.map(Condition::Packet));
    select(all)
}
