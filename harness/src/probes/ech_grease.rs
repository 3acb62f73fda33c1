//! GREASE for ECH (RFC 9849 section 6.2): an extension of random bytes that looks as if a hello were encrypted in it.
//!
//! rustls makes it as long as a real one would be and asks an HPKE suite for a public key. That key is all there is of HPKE
//! here: nothing is ever encrypted.

use ring::agreement::{EphemeralPrivateKey, X25519};
use ring::rand::SystemRandom;
use rustls::Error;
use rustls::client::{EchGreaseConfig, EchMode};
use rustls::crypto::hpke::{
    EncapsulatedSecret, Hpke, HpkeOpener, HpkePrivateKey, HpkePublicKey, HpkeSealer, HpkeSuite,
};
use rustls::internal::msgs::enums::{HpkeAead, HpkeKdf, HpkeKem};
use rustls::internal::msgs::handshake::HpkeSymmetricCipherSuite;

/// GREASE as browsers send it: X25519, HKDF-SHA256 and AES-128-GCM.
pub(crate) fn mode() -> Result<EchMode, Error> {
    Ok(EchMode::Grease(EchGreaseConfig::new(&PublicKeyAlone, HpkePublicKey(public_key()?))))
}

fn public_key() -> Result<Vec<u8>, Error> {
    let key = EphemeralPrivateKey::generate(&X25519, &SystemRandom::new()).map_err(|_| nothing("no key"))?;
    Ok(key.compute_public_key().map_err(|_| nothing("no key"))?.as_ref().to_vec())
}

/// A suite that gives public keys.
#[derive(Debug)]
struct PublicKeyAlone;

/// Seals nothing.
#[derive(Debug)]
struct Nothing;

impl Hpke for PublicKeyAlone {
    fn seal(
        &self,
        _info: &[u8],
        _aad: &[u8],
        _plaintext: &[u8],
        _key: &HpkePublicKey,
    ) -> Result<(EncapsulatedSecret, Vec<u8>), Error> {
        Err(nothing(NO_HPKE))
    }

    fn setup_sealer(
        &self,
        _info: &[u8],
        _key: &HpkePublicKey,
    ) -> Result<(EncapsulatedSecret, Box<dyn HpkeSealer + 'static>), Error> {
        Ok((EncapsulatedSecret(public_key()?), Box::new(Nothing)))
    }

    fn open(
        &self,
        _secret: &EncapsulatedSecret,
        _info: &[u8],
        _aad: &[u8],
        _ciphertext: &[u8],
        _key: &HpkePrivateKey,
    ) -> Result<Vec<u8>, Error> {
        Err(nothing(NO_HPKE))
    }

    fn setup_opener(
        &self,
        _secret: &EncapsulatedSecret,
        _info: &[u8],
        _key: &HpkePrivateKey,
    ) -> Result<Box<dyn HpkeOpener + 'static>, Error> {
        Err(nothing(NO_HPKE))
    }

    fn generate_key_pair(&self) -> Result<(HpkePublicKey, HpkePrivateKey), Error> {
        Err(nothing(NO_HPKE))
    }

    fn suite(&self) -> HpkeSuite {
        let sym = HpkeSymmetricCipherSuite { kdf_id: HpkeKdf::HKDF_SHA256, aead_id: HpkeAead::AES_128_GCM };
        HpkeSuite { kem: HpkeKem::DHKEM_X25519_HKDF_SHA256, sym }
    }
}

impl HpkeSealer for Nothing {
    fn seal(&mut self, _aad: &[u8], _plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        Err(nothing(NO_HPKE))
    }
}

fn nothing(why: &str) -> Error {
    Error::General(why.to_owned())
}

const NO_HPKE: &str = "GREASE encrypts nothing";
