use proptest::prelude::*;

use super::fetch::{canonical, h3_endpoint};
use super::plan::Endpoint;
use super::title::title;
use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).expect("a URL")
}

fn places(text: &str, ip_info: &BTreeMap<String, IpInfo>) -> Vec<String> {
    let shown = |Endpoint { place, tls }: Endpoint| format!("{place}{}", if tls { " tls" } else { "" });
    endpoints(&url(text), ip_info).into_iter().map(shown).collect()
}

/// The flags are those of ooni/probe-cli's model.THIPInfo: 1 by the probe, 2 by the helper, 4 a bogon.
#[test]
fn addresses_are_known_by_who_found_them_and_bogons_are_not_tried() {
    let asked = ["93.184.216.34:443", "[2606:2800:220:1::1]:443", "10.10.34.35:443", "nonsense"].map(str::to_owned);
    let own = ["93.184.216.34", "93.184.216.35"].map(str::to_owned);
    let ip_info = ip_info(&asked, &own);
    let flags: Vec<_> = ip_info.iter().map(|(address, info)| (address.as_str(), info.flags)).collect();
    assert_eq!(flags, [("10.10.34.35", 5), ("2606:2800:220:1::1", 1), ("93.184.216.34", 3), ("93.184.216.35", 2)]);
    assert_eq!(
        places("https://example.com/", &ip_info),
        ["[2606:2800:220:1::1]:443 tls", "93.184.216.34:443 tls", "93.184.216.35:443 tls"]
    );
    assert_eq!(places("http://example.com/", &ip_info).len(), 6, "at 80 and 443");
    assert_eq!(
        places("http://example.com:444/", &ip_info),
        ["[2606:2800:220:1::1]:444", "93.184.216.34:444", "93.184.216.35:444"]
    );
    assert!(places("ftp://example.com/", &ip_info).is_empty());
}

#[test]
fn a_title_is_what_stands_between_its_tags() {
    assert_eq!(title("<html><TITLE>Example Domain</title>"), "Example Domain");
    assert_eq!(title("<title></title><title>the second</title>"), "the second");
    assert_eq!(title("<title lang=en>x</title>"), "");
    assert_eq!(title("<title>a <b>c</b></title>"), "");
    assert_eq!(title(&format!("<title>{}</title>", "я".repeat(512))), "я".repeat(512));
    assert_eq!(title(&format!("<title>{}</title>", "я".repeat(513))), "");
}

#[test]
fn headers_are_called_as_go_calls_them() {
    assert_eq!(canonical("content-type"), "Content-Type");
    assert_eq!(canonical("etag"), "Etag");
    assert_eq!(canonical("x--a"), "X--A");
}

#[test]
fn http_3_is_where_the_first_entry_says() {
    let h3 = |said: &'static str| {
        let headers = [(hyper::header::ALT_SVC, said.parse().expect("a value"))].into_iter().collect();
        h3_endpoint(&headers, &url("https://www.example.com/"))
    };
    assert_eq!(h3("h3=\":443\"; ma=86400").as_deref(), Some("www.example.com:443"));
    assert_eq!(h3("h2=\":443\", h3=\"alt.example.com:8443\"").as_deref(), Some("alt.example.com:8443"));
    assert_eq!(h3("clear"), None);
}

proptest! {
    #[test]
    fn whatever_a_page_holds_its_title_is_part_of_it(page in "(?s)(<title>|</title>|<|я|.){0,40}") {
        prop_assert!(page.contains(title(&page)));
    }

    #[test]
    fn a_request_is_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _: Option<Request> = serde_json::from_slice(&body).ok();
    }
}
