//! Whose network the client was in.

use std::net::IpAddr;

use super::words::one_line;
use crate::ooni::measurement::Measurement;

/// The client's seat, as far as a measurement tells it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Seat {
    /// The autonomous system; nothing where the probe did not find it.
    pub(crate) asn: Option<u32>,
    /// Whose it is.
    pub(crate) operator: Option<String>,
    /// The country, two letters in lower case.
    pub(crate) country: Option<String>,
    /// The resolver that the names' servers saw.
    pub(crate) resolver: Option<IpAddr>,
}

impl Seat {
    /// What the measurement says.
    pub(crate) fn of(measurement: &Measurement) -> Self {
        let asn = measurement.probe_asn.strip_prefix("AS").and_then(|number| number.parse().ok());
        let operator = measurement.probe_network_name.as_deref().map(plain).filter(|name| !name.is_empty());
        let country = measurement.probe_cc.to_ascii_lowercase();
        let is_country = country.len() == 2 && country.bytes().all(|each| each.is_ascii_lowercase()) && country != "zz";
        let resolver = measurement.resolver_ip.as_deref().and_then(|address| address.parse().ok());
        Self { asn: asn.filter(|number| *number != 0), operator, country: is_country.then_some(country), resolver }
    }

    /// As `isp` says it.
    pub(crate) fn isp(&self) -> String {
        let asn = self.asn.unwrap_or(UNKNOWN_ASN);
        format!("AS{asn} {}", self.operator.as_deref().unwrap_or("unknown"))
    }
}

/// A name of plain characters.
fn plain(name: &str) -> String {
    let plain: String =
        name.chars().filter(|each| each.is_ascii_alphanumeric() || " .,-&()".contains(*each)).take(60).collect();
    one_line(plain.trim())
}

/// Of the numbers for documentation (RFC 5398).
const UNKNOWN_ASN: u32 = 64_496;
