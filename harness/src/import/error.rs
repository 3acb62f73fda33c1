//! Why a measurement becomes no scenario.

/// Why a measurement becomes no scenario.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// It is of another test.
    #[error(
        "`{0}` is a test that is not imported: there are web_connectivity, whatsapp, telegram, facebook_messenger, signal, \
         and what has connections and handshakes alone, as urlgetter, tcpping, tlsping, simplequicping and dnscheck"
    )]
    Test(String),
    /// What was measured cannot be read.
    #[error("`{input}` was measured, which is no `http://` or `https://` URL with a host name or an address")]
    Input {
        /// The input, shortened.
        input: String,
    },
    /// There is nothing to make a scenario of.
    #[error("nothing was measured in it: it has no look-ups, connections, handshakes or pages")]
    Empty,
    /// A server has no public address.
    #[error(
        "the control says that `{name}` has the address {address}, which is not public; the lab has only servers at public \
         addresses"
    )]
    NotPublic {
        /// The server's name.
        name: String,
        /// What the control found.
        address: std::net::IpAddr,
    },
    /// What was written is not sound: our own fault.
    #[error("the scenario that was written is not sound: {}", .0.join("; "))]
    Unsound(Vec<String>),
}
