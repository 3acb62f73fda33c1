//! Java's trust store, in the format of `sun.security.provider.JavaKeyStore` (JKS), which every JDK reads.

use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};

/// A trust store that holds one certificate, given as DER. Its password is `changeit`, Java's default.
pub fn java_keystore(der: &[u8]) -> Vec<u8> {
    let mut store = Vec::with_capacity(der.len() + 128);
    store.extend_from_slice(&MAGIC.to_be_bytes());
    store.extend_from_slice(&VERSION.to_be_bytes());
    store.extend_from_slice(&1_u32.to_be_bytes());
    store.extend_from_slice(&TRUSTED_CERTIFICATE.to_be_bytes());
    push_text(&mut store, ALIAS);
    store.extend_from_slice(&CREATED.to_be_bytes());
    push_text(&mut store, "X.509");
    push_length(&mut store, der.len());
    store.extend_from_slice(der);
    let digest = digest(&store);
    store.extend_from_slice(&digest);
    store
}

/// `DataOutput.writeUTF`; in ASCII it is the text after its length.
fn push_text(store: &mut Vec<u8>, text: &'static str) {
    store.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    store.extend_from_slice(text.as_bytes());
}

fn push_length(store: &mut Vec<u8>, length: usize) {
    store.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
}

/// SHA-1 over the password in UTF-16, a phrase, and the store.
fn digest(store: &[u8]) -> Vec<u8> {
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    for unit in PASSWORD.encode_utf16() {
        context.update(&unit.to_be_bytes());
    }
    context.update(b"Mighty Aphrodite");
    context.update(store);
    context.finish().as_ref().to_vec()
}

const MAGIC: u32 = 0xfeed_feed;
const VERSION: u32 = 2;
const TRUSTED_CERTIFICATE: u32 = 2;
const ALIAS: &str = "roadblock-lab";
/// When the entry was made, in milliseconds since 1970; 2020-01-01, so that the same certificate gives the same file.
const CREATED: u64 = 1_577_836_800_000;
const PASSWORD: &str = "changeit";
