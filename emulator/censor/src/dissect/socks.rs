//! SOCKS, by which a client asks a proxy for a connection (version 4 and 4a as NEC described them; RFC 1928).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::http::Reading;

/// What a client says first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Greeting<'a> {
    /// Version 4 or 4a: what it asks for.
    V4(Request<'a>),
    /// Version 5: the methods by which it could prove who it is; what it asks for comes after the answer.
    V5(&'a [u8]),
}

/// A version of SOCKS.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Version {
    /// 4 and 4a.
    V4,
    /// 5.
    V5,
}

impl Greeting<'_> {
    /// Its version.
    pub const fn version(&self) -> Version {
        match self {
            Self::V4(_) => Version::V4,
            Self::V5(_) => Version::V5,
        }
    }
}

/// What a proxy is asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request<'a> {
    /// 1 to connect, 2 to be connected to, 3 for datagrams.
    pub command: u8,
    /// Whom to connect to.
    pub host: Host<'a>,
    /// The port.
    pub port: u16,
}

/// Whom to connect to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Host<'a> {
    /// An address.
    Address(IpAddr),
    /// A name, as sent.
    Name(&'a [u8]),
}

/// Reads what a client says first.
pub fn greeting(stream: &[u8]) -> Reading<Greeting<'_>> {
    match stream {
        [] | [4 | 5] => Reading::Undecided,
        [4, 1 | 2, rest @ ..] => request_v4(stream[1], rest).map(Greeting::V4),
        [5, count @ 1..=u8::MAX, methods @ ..] => {
            let count = usize::from(*count);
            // A client in a hurry sends its request behind them.
            let methods = &methods[..methods.len().min(count)];
            match methods.len() == count {
                _ if !methods.iter().all(|method| is_method(*method)) => Reading::Not,
                true => Reading::Is(Greeting::V5(methods)),
                false => Reading::Undecided,
            }
        }
        _ => Reading::Not,
    }
}

/// Reads what a client of version 5 asks for after the greeting (RFC 1928 section 4).
pub fn request_v5(stream: &[u8]) -> Reading<Request<'_>> {
    let fixed = [|byte| byte == 5, |byte| matches!(byte, 1..=3), |byte| byte == 0, |byte| matches!(byte, 1 | 3 | 4)];
    if stream.iter().zip(fixed).any(|(byte, is_right)| !is_right(*byte)) {
        return Reading::Not;
    }
    let request = || {
        let [_, command, _, kind] = *stream.first_chunk()?;
        let rest = &stream[4..];
        let (host, rest) = match kind {
            1 => rest
                .split_first_chunk::<4>()
                .map(|(address, rest)| (Host::Address(Ipv4Addr::from(*address).into()), rest))?,
            4 => rest
                .split_first_chunk::<16>()
                .map(|(address, rest)| (Host::Address(Ipv6Addr::from(*address).into()), rest))?,
            _ => {
                let (len, rest) = rest.split_first()?;
                let (name, rest) = rest.split_at_checked(usize::from(*len))?;
                (Host::Name(name), rest)
            }
        };
        let port = u16::from_be_bytes(*rest.first_chunk()?);
        Some(Request { command, host, port })
    };
    request().map_or(Reading::Undecided, Reading::Is)
}

/// A port, an address, who asks, and in 4a, where the address is 0.0.0.x, a name.
fn request_v4(command: u8, rest: &[u8]) -> Reading<Request<'_>> {
    let Some(([high, low, a, b, c, d], rest)) = rest.split_first_chunk::<6>() else {
        return Reading::Undecided;
    };
    let port = u16::from_be_bytes([*high, *low]);
    let user_end = match rest.iter().take(MAX_TEXT_LEN).position(|byte| *byte == 0) {
        Some(end) => end,
        None if rest.len() >= MAX_TEXT_LEN => return Reading::Not,
        None => return Reading::Undecided,
    };
    let has_name = [*a, *b, *c] == [0; 3] && *d != 0;
    if !has_name {
        return Reading::Is(Request { command, host: Host::Address(Ipv4Addr::new(*a, *b, *c, *d).into()), port });
    }
    let name = &rest[user_end + 1..];
    match name.iter().take(MAX_TEXT_LEN).position(|byte| *byte == 0) {
        Some(end) => Reading::Is(Request { command, host: Host::Name(&name[..end]), port }),
        None if name.len() >= MAX_TEXT_LEN => Reading::Not,
        None => Reading::Undecided,
    }
}

/// None, GSSAPI, a password, and those that IANA assigned or left to private use.
const fn is_method(method: u8) -> bool {
    matches!(method, 0..=9 | 0x80..=0xfe)
}

const MAX_TEXT_LEN: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    const V4: &[u8] = include_bytes!("../../tests/data/curl-socks4.bin");
    const V4A: &[u8] = include_bytes!("../../tests/data/curl-socks4a.bin");
    const V5: &[u8] = include_bytes!("../../tests/data/curl-socks5.bin");
    const V5_REQUEST: &[u8] = include_bytes!("../../tests/data/curl-socks5-request.bin");

    /// What curl sent to a proxy of each version.
    #[test]
    fn reads_real_requests() {
        let v4 = Request { command: 1, host: Host::Address([192, 0, 2, 7].into()), port: 80 };
        assert_eq!(greeting(V4), Reading::Is(Greeting::V4(v4)));
        let v5 = Request { command: 1, host: Host::Name(b"www.instagram.com"), port: 80 };
        assert_eq!(greeting(V4A), Reading::Is(Greeting::V4(v5.clone())));
        assert_eq!(greeting(V5), Reading::Is(Greeting::V5(&[0, 1])));
        assert_eq!(request_v5(V5_REQUEST), Reading::Is(v5));
        for stream in [V4, V4A, V5] {
            for len in 0..stream.len() {
                assert_eq!(greeting(&stream[..len]), Reading::Undecided, "cut at {len}");
            }
        }
        for len in 0..V5_REQUEST.len() {
            assert_eq!(request_v5(&V5_REQUEST[..len]), Reading::Undecided, "cut at {len}");
        }
    }

    /// Other versions, commands and methods, and more than a client may say.
    #[test]
    fn others_are_none() {
        for stream in [&b"\x16\x03\x01"[..], b"GET / ", b"\x04\x03", b"\x05\x00", b"\x05\x02\x00\x7f"] {
            assert_eq!(greeting(stream), Reading::Not, "{stream:?}");
        }
        for stream in [&b"\x04\x01"[..], b"\x05\x04", b"\x05\x01\x01", b"\x05\x01\x00\x02"] {
            assert_eq!(request_v5(stream), Reading::Not, "{stream:?}");
        }
    }
}
