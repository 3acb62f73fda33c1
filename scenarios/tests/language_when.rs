//! What `when` asks becomes the condition that it means, key by key.

use std::fmt::Write;

use roadblock_censor::policy::{
    Anomaly, Condition, Content, DailyTime, HelloQuestion, PacketQuestion, PortSet, Speech, TcpFlags, TlsQuestion,
};
use roadblock_censor::{Direction, NameSet, PrefixSet};
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
    ] {
        writeln!(all, "--- {when}\n{}", read(when).expect_err(when)).expect("a string takes all");
    }
    insta::assert_snapshot!(all.replace("censors/mine.toml", "mine"));
}
