//! Telegram: a message and media each way, as its user knows it, and OONI's `telegram` 0.3.1 beside it (ts-020).

use std::net::SocketAddr;

use futures_util::future::join_all;
use http_body_util::Full;
use hyper::Method;
use hyper::body::Bytes;
use roadblock_scenarios::model::{Family, FamilyChoice, HttpVersion, MtProtoTransport, VerdictWord};

use super::super::failure::Failure;
use super::super::known::Known;
use super::super::measure::MeasureError;
use super::super::mtproto::{self, DataCentre};
use super::super::tools::Tools;
use super::super::trace::{Operation, Outcome, Place, TestKeys, Trace};
use super::super::transfer::{Transfer, Way};
use super::super::url::WebUrl;
use super::super::web::{self, Visit};
use super::super::{exchange, tcp};
use super::parts::{best, chat_and_media};

/// What is known of Telegram before it is used.
#[derive(Clone, Debug)]
pub(crate) struct Telegram {
    transport: MtProtoTransport,
    media: [Transfer; 2],
    web: Visit,
}

impl Telegram {
    /// Telegram over a transport, with so many kilobytes of media.
    pub(crate) fn new(known: Known<'_>, media: u32, transport: MtProtoTransport) -> Result<Self, MeasureError> {
        let transfer = |way| known.transfer("cdn4.telesco.pe", Family::V4, media, way);
        let url: WebUrl = "https://web.telegram.org/".parse()?;
        let web = known.visit(url, FamilyChoice::default(), HttpVersion::One).unknown();
        Ok(Self { transport, media: [transfer(Way::Down), transfer(Way::Up)], web })
    }

    /// Uses it and says what its user says.
    pub(crate) async fn probe(&self, tools: &Tools) -> Outcome {
        let beside = tools.without_port();
        chat_and_media(&beside, self.message(tools), &self.media, self.ooni(&beside)).await
    }

    /// A message goes through when one of the data centres takes it. Their addresses are in the app: DNS hides nothing.
    async fn message(&self, tools: &Tools) -> Outcome {
        let centres = CENTRES.into_iter().take(OF_USERS);
        let attempts = centres.map(|address| {
            let remote = SocketAddr::new(address.into(), 443);
            mtproto::probe(tools, DataCentre { remote, transport: self.transport })
        });
        best(join_all(attempts).await)
    }

    /// OONI's rules: one POST that is answered is enough for both, and one that fails later than the connection shows that
    /// connections are possible.
    async fn ooni(&self, tools: &Tools) -> TestKeys {
        let places =
            CENTRES.into_iter().flat_map(|address| [80, 443].map(|port| SocketAddr::new(address.into(), port)));
        let posts = join_all(places.map(|remote| post(tools, remote)));
        let (posts, web) = tokio::join!(posts, web::probe(tools, &self.web));
        let http_blocking = !posts.iter().any(Outcome::is_ok);
        let connected =
            |post: &Outcome| post.decisive_layer().is_some_and(|layer| layer.operation != Operation::Connect);
        let tcp_blocking = http_blocking && !posts.iter().any(connected);
        let web = web.failure.map(|failure| failure.to_string());
        [
            ("telegram_http_blocking", http_blocking.into()),
            ("telegram_tcp_blocking", tcp_blocking.into()),
            ("telegram_web_status", if web.is_some() { "blocked" } else { "ok" }.into()),
            ("telegram_web_failure", web.into()),
        ]
        .into_iter()
        .map(|(name, value): (&str, serde_json::Value)| (name.to_owned(), value))
        .collect()
    }
}

/// A plain POST to a data centre, on port 443 too; any answer is good.
async fn post(tools: &Tools, remote: SocketAddr) -> Outcome {
    let mut trace = Trace::default();
    match posted(&mut trace, tools, remote).await {
        Ok(()) => trace.end(VerdictWord::Ok),
        Err(failure) => trace.failed(failure),
    }
}

async fn posted(trace: &mut Trace, tools: &Tools, remote: SocketAddr) -> Result<(), Failure> {
    let stream = tcp::connect(trace, tools, remote).await?;
    let local_port = stream.local_addr().map_or(0, |address| address.port());
    let place = Place { operation: Operation::HttpRoundTrip, remote, local_port };
    let url = WebUrl { secure: false, host: remote.ip().to_string(), port: remote.port(), path: "/".to_owned() };
    let request = exchange::request(Method::POST, &url, HttpVersion::One)
        .body(Full::<Bytes>::default())
        .map_err(|error| Failure::Ours(error.to_string()))?;
    let sent = async { Box::pin(exchange::send(request, HttpVersion::One, stream)).await.map(|_| ()) };
    trace.layer(place, tools.timeouts.http, sent).await
}

/// The data centres that OONI's test knows.
const CENTRES: [[u8; 4]; 6] = [
    [149, 154, 167, 51],
    [149, 154, 175, 50],
    [149, 154, 175, 100],
    [149, 154, 167, 91],
    [149, 154, 171, 5],
    [95, 161, 76, 100],
];
/// The last of them is none that accounts live at.
const OF_USERS: usize = 5;
