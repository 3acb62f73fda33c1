//! The expressions of nftables that rules are made of.
//!
//! nftnl lacks many of them and can use one register only, so all are made here over nftnl-sys, through nftnl's own
//! `Expression` trait.
#![expect(unsafe_code, reason = "libnftnl is a C library")]

use std::ffi::{CStr, CString, c_void};
use std::ptr::NonNull;

use nftnl::Rule;
use nftnl_sys::{self as sys, libc};

use super::QueueKind;

/// The register that holds what was loaded last, 16 bytes.
pub(super) const REGISTER: u32 = libc::NFT_REG_1.cast_unsigned();
/// The first of the sixteen 4-byte registers; a concatenated key lies in several.
pub(super) const FIRST_REGISTER: u32 = libc::NFT_REG32_00.cast_unsigned();

/// One expression.
#[derive(Clone, Debug)]
pub(super) enum Expression {
    /// Loads a property of the packet.
    Meta { key: i32, register: u32 },
    /// Loads bytes of a header.
    Payload { base: i32, offset: u32, length: u32, register: u32 },
    /// Loads whether an IPv6 fragment header is present.
    FragmentHeader { register: u32 },
    /// Goes on if the register holds this, or does not.
    Compare { equal: bool, data: Vec<u8> },
    /// Goes on if the register holds this or more, as a big-endian number.
    AtLeast(Vec<u8>),
    /// Goes on if the register holds this or less.
    AtMost(Vec<u8>),
    /// Masks the register.
    Mask { mask: Vec<u8> },
    /// Goes on if what begins at the register is in the set.
    Lookup { set: CString, id: u32, register: u32 },
    /// Adds what begins at the register to the set, and goes on if that worked.
    Add { set: CString, id: u32, register: u32 },
    /// Copies the packet to user space.
    Log { group: u16, prefix: CString, length: u32 },
    /// Loads the packet's state in the eyes of connection tracking.
    ConnectionState { register: u32 },
    /// Loads bytes that the rule gives.
    Load { register: u32, data: Vec<u8> },
    /// Gives the connection the IPv4 source address that the register holds.
    SourceNat { register: u32 },
    /// Ends the chain with a verdict.
    Verdict(i32),
    /// Ends the packet and tells its sender.
    Reject { kind: i32, code: i32 },
    /// Hands the packet to user space.
    Queue { number: u16, kind: QueueKind },
}

