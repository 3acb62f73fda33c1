//! A Telegram data centre, as far as a client without an account sees it (facts.md section 5b).
//!
//! What a client must know:
//! - **Framings**, by the first bytes: abridged `ef`, intermediate `ee ee ee ee`, padded intermediate `dd dd dd dd`, and
//!   obfuscated2, whose 64 random-looking bytes hide which of these three follows (`obfuscation.rs`). The full transport is
//!   not spoken: the connection ends.
//! - **The exchange**: an unencrypted `req_pq_multi` (or the older `req_pq`) is answered with `resPQ`: the nonce as it came,
//!   a fresh server nonce, the `pq` of Telegram's documentation and the fingerprint of one RSA key. More of the key
//!   exchange is not spoken; whatever else comes is answered with the transport error -404, as by real data centres, and
//!   the connection ends.
//! - **HTTP** on the same ports: any request is answered 501 in the words of the real ones; to OONI's test every status
//!   counts as reached.

mod exchange;
mod framing;
mod http;
mod obfuscation;
mod session;

pub(super) use session::serve;
