//! The front of a TCP port: which of its protocols a connection speaks, and who answers it.
//!
//! `WhatsApp`'s servers speak TLS and the native chat on 443, Telegram's HTTP and `MTProto` on 80. A client speaks first
//! in all of them, and its first four bytes tell them apart: `16 03` is TLS (RFC 8446 section 5.1), `WA` or `ED` the
//! chat, and what is left is the port's HTTP or `MTProto`.

use std::io::{self, Cursor};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use roadblock_scenarios::model::Protocol;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::lies::Speaker;
use super::listen::accept_each;
use super::ooni::Backend;
use super::page::Sites;
use super::servers::Problems;
use super::web::{self, Visitor};
use super::{echo, mtproto, name_server, whatsapp};

/// A TCP port and all that its connections need.
#[derive(Clone)]
pub(super) struct Port {
    /// What is spoken here; never empty.
    pub(super) protocols: Arc<[Protocol]>,
    /// Where it is.
    pub(super) address: SocketAddr,
    /// Who lives here.
    pub(super) sites: Arc<Sites>,
    /// The server's side of TLS, where one of the protocols needs it.
    pub(super) tls: Option<TlsAcceptor>,
    /// Who answers DNS.
    pub(super) speaker: Arc<Speaker>,
    /// Who answers OONI's probe.
    pub(super) ooni: Option<Arc<Backend>>,
}

impl Port {
    /// Answers connections for ever.
    pub(super) async fn serve(self, listener: TcpListener, server: Arc<str>, problems: Problems) {
        accept_each(listener, server, problems, move |stream, client| {
            let port = self.clone();
            async move {
                // A connection that breaks is the client's affair, or the censor's.
                let _ = port.answer(stream, client).await;
            }
        })
        .await;
    }

    async fn answer(self, mut stream: TcpStream, client: SocketAddr) -> io::Result<()> {
        if let [only] = *self.protocols {
            return self.speak(only, stream, client).await;
        }
        let first = timeout(IDLE, first_bytes(&mut stream)).await??;
        let protocol = choose(&first, &self.protocols);
        let (rest, answers) = stream.into_split();
        let stream = tokio::io::join(Cursor::new(first).chain(rest), answers);
        self.speak(protocol, stream, client).await
    }

    async fn speak<S>(self, protocol: Protocol, stream: S, client: SocketAddr) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        match protocol {
            Protocol::Http => web::serve(stream, self.visitor(client, false), web::Version::One).await,
            Protocol::Https | Protocol::Doh => {
                let stream = self.accept_tls(stream).await?;
                let version = web::Version::agreed(stream.get_ref().1.alpn_protocol());
                web::serve(stream, self.visitor(client, true), version).await
            }
            Protocol::Dns => name_server::answer_stream(stream, client, self.address, &self.speaker).await,
            Protocol::Dot => {
                let stream = self.accept_tls(stream).await?;
                name_server::answer_stream(stream, client, self.address, &self.speaker).await
            }
            Protocol::WhatsAppChat => whatsapp::serve(stream, &self.sites.choose(None).chat_key()).await,
            Protocol::Mtproto => mtproto::serve(stream).await,
            Protocol::Echo => echo::serve_stream(stream).await,
            // These have no TCP, or take no connection; nobody listens for them here.
            Protocol::H3 | Protocol::Stun | Protocol::CallRelay | Protocol::WireGuard | Protocol::Silence => Ok(()),
        }
    }

    async fn accept_tls<S>(&self, stream: S) -> io::Result<tokio_rustls::server::TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let acceptor = self.tls.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        timeout(IDLE, acceptor.accept(stream)).await?
    }

    fn visitor(&self, client: SocketAddr, secure: bool) -> Visitor {
        let (sites, speaker, ooni) = (Arc::clone(&self.sites), Arc::clone(&self.speaker), self.ooni.clone());
        Visitor { sites, speaker, ooni, client, server: self.address, secure }
    }
}

/// Reads until the protocol is known; fewer than that where the client says no more.
async fn first_bytes(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut first = Vec::with_capacity(ENOUGH);
    while first.len() < ENOUGH {
        let wanted = (ENOUGH - first.len()) as u64;
        if stream.take(wanted).read_buf(&mut first).await? == 0 {
            break;
        }
    }
    Ok(first)
}

/// The protocol that these first bytes belong to. Bytes of none go to whichever answers what it does not understand.
fn choose(first: &[u8], protocols: &[Protocol]) -> Protocol {
    let has = |protocol: Protocol| protocols.contains(&protocol).then_some(protocol);
    let tls = || has(Protocol::Https).or_else(|| has(Protocol::Doh));
    let known = match first {
        [0x16, 0x03, ..] => tls(),
        [b'W', b'A', ..] | [b'E', b'D', ..] => has(Protocol::WhatsAppChat),
        _ => None,
    };
    let other = || has(Protocol::Mtproto).or_else(|| has(Protocol::Http)).or_else(tls);
    known.or_else(other).or_else(|| protocols.first().copied()).unwrap_or(Protocol::Http)
}

/// Every protocol is known by so many bytes.
const ENOUGH: usize = 4;
/// How long a client may take for its first bytes or a handshake: longer than any that is slowed down and still alive.
const IDLE: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_bytes_decide() {
        use Protocol::{Doh, Http, Https, Mtproto, WhatsAppChat};
        let chat = [Https, WhatsAppChat];
        assert_eq!(choose(&[0x16, 3, 1, 2], &chat), Https);
        assert_eq!(choose(b"WA\x06\x03", &chat), WhatsAppChat);
        assert_eq!(choose(b"ED\x00\x01", &chat), WhatsAppChat);
        assert_eq!(choose(b"GET ", &chat), Https);
        assert_eq!(choose(b"GET ", &[Https, WhatsAppChat, Http]), Http);
        assert_eq!(choose(b"WA\x06\x03", &[Https, Http]), Http);
        assert_eq!(choose(b"POST", &[Mtproto, Https]), Mtproto);
        assert_eq!(choose(&[0x16, 3, 1, 2], &[Http, Doh]), Doh);
        assert_eq!(choose(b"", &chat), Https);
    }

    proptest! {
        #[test]
        fn whatever_comes_goes_to_a_protocol_of_the_port(
            first in prop::collection::vec(any::<u8>(), 0..5),
            protocols in prop::sample::subsequence(&Protocol::ALL, 1..5),
        ) {
            let chosen = choose(&first, &protocols);
            prop_assert!(protocols.contains(&chosen));
        }
    }
}
