//! What `when` asks becomes the condition that it means, key by key.

use std::fmt::Write;

use roadblock_censor::dissect::http::Keywords;
use roadblock_censor::dissect::wireguard::Amnezia;
use roadblock_censor::dissect::{openvpn, socks, wireguard};
use roadblock_censor::policy::{
    Anomaly, BytePrefix, BytesQuestion, Condition, Content, DailyTime, DnsQuestion, HelloQuestion, HttpQuestion,
    Measure, PacketQuestion, PortSet, QuicQuestion, ResponseQuestion, Speech, TcpFlags, TlsQuestion,
};
use roadblock_censor::{Direction, FingerprintSet, NameSet, PrefixSet};
use roadblock_scenarios::{Diagnostics, Library};

fn read(when: &str) -> Result<Condition, Diagnostics> {
    let head = "kind = \"profile\"\nid = \"censors/mine\"\ntitle = \"Mine\"\nbox.place = \"in-path\"\n";
    let profile = format!(
        "{head}[[rule]]\nid = \"other\"\nwhen = {{ protocol = \"udp\" }}\n[[rule]]\nid = \"one\"\nwhen = {when}\n"
    );
    let library = Library::embedded().with_files([("censors/mine.toml".to_owned(), profile)]);
    library.profile("censors/mine", "").map(|mut profile| profile.policy.boxes[0].rules.remove(1).when)
}

