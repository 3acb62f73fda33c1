//! What the kernel knows about a TCP connection (`TCP_INFO`, tcp(7)).

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

/// A connection at one moment. What a kernel does not know is zero.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TcpInfo {
    /// Segments that came, of any kind.
    pub segments_in: u32,
    /// Segments that were sent, of any kind, each time that they were.
    pub segments_out: u32,
    /// Segments with data that came.
    pub data_segments_in: u32,
    /// Segments with data that were sent, each time that they were.
    pub data_segments_out: u32,
    /// Segments that were sent again.
    pub retransmitted: u32,
    /// Of these, how many the other end had already (RFC 2883).
    pub needlessly: u32,
    /// Segments that came before one that they follow.
    pub out_of_order: u32,
    /// Bytes that came, each once.
    pub bytes_received: u64,
    /// Bytes whose receipt was acknowledged; the SYN counts as one.
    pub bytes_acknowledged: u64,
    /// Segments that were sent and whose receipt was not acknowledged yet.
    pub outstanding: u32,
    /// Bytes that were not sent yet.
    pub unsent: u32,
    /// The smoothed round trip of what is sent.
    pub round_trip: Duration,
    /// The shortest round trip of what is sent.
    pub shortest_round_trip: Duration,
    /// The round trip of what is received, as far as timestamps tell it (RFC 7323).
    pub receiver_round_trip: Duration,
    /// How many segments may be on their way.
    pub congestion_window: u32,
}

/// Asks the kernel.
pub fn read(socket: BorrowedFd<'_>) -> io::Result<TcpInfo> {
    let mut info = MaybeUninit::<libc::tcp_info>::zeroed();
    let mut length = libc::socklen_t::try_from(size_of::<libc::tcp_info>()).unwrap_or_default();
    // SAFETY: the kernel writes at most the given length, that of the structure; its fields are integers, for which what the
    // kernel leaves at zero is a value too.
    #[expect(unsafe_code, reason = "nix and socket2 do not know this option")]
    let info = unsafe {
        let option = info.as_mut_ptr().cast();
        if libc::getsockopt(socket.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_INFO, option, &raw mut length) < 0 {
            return Err(io::Error::last_os_error());
        }
        info.assume_init()
    };
    let microseconds = |number: u32| Duration::from_micros(number.into());
    Ok(TcpInfo {
        segments_in: info.tcpi_segs_in,
        segments_out: info.tcpi_segs_out,
        data_segments_in: info.tcpi_data_segs_in,
        data_segments_out: info.tcpi_data_segs_out,
        retransmitted: info.tcpi_total_retrans,
        needlessly: info.tcpi_dsack_dups,
        out_of_order: info.tcpi_rcv_ooopack,
        bytes_received: info.tcpi_bytes_received,
        bytes_acknowledged: info.tcpi_bytes_acked,
        outstanding: info.tcpi_unacked,
        unsent: info.tcpi_notsent_bytes,
        round_trip: microseconds(info.tcpi_rtt),
        shortest_round_trip: microseconds(info.tcpi_min_rtt),
        receiver_round_trip: microseconds(info.tcpi_rcv_rtt),
        congestion_window: info.tcpi_snd_cwnd,
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn bytes_are_counted_at_both_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let mut client = TcpStream::connect(listener.local_addr().expect("its address")).expect("a connection");
        let (mut server, _) = listener.accept().expect("a connection");
        client.write_all(&[1; 1000]).expect("a write");
        server.read_exact(&mut [0; 1000]).expect("a read");
        server.write_all(&[2; 10]).expect("a write");
        client.read_exact(&mut [0; 10]).expect("a read");
        let (client, server) = (read(client.as_fd()).expect("it"), read(server.as_fd()).expect("it"));
        assert_eq!((server.bytes_received, client.bytes_received, client.bytes_acknowledged), (1000, 10, 1001));
        assert_eq!((server.data_segments_in, client.data_segments_out, client.retransmitted), (1, 1, 0));
        assert!(client.segments_out >= 3 && client.congestion_window > 0);
    }

    #[test]
    fn what_is_no_connection_has_none() {
        let file = std::fs::File::open("/proc/self/status").expect("a file");
        assert!(read(file.as_fd()).is_err());
    }
}
