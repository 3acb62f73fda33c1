//! What a web server says: pages by which a person and a test recognise the host, and bytes to measure throughput with.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, LOCATION, SERVER};
use hyper::{Method, Response, StatusCode};
use roadblock_scenarios::model::{Certificate, Host, HostAnswer, OoniRole, Page, Protocol, WebSocket, WireGuardKeys};

use super::whatsapp::chat_key;
use super::zone::canonical;

/// A host as its servers know it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Site {
    /// Its names in lower case, the first being its default.
    pub names: Vec<String>,
    /// Who signs its certificate.
    pub certificate: Certificate,
    /// The addresses in its certificate: a resolver's, because its clients may know nothing else of it (RFC 8310).
    pub certified: Vec<IpAddr>,
    /// Whether it answers DNS over HTTPS.
    pub serves_dns: bool,
    /// Where it speaks WebSocket.
    pub websocket: Option<WebSocket>,
    /// The keys of its tunnel.
    pub wireguard: Option<WireGuardKeys>,
    /// What it is to OONI's probe.
    pub ooni: Option<OoniRole>,
    /// Where it speaks HTTP/3, as it is said over TCP (RFC 7838).
    pub alternative: Option<HeaderValue>,
    /// What its pages say.
    pub page: Page,
    /// What it says at some paths or to some clients instead.
    pub answers: Vec<HostAnswer>,
}

/// The hosts that share a listening port; names choose among them. Never empty.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sites {
    default: Site,
    others: Vec<Site>,
}

/// The body of a response.
#[derive(Debug)]
pub enum PageBody {
    /// A text, until it is sent.
    Text(Option<Bytes>),
    /// So many more bytes of no meaning.
    Filler(u64),
}

impl Site {
    /// What a host's servers need of it.
    pub fn new(host: &Host) -> Self {
        let speaks = |protocol| host.listen.iter().any(|each| each.protocol == protocol);
        let resolves = [Protocol::Dns, Protocol::Dot, Protocol::Doh].into_iter().any(speaks);
        Self {
            names: host.names.iter().map(|name| canonical(name)).collect(),
            certificate: host.certificate,
            certified: if resolves { host.addresses.clone() } else { Vec::new() },
            serves_dns: speaks(Protocol::Doh),
            websocket: host.websocket.clone(),
            wireguard: host.wireguard.clone(),
            ooni: host.ooni,
            alternative: alternative(host),
            page: host.page.clone(),
            answers: host.answers.clone(),
        }
    }

    /// The private key of its chat server.
    pub(super) fn chat_key(&self) -> [u8; 32] {
        chat_key(self.names.first().map(String::as_str).unwrap_or_default())
    }

    fn serves(&self, name: &str) -> bool {
        self.names.iter().any(|each| each == name)
    }
}

fn alternative(host: &Host) -> Option<HeaderValue> {
    let h3 = host.listen.iter().find(|each| each.protocol == Protocol::H3)?;
    HeaderValue::try_from(format!("h3=\":{}\"; ma=86400", h3.port)).ok()
}

impl Sites {
    /// One host, which also answers to unknown names.
    pub const fn new(default: Site) -> Self {
        Self { default, others: Vec::new() }
    }

    /// One more host at the same port; one that is known is there already.
    pub fn add(&mut self, site: Site) {
        if self.default != site && !self.others.contains(&site) {
            self.others.push(site);
        }
    }

    /// The host of this name, or the default.
    pub fn choose(&self, name: Option<&str>) -> &Site {
        let Some(name) = name.map(canonical) else { return &self.default };
        let mut all = std::iter::once(&self.default).chain(&self.others);
        all.find(|site| site.serves(&name)).unwrap_or(&self.default)
    }
}

/// The response to a request for `path` at the host `name`; `client` is who asks.
pub fn respond(
    method: &Method,
    name: Option<&str>,
    path: &str,
    sites: &Sites,
    client: Option<IpAddr>,
) -> Response<PageBody> {
    if !matches!(*method, Method::GET | Method::HEAD | Method::POST) {
        let mut refusal = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET, HEAD and POST\n".to_owned());
        refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
        return refusal;
    }
    if let Some(count) = path.strip_prefix("/bytes/").and_then(|count| count.parse::<u64>().ok()) {
        return filler(count);
    }
    if let Some(left) = path.strip_prefix("/redirect/").and_then(|left| left.parse::<u32>().ok()) {
        return led_on(left);
    }
    let answer = page(name, path, sites, client);
    // HTTP/1.1's server leaves the body out by itself, those of HTTP/2 and HTTP/3 do not (RFC 9110 section 9.3.2).
    if *method == Method::HEAD { answer.map(|_| PageBody::Text(None)) } else { answer }
}

