//! NFQUEUE: packets that wait for a verdict, as a small asynchronous socket with a pure encoding.
//!
//! Packets come as true wire segments: `NFQA_CFG_F_GSO` is not set, so the kernel segments and completes checksums before
//! queueing. There is no bypass and no fail-open: without an inspector packets are dropped, and what is dropped is counted.

use std::io;
use std::os::fd::AsRawFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::netfilter::{Attributes, Malformed, Message, Messages, SUBSYSTEM_QUEUE, Socket, Writer};

// Message types.
const PACKET: u8 = 0;
const VERDICT: u8 = 1;
const CONFIG: u8 = 2;
// Attributes of a packet and of a verdict.
const PACKET_HEADER: u16 = 1;
const VERDICT_HEADER: u16 = 2;
const MARK: u16 = 3;
const INTERFACE_IN: u16 = 5;
const PAYLOAD: u16 = 10;
const CAPTURED_LENGTH: u16 = 13;
// Attributes of a configuration.
const CONFIG_COMMAND: u16 = 1;
const CONFIG_PARAMETERS: u16 = 2;
const CONFIG_QUEUE_LENGTH: u16 = 3;

/// `NF_DROP` and `NF_ACCEPT`.
const NF_DROP: u32 = 0;
const NF_ACCEPT: u32 = 1;
/// How many packets may wait.
const QUEUE_LENGTH: u32 = 16_384;
/// The socket's buffer, in bytes.
const RECEIVE_BUFFER: usize = 16 << 20;
/// How many packets are taken at once before any verdict is sent.
const BATCH: usize = 64;
/// The largest message: a packet of 64 KiB and what the kernel says of it.
const LARGEST: usize = 68 << 10;

/// One packet that waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Queued<'a> {
    /// The kernel's name for it.
    pub id: u32,
    /// The index of the interface it came in by.
    pub interface: u32,
    /// From the IP header on.
    pub bytes: &'a [u8],
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision<'a> {
    /// It goes on.
    Accept,
    /// It goes on with this mark.
    AcceptMarked(u32),
    /// It ends here.
    Drop,
    /// These bytes go on in its place.
    Replace(&'a [u8]),
}

/// Reads a queued packet from a message's attributes.
pub fn parse(attributes: &[u8]) -> Result<Queued<'_>, Malformed> {
    let (mut id, mut interface, mut bytes, mut cut) = (None, 0, None, false);
    for attribute in Attributes::new(attributes) {
        let (kind, value) = attribute?;
        match kind {
            PACKET_HEADER => id = Some(be32(value)?),
            INTERFACE_IN => interface = be32(value)?,
            PAYLOAD => bytes = Some(value),
            // Present only where the packet was longer than what was copied.
            CAPTURED_LENGTH => cut = true,
            _ => {}
        }
    }
    match (id, bytes, cut) {
        (Some(id), Some(bytes), false) => Ok(Queued { id, interface, bytes }),
        _ => Err(Malformed),
    }
}

/// Writes a verdict.
pub fn write_verdict(writer: &mut Writer, queue: u16, id: u32, decision: Decision<'_>) {
    let verdict = if decision == Decision::Drop { NF_DROP } else { NF_ACCEPT };
    let mut header = [0; 8];
    header[..4].copy_from_slice(&verdict.to_be_bytes());
    header[4..].copy_from_slice(&id.to_be_bytes());
    writer.begin(SUBSYSTEM_QUEUE, VERDICT, queue, 0, false);
    writer.attribute(VERDICT_HEADER, &header);
    match decision {
        Decision::AcceptMarked(mark) => writer.attribute(MARK, &mark.to_be_bytes()),
        Decision::Replace(bytes) => writer.attribute(PAYLOAD, bytes),
        Decision::Accept | Decision::Drop => {}
    }
}

/// A queue of the namespace in which it was opened.
#[derive(Debug)]
pub struct Queue {
    socket: AsyncFd<Socket>,
    number: u16,
    writer: Writer,
    buffers: Vec<u8>,
}

