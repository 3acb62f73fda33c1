//! What hosts may listen for, and what is said about those that cannot.

use roadblock_scenarios::model::{Certificate, Host, Protocol};
use roadblock_scenarios::{Library, resolve};

/// A library with one more service, whose only host has these keys.
fn library(host: &str) -> Library {
    let text = format!(
        "kind = \"service\"\nid = \"services/test\"\ntitle = \"A test\"\n\n[[host]]\nnames = [\"test.example\"]\n\
         addresses = [\"31.13.84.1\"]\n{host}\n"
    );
    Library::embedded().with_files([("services/test.toml".to_owned(), text)])
}

fn complaints(host: &str) -> String {
    library(host).check("services/test").expect_err("the service is bad").to_string()
}

/// The hosts of all services of the library.
fn hosts() -> Vec<Host> {
    let library = Library::embedded();
    let services = library.services().map(|id| format!("\"{id}\"")).collect::<Vec<_>>().join(", ");
    let scenario = format!(
        "id = \"all\"\ntitle = \"All services\"\nuse = [{services}]\n[hop.a]\n[vantage.control]\n\
         isp = \"AS3320 Deutsche Telekom\"\npath = [\"a\"]\nresolvers = [\"8.8.8.8\"]\n"
    );
    let scenario = resolve(&scenario, "all.toml", &library).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    scenario.services.into_iter().flat_map(|service| service.hosts).collect()
}

fn ports(name: &str, protocol: Protocol) -> Vec<u16> {
    let host = hosts().into_iter().find(|host| host.names.iter().any(|each| each == name)).expect("a host");
    host.listen.iter().filter(|each| each.protocol == protocol).map(|each| each.port).collect()
}

#[test]
fn all_services_can_be_on_one_internet() {
    assert!(hosts().len() > 25);
}

#[test]
fn messengers_listen_where_their_clients_look() {
    for number in 1..=16 {
        assert_eq!(ports(&format!("e{number}.whatsapp.net"), Protocol::WhatsAppChat), [80, 443, 5222]);
    }
    assert_eq!(ports("relay.telegram.example", Protocol::CallRelay), [596, 597, 598, 599, 1400]);
    // OONI's Telegram test (ts-020) and the addresses that it knows.
    for known in
        ["149.154.175.50", "149.154.167.51", "149.154.175.100", "149.154.167.91", "149.154.171.5", "95.161.76.100"]
    {
        let known = known.parse().expect("an address");
        let centre = hosts().into_iter().find(|host| host.addresses.contains(&known)).expect("a data centre");
        assert_eq!(centre.listen.iter().map(|each| each.port).collect::<Vec<_>>(), [80, 443, 5222]);
        assert!(centre.listen.iter().all(|each| each.protocol == Protocol::Mtproto));
    }
    // An interceptor has such a certificate too (services/portal); of MAX's machines one.
    let of_max = |host: &Host| host.names.iter().any(|name| name.ends_with("max.ru") || name.ends_with("oneme.ru"));
    let mut untrusted = hosts();
    untrusted.retain(|host| host.certificate == Certificate::Untrusted && of_max(host));
    assert!(matches!(untrusted.as_slice(), [only] if only.names == ["platform-api2.max.ru"]));
}

#[test]
fn mistakes_in_what_a_host_speaks() {
    let mistakes = [
        "listen = [\"htps\"]",
        "listen = [\"https:0\"]",
        "listen = [\"call-relay:1-65\"]",
        "listen = [\"call-relay:599-596\"]",
        "listen = [\"https\", \"dot:443\"]",
        "listen = [\"mtproto:80\", \"http\"]",
        "listen = [\"wireguard\"]",
        "wireguard = { private-key = \"QOoPqEK9ml2R7vizml+tcGitqPphowvIOMIunOo7Ilk=\", client-private-key = \"short\" }",
        "websocket = { path = \"websocket\" }",
        "certificate = \"selfsigned\"",
    ];
    let said: Vec<_> = mistakes.iter().map(|host| format!("{host}\n{}", complaints(host))).collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_port_takes_udp_and_tcp_and_what_is_told_apart() {
    let sound =
        "listen = [\"http\", \"https\", \"whatsapp-chat:80\", \"whatsapp-chat:443\", \"stun:443\", \"call-relay:443\"]";
    library(sound).check("services/test").unwrap_or_else(|mistakes| panic!("{mistakes}"));
}