fn page(name: Option<&str>, path: &str, sites: &Sites, client: Option<IpAddr>) -> Response<PageBody> {
    let site = sites.choose(name);
    let shown = name.map(canonical).filter(|name| site.serves(name)).or_else(|| site.names.first().cloned());
    let shown = shown.unwrap_or_default();
    let Some(answer) = site.answers.iter().find(|answer| applies(answer, path, client)) else {
        return text(StatusCode::OK, HTML, html(&site.page, &shown));
    };
    // The parser lets no other status through.
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = match &answer.location {
        Some(_) if answer.page.is_none() => empty(status),
        _ => text(status, HTML, html(answer.page.as_ref().unwrap_or(&site.page), &shown)),
    };
    if let Some(location) = answer.location.as_ref().and_then(|location| HeaderValue::try_from(location).ok()) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

fn applies(answer: &HostAnswer, path: &str, client: Option<IpAddr>) -> bool {
    let asked = answer.path.as_ref().is_none_or(|own| own == path);
    let named = client.is_some_and(|client| answer.clients.iter().any(|each| each.contains(&client)));
    asked && (answer.clients.is_empty() || named)
}

/// As httpbin.org does it: so many redirections, and then the page.
fn led_on(left: u32) -> Response<PageBody> {
    let next = if left > 1 { format!("/redirect/{}", left - 1) } else { "/".to_owned() };
    let mut response = empty(StatusCode::FOUND);
    if let Ok(next) = HeaderValue::try_from(next) {
        response.headers_mut().insert(LOCATION, next);
    }
    response
}

fn filler(count: u64) -> Response<PageBody> {
    if count > FILLER_LIMIT {
        return plain(StatusCode::BAD_REQUEST, format!("at most {FILLER_LIMIT} bytes\n"));
    }
    response(StatusCode::OK, "application/octet-stream", count, PageBody::Filler(count))
}

/// A line for a person.
pub(super) fn plain(status: StatusCode, line: String) -> Response<PageBody> {
    text(status, PLAIN, line)
}

/// Bytes of some kind.
pub(super) fn bytes(status: StatusCode, kind: &'static str, bytes: Bytes) -> Response<PageBody> {
    response(status, kind, bytes.len() as u64, PageBody::Text(Some(bytes)))
}

/// No content, and nothing said about any.
pub(super) fn empty(status: StatusCode) -> Response<PageBody> {
    let mut response = Response::new(PageBody::Text(None));
    *response.status_mut() = status;
    response
}

fn text(status: StatusCode, kind: &'static str, text: String) -> Response<PageBody> {
    bytes(status, kind, text.into())
}

/// The length is said in any case, so that the answer to HEAD says it too (RFC 9110 section 8.6).
fn response(status: StatusCode, kind: &'static str, length: u64, body: PageBody) -> Response<PageBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(SERVER, HeaderValue::from_static("roadblock"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

fn html(page: &Page, name: &str) -> String {
    let title = escape(&page.title);
    let text = escape(&page.text);
    let name = escape(name);
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body>\n\
         <h1>{title}</h1>\n<p>{text}</p>\n<p>This is {name}, inside a roadblock lab.</p>\n</body>\n</html>\n"
    );
    filled(html, page.length)
}

/// The page with a comment behind it that makes it so long; one that is longer already is cut nowhere.
fn filled(html: String, length: Option<usize>) -> String {
    const COMMENT: [&str; 2] = ["<!--", "-->\n"];
    let Some(missing) = length.and_then(|length| length.checked_sub(html.len())) else { return html };
    let [begin, end] = COMMENT;
    match missing.checked_sub(begin.len() + end.len()) {
        Some(filler) => format!("{html}{begin}{}{end}", ".".repeat(filler)),
        None => html + &" ".repeat(missing),
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' | '<' | '>' | '"' | '\'' => {
                // Writing to a String cannot fail.
                let _ = write!(escaped, "&#{};", u32::from(character));
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

impl Body for PageBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let bytes = match self.get_mut() {
            Self::Text(text) => text.take(),
            Self::Filler(0) => None,
            Self::Filler(left) => {
                let length = usize::try_from(*left).unwrap_or(usize::MAX).min(FILLER.len());
                *left -= length as u64;
                Some(Bytes::from_static(FILLER).slice(..length))
            }
        };
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Text(None) | Self::Filler(0))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Text(text) => text.as_ref().map_or(0, |text| text.len() as u64),
            Self::Filler(left) => *left,
        })
    }
}

const HTML: &str = "text/html; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";
const FILLER_LIMIT: u64 = 16 * 1024 * 1024;
static FILLER: &[u8] = &[b'.'; 64 * 1024];

#[cfg(test)]
mod tests {
    use super::*;