impl Queue {
    /// Opens a queue. Called within a runtime.
    pub fn open(number: u16) -> io::Result<Self> {
        let socket = Socket::open(RECEIVE_BUFFER)?;
        let no_buffer_errors = libc::c_int::from(true);
        // Packets that did not fit are counted by the kernel and looked for there; the socket need not fail for them.
        let _ = set_no_buffer_errors(&socket, no_buffer_errors);
        let mut writer = Writer::default();
        // NFQNL_CFG_CMD_BIND = 1; then the padding and the protocol family, which the kernel no longer looks at.
        configure(&socket, &mut writer, number, CONFIG_COMMAND, &[1, 0, 0, 0])?;
        // Copy range, big-endian, and NFQNL_COPY_PACKET = 2: five bytes, packed.
        configure(&socket, &mut writer, number, CONFIG_PARAMETERS, &[0, 0, 0xff, 0xff, 2])?;
        configure(&socket, &mut writer, number, CONFIG_QUEUE_LENGTH, &QUEUE_LENGTH.to_be_bytes())?;
        nix::fcntl::fcntl(&socket, nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK))?;
        let socket = register(socket)?;
        Ok(Self { socket, number, writer, buffers: vec![0; LARGEST * BATCH] })
    }

    /// Waits until a packet is there.
    pub async fn readable(&self) -> io::Result<()> {
        let mut guard = self.socket.readable().await?;
        // Whether it is truly empty is found out by taking packets.
        guard.retain_ready();
        Ok(())
    }

    /// Takes up to a batch of packets in one system call, as far as they are there, and hands each to `each`. Gives how many
    /// there were.
    pub fn take(&mut self, mut each: impl FnMut(Queued<'_>)) -> io::Result<usize> {
        let Self { socket, buffers, .. } = self;
        let mut lengths = [0; BATCH];
        let mut received = 0;
        let tried = socket.try_io(Interest::READABLE, |inner| {
            received = receive_batch(inner, buffers, &mut lengths)?;
            // Fewer than could have come: nothing is left, and the next one will be announced.
            if received < BATCH { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        if let Err(cause) = tried
            && cause.kind() != io::ErrorKind::WouldBlock
        {
            return Err(cause);
        }
        let mut taken = 0;
        for (buffer, length) in buffers.chunks(LARGEST).zip(&lengths[..received]) {
            for message in Messages::new(&buffer[..*length]) {
                match message.map_err(io::Error::other)? {
                    Message::Netfilter { subsystem: SUBSYSTEM_QUEUE, kind: PACKET, attributes, .. } => {
                        each(parse(attributes).map_err(io::Error::other)?);
                        taken += 1;
                    }
                    // ENOENT is a verdict on a packet that is gone: its device went down, or its table was changed.
                    Message::Answer { errno, .. } if errno != 0 && errno != libc::ENOENT => {
                        return Err(io::Error::from_raw_os_error(errno));
                    }
                    _ => {}
                }
            }
        }
        Ok(taken)
    }

    /// Notes a verdict; [`Queue::flush`] sends it.
    pub fn decide(&mut self, id: u32, decision: Decision<'_>) {
        write_verdict(&mut self.writer, self.number, id, decision);
    }

    /// Sends the verdicts noted so far, all in one call.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.writer.bytes().is_empty() {
            return Ok(());
        }
        let sent = self.socket.get_ref().send(self.writer.bytes());
        self.writer.clear();
        sent
    }
}

/// How many packets a namespace's queue has lost, read by a thread that lives in it: those that found the queue full, and
/// those that found the socket's buffer full.
pub fn lost(queue: u16) -> io::Result<u64> {
    let table = std::fs::read_to_string("/proc/thread-self/net/netfilter/nfnetlink_queue")?;
    Ok(lost_in(&table, queue))
}

/// Columns: queue, peer, waiting, copy mode, copy range, dropped by the queue, dropped by the socket, last id, 1.
fn lost_in(table: &str, queue: u16) -> u64 {
    let rows = table.lines().map(|line| line.split_whitespace().map(|field| field.parse::<u64>().unwrap_or(0)));
    let mine = rows.map(Iterator::collect::<Vec<_>>).find(|row| row.first() == Some(&u64::from(queue)));
    mine.map_or(0, |row| row.iter().skip(5).take(2).sum())
}

/// Receives up to a batch of datagrams, each into its part of the buffers, and notes how long each is.
fn receive_batch(socket: &Socket, buffers: &mut [u8], lengths: &mut [usize; BATCH]) -> io::Result<usize> {
    let mut parts: [libc::iovec; BATCH] = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; BATCH];
    for (part, buffer) in parts.iter_mut().zip(buffers.chunks_mut(LARGEST)) {
        *part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    }
    // SAFETY: every header is zeroed but for the one part it points to, which is a piece of `buffers` that no other has; all of
    // them live until the call returns.
    #[expect(unsafe_code, reason = "nix's recvmmsg allocates at each call")]
    let received = unsafe {
        let mut headers: [libc::mmsghdr; BATCH] = std::mem::zeroed();
        for (header, part) in headers.iter_mut().zip(&mut parts) {
            header.msg_hdr.msg_iov = part;
            header.msg_hdr.msg_iovlen = 1;
        }
        let count = u32::try_from(BATCH).unwrap_or(1);
        let flags = libc::MSG_DONTWAIT;
        let received = libc::recvmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), count, flags, std::ptr::null_mut());
        for (length, header) in lengths.iter_mut().zip(&headers) {
            *length = usize::try_from(header.msg_len).unwrap_or(0).min(LARGEST);
        }
        received
    };
    usize::try_from(received).map_err(|_| io::Error::last_os_error())
}

