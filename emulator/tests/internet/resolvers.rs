//! DNS over TLS and HTTPS, as kdig, curl and openssl see them.

use roadblock_scenarios::model::Protocol::{Dns, Doh, Dot};

use crate::programs::output;
use crate::running::{certificate_file, internet, service};
use crate::web::curl;

#[test]
fn kdig_asks_over_tls_and_https_and_believes_the_address() {
    let (running, authority) = internet(&[service(&["dns.google", "web.whatsapp.com"], &["127.8.7.1"], &[Dot, Doh])]);
    let file = certificate_file(authority.pem());
    let trust = format!("+tls-ca={}", file.path().display());
    let ask = |protocol, rest: &[&str]| {
        let port = running.port(protocol, "127.8.7.1").to_string();
        let usual = ["@127.8.7.1", "-p", &port, "+timeout=5", "+retry=0", &trust, "+short"];
        output("kdig", [usual.as_slice(), rest, &["web.whatsapp.com", "A"]].concat())
    };
    let answer = "127.8.7.1\n";
    assert_eq!(ask(Dot, &["+tls", "+tls-hostname=dns.google"]), answer);
    assert_eq!(ask(Dot, &["+tls", "+tls-hostname=127.8.7.1"]), answer);
    assert_eq!(ask(Doh, &["+tls-hostname=dns.google", "+https"]), answer);
    assert_eq!(ask(Doh, &["+tls-hostname=dns.google", "+https-get"]), answer);
    let several = ["+tls", "+tls-hostname=dns.google", "+keepopen", "dns.google", "A"];
    assert_eq!(ask(Dot, &several), answer.repeat(2));
}

#[test]
fn curl_resolves_over_https() {
    let services = [service(&["dns.google"], &["127.8.7.2"], &[Doh]), service(&["max.ru"], &["127.8.7.3"], &[Doh])];
    let (running, authority) = internet(&services);
    let file = certificate_file(authority.pem());
    let path = file.path().to_str().expect("a path");
    let resolver = format!("https://127.8.7.2:{}/dns-query", running.port(Doh, "127.8.7.2"));
    let trusting = ["--cacert", path, "--doh-url", &resolver, "--doh-insecure"];
    let url = format!("https://max.ru:{}/", running.port(Doh, "127.8.7.3"));
    for version in ["--http1.1", "--http2"] {
        let page = curl(&[trusting.as_slice(), &[version, &url]].concat());
        assert!(page.contains("Welcome to max.ru"), "{page}");
    }
}

#[test]
fn what_is_no_query_is_refused() {
    let (running, authority) = internet(&[service(&["dns.google"], &["127.8.7.4"], &[Doh])]);
    let file = certificate_file(authority.pem());
    let path = file.path().to_str().expect("a path");
    let base = format!("https://127.8.7.4:{}", running.port(Doh, "127.8.7.4"));
    let status = |arguments: &[&str]| {
        let usual = ["--cacert", path, "--output", "/dev/null", "--write-out", "%{http_code}"];
        curl(&[usual.as_slice(), arguments].concat())
    };
    let query = format!("{base}/dns-query");
    assert_eq!(status(&[&format!("{query}?dns=AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB")]), "200");
    assert_eq!(status(&[&query]), "400");
    assert_eq!(status(&["--data", "x", &query]), "415");
    assert_eq!(status(&["--data", "x", "--header", "content-type: application/dns-message", &query]), "400");
    assert_eq!(status(&["--request", "DELETE", &query]), "405");
    assert_eq!(status(&[&format!("{base}/")]), "200");
}

#[test]
fn openssl_sees_tls_on_the_dns_port_and_addresses_in_the_certificate() {
    let (running, authority) = internet(&[service(&["one.one.one.one"], &["127.8.7.5", "::1"], &[Dot, Dns])]);
    let file = certificate_file(authority.pem());
    let path = file.path().to_str().expect("a path");
    let place = format!("127.8.7.5:{}", running.port(Dot, "127.8.7.5"));
    let usual = ["s_client", "-connect", &place, "-CAfile", path, "-verify_return_error"];
    for verified in [["-verify_ip", "127.8.7.5"], ["-verify_ip", "::1"], ["-verify_hostname", "one.one.one.one"]] {
        let said = output("openssl", [usual.as_slice(), &verified, &["-alpn", "dot"]].concat());
        assert!(said.contains("Verify return code: 0 (ok)") && said.contains("ALPN protocol: dot"), "{said}");
    }
}
