//! What measurements pin, and what is said about those that cannot be.

use roadblock_scenarios::model::{Payload, Probe, Reply, Transport};
use roadblock_scenarios::{Diagnostics, Library, Scenario, resolve};

/// A scenario that makes this measurement.
fn scenario(probe: &str) -> Result<Scenario, Diagnostics> {
    let text = format!(
        "id = \"x\"\ntitle = \"T\"\nuse = [\"services/echo\", \"services/neutral\", \"services/public-dns\"]\n[hop.a]\n\
         [vantage.control]\nisp = \"AS3320 Deutsche Telekom\"\npath = [\"a\"]\nresolvers = [\"8.8.8.8\"]\n\
         [[expect]]\nprobe = {{ {probe} }}\nverdict = \"ok\"\n"
    );
    let captured = "# Somebody, some day.\n16 03\n01 # a version\n".to_owned();
    let empty = "# nothing\n".to_owned();
    let library = Library::embedded()
        .with_files([("bytes/test.hex".to_owned(), captured), ("bytes/empty.hex".to_owned(), empty)]);
    resolve(&text, "test.toml", &library)
}

fn probe(text: &str) -> Probe {
    let scenario = scenario(text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    scenario.expectations[0].steps[0].probe.clone()
}

fn payload(written: &str, segments: &[&[u8]]) -> Payload {
    Payload { written: written.to_owned(), segments: segments.iter().map(|each| each.to_vec()).collect() }
}

#[test]
fn bytes_are_text_digits_or_a_file_and_the_first_are_cut() {
    let said = probe(
        r#"speak = { host = "echo.example", send = ["text:a\r\n", "hex:00 ff", "@bytes/test"], split = [1, 2], reply = "echo" }"#,
    );
    let Probe::Speak { port, transport, payloads, reply, .. } = said else { panic!("{said:?}") };
    assert_eq!((port, transport, reply), (443, Transport::Tcp, Reply::Echo));
    assert_eq!(
        payloads,
        [
            payload("text:a\r\n", &[b"a", b"\r", b"\n"]),
            payload("hex:00 ff", &[&[0, 255]]),
            payload("@bytes/test", &[&[0x16, 3, 1]])
        ]
    );
}

#[test]
fn mistakes_in_what_is_said_are_explained() {
    let mistakes = [
        r#"speak = { host = "echo.example", send = "GET /" }"#,
        r#"speak = { host = "echo.example", send = "hex:0" }"#,
        r#"speak = { host = "echo.example", send = "text:" }"#,
        r#"speak = { host = "echo.example", send = [] }"#,
        r#"speak = { host = "echo.example", send = "@bytes/tset" }"#,
        r#"speak = { host = "echo.example", send = "@bytes/empty" }"#,
        r#"speak = { host = "echo.example", send = "text:four", split = 4 }"#,
        r#"speak = { host = "echo.example", send = "text:four", split = [2, 2] }"#,
        r#"speak = { host = "echo.example", send = "text:four", split = 0 }"#,
        r#"speak = { host = "echo.example", send = "text:four", split = 2, transport = "udp" }"#,
        r#"speak = { host = "echo.example", send = "text:four", reply = "all" }"#,
        r#"speak = { send = "text:four" }"#,
        r#"tls = { sni = "www.example.com", hello = "@bytes/pion-dtls-v2-client-hello" }"#,
        r#"tls = { sni = "www.example.com", hello = "@bytes/go-client-hello-aes", ech = "grease" }"#,
        r#"tls = { sni = "www.example.com", ech = true }"#,
        r#"tls = { sni = "www.example.com", split = { segments = [16, 5] } }"#,
        r#"tls = { sni = "www.example.com", split = [16] }"#,
        r#"quic = { sni = "www.example.com", version = 2 }"#,
        r#"h3 = { url = "http://www.example.com/" }"#,
        r#"connections = { sni = "www.example.com", count = 0 }"#,
        r#"http = { url = "http://www.example.com/", split = { records = [5] } }"#,
        r#"http = { url = "http://www.example.com/", headers = { "a b" = "c" } }"#,
        r#"http = { url = "http://www.example.com/", host = "a\r\nb" }"#,
        r#"dns = { name = "www.example.com", transport = "tcp", patient = true }"#,
    ];
    let complaint = |each: &&str| format!("{each}\n{}", scenario(each).expect_err("a mistake"));
    insta::assert_snapshot!(mistakes.iter().map(complaint).collect::<Vec<_>>().join("\n"));
}