fn configure(socket: &Socket, writer: &mut Writer, number: u16, kind: u16, value: &[u8]) -> io::Result<()> {
    writer.clear();
    writer.begin(SUBSYSTEM_QUEUE, CONFIG, number, u32::from(kind), true);
    writer.attribute(kind, value);
    let asked = socket.request(writer.bytes(), u32::from(kind));
    writer.clear();
    asked
}

fn set_no_buffer_errors(socket: &Socket, on: libc::c_int) -> io::Result<()> {
    // SAFETY: the option takes an int, and one is given.
    #[expect(unsafe_code, reason = "nix has no NETLINK_NO_ENOBUFS")]
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_NETLINK,
            libc::NETLINK_NO_ENOBUFS,
            (&raw const on).cast(),
            libc::socklen_t::try_from(size_of::<libc::c_int>()).unwrap_or(4),
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Registers a socket with the runtime.
pub(super) fn register(socket: Socket) -> io::Result<AsyncFd<Socket>> {
    // SAFETY: the socket owns its descriptor and is owned by the AsyncFd, so it stays open and the same for as long as it
    // is registered.
    #[expect(unsafe_code, reason = "tokio asks for a promise that the descriptor stays valid")]
    let registered = unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) };
    registered.map_err(io::Error::from)
}

fn be32(value: &[u8]) -> Result<u32, Malformed> {
    let bytes = value.get(..4).and_then(|bytes| bytes.try_into().ok()).ok_or(Malformed)?;
    Ok(u32::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Decision, MARK, PACKET_HEADER, PAYLOAD, VERDICT_HEADER, lost_in, parse, write_verdict};
    use crate::kernel::netfilter::{Attributes, Message, Messages, SUBSYSTEM_QUEUE, Writer};

    proptest! {
        #[test]
        fn arbitrary_attributes_are_no_danger(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn a_queued_packet_comes_back(id in any::<u32>(), payload in proptest::collection::vec(any::<u8>(), 1..2000)) {
            let mut header = id.to_be_bytes().to_vec();
            header.extend_from_slice(&[0x08, 0, 0]);
            let mut writer = Writer::default();
            writer.begin(SUBSYSTEM_QUEUE, 0, 1, 0, false);
            writer.attribute(PACKET_HEADER, &header);
            writer.attribute(super::INTERFACE_IN, &9_u32.to_be_bytes());
            writer.attribute(PAYLOAD, &payload);
            let message = Messages::new(writer.bytes()).next().expect("one").expect("well formed");
            let Message::Netfilter { attributes, .. } = message else { panic!("of the queue: {message:?}") };
            let queued = parse(attributes).expect("complete");
            prop_assert_eq!((queued.id, queued.interface, queued.bytes), (id, 9, payload.as_slice()));
        }

        /// Facts K-13: the length of a replaced payload counts no padding, whatever it is mod 4.
        #[test]
        fn a_verdict_carries_its_payload_exactly(payload in proptest::collection::vec(any::<u8>(), 0..64), mark in any::<u32>()) {
            let mut writer = Writer::default();
            write_verdict(&mut writer, 1, 5, Decision::Replace(&payload));
            write_verdict(&mut writer, 1, 6, Decision::AcceptMarked(mark));
            let messages: Vec<_> = Messages::new(writer.bytes()).collect::<Result<_, _>>().expect("well formed");
            let attributes: Vec<Vec<_>> = messages.iter().map(|message| match message {
                Message::Netfilter { attributes, .. } => {
                    Attributes::new(attributes).collect::<Result<_, _>>().expect("well formed")
                }
                other => panic!("of the queue: {other:?}"),
            }).collect();
            let first: (u16, &[u8]) = (VERDICT_HEADER, &[0, 0, 0, 1, 0, 0, 0, 5]);
            prop_assert_eq!(&attributes[0], &vec![first, (PAYLOAD, payload.as_slice())]);
            let mark = mark.to_be_bytes();
            prop_assert_eq!(attributes[1][1], (MARK, mark.as_slice()));
        }
    }

    #[test]
    fn a_packet_that_was_cut_is_refused() {
        let mut writer = Writer::default();
        writer.begin(SUBSYSTEM_QUEUE, 0, 1, 0, false);
        writer.attribute(PACKET_HEADER, &[0, 0, 0, 1, 8, 0, 0]);
        writer.attribute(super::CAPTURED_LENGTH, &70_000_u32.to_be_bytes());
        writer.attribute(PAYLOAD, &[0x45]);
        let Some(Ok(Message::Netfilter { attributes, .. })) = Messages::new(writer.bytes()).next() else {
            panic!("of the queue");
        };
        assert!(parse(attributes).is_err());
    }

    #[test]
    fn losses_are_read_from_the_kernels_table() {
        let table = "    1   2613     0 2 65535     3     4   120  1\n    7 100 0 2 65535 0 9 1 1\n";
        assert_eq!(lost_in(table, 1), 7);
        assert_eq!(lost_in(table, 2), 0);
    }
}
