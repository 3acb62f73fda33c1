//! The text of a scenario.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::IpAddr;

use ipnet::{Ipv4Net, Ipv6Net};
use roadblock_scenarios::Library;

use super::Imported;
use super::claim::{ConnectionFate, Deed, Findings, Lie, LieAnswer, Redirect, Server, What};
use super::expect;
use super::observations::Observations;
use super::truth::PUBLIC_DNS;
use super::words::{array, one_line, quoted, slug};

/// Writes the scenario that says what was found.
pub(crate) fn write(observations: &Observations, findings: &Findings, library: &Library) -> Imported {
    let id = id(observations);
    let parts = [
        head(&id, observations, findings),
        network(observations, findings, library),
        servers(&findings.servers),
        lies(&findings.lies),
        deeds(&findings.deeds),
        phase(observations),
        expect::expectations(observations, findings),
    ];
    let parts = parts.iter().map(|part| part.trim_end()).filter(|part| !part.is_empty());
    let text = parts.collect::<Vec<_>>().join("\n\n") + "\n";
    Imported { id, text, unknown: findings.unknown.clone() }
}

fn id(observations: &Observations) -> String {
    let parts = [
        Some(observations.test_name.clone()),
        observations.seat.country.clone(),
        observations.day.clone(),
        observations.input.as_ref().map(|input| input.host.clone()),
    ];
    let words: Vec<String> =
        parts.into_iter().flatten().map(|part| slug(&part)).filter(|part| !part.is_empty()).collect();
    format!("imported/{}", words.join("-"))
}

fn head(id: &str, observations: &Observations, findings: &Findings) -> String {
    let what = observations.input.as_ref().map_or_else(|| observations.test_name.clone(), |input| input.host.clone());
    let title = one_line(&format!("{what} as {} saw it from {}", observations.test_name, observations.seat.isp()));
    let mut text = String::from(
        "# Made by `roadblock import ooni` of one measurement. Each claim names what it rests on; what is not said was not met.\n",
    );
    if !findings.unknown.is_empty() {
        text.push_str("#\n# What the measurement does not tell:\n");
        for line in &findings.unknown {
            let _ = writeln!(text, "# - {line}");
        }
    }
    let _ = writeln!(text, "id = {}\ntitle = {}", quoted(id), quoted(&title));
    if !findings.unknown.is_empty() {
        let _ = writeln!(text, "unknown = {}", quoted(&findings.unknown.join(". ")));
    }
    let _ = writeln!(text, "sources = [{{ {} }}]", source(observations));
    let uses = findings.uses.iter().map(String::as_str).chain([PUBLIC_DNS]).collect::<BTreeSet<_>>();
    let _ = writeln!(text, "use = {}", array(uses));
    text
}

fn source(observations: &Observations) -> String {
    let report = observations.report.as_ref().map(|report| format!(", report {report}")).unwrap_or_default();
    let title =
        one_line(&format!("A measurement of OONI's {} by {}{report}", observations.test_name, observations.software));
    let day = observations.day.as_ref().map(|day| format!(", date = {day}")).unwrap_or_default();
    let url = observations
        .report
        .as_ref()
        .filter(|report| report.bytes().all(|each| each.is_ascii_alphanumeric() || each == b'_'));
    let url =
        url.map(|report| format!(", url = {}", quoted(&format!("https://explorer.ooni.org/measurement/{report}"))));
    format!("title = {}{day}{}", quoted(&title), url.unwrap_or_default())
}

fn network(observations: &Observations, findings: &Findings, library: &Library) -> String {
    let seat = &observations.seat;
    let mut text = String::from("[hop.access]\n\n[hop.filter]\n\n[hop.elsewhere]\n\n[vantage.client]\n");
    let _ = writeln!(text, "isp = {}", quoted(&seat.isp()));
    text.push_str("path = [\"access\", \"filter\"]\nresolvers = [\"isp\"]\n");
    if findings.only_v4 {
        text.push_str("# No connection over IPv6 found a way.\nfamilies = [\"v4\"]\n");
    }
    if let Some((v4, v6)) = space(observations, findings, library) {
        text.push_str("# The address space is assumed: the library has none for this network, or servers of the measurement lie in it.\n");
        let _ = writeln!(text, "address = {{ v4 = \"{v4}\", v6 = \"{v6}\" }}");
    }
    text.push_str(
        "\n[vantage.control]\nisp = \"AS3320 Deutsche Telekom\"\npath = [\"elsewhere\"]\nresolvers = [\"8.8.8.8\"]\n",
    );
    text.push_str("\n[resolver.isp]\nat = \"access\"\n");
    if let Some(resolver) = seat.resolver {
        let _ = writeln!(text, "# The names' servers saw {resolver}.");
    }
    text
}

