//! A translator's table: connection tracking as Linux does it, what does not fit dropped, and one address for all inside.

use std::net::Ipv4Addr;

use nftnl::{Chain, ChainType, Hook, MsgType, Policy, ProtoFamily, Rule};
use nftnl_sys::libc;

use super::compile::equal;
use super::expression::{Expression, REGISTER};
use super::table::{TableError, c_text, commit};
use super::transaction::Draft;
use crate::kernel::netfilter::Socket;
use crate::plan::nat::{NatPlan, TranslatorKind};
use crate::plan::topology::UP;

/// The table's name.
const TABLE: &str = "roadblock-nat";

/// The states of connection tracking, as bits (`enum ip_conntrack_info` and `NF_CT_STATE_INVALID_BIT`).
const INVALID: u32 = 1;
const NEW: u32 = 1 << 3;

/// Loads a translator's table into the namespace of the calling thread, in one transaction.
pub fn load(plan: &NatPlan) -> Result<(), TableError> {
    let socket = Socket::open(1 << 18).map_err(TableError::Socket)?;
    let mut draft = Draft::new();
    let table = nftnl::Table::new(c_text(TABLE), ProtoFamily::Inet);
    draft.add(&table, MsgType::Add, "the table");
    // The provider's translator lets in IPv6, which it does not translate, and answers nobody itself.
    let home = plan.kind == TranslatorKind::Home;
    for (hook, name, closed) in [(Hook::Forward, "forward", home), (Hook::In, "input", true)] {
        let mut chain = Chain::new(c_text(name), &table);
        chain.set_hook(hook, libc::NF_IP_PRI_FILTER);
        chain.set_type(ChainType::Filter);
        chain.set_policy(Policy::Accept);
        draft.add(&chain, MsgType::Add, format!("chain {name}"));
        add(&mut draft, &chain, "what fits no connection", &drop_state(INVALID));
        if closed {
            let unasked = [from_outside(), drop_state(NEW)].concat();
            add(&mut draft, &chain, "what nobody inside asked for", &unasked);
        }
    }
    let mut chain = Chain::new(c_text("postrouting"), &table);
    chain.set_hook(Hook::PostRouting, libc::NF_IP_PRI_NAT_SRC);
    chain.set_type(ChainType::Nat);
    chain.set_policy(Policy::Accept);
    draft.add(&chain, MsgType::Add, "chain postrouting");
    let outside = format!("all comes out as {}", plan.outside);
    add(&mut draft, &chain, &outside, &translate(plan));
    commit(&socket, &draft.finish())
}

fn add(draft: &mut Draft, chain: &Chain<'_>, comment: &str, expressions: &[Expression]) {
    let mut rule = Rule::new(chain);
    for expression in expressions {
        rule.add_expr(expression);
    }
    // A comment that is too long is no reason to go without the rule.
    let _ = rule.set_comment(c_text(comment));
    draft.add(&rule, MsgType::Add, comment);
}

fn from_outside() -> Vec<Expression> {
    vec![Expression::Meta { key: libc::NFT_META_IIFNAME, register: REGISTER }, equal(interface(UP))]
}

fn drop_state(state: u32) -> Vec<Expression> {
    vec![
        Expression::ConnectionState { register: REGISTER },
        Expression::Mask { mask: state.to_ne_bytes().to_vec() },
        Expression::Compare { equal: false, data: 0_u32.to_ne_bytes().to_vec() },
        Expression::Verdict(libc::NF_DROP),
    ]
}

/// `meta nfproto ipv4 oifname "eth0" ip saddr INSIDE snat ip to OUTSIDE`.
fn translate(plan: &NatPlan) -> Vec<Expression> {
    vec![
        Expression::Meta { key: libc::NFT_META_NFPROTO, register: REGISTER },
        equal(vec![u8::try_from(libc::NFPROTO_IPV4).unwrap_or_default()]),
        Expression::Meta { key: libc::NFT_META_OIFNAME, register: REGISTER },
        equal(interface(UP)),
        Expression::Payload { base: libc::NFT_PAYLOAD_NETWORK_HEADER, offset: 12, length: 4, register: REGISTER },
        Expression::Mask { mask: plan.inside.netmask().octets().to_vec() },
        equal(plan.inside.network().octets().to_vec()),
        Expression::Load { register: REGISTER, data: octets(plan.outside) },
        Expression::SourceNat { register: REGISTER },
    ]
}

fn octets(address: Ipv4Addr) -> Vec<u8> {
    address.octets().to_vec()
}

fn interface(name: &str) -> Vec<u8> {
    let mut bytes = name.as_bytes().to_vec();
    bytes.resize(16, 0);
    bytes
}
