//! A `ClientHello` that another program sent: does a server answer it?
//!
//! The session cannot go on, because its keys were that program's. A `ServerHello` in answer, or the one that asks for
//! another hello (RFC 8446 section 4.1.4), says that the hello went through and its answer came back.

use std::io;

use roadblock_censor::dissect::tls::{Hello, Options, client_hello};
use roadblock_scenarios::model::Payload;
use roadblock_scenarios::with_server_name;
use rustls::AlertDescription;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::failure::Failure;

/// Sends the hello with this server name and reads the answer.
pub(crate) async fn greet<S>(mut stream: S, captured: &Payload, name: &str) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let not_one = || Failure::Ours(format!("{} is no ClientHello", captured.written));
    let hello = with_server_name(&captured.segments.concat(), name).ok_or_else(not_one)?;
    let Hello::ClientHello(said) = client_hello(&hello, &Options::default()) else { return Err(not_one()) };
    let answered = async {
        stream.write_all(&hello).await?;
        stream.flush().await?;
        answer(&mut stream).await
    };
    match answered.await.map_err(|error| Failure::from(&error))? {
        Answer::Message(message) if is_server_hello(&message, &said.cipher_suites) => Ok(()),
        Answer::Message(_) | Answer::Other => Err(Failure::SslFailedHandshake),
        Answer::Alert(alert) => Err(Failure::from(&rustls::Error::AlertReceived(AlertDescription::from(alert)))),
    }
}

/// What came first.
#[derive(Debug)]
enum Answer {
    /// A handshake message, without its header.
    Message(Vec<u8>),
    /// An alert.
    Alert(u8),
    /// Something else.
    Other,
}

/// Reads records until the first message is whole.
async fn answer(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Answer> {
    let mut message = Vec::new();
    loop {
        let mut header = [0; 5];
        stream.read_exact(&mut header).await?;
        let [kind, major, _, high, low] = header;
        let mut content = vec![0; usize::from(u16::from_be_bytes([high, low]))];
        if major != 3 || content.len() > LONGEST_RECORD {
            return Ok(Answer::Other);
        }
        stream.read_exact(&mut content).await?;
        match (kind, content.as_slice()) {
            (ALERT, [_, alert]) if message.is_empty() => return Ok(Answer::Alert(*alert)),
            (HANDSHAKE, _) => message.extend(content),
            _ => return Ok(Answer::Other),
        }
        if let [SERVER_HELLO, a, b, c, body @ ..] = message.as_slice() {
            let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
            if length > LONGEST_RECORD {
                return Ok(Answer::Other);
            }
            if let Some(body) = body.get(..length) {
                return Ok(Answer::Message(body.to_vec()));
            }
        } else if !message.is_empty() && message.first() != Some(&SERVER_HELLO) {
            return Ok(Answer::Other);
        }
    }
}

/// Whether this is a whole `ServerHello` that chooses one of these cipher suites (RFC 8446 section 4.1.3).
fn is_server_hello(body: &[u8], offered: &[u16]) -> bool {
    let parts = || {
        let (version, rest) = body.split_first_chunk::<2>()?;
        let (_random, rest) = rest.split_first_chunk::<32>()?;
        let (length, rest) = rest.split_first()?;
        let (_session, rest) = rest.split_at_checked(usize::from(*length))?;
        let ([high, low, compression], extensions) = rest.split_first_chunk::<3>()?;
        let whole = match extensions.split_first_chunk::<2>() {
            Some((length, extensions)) => usize::from(u16::from_be_bytes(*length)) == extensions.len(),
            // TLS 1.2 may have none.
            None => extensions.is_empty(),
        };
        let suite = u16::from_be_bytes([*high, *low]);
        Some(version[0] == 3 && *compression == 0 && whole && offered.contains(&suite))
    };
    parts().unwrap_or(false)
}

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const SERVER_HELLO: u8 = 2;
/// RFC 8446 section 5.1.
const LONGEST_RECORD: usize = 1 << 14;

#[cfg(test)]
mod tests {
    use super::super::testing::Authority;
    use super::*;

    const CHROMIUM: &[u8] = include_bytes!("../../../emulator/censor/tests/data/chromium-client-hello.bin");
    const TLS12_FLIGHT: &[u8] = include_bytes!("../../../emulator/censor/tests/data/openssl-server-flight-tls12.bin");

    fn captured() -> Payload {
        Payload { written: "@bytes/chromium".to_owned(), segments: vec![CHROMIUM.to_vec()] }
    }

    /// What comes of it when this is answered.
    async fn greeted(answer: &[u8]) -> Result<(), Failure> {
        let (ours, mut other) = tokio::io::duplex(1 << 16);
        other.write_all(answer).await.expect("a write");
        greet(ours, &captured(), "a.example").await
    }

    #[tokio::test]
    async fn a_server_of_rustls_answers_a_hello_of_chromium() {
        let (ours, other) = tokio::io::duplex(1 << 16);
        let acceptor = Authority::new().acceptor(&["a.example"]);
        let server = tokio::spawn(async move { acceptor.accept(other).await.map(drop) });
        assert_eq!(greet(ours, &captured(), "a.example").await, Ok(()));
        server.abort();
    }

    #[tokio::test]
    async fn an_answer_of_openssl_is_read_and_its_choice_is_checked() {
        // It chose a suite of TLS 1.2 that Chromium offers, too.
        assert_eq!(greeted(TLS12_FLIGHT).await, Ok(()));
        let mut changed = TLS12_FLIGHT.to_vec();
        let suite = 5 + 4 + 2 + 32 + 1 + usize::from(TLS12_FLIGHT[5 + 4 + 34]);
        changed[suite..suite + 2].copy_from_slice(&[0x12, 0x34]);
        assert_eq!(greeted(&changed).await, Err(Failure::SslFailedHandshake));
    }

    #[tokio::test]
    async fn what_is_no_server_hello_is_a_failed_handshake() {
        assert_eq!(greeted(b"HTTP/1.1 400 Bad Request\r\n\r\n").await, Err(Failure::SslFailedHandshake));
        assert_eq!(greeted(&[21, 3, 3, 0, 2, 2, 40]).await, Err(Failure::SslFailedHandshake));
        assert_eq!(greeted(&[21, 3, 3, 0, 2, 2, 112]).await, Err(Failure::SslInvalidHostname));
        assert_eq!(greeted(&[22, 3, 3, 0, 4, 0, 0, 0, 0]).await, Err(Failure::SslFailedHandshake));
    }
}
