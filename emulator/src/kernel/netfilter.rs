//! A netlink socket of the netfilter family, and its messages as bytes.
//!
//! The encoding is pure and small; what the kernel sends is parsed with every length checked, so odd input is an error and
//! never a panic.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, send, setsockopt, socket,
    sockopt,
};

/// `NFNL_SUBSYS_ULOG`: packets copied to user space.
pub const SUBSYSTEM_LOG: u8 = 4;
/// `NFNL_SUBSYS_QUEUE`: packets that wait for a verdict.
pub const SUBSYSTEM_QUEUE: u8 = 3;
/// `NLM_F_REQUEST`.
const REQUEST: u16 = 1;
/// `NLM_F_ACK`.
const ACK: u16 = 4;
/// `NLMSG_ERROR`.
const ERROR: u16 = 2;

/// Bytes that are not a netfilter message.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a netlink message is cut short or its lengths disagree")]
pub struct Malformed;

/// One message, as it came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Message<'a> {
    /// The answer to a request: 0 for success, or an error number.
    Answer {
        /// The request's sequence number.
        sequence: u32,
        /// The error number, positive.
        errno: i32,
    },
    /// A message of a subsystem.
    Netfilter {
        /// The subsystem.
        subsystem: u8,
        /// The message type within it.
        kind: u8,
        /// The queue's or group's number.
        resource: u16,
        /// Its attributes.
        attributes: &'a [u8],
    },
    /// Anything else.
    Other,
}

/// The messages of one datagram.
pub struct Messages<'a> {
    rest: &'a [u8],
}

impl<'a> Messages<'a> {
    /// The messages in these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let parsed = split_message(self.rest);
        self.rest = match &parsed {
            Ok((_, rest)) => rest,
            Err(Malformed) => &[],
        };
        Some(parsed.map(|(message, _)| message))
    }
}

fn split_message(bytes: &[u8]) -> Result<(Message<'_>, &[u8]), Malformed> {
    let length = usize::try_from(u32_at(bytes, 0)?).map_err(|_| Malformed)?;
    let kind = u16_at(bytes, 4)?;
    let sequence = u32_at(bytes, 8)?;
    if length < 16 || length > bytes.len() {
        return Err(Malformed);
    }
    let body = &bytes[16..length];
    // The last message of a datagram need not be padded.
    let rest = &bytes[aligned(length).min(bytes.len())..];
    let [subsystem, low] = kind.to_be_bytes();
    let message = match (kind, subsystem) {
        (ERROR, _) => Message::Answer { sequence, errno: -u32_at(body, 0)?.cast_signed() },
        (_, SUBSYSTEM_LOG | SUBSYSTEM_QUEUE) => Message::Netfilter {
            subsystem,
            kind: low,
            resource: u16::from_be_bytes(array(body, 2)?),
            attributes: body.get(4..).ok_or(Malformed)?,
        },
        _ => Message::Other,
    };
    Ok((message, rest))
}

/// The attributes of a message: type without its flags, and payload.
pub struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// The attributes in these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<(u16, &'a [u8]), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let parsed = split_attribute(self.rest);
        self.rest = match &parsed {
            Ok((_, rest)) => rest,
            Err(Malformed) => &[],
        };
        Some(parsed.map(|(attribute, _)| attribute))
    }
}

type Split<'a> = ((u16, &'a [u8]), &'a [u8]);

fn split_attribute(bytes: &[u8]) -> Result<Split<'_>, Malformed> {
    let length = usize::from(u16_at(bytes, 0)?);
    // NLA_F_NESTED and NLA_F_NET_BYTEORDER.
    let kind = u16_at(bytes, 2)? & 0x3fff;
    if length < 4 || length > bytes.len() {
        return Err(Malformed);
    }
    Ok(((kind, &bytes[4..length]), &bytes[aligned(length).min(bytes.len())..]))
}

/// Writes messages one after the other.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
    start: usize,
}

impl Writer {
    /// Begins a message. `acknowledge` asks the kernel to answer.
    pub fn begin(&mut self, subsystem: u8, kind: u8, resource: u16, sequence: u32, acknowledge: bool) {
        self.start = self.bytes.len();
        let flags = if acknowledge { REQUEST | ACK } else { REQUEST };
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(&u16::from_be_bytes([subsystem, kind]).to_ne_bytes());
        self.bytes.extend_from_slice(&flags.to_ne_bytes());
        self.bytes.extend_from_slice(&sequence.to_ne_bytes());
        self.bytes.extend_from_slice(&[0; 4]);
        // nfgenmsg: family unspecified, version 0, resource in network order.
        self.bytes.extend_from_slice(&[0, 0]);
        self.bytes.extend_from_slice(&resource.to_be_bytes());
        self.end();
    }

