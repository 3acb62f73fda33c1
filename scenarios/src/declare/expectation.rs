//! What must be observed. Each layer can be pinned, so that each rule can be proved alone.

use std::net::IpAddr;
use std::time::Duration;

use crate::model::{Family, VerdictWord};
use crate::read::{OneOrMany, choice, table};
use crate::source::{Spanned, Text};

table! {
    /// What must be observed, from a fresh client address.
    ExpectDeclaration {
        /// A short name for reports; `expect.3` for the fourth where not said.
        "id" => id: Option<Text>,
        /// In which phases; `"*"` is all, and all where not said.
        "phase" => phases: Option<OneOrMany<Text>>,
        /// From which vantages; `"*"` is all, and the first where not said.
        "vantage" => vantages: Option<OneOrMany<Text>>,
        /// What is measured.
        "probe" => probe: ProbeDeclaration,
        /// What it must give.
        "verdict" => verdict: VerdictWord,
        /// OONI's failure string.
        "failure" => failure: Option<Text>,
        /// The rule or lie that must have done it, as `tspu/sni-1` or `isp/lies.0`.
        "by" => by: Option<Text>,
        /// Expectations with the same sequence share a client address and run in the order of the file.
        "sequence" => sequence: Option<Text>,
        /// What must hold afterwards, from the same client address.
        "then" => then: OneOrMany<ThenDeclaration> = OneOrMany(Vec::new()),
    }
}

table! {
    /// A measurement after another.
    ThenDeclaration {
        /// How far the censor's clock is moved first.
        "wait" => wait: Duration = Duration::ZERO,
        /// Whether the client port of the measurement before is used again.
        "same-tuple" => same_tuple: bool = false,
        /// The measurement before, with another server name.
        "sni" => sni: Option<Text>,
        /// Another measurement; the one before where not said.
        "probe" => probe: Option<ProbeDeclaration>,
        /// What it must give.
        "verdict" => verdict: VerdictWord,
        /// OONI's failure string.
        "failure" => failure: Option<Text>,
        /// The rule or lie that must have done it.
        "by" => by: Option<Text>,
    }
}

choice! {
    /// A measurement.
    ProbeDeclaration {
        words {}
        keys {
            /// A DNS query.
            "dns" => Dns(DnsProbe),
            /// A TCP connection.
            "tcp" => Tcp(TcpProbe),
            /// A TCP connection and a TLS handshake.
            "tls" => Tls(TlsProbe),
            /// A page: DNS, TCP, TLS where the URL says so, and a GET.
            "http" => Http(HttpProbe),
        }
    }
}

table! {
    /// A DNS query.
    DnsProbe {
        /// The name asked for.
        "name" => name: Text,
        /// A or AAAA.
        "family" => family: Family = Family::V4,
        /// Whom to ask: a resolver of the scenario, or an address; the vantage's first where not said.
        "resolver" => resolver: Option<Text>,
        /// Over TCP in place of UDP.
        "tcp" => tcp: bool = false,
        /// What a true answer holds; the addresses of the lab's own host where not said.
        "answer" => answer: OneOrMany<IpAddr> = OneOrMany(Vec::new()),
    }
}

table! {
    /// A TCP connection.
    TcpProbe {
        /// Where to.
        "address" => address: IpAddr,
        /// The port.
        "port" => port: u16 = 443,
    }
}

table! {
    /// A TCP connection and a TLS handshake.
    TlsProbe {
        /// Where to; the first address of the lab's own host where not said.
        "address" => address: Option<IpAddr>,
        /// The family of that first address.
        "family" => family: Family = Family::V4,
        /// The port.
        "port" => port: u16 = 443,
        /// The server's name.
        "sni" => sni: Text,
        /// Whether the certificate must be right for the verdict `ok`; where not said, it must if the lab serves the name
        /// at this address, because any other host answers with its default certificate.
        "verify" => verify: Option<bool>,
    }
}

table! {
    /// A page.
    HttpProbe {
        /// The URL.
        "url" => url: Spanned<String>,
        /// Where to, in place of what DNS says.
        "address" => address: Option<IpAddr>,
        /// Which family to use where DNS is asked.
        "family" => family: Family = Family::V4,
    }
}
