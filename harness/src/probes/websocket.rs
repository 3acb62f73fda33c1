//! WebSocket over TLS (RFC 6455): does a message come back?

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use roadblock_scenarios::model::{Family, VerdictWord};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::failure::Failure;
use super::named::Named;
use super::tls::{self, Alpn, Greeting};
use super::tools::Tools;
use super::trace::{Operation, Outcome, Place, Trace};

/// A WebSocket that sends back what it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Socket {
    /// Its server.
    pub(crate) place: Named,
    /// Its path.
    pub(crate) path: &'static str,
    /// The page that is said to open it.
    pub(crate) origin: &'static str,
    /// Which family to use.
    pub(crate) family: Family,
    /// The port.
    pub(crate) port: u16,
}

/// Opens it, sends a message and says whether it came back.
pub(crate) async fn probe(tools: &Tools, socket: &Socket) -> Outcome {
    let mut trace = Trace::default();
    let address = match socket.place.lookup(&mut trace, tools, socket.family).await {
        Ok(address) => address,
        Err(failure) => return trace.unresolved(failure),
    };
    match echo(&mut trace, tools, socket, SocketAddr::new(address, socket.port)).await {
        Ok(()) => trace.end(VerdictWord::Ok),
        Err(failure) => trace.failed(failure),
    }
}

async fn echo(trace: &mut Trace, tools: &Tools, socket: &Socket, remote: SocketAddr) -> Result<(), Failure> {
    let greeting = Greeting { remote, sni: socket.place.name.clone(), verify: true, alpn: Alpn::Http1 };
    let stream = tls::connect(trace, tools, &greeting).await?;
    let local_port = stream.get_ref().0.local_addr().map_or(0, |address| address.port());
    let place = Place { operation: Operation::WebSocket, remote, local_port };
    let url = format!("wss://{}{}", socket.place.name, socket.path);
    let mut request = url.into_client_request().map_err(|error| Failure::Ours(error.to_string()))?;
    request.headers_mut().insert("Origin", HeaderValue::from_static(socket.origin));
    // Boxed, because a client of WebSocket is large and an app has more besides.
    let work = Box::pin(async {
        let (mut socket, _) = client_async(request, stream).await.map_err(|error| failure(&error))?;
        socket.send(Message::text(MESSAGE)).await.map_err(|error| failure(&error))?;
        match socket.next().await {
            Some(Ok(Message::Text(text))) if text.as_str() == MESSAGE => Ok(()),
            Some(Ok(Message::Close(_))) | None => Err(Failure::Eof),
            Some(Ok(other)) => Err(Failure::Unknown(format!("another message came back, of {} bytes", other.len()))),
            Some(Err(error)) => Err(failure(&error)),
        }
    });
    trace.layer(place, tools.timeouts.message, work).await
}

fn failure(error: &Error) -> Failure {
    match error {
        Error::Io(error) => Failure::from(error),
        Error::ConnectionClosed | Error::AlreadyClosed | Error::Protocol(_) => Failure::Eof,
        Error::Http(response) => Failure::Unknown(format!("no WebSocket: status {}", response.status().as_u16())),
        other => Failure::Unknown(other.to_string()),
    }
}

const MESSAGE: &str = "Are you there?";

#[cfg(test)]
#[path = "websocket_tests.rs"]
mod tests;
