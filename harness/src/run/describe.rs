//! A measurement in words.

use std::net::SocketAddr;
use std::time::Duration;

use roadblock_scenarios::model::{
    Authority, ChatHeader, DnsPatience, DnsTransport, Family, FamilyChoice, Hello, HttpRequest, HttpVersion,
    MtProtoTransport, Payload, Probe, QuicVersion, Reply, Says, Split, Transport,
};

/// What a target is called where it is not a matter of titles: the URL of a page, the words of anything else.
pub(crate) fn target_key(probe: &Probe) -> String {
    match probe {
        Probe::Http { url, .. } => url.clone(),
        other => describe(other),
    }
}

/// The word of a probe in scenario files, as `tls`.
pub(crate) fn probe_word(probe: &Probe) -> String {
    describe(probe).split([' ', ',']).next().unwrap_or_default().to_owned()
}

/// A probe in words, the first its own, as `tls 1.1.1.1:443 with SNI web.whatsapp.com`.
pub(crate) fn describe(probe: &Probe) -> String {
    match probe {
        Probe::Dns { name, family, resolver, port, transport, patience, .. } => {
            let kind = match family {
                Family::V4 => "A",
                Family::V6 => "AAAA",
            };
            let whom = resolver.map(|address| format!(" at {address}")).unwrap_or_default();
            let port = if *port == transport.usual_port() { String::new() } else { format!(" port {port}") };
            format!("dns {kind} {name}{whom}{port}{}{}", over(*transport), patience_words(patience))
        }
        Probe::Command { run, status: 0, .. } => format!("command `{run}`"),
        Probe::Command { run, status, .. } => format!("command `{run}` ending with status {status}"),
        Probe::Ping { address } => format!("ping {address}"),
        Probe::Tcp { address, port } => format!("tcp {}", SocketAddr::new(*address, *port)),
        Probe::Tls { address, port, sni, hello, .. } => {
            format!("tls {} with SNI {sni}{}", SocketAddr::new(*address, *port), hello_words(hello))
        }
        Probe::Http { url, address, family, version, request } => {
            let whence = address.map(|address| format!(" from {address}")).unwrap_or_default();
            let family = match family {
                FamilyChoice::Only(Family::V4) => "",
                FamilyChoice::Only(Family::V6) => " over IPv6",
                FamilyChoice::Any => " over IPv6 or IPv4",
            };
            let version = if *version == HttpVersion::Two { " with HTTP/2" } else { "" };
            format!("http {url}{whence}{family}{version}{}", request_words(request))
        }
        Probe::WebConnectivity { url } => format!("web {url}"),
        Probe::WhatsApp { media, family } => format!("whatsapp{}{}", with_media(*media), over_family(*family)),
        Probe::WhatsAppChat { address, port, header } => {
            let header = if *header == ChatHeader::Routed { ", routed" } else { "" };
            format!("whatsapp-chat {}{header}", SocketAddr::new(*address, *port))
        }
        Probe::Telegram { media, transport } => {
            format!("telegram, {}{}", transport_word(*transport), with_media(*media))
        }
        Probe::TelegramChat { address, port, transport } => {
            format!("telegram-chat {}, {}", SocketAddr::new(*address, *port), transport_word(*transport))
        }
        Probe::Messenger { media, family } => format!("messenger{}{}", with_media(*media), over_family(*family)),
        Probe::Instagram { media, family } => format!("instagram{}{}", with_media(*media), over_family(*family)),
        Probe::Max { authority, family } => {
            let authority = if *authority == Authority::Foreign { " at the new API" } else { "" };
            format!("max{authority}{}", over_family(*family))
        }
        Probe::Call { address, port, lasts } => {
            format!("call {} for {} s", SocketAddr::new(*address, *port), lasts.as_secs())
        }
        Probe::Stun { address, port } => format!("stun {}", SocketAddr::new(*address, *port)),
        Probe::WireGuard { address, port, packets } => {
            format!("wireguard {} with {packets} packets", SocketAddr::new(*address, *port))
        }
        Probe::Throughput { host, address, kilobytes, upload, at_least, beside } => {
            let (way, whence) = if *upload { ("to", " at ") } else { ("from", " at ") };
            let whence = address.map(|address| format!("{whence}{address}")).unwrap_or_default();
            let beside = beside.as_ref().map(|name| format!(", beside {name}")).unwrap_or_default();
            format!("throughput of {kilobytes} KB {way} {host}{whence}, at least {at_least} kbit/s{beside}")
        }
        Probe::Freeze { host, address, kilobytes, upload, beside } => {
            let way = if *upload { "to" } else { "from" };
            let whence = address.map(|address| format!(" at {address}")).unwrap_or_default();
            let beside = beside.as_ref().map(|name| format!(", beside {name}")).unwrap_or_default();
            format!("freeze of {kilobytes} KB {way} {host}{whence}{beside}")
        }
        Probe::Residual { trigger, test, within, .. } => {
            format!("residual of {}, up to {} s, seen by {}", describe(trigger), within.as_secs(), describe(test))
        }
        Probe::Trace { address, port, says, about, neutral } => {
            let what = match says {
                Says::ClientHello => "SNI",
                Says::Request => "Host",
                Says::Query => "query",
            };
            format!("trace {} with {what} {about}, beside {neutral}", SocketAddr::new(*address, *port))
        }
        Probe::Connections { address, port, sni, count, within, .. } => {
            let over = if within.is_zero() { String::new() } else { format!(" within {} s", within.as_secs_f64()) };
            format!("{count} connections to {} with SNI {sni}{over}", SocketAddr::new(*address, *port))
        }
        Probe::Quic { address, port, sni, version, .. } => {
            let version = if *version == QuicVersion::Draft29 { ", draft 29" } else { "" };
            format!("quic {} with SNI {sni}{version}", SocketAddr::new(*address, *port))
        }
        Probe::H3 { url, address, family } => {
            let whence = address.map(|address| format!(" from {address}")).unwrap_or_default();
            format!("h3 {url}{whence}{}", over_family(*family))
        }
        Probe::Speak { address, port, transport, before, payloads, pause, reply } => {
            let after: Vec<String> = before.iter().map(ToString::to_string).collect();
            let after = if after.is_empty() { String::new() } else { format!(" after {}", after.join(" ")) };
            let remote = SocketAddr::new(*address, *port);
            format!("speak {}{after}{}", said(*transport, remote, payloads), awaited(*pause, *reply))
        }
    }
}

