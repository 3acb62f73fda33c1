//! HTTP/1.1, HTTP/2 and TLS, as curl and openssl see them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use roadblock_scenarios::model::Protocol::{Http, Https, WhatsAppChat};
use tempfile::NamedTempFile;

use crate::programs::{output, run};
use crate::running::{Running, certificate_file, internet, service};

pub(crate) fn curl(arguments: &[&str]) -> String {
    output("curl", ["--silent", "--show-error", "--max-time", "20", "--noproxy", "*"].iter().chain(arguments))
}

#[test]
fn curl_trusts_a_host_over_both_versions_of_tls() {
    let (running, authority) = internet(&[service(&["whatsapp.com", "web.whatsapp.com"], &["127.8.0.1"], &[Https])]);
    let file = certificate_file(authority.pem());
    let path = file.path().to_str().expect("a path");
    let port = running.port(Https, "127.8.0.1");
    let resolve = format!("web.whatsapp.com:{port}:127.8.0.1");
    let url = format!("https://web.whatsapp.com:{port}/some/path?query");
    let asked = [
        (["--tls-max", "1.2", "--http1.1"].as_slice(), ["TLSv1.2", "http/1.1"]),
        (&["--tls-max", "1.2", "--http2"], ["TLSv1.2", "h2"]),
        (&["--tlsv1.3", "--http1.1"], ["TLSv1.3", "http/1.1"]),
        (&["--tlsv1.3", "--http2"], ["TLSv1.3", "h2"]),
        (&["--tlsv1.3", "--no-alpn"], ["TLSv1.3", ""]),
    ];
    for (wanted, [tls, http]) in asked {
        let arguments = ["--cacert", path, "--resolve", &resolve, "--verbose", "--stderr", "-", &url];
        let said = curl(&[wanted, arguments.as_slice()].concat());
        assert!(said.contains("<title>Welcome to whatsapp.com</title>"), "{said}");
        assert!(said.contains("This is web.whatsapp.com,"), "{said}");
        assert!(said.contains(&format!("SSL connection using {tls}")), "{said}");
        assert!(http.is_empty() || said.contains(&format!("ALPN: server accepted {http}")), "{said}");
    }
    // The address itself is not in the certificate; another authority's word is not taken.
    let by_address = run("curl", ["--silent", "--cacert", path, &format!("https://127.8.0.1:{port}/")]);
    assert_eq!(by_address.status.code(), Some(60));
    let refused = run("curl", ["--silent", "--resolve", &resolve, &url]);
    assert_eq!(refused.status.code(), Some(60));
}

#[test]
fn media_of_a_quarter_of_a_megabyte_goes_both_ways_over_both_versions_of_http() {
    let (running, authority) = internet(&[service(&["mmg.whatsapp.net"], &["127.8.0.6"], &[Https])]);
    let file = certificate_file(authority.pem());
    let path = file.path().to_str().expect("a path");
    let port = running.port(Https, "127.8.0.6");
    let resolve = format!("mmg.whatsapp.net:{port}:127.8.0.6");
    let base = format!("https://mmg.whatsapp.net:{port}");
    let mut body = NamedTempFile::new().expect("a file");
    body.write_all(&vec![b'x'; 256 * 1024]).expect("a body");
    let data = format!("@{}", body.path().display());
    for version in ["--http1.1", "--http2"] {
        let usual = [version, "--cacert", path, "--resolve", &resolve, "--output", "/dev/null", "--write-out"];
        let down = curl(&[usual.as_slice(), &["%{size_download}", &format!("{base}/bytes/262144")]].concat());
        let up = ["%{http_code} %{size_upload}", "--data-binary", &data, &format!("{base}/upload")];
        let up = curl(&[usual.as_slice(), &up].concat());
        assert_eq!((down.as_str(), up.as_str()), ("262144", "200 262144"), "{version}");
    }
}

