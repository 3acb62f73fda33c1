//! The lab's certificate authority: a fresh one for every lab, trusted by every client inside and by nobody else.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType, date_time_ymd,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::sign::CertifiedKey;
use time::{Duration, OffsetDateTime};

/// A certificate authority and the certificates it has issued.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pem: String,
    now: OffsetDateTime,
    issued: Mutex<HashMap<Subject, Arc<CertifiedKey>>>,
    stranger: OnceLock<Box<Self>>,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A key could not be made.
    #[error("make a key: {0}")]
    Key(#[source] rcgen::Error),
    /// A name that no certificate can hold.
    #[error("put the name {name:?} into a certificate: {error}")]
    Name {
        /// The name.
        name: String,
        /// What rcgen says about it.
        #[source]
        error: rcgen::Error,
    },
    /// A certificate could not be signed.
    #[error("sign a certificate: {0}")]
    Sign(#[source] rcgen::Error),
    /// rustls does not take the key.
    #[error("load a key: {0}")]
    Load(#[source] rustls::Error),
}

/// Whom a certificate is for.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Subject {
    names: Vec<String>,
    addresses: Vec<IpAddr>,
    expired: bool,
}

impl Authority {
    /// A fresh authority with an ECDSA P-256 key. It is valid from 2020 to 2049, so that a client with a clock of its
    /// own accepts it; its certificates are valid around `now`.
    pub fn new(now: SystemTime) -> Result<Self, AuthorityError> {
        Self::named(AUTHORITY_NAME, OffsetDateTime::from(now))
    }

    /// Another authority beside this one, which no client trusts: it stands for state authorities that only some
    /// programs know. It is made when first asked for.
    pub fn stranger(&self) -> Result<&Self, AuthorityError> {
        if let Some(stranger) = self.stranger.get() {
            return Ok(stranger);
        }
        let made = Self::named(STRANGER_NAME, self.now)?;
        Ok(self.stranger.get_or_init(|| Box::new(made)))
    }

    /// Its own certificate, as PEM (RFC 7468).
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Its own certificate, as DER.
    pub fn der(&self) -> &[u8] {
        self.issuer.der()
    }

    /// A certificate for these names and addresses and its key. The first call makes them, later ones get the same.
    pub fn issue(&self, names: &[String], addresses: &[IpAddr]) -> Result<Arc<CertifiedKey>, AuthorityError> {
        self.issue_to(Subject { names: names.to_vec(), addresses: addresses.to_vec(), expired: false })
    }

    /// A certificate for these names that was valid until a year ago, and its key.
    pub fn issue_expired(&self, names: &[String]) -> Result<Arc<CertifiedKey>, AuthorityError> {
        self.issue_to(Subject { names: names.to_vec(), addresses: Vec::new(), expired: true })
    }

    fn issue_to(&self, subject: Subject) -> Result<Arc<CertifiedKey>, AuthorityError> {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = issued.get(&subject) {
            return Ok(Arc::clone(known));
        }
        let made = Arc::new(self.sign(&subject)?);
        issued.insert(subject, Arc::clone(&made));
        Ok(made)
    }

    fn named(name: &str, now: OffsetDateTime) -> Result<Self, AuthorityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(AuthorityError::Key)?;
        let issuer = CertifiedIssuer::self_signed(authority_parameters(name), key).map_err(AuthorityError::Sign)?;
        let pem = issuer.pem();
        Ok(Self { issuer, pem, now, issued: Mutex::default(), stranger: OnceLock::new() })
    }

    fn sign(&self, subject: &Subject) -> Result<CertifiedKey, AuthorityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(AuthorityError::Key)?;
        let certificate =
            host_parameters(subject, self.now)?.signed_by(&key, &self.issuer).map_err(AuthorityError::Sign)?;
        let private = PrivatePkcs8KeyDer::from(key.serialize_der());
        let signer = rustls::crypto::ring::sign::any_ecdsa_type(&private.into()).map_err(AuthorityError::Load)?;
        Ok(CertifiedKey::new(vec![certificate.der().clone()], signer))
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("pem", &self.pem).finish_non_exhaustive()
    }
}

/// RFC 5280 section 4.2.1: an authority says that it is one and what its key is for.
fn authority_parameters(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.distinguished_name.push(DnType::OrganizationName, ORGANIZATION);
    parameters.not_before = date_time_ymd(2020, 1, 1);
    parameters.not_after = date_time_ymd(2049, 12, 31);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters
}

/// RFC 5280 section 4.2.1.6: names stand in the subject alternative name; clients ignore the common name.
fn host_parameters(subject: &Subject, now: OffsetDateTime) -> Result<CertificateParams, AuthorityError> {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    if let Some(first) = subject.names.first().filter(|name| name.len() <= COMMON_NAME_LIMIT) {
        parameters.distinguished_name.push(DnType::CommonName, first.as_str());
    }
    for name in &subject.names {
        let text = name.as_str().try_into().map_err(|error| AuthorityError::Name { name: name.clone(), error })?;
        parameters.subject_alt_names.push(SanType::DnsName(text));
    }
    parameters.subject_alt_names.extend(subject.addresses.iter().copied().map(SanType::IpAddress));
    let middle = if subject.expired { now.saturating_sub(HALF_LIFE + Duration::days(365)) } else { now };
    parameters.not_before = middle.saturating_sub(HALF_LIFE);
    parameters.not_after = middle.saturating_add(HALF_LIFE);
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    parameters.use_authority_key_identifier_extension = true;
    Ok(parameters)
}

const AUTHORITY_NAME: &str = "roadblock lab authority";
const STRANGER_NAME: &str = "Untrusted root (stand-in for Russian Trusted Root CA)";
const ORGANIZATION: &str = "roadblock";
/// RFC 5280 appendix A.1, ub-common-name.
const COMMON_NAME_LIMIT: usize = 64;
/// A host's certificate is valid this long before and after now, 800 days in all: Apple's clients refuse more than 825,
/// also below an authority that the user added.
const HALF_LIFE: Duration = Duration::days(400);

#[cfg(test)]
mod tests {
    use super::*;

    fn authority() -> Authority {
        Authority::new(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_770_000_000)).expect("an authority")
    }

    #[test]
    fn the_same_host_gets_the_same_certificate() {
        let authority = authority();
        let names = ["whatsapp.com".to_owned()];
        let first = authority.issue(&names, &[]).expect("a certificate");
        assert!(Arc::ptr_eq(&first, &authority.issue(&names, &[]).expect("a certificate")));
        let other = authority.issue(&["max.ru".to_owned()], &[]).expect("a certificate");
        assert_ne!(first.cert, other.cert);
    }

    #[test]
    fn a_name_outside_ascii_is_an_error() {
        let refused = authority().issue(&["мах.рф".to_owned()], &[]);
        assert!(matches!(refused, Err(AuthorityError::Name { name, .. }) if name == "мах.рф"));
    }

    #[test]
    fn the_stranger_is_another_authority_and_always_the_same() {
        let authority = authority();
        let stranger = authority.stranger().expect("an authority");
        assert_ne!(stranger.der(), authority.der());
        assert_eq!(stranger.der(), authority.stranger().expect("an authority").der());
    }

    #[test]
    fn two_labs_have_two_authorities() {
        assert_ne!(authority().der(), authority().der());
    }
}
