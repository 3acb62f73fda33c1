//! A page on a connection that is there, and where it leads.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ACCEPT, ACCEPT_LANGUAGE, CONNECTION, COOKIE, HOST, HeaderMap, LOCATION, USER_AGENT};
use hyper::{Method, Request as HttpRequest};
use roadblock_scenarios::model::HttpVersion;
use url::Url;

use super::cookies::Cookies;
use super::endpoint::{Reached, Ready};
use crate::ooni::binary::MaybeBinary;
use crate::ooni::http::{Header, Request, Response, Transaction};
use crate::probes::exchange::{self, Answer, Reading};
use crate::probes::failure::Failure;
use crate::probes::tools::Tools;
use crate::probes::trace::{Layer, Operation, Place, Trace};

/// What a page came to.
#[derive(Debug)]
pub(super) struct Fetched {
    /// As OONI writes it.
    pub(super) transaction: Transaction,
    /// What was met.
    pub(super) layers: Vec<Layer>,
    /// Where it leads, where it leads anywhere.
    pub(super) next: Option<Url>,
}

/// Gets a page. A redirect to nowhere is a failure of the page that says so, as in Go's client.
pub(super) async fn fetch(tools: &Tools, reached: &mut Reached, url: &Url, cookies: &mut Cookies) -> Option<Fetched> {
    let ready = reached.ready.take()?;
    let place =
        Place { operation: Operation::HttpRoundTrip, remote: reached.stamp.remote, local_port: reached.local_port };
    let began = reached.stamp.now();
    let mut trace = Trace::default();
    let request = request(url, cookies);
    let headers = request.as_ref().map(|request| listed(request.headers())).unwrap_or_default();
    let exchanged = async {
        let request = request?;
        let reading = Reading::Beginning(LONGEST_BODY);
        match ready {
            Ready::Plain(stream) => Box::pin(exchange::read(request, HttpVersion::One, stream, reading)).await,
            Ready::Secure(stream) => Box::pin(exchange::read(request, HttpVersion::One, *stream, reading)).await,
        }
    };
    let answered = trace.layer(place, tools.timeouts.http, exchanged).await;
    reached.gather();
    let next = answered.as_ref().map_or(Ok(None), |answer| next(url, answer));
    if let Ok(answer) = &answered {
        cookies.take(url, &answer.headers);
    }
    let failure =
        answered.as_ref().err().map(Failure::to_string).or(next.as_ref().err().map(|wrong| (*wrong).to_owned()));
    let transaction = Transaction {
        network: Some("tcp".to_owned()),
        address: Some(reached.stamp.remote.to_string()),
        alpn: None,
        failure,
        request: Request {
            headers: headers.iter().map(|Header(name, value)| (name.text(), value.clone())).collect(),
            headers_list: headers,
            method: Some("GET".to_owned()),
            url: url.to_string(),
            x_transport: Some("tcp".to_owned()),
            ..Request::default()
        },
        response: answered.as_ref().map(response).unwrap_or_default(),
        t0: Some(began),
        t: Some(reached.stamp.now()),
        tags: reached.stamp.tags.clone(),
        transaction_id: Some(reached.stamp.transaction),
    };
    Some(Fetched { transaction, layers: trace.into_layers(), next: next.ok().flatten() })
}

/// What OONI's probes send, which look like a browser.
fn request(url: &Url, cookies: &Cookies) -> Result<HttpRequest<Full<Bytes>>, Failure> {
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let mut builder = HttpRequest::builder()
        .method(Method::GET)
        .uri(target)
        .header(HOST, authority(url))
        .header(USER_AGENT, BROWSER)
        .header(ACCEPT, ACCEPTED)
        .header(ACCEPT_LANGUAGE, LANGUAGES)
        .header(CONNECTION, "close");
    if let Some(cookies) = cookies.of(url) {
        builder = builder.header(COOKIE, cookies);
    }
    builder.body(Full::default()).map_err(|error| Failure::Ours(error.to_string()))
}

/// RFC 9110 section 7.2.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Where an answer leads: nowhere where it is the page itself.
fn next(url: &Url, answer: &Answer) -> Result<Option<Url>, &'static str> {
    if !matches!(answer.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok()) else { return Ok(None) };
    let next = url.join(location).map_err(|_| NOWHERE)?;
    let sound = matches!(next.scheme(), "http" | "https") && next.host_str().is_some_and(|host| !host.is_empty());
    sound.then_some(Some(next)).ok_or(NOWHERE)
}

fn response(answer: &Answer) -> Response {
    let headers = listed(&answer.headers);
    Response {
        body: MaybeBinary(answer.body.to_vec()),
        body_is_truncated: answer.truncated,
        code: answer.status.as_u16().into(),
        headers: headers.iter().rev().map(|Header(name, value)| (name.text(), value.clone())).collect(),
        headers_list: headers,
    }
}

/// Names as Go writes them: `Content-Type`.
fn listed(headers: &HeaderMap) -> Vec<Header> {
    let canonical = |name: &str| {
        let words = name.split('-').map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
        });
        words.collect::<Vec<_>>().join("-")
    };
    let header = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
        Header(MaybeBinary::from(&*canonical(name.as_str())), MaybeBinary(value.as_bytes().to_vec()))
    };
    headers.iter().map(header).collect()
}

/// What a browser says of itself (ooni/probe-cli `model/http.go`).
pub(super) const BROWSER: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.3";
/// What it takes.
pub(super) const ACCEPTED: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
/// In which languages.
pub(super) const LANGUAGES: &str = "en-US,en;q=0.9";
/// The failure of a redirect to nowhere.
const NOWHERE: &str = "http_invalid_redirect_location_host";
/// So much of a body OONI's probes keep.
const LONGEST_BODY: usize = 1 << 19;

#[cfg(test)]
mod tests {
    use hyper::StatusCode;
    use hyper::header::HeaderValue;

    use super::*;

    fn led(status: u16, location: &str) -> Result<Option<String>, &'static str> {
        let url = Url::parse("https://a.example/b/c?d").expect("a URL");
        let headers = HeaderMap::from_iter([(LOCATION, HeaderValue::from_str(location).expect("a value"))]);
        let status = StatusCode::from_u16(status).expect("a status");
        let answer = Answer { status, headers, body: Bytes::new(), truncated: false };
        next(&url, &answer).map(|url| url.map(|url| url.to_string()))
    }

    #[test]
    fn a_redirect_leads_somewhere_or_is_a_failure() {
        assert_eq!(led(302, "/x"), Ok(Some("https://a.example/x".to_owned())));
        assert_eq!(led(308, "http://b.example"), Ok(Some("http://b.example/".to_owned())));
        assert_eq!(led(200, "http://b.example"), Ok(None));
        for broken in ["http://", "https://", "mailto:a@b.example"] {
            assert_eq!(led(302, broken), Err(NOWHERE), "{broken}");
        }
    }

    #[test]
    fn what_is_asked_for_names_port_and_query() {
        let url = Url::parse("http://a.example:444/b?c=d").expect("a URL");
        let request = request(&url, &Cookies::default()).expect("a request");
        assert_eq!(
            (request.uri().to_string(), &request.headers()[HOST]),
            ("/b?c=d".to_owned(), &"a.example:444".parse().expect("a value"))
        );
    }
}