#[test]
fn curl_gets_pages_bytes_and_heads_in_the_clear() {
    let (running, _) = internet(&[service(&["max.ru"], &["127.8.0.2", "::1"], &[Http])]);
    let port = running.port(Http, "127.8.0.2");
    let base = format!("http://127.8.0.2:{port}");
    let page = curl(&["--include", &base, "--header", "Host: nobody.example"]);
    assert!(
        page.contains("200 OK") && page.contains("server: roadblock") && page.contains("This is max.ru,"),
        "{page}"
    );

    let head = curl(&["--head", &format!("{base}/bytes/12345")]);
    assert!(head.contains("content-length: 12345"), "{head}");
    let size = curl(&["--output", "/dev/null", "--write-out", "%{size_download}", &format!("{base}/bytes/3000000")]);
    assert_eq!(size, "3000000");

    let six = format!("http://[::1]:{}/", running.port(Http, "::1"));
    assert!(curl(&[&six]).contains("Welcome to max.ru"));
}

#[test]
fn a_large_post_is_read_to_its_end() {
    let (running, _) = internet(&[service(&["max.ru"], &["127.8.0.3"], &[Http])]);
    let mut body = NamedTempFile::new().expect("a file");
    body.write_all(&vec![b'x'; 3_000_000]).expect("a body");
    let data = format!("@{}", body.path().display());
    let url = format!("http://127.8.0.3:{}/upload", running.port(Http, "127.8.0.3"));
    let said = curl(&["--data-binary", &data, "--write-out", "sent %{size_upload}", &url]);
    assert!(said.contains("Welcome to max.ru") && said.ends_with("sent 3000000"), "{said}");
}

#[test]
fn the_server_name_chooses_the_certificate_and_the_page() {
    let services = [
        service(&["facebook.com", "www.facebook.com"], &["127.8.0.4"], &[Https]),
        service(&["instagram.com"], &["127.8.0.4"], &[Https]),
    ];
    let (running, authority) = internet(&services);
    let subject = |arguments: &[&str]| subject(&running, arguments);
    assert!(subject(&["-servername", "www.facebook.com"]).contains("facebook.com"));
    assert!(subject(&["-servername", "instagram.com"]).contains("instagram.com"));
    assert!(subject(&["-servername", "signal.org"]).contains("CN = facebook.com"));
    assert!(subject(&["-noservername"]).contains("CN = facebook.com"));

    let file = certificate_file(authority.pem());
    let port = running.port(Https, "127.8.0.4");
    let resolve = format!("instagram.com:{port}:127.8.0.4");
    let path = file.path().to_str().expect("a path");
    let page = curl(&["--cacert", path, "--resolve", &resolve, &format!("https://instagram.com:{port}/")]);
    assert!(page.contains("Welcome to instagram.com"), "{page}");
}

#[test]
fn first_bytes_may_come_one_by_one_or_never() {
    let mut shared = service(&["g.whatsapp.net"], &["127.8.0.7"], &[Http, WhatsAppChat]);
    for listener in &mut shared.hosts[0].listen {
        listener.port = 8080;
    }
    let (_running, _) = internet(&[shared]);
    let connect = || TcpStream::connect("127.8.0.7:8080").expect("a connection");
    let silent = connect();
    let mut slow = connect();
    slow.set_nodelay(true).expect("an option");
    for byte in b"GET / HTTP/1.1\r\nhost: g.whatsapp.net\r\nconnection: close\r\n\r\n" {
        slow.write_all(&[*byte]).expect("sent");
    }
    let mut page = String::new();
    slow.read_to_string(&mut page).expect("a page");
    assert!(page.contains("Welcome to g.whatsapp.net"), "{page}");
    // What ends before it says anything is answered as a client of HTTP that said too little.
    silent.shutdown(std::net::Shutdown::Write).expect("an end");
    (&silent).read_to_string(&mut page).expect("the end");
}

/// The subject of the certificate that openssl is shown.
fn subject(running: &Running, arguments: &[&str]) -> String {
    let place = format!("127.8.0.4:{}", running.port(Https, "127.8.0.4"));
    let said = output("openssl", ["s_client", "-connect", &place].iter().chain(arguments));
    said.lines().find(|line| line.trim_start().starts_with("0 s:")).expect("a certificate").to_owned()
}

#[test]
fn idle_connections_do_not_hinder_others() {
    let (running, _) = internet(&[service(&["max.ru"], &["127.8.0.5"], &[Http])]);
    let port = running.port(Http, "127.8.0.5");
    let idle: Vec<_> = (0..300).map(|_| TcpStream::connect(("127.8.0.5", port)).expect("a connection")).collect();
    assert!(curl(&[&format!("http://127.8.0.5:{port}/")]).contains("Welcome to max.ru"));
    drop(idle);
}
