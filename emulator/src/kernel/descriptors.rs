//! Open files passed from one process to another over a Unix socket (unix(7), `SCM_RIGHTS`).

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};

/// Passes an open file on; fails at once where the other side is not taking any.
pub fn send(socket: &impl AsFd, file: &impl AsFd) -> io::Result<()> {
    let files = [file.as_fd().as_raw_fd()];
    let rights = [ControlMessage::ScmRights(&files)];
    // At least one byte must travel with it.
    let bytes = [IoSlice::new(&[0])];
    sendmsg::<()>(socket.as_fd().as_raw_fd(), &bytes, &rights, MsgFlags::MSG_DONTWAIT, None)?;
    Ok(())
}

/// Waits for an open file; `None` when nobody can pass one any more.
pub fn receive(socket: &impl AsFd) -> io::Result<Option<OwnedFd>> {
    let mut byte = [0];
    let mut bytes = [IoSliceMut::new(&mut byte)];
    let mut space = nix::cmsg_space!([i32; 1]);
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let received = recvmsg::<()>(socket.as_fd().as_raw_fd(), &mut bytes, Some(&mut space), flags)?;
    if received.bytes == 0 {
        return Ok(None);
    }
    for message in received.cmsgs()? {
        if let ControlMessageOwned::ScmRights(files) = message
            && let Some(file) = files.first()
        {
            // SAFETY: the kernel has just made this descriptor for this process, and nothing else knows of it. There is room
            // for one only, so no second one is lost.
            #[expect(unsafe_code, reason = "a received descriptor is a number until somebody owns it")]
            return Ok(Some(unsafe { OwnedFd::from_raw_fd(*file) }));
        }
    }
    Err(io::Error::from(io::ErrorKind::InvalidData))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::{UnixDatagram, UnixStream};

    use super::*;

    #[test]
    fn a_connection_that_was_passed_on_is_the_same_connection() {
        let (there, here) = UnixDatagram::pair().expect("a pair");
        let (mut caller, called) = UnixStream::pair().expect("a pair");
        send(&there, &called).expect("sent");
        drop(called);
        let mut received = UnixStream::from(receive(&here).expect("received").expect("one came"));
        caller.write_all(b"hello").expect("written");
        let mut text = [0; 5];
        received.read_exact(&mut text).expect("read");
        assert_eq!(&text, b"hello");
    }
}
