//! Asking a test helper.

use std::net::{IpAddr, SocketAddr};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Method, Request};
use roadblock_scenarios::model::{Family, HttpVersion};

use super::fetch::{ACCEPTED, BROWSER, LANGUAGES};
use super::helper;
use super::plan::Plan;
use crate::ooni::control::{ControlRequest, ControlResponse};
use crate::probes::dns::{self, Question, Truth};
use crate::probes::exchange::{self, Reading};
use crate::probes::failure::Failure;
use crate::probes::tls::{self, Alpn, Greeting};
use crate::probes::tools::Tools;
use crate::probes::trace::{Operation, Place, Trace};

/// What is asked about these endpoints.
pub(super) fn request(plan: &Plan, endpoints: &[SocketAddr]) -> ControlRequest {
    let header = |name: &str, value: &str| (name.to_owned(), vec![value.to_owned()]);
    ControlRequest {
        http_request: plan.url.to_string(),
        http_request_headers: [
            header("Accept", ACCEPTED),
            header("Accept-Language", LANGUAGES),
            header("User-Agent", BROWSER),
        ]
        .into(),
        tcp_connect: endpoints.iter().map(ToString::to_string).collect(),
        x_quic_enabled: false,
    }
}

/// What a test helper says: the first that answers, over the network; or the one at the control vantage.
pub(super) async fn ask(tools: &Tools, plan: &Plan, request: &ControlRequest) -> Result<ControlResponse, Failure> {
    if plan.helpers.is_empty() {
        let Some(control) = tools.control.clone() else {
            return Err(Failure::Ours("nothing is measured from control".to_owned()));
        };
        let (resolver, request) = (plan.control_resolver, request.clone());
        let there = control.runtime.clone();
        let answer = there.spawn(async move { Box::pin(helper::answer(&control.tools, resolver, &request)).await });
        return answer.await.map_err(|_| Failure::Ours("the control vantage is gone".to_owned()));
    }
    let mut failure = Failure::Ours("there is no test helper".to_owned());
    for name in &plan.helpers {
        match Box::pin(post(tools, plan.resolvers.system, name, request)).await {
            Ok(response) => return Ok(response),
            Err(failed) => failure = failed,
        }
    }
    Err(failure)
}

async fn post(
    tools: &Tools,
    resolver: IpAddr,
    name: &str,
    request: &ControlRequest,
) -> Result<ControlResponse, Failure> {
    let mut trace = Trace::default();
    let question = Question::usual(name, Family::V4, resolver);
    let addresses = dns::resolve(&mut trace, tools, &question, &Truth::AllOf(Vec::new())).await;
    let addresses = addresses.map_err(|failure| failure.unwrap_or(Failure::DnsNoAnswer))?;
    let address = *addresses.first().ok_or(Failure::DnsNoAnswer)?;
    let remote = SocketAddr::new(address, 443);
    let greeting = Greeting { remote, sni: name.to_owned(), verify: true, alpn: Alpn::Http1 };
    let stream = tls::connect(&mut trace, tools, &greeting).await?;
    let local_port = stream.get_ref().0.local_addr().map_or(0, |address| address.port());
    let place = Place { operation: Operation::HttpRoundTrip, remote, local_port };
    let body = serde_json::to_vec(request).map_err(|error| Failure::Ours(error.to_string()))?;
    let post = Request::builder()
        .method(Method::POST)
        .uri("/")
        .header(HOST, name)
        .header(USER_AGENT, BROWSER)
        .header(CONTENT_TYPE, "application/json")
        .header(CONNECTION, "close")
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| Failure::Ours(error.to_string()))?;
    let exchanged = exchange::read(post, HttpVersion::One, stream, Reading::Whole);
    let answer = trace.layer(place, tools.timeouts.helper, exchanged).await?;
    if !answer.status.is_success() {
        return Err(Failure::Unknown(format!("httpapi: http request failed: {}", answer.status.as_u16())));
    }
    serde_json::from_slice(&answer.body).map_err(|_| Failure::JsonParse)
}
