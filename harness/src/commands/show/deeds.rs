//! What a rule or a lie does, in words.

use std::time::Duration;

use roadblock_censor::policy::{
    DnsForgery, Fate, Injection, InjectionKind, Per, Police, Recipient, Redirect, Refresh, Rejection, Residual,
    ResidualKey, Response, Rule, Sees, SegmentShape, Shape, TcpFlags, Threshold, ThresholdUnit,
};
use roadblock_scenarios::model::LieAnswer;

/// What a lying resolver says.
pub(super) fn of_lie(answer: &LieAnswer) -> String {
    match answer {
        LieAnswer::Forged(forgery) => format!("answers {}", of_forgery(forgery)),
        LieAnswer::Silence => "says nothing".to_owned(),
    }
}

/// What a rule does to the packet that it matches, and what follows.
pub(super) fn of_rule(rule: &Rule) -> String {
    let trigger = of_response(&rule.trigger);
    let after = rule.after.as_ref().map(|after| format!("after {}: ", of_threshold(after))).unwrap_or_default();
    let residual: String = rule.residuals.iter().map(of_residual).collect();
    let miss = if rule.miss > 0.0 { format!("; misses {} %", rule.miss * 100.0) } else { String::new() };
    let suspect = if rule.suspect { "; then a prober looks at the server" } else { "" };
    format!("{after}{trigger}{residual}{suspect}{miss}")
}

fn of_response(response: &Response) -> String {
    let fate = match &response.fate {
        Fate::Pass => "pass".to_owned(),
        Fate::Drop => "drop".to_owned(),
        Fate::Reject(rejection) => format!("reject with {}", of_rejection(*rejection)),
        Fate::Rewrite(rewrite) if rewrite.strip_payload => "rewrite without payload".to_owned(),
        Fate::Rewrite(_) => "rewrite".to_owned(),
        Fate::Lose(probability) => format!("lose {} %", probability * 100.0),
        Fate::Police(police) => of_police(police),
        Fate::Shape(shape) => of_shape(shape),
        Fate::Corrupt(_) => "corrupt".to_owned(),
        Fate::Redirect(redirect) => of_redirect(redirect),
        Fate::Divert => "hand to an interceptor".to_owned(),
    };
    let injections = response.inject.iter().map(of_injection);
    std::iter::once(fate).chain(injections).collect::<Vec<_>>().join(", ")
}

fn of_injection(injection: &Injection) -> String {
    match &injection.kind {
        InjectionKind::Segment(segment) => of_segment(segment),
        InjectionKind::Dns(answer) => format!("inject the answer {}", of_forgery(&answer.forgery)),
        InjectionKind::Icmp { error, .. } => format!("inject {}", of_rejection(*error)),
    }
}

fn of_segment(segment: &SegmentShape) -> String {
    let is_reset = segment.flags.contains(TcpFlags::RST);
    let (one, several) = match (is_reset, segment.payload.is_empty()) {
        (true, _) => ("a reset", "resets"),
        (false, true) => ("a segment", "segments"),
        (false, false) => ("data", "data"),
    };
    match segment.to {
        Recipient::Client => format!("inject {one} to the client"),
        Recipient::Server => format!("inject {one} to the server"),
        Recipient::Both => format!("inject {several} to both ends"),
    }
}

fn of_residual(residual: &Residual) -> String {
    let scope = match residual.key {
        ResidualKey::FourTuple => "the connection",
        ResidualKey::ThreeTuple => "client, server and port",
        ResidualKey::TwoTuple => "client and server",
        ResidualKey::ServerEndpoint => "server and port",
        ResidualKey::Server => "the server",
        ResidualKey::Client => "the client",
    };
    let (outbound, inbound) = (of_response(&residual.outbound), of_response(&residual.inbound));
    let both =
        if outbound == inbound { format!("{outbound} both ways") } else { format!("out {outbound}, in {inbound}") };
    let after = residual.after.as_ref().map(|after| format!("after {}, ", of_threshold(after))).unwrap_or_default();
    let begins = match residual.begins {
        Duration::ZERO => String::new(),
        begins => format!("from {} on, ", of_duration(begins)),
    };
    let hits =
        if residual.hits < 1.0 { format!(" on {} % of connections", residual.hits * 100.0) } else { String::new() };
    let some = if residual.when.is_some() { "some packets " } else { "" };
    let refresh = match residual.refresh {
        Refresh::Never => "",
        Refresh::OnPacket => ", anew with each packet",
        Refresh::OnClientPacket => ", anew with each packet out",
    };
    let lasts = of_duration(residual.last);
    format!("; then {begins}{lasts} on {scope}{hits}{refresh}: {some}{after}{both}")
}

fn of_threshold(after: &Threshold) -> String {
    let unit = match after.unit {
        ThresholdUnit::Packets => "packets",
        ThresholdUnit::Bytes => "bytes",
        ThresholdUnit::Connections => "connections",
    };
    let way = match after.count {
        Sees::Both => "",
        Sees::Outbound => " out",
        Sees::Inbound => " in",
    };
    let within = after.within.map(|within| format!(" within {}", of_duration(within))).unwrap_or_default();
    let per = match after.per {
        Per::Flow => String::new(),
        shared => format!(" for each {}", of_per(shared)),
    };
    if after.least == after.most {
        format!("{} {unit}{way}{within}{per}", after.least)
    } else {
        format!("{} to {} {unit}{way}{within}{per}", after.least, after.most)
    }
}

fn of_police(police: &Police) -> String {
    format!("drop what comes above {} for each {}", of_rate(police.bits_per_second), of_per(police.per))
}

fn of_shape(shape: &Shape) -> String {
    format!("delay what comes above {} for each {}", of_rate(shape.bits_per_second), of_per(shape.per))
}

fn of_per(per: Per) -> &'static str {
    match per {
        Per::Flow => "connection",
        Per::ThreeTuple => "client, server and port",
        Per::TwoTuple => "client and server",
        Per::Client => "client",
    }
}

fn of_rate(bits_per_second: u64) -> String {
    if bits_per_second.is_multiple_of(1000) {
        format!("{} kbit/s", bits_per_second / 1000)
    } else {
        format!("{bits_per_second} bit/s")
    }
}

fn of_redirect(redirect: &Redirect) -> String {
    let addresses = redirect.v4.map(|address| address.to_string()).into_iter();
    let addresses = addresses.chain(redirect.v6.map(|address| address.to_string()));
    format!("redirect to {}", addresses.collect::<Vec<_>>().join(" and "))
}

fn of_rejection(rejection: Rejection) -> &'static str {
    match rejection {
        Rejection::TcpReset => "a TCP reset",
        Rejection::NetworkUnreachable => "ICMP network unreachable",
        Rejection::HostUnreachable => "ICMP host unreachable",
        Rejection::PortUnreachable => "ICMP port unreachable",
        Rejection::AdministrativelyProhibited => "ICMP administratively prohibited",
    }
}

fn of_forgery(forgery: &DnsForgery) -> String {
    // RFC 1035 section 4.1.1.
    match forgery.rcode {
        0 if forgery.addresses.is_empty() => "with no address".to_owned(),
        0 => forgery.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        2 => "SERVFAIL".to_owned(),
        3 => "NXDOMAIN".to_owned(),
        5 => "REFUSED".to_owned(),
        other => format!("response code {other}"),
    }
}

/// `76 s` or `2 ms`.
pub(super) fn of_duration(duration: Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{} ms", duration.as_millis())
    }
}
