//! WebSocket (RFC 6455) over HTTP/1.1: what a client sends, it gets back.

use std::io;

use data_encoding::BASE64;
use futures_util::{SinkExt, StreamExt};
use hyper::header::{
    CONNECTION, HeaderMap, HeaderValue, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::http::request::Parts;
use hyper::upgrade::Upgraded;
use hyper::{Method, Response, StatusCode};
use hyper_util::rt::TokioIo;
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use roadblock_scenarios::model::WebSocket;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::page::{PageBody, empty, plain};

/// What a request for a WebSocket gets.
pub(super) enum Opening {
    /// It is no such request, or there is no WebSocket here.
    NotAsked,
    /// It is refused.
    Refused(Response<PageBody>),
    /// The connection becomes a WebSocket.
    Accepted(Response<PageBody>),
}

/// Judges a request (section 4.2).
pub(super) fn open(head: &Parts, here: Option<&WebSocket>) -> Opening {
    let Some(here) = here.filter(|here| here.path == head.uri.path()) else { return Opening::NotAsked };
    if head.method != Method::GET || !has_token(&head.headers, UPGRADE.as_str(), "websocket") {
        return Opening::NotAsked;
    }
    // Section 10.2: an origin that is not expected is refused. Programs that are no browsers have none.
    let origin = head.headers.get(ORIGIN);
    let expected = |origin: &HeaderValue| here.origin.as_ref().is_none_or(|expected| origin == expected);
    if origin.is_some_and(|origin| !expected(origin)) {
        return Opening::Refused(plain(StatusCode::FORBIDDEN, "not from this origin\n".to_owned()));
    }
    let version = head.headers.get(SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13");
    let key = head.headers.get(SEC_WEBSOCKET_KEY).filter(|_| version);
    let Some(key) = key.filter(|_| has_token(&head.headers, CONNECTION.as_str(), "upgrade")) else {
        let mut refusal = plain(StatusCode::UPGRADE_REQUIRED, "WebSocket version 13\n".to_owned());
        refusal.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return Opening::Refused(refusal);
    };
    let mut response = empty(StatusCode::SWITCHING_PROTOCOLS);
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(proof) = HeaderValue::from_str(&proof(key.as_bytes())) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, proof);
    }
    Opening::Accepted(response)
}

/// Sends texts and binary messages back until the client ends it.
pub(super) async fn echo(connection: Upgraded) -> io::Result<()> {
    let mut limits = WebSocketConfig::default();
    limits.max_message_size = Some(LONGEST);
    limits.max_frame_size = Some(LONGEST);
    let connection = TokioIo::new(connection);
    let mut socket = WebSocketStream::from_raw_socket(connection, Role::Server, Some(limits)).await;
    // Pings and the end are answered by the stream itself.
    while let Some(message) = socket.next().await {
        let message = message.map_err(io::Error::other)?;
        if message.is_text() || message.is_binary() {
            socket.send(message).await.map_err(io::Error::other)?;
        }
    }
    Ok(())
}

/// Whether a field that lists tokens has this one, in any case.
fn has_token(headers: &HeaderMap, field: &str, token: &str) -> bool {
    let lines = headers.get_all(field).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|each| each.trim().eq_ignore_ascii_case(token))
}

/// Section 4.2.2: shows that the key was read by something that speaks WebSocket.
fn proof(key: &[u8]) -> String {
    let mut digest = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    digest.update(key);
    digest.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    BASE64.encode(digest.finish().as_ref())
}

const LONGEST: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn opening(fields: &[(&str, &str)]) -> Opening {
        let usual = [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let mut request = Request::builder().uri("/websocket");
        for (field, value) in usual.iter().filter(|(field, _)| fields.iter().all(|(other, _)| field != other)) {
            request = request.header(*field, *value);
        }
        for (field, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(*field, *value);
        }
        let (head, ()) = request.body(()).expect("a request").into_parts();
        let here = WebSocket { path: "/websocket".to_owned(), origin: Some("https://web.max.ru".to_owned()) };
        open(&head, Some(&here))
    }

    fn refusal(fields: &[(&str, &str)]) -> Option<StatusCode> {
        match opening(fields) {
            Opening::Refused(response) => Some(response.status()),
            Opening::NotAsked | Opening::Accepted(_) => None,
        }
    }

    #[test]
    fn the_proof_is_that_of_the_rfc() {
        // RFC 6455 section 1.3.
        let Opening::Accepted(response) = opening(&[]) else { panic!("not accepted") };
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(response.headers()[SEC_WEBSOCKET_ACCEPT], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn origins_versions_and_other_requests_are_told_apart() {
        assert!(matches!(opening(&[("origin", "https://web.max.ru")]), Opening::Accepted(_)));
        assert_eq!(refusal(&[("origin", "https://evil.example")]), Some(StatusCode::FORBIDDEN));
        assert_eq!(refusal(&[("sec-websocket-version", "8")]), Some(StatusCode::UPGRADE_REQUIRED));
        assert_eq!(refusal(&[("sec-websocket-key", "")]), Some(StatusCode::UPGRADE_REQUIRED));
        assert!(matches!(opening(&[("upgrade", "h2c")]), Opening::NotAsked));
    }
}