/// What is said to whom.
fn said(transport: Transport, remote: SocketAddr, payloads: &[Payload]) -> String {
    let (transport, cut) = match transport {
        Transport::Tcp => ("tcp", payloads.iter().any(|payload| payload.segments.len() > 1)),
        Transport::Udp => ("udp", false),
    };
    let said: Vec<String> = payloads.iter().map(|payload| shortened(&payload.written)).collect();
    let cut = if cut { ", cut into segments" } else { "" };
    format!("{transport} {remote} {}{cut}", said.join(" "))
}

/// How long one waits between payloads, and what is to come of them.
fn awaited(pause: Duration, reply: Reply) -> String {
    let pause = if pause.is_zero() { String::new() } else { format!(", with pauses of {} s", pause.as_secs_f64()) };
    let reply = match reply {
        Reply::Any => "",
        Reply::Echo => ", which comes back",
        Reply::None => ", which nobody answers",
    };
    format!("{pause}{reply}")
}

fn over(transport: DnsTransport) -> &'static str {
    match transport {
        DnsTransport::Udp => "",
        DnsTransport::Tcp => " over TCP",
        DnsTransport::Tls => " over TLS",
        DnsTransport::Https => " over HTTPS",
    }
}

fn over_family(family: Family) -> &'static str {
    if family == Family::V6 { " over IPv6" } else { "" }
}

fn hello_words(hello: &Hello) -> String {
    let mut words = String::new();
    if let Some(captured) = &hello.captured {
        words = format!(" as {}", captured.written);
    }
    if hello.ech_grease {
        words.push_str(" and ECH (GREASE)");
    }
    words + &split_words(&hello.split)
}

fn patience_words(patience: &DnsPatience) -> String {
    let within = patience.within.as_secs_f64();
    let gathered =
        if patience.within.is_zero() { String::new() } else { format!(", gathering answers for {within} s") };
    gathered + if patience.last { ", believing the last" } else { "" }
}

fn request_words(request: &HttpRequest) -> String {
    let host = request.host.as_ref().map(|host| format!(" with Host {host}")).unwrap_or_default();
    let headers: Vec<String> = request.headers.iter().map(|(name, value)| format!(" with {name}: {value}")).collect();
    host + &headers.concat() + &split_words(&request.split)
}

fn split_words(split: &Split) -> String {
    let cuts = |what: &str, offsets: &[u16]| {
        let offsets: Vec<String> = offsets.iter().map(ToString::to_string).collect();
        if offsets.is_empty() { String::new() } else { format!(", cut into {what} at {}", offsets.join(", ")) }
    };
    cuts("segments", &split.segments) + &cuts("records", &split.records)
}

/// What fits into a line with others.
fn shortened(written: &str) -> String {
    let escaped: Vec<char> = written.escape_debug().collect();
    match escaped.get(..LONGEST_PAYLOAD) {
        Some(beginning) => beginning.iter().chain(['…'].iter()).collect(),
        None => escaped.into_iter().collect(),
    }
}

