//! A TUN device: the packets that are routed to it are read here, and those that are written here are routed on.
#![expect(unsafe_code, reason = "devices are made by ioctl, and tokio asks for a promise about a descriptor")]

use std::ffi::c_int;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Makes a device in the network namespace of the calling thread that stays when this returns, down and without addresses.
pub fn create(name: &str) -> io::Result<()> {
    let file = attach(name)?;
    let persist: c_int = 1;
    // SAFETY: the descriptor is open, and TUNSETPERSIST takes a number and no pointer.
    let done = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETPERSIST, persist) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// A device's end in this program.
#[derive(Debug)]
pub struct Tun(AsyncFd<File>);

impl Tun {
    /// Opens a device of the calling thread's namespace. Called within a runtime.
    pub fn open(name: &str) -> io::Result<Self> {
        let file = attach(name)?;
        // SAFETY: the file owns its descriptor and is owned by the AsyncFd, so it stays open and the same for as long as it
        // is registered.
        let registered = unsafe { AsyncFd::register_with_interest(file, Interest::READABLE) };
        Ok(Self(registered?))
    }

    /// The next packet, at the beginning of the buffer; gives its length.
    pub async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.async_io(Interest::READABLE, |mut file: &File| file.read(buffer)).await
    }

    /// Has a packet routed. One that the device has no room for is lost, as on any link.
    pub fn write(&self, packet: &[u8]) -> io::Result<()> {
        match self.0.get_ref().write(packet) {
            Err(cause) if matches!(cause.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::InvalidInput) => Ok(()),
            written => written.map(drop),
        }
    }
}

fn attach(name: &str) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open("/dev/net/tun")?;
    // SAFETY: all bytes zero are a valid ifreq.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes().take(libc::IFNAMSIZ - 1)) {
        *to = from.cast_signed();
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as i16;
    // SAFETY: the descriptor is open, and TUNSETIFF reads and writes an ifreq, which lives.
    let done = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(file) }
}
