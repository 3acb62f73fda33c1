//! Facts that middleboxes perform, each with its profile and without the rule that makes it so.

mod china;
mod china_dns;
mod china_drops;
mod china_henan;
mod china_http;
mod china_tcb;
mod china_tls;
mod china_unknown;
mod independent;
mod russia;

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
