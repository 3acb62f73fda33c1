//! One HTTP request and its answer, on a stream that is open already.

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::header::{CONNECTION, HOST, HeaderMap, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode, Uri, http::request::Builder};
use hyper_util::rt::{TokioExecutor, TokioIo};
use roadblock_scenarios::model::HttpVersion;
use tokio::io::{AsyncRead, AsyncWrite};

use super::failure::Failure;
use super::url::WebUrl;

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: StatusCode,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: Bytes,
    /// Whether there was more of it.
    pub(crate) truncated: bool,
}

/// How much of a body is read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reading {
    /// All of it; one that is longer than any of the lab's is a failure.
    Whole,
    /// So many bytes.
    Beginning(usize),
}

/// The beginning of a request: what every request of a probe has.
pub(crate) fn request(method: Method, url: &WebUrl, version: HttpVersion) -> Builder {
    request_to(method, url, &url.authority(), version)
}

/// The same where the server is called by this in the request, whatever the URL says.
pub(crate) fn request_to(method: Method, url: &WebUrl, authority: &str, version: HttpVersion) -> Builder {
    let builder = Request::builder().method(method).header(USER_AGENT, AGENT);
    match version {
        HttpVersion::One => builder.uri(&url.path).header(HOST, authority).header(CONNECTION, "close"),
        // RFC 9113 section 8.3.1: the authority is part of the target, and there is no Connection header.
        HttpVersion::Two => {
            let scheme = if url.secure { "https" } else { "http" };
            let uri = Uri::builder().scheme(scheme).authority(authority).path_and_query(&*url.path).build();
            builder.uri(uri.unwrap_or_default())
        }
    }
}

/// Sends a request and reads the whole answer. Boxed, because a client of HTTP is large and an app has many at once.
pub(crate) async fn send<B>(
    request: Request<B>,
    version: HttpVersion,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<Answer, Failure>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    read(request, version, stream, Reading::Whole).await
}

/// The same, reading so much of the answer.
pub(crate) async fn read<B>(
    request: Request<B>,
    version: HttpVersion,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    reading: Reading,
) -> Result<Answer, Failure>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let stream = TokioIo::new(stream);
    match version {
        HttpVersion::One => {
            // `Host:`, as browsers and curl write it: a censor may know it in no other way (IR-HTTP-1).
            let mut client = http1::Builder::new();
            client.title_case_headers(true);
            let shaken = Box::pin(client.handshake(stream)).await;
            let (mut sender, connection) = shaken.map_err(|error| Failure::of(&error))?;
            let exchange = async move {
                answer(sender.send_request(request).await.map_err(|error| Failure::of(&error))?, reading).await
            };
            Box::pin(drive(exchange, connection)).await
        }
        HttpVersion::Two => {
            let shaken = Box::pin(http2::handshake(TokioExecutor::new(), stream)).await;
            let (mut sender, connection) = shaken.map_err(|error| Failure::of(&error))?;
            let exchange = async move {
                answer(sender.send_request(request).await.map_err(|error| Failure::of(&error))?, reading).await
            };
            Box::pin(drive(exchange, connection)).await
        }
    }
}

/// The connection must be driven for the exchange to go on; when it ends first, the exchange knows why.
async fn drive<T>(
    exchange: impl Future<Output = Result<T, Failure>>,
    connection: impl Future<Output = hyper::Result<()>>,
) -> Result<T, Failure> {
    tokio::pin!(exchange, connection);
    tokio::select! {
        result = &mut exchange => result,
        ended = &mut connection => match ended {
            Ok(()) => exchange.await,
            Err(error) => Err(Failure::of(&error)),
        },
    }
}

async fn answer(response: Response<Incoming>, reading: Reading) -> Result<Answer, Failure> {
    let (head, mut body) = response.into_parts();
    let (longest, rest_is_failure) = match reading {
        Reading::Whole => (MAX_BODY, true),
        Reading::Beginning(length) => (length, false),
    };
    let (mut bytes, mut truncated) = (Vec::new(), false);
    while let Some(frame) = body.frame().await {
        let data = frame.map_err(|error| Failure::of(&error))?.into_data().unwrap_or_default();
        let left = longest - bytes.len();
        truncated = data.len() > left;
        bytes.extend_from_slice(data.get(..left.min(data.len())).unwrap_or_default());
        if truncated {
            break;
        }
    }
    if truncated && rest_is_failure {
        return Err(Failure::Unknown("the body is too long".to_owned()));
    }
    Ok(Answer { status: head.status, headers: head.headers, body: bytes.into(), truncated })
}

/// Who asks.
pub(crate) const AGENT: &str = concat!("roadblock/", env!("CARGO_PKG_VERSION"));

/// More than any page of the lab; a body without end must not fill the memory.
const MAX_BODY: usize = 1 << 20;