/// Address space for the client, where the library's cannot be used: that of no machine that was measured.
fn space(observations: &Observations, findings: &Findings, library: &Library) -> Option<(Ipv4Net, Ipv6Net)> {
    let servers = findings.servers.iter().flat_map(|server| server.addresses.iter().copied());
    let deeds = findings.deeds.iter().flat_map(|deed| deed.addresses.iter().copied());
    let taken: Vec<IpAddr> = servers.chain(deeds).collect();
    let is_free = |(v4, v6): &(Ipv4Net, Ipv6Net)| {
        !taken.iter().any(|address| match address {
            IpAddr::V4(address) => v4.contains(address),
            IpAddr::V6(address) => v6.contains(address),
        })
    };
    if observations.seat.asn.and_then(|asn| library.space_of(asn)).is_some_and(|known| is_free(&known)) {
        return None;
    }
    let v6: Ipv6Net = ASSUMED_V6.parse().ok()?;
    // So many spaces cannot all be taken: a measurement has fewer addresses than there are.
    (0..=u8::MAX).find_map(|part| Some((Ipv4Net::new([91, 201, part, 0].into(), 20).ok()?.trunc(), v6)).filter(is_free))
}

fn servers(servers: &[Server]) -> String {
    let mut text = String::new();
    for server in servers {
        let _ = writeln!(text, "# {}", one_line(&server.evidence));
        let _ = writeln!(text, "[[host]]\nnames = {}\naddresses = {}", array(&server.names), array(&server.addresses));
        let _ = writeln!(text, "listen = {}", array(&server.listen));
        if let Some(certificate) = server.certificate {
            let _ = writeln!(text, "certificate = {}", quoted(certificate));
        }
        if server.hidden {
            text.push_str("hidden = true\n");
        }
        let length = Some(server.page.length).filter(|length| *length > 0).map(|length| length.min(LONGEST_PAGE));
        let length = length.map(|length| format!(", length = {length}")).unwrap_or_default();
        let _ = writeln!(text, "page = {{ title = {}{length} }}", quoted(&server.page.title));
        for Redirect { path, status, location } in &server.redirects {
            let (path, location) = (quoted(path), quoted(location));
            let _ = writeln!(text, "[[host.answer]]\npath = {path}\nstatus = {status}\nlocation = {location}");
        }
        if (400..600).contains(&server.page.status) {
            let _ = writeln!(text, "[[host.answer]]\nstatus = {}", server.page.status);
        }
        text.push('\n');
    }
    text
}

fn lies(lies: &[Lie]) -> String {
    let mut text = String::new();
    for (number, lie) in lies.iter().enumerate() {
        let _ = writeln!(text, "# {}", one_line(&lie.evidence));
        let _ = writeln!(
            text,
            "[[resolver.isp.lies]]\nid = \"lie-{}\"\nnames = [{}]",
            number + 1,
            quoted(&format!("={}", lie.name))
        );
        let _ = writeln!(text, "answer = {{ {} }}\n", lie_answer(&lie.answer));
    }
    text
}

fn lie_answer(answer: &LieAnswer) -> String {
    match answer {
        LieAnswer::Code(code) => format!("rcode = {}", quoted(code)),
        LieAnswer::Addresses(addresses) => format!("addresses = {}", array(addresses)),
        LieAnswer::Silence => "silence = true".to_owned(),
    }
}

fn deeds(deeds: &[Deed]) -> String {
    let mut text = String::new();
    for (number, deed) in deeds.iter().enumerate() {
        let _ = writeln!(text, "# {}", one_line(&deed.evidence));
        let _ = writeln!(text, "[censor.{}]\nprofile = \"censors/as-measured\"\nat = \"filter\"", censor(number));
        if !deed.addresses.is_empty() {
            let _ = writeln!(text, "addresses = {}", array(&deed.addresses));
        }
        if let Some(port) = deed.port {
            let _ = writeln!(text, "ports = [{port}]");
        }
        let rule = deed.what.rule();
        let exactly = |name: &super::words::HostName| array([format!("={name}")]);
        let _ = match &deed.what {
            What::Connection(
                ConnectionFate::Drop
                | ConnectionFate::Refuse
                | ConnectionFate::HostUnreachable
                | ConnectionFate::NetworkUnreachable,
            ) => writeln!(text, "{rule} = true"),
            What::Handshake(name, _) | What::Secure(name, _) | What::Request(name, _) | What::Quic(name) => {
                writeln!(text, "{rule} = {}", exactly(name))
            }
            What::Page(name, page) => writeln!(text, "{rule} = {}\npage = {}", exactly(name), quoted(page)),
            What::Query(name, LieAnswer::Addresses(addresses)) => {
                writeln!(text, "{rule} = {}\ndns-forged = {}", exactly(name), array(addresses))
            }
            What::Query(name, _) => writeln!(text, "{rule} = {}", exactly(name)),
        };
        text.push('\n');
    }
    text
}

/// What the box is called that does the deed of this number.
pub(crate) fn censor(number: usize) -> String {
    format!("box-{}", number + 1)
}

fn phase(observations: &Observations) -> String {
    let day = observations.day.as_ref().map(|day| format!("date = {day}\n")).unwrap_or_default();
    format!("[[phase]]\nid = \"measured\"\n{day}")
}

/// The longest page that a host may have.
const LONGEST_PAGE: usize = 16 * 1024 * 1024;
const ASSUMED_V6: &str = "2a0e:8f00::/32";

#[cfg(test)]
mod tests {
    use roadblock_scenarios::is_public;

    use super::*;

    #[test]
    fn assumed_space_is_public() {
        assert!(is_public(ASSUMED_V6.parse::<Ipv6Net>().expect("a prefix").network().into()));
        assert!(is_public([91, 201, 0, 1].into()));
    }
}
