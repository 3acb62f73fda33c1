//! Sets and their elements as netlink messages.
#![expect(unsafe_code, reason = "libnftnl is a C library")]

use std::ffi::{CStr, CString, c_char, c_void};
use std::net::IpAddr;
use std::ptr::NonNull;

use nftnl::{MsgType, NlMsg};
use nftnl_sys::{self as sys, libc};
use roadblock_censor::FlowKey;

use super::transaction::Weighed;
use crate::plan::ruleset::{PASSED_TIMEOUT, SetKind, TABLE};

/// nft's numbers of data types, which `nft list` prints sets by.
const IPV4: u32 = 7;
const IPV6: u32 = 8;
const PROTOCOL: u32 = 12;
const PORT: u32 = 13;

/// The most elements in one message; its attribute length has 16 bits.
pub(super) const CHUNK: usize = 512;

/// One element of a set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Element {
    pub key: Vec<u8>,
    pub interval_end: bool,
}

/// A flow as an element of a set of passed flows, in one direction.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FlowElement {
    /// Whether it is IPv4.
    pub v4: bool,
    key: Vec<u8>,
}

impl FlowElement {
    /// The elements of a flow, one for each direction; `None` where its ends are of two families.
    pub fn both_directions(flow: &FlowKey) -> Option<[Self; 2]> {
        let out = Self::new(flow.protocol, (flow.client, flow.client_port), (flow.server, flow.server_port))?;
        let back = Self::new(flow.protocol, (flow.server, flow.server_port), (flow.client, flow.client_port))?;
        Some([out, back])
    }

    fn new(protocol: u8, source: (IpAddr, u16), destination: (IpAddr, u16)) -> Option<Self> {
        let mut key = vec![protocol, 0, 0, 0];
        for (address, port) in [source, destination] {
            match address {
                IpAddr::V4(address) => key.extend_from_slice(&address.octets()),
                IpAddr::V6(address) => key.extend_from_slice(&address.octets()),
            }
            key.extend_from_slice(&port.to_be_bytes());
            key.extend_from_slice(&[0, 0]);
        }
        let v4 = source.0.is_ipv4();
        (v4 == destination.0.is_ipv4()).then_some(Self { v4, key })
    }

    pub(super) fn element(self) -> Element {
        Element { key: self.key, interval_end: false }
    }
}

/// An address as a number.
pub(super) trait Value: Copy + Ord {
    /// The one after it; `None` after the last.
    fn after(self) -> Option<Self>;
    /// In network order.
    fn key(self) -> Vec<u8>;
}

impl Value for u32 {
    fn after(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn key(self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }
}

impl Value for u128 {
    fn after(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn key(self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }
}

/// The elements of a set of ranges: where each begins, and where what is outside begins again.
pub(super) fn elements_of<T: Value>(ranges: &[(T, T)]) -> Vec<Element> {
    let mut elements = Vec::with_capacity(2 * ranges.len());
    for (first, last) in ranges {
        elements.push(Element { key: first.key(), interval_end: false });
        elements.extend(last.after().map(|after| Element { key: after.key(), interval_end: true }));
    }
    elements
}

/// A set, or some of its elements, as a message.
pub(super) struct SetMessage {
    set: NonNull<sys::nftnl_set>,
    elements: bool,
    /// How many bytes of keys it carries, and in how many elements.
    keys: (usize, usize),
}

impl SetMessage {
    /// The set itself. `size` is how many flows a set of flows holds.
    pub(super) fn declaration(name: &CStr, id: u32, kind: SetKind, size: u32) -> Self {
        let message = Self::empty(name, id, false);
        let (key_type, key_length) = key_of(kind);
        let flags = match kind {
            SetKind::PrefixesV4 | SetKind::PrefixesV6 => libc::NFT_SET_INTERVAL,
            SetKind::FlowsV4 | SetKind::FlowsV6 => libc::NFT_SET_EVAL | libc::NFT_SET_TIMEOUT,
        };
        message.u32(sys::NFTNL_SET_FLAGS, flags.cast_unsigned());
        message.u32(sys::NFTNL_SET_KEY_TYPE, key_type);
        message.u32(sys::NFTNL_SET_KEY_LEN, key_length);
        if matches!(kind, SetKind::FlowsV4 | SetKind::FlowsV6) {
            message.u32(sys::NFTNL_SET_DESC_SIZE, size);
            // SAFETY: the set lives.
            unsafe { sys::nftnl_set_set_u64(message.set.as_ptr(), attribute(sys::NFTNL_SET_TIMEOUT), PASSED_TIMEOUT) };
        }
        message
    }

    /// Elements of a set, in as many messages as it takes. None at all, in a deletion, means all of them.
    pub(super) fn elements(name: &CStr, id: u32, elements: &[Element]) -> Vec<Self> {
        elements.chunks(CHUNK).map(|chunk| Self::chunk(name, id, chunk)).collect()
    }

    /// The deletion of every element.
    pub(super) fn flush(name: &CStr) -> Self {
        Self::empty(name, 0, true)
    }

