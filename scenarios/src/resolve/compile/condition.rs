//! `when` becomes a condition.

use std::sync::Arc;

use ipnet::IpNet;
use roadblock_censor::dissect::openvpn::{AckRule, OpcodeRule};
use roadblock_censor::dissect::wireguard::Amnezia;
use roadblock_censor::policy::{
    Anomaly, BytePrefix, BytesQuestion, Condition, Content, DailyTime, Look, MAX_BYTE_PREFIX, Measure, PacketQuestion,
    PortSet, Speech, TcpFlags,
};
use roadblock_censor::{NamePattern, NameSet, PrefixSet};

use super::super::arguments::Setting;
use super::super::items::expand;
use super::Compiler;
use crate::declare::{
    Argument, Between, FlagSet, HexBytes, Items, MeasureLimits, OpenVpnMark, PortRange, Side, TransportProtocol, When,
    WhenAmneziaWg, WhenClient, WhenPacket, WhenPayload, WhenTcp,
};
use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::read::{Located, OneOrMany};
use crate::source::Text;
use crate::suggest;

impl Compiler<'_, '_> {
    /// All that a `when` says, joined by "and".
    pub(super) fn condition(&mut self, when: &When) -> Condition {
        let mut all = self.conditions(when);
        match (all.len(), all.pop()) {
            (1, Some(only)) => only,
            (_, last) => Condition::All(all.into_iter().chain(last).collect()),
        }
    }