/// A condition is compared by how it shows itself: sets of names and prefixes have no other equality.
fn means(when: &str, meant: &Condition) {
    let read = read(when).unwrap_or_else(|mistakes| panic!("{when}:\n{mistakes}"));
    assert_eq!(format!("{read:?}"), format!("{meant:?}"), "{when}");
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

fn names(text: &str) -> NameSet {
    text.split(' ').map(|name| name.parse().expect("a pattern")).collect()
}

fn prefixes(text: &str) -> PrefixSet {
    text.split(' ').map(|prefix| prefix.parse::<ipnet::IpNet>().expect("a prefix")).collect()
}

fn ports(ports: impl IntoIterator<Item = std::ops::RangeInclusive<u16>>) -> PortSet {
    ports.into_iter().collect()
}

#[test]
fn where_a_packet_goes() {
    for (when, meant) in [
        ("{ protocol = \"tcp\" }", Condition::Protocol(6)),
        ("{ protocol = \"icmp\" }", Condition::Any(vec![Condition::Protocol(1), Condition::Protocol(58)])),
        ("{ direction = \"inbound\" }", Condition::Direction(Direction::Inbound)),
        ("{ server.address = [\"192.0.2.0/24\"] }", Condition::ServerAddress(prefixes("192.0.2.0/24"))),
        ("{ client.address = \"2001:db8::/32\" }", Condition::ClientAddress(prefixes("2001:db8::/32"))),
        ("{ server.port = [443, \"596-599\"] }", Condition::ServerPort(ports([443..=443, 596..=599]))),
        ("{ client.port = \"50000-60000\" }", Condition::ClientPort(ports([50_000..=60_000]))),
        ("{ client.port-above-server = true }", Condition::ClientPortAboveServer),
        ("{ client.port-above-server = false }", not(Condition::ClientPortAboveServer)),
        ("{ flow.client = \"inside\" }", Condition::ClientInside),
        ("{ flow.client = \"outside\" }", not(Condition::ClientInside)),
        ("{ time = \"16:00-24:00\" }", Condition::Time(DailyTime { from: 960, until: 1440 })),
        ("{ time = \"22:30-06:05\" }", Condition::Time(DailyTime { from: 1350, until: 365 })),
        ("{ fired = \"other\" }", Condition::Fired("other".into())),
        ("{ enabled = true }", Condition::All(Vec::new())),
        ("{ enabled = false }", Condition::Any(Vec::new())),
    ] {
        means(when, &meant);
    }
}

#[test]
fn what_headers_say() {
    let flags = |of: u8, set: u8| PacketQuestion::Flags { of: TcpFlags(of), set: TcpFlags(set) };
    for (when, meant) in [
        ("{ packet.length = 105 }", PacketQuestion::Length { least: 105, most: 105 }),
        ("{ packet.length = { max = 105 } }", PacketQuestion::Length { least: 0, most: 105 }),
        ("{ packet.ttl = { min = 5 } }", PacketQuestion::Ttl { least: 5, most: 255 }),
        ("{ packet.ttl = { min = 5, max = 9 } }", PacketQuestion::Ttl { least: 5, most: 9 }),
        ("{ packet.fragment = true }", PacketQuestion::Fragment),
        ("{ tcp.header-length = 20 }", PacketQuestion::TcpHeader { least: 20, most: 20 }),
        // A SYN without ACK, FIN or RST; a FIN with PSH; none of the four.
        ("{ tcp.flags = \"S\" }", flags(0x17, 0x02)),
        ("{ tcp.flags = \"FPA\" }", flags(0x1f, 0x19)),
        ("{ tcp.flags = \"\" }", flags(0x17, 0)),
        ("{ payload.length = { min = 1001 } }", PacketQuestion::PayloadLength { least: 1001, most: u16::MAX }),
        ("{ payload.length = 0 }", PacketQuestion::PayloadLength { least: 0, most: 0 }),
    ] {
        means(when, &Condition::Packet(meant));
    }
    means("{ packet.fragment = false }", &not(Condition::Packet(PacketQuestion::Fragment)));
    let anomaly = |anomaly| Condition::Packet(PacketQuestion::Anomaly(anomaly));
    let both = Condition::Any(vec![anomaly(Anomaly::Checksum), anomaly(Anomaly::TtlJump)]);
    means("{ packet.anomaly = [\"checksum\", \"ttl-jump\"] }", &both);
    for (word, meant) in [("md5", Anomaly::Md5), ("sequence", Anomaly::Sequence), ("header", Anomaly::Header)] {
        means(&format!("{{ packet.anomaly = \"{word}\" }}"), &Condition::Any(vec![anomaly(meant)]));
    }
}

fn fingerprint(text: &str) -> FingerprintSet {
    [text.parse().expect("a fingerprint")].into_iter().collect()
}

const JA3: &str = "e7d705a3286e19ea42f587b344ee6865";
const JA4: &str = "t13d1516h2_8daaf6152771_*";

#[test]
fn what_a_client_hello_says_over_each_carrier() {
    let tls = |question| Condition::Content(Content::Tls(TlsQuestion::Hello(question)));
    let quic = |question| Condition::Content(Content::Quic(QuicQuestion::Hello(question)));
    let dtls = |question| Condition::Content(Content::Dtls(question));
    let alpn = |protocols: [&str; 2]| HelloQuestion::Alpn(protocols.map(str::to_owned).to_vec());
    for (when, meant) in [
        ("{ tls.hello = true }".to_owned(), tls(HelloQuestion::Any)),
        ("{ tls.named = false }".to_owned(), not(tls(HelloQuestion::Named))),
        ("{ tls.sni = \"*a.b\" }".to_owned(), tls(HelloQuestion::Sni(names("*a.b")))),
        ("{ tls.alpn = [\"h2\", \"http/1.1\"] }".to_owned(), tls(alpn(["h2", "http/1.1"]))),
        ("{ tls.version = [\"1.2\", \"1.3\"] }".to_owned(), tls(HelloQuestion::Version(vec![0x0303, 0x0304]))),
        ("{ tls.ech = true }".to_owned(), tls(HelloQuestion::Ech)),
        ("{ tls.esni = true }".to_owned(), tls(HelloQuestion::Esni)),
        (format!("{{ tls.ja3 = \"{JA3}\" }}"), tls(HelloQuestion::Ja3(fingerprint(JA3)))),
        (format!("{{ tls.ja4 = [\"{JA4}\"] }}"), tls(HelloQuestion::Ja4(fingerprint(JA4)))),
        ("{ quic.sni = \"a.b\" }".to_owned(), quic(HelloQuestion::Sni(names("a.b")))),
        ("{ quic.alpn = [\"h3\", \"h3-29\"] }".to_owned(), quic(alpn(["h3", "h3-29"]))),
        ("{ quic.ech = false }".to_owned(), not(quic(HelloQuestion::Ech))),
        (format!("{{ quic.ja4 = \"{JA4}\" }}"), quic(HelloQuestion::Ja4(fingerprint(JA4)))),
        ("{ dtls.version = \"1.2\" }".to_owned(), dtls(HelloQuestion::Version(vec![0xfefd]))),
        (format!("{{ dtls.ja3 = \"{JA3}\" }}"), dtls(HelloQuestion::Ja3(fingerprint(JA3)))),
        (format!("{{ dtls.ja4 = \"{JA4}\" }}"), dtls(HelloQuestion::Ja4(fingerprint(JA4)))),
    ] {
        means(&when, &meant);
    }
    let certificate = Condition::Content(Content::Tls(TlsQuestion::Certificate(names("a.b"))));
    means("{ tls.certificate = \"a.b\" }", &certificate);
    let quic = |question| Condition::Content(Content::Quic(question));
    means("{ quic.initial = true }", &quic(QuicQuestion::Initial));
    let versions = vec![1, 0x6b33_43cf, 0xff00_001d, 0x5130_3530];
    means("{ quic.version = [\"v1\", \"v2\", \"draft-29\", \"0x51303530\"] }", &quic(QuicQuestion::Version(versions)));
}

#[test]
fn what_payloads_look_like() {
    let bytes = |question| Condition::Content(Content::Bytes(question));
    let measure = |of, least, most| bytes(BytesQuestion::Measure { of, least, most });
    let starts = BytesQuestion::Starts(vec![BytePrefix { offset: 1, bytes: vec![0, 0xff] }]);
    let words = Keywords::new(["tor", "vpn"]).expect("words");
    let infinite = f64::INFINITY;
    for (when, meant) in [
        ("{ payload = { starts = \"00 ff\", offset = 1 } }", bytes(starts)),
        ("{ payload.contains = [\"tor\", \"vpn\"] }", bytes(BytesQuestion::Contains(words))),
        ("{ payload.first = true }", bytes(BytesQuestion::First)),
        ("{ payload.first = false }", not(bytes(BytesQuestion::First))),
        ("{ payload.popcount = { min = 3.4, max = 4.6 } }", measure(Measure::Popcount, 3.4, 4.6)),
        ("{ payload.entropy = { min = 7 } }", measure(Measure::Entropy, 7.0, infinite)),
        ("{ payload.printable = { max = 0.5 } }", measure(Measure::Printable, 0.0, 0.5)),
        ("{ payload.printable-prefix = { min = 6 } }", measure(Measure::PrintablePrefix, 6.0, infinite)),
        ("{ payload.printable-run = { min = 21 } }", measure(Measure::PrintableRun, 21.0, infinite)),
        ("{ payload.fully-encrypted = true }", bytes(BytesQuestion::FullyEncrypted)),
    ] {
        means(when, &meant);
    }
}

#[test]
fn which_protocol_it_is() {
    let amnezia = Amnezia { junk: None, s1: 15, s2: 20, headers: [Some(7), None, None, Some(9)] };
    for (when, meant) in [
        ("{ udp.stun = true }", Speech::Stun),
        ("{ udp.dtls = true }", Speech::DtlsHello),
        ("{ wireguard = \"initiation\" }", Speech::WireGuard(Some(wireguard::Kind::Initiation))),
        ("{ wireguard = \"any\" }", Speech::WireGuard(None)),
        (
            "{ amneziawg = { kind = \"data\", s1 = 15, s2 = 20, h1 = 7, h4 = 9 } }",
            Speech::AmneziaWg(amnezia, Some(wireguard::Kind::Data)),
        ),
        ("{ openvpn = \"reset\" }", Speech::OpenVpn(Some(openvpn::Kind::Reset))),
        ("{ openvpn = \"any\" }", Speech::OpenVpn(None)),
        ("{ openvpn = \"opcodes\" }", Speech::OpenVpnOpcodes(openvpn::OpcodeRule::default())),
        ("{ openvpn = \"acks\" }", Speech::OpenVpnAcks(openvpn::AckRule::default())),
        ("{ ssh.banner = true }", Speech::SshBanner),
        ("{ socks = \"v5\" }", Speech::Socks(Some(socks::Version::V5))),
        ("{ socks = \"any\" }", Speech::Socks(None)),
        ("{ tor.tls = true }", Speech::TorTls),
        ("{ telegram.transport = true }", Speech::TelegramTransport),
        ("{ telegram.fake-tls = true }", Speech::TelegramFakeTls),
        ("{ whatsapp.chat = true }", Speech::WhatsAppChat),
    ] {
        means(when, &Condition::Content(Content::Speech(meant)));
    }
}

#[test]
fn what_queries_and_answers_of_dns_say() {
    let udp = |question| Condition::Content(Content::Dns(question));
    let tcp = |question| Condition::Content(Content::DnsOverTcp(question));
    for (when, meant) in [
        ("{ dns.query = true }", udp(DnsQuestion::Query)),
        ("{ dns.qname = \"a.b\" }", udp(DnsQuestion::Name(names("a.b")))),
        ("{ dns.qtype = [\"A\", \"HTTPS\"] }", udp(DnsQuestion::Type(vec![1, 65]))),
        ("{ dns.name = [\"a.b\"] }", udp(DnsQuestion::AnyName(names("a.b")))),
        ("{ dns.answer = true }", udp(DnsQuestion::Answer)),
        ("{ dns.answer = [\"192.0.2.0/24\"] }", udp(DnsQuestion::Address(prefixes("192.0.2.0/24")))),
        ("{ dns = { qname = \"a.b\", transport = \"tcp\" } }", tcp(DnsQuestion::Name(names("a.b")))),
        (
            "{ dns = { query = false, transport = [\"udp\", \"tcp\"] } }",
            not(Condition::Any(vec![udp(DnsQuestion::Query), tcp(DnsQuestion::Query)])),
        ),
    ] {
        means(when, &meant);
    }
}

#[test]
fn what_requests_and_answers_say() {
    let words = |text: &str| Keywords::new(text.split(' ')).expect("words");
    for (when, meant) in [
        ("{ http.request = true }", HttpQuestion::Request),
        ("{ http.host = [\"a.b\"] }", HttpQuestion::Host(names("a.b"))),
        ("{ http.target = \"ultrasurf\" }", HttpQuestion::Target(words("ultrasurf"))),
        ("{ http.keyword = [\"falun\", \"search\"] }", HttpQuestion::Keyword(words("falun search"))),
        (
            "{ http.method = [\"GET\", \"CONNECT\"] }",
            HttpQuestion::Method(vec!["GET".to_owned(), "CONNECT".to_owned()]),
        ),
        ("{ http.body = \"x\" }", HttpQuestion::Body(words("x"))),
        (
            "{ http.response = { status = 302, location = \"block\", contains = \"y\" } }",
            HttpQuestion::Response(ResponseQuestion {
                status: Some(302..=302),
                location: Some(words("block")),
                contains: Some(words("y")),
            }),
        ),
    ] {
        means(when, &Condition::Content(Content::Http(meant)));
    }
}

#[test]
fn all_of_it_none_of_it_and_any_of_it() {
    let sni = || Condition::Content(Content::Tls(TlsQuestion::Hello(HelloQuestion::Sni(names("a.b")))));
    let stun = || Condition::Content(Content::Speech(Speech::Stun));
    means("{ tls.sni = \"a.b\" }", &sni());
    means("{ udp.stun = false }", &not(stun()));
    means("{ not = { tls.sni = \"a.b\", udp.stun = true } }", &Condition::All(vec![not(sni()), not(stun())]));
    means("{ any = [{ tls.sni = \"a.b\" }, { udp.stun = true }] }", &Condition::Any(vec![sni(), stun()]));
    means("{ protocol = \"udp\", udp.stun = true }", &Condition::All(vec![Condition::Protocol(17), stun()]));
    means("{}", &Condition::All(Vec::new()));
}

#[test]
fn mistakes_in_a_condition_are_explained() {
    let mut all = String::new();
    for when in [
        "{ packet.length = { min = 9, max = 8 } }",
        "{ packet.ttl = 256 }",
        "{ packet.lenght = 3 }",
        "{ tcp.flags = \"X\" }",
        "{ tcp.header-length = \"20\" }",
        "{ time = \"4pm-6pm\" }",
        "{ time = \"10:00-10:00\" }",
        "{ time = \"24:00-25:00\" }",
        "{ packet.anomaly = \"ttl\" }",
        "{ fired = \"others\" }",
        "{ payload = {} }",
        "{ payload.entropy = 7 }",
        "{ payload.entropy = { min = 7, max = 6 } }",
        "{ payload.printable = {} }",
        "{ payload.popcount = { min = -1.0 } }",
        "{ tls = {} }",
        "{ dns = { transport = \"tcp\" } }",
        "{ dns.answer = \"nonsense\" }",
        "{ tls.version = \"1.4\" }",
        "{ tls.ja3 = \"t13d1516h2_8daaf6152771_*\" }",
        "{ tls.ja4 = \"nonsense\" }",
        "{ quic.version = \"v9\" }",
        "{ http.host = \"a..b\" }",
        "{ http.keyword = [\"\"] }",
    ] {
        writeln!(all, "--- {when}\n{}", read(when).expect_err(when)).expect("a string takes all");
    }
    insta::assert_snapshot!(all.replace("censors/mine.toml", "mine"));
}
