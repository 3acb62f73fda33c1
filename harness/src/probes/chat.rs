//! WhatsApp's native chat: a Noise handshake behind a `WA` header, then a message and its receipt (facts, section 5b;
//! the server's side is emulator/src/internet/whatsapp.rs).

use std::net::SocketAddr;

use roadblock_scenarios::model::{ChatHeader, VerdictWord};
use snow::{Builder, HandshakeState, TransportState};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::chat_message::{client_finish, client_hello, server_hello};
use super::failure::Failure;
use super::tcp;
use super::tools::Tools;
use super::trace::{Operation, Outcome, Place, Trace};

/// A chat server and how it is greeted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chat {
    /// Where it is.
    pub(crate) remote: SocketAddr,
    /// What comes before the handshake.
    pub(crate) header: ChatHeader,
}

/// Shakes hands, sends one message and says how it went.
pub(crate) async fn probe(tools: &Tools, chat: Chat) -> Outcome {
    measure(Trace::default(), tools, chat).await
}

/// The same, going on with what was measured before.
pub(crate) async fn measure(mut trace: Trace, tools: &Tools, chat: Chat) -> Outcome {
    match converse(&mut trace, tools, chat).await {
        Ok(()) => trace.end(VerdictWord::Ok),
        Err(failure) => {
            let outcome = trace.failed(failure);
            // Who uses the app sees no layers: it connects for ever.
            if outcome.verdict == VerdictWord::Protocol { outcome.said("cut") } else { outcome }
        }
    }
}

async fn converse(trace: &mut Trace, tools: &Tools, chat: Chat) -> Result<(), Failure> {
    let mut stream = tcp::connect(trace, tools, chat.remote).await?;
    let local_port = stream.local_addr().map_or(0, |address| address.port());
    let place = |operation| Place { operation, remote: chat.remote, local_port };
    let patience = tools.timeouts.message;
    let shaken = shake_hands(&mut stream, chat.header);
    let mut session = trace.layer(place(Operation::ChatHandshake), patience, shaken).await?;
    trace.layer(place(Operation::Message), patience, send_message(&mut stream, &mut session)).await
}

/// `Noise_XX_25519_AESGCM_SHA256`: the first login of a device, which knows no key of the server's yet.
async fn shake_hands(stream: &mut TcpStream, header: ChatHeader) -> Result<TransportState, Failure> {
    let mut noise = initiator().map_err(|error| Failure::Ours(error.to_string()))?;
    let mut buffer = vec![0; LONGEST];
    let length = noise.write_message(&[], &mut buffer).map_err(|error| Failure::Ours(error.to_string()))?;
    let hello = framed(&client_hello(part(&buffer, 0..length)?));
    // The header and the hello leave together, as the real client sends them.
    let first = match header {
        ChatHeader::Plain => [HEADER, &hello].concat(),
        ChatHeader::Routed => [ROUTING, HEADER, &hello].concat(),
    };
    write(stream, &first).await?;
    let answer = server_hello(&read_frame(stream).await?).ok_or_else(not_spoken)?;
    noise.read_message(&answer, &mut buffer).map_err(|_| not_spoken())?;
    let length = noise.write_message(DEVICE, &mut buffer).map_err(|error| Failure::Ours(error.to_string()))?;
    let (key, payload) = part(&buffer, 0..length)?.split_at_checked(ENCRYPTED_KEY).ok_or_else(not_spoken)?;
    write(stream, &framed(&client_finish(key, payload))).await?;
    noise.into_transport_mode().map_err(|error| Failure::Ours(error.to_string()))
}

fn initiator() -> Result<HandshakeState, snow::Error> {
    let builder = Builder::new(PATTERN.parse()?);
    let key = builder.generate_keypair()?.private;
    builder.local_private_key(&key)?.prologue(HEADER)?.build_initiator()
}

/// A message has gone through when something that only the server can have written comes back.
async fn send_message(stream: &mut TcpStream, session: &mut TransportState) -> Result<(), Failure> {
    let mut buffer = vec![0; LONGEST];
    let length = session.write_message(MESSAGE, &mut buffer).map_err(|error| Failure::Ours(error.to_string()))?;
    let message = framed(part(&buffer, 0..length)?);
    write(stream, &message).await?;
    let receipt = read_frame(stream).await?;
    session.read_message(&receipt, &mut buffer).map(|_| ()).map_err(|_| not_spoken())
}

/// A length of three bytes comes first.
fn framed(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&length[1..], content].concat()
}

async fn read_frame(stream: &mut TcpStream) -> Result<Vec<u8>, Failure> {
    let mut length = [0; 4];
    stream.read_exact(&mut length[1..]).await.map_err(|error| Failure::from(&error))?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > LONGEST {
        return Err(not_spoken());
    }
    let mut frame = vec![0; length];
    stream.read_exact(&mut frame).await.map_err(|error| Failure::from(&error))?;
    Ok(frame)
}

async fn write(stream: &mut TcpStream, bytes: &[u8]) -> Result<(), Failure> {
    stream.write_all(bytes).await.map_err(|error| Failure::from(&error))
}

fn part(bytes: &[u8], range: std::ops::Range<usize>) -> Result<&[u8], Failure> {
    bytes.get(range).ok_or_else(not_spoken)
}

/// Somebody answered who does not speak the protocol.
fn not_spoken() -> Failure {
    Failure::Unknown("not the chat protocol".to_owned())
}

const PATTERN: &str = "Noise_XX_25519_AESGCM_SHA256";
/// `WA` and the version of clients with several devices; the handshake's prologue.
const HEADER: &[u8] = b"WA\x06\x03";
/// The edge routing preamble: `ED`, 0, 1, a length of three bytes, and routing information.
const ROUTING: &[u8] = b"ED\x00\x01\x00\x00\x04\x08\x0d\x08\x05";
/// What stands for the device's description.
const DEVICE: &[u8] = b"roadblock";
const MESSAGE: &[u8] = b"Are you there?";
/// A static key, encrypted: 32 bytes and a tag of 16.
const ENCRYPTED_KEY: usize = 48;
/// The longest Noise message (Noise section 3).
const LONGEST: usize = 65_535;

#[cfg(test)]
#[path = "chat_tests.rs"]
mod tests;
