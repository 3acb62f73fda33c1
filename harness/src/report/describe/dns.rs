//! DNS messages.

use std::net::IpAddr;

use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::RData;

/// How many addresses of an answer are told.
const TOLD: usize = 3;

/// A message of UDP; `None` where it is none.
pub(super) fn message(bytes: &[u8]) -> Option<String> {
    let message = Message::from_vec(bytes).ok()?;
    let question = message.queries.first();
    let asked = question.map(|query| {
        let name = query.name().to_utf8();
        format!(" {} {}", query.query_type(), name.trim_end_matches('.'))
    });
    if message.metadata.message_type == MessageType::Query {
        return Some(format!("DNS query{}", asked.unwrap_or_default()));
    }
    let answer = match message.metadata.response_code {
        ResponseCode::NoError if message.answers.is_empty() => "no records".to_owned(),
        ResponseCode::NoError => addresses(&message),
        ResponseCode::NXDomain => "NXDOMAIN".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        other => other.to_string(),
    };
    Some(format!("DNS answer{}: {answer}", asked.unwrap_or_default()))
}

/// A message of TCP, after its length.
pub(super) fn over_tcp(bytes: &[u8]) -> Option<String> {
    message(bytes.get(2..)?).map(|words| format!("{words} over TCP"))
}

fn addresses(message: &Message) -> String {
    let all: Vec<IpAddr> = message
        .answers
        .iter()
        .filter_map(|record| match &record.data {
            RData::A(address) => Some(IpAddr::V4(address.0)),
            RData::AAAA(address) => Some(IpAddr::V6(address.0)),
            _ => None,
        })
        .collect();
    if all.is_empty() {
        return format!("{} records", message.answers.len());
    }
    let told: Vec<String> = all.iter().take(TOLD).map(ToString::to_string).collect();
    let more = if all.len() > TOLD { format!(" and {} more", all.len() - TOLD) } else { String::new() };
    format!("{}{more}", told.join(", "))
}
