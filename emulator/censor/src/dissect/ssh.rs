//! The banner of SSH (RFC 4253 section 4.2), with which both ends begin.

use super::begins;

/// Whether a stream begins with the banner; `None` while it could. A server may say other lines first, a client may not.
pub fn is_banner(stream: &[u8]) -> Option<bool> {
    match begins(stream, b"SSH-2.0-") {
        Some(false) => begins(stream, b"SSH-1.99-"),
        answer => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BANNER: &[u8] = include_bytes!("../../tests/data/ssh-banner.bin");

    /// What `OpenSSH` sent.
    #[test]
    fn reads_a_real_banner() {
        assert_eq!(is_banner(BANNER), Some(true));
        for len in 0..5 {
            assert_eq!(is_banner(&BANNER[..len]), None, "cut at {len}");
        }
        assert_eq!(is_banner(b"SSH-1.99-x"), Some(true));
        assert_eq!(is_banner(b"SSH-2.0"), None);
        assert_eq!(is_banner(b"SSH-3.0-x"), Some(false));
        assert_eq!(is_banner(b"GET / HTTP/1.1"), Some(false));
    }
}