    fn chunk(name: &CStr, id: u32, elements: &[Element]) -> Self {
        let mut message = Self::empty(name, id, true);
        message.keys = (elements.iter().map(|element| element.key.len()).sum(), elements.len());
        for element in elements {
            let length = u32::try_from(element.key.len()).unwrap_or(0);
            // SAFETY: the element is checked for null; libnftnl copies the key and the set takes the element over.
            unsafe {
                let raw = sys::nftnl_set_elem_alloc();
                if raw.is_null() {
                    std::process::abort();
                }
                let key: *const c_void = element.key.as_ptr().cast();
                sys::nftnl_set_elem_set(raw, attribute(sys::NFTNL_SET_ELEM_KEY), key, length);
                if element.interval_end {
                    let flags = libc::NFT_SET_ELEM_INTERVAL_END.cast_unsigned();
                    sys::nftnl_set_elem_set_u32(raw, attribute(sys::NFTNL_SET_ELEM_FLAGS), flags);
                }
                sys::nftnl_set_elem_add(message.set.as_ptr(), raw);
            }
        }
        message
    }

    fn empty(name: &CStr, id: u32, elements: bool) -> Self {
        // SAFETY: null means that memory ran out.
        let Some(set) = NonNull::new(unsafe { sys::nftnl_set_alloc() }) else { std::process::abort() };
        let message = Self { set, elements, keys: (0, 0) };
        message.u32(sys::NFTNL_SET_FAMILY, libc::NFPROTO_INET.cast_unsigned());
        if id != 0 {
            message.u32(sys::NFTNL_SET_ID, id);
        }
        let table = CString::new(TABLE).unwrap_or_default();
        // SAFETY: the set lives, and libnftnl copies the texts.
        unsafe {
            sys::nftnl_set_set_str(set.as_ptr(), attribute(sys::NFTNL_SET_TABLE), table.as_ptr());
            sys::nftnl_set_set_str(set.as_ptr(), attribute(sys::NFTNL_SET_NAME), name.as_ptr());
        }
        message
    }

    fn u32(&self, which: u32, value: u32) {
        // SAFETY: the set lives.
        unsafe { sys::nftnl_set_set_u32(self.set.as_ptr(), attribute(which), value) }
    }
}

impl Weighed for SetMessage {
    /// The header, the names and, for each element, its key, three nested attributes and flags.
    fn most_bytes(&self) -> usize {
        let (bytes, elements) = self.keys;
        512 + bytes + 24 * elements
    }
}

impl Drop for SetMessage {
    fn drop(&mut self) {
        // SAFETY: the set was allocated by libnftnl and is freed once, with its elements.
        unsafe { sys::nftnl_set_free(self.set.as_ptr()) }
    }
}

// SAFETY: a declaration is a few attributes, and CHUNK keeps a list of elements well below the 64 KiB of the buffer: the
// largest element takes under 80 bytes.
unsafe impl NlMsg for SetMessage {
    unsafe fn write(&self, buffer: *mut c_void, sequence: u32, kind: MsgType) {
        let (message, flags) = match (self.elements, kind) {
            (false, MsgType::Add) => (libc::NFT_MSG_NEWSET, libc::NLM_F_CREATE | libc::NLM_F_ACK),
            (false, MsgType::Del) => (libc::NFT_MSG_DELSET, libc::NLM_F_ACK),
            (true, MsgType::Add) => (libc::NFT_MSG_NEWSETELEM, libc::NLM_F_CREATE | libc::NLM_F_ACK),
            (true, MsgType::Del) => (libc::NFT_MSG_DELSETELEM, libc::NLM_F_ACK),
        };
        // SAFETY: the caller gives a buffer that holds the largest message, and the set lives.
        unsafe {
            let header = sys::nftnl_nlmsg_build_hdr(
                buffer.cast::<c_char>(),
                attribute(message.cast_unsigned()),
                attribute(libc::NFPROTO_INET.cast_unsigned()),
                attribute(flags.cast_unsigned()),
                sequence,
            );
            if self.elements {
                sys::nftnl_set_elems_nlmsg_build_payload(header, self.set.as_ptr());
            } else {
                sys::nftnl_set_nlmsg_build_payload(header, self.set.as_ptr());
            }
        }
    }
}

/// A set's key: nft's number of its type, and its length in bytes.
fn key_of(kind: SetKind) -> (u32, u32) {
    // A concatenation is six bits for each of its types, and each part begins on a boundary of four bytes.
    let concatenated = |parts: [u32; 5]| parts.into_iter().fold(0, |all, part| all << 6 | part);
    match kind {
        SetKind::PrefixesV4 => (IPV4, 4),
        SetKind::PrefixesV6 => (IPV6, 16),
        SetKind::FlowsV4 => (concatenated([PROTOCOL, IPV4, PORT, IPV4, PORT]), 20),
        SetKind::FlowsV6 => (concatenated([PROTOCOL, IPV6, PORT, IPV6, PORT]), 44),
    }
}

fn attribute(which: u32) -> u16 {
    u16::try_from(which).unwrap_or(u16::MAX)
}
