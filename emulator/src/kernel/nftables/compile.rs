//! From a planned rule to nftables' expressions.

use std::collections::BTreeMap;
use std::ffi::CString;

use nftnl_sys::libc;
use roadblock_censor::policy::Rejection;

use super::QueueKind;
use super::expression::{Expression, FIRST_REGISTER, REGISTER};
use crate::plan::ruleset::{End, LOG_GROUP, Match, PacketFamily, QUEUE, RulePlan, Statement};
use crate::plan::topology::UP;

/// How much of a packet the log carries: enough for any header that names the flow.
const LOG_LENGTH: u32 = 128;

/// The sets of the table by name, with the ids that the batch gives them.
pub(super) type SetIds = BTreeMap<String, u32>;

pub(super) fn rule(plan: &RulePlan, sets: &SetIds, queue: QueueKind) -> Vec<Expression> {
    let mut expressions = Vec::new();
    for each in &plan.matches {
        matches(each, sets, &mut expressions);
    }
    for each in &plan.then {
        statement(each, sets, queue, &mut expressions);
    }
    expressions
}

fn matches(each: &Match, sets: &SetIds, out: &mut Vec<Expression>) {
    match each {
        Match::Family(family) => {
            let number = match family {
                PacketFamily::V4 => libc::NFPROTO_IPV4,
                PacketFamily::V6 => libc::NFPROTO_IPV6,
            };
            out.push(Expression::Meta { key: libc::NFT_META_NFPROTO, register: REGISTER });
            out.push(equal(vec![u8::try_from(number).unwrap_or(0)]));
        }
        Match::Protocol(protocol) => {
            out.push(Expression::Meta { key: libc::NFT_META_L4PROTO, register: REGISTER });
            out.push(equal(vec![*protocol]));
        }
        Match::Inbound(inbound) => {
            let mut name = UP.as_bytes().to_vec();
            name.resize(16, 0);
            out.push(Expression::Meta { key: libc::NFT_META_IIFNAME, register: REGISTER });
            out.push(Expression::Compare { equal: *inbound, data: name });
        }
        Match::Fragment(family) => fragment(*family, true, out),
        Match::Whole(family) => fragment(*family, false, out),
        Match::IcmpType(most) => {
            out.push(transport(0, 1, REGISTER));
            out.push(Expression::AtMost(vec![*most]));
        }
        Match::NoTcpFlags(flags) => {
            out.push(transport(13, 1, REGISTER));
            out.push(Expression::Mask { mask: vec![*flags] });
            out.push(equal(vec![0]));
        }
        Match::Address(family, end, set) => {
            out.push(address(*family, *end, REGISTER));
            out.push(Expression::Lookup { set: text(set), id: id(sets, set), register: REGISTER });
        }
        Match::Ports(end, first, last) => {
            let offset = if *end == End::Source { 0 } else { 2 };
            out.push(transport(offset, 2, REGISTER));
            if first == last {
                out.push(equal(first.to_be_bytes().to_vec()));
            } else {
                out.push(Expression::AtLeast(first.to_be_bytes().to_vec()));
                out.push(Expression::AtMost(last.to_be_bytes().to_vec()));
            }
        }
        Match::Flow(family, set) => {
            flow_key(*family, out);
            out.push(Expression::Lookup { set: text(set), id: id(sets, set), register: FIRST_REGISTER });
        }
        Match::Mark(mark) => {
            out.push(Expression::Meta { key: libc::NFT_META_MARK, register: REGISTER });
            out.push(equal(mark.to_ne_bytes().to_vec()));
        }
    }
}

fn statement(each: &Statement, sets: &SetIds, queue: QueueKind, out: &mut Vec<Expression>) {
    match each {
        Statement::Log(prefix) => {
            out.push(Expression::Log { group: LOG_GROUP, prefix: text(prefix), length: LOG_LENGTH });
        }
        Statement::AddFlow(family, set) => {
            flow_key(*family, out);
            out.push(Expression::Add { set: text(set), id: id(sets, set), register: FIRST_REGISTER });
        }
        Statement::Accept => out.push(Expression::Verdict(libc::NF_ACCEPT)),
        Statement::Drop => out.push(Expression::Verdict(libc::NF_DROP)),
        Statement::Reject(rejection) => {
            let (kind, code) = match rejection {
                Rejection::TcpReset => (libc::NFT_REJECT_TCP_RST, 0),
                Rejection::NetworkUnreachable => (libc::NFT_REJECT_ICMPX_UNREACH, libc::NFT_REJECT_ICMPX_NO_ROUTE),
                Rejection::HostUnreachable => (libc::NFT_REJECT_ICMPX_UNREACH, libc::NFT_REJECT_ICMPX_HOST_UNREACH),
                Rejection::PortUnreachable => (libc::NFT_REJECT_ICMPX_UNREACH, libc::NFT_REJECT_ICMPX_PORT_UNREACH),
                Rejection::AdministrativelyProhibited => {
                    (libc::NFT_REJECT_ICMPX_UNREACH, libc::NFT_REJECT_ICMPX_ADMIN_PROHIBITED)
                }
            };
            out.push(Expression::Reject { kind, code });
        }
        Statement::Queue => out.push(Expression::Queue { number: QUEUE, kind: queue }),
    }
}

fn fragment(family: PacketFamily, is: bool, out: &mut Vec<Expression>) {
    match family {
        PacketFamily::V4 => {
            // More fragments, or an offset.
            out.push(network(6, 2, REGISTER));
            out.push(Expression::Mask { mask: vec![0x3f, 0xff] });
            out.push(Expression::Compare { equal: !is, data: vec![0, 0] });
        }
        PacketFamily::V6 => {
            out.push(Expression::FragmentHeader { register: REGISTER });
            out.push(Expression::Compare { equal: is, data: vec![1] });
        }
    }
}

/// Loads protocol, source, port, destination and port into registers next to each other.
fn flow_key(family: PacketFamily, out: &mut Vec<Expression>) {
    let words = if family == PacketFamily::V4 { 1 } else { 4 };
    let mut register = FIRST_REGISTER;
    out.push(Expression::Meta { key: libc::NFT_META_L4PROTO, register });
    register += 1;
    for end in [End::Source, End::Destination] {
        out.push(address(family, end, register));
        register += words;
        out.push(transport(if end == End::Source { 0 } else { 2 }, 2, register));
        register += 1;
    }
}

fn address(family: PacketFamily, end: End, register: u32) -> Expression {
    let (offset, length) = match (family, end) {
        (PacketFamily::V4, End::Source) => (12, 4),
        (PacketFamily::V4, End::Destination) => (16, 4),
        (PacketFamily::V6, End::Source) => (8, 16),
        (PacketFamily::V6, End::Destination) => (24, 16),
    };
    network(offset, length, register)
}

fn network(offset: u32, length: u32, register: u32) -> Expression {
    Expression::Payload { base: libc::NFT_PAYLOAD_NETWORK_HEADER, offset, length, register }
}

fn transport(offset: u32, length: u32, register: u32) -> Expression {
    Expression::Payload { base: libc::NFT_PAYLOAD_TRANSPORT_HEADER, offset, length, register }
}

pub(super) fn equal(data: Vec<u8>) -> Expression {
    Expression::Compare { equal: true, data }
}

fn id(sets: &SetIds, name: &str) -> u32 {
    sets.get(name).copied().unwrap_or(0)
}

/// Names and prefixes come from the plan and hold no NUL; one that did would be cut off there.
fn text(value: &str) -> CString {
    let end = value.find('\0').unwrap_or(value.len());
    CString::new(&value[..end]).unwrap_or_default()
}