impl nftnl::expr::Expression for Expression {
    fn to_expr(&self, _rule: &Rule<'_>) -> NonNull<sys::nftnl_expr> {
        match self {
            Self::Meta { key, register } => {
                let raw = Raw::new(c"meta");
                raw.u32(sys::NFTNL_EXPR_META_KEY, key.cast_unsigned());
                raw.u32(sys::NFTNL_EXPR_META_DREG, *register);
                raw.0
            }
            Self::Payload { base, offset, length, register } => {
                let raw = Raw::new(c"payload");
                raw.u32(sys::NFTNL_EXPR_PAYLOAD_BASE, base.cast_unsigned());
                raw.u32(sys::NFTNL_EXPR_PAYLOAD_OFFSET, *offset);
                raw.u32(sys::NFTNL_EXPR_PAYLOAD_LEN, *length);
                raw.u32(sys::NFTNL_EXPR_PAYLOAD_DREG, *register);
                raw.0
            }
            Self::FragmentHeader { register } => fragment_header(*register),
            Self::Compare { equal, data } => compare(if *equal { libc::NFT_CMP_EQ } else { libc::NFT_CMP_NEQ }, data),
            Self::AtLeast(data) => compare(libc::NFT_CMP_GTE, data),
            Self::AtMost(data) => compare(libc::NFT_CMP_LTE, data),
            Self::Mask { mask } => {
                let raw = Raw::new(c"bitwise");
                raw.u32(sys::NFTNL_EXPR_BITWISE_SREG, REGISTER);
                raw.u32(sys::NFTNL_EXPR_BITWISE_DREG, REGISTER);
                raw.u32(sys::NFTNL_EXPR_BITWISE_LEN, u32::try_from(mask.len()).unwrap_or(0));
                raw.data(sys::NFTNL_EXPR_BITWISE_MASK, mask);
                raw.data(sys::NFTNL_EXPR_BITWISE_XOR, &vec![0; mask.len()]);
                raw.0
            }
            Self::Lookup { set, id, register } => {
                let raw = Raw::new(c"lookup");
                raw.u32(sys::NFTNL_EXPR_LOOKUP_SREG, *register);
                raw.text(sys::NFTNL_EXPR_LOOKUP_SET, set);
                raw.u32(sys::NFTNL_EXPR_LOOKUP_SET_ID, *id);
                raw.0
            }
            Self::Add { set, id, register } => {
                let raw = Raw::new(c"dynset");
                raw.u32(sys::NFTNL_EXPR_DYNSET_SREG_KEY, *register);
                raw.u32(sys::NFTNL_EXPR_DYNSET_OP, libc::NFT_DYNSET_OP_ADD.cast_unsigned());
                raw.text(sys::NFTNL_EXPR_DYNSET_SET_NAME, set);
                raw.u32(sys::NFTNL_EXPR_DYNSET_SET_ID, *id);
                raw.0
            }
            Self::Log { group, prefix, length } => {
                let raw = Raw::new(c"log");
                raw.u16(sys::NFTNL_EXPR_LOG_GROUP, *group);
                raw.u32(sys::NFTNL_EXPR_LOG_SNAPLEN, *length);
                raw.text(sys::NFTNL_EXPR_LOG_PREFIX, prefix);
                raw.0
            }
            Self::ConnectionState { register } => {
                let raw = Raw::new(c"ct");
                raw.u32(sys::NFTNL_EXPR_CT_KEY, libc::NFT_CT_STATE.cast_unsigned());
                raw.u32(sys::NFTNL_EXPR_CT_DREG, *register);
                raw.0
            }
            Self::Load { register, data } => {
                let raw = Raw::new(c"immediate");
                raw.u32(sys::NFTNL_EXPR_IMM_DREG, *register);
                raw.data(sys::NFTNL_EXPR_IMM_DATA, data);
                raw.0
            }
            Self::SourceNat { register } => {
                let raw = Raw::new(c"nat");
                raw.u32(sys::NFTNL_EXPR_NAT_TYPE, libc::NFT_NAT_SNAT.cast_unsigned());
                raw.u32(sys::NFTNL_EXPR_NAT_FAMILY, libc::NFPROTO_IPV4.cast_unsigned());
                raw.u32(sys::NFTNL_EXPR_NAT_REG_ADDR_MIN, *register);
                raw.0
            }
            Self::Verdict(verdict) => {
                let raw = Raw::new(c"immediate");
                raw.u32(sys::NFTNL_EXPR_IMM_DREG, libc::NFT_REG_VERDICT.cast_unsigned());
                raw.u32(sys::NFTNL_EXPR_IMM_VERDICT, verdict.cast_unsigned());
                raw.0
            }
            Self::Reject { kind, code } => {
                let raw = Raw::new(c"reject");
                raw.u32(sys::NFTNL_EXPR_REJECT_TYPE, kind.cast_unsigned());
                raw.u8(sys::NFTNL_EXPR_REJECT_CODE, u8::try_from(*code).unwrap_or(0));
                raw.0
            }
            Self::Queue { number, kind: QueueKind::Native } => {
                let raw = Raw::new(c"queue");
                raw.u16(sys::NFTNL_EXPR_QUEUE_NUM, *number);
                raw.u16(sys::NFTNL_EXPR_QUEUE_TOTAL, 1);
                raw.u16(sys::NFTNL_EXPR_QUEUE_FLAGS, 0);
                raw.0
            }
            Self::Queue { number, kind: QueueKind::Compat } => compat_queue(*number),
        }
    }
}

