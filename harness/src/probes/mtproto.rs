//! Telegram's MTProto: the first exchange with a data centre, `req_pq_multi` and `resPQ`, over one of its transports
//! (<https://core.telegram.org/mtproto/auth_key>; the server's side is emulator/src/internet/mtproto.rs).

use std::net::SocketAddr;

use roadblock_scenarios::model::{MtProtoTransport, VerdictWord};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::failure::Failure;
use super::mtproto_transport::Carrier;
use super::tools::Tools;
use super::trace::{Operation, Outcome, Place, Trace};
use super::{chance, tcp};

/// A data centre and how it is spoken to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DataCentre {
    /// Where it is.
    pub(crate) remote: SocketAddr,
    /// The transport.
    pub(crate) transport: MtProtoTransport,
}

/// Makes the first exchange and says how it went.
pub(crate) async fn probe(tools: &Tools, centre: DataCentre) -> Outcome {
    let mut trace = Trace::default();
    match exchange(&mut trace, tools, centre).await {
        Ok(()) => trace.end(VerdictWord::Ok),
        Err(failure) => {
            let outcome = trace.failed(failure);
            if outcome.verdict == VerdictWord::Protocol { outcome.said("cut") } else { outcome }
        }
    }
}

async fn exchange(trace: &mut Trace, tools: &Tools, centre: DataCentre) -> Result<(), Failure> {
    let mut stream = tcp::connect(trace, tools, centre.remote).await?;
    let local_port = stream.local_addr().map_or(0, |address| address.port());
    let place = Place { operation: Operation::Message, remote: centre.remote, local_port };
    let nonce: [u8; 16] = chance::bytes(&tools.source, centre.remote, "mtproto nonce");
    let mut carrier = Carrier::new(centre.transport, &tools.source, centre.remote);
    let asked = async {
        let message = carrier.first(&request(nonce));
        stream.write_all(&message).await.map_err(|error| Failure::from(&error))?;
        let answer = read(&mut stream, &mut carrier).await?;
        if answers(&answer, nonce) { Ok(()) } else { Err(Failure::Unknown("not MTProto".to_owned())) }
    };
    trace.layer(place, tools.timeouts.message, asked).await
}

async fn read(stream: &mut TcpStream, carrier: &mut Carrier) -> Result<Vec<u8>, Failure> {
    let mut buffer = [0; 1024];
    loop {
        let length = stream.read(&mut buffer).await.map_err(|error| Failure::from(&error))?;
        if length == 0 {
            return Err(Failure::Eof);
        }
        if let Some(payload) = carrier.payload(buffer.get(..length).unwrap_or_default()) {
            return Ok(payload);
        }
        if carrier.has_too_much() {
            return Err(Failure::Unknown("not MTProto".to_owned()));
        }
    }
}

/// An unencrypted message: no key, an identifier that is a time, a length; then `req_pq_multi` and a nonce.
fn request(nonce: [u8; 16]) -> Vec<u8> {
    [&[0; 8][..], &MESSAGE_ID.to_le_bytes(), &20_u32.to_le_bytes(), &REQ_PQ_MULTI.to_le_bytes(), &nonce].concat()
}

/// Whether this is the `resPQ` to a nonce.
fn answers(payload: &[u8], nonce: [u8; 16]) -> bool {
    payload.get(..8) == Some(&[0; 8])
        && payload.get(20..24) == Some(&RES_PQ.to_le_bytes())
        && payload.get(24..40) == Some(&nonce)
}

const REQ_PQ_MULTI: u32 = 0xbe7e_8ef1;
const RES_PQ: u32 = 0x0516_2463;
/// A client's identifier is divisible by 4; this is the one of Telegram's documentation.
const MESSAGE_ID: u64 = 0x51e5_7ac4_2770_964c;

#[cfg(test)]
#[path = "mtproto_tests.rs"]
mod tests;