    /// Adds an attribute to the message begun last. Its length counts no padding (facts K-13).
    pub fn attribute(&mut self, kind: u16, payload: &[u8]) {
        let length = u16::try_from(4 + payload.len()).unwrap_or(u16::MAX);
        self.bytes.extend_from_slice(&length.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(payload);
        let padded = aligned(self.bytes.len() - self.start) + self.start;
        self.bytes.resize(padded, 0);
        self.end();
    }

    /// The messages so far.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Forgets the messages so far and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.start = 0;
    }

    fn end(&mut self) {
        let length = u32::try_from(self.bytes.len() - self.start).unwrap_or(u32::MAX);
        if let Some(field) = self.bytes.get_mut(self.start..self.start + 4) {
            field.copy_from_slice(&length.to_ne_bytes());
        }
    }
}

/// A netfilter netlink socket of the namespace in which it was made.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
}

impl Socket {
    /// Opens one with a receive buffer of about this many bytes.
    pub fn open(receive_buffer: usize) -> io::Result<Self> {
        let fd = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkNetFilter)?;
        bind(fd.as_raw_fd(), &NetlinkAddr::new(0, 0))?;
        // Forcing needs privileges over the first namespace, which a lab has not; then the ordinary limit holds.
        let _ = setsockopt(&fd, sockopt::RcvBufForce, &receive_buffer)
            .or_else(|_| setsockopt(&fd, sockopt::RcvBuf, &receive_buffer));
        let _ = setsockopt(&fd, sockopt::SndBuf, &receive_buffer);
        Ok(Self { fd })
    }

    /// Sends messages and waits for the answer to the one with this sequence number.
    pub fn request(&self, bytes: &[u8], sequence: u32) -> io::Result<()> {
        self.send(bytes)?;
        let mut buffer = vec![0; 65_536];
        loop {
            let received = recv(self.fd.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
            for message in Messages::new(&buffer[..received]) {
                match message.map_err(io::Error::other)? {
                    Message::Answer { errno, .. } if errno != 0 => return Err(io::Error::from_raw_os_error(errno)),
                    Message::Answer { sequence: answered, .. } if answered == sequence => return Ok(()),
                    _ => {}
                }
            }
        }
    }

    /// Sends messages.
    pub fn send(&self, bytes: &[u8]) -> io::Result<()> {
        send(self.fd.as_raw_fd(), bytes, MsgFlags::empty())?;
        Ok(())
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> i32 {
        self.fd.as_raw_fd()
    }
}

/// Rounded up to the boundary on which messages and attributes begin. The length field of either never counts this.
pub const fn aligned(length: usize) -> usize {
    (length + 3) & !3
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Malformed> {
    bytes.get(at..at + N).and_then(|part| part.try_into().ok()).ok_or(Malformed)
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, Malformed> {
    Ok(u16::from_ne_bytes(array(bytes, at)?))
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, Malformed> {
    Ok(u32::from_ne_bytes(array(bytes, at)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Attributes, Message, Messages, SUBSYSTEM_QUEUE, Writer};

    proptest! {
        #[test]
        fn arbitrary_bytes_are_no_danger(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for message in Messages::new(&bytes).flatten() {
                if let Message::Netfilter { attributes, .. } = message {
                    for _ in Attributes::new(attributes) {}
                }
            }
        }

        /// Facts K-13: a payload of every length mod 4 comes back as it went.
        #[test]
        fn what_is_written_is_read(
            payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..6),
            cut in 0_usize..4,
        ) {
            let mut writer = Writer::default();
            writer.begin(SUBSYSTEM_QUEUE, 1, 7, 3, false);
            for (kind, payload) in payloads.iter().enumerate() {
                writer.attribute(u16::try_from(kind).expect("few"), payload);
            }
            // The kernel does not pad the last attribute; the message's length says so.
            let last = payloads.last().expect("at least one").len();
            let padding = (4 - last % 4) % 4;
            let mut bytes = writer.bytes().to_vec();
            let cut = cut.min(padding);
            bytes.truncate(bytes.len() - cut);
            let length = u32::try_from(bytes.len()).expect("short");
            bytes[..4].copy_from_slice(&length.to_ne_bytes());
            let messages: Vec<_> = Messages::new(&bytes).collect::<Result<_, _>>().expect("well formed");
            let [Message::Netfilter { subsystem: SUBSYSTEM_QUEUE, kind: 1, resource: 7, attributes }] = messages[..] else {
                panic!("one message of the queue: {messages:?}");
            };
            let read: Vec<_> = Attributes::new(attributes).collect::<Result<_, _>>().expect("well formed");
            let written: Vec<_> = payloads
                .iter()
                .enumerate()
                .map(|(kind, payload)| (u16::try_from(kind).expect("few"), payload.as_slice()))
                .collect();
            prop_assert_eq!(read, written);
        }
    }
}
