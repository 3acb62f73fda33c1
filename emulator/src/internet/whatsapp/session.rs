//! One connection of the chat: the handshake, then receipts.

use std::io;
use std::time::Duration;

use snow::{Builder, HandshakeState, TransportState};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::frame::{Header, read_frame, write_frame};
use super::message::{HandshakeMessage, Parts};

/// Serves one connection with the server's static key until the client ends it.
pub(in crate::internet) async fn serve<S>(mut stream: S, key: &[u8; 32]) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut transport = timeout(IDLE, shake_hands(&mut stream, key)).await??;
    let mut plaintext = vec![0; LONGEST];
    let mut ciphertext = vec![0; LONGEST];
    loop {
        let frame = timeout(IDLE, read_frame(&mut stream)).await??;
        let length = transport.read_message(&frame, &mut plaintext).map_err(io::Error::other)?;
        let receipt = [RECEIPT, plaintext.get(..length).unwrap_or_default()].concat();
        let length = transport.write_message(&receipt, &mut ciphertext).map_err(io::Error::other)?;
        timeout(IDLE, write_frame(&mut stream, ciphertext.get(..length).unwrap_or_default())).await??;
    }
}

async fn shake_hands<S>(stream: &mut S, key: &[u8; 32]) -> io::Result<TransportState>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let header = Header::read(stream).await?;
    let hello = HandshakeMessage::decode(&read_frame(stream).await?);
    let Some(HandshakeMessage::ClientHello(hello)) = hello else { return Err(io::ErrorKind::InvalidData.into()) };

    // A client that knows the server's static key sends its own at once.
    let pattern = if hello.static_key.is_empty() { XX } else { IK };
    let mut noise = responder(pattern, header, key).map_err(io::Error::other)?;
    let mut buffer = vec![0; LONGEST];
    noise.read_message(&hello.noise_message(), &mut buffer).map_err(io::Error::other)?;
    let length = noise.write_message(CERTIFICATE, &mut buffer).map_err(io::Error::other)?;
    let answer = server_hello(buffer.get(..length).unwrap_or_default(), pattern == XX);
    write_frame(stream, &answer.ok_or(io::ErrorKind::InvalidData)?.encode()).await?;

    if !noise.is_handshake_finished() {
        let finish = HandshakeMessage::decode(&read_frame(stream).await?);
        let Some(HandshakeMessage::ClientFinish(finish)) = finish else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        noise.read_message(&finish.noise_message(), &mut buffer).map_err(io::Error::other)?;
    }
    noise.into_transport_mode().map_err(io::Error::other)
}

fn responder(pattern: &str, header: Header, key: &[u8; 32]) -> Result<HandshakeState, snow::Error> {
    Builder::new(pattern.parse()?).local_private_key(key)?.prologue(&header.0)?.build_responder()
}

/// The parts of the server's Noise message: XX sends the static key, IK does not.
fn server_hello(message: &[u8], with_static_key: bool) -> Option<HandshakeMessage> {
    let (ephemeral, rest) = message.split_at_checked(KEY)?;
    let (static_key, payload) = rest.split_at_checked(if with_static_key { KEY + TAG } else { 0 })?;
    let [ephemeral, static_key, payload] = [ephemeral, static_key, payload].map(<[u8]>::to_vec);
    Some(HandshakeMessage::ServerHello(Parts { ephemeral, static_key, payload }))
}

const XX: &str = "Noise_XX_25519_AESGCM_SHA256";
const IK: &str = "Noise_IK_25519_AESGCM_SHA256";
/// An X25519 key.
const KEY: usize = 32;
/// An AES-GCM tag.
const TAG: usize = 16;
/// The longest Noise message (Noise section 3).
const LONGEST: usize = 65_535;
const RECEIPT: &[u8] = b"ack:";
const CERTIFICATE: &[u8] = b"roadblock stand-in for a certificate";
/// How long a client may be silent: longer than any that is slowed down and still alive.
const IDLE: Duration = Duration::from_secs(120);
