//! Facts that middleboxes perform, each with its profile and without the rule that makes it so.

mod china;
mod china_dns;
mod china_drops;
mod china_henan;
mod china_http;
mod china_tcb;
mod china_tls;
mod china_unknown;
mod elsewhere;
mod fingerprints;
mod independent;
mod india;
mod iran;
mod iran_2025;
mod others;
mod russia;
mod russia_2022;
mod russia_2026;
mod russia_calls;
mod russia_isp;
mod russia_quic;
mod russia_throttle;
mod russia_whitelist;
mod tools;

/// What OpenSSL sent for web.whatsapp.com.
pub(crate) const WHATSAPP_HELLO: &[u8] =
    include_bytes!("../../../../emulator/censor/tests/data/openssl-client-hello.bin");
/// What curl sent for www.instagram.com.
pub(crate) const INSTAGRAM_HELLO: &[u8] =
    include_bytes!("../../../../emulator/censor/tests/data/curl-client-hello.bin");
/// What kdig asked for instagram.com.
pub(crate) const INSTAGRAM_QUERY: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/kdig-query.bin");
/// What a client of Shadowsocks sent first.
pub(crate) const SHADOWSOCKS: &[u8] = include_bytes!("../../../../emulator/censor/tests/data/shadowsocks-first.bin");

/// The same for another name: as OpenSSL sends it, with the lengths that its name makes.
pub(crate) fn hello_for(name: &str) -> Vec<u8> {
    const NAME: &[u8] = b"web.whatsapp.com";
    let at = WHATSAPP_HELLO.windows(NAME.len()).position(|window| window == NAME).expect("its name");
    let extensions = extensions_at();
    let mut hello = WHATSAPP_HELLO.to_vec();
    for place in [3, 7, extensions, at - 7, at - 5, at - 2] {
        let length = usize::from(u16::from_be_bytes([hello[place], hello[place + 1]])) + name.len() - NAME.len();
        hello[place..place + 2].copy_from_slice(&u16::try_from(length).expect("short").to_be_bytes());
    }
    hello.splice(at..at + NAME.len(), name.bytes());
    hello
}

/// Where OpenSSL's `ClientHello` has the length of its extensions.
pub(crate) fn extensions_at() -> usize {
    let skip = |place: usize, width: usize| {
        let length = WHATSAPP_HELLO[place..place + width].iter().fold(0, |all, byte| all << 8 | usize::from(*byte));
        place + width + length
    };
    // Record, handshake, version and random; then the session's id, the cipher suites and the compression methods.
    skip(skip(skip(5 + 4 + 2 + 32, 1), 2), 1)
}
