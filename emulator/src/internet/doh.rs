//! DNS over HTTPS (RFC 8484): GET and POST at `/dns-query`.

use data_encoding::BASE64URL_NOPAD;
use hyper::body::Bytes;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};

use super::dns::Transport;
use super::page::{PageBody, bytes, plain};
use super::web::Visitor;

/// Whether a request is a query.
pub(super) fn is_query(head: &Parts) -> bool {
    head.uri.path() == PATH
}

/// The answer to a query. `body` is the request's, where it was not too long.
pub(super) fn answer(head: &Parts, body: Option<Bytes>, visitor: &Visitor) -> Response<PageBody> {
    let query = match head.method {
        Method::GET => in_url(head.uri.query().unwrap_or_default()),
        Method::POST if head.headers.get(CONTENT_TYPE).is_some_and(|kind| kind == MESSAGE) => body,
        Method::POST => return plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("only {MESSAGE}\n")),
        _ => {
            let mut refusal = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and POST\n".to_owned());
            refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, POST"));
            return refusal;
        }
    };
    let reply = |query: Bytes| visitor.speaker.reply(&query, Transport::Tcp, visitor.client, visitor.server);
    let Some(reply) = query.and_then(reply) else {
        return plain(StatusCode::BAD_REQUEST, "no DNS message\n".to_owned());
    };
    let mut response = bytes(StatusCode::OK, MESSAGE, reply.into());
    // The lab's records live for a minute and may change with a phase: nobody should keep them (section 5.1).
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("max-age=0"));
    response
}

/// The message in `dns=`, which is base64url without padding (section 6).
fn in_url(query: &str) -> Option<Bytes> {
    let text = query.split('&').find_map(|pair| pair.strip_prefix("dns="))?;
    BASE64URL_NOPAD.decode(text.as_bytes()).ok().map(Bytes::from)
}

/// The longest DNS message.
pub(super) const LONGEST: usize = 65_535;
const PATH: &str = "/dns-query";
const MESSAGE: &str = "application/dns-message";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_found_in_the_url() {
        // RFC 8484 section 4.1.1.
        let query = in_url("ct&dns=AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB").expect("a query");
        assert_eq!(query.len(), 33);
        for wrong in ["", "dns", "dns=***", "dns=AAAB==", "name=a"] {
            assert_eq!(in_url(wrong), None, "{wrong}");
        }
    }
}
