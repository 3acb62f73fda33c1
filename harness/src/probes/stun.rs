//! STUN: does a binding request come back answered (RFC 8489)? Calls begin with it (RU-CALL-1).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use roadblock_scenarios::model::VerdictWord;
use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::chance;
use super::failure::Failure;
use super::tools::Tools;
use super::trace::{Operation, Outcome, Place, Trace};

/// Sends one binding request and says how it went.
pub(crate) async fn probe(tools: &Tools, remote: SocketAddr) -> Outcome {
    let mut trace = Trace::default();
    match open(&mut trace, tools, remote).await {
        Ok(_) => trace.end(VerdictWord::Ok),
        Err(failure) => failed(trace, failure, "STUN cut"),
    }
}

/// The end of a measurement whose STUN failed: what silence is called is the caller's affair.
pub(crate) fn failed(trace: Trace, failure: Failure, silence: &str) -> Outcome {
    let silent = failure == Failure::GenericTimeout;
    let outcome = trace.failed(failure);
    if silent { outcome.said(silence) } else { outcome }
}

/// A socket whose address a STUN server has told, and its port.
pub(crate) async fn open(trace: &mut Trace, tools: &Tools, remote: SocketAddr) -> Result<(UdpSocket, u16), Failure> {
    let (socket, local_port) = tools.source.udp(remote).await.map_err(|error| Failure::of_socket(&error))?;
    let place = Place { operation: Operation::StunBinding, remote, local_port };
    let transaction: [u8; 12] = chance::bytes(&tools.source, remote, "stun");
    let asked = async {
        let mut wait = FIRST_WAIT;
        loop {
            socket.send(&request(transaction)).await.map_err(|error| Failure::from(&error))?;
            match timeout(wait, response(&socket, transaction)).await {
                Ok(answered) => return answered,
                // One lost packet is no cut call: every client asks again, and waits twice as long (section 6.2.1).
                Err(_) => wait *= 2,
            }
        }
    };
    trace.layer(place, tools.timeouts.message, asked).await?;
    Ok((socket, local_port))
}

/// The address that the response to this request names. What answers something else is passed over.
async fn response(socket: &UdpSocket, transaction: [u8; 12]) -> Result<SocketAddr, Failure> {
    let mut buffer = [0; 1500];
    loop {
        let length = socket.recv(&mut buffer).await.map_err(|error| Failure::from(&error))?;
        if let Some(mapped) = buffer.get(..length).and_then(|bytes| mapped_address(bytes, transaction)) {
            return Ok(mapped);
        }
    }
}

/// How long a client waits before it asks again for the first time (RFC 8489 section 6.2.1).
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// A binding request without attributes (section 5).
fn request(transaction: [u8; 12]) -> Vec<u8> {
    [&[0x00, 0x01, 0x00, 0x00][..], &COOKIE, &transaction].concat()
}

/// The address that a binding response names (section 14.2); `None` where it is no such response to this request.
fn mapped_address(bytes: &[u8], transaction: [u8; 12]) -> Option<SocketAddr> {
    let (header, mut attributes) = bytes.split_at_checked(20)?;
    if header.get(..2)? != [0x01, 0x01] || header.get(4..8)? != COOKIE || header.get(8..)? != transaction {
        return None;
    }
    while let [kind_high, kind_low, length_high, length_low, rest @ ..] = attributes {
        let length = usize::from(u16::from_be_bytes([*length_high, *length_low]));
        let value = rest.get(..length)?;
        if [*kind_high, *kind_low] == XOR_MAPPED_ADDRESS {
            return unmasked(value, transaction);
        }
        attributes = rest.get(length.next_multiple_of(4)..)?;
    }
    None
}

fn unmasked(value: &[u8], transaction: [u8; 12]) -> Option<SocketAddr> {
    let [_, family, port_high, port_low, address @ ..] = value else { return None };
    let port = u16::from_be_bytes([port_high ^ COOKIE[0], port_low ^ COOKIE[1]]);
    let mask = [&COOKIE[..], &transaction].concat();
    let plain: Vec<u8> = address.iter().zip(&mask).map(|(byte, mask)| byte ^ mask).collect();
    let address: IpAddr = match family {
        1 => Ipv4Addr::from(<[u8; 4]>::try_from(plain).ok()?).into(),
        2 => Ipv6Addr::from(<[u8; 16]>::try_from(plain).ok()?).into(),
        _ => return None,
    };
    Some(SocketAddr::new(address, port))
}

/// The magic cookie, by which a censor knows STUN (RU-CALL-1).
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const XOR_MAPPED_ADDRESS: [u8; 2] = [0x00, 0x20];

#[cfg(test)]
#[path = "stun_tests.rs"]
pub(super) mod tests;
