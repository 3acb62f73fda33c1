//! HTTP/3: is a page answered over QUIC, and whose is it?

use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};

use bytes::Buf;
use hyper::header::USER_AGENT;
use hyper::{Method, Request};
use roadblock_scenarios::model::{Family, QuicVersion, VerdictWord};

use super::exchange::AGENT;
use super::failure::Failure;
use super::named::Named;
use super::page;
use super::quic::{self, Session};
use super::tls::{Alpn, Greeting};
use super::tools::Tools;
use super::trace::{Operation, Outcome, Place, Trace};
use super::url::WebUrl;

/// A page to open over QUIC.
#[derive(Clone, Debug)]
pub(crate) struct H3Visit {
    /// Which page.
    pub(crate) url: WebUrl,
    /// Its server.
    pub(crate) place: Named,
    /// Where it is, in place of what DNS says.
    pub(crate) pinned: Option<IpAddr>,
    /// Which family to use where DNS is asked.
    pub(crate) family: Family,
    /// Whether the certificate must be right.
    pub(crate) verify: bool,
    /// The title by which the page is known.
    pub(crate) title: Option<String>,
}

/// Opens the page; the first layer that goes wrong gives the verdict.
pub(crate) async fn probe(tools: &Tools, visit: &H3Visit) -> Outcome {
    let mut trace = Trace::default();
    let address = match visit.pinned {
        Some(address) => address,
        None => match visit.place.lookup(&mut trace, tools, visit.family).await {
            Ok(address) => address,
            Err(failure) => return trace.unresolved(failure),
        },
    };
    match get(&mut trace, tools, visit, SocketAddr::new(address, visit.url.port)).await {
        Ok(body) => {
            let own = page::is_titled(&body, visit.title.as_deref());
            trace.end(if own { VerdictWord::Ok } else { VerdictWord::Blockpage })
        }
        Err(failure) => trace.failed(failure),
    }
}

async fn get(trace: &mut Trace, tools: &Tools, visit: &H3Visit, remote: SocketAddr) -> Result<String, Failure> {
    let greeting = Greeting { remote, sni: visit.url.host.clone(), verify: visit.verify, alpn: Alpn::Http3 };
    let session = quic::connect(trace, tools, &greeting, QuicVersion::One).await?;
    let place = Place { operation: Operation::QuicRoundTrip, remote, local_port: session.local_port };
    let body = trace.layer(place, tools.timeouts.http, exchange(&session, &visit.url)).await;
    session.end().await;
    body
}

/// One request and its whole answer. The connection must be driven for it to go on.
async fn exchange(session: &Session, url: &WebUrl) -> Result<String, Failure> {
    let connection = h3_quinn::Connection::new(session.connection.clone());
    let why = |text: String| {
        let reason = session.connection.close_reason();
        reason.map_or(Failure::Unknown(text), |reason| quic::failure_of(&reason))
    };
    let (mut driver, mut sender) = h3::client::new(connection).await.map_err(|error| why(error.to_string()))?;
    let asked = async {
        let uri = format!("https://{}{}", url.authority(), url.path);
        let request = Request::builder().method(Method::GET).uri(uri).header(USER_AGENT, AGENT).body(());
        let request = request.map_err(|error| Failure::Ours(error.to_string()))?;
        let mut stream = sender.send_request(request).await.map_err(|error| why(error.to_string()))?;
        stream.finish().await.map_err(|error| why(error.to_string()))?;
        stream.recv_response().await.map_err(|error| why(error.to_string()))?;
        let mut body = Vec::new();
        while let Some(mut data) = stream.recv_data().await.map_err(|error| why(error.to_string()))? {
            body.extend_from_slice(&data.copy_to_bytes(data.remaining()));
            if body.len() > MAX_BODY {
                return Err(Failure::Unknown("a page without end".to_owned()));
            }
        }
        Ok(String::from_utf8_lossy(&body).into_owned())
    };
    tokio::select! {
        biased;
        answered = asked => answered,
        ended = poll_fn(|context| driver.poll_close(context)) => Err(why(ended.to_string())),
    }
}

/// More than any page of the lab.
const MAX_BODY: usize = 1 << 20;
