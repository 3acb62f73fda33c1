//! A scenario in few words, the same on every run.

use std::fmt::Write;

use roadblock_censor::policy::{Condition, Content, DnsQuestion, HelloQuestion, Response, Threshold, TlsQuestion};
use roadblock_censor::{NameSet, PrefixSet};
use roadblock_scenarios::Scenario;

/// Who sits where and what holds in each phase.
pub(crate) fn render(scenario: &Scenario) -> String {
    let mut text = format!("{}: {}\n", scenario.id, scenario.title);
    for hop in &scenario.hops {
        line(&mut text, &format!("hop {}: {} {}", hop.name, hop.v4, hop.v6));
    }
    for each in &scenario.vantages {
        let (network, path) = (&each.network, each.path.join(" -> "));
        let seat = format!("AS{} {}, {} {}, {path}, {:?}", network.asn, network.operator, each.v4, each.v6, each.delay);
        line(&mut text, &format!("vantage {}: {seat}, resolvers {:?}", each.name, each.resolvers));
    }
    for each in &scenario.resolvers {
        line(&mut text, &format!("resolver {} at {}: {:?}", each.name, each.at, each.addresses));
    }
    for each in &scenario.censors {
        line(&mut text, &format!("censor {} at {}: {}", each.name, each.at, each.profile));
    }
    for phase in &scenario.phases {
        line(&mut text, &format!("\nphase {} {}", phase.id, phase.date.as_deref().unwrap_or("without a date")));
        for (resolver, lies) in &phase.state.lies {
            for lie in lies {
                line(
                    &mut text,
                    &format!("  {resolver}/{} {:?}: {} -> {:?}", lie.id, lie.grade, names(&lie.names), lie.answer),
                );
            }
        }
        for in_box in phase.state.policies.values().flat_map(|policy| &policy.boxes) {
            for rule in &in_box.rules {
                let (name, when) = (&in_box.name, condition(&rule.when));
                line(
                    &mut text,
                    &format!("  {name}/{} {:?}: {when} -> {}", rule.id, rule.grade, response(&rule.trigger)),
                );
                if let Some(after) = &rule.after {
                    line(&mut text, &format!("    {}", threshold(after)));
                }
                for residual in &rule.residuals {
                    let (inbound, outbound) = (response(&residual.inbound), response(&residual.outbound));
                    let then = format!("in {inbound}, out {outbound}, {:?} for {:?}", residual.key, residual.last);
                    line(&mut text, &format!("    then {then}"));
                    if let Some(after) = &residual.after {
                        line(&mut text, &format!("    then {}", threshold(after)));
                    }
                }
            }
        }
    }
    text
}

fn threshold(after: &Threshold) -> String {
    format!("after {} to {} {:?}, {:?}", after.least, after.most, after.unit, after.count)
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a string takes all");
}

fn condition(condition: &Condition) -> String {
    let all = |all: &[Condition]| all.iter().map(self::condition).collect::<Vec<_>>().join(", ");
    match condition {
        Condition::All(inner) => format!("all({})", all(inner)),
        Condition::Any(inner) => format!("any({})", all(inner)),
        Condition::Not(inner) => format!("not({})", self::condition(inner)),
        Condition::Content(Content::Tls(TlsQuestion::Hello(HelloQuestion::Sni(set)))) => format!("sni {}", names(set)),
        Condition::Content(Content::Dns(DnsQuestion::Name(set))) => format!("qname {}", names(set)),
        Condition::ServerAddress(set) => format!("address {}", prefixes(set)),
        Condition::ServerPort(set) => format!("port {set}"),
        other => format!("{other:?}"),
    }
}

fn response(response: &Response) -> String {
    if response.inject.is_empty() {
        return format!("{:?}", response.fate);
    }
    format!("{:?} with {:?}", response.fate, response.inject)
}

fn names(set: &NameSet) -> String {
    format!("{:?}", set.iter().collect::<Vec<_>>())
}

fn prefixes(set: &PrefixSet) -> String {
    let v4 = set
        .v4_ranges()
        .iter()
        .map(|(first, last)| format!("{}-{}", std::net::Ipv4Addr::from(*first), std::net::Ipv4Addr::from(*last)));
    let v6 = set
        .v6_ranges()
        .iter()
        .map(|(first, last)| format!("{}-{}", std::net::Ipv6Addr::from(*first), std::net::Ipv6Addr::from(*last)));
    format!("[{}]", v4.chain(v6).collect::<Vec<_>>().join(", "))
}
