//! The QUIC probe against servers with right, wrong and foreign certificates, and against silence.

use std::net::SocketAddr;

use roadblock_censor::dissect::quic::{Assembly, Options};
use roadblock_censor::dissect::tls;

use super::super::testing::{self, Authority};
use super::super::timeouts::Timeouts;
use super::*;

async fn measured(authority: &Authority, remote: SocketAddr, version: QuicVersion) -> (VerdictWord, Option<String>) {
    let timeouts = Timeouts { quic: Duration::from_millis(700), ..Timeouts::default() };
    let greeting = Greeting { remote, sni: "a.example".to_owned(), verify: true, alpn: Alpn::Http3 };
    let outcome = probe(&testing::tools(&authority.trust(), timeouts), &greeting, version).await;
    (outcome.verdict, outcome.failure.map(|failure| failure.to_string()))
}

/// A server with a certificate for these names that speaks these versions.
fn server(authority: &Authority, names: &[&str], versions: &[u32]) -> (Endpoint, SocketAddr) {
    let mut tls = authority.server_config(names);
    tls.alpn_protocols = vec![b"h3".to_vec()];
    let crypto = quinn::crypto::rustls::QuicServerConfig::try_from(tls).expect("a configuration");
    let mut config = EndpointConfig::default();
    config.supported_versions(versions.to_vec());
    let socket = UdpSocket::bind(testing::ANY_PORT).expect("a socket");
    let server = quinn::ServerConfig::with_crypto(Arc::new(crypto));
    let endpoint = Endpoint::new(config, Some(server), socket, Arc::new(TokioRuntime)).expect("an endpoint");
    let address = endpoint.local_addr().expect("its address");
    let accepting = endpoint.clone();
    tokio::spawn(async move {
        while let Some(incoming) = accepting.accept().await {
            tokio::spawn(async move {
                if let Ok(connection) = incoming.await {
                    connection.closed().await;
                }
            });
        }
    });
    (endpoint, address)
}

#[tokio::test]
async fn a_handshake_ends_in_either_version() {
    let authority = Authority::new();
    let (_endpoint, remote) = server(&authority, &["a.example"], &[1, 0xff00_001d]);
    for version in [QuicVersion::One, QuicVersion::Draft29] {
        assert_eq!(measured(&authority, remote, version).await, (VerdictWord::Ok, None), "{version:?}");
    }
}

#[tokio::test]
async fn a_server_of_another_version_says_so() {
    let authority = Authority::new();
    let (_endpoint, remote) = server(&authority, &["a.example"], &[1]);
    let seen = measured(&authority, remote, QuicVersion::Draft29).await;
    assert_eq!(seen, (VerdictWord::Quic, Some("quic_incompatible_version".to_owned())));
}

#[tokio::test]
async fn certificates_are_judged_as_over_tcp() {
    let authority = Authority::new();
    let (_endpoint, remote) = server(&authority, &["b.example"], &[1]);
    let wrong = measured(&authority, remote, QuicVersion::One).await;
    assert_eq!(wrong, (VerdictWord::Quic, Some("ssl_invalid_hostname".to_owned())));
    let foreign = measured(&Authority::new(), remote, QuicVersion::One).await;
    assert_eq!(foreign, (VerdictWord::Intercepted, Some("ssl_unknown_authority".to_owned())));
}

/// The Initial is a real one, as long as RFC 9000 section 14.1 wants it, and a censor reads the name in it.
#[tokio::test]
async fn silence_times_out_and_the_first_datagram_is_one_that_a_censor_reads() {
    let authority = Authority::new();
    let silent = tokio::net::UdpSocket::bind(testing::ANY_PORT).await.expect("a socket");
    let remote = silent.local_addr().expect("its address");
    let seen = measured(&authority, remote, QuicVersion::One).await;
    assert_eq!(seen, (VerdictWord::Quic, Some("generic_timeout_error".to_owned())));
    let mut datagram = vec![0; 2000];
    let length = silent.recv(&mut datagram).await.expect("a datagram");
    assert!((1200..=1472).contains(&length), "{length}");
    match Assembly::default().add(&datagram[..length], &Options::default()) {
        tls::Hello::ClientHello(hello) => {
            assert_eq!(hello.sni.as_deref(), Some("a.example"));
            assert!(hello.offers_protocol("h3"));
        }
        other => panic!("{other:?}"),
    }
}