    /// Which later packets a punishment covers: what they are is seen in their headers, not in what they carry.
    pub(super) fn later_packets(&mut self, when: &When) -> Condition {
        if let Some(key) = when.beyond_headers() {
            let message = format!("`{key}` is not asked of later packets, of which only the headers are looked at");
            let help = "say which they are by `tcp.flags`, `direction`, `protocol`, `server.port` or `payload.length`";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, when.at(), message).help(help));
        }
        self.condition(when)
    }

    fn conditions(&mut self, when: &When) -> Vec<Condition> {
        let mut all = Vec::new();
        if let Some(protocol) = when.protocol {
            all.push(on_protocol(protocol));
        }
        all.extend(when.direction.map(Condition::Direction));
        all.extend(when.client.iter().flat_map(|client| self.client(client)));
        if let Some(server) = &when.server {
            all.extend(server.port.as_ref().map(|ports| Condition::ServerPort(self.ports(ports))));
            all.extend(server.address.as_ref().map(|prefixes| Condition::ServerAddress(self.prefixes(prefixes))));
        }
        if let Some(flow) = &when.flow {
            all.push(match flow.client {
                Side::Inside => Condition::ClientInside,
                Side::Outside => Condition::Not(Box::new(Condition::ClientInside)),
            });
        }
        all.extend(when.tls.iter().flat_map(|tls| self.tls(tls)));
        all.extend(when.quic.iter().flat_map(|quic| self.quic(quic)));
        all.extend(when.dtls.iter().flat_map(|dtls| self.dtls(dtls)));
        all.extend(when.http.iter().flat_map(|http| self.http(http)));
        all.extend(when.dns.iter().flat_map(|dns| self.dns(dns)));
        all.extend(contents(when));
        let looks = |looks: &OneOrMany<Look>| Condition::Content(Content::Look(looks.0.clone()));
        all.extend(when.looks_like.as_ref().map(looks));
        all.extend(when.payload.iter().flat_map(|payload| self.payload(payload)));
        all.extend(when.packet.iter().flat_map(|packet| self.packet(packet)));
        all.extend(when.tcp.iter().flat_map(|tcp| self.header(tcp)));
        all.extend(when.time.map(|time| Condition::Time(DailyTime { from: time.from, until: time.until })));
        all.extend(when.fired.as_ref().map(|rule| Condition::Fired(self.rule_id(rule))));
        if let Some(enabled) = &when.enabled {
            // All of nothing holds, any of nothing does not.
            let constant = if self.boolean(enabled) { Condition::All } else { Condition::Any };
            all.push(constant(Vec::new()));
        }
        if let Some(not) = &when.not {
            all.extend(self.conditions(not).into_iter().map(|each| Condition::Not(Box::new(each))));
        }
        if let Some(any) = &when.any {
            all.push(Condition::Any(any.iter().map(|each| self.condition(each)).collect()));
        }
        all
    }

    fn client(&mut self, client: &WhenClient) -> Vec<Condition> {
        let mut all = Vec::new();
        all.extend(client.port.as_ref().map(|ports| Condition::ClientPort(self.ports(ports))));
        all.extend(client.address.as_ref().map(|prefixes| Condition::ClientAddress(self.prefixes(prefixes))));
        all.extend(client.port_above_server.map(|above| as_said(above, Condition::ClientPortAboveServer)));
        all
    }

    fn packet(&mut self, packet: &WhenPacket) -> Vec<Condition> {
        let mut all = Vec::new();
        let length =
            packet.length.as_ref().map(|length| PacketQuestion::Length { least: length.least, most: length.most });
        all.extend(length.map(Condition::Packet));
        if let Some(ttl) = &packet.ttl {
            let (least, most) = self.octets(ttl, "a time to live");
            all.push(Condition::Packet(PacketQuestion::Ttl { least, most }));
        }
        all.extend(packet.fragment.map(|is| as_said(is, Condition::Packet(PacketQuestion::Fragment))));
        if let Some(anomalies) = &packet.anomaly {
            let each = |anomaly: &Anomaly| Condition::Packet(PacketQuestion::Anomaly(*anomaly));
            all.push(Condition::Any(anomalies.0.iter().map(each).collect()));
        }
        all
    }

    fn header(&mut self, tcp: &WhenTcp) -> Vec<Condition> {
        let mut all = Vec::new();
        if let Some(FlagSet(set)) = tcp.flags {
            let of = TcpFlags(set.0 | TcpFlags::SYN_ACK.0 | TcpFlags::FIN.0 | TcpFlags::RST.0);
            all.push(Condition::Packet(PacketQuestion::Flags { of, set }));
        }
        if let Some(length) = &tcp.header_length {
            let (least, most) = self.octets(length, "the length of a TCP header");
            all.push(Condition::Packet(PacketQuestion::TcpHeader { least, most }));
        }
        all
    }

    /// Limits of a number that has eight bits; no upper limit is the largest.
    fn octets(&mut self, between: &Between, what: &str) -> (u8, u8) {
        let most = if between.most == u16::MAX { u16::from(u8::MAX) } else { between.most };
        if let (Ok(least), Ok(most)) = (u8::try_from(between.least), u8::try_from(most)) {
            return (least, most);
        }
        let message = format!("{what} is at most 255");
        self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, between.at(), message));
        (0, u8::MAX)
    }

    fn rule_id(&mut self, id: &Text) -> Arc<str> {
        let mut ids = self.profile.rules.iter().map(|rule| rule.id.value.as_str());
        if !ids.clone().any(|each| each == id.value) {
            let message = format!("the profile has no rule `{}`", id.value);
            let help = suggest::help("its rules are", id, ids.by_ref());
            self.errors.push(Diagnostic::new(DiagnosticKind::UnknownRule, &id.at, message).help(help));
        }
        id.as_str().into()
    }

    pub(super) fn names(&mut self, argument: &Argument<Items>) -> NameSet {
        let names: Vec<NamePattern> = match argument {
            Argument::Literal(items) => expand(items, self.context, self.errors),
            Argument::Parameter(name) => match self.setting(name) {
                Some(Setting::Names(names)) => names.clone(),
                other => self.mistyped(name, "a list of names", other).unwrap_or_default(),
            },
        };
        names.into_iter().collect()
    }

    pub(super) fn prefixes(&mut self, argument: &Argument<Items>) -> PrefixSet {
        let prefixes: Vec<IpNet> = match argument {
            Argument::Literal(items) => expand(items, self.context, self.errors),
            Argument::Parameter(name) => match self.setting(name) {
                Some(Setting::Prefixes(prefixes)) => prefixes.clone(),
                other => self.mistyped(name, "a list of prefixes", other).unwrap_or_default(),
            },
        };
        prefixes.into_iter().collect()
    }

    /// What a `payload` says of its bytes and its length.
    fn payload(&mut self, payload: &WhenPayload) -> Vec<Condition> {
        let asked = |question| Condition::Content(Content::Bytes(question));
        let mut all = Vec::new();
        all.extend(payload.starts.as_ref().map(|starts| self.starts(payload, starts)));
        let length = payload.length.as_ref();
        let length = length.map(|length| PacketQuestion::PayloadLength { least: length.least, most: length.most });
        all.extend(length.map(Condition::Packet));
        let contains = payload.contains.as_ref().and_then(|words| self.keywords(words, payload));
        all.extend(contains.map(|words| asked(BytesQuestion::Contains(words))));
        all.extend(payload.first.map(|is| as_said(is, asked(BytesQuestion::First))));
        let measures = [
            (&payload.popcount, Measure::Popcount),
            (&payload.entropy, Measure::Entropy),
            (&payload.printable, Measure::Printable),
            (&payload.printable_prefix, Measure::PrintablePrefix),
            (&payload.printable_run, Measure::PrintableRun),
        ];
        all.extend(measures.into_iter().filter_map(|(limits, of)| {
            let MeasureLimits { least, most } = *limits.as_ref()?;
            Some(asked(BytesQuestion::Measure { of, least, most }))
        }));
        all.extend(payload.fully_encrypted.map(|is| as_said(is, asked(BytesQuestion::FullyEncrypted))));
        self.check_asked(all.is_empty(), payload, "the payload", "`starts = \"57 41\"` or `length = { min = 1001 }`");
        all
    }

    fn starts(&mut self, payload: &WhenPayload, starts: &OneOrMany<HexBytes>) -> Condition {
        let offset = usize::from(payload.offset);
        let prefix = |bytes: &HexBytes| BytePrefix { offset, bytes: bytes.0.clone() };
        let starts: Vec<BytePrefix> = starts.0.iter().map(prefix).collect();
        if starts.iter().any(|prefix| prefix.offset + prefix.bytes.len() > MAX_BYTE_PREFIX) {
            let message = format!("a box looks at no more than the first {MAX_BYTE_PREFIX} bytes");
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, payload.at(), message));
        }
        Condition::starts(starts)
    }

    fn ports(&mut self, argument: &Argument<OneOrMany<PortRange>>) -> PortSet {
        let ranges: Vec<PortRange> = match argument {
            Argument::Literal(ports) => ports.0.clone(),
            Argument::Parameter(name) => match self.setting(name) {
                Some(Setting::Ports(ports)) => ports.clone(),
                other => self.mistyped(name, "a list of ports", other).unwrap_or_default(),
            },
        };
        ranges.into_iter().map(|range| range.first..=range.last).collect()
    }

    fn boolean(&mut self, argument: &Argument<bool>) -> bool {
        match argument {
            Argument::Literal(value) => *value,
            Argument::Parameter(name) => match self.setting(name) {
                Some(Setting::Boolean(value)) => *value,
                other => self.mistyped(name, "a boolean", other).unwrap_or_default(),
            },
        }
    }
}

