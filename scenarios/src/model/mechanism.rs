//! The ways of blocking, as words for lists and filters.

/// Writes the words once: the type, its words and what each means.
macro_rules! mechanisms {
    ( $( #[doc = $doc:literal] $variant:ident = $word:literal, )* ) => {
        /// A way of blocking that a scenario shows.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Mechanism {
            $( #[doc = $doc] $variant, )*
        }

        impl Mechanism {
            /// All of them, in the order in which a reader would go through them: names, addresses, contents, traffic.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word for it, as files and commands have it.
            pub fn word(self) -> &'static str {
                match self {
                    $( Self::$variant => $word, )*
                }
            }

            /// What it is, in a sentence.
            pub fn about(self) -> &'static str {
                match self {
                    $( Self::$variant => $doc.trim_ascii(), )*
                }
            }
        }
    };
}

mechanisms! {
    /// The client's own resolver does not tell the truth.
    DnsLie = "dns-lie",
    /// A box on the way answers a query before the resolver can.
    DnsInjection = "dns-injection",
    /// A query for one resolver is led to another.
    DnsRedirect = "dns-redirect",
    /// A query or its answer never arrives.
    DnsDrop = "dns-drop",
    /// Addresses cannot be reached.
    IpBlock = "ip-block",
    /// Ports cannot be reached.
    PortBlock = "port-block",
    /// An HTTP request is answered with a reset.
    HttpReset = "http-reset",
    /// An HTTP request is answered with a page that says so.
    HttpBlockPage = "http-block-page",
    /// An HTTP request never arrives.
    HttpDrop = "http-drop",
    /// A TLS handshake is reset for the server name that it asks for.
    SniReset = "sni-reset",
    /// A TLS handshake dies for the server name that it asks for.
    SniDrop = "sni-drop",
    /// A TLS handshake's packets are changed for the server name that it asks for.
    SniRewrite = "sni-rewrite",
    /// QUIC's first datagrams are dropped.
    QuicDrop = "quic-drop",
    /// A TLS handshake dies because it hides its server name.
    EchDrop = "ech-drop",
    /// A TLS handshake is known by its form: JA3 or JA4.
    Fingerprint = "fingerprint",
    /// What comes above a rate is dropped.
    Throttle = "throttle",
    /// What comes above a rate is delayed.
    Shape = "shape",
    /// A connection stands still after so many packets or bytes.
    Freeze = "freeze",
    /// Only so many connections get through.
    PoliceConnections = "police-connections",
    /// What is not one of the protocols that may be spoken is cut.
    Protocol = "protocol",
    /// What looks like nothing but random bytes is cut.
    FullyEncrypted = "fully-encrypted",
    /// What is not on a list cannot be reached.
    AllowList = "allow-list",
    /// Calls are cut or made useless.
    Call = "call",
    /// Chats are cut.
    Chat = "chat",
    /// Tunnels are cut.
    Vpn = "vpn",
    /// Tor is cut.
    Tor = "tor",
    /// A packet is answered with an ICMP error.
    Icmp = "icmp",
    /// Proxies are cut.
    Proxy = "proxy",
    /// Somebody else answers in the server's place.
    Interception = "interception",
    /// A page must be gone through before anything can be reached.
    CaptivePortal = "captive-portal",
    /// Nothing can be reached at all.
    Shutdown = "shutdown",
}

impl serde::Serialize for Mechanism {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl std::fmt::Display for Mechanism {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.word())
    }
}

/// So that a command can take one.
impl std::str::FromStr for Mechanism {
    type Err = UnknownMechanism;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().find(|each| each.word() == word);
        found.copied().ok_or_else(|| UnknownMechanism { word: word.to_owned() })
    }
}

/// No mechanism has this word.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnknownMechanism {
    word: String,
}

impl std::fmt::Display for UnknownMechanism {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let help = crate::suggest::help("they are", &self.word, Mechanism::ALL.iter().map(|each| each.word()));
        write!(f, "`{}` is no mechanism; {help}", self.word)
    }
}

impl std::error::Error for UnknownMechanism {}