    fn site(names: &[&str], title: &str) -> Site {
        Site::new(&Host {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            page: Page { title: title.to_owned(), text: "Fish & <chips>.".to_owned(), length: None },
            ..Host::default()
        })
    }

    fn body(response: Response<PageBody>) -> String {
        let PageBody::Text(Some(bytes)) = response.into_body() else { panic!("no text") };
        String::from_utf8(bytes.to_vec()).expect("UTF-8")
    }

    #[test]
    fn the_name_chooses_the_site() {
        let mut sites = Sites::new(site(&["whatsapp.com", "web.whatsapp.com"], "WhatsApp"));
        sites.add(site(&["instagram.com"], "Instagram"));
        assert_eq!(sites.choose(Some("Instagram.com.")).page.title, "Instagram");
        assert_eq!(sites.choose(Some("example.org")).page.title, "WhatsApp");
        assert_eq!(sites.choose(None).page.title, "WhatsApp");
    }

    #[test]
    fn a_page_says_whose_it_is_and_escapes_its_text() {
        let sites = Sites::new(site(&["whatsapp.com", "web.whatsapp.com"], "WhatsApp"));
        insta::assert_snapshot!(body(respond(&Method::GET, Some("WEB.whatsapp.com"), "/any", &sites, None)), @r#"
        <!doctype html>
        <html lang="en">
        <head><meta charset="utf-8"><title>WhatsApp</title></head>
        <body>
        <h1>WhatsApp</h1>
        <p>Fish &#38; &#60;chips&#62;.</p>
        <p>This is web.whatsapp.com, inside a roadblock lab.</p>
        </body>
        </html>
        "#);
        assert!(body(respond(&Method::GET, Some("1.2.3.4"), "/", &sites, None)).contains("This is whatsapp.com,"));
    }

    #[test]
    fn bytes_are_counted_and_bounded() {
        let sites = Sites::new(site(&["whatsapp.com"], "WhatsApp"));
        let get = |path: &str| respond(&Method::GET, None, path, &sites, None);
        assert_eq!(get("/bytes/70000").body().size_hint().exact(), Some(70_000));
        assert_eq!(get("/bytes/16777217").status(), StatusCode::BAD_REQUEST);
        assert_eq!(get("/bytes/many").headers()[CONTENT_TYPE], HTML);
    }

    #[test]
    fn a_page_is_as_long_as_it_must_be() {
        let page = |length| Page { title: "A".to_owned(), text: String::new(), length };
        let own = html(&page(None), "a.example").len();
        for length in [own, own + 1, own + 8, own + 9, 1533] {
            assert_eq!(html(&page(Some(length)), "a.example").len(), length);
        }
        assert_eq!(html(&page(Some(1)), "a.example").len(), own);
    }

    #[test]
    fn the_path_and_the_client_choose_the_answer() {
        let answer = |path: Option<&str>, clients: &[&str], status| HostAnswer {
            path: path.map(str::to_owned),
            clients: clients.iter().map(|each| each.parse().expect("a prefix")).collect(),
            status,
            location: path.map(|_| "http://b.example/".to_owned()),
            page: None,
        };
        let answers = vec![answer(Some("/x"), &[], 302), answer(None, &["130.192.0.0/16"], 503)];
        let host = Host { names: vec!["a.example".to_owned()], answers, ..Host::default() };
        let sites = Sites::new(Site::new(&host));
        let get = |path, client: &str| respond(&Method::GET, None, path, &sites, client.parse().ok());
        let redirect = get("/x", "1.1.1.1");
        assert_eq!(
            (redirect.status(), &redirect.headers()[LOCATION]),
            (StatusCode::FOUND, &"http://b.example/".parse().expect("a value"))
        );
        assert_eq!(get("/", "130.192.91.211").status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(get("/", "1.1.1.1").status(), StatusCode::OK);
        assert_eq!(get("/redirect/2", "1.1.1.1").headers()[LOCATION], "/redirect/1");
        assert_eq!(get("/redirect/1", "1.1.1.1").headers()[LOCATION], "/");
    }

    #[test]
    fn head_is_told_a_length_and_no_body() {
        let sites = Sites::new(Site::new(&Host { names: vec!["a.example".to_owned()], ..Host::default() }));
        let get = respond(&Method::GET, Some("a.example"), "/", &sites, None);
        let head = respond(&Method::HEAD, Some("a.example"), "/", &sites, None);
        assert_eq!(head.headers(), get.headers());
        assert!(head.body().is_end_stream() && !get.body().is_end_stream());
    }

    #[test]
    fn other_methods_are_refused() {
        let sites = Sites::new(site(&["whatsapp.com"], "WhatsApp"));
        let refusal = respond(&Method::DELETE, None, "/", &sites, None);
        assert_eq!(refusal.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(refusal.headers()[ALLOW], "GET, HEAD, POST");
    }
}
