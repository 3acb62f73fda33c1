//! Bytes that look random and are the same run after run: what a censor makes of them must not depend on luck.

use std::net::SocketAddr;

use ring::digest::{Context, SHA256};

use super::socket::Source;

/// Bytes for what a client sends to a server, of no meaning to anybody else. The label keeps different uses apart.
pub(crate) fn bytes<const N: usize>(source: &Source, remote: SocketAddr, label: &str) -> [u8; N] {
    let mut bytes = [0; N];
    for (number, chunk) in (0_u32..).zip(bytes.chunks_mut(32)) {
        let mut context = Context::new(&SHA256);
        context.update(&source.client.v4.octets());
        context.update(remote.to_string().as_bytes());
        context.update(label.as_bytes());
        context.update(&number.to_be_bytes());
        let digest = context.finish();
        chunk.copy_from_slice(digest.as_ref().get(..chunk.len()).unwrap_or_default());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn the_same_use_gives_the_same_bytes_and_another_does_not() {
        let (source, remote) = (testing::source(), testing::ANY_PORT);
        let first: [u8; 64] = bytes(&source, remote, "a");
        assert_eq!(first, bytes(&source, remote, "a"));
        assert_ne!(first, bytes(&source, remote, "b"));
        assert_ne!(first[..32], first[32..]);
    }
}
