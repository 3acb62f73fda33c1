//! A packet socket that sees all that enters and leaves a namespace, as the kernel handles it: with the time, the
//! interface and the way, and with what it leaves to hardware still to be done.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, recvmsg, setsockopt,
    socket, sockopt,
};
use nix::sys::time::TimeSpec;

/// The length of an Ethernet header, which every veth has.
const ETHERNET_LEN: usize = 14;
/// The length of the header in which the kernel says what is still to be done (`struct virtio_net_hdr`).
const OFFLOAD_LEN: usize = 10;
/// More than the longest packet that is handed over in one piece, with its headers.
const BUFFER_LEN: usize = (1 << 16) + 256;
/// A socket's buffer, in bytes, where the machine allows so much.
const RECEIVE_BUFFER: usize = 4 << 20;
/// How many sockets share the packets: a machine allows each of them only some 400 kB, which one long transfer fills in a
/// few milliseconds.
const SOCKETS: usize = 16;

/// What the kernel has left to hardware that a veth does not have, and that its receiver never misses.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Unfinished {
    /// The transport's checksum is not there yet.
    pub checksum: bool,
    /// Several segments are still one, each but the last with so many bytes of payload.
    pub segment_len: Option<u16>,
}

/// One packet, or several that are still one.
#[derive(Clone, Copy, Debug)]
pub struct Tapped<'a> {
    /// The index of the interface.
    pub interface: u32,
    /// Whether it left by the interface; else it arrived.
    pub outgoing: bool,
    /// When, by the wall clock, since 1970.
    pub at: Duration,
    /// What is still to be done.
    pub unfinished: Unfinished,
    /// From the first byte of the IP header.
    pub bytes: &'a [u8],
}

/// A tap on all interfaces of the namespace in which it was opened.
#[derive(Debug)]
pub struct Tap {
    /// The packets go to these in turn.
    sockets: Vec<OwnedFd>,
    buffer: Vec<u8>,
    control: Vec<u8>,
}

impl Tap {
    /// Opens a tap on the calling thread's namespace. It can then be read from any thread.
    pub fn open() -> io::Result<Self> {
        let sockets = (0..SOCKETS).map(|_| open()).collect::<io::Result<_>>()?;
        Ok(Self { sockets, buffer: vec![0; BUFFER_LEN], control: nix::cmsg_space!(TimeSpec) })
    }

    /// What becomes readable when packets are there.
    pub fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.sockets.iter().map(AsFd::as_fd)
    }

    /// Takes what is there and hands each packet of IP to `each`, in no order: each has its time.
    pub fn take(&mut self, mut each: impl FnMut(Tapped<'_>)) -> io::Result<()> {
        let Self { sockets, buffer, control } = self;
        sockets.iter().try_for_each(|socket| take(socket, buffer, control, &mut each))
    }

    /// How many packets were lost since this was asked the last time, because nobody took them in time.
    pub fn lost(&self) -> io::Result<u32> {
        self.sockets.iter().try_fold(0_u32, |sum, socket| Ok(sum.saturating_add(lost(socket)?)))
    }
}

/// One of the sockets that share a namespace's packets.
fn open() -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Packet, SockType::Raw, flags, SockProtocol::EthAll)?;
    setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
    // Forcing needs privileges over the first namespace, which a lab has not; then the ordinary limit holds, and what is
    // lost is counted.
    let _ = setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER)
        .or_else(|_| setsockopt(&socket, sockopt::RcvBuf, &RECEIVE_BUFFER));
    // What is still to be done is said in a header of its own.
    set(&socket, libc::PACKET_VNET_HDR, 1)?;
    // Group 1 of this namespace, in turn (`PACKET_FANOUT_LB`).
    set(&socket, libc::PACKET_FANOUT, FANOUT_IN_TURN << 16 | 1)?;
    Ok(socket)
}

/// `PACKET_FANOUT_LB`.
const FANOUT_IN_TURN: libc::c_int = 1;

