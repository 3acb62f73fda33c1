//! The messengers' protocols, as clients see them that were written from their descriptions alone.

use data_encoding::HEXLOWER;
use roadblock_emulator::internet::whatsapp::chat_public_key;
use roadblock_scenarios::model::Protocol::{Https, Mtproto, WhatsAppChat};
use roadblock_scenarios::model::{Listener, Service, WebSocket};

use crate::programs::run;
use crate::python::python;
use crate::running::{certificate_file, internet, service};
use crate::web::curl;

/// The service with these protocols all at one port.
fn at_one_port(mut service: Service, port: u16) -> Service {
    for listener in &mut service.hosts[0].listen {
        *listener = Listener { port, protocol: listener.protocol };
    }
    service
}

#[test]
fn a_noise_library_of_another_language_chats() {
    let chat = at_one_port(service(&["g.whatsapp.net", "e1.whatsapp.net"], &["127.8.5.1"], &[WhatsAppChat]), 5222);
    let (_running, _) = internet(&[chat]);
    let key = HEXLOWER.encode(&chat_public_key("g.whatsapp.net"));
    let payload = "payload roadblock stand-in for a certificate\n";
    let receipts = "receipt 9\nreceipt 3004\n";
    for (mode, header) in [("xx", "57410603"), ("xx", "57410502"), ("routed", "57410603")] {
        let said = python("whatsapp_client.py", &["127.8.5.1", "5222", mode, header]);
        assert_eq!(said, format!("{payload}key {key}\n{receipts}"), "{mode} {header}");
    }
    let said = python("whatsapp_client.py", &["127.8.5.1", "5222", "ik", "57410603", &key]);
    assert_eq!(said, format!("{payload}{receipts}"));
}

#[test]
fn one_port_speaks_tls_and_the_chat() {
    let chat = at_one_port(service(&["g.whatsapp.net"], &["127.8.5.2"], &[Https, WhatsAppChat]), 8443);
    let (_running, authority) = internet(&[chat]);
    let said = python("whatsapp_client.py", &["127.8.5.2", "8443", "xx", "57410603"]);
    assert!(said.contains("receipt 9"), "{said}");
    let file = certificate_file(authority.pem());
    let path = file.path().to_str().expect("a path");
    let page = curl(&["--cacert", path, "--connect-to", "::127.8.5.2:8443", "https://g.whatsapp.net:8443/"]);
    assert!(page.contains("Welcome to g.whatsapp.net"), "{page}");
}

#[test]
fn a_data_centre_answers_in_every_transport_and_over_http() {
    let (running, _) = internet(&[service(&["dc2.telegram.example"], &["127.8.5.3"], &[Mtproto])]);
    let port = running.port(Mtproto, "127.8.5.3").to_string();
    for transport in ["abridged", "intermediate", "padded"] {
        for mode in [transport.to_owned(), format!("obfuscated-{transport}")] {
            let said = python("telegram_client.py", &["127.8.5.3", &port, &mode]);
            assert_eq!(said, "pq 1724114033281923457 fingerprint d09d1d85de64fd85\n", "{mode}");
        }
    }
    assert_eq!(python("telegram_client.py", &["127.8.5.3", &port, "unknown"]), "error -404\n");

    let said = python("telethon_client.py", &["127.8.5.3", &port]);
    assert_eq!(said.matches("ResPQ True").count(), 3, "{said}");

    let answered = ["--request", "POST", "--include", &format!("http://127.8.5.3:{port}/")];
    let said = curl(&answered);
    assert!(said.starts_with("HTTP/1.1 501 Not Implemented") && said.contains("nginx/0.3.33"), "{said}");
}

#[test]
fn a_websocket_sends_back_what_it_is_sent() {
    let mut api = service(&["ws-api.oneme.ru"], &["127.8.5.4"], &[Https]);
    let origin = Some("https://web.max.ru".to_owned());
    api.hosts[0].websocket = Some(WebSocket { path: "/websocket".to_owned(), origin });
    let (running, authority) = internet(&[api]);
    let port = running.port(Https, "127.8.5.4").to_string();
    let file = certificate_file(authority.pem());
    let path = file.path().to_str().expect("a path");
    let ask = |rest: &[&str]| {
        let place = ["127.8.5.4", &port, "ws-api.oneme.ru", path];
        python("websocket_client.py", &[place.as_slice(), rest].concat())
    };
    let echoed = "text hello\nbinary 80000\npong\n";
    assert_eq!(ask(&["/websocket", "https://web.max.ru"]), echoed);
    assert_eq!(ask(&["/websocket"]), echoed);
    assert_eq!(ask(&["/websocket", "https://evil.example"]), "refused 403\n");
    assert_eq!(ask(&["/elsewhere"]), "refused 200\n");
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused_by_who_trusts_the_lab() {
    let mut api = service(&["platform-api2.max.ru"], &["127.8.5.5"], &[Https]);
    api.hosts[0].certificate = roadblock_scenarios::model::Certificate::Untrusted;
    let (running, authority) = internet(&[api]);
    let port = running.port(Https, "127.8.5.5");
    let [lab, stranger] = [authority.pem(), authority.stranger().expect("an authority").pem()].map(certificate_file);
    let ask = |file: &tempfile::NamedTempFile| {
        let path = file.path().to_str().expect("a path").to_owned();
        let resolve = format!("platform-api2.max.ru:{port}:127.8.5.5");
        let url = format!("https://platform-api2.max.ru:{port}/");
        run("curl", ["--silent", "--noproxy", "*", "--cacert", &path, "--resolve", &resolve, &url]).status.code()
    };
    assert_eq!((ask(&lab), ask(&stranger)), (Some(60), Some(0)));
}
