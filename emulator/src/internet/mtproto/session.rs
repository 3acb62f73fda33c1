//! One connection to a data centre.

use std::io;
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::framing::Framing;
use super::obfuscation::{LENGTH, Obfuscation};
use super::{exchange, http};

/// Serves one connection until the client ends it or says what a data centre does not take.
pub(in crate::internet) async fn serve<S>(mut stream: S) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut first = [0; 4];
    timeout(IDLE, stream.read_exact(&mut first)).await??;
    match first {
        [0xef, rest @ ..] => converse(stream, Framing::Abridged, None, rest.to_vec()).await,
        [0xee, 0xee, 0xee, 0xee] => converse(stream, Framing::Intermediate, None, Vec::new()).await,
        [0xdd, 0xdd, 0xdd, 0xdd] => converse(stream, Framing::Padded, None, Vec::new()).await,
        // These four are what obfuscated2 never begins with because of HTTP.
        [b'H', b'E', b'A', b'D'] | [b'P', b'O', b'S', b'T'] | [b'G', b'E', b'T', b' '] | [b'O', b'P', b'T', b'I'] => {
            timeout(IDLE, http::refuse(&mut stream, &first)).await?
        }
        _ => {
            let mut whole = [0; LENGTH];
            let (start, rest) = whole.split_at_mut(first.len());
            start.copy_from_slice(&first);
            timeout(IDLE, stream.read_exact(rest)).await??;
            let (obfuscation, framing) = Obfuscation::begin(&whole).ok_or(io::ErrorKind::InvalidData)?;
            converse(stream, framing, Some(obfuscation), Vec::new()).await
        }
    }
}

/// Answers payloads. `arrived` is what of them was read already.
async fn converse<S>(
    mut stream: S,
    framing: Framing,
    mut obfuscation: Option<Obfuscation>,
    mut arrived: Vec<u8>,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut buffer = vec![0; 4096];
    loop {
        while let Some(payload) = framing.take(&mut arrived).map_err(io::Error::other)? {
            let answer = exchange::answer(&payload, random()?);
            let last = answer.is_none();
            let answer = answer.unwrap_or_else(exchange::no_such_key);
            let mut wire = framing.wrap(&answer, &padding()?);
            if let Some(obfuscation) = &mut obfuscation {
                obfuscation.write(&mut wire);
            }
            timeout(IDLE, stream.write_all(&wire)).await??;
            stream.flush().await?;
            if last {
                return stream.shutdown().await;
            }
        }
        let length = timeout(IDLE, stream.read(&mut buffer)).await??;
        let bytes = buffer.get_mut(..length).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(());
        }
        if let Some(obfuscation) = &mut obfuscation {
            obfuscation.read(bytes);
        }
        arrived.extend_from_slice(bytes);
    }
}

fn random() -> io::Result<[u8; 16]> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| io::Error::other("the kernel gave no random bytes"))?;
    Ok(bytes)
}

/// Up to 15 bytes of padding, for the framing that has it.
fn padding() -> io::Result<Vec<u8>> {
    let mut bytes = random()?.to_vec();
    let length = usize::from(bytes.first().copied().unwrap_or_default() % 16);
    bytes.truncate(length);
    Ok(bytes)
}

/// How long a client may be silent: longer than any that is slowed down and still alive.
const IDLE: Duration = Duration::from_secs(120);
