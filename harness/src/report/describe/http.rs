//! The first line of an HTTP/1 message.

/// How much of a line is told.
const TOLD: usize = 60;

/// `GET / for web.whatsapp.com`, `HTTP/1.1 200 OK`; `None` for anything else.
pub(super) fn message(payload: &[u8]) -> Option<String> {
    let head = &payload[..payload.len().min(2048)];
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = printable(lines.next()?);
    if first.starts_with("HTTP/1.") {
        return Some(first);
    }
    let (method, rest) = first.split_once(' ')?;
    if !METHODS.contains(&method) {
        return None;
    }
    let path = rest.split(' ').next().unwrap_or_default();
    let host = lines.find_map(|line| {
        let (name, value) = line.split_at_checked(5)?;
        name.eq_ignore_ascii_case(b"host:").then(|| printable(value.trim_ascii()))
    });
    let host = host.map(|host| format!(" for {host}")).unwrap_or_default();
    Some(format!("{method} {path}{host}"))
}

const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "PATCH"];

/// The beginning of a line, odd bytes shown as `?`.
fn printable(line: &[u8]) -> String {
    let shown = |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '?' };
    line.iter().take(TOLD).map(shown).collect()
}