fn compare(operation: i32, data: &[u8]) -> NonNull<sys::nftnl_expr> {
    let raw = Raw::new(c"cmp");
    raw.u32(sys::NFTNL_EXPR_CMP_SREG, REGISTER);
    raw.u32(sys::NFTNL_EXPR_CMP_OP, operation.cast_unsigned());
    raw.data(sys::NFTNL_EXPR_CMP_DATA, data);
    raw.0
}

fn fragment_header(register: u32) -> NonNull<sys::nftnl_expr> {
    const FRAGMENT_HEADER: u8 = 44;
    let raw = Raw::new(c"exthdr");
    raw.u32(sys::NFTNL_EXPR_EXTHDR_DREG, register);
    raw.u8(sys::NFTNL_EXPR_EXTHDR_TYPE, FRAGMENT_HEADER);
    raw.u32(sys::NFTNL_EXPR_EXTHDR_OFFSET, 0);
    raw.u32(sys::NFTNL_EXPR_EXTHDR_LEN, 1);
    // NFT_EXTHDR_F_PRESENT.
    raw.u32(sys::NFTNL_EXPR_EXTHDR_FLAGS, 1);
    raw.0
}

/// xtables' NFQUEUE target, revision 3, for kernels without the native expression.
fn compat_queue(number: u16) -> NonNull<sys::nftnl_expr> {
    // struct xt_NFQ_info_v3 { u16 queuenum, queues_total, flags }, padded to 8. No bypass: without an inspector packets
    // are dropped, never let through.
    const LENGTH: usize = 8;
    let raw = Raw::new(c"target");
    raw.text(sys::NFTNL_EXPR_TG_NAME, c"NFQUEUE");
    raw.u32(sys::NFTNL_EXPR_TG_REV, 3);
    // SAFETY: calloc gives LENGTH zeroed bytes or null, and null is checked for before the copy. libnftnl keeps the pointer
    // and gives it to free(3), so it must come from the C allocator.
    unsafe {
        let info = libc::calloc(1, LENGTH).cast::<u8>();
        if info.is_null() {
            std::process::abort();
        }
        let words: [u16; 2] = [number, 1];
        std::ptr::copy_nonoverlapping(words.as_ptr().cast::<u8>(), info, 4);
        sys::nftnl_expr_set(raw.0.as_ptr(), attribute(sys::NFTNL_EXPR_TG_INFO), info.cast::<c_void>(), 8);
    }
    raw.0
}

/// An expression under construction; the rule it is added to owns it.
struct Raw(NonNull<sys::nftnl_expr>);

impl Raw {
    fn new(name: &CStr) -> Self {
        // SAFETY: the name is a C string; null means that memory ran out.
        match NonNull::new(unsafe { sys::nftnl_expr_alloc(name.as_ptr()) }) {
            Some(expression) => Self(expression),
            None => std::process::abort(),
        }
    }

    fn u8(&self, which: u32, value: u8) {
        // SAFETY: the expression lives.
        unsafe { sys::nftnl_expr_set_u8(self.0.as_ptr(), attribute(which), value) }
    }

    fn u16(&self, which: u32, value: u16) {
        // SAFETY: the expression lives.
        unsafe { sys::nftnl_expr_set_u16(self.0.as_ptr(), attribute(which), value) }
    }

    fn u32(&self, which: u32, value: u32) {
        // SAFETY: the expression lives.
        unsafe { sys::nftnl_expr_set_u32(self.0.as_ptr(), attribute(which), value) }
    }

    fn text(&self, which: u32, value: &CStr) {
        // SAFETY: the expression lives, and libnftnl copies the text.
        unsafe { sys::nftnl_expr_set_str(self.0.as_ptr(), attribute(which), value.as_ptr()) };
    }

    fn data(&self, which: u32, value: &[u8]) {
        let length = u32::try_from(value.len()).unwrap_or(0);
        // SAFETY: the expression lives, and libnftnl copies `length` bytes.
        unsafe { sys::nftnl_expr_set(self.0.as_ptr(), attribute(which), value.as_ptr().cast(), length) };
    }
}

/// libnftnl's attribute numbers are small; the bindings give them as 32 bits.
fn attribute(which: u32) -> u16 {
    u16::try_from(which).unwrap_or(u16::MAX)
}