fn take(socket: &OwnedFd, buffer: &mut [u8], control: &mut [u8], each: &mut impl FnMut(Tapped<'_>)) -> io::Result<()> {
    loop {
        let mut pieces = [IoSliceMut::new(buffer)];
        let received = recvmsg::<LinkAddr>(socket.as_raw_fd(), &mut pieces, Some(control), MsgFlags::MSG_DONTWAIT);
        let message = match received {
            Ok(message) => message,
            Err(nix::Error::EAGAIN) => return Ok(()),
            Err(nix::Error::EINTR) => continue,
            Err(cause) => return Err(cause.into()),
        };
        let length = message.bytes;
        let at = message.cmsgs()?.find_map(|control| match control {
            ControlMessageOwned::ScmTimestampns(time) => Some(Duration::from(time)),
            _ => None,
        });
        let address = message.address.as_ref().map(|link| (link.ifindex(), link.pkttype()));
        let (Some(at), Some((interface, kind))) = (at, address) else { continue };
        if let Some((unfinished, bytes)) = buffer.get(..length).and_then(split) {
            let interface = u32::try_from(interface).unwrap_or_default();
            each(Tapped { interface, outgoing: kind == libc::PACKET_OUTGOING, at, unfinished, bytes });
        }
    }
}

fn lost(socket: &OwnedFd) -> io::Result<u32> {
    let mut statistics = libc::tpacket_stats { tp_packets: 0, tp_drops: 0 };
    let mut length = socket_length(size_of::<libc::tpacket_stats>());
    // SAFETY: the kernel writes at most the given length, that of the structure, into it.
    #[expect(unsafe_code, reason = "nix does not know this option of packet sockets")]
    let got = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_STATISTICS,
            (&raw mut statistics).cast(),
            &raw mut length,
        )
    };
    if got < 0 { Err(io::Error::last_os_error()) } else { Ok(statistics.tp_drops) }
}

/// Sets a number among a packet socket's options.
fn set(socket: &OwnedFd, option: libc::c_int, value: libc::c_int) -> io::Result<()> {
    // SAFETY: the option's value is an integer of the given length that lives until the call returns.
    #[expect(unsafe_code, reason = "nix does not know these options of packet sockets")]
    let set = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            option,
            (&raw const value).cast(),
            socket_length(size_of::<libc::c_int>()),
        )
    };
    if set < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn socket_length(length: usize) -> libc::socklen_t {
    libc::socklen_t::try_from(length).unwrap_or_default()
}

/// Takes a frame apart; `None` for what is not IP.
fn split(frame: &[u8]) -> Option<(Unfinished, &[u8])> {
    let (header, frame) = frame.split_at_checked(OFFLOAD_LEN)?;
    let (ethernet, bytes) = frame.split_at_checked(ETHERNET_LEN)?;
    if !matches!(ethernet[12..], [0x08, 0x00] | [0x86, 0xdd]) {
        return None;
    }
    // flags, gso_type, hdr_len, gso_size, csum_start, csum_offset; numbers in the machine's own order.
    let is_segmented = header[1] != 0;
    let segment_len = is_segmented.then(|| u16::from_ne_bytes([header[4], header[5]])).filter(|length| *length != 0);
    Some((Unfinished { checksum: header[0] & 1 != 0, segment_len }, bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Unfinished, split};

    proptest! {
        #[test]
        fn arbitrary_frames_are_no_danger(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = split(&bytes);
        }
    }

    #[test]
    fn only_ip_is_taken_and_what_is_unfinished_is_said() {
        let frame = |header: [u8; 10], kind: [u8; 2]| [&header[..], &[2; 12], &kind, &[0x45, 0]].concat();
        let [low, high] = 1448_u16.to_ne_bytes();
        let unfinished = Unfinished { checksum: true, segment_len: Some(1448) };
        let whole = frame([1, 1, 0, 0, low, high, 0, 0, 0, 0], [0x08, 0]);
        assert_eq!(split(&whole), Some((unfinished, &[0x45, 0][..])));
        let plain = frame([0; 10], [0x86, 0xdd]);
        assert_eq!(split(&plain), Some((Unfinished::default(), &[0x45, 0][..])));
        assert_eq!(split(&frame([0; 10], [0x08, 0x06])), None, "ARP");
    }
}