/// In characters.
const LONGEST_PAYLOAD: usize = 40;

/// What is usual is not said.
fn with_media(kilobytes: u32) -> String {
    if kilobytes == 256 { String::new() } else { format!(" with {kilobytes} KB of media") }
}

fn transport_word(transport: MtProtoTransport) -> &'static str {
    match transport {
        MtProtoTransport::Abridged => "abridged",
        MtProtoTransport::Intermediate => "intermediate",
        MtProtoTransport::Padded => "padded",
        MtProtoTransport::Obfuscated2 => "obfuscated2",
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use roadblock_censor::policy::TcpFlags;

    use super::*;

    fn speaking(address: IpAddr, port: u16) -> Probe {
        Probe::Speak {
            address,
            port,
            transport: Transport::Tcp,
            before: vec![TcpFlags(0x01), TcpFlags(0x11)],
            payloads: vec![
                Payload {
                    written: "text:GET / HTTP/1.1\r\nHost: a.example\r\n\r\n".to_owned(),
                    segments: vec![vec![1], vec![2]],
                },
                Payload { written: "@bytes/x".to_owned(), segments: vec![vec![3]] },
            ],
            pause: Duration::from_millis(1500),
            reply: Reply::Echo,
        }
    }

    #[test]
    fn each_measurement_can_be_said() {
        let (address, port) = (IpAddr::from([1, 1, 1, 1]), 443);
        let probes = [
            Probe::Dns {
                name: "a.example".to_owned(),
                family: Family::V6,
                resolver: Some(address),
                port: 8443,
                transport: DnsTransport::Https,
                answer: Vec::new(),
                patience: DnsPatience { within: Duration::from_secs(2), last: true },
            },
            Probe::Http {
                url: "https://a.example/".to_owned(),
                address: None,
                family: FamilyChoice::Any,
                version: HttpVersion::Two,
                request: HttpRequest {
                    host: Some("b.example".to_owned()),
                    headers: vec![("accept".to_owned(), "text/html".to_owned())],
                    split: Split { segments: vec![8], records: Vec::new() },
                },
            },
            Probe::WebConnectivity { url: "https://a.example/".to_owned() },
            Probe::Ping { address },
            Probe::Tls {
                address,
                port,
                sni: "a.example".to_owned(),
                verify: true,
                hello: Hello {
                    split: Split { segments: vec![16, 80], records: vec![40] },
                    ech_grease: true,
                    captured: Some(Payload { written: "@bytes/x".to_owned(), segments: Vec::new() }),
                },
            },
            Probe::WhatsApp { media: 256, family: Family::V4 },
            Probe::WhatsAppChat { address, port, header: ChatHeader::Routed },
            Probe::Telegram { media: 64, transport: MtProtoTransport::Abridged },
            Probe::TelegramChat { address, port, transport: MtProtoTransport::Obfuscated2 },
            Probe::Messenger { media: 256, family: Family::V6 },
            Probe::Max { authority: Authority::Foreign, family: Family::V4 },
            Probe::Call { address, port: 3478, lasts: Duration::from_secs(60) },
            Probe::WireGuard { address, port: 51_820, packets: 20 },
            Probe::Connections {
                address,
                port,
                sni: "a.example".to_owned(),
                verify: true,
                count: 20,
                within: Duration::from_secs(60),
            },
            Probe::Quic { address, port, sni: "a.example".to_owned(), version: QuicVersion::Draft29, verify: true },
            Probe::H3 { url: "https://a.example/".to_owned(), address: Some(address), family: Family::V4 },
            speaking(address, port),
            Probe::Trace {
                address,
                port,
                says: Says::ClientHello,
                about: "a.example".to_owned(),
                neutral: "b.example".to_owned(),
            },
            Probe::Residual {
                trigger: Box::new(Probe::Ping { address }),
                test: Box::new(Probe::Tcp { address, port }),
                elsewhere: None,
                within: Duration::from_secs(600),
                tries: 1,
            },
            Probe::Freeze {
                host: "a.example".to_owned(),
                address: Some(address),
                kilobytes: 64,
                upload: false,
                beside: Some("b.example".to_owned()),
            },
            Probe::Throughput {
                host: "a.example".to_owned(),
                address: None,
                kilobytes: 64,
                upload: true,
                at_least: 1000,
                beside: Some("b.example".to_owned()),
            },
        ];
        insta::assert_snapshot!(probes.each_ref().map(describe).join("\n"));
        let keys: Vec<String> = probes.iter().map(target_key).collect();
        assert!(keys.contains(&"https://a.example/".to_owned()) && keys.contains(&"whatsapp".to_owned()));
    }
}
