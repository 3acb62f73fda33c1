//! The chat's header and its frames.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The header that begins a connection: `WA`, a version and a dictionary. It is the handshake's prologue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::internet) struct Header(pub(in crate::internet) [u8; 4]);

impl Header {
    /// Reads the header, and the routing preamble before it where there is one.
    pub(super) async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Self> {
        let mut first = [0; 4];
        stream.read_exact(&mut first).await?;
        if first == ROUTING {
            // Where the client would like to be served; the lab has one server.
            read_frame(stream).await?;
            stream.read_exact(&mut first).await?;
        }
        Self::of(first).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// A header of version 5 or 6, with any dictionary.
    fn of(bytes: [u8; 4]) -> Option<Self> {
        matches!(bytes, [b'W', b'A', 5 | 6, _]).then_some(Self(bytes))
    }
}

/// Reads one frame. Longer ones than a Noise message can be (65535 bytes) are refused.
pub(super) async fn read_frame<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length[1..]).await?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut frame = vec![0; length];
    stream.read_exact(&mut frame).await?;
    Ok(frame)
}

/// Writes one frame, at once.
pub(super) async fn write_frame<S: AsyncWrite + Unpin>(stream: &mut S, content: &[u8]) -> io::Result<()> {
    let length = u32::try_from(content.len()).ok().filter(|length| *length >> 24 == 0);
    let length = length.ok_or(io::ErrorKind::InvalidInput)?.to_be_bytes();
    let frame = [&length[1..], content].concat();
    stream.write_all(&frame).await?;
    stream.flush().await
}

/// `ED`, 0, 1: the preamble that says where to route, of edge servers.
const ROUTING: [u8; 4] = [b'E', b'D', 0, 1];
/// The longest Noise message (Noise section 3).
const LONGEST: usize = 65_535;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
    }

    #[test]
    fn the_header_comes_first_or_after_the_routing() {
        let read = |mut bytes: &[u8]| run(Header::read(&mut bytes));
        assert_eq!(read(b"WA\x06\x03rest").expect("a header"), Header(*b"WA\x06\x03"));
        assert_eq!(read(b"WA\x05\x02").expect("a header"), Header(*b"WA\x05\x02"));
        assert_eq!(read(b"ED\x00\x01\x00\x00\x05routeWA\x06\x03").expect("a header"), Header(*b"WA\x06\x03"));
        for wrong in [&b"WA\x04\x03"[..], b"WB\x06\x03", b"ED\x00\x01\x00\x00\x05routeED\x00\x01", b"WA\x06", b""] {
            read(wrong).expect_err("no header");
        }
    }

    #[test]
    fn a_frame_without_end_is_refused_before_it_is_read() {
        let mut bytes: &[u8] = &[1, 0, 0];
        assert_eq!(run(read_frame(&mut bytes)).expect_err("too long").kind(), io::ErrorKind::InvalidData);
    }

    proptest! {
        #[test]
        fn a_frame_comes_out_as_it_went_in(content in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut wire = Vec::new();
            run(write_frame(&mut wire, &content)).expect("written");
            prop_assert_eq!(wire.len(), content.len() + 3);
            prop_assert_eq!(run(read_frame(&mut wire.as_slice())).expect("a frame"), content);
        }

        #[test]
        fn any_bytes_are_a_header_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = run(Header::read(&mut bytes.as_slice()));
        }
    }
}
