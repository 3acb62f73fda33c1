//! Protocols over UDP that are known by their first bytes.

/// The magic cookie of STUN (RFC 8489 section 5).
const STUN_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// What a datagram is; `None` where its bytes do not tell.
pub(super) fn message(payload: &[u8]) -> Option<String> {
    let words = match payload {
        [kind, low, _, _, cookie @ ..] if cookie.starts_with(&STUN_COOKIE) => return Some(stun([*kind, *low])),
        // RFC 9000 section 17.2: the long header, then the version.
        [first, 0, 0, 0, 1, ..] if first & 0xc0 == 0xc0 => match first & 0x30 {
            0x00 => "QUIC Initial",
            0x10 => "QUIC 0-RTT",
            0x20 => "QUIC Handshake",
            _ => "QUIC Retry",
        },
        [first, 0, 0, 0, 0, ..] if first & 0x80 != 0 => "QUIC Version Negotiation",
        // The WireGuard protocol's four message types, each followed by three zero bytes.
        [1, 0, 0, 0, ..] if payload.len() == 148 => "WireGuard handshake initiation",
        [2, 0, 0, 0, ..] if payload.len() == 92 => "WireGuard handshake response",
        [3, 0, 0, 0, ..] if payload.len() == 64 => "WireGuard cookie reply",
        [4, 0, 0, 0, ..] if payload.len() >= 32 => "WireGuard data",
        // DTLS 1.0 and 1.2 (RFC 6347 section 4.1).
        [22, 0xfe, 0xfd | 0xff, ..] => "DTLS handshake",
        [20..=23, 0xfe, 0xfd | 0xff, ..] => "DTLS record",
        // OpenVPN: the operation in the upper five bits, then the key id.
        [0x38 | 0x50, ..] if payload.len() >= 14 => "OpenVPN client reset",
        [0x40, ..] if payload.len() >= 14 => "OpenVPN server reset",
        // RTP (RFC 3550 section 5.1), version 2 without extension.
        [0x80, ..] if payload.len() >= 12 => "RTP",
        _ => return None,
    };
    Some(words.to_owned())
}

fn stun(kind: [u8; 2]) -> String {
    let words = match kind {
        [0x00, 0x01] => "STUN binding request",
        [0x01, 0x01] => "STUN binding answer",
        [0x01, 0x11] => "STUN binding error",
        [0x00, 0x03] => "TURN allocate request",
        [0x01, 0x03] => "TURN allocate answer",
        [0x01, 0x13] => "TURN allocate error",
        _ => "STUN message",
    };
    words.to_owned()
}
