//! NFLOG: copies of the packets that the kernel decided about alone, so that each of its decisions is an event too.

use std::io;
use std::os::fd::AsRawFd;

use nix::sys::socket::{MsgFlags, recv};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::netfilter::{Attributes, Malformed, Message, Messages, SUBSYSTEM_LOG, Socket, Writer};
use super::nfqueue;

// Message types.
const PACKET: u8 = 0;
const CONFIG: u8 = 1;
// Attributes of a packet.
const INTERFACE_IN: u16 = 4;
const PAYLOAD: u16 = 9;
const PREFIX: u16 = 10;
// Attributes of a configuration.
const CONFIG_COMMAND: u16 = 1;
const CONFIG_MODE: u16 = 2;
const CONFIG_TIMEOUT: u16 = 4;
const CONFIG_THRESHOLD: u16 = 5;

/// The socket's buffer, in bytes.
const RECEIVE_BUFFER: usize = 4 << 20;

/// One packet that the kernel decided about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Logged<'a> {
    /// What the rule says of it.
    pub prefix: &'a str,
    /// The index of the interface it came in by.
    pub interface: u32,
    /// The beginning of the packet, from the IP header on.
    pub bytes: &'a [u8],
}

/// Reads a logged packet from a message's attributes.
pub fn parse(attributes: &[u8]) -> Result<Logged<'_>, Malformed> {
    let (mut prefix, mut interface, mut bytes) = ("", 0, None);
    for attribute in Attributes::new(attributes) {
        let (kind, value) = attribute?;
        match kind {
            INTERFACE_IN => {
                let index = value.get(..4).and_then(|index| index.try_into().ok()).ok_or(Malformed)?;
                interface = u32::from_be_bytes(index);
            }
            PAYLOAD => bytes = Some(value),
            PREFIX => {
                let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
                prefix = std::str::from_utf8(&value[..end]).map_err(|_| Malformed)?;
            }
            _ => {}
        }
    }
    bytes.map(|bytes| Logged { prefix, interface, bytes }).ok_or(Malformed)
}

/// A log group of the namespace in which it was opened.
#[derive(Debug)]
pub struct Log {
    socket: AsyncFd<Socket>,
    buffer: Vec<u8>,
}

impl Log {
    /// Opens a group. Called within a runtime.
    pub fn open(group: u16) -> io::Result<Self> {
        let socket = Socket::open(RECEIVE_BUFFER)?;
        let mut writer = Writer::default();
        // NFULNL_CFG_CMD_BIND = 1. Copy range, big-endian, NFULNL_COPY_PACKET = 2, padding. Nothing is gathered: each
        // packet comes at once, so that an event is there when its consequence is felt.
        let settings: [(u16, &[u8]); 4] = [
            (CONFIG_COMMAND, &[1]),
            (CONFIG_MODE, &[0, 0, 0, 128, 2, 0]),
            (CONFIG_TIMEOUT, &[0, 0, 0, 0]),
            (CONFIG_THRESHOLD, &[0, 0, 0, 1]),
        ];
        for (kind, value) in settings {
            writer.clear();
            writer.begin(SUBSYSTEM_LOG, CONFIG, group, u32::from(kind), true);
            writer.attribute(kind, value);
            socket.request(writer.bytes(), u32::from(kind))?;
        }
        nix::fcntl::fcntl(&socket, nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK))?;
        Ok(Self { socket: nfqueue::register(socket)?, buffer: vec![0; 1 << 16] })
    }

    /// Waits until something is there.
    pub async fn readable(&self) -> io::Result<()> {
        let mut guard = self.socket.readable().await?;
        guard.retain_ready();
        Ok(())
    }

    /// Takes what is there and hands each packet to `each`. A lost packet is an error of kind `Other`: ENOBUFS.
    pub fn take(&mut self, mut each: impl FnMut(Logged<'_>)) -> io::Result<()> {
        let Self { socket, buffer } = self;
        loop {
            let received =
                socket.try_io(Interest::READABLE, |inner| Ok(recv(inner.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT)?));
            let length = match received {
                Ok(length) => length,
                Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(cause) => return Err(cause),
            };
            for message in Messages::new(&buffer[..length]) {
                if let Message::Netfilter { subsystem: SUBSYSTEM_LOG, kind: PACKET, attributes, .. } =
                    message.map_err(io::Error::other)?
                {
                    each(parse(attributes).map_err(io::Error::other)?);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{INTERFACE_IN, PAYLOAD, PREFIX, parse};
    use crate::kernel::netfilter::{Message, Messages, SUBSYSTEM_LOG, Writer};

    proptest! {
        #[test]
        fn arbitrary_attributes_are_no_danger(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn a_logged_packet_comes_back(payload in proptest::collection::vec(any::<u8>(), 1..128)) {
            let mut writer = Writer::default();
            writer.begin(SUBSYSTEM_LOG, 0, 1, 0, false);
            writer.attribute(INTERFACE_IN, &3_u32.to_be_bytes());
            writer.attribute(PREFIX, b"tspu/ip-drop\0");
            writer.attribute(PAYLOAD, &payload);
            let Some(Ok(Message::Netfilter { attributes, .. })) = Messages::new(writer.bytes()).next() else {
                panic!("of the log");
            };
            let logged = parse(attributes).expect("complete");
            prop_assert_eq!((logged.prefix, logged.interface, logged.bytes), ("tspu/ip-drop", 3, payload.as_slice()));
        }
    }
}