/// What is read beyond headers, TLS and DNS.
fn contents(when: &When) -> Vec<Condition> {
    let udp = when.udp.as_ref();
    let said = [
        (udp.and_then(|udp| udp.stun), Speech::Stun),
        (udp.and_then(|udp| udp.dtls), Speech::DtlsHello),
        (when.whatsapp.as_ref().map(|whatsapp| whatsapp.chat), Speech::WhatsAppChat),
        (when.telegram.as_ref().and_then(|telegram| telegram.transport), Speech::TelegramTransport),
        (when.telegram.as_ref().and_then(|telegram| telegram.fake_tls), Speech::TelegramFakeTls),
        (when.tor.as_ref().map(|tor| tor.tls), Speech::TorTls),
        (when.ssh.as_ref().map(|ssh| ssh.banner), Speech::SshBanner),
    ];
    let speech = |speech| Condition::Content(Content::Speech(speech));
    let said = said.into_iter().filter_map(|(wanted, form)| Some(as_said(wanted?, speech(form))));
    let wireguard = when.wireguard.map(|kind| speech(Speech::WireGuard(kind.0)));
    let amneziawg = when.amneziawg.as_ref().map(|said| speech(amneziawg(said)));
    let openvpn = when.openvpn.map(|mark| {
        speech(match mark {
            OpenVpnMark::Kind(kind) => Speech::OpenVpn(kind),
            OpenVpnMark::Opcodes => Speech::OpenVpnOpcodes(OpcodeRule::default()),
            OpenVpnMark::Acks => Speech::OpenVpnAcks(AckRule::default()),
        })
    });
    let socks = when.socks.map(|version| speech(Speech::Socks(version.0)));
    said.chain(wireguard).chain(amneziawg).chain(openvpn).chain(socks).collect()
}

fn amneziawg(said: &WhenAmneziaWg) -> Speech {
    let headers = [said.h1, said.h2, said.h3, said.h4];
    Speech::AmneziaWg(Amnezia { junk: None, s1: said.s1, s2: said.s2, headers }, said.kind.0)
}

/// The condition, or that it does not hold.
pub(super) fn as_said(holds: bool, condition: Condition) -> Condition {
    if holds { condition } else { Condition::Not(Box::new(condition)) }
}

/// The numbers are IANA's.
fn on_protocol(protocol: TransportProtocol) -> Condition {
    match protocol {
        TransportProtocol::Tcp => Condition::Protocol(6),
        TransportProtocol::Udp => Condition::Protocol(17),
        TransportProtocol::Icmp => Condition::Any(vec![Condition::Protocol(1), Condition::Protocol(58)]),
    }
}
