//! A page that the phase blocks, through the tool.

use std::time::Duration;

use http_body_util::Full;
use hyper::Method;
use hyper::body::Bytes;
use roadblock_scenarios::model::HttpVersion;
use tokio::time::timeout;

use super::{DefaultCheck, Fault, PartResult};
use crate::matrix::document::{Part, PartEnd};
use crate::matrix::target::Target;
use crate::probes::Failure;
use crate::probes::{Alpn, Greeting, Trace, http_request, http_send, is_titled, tls_shake};

/// Opens it and looks whether it is the lab's own.
pub(super) async fn page(check: &DefaultCheck) -> PartResult {
    let address = check.target.url.to_string();
    let result = match open(check).await {
        Ok(()) => PartResult::new(Part::Page, PartEnd::Whole),
        Err(fault) => {
            let how = fault.how.as_ref().map(|how| format!("{address}: {how}"));
            PartResult { how, ..PartResult::new(Part::Page, fault.end()) }.because(fault)
        }
    };
    PartResult { how: result.how.or(Some(address)), ..result }
}

async fn open(check: &DefaultCheck) -> Result<(), Fault> {
    let Target { url, truth, title, .. } = &check.target;
    let way = &check.way;
    let stream = way.connect(&url.host, truth, url.port).await?;
    let request = http_request(Method::GET, url, HttpVersion::One).body(Full::<Bytes>::default());
    let request = request.map_err(|error| Fault::before(Failure::Ours(error.to_string())))?;
    let answer = if url.secure {
        let local_port = stream.local_addr().map_or(0, |address| address.port());
        let remote = stream.peer_addr().map_err(|error| Fault::before(Failure::from(&error)))?;
        let greeting = Greeting { remote, sni: url.host.clone(), verify: true, alpn: Alpn::Http1 };
        let shaken = tls_shake(&mut Trace::default(), &way.tools, &greeting, local_port, stream).await;
        let reached = way.connection_is_proof();
        let stream = shaken.map_err(|failure| Fault { reached, ..Fault::before(failure) })?;
        within(Box::pin(http_send(request, HttpVersion::One, stream))).await.map_err(Fault::after)?
    } else {
        let sent = within(Box::pin(http_send(request, HttpVersion::One, stream))).await;
        sent.map_err(|failure| Fault { reached: way.connection_is_proof(), ..Fault::before(failure) })?
    };
    if is_titled(&String::from_utf8_lossy(&answer.body), title.as_deref()) {
        return Ok(());
    }
    Err(Fault { reached: false, failure: None, how: Some(format!("another page came, with status {}", answer.status)) })
}

async fn within<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    timeout(PAGE, work).await.unwrap_or(Err(Failure::GenericTimeout))
}

const PAGE: Duration = Duration::from_secs(5);
