//! Connections by a proxy: SOCKS version 5 (RFC 1928) with the name of the host, and HTTP's CONNECT (RFC 9110 section 9.3.6).

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::probes::Failure;

/// A connection to a host by a SOCKS proxy.
pub(super) async fn socks5(proxy: SocketAddr, host: &str, port: u16) -> Result<TcpStream, Failure> {
    let mut stream = open(proxy).await?;
    greet_socks5(&mut stream, host, port).await?;
    Ok(stream)
}

/// A connection to a host by an HTTP proxy.
pub(super) async fn http(proxy: SocketAddr, host: &str, port: u16) -> Result<TcpStream, Failure> {
    let mut stream = open(proxy).await?;
    ask_http(&mut stream, host, port).await?;
    Ok(stream)
}

async fn open(proxy: SocketAddr) -> Result<TcpStream, Failure> {
    let stream = TcpStream::connect(proxy).await.map_err(|error| Failure::from(&error))?;
    stream.set_nodelay(true).map_err(|error| Failure::from(&error))?;
    Ok(stream)
}

async fn greet_socks5<S>(stream: &mut S, host: &str, port: u16) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let io = |error: std::io::Error| Failure::from(&error);
    stream.write_all(&[VERSION, 1, WITHOUT_AUTHENTICATION]).await.map_err(io)?;
    let mut chosen = [0; 2];
    stream.read_exact(&mut chosen).await.map_err(io)?;
    if chosen != [VERSION, WITHOUT_AUTHENTICATION] {
        return Err(refused(&format!("the SOCKS proxy wants another way of authentication: {chosen:02x?}")));
    }
    let length = u8::try_from(host.len()).map_err(|_| Failure::Ours(format!("{host} is too long a name")))?;
    let mut request = vec![VERSION, CONNECT, 0, BY_NAME, length];
    request.extend_from_slice(host.as_bytes());
    request.extend_from_slice(&port.to_be_bytes());
    stream.write_all(&request).await.map_err(io)?;
    let mut reply = [0; 4];
    stream.read_exact(&mut reply).await.map_err(io)?;
    let [version, code, _, kind] = reply;
    if version != VERSION || code != 0 {
        return Err(refused(&format!("the SOCKS proxy says no: {}", said(code))));
    }
    let bound = match kind {
        BY_V4 => 4,
        BY_V6 => 16,
        BY_NAME => usize::from(stream.read_u8().await.map_err(io)?),
        other => return Err(refused(&format!("the SOCKS proxy's reply has an address of kind {other}"))),
    };
    let mut rest = vec![0; bound + 2];
    stream.read_exact(&mut rest).await.map_err(io).map(drop)
}

async fn ask_http<S>(stream: &mut S, host: &str, port: u16) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let io = |error: std::io::Error| Failure::from(&error);
    let request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(io)?;
    let mut head = Vec::new();
    // Byte by byte: what comes behind the head is the host's.
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > LONGEST_HEAD {
            return Err(refused("the HTTP proxy's answer has no end"));
        }
        head.push(stream.read_u8().await.map_err(io)?);
    }
    let line = String::from_utf8_lossy(&head);
    let line = line.lines().next().unwrap_or_default();
    let accepted = line.split(' ').nth(1).is_some_and(|status| status.len() == 3 && status.starts_with('2'));
    if accepted { Ok(()) } else { Err(refused(&format!("the HTTP proxy says no: {line}"))) }
}

/// A proxy that says no has not reached the host; OONI has no word for it.
fn refused(what: &str) -> Failure {
    Failure::Unknown(what.to_owned())
}

/// RFC 1928 section 6.
fn said(code: u8) -> String {
    let words = ["", "general failure", "not allowed", "network unreachable", "host unreachable", "connection refused"];
    words.get(usize::from(code)).map_or_else(|| format!("reply {code}"), |word| (*word).to_owned())
}

const VERSION: u8 = 5;
const WITHOUT_AUTHENTICATION: u8 = 0;
const CONNECT: u8 = 1;
const BY_V4: u8 = 1;
const BY_NAME: u8 = 3;
const BY_V6: u8 = 4;
const LONGEST_HEAD: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::duplex;

    use super::*;

    /// What a client writes and makes of what it is answered.
    async fn socks(answer: &[u8]) -> (Vec<u8>, Result<(), String>) {
        let (mut near, mut far) = duplex(1024);
        far.write_all(answer).await.expect("room");
        let result = greet_socks5(&mut near, "a.example", 443).await.map_err(|failure| failure.to_string());
        drop(near);
        let mut written = Vec::new();
        far.read_to_end(&mut written).await.expect("what was written");
        (written, result)
    }

    #[tokio::test]
    async fn a_socks_proxy_is_asked_for_a_name_as_rfc_1928_says() {
        let (written, result) = socks(b"\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x04\x38").await;
        assert_eq!(written, b"\x05\x01\x00\x05\x01\x00\x03\x09a.example\x01\xbb");
        assert_eq!(result, Ok(()));
        let (_, refused) = socks(b"\x05\x00\x05\x05\x00\x01").await;
        assert_eq!(refused, Err("unknown_failure: the SOCKS proxy says no: connection refused".to_owned()));
        let (_, closed) = socks(b"\x05\xff").await;
        assert!(closed.is_err_and(|said| said.contains("authentication")));
    }

    #[tokio::test]
    async fn an_http_proxy_is_asked_to_connect() {
        for (answer, accepted) in [("200 Connection established", true), ("502 Bad Gateway", false)] {
            let (mut near, mut far) = duplex(1024);
            far.write_all(format!("HTTP/1.1 {answer}\r\nVia: x\r\n\r\nrest").as_bytes()).await.expect("room");
            assert_eq!(ask_http(&mut near, "a.example", 443).await.is_ok(), accepted);
            if accepted {
                let mut rest = [0; 4];
                near.read_exact(&mut rest).await.expect("what is the host's");
                assert_eq!(&rest, b"rest");
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_a_proxy_answers_is_an_answer(answer in proptest::collection::vec(any::<u8>(), 0..40)) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(async {
                let (mut near, mut far) = duplex(1024);
                far.write_all(&answer).await.expect("room");
                far.shutdown().await.expect("an end");
                let _ = greet_socks5(&mut near, "a.example", 443).await;
            });
        }
    }
}
