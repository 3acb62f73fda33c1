//! A scenario: who, where, what is blocked and how, when.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::declare::{ExpectDeclaration, FileKind, HostDeclaration, Items, Parameter, ResponseCode, TargetDeclaration};
use crate::model::{Family, Mechanism, NatKind, Readiness};
use crate::read::{Date, Dictionary, Needed, OneOrMany, table};
use crate::source::{Spanned, Text};
use crate::tree::Node;

table! {
    /// A scenario: who (vantages), where (hops and paths), what exists (services), what is blocked and how (censors and
    /// resolvers), when (phases), and what must be observed (expectations).
    ScenarioFile {
        /// `"scenario"`, which may be left out.
        "kind" => _kind: Option<Spanned<FileKind>>,
        /// Its name; for a file of the library its place, as `ru/whatsapp-2026`.
        "id" => id: Needed<Text>,
        /// One line for people.
        "title" => title: Needed<String>,
        /// The scenario that this one is laid over: one of the library, as `ru/whatsapp-2026`, or a file beside this one or below,
        /// as `./base.toml`. Its `id` and `title` are not taken over.
        "extends" => _extends: Option<Text>,
        /// What is taken out of the scenario that this one extends, before this one is laid over: `phase.ID`, `expect.ID`,
        /// `vantage.NAME`, `censor.NAME.PARAMETER` and so on, or `expect.*` for all. With a phase or a vantage goes what was
        /// expected of it alone.
        "without" => _without: Vec<Text> = Vec::new(),
        /// What a scenario that extends this one may `set`, and a command by `--set NAME=VALUE`. `"$NAME"` stands for it
        /// anywhere in the file.
        "param" => _parameters: Dictionary<Parameter> = Dictionary::default(),
        /// What the parameters of the scenario that this one extends are set to.
        "set" => _set: Dictionary<Node> = Dictionary::default(),
        /// What happened: a paragraph for people who read no packets.
        "story" => story: Option<String>,
        /// What a user felt.
        "felt" => felt: Option<String>,
        /// What is not known.
        "unknown" => unknown: Option<String>,
        /// The ways of blocking that it shows.
        "mechanisms" => mechanisms: Vec<Mechanism> = Vec::new(),
        /// Where the story is told.
        "sources" => sources: Vec<SourceDeclaration> = Vec::new(),
        /// The services that exist, as `services/whatsapp`, or in a file beside this one, as `./mine.toml`.
        "use" => uses: Vec<Text> = Vec::new(),
        /// Machines of this scenario alone, beside those of the services that it uses.
        "host" => hosts: Vec<HostDeclaration> = Vec::new(),
        /// What a person would open on these machines, measured by `roadblock run`.
        "target" => targets: Vec<TargetDeclaration> = Vec::new(),
        /// The routers. At the top, so that vantages can share one.
        "hop" => hops: Dictionary<HopDeclaration> = Dictionary::default(),
        /// The clients' seats; the first is the default, and one is named `control`.
        "vantage" => vantages: Dictionary<VantageDeclaration> = Dictionary::default(),
        /// Resolvers that live at a hop and may lie.
        "resolver" => resolvers: Dictionary<ResolverDeclaration> = Dictionary::default(),
        /// The censors, each at a hop.
        "censor" => censors: Dictionary<CensorDeclaration> = Dictionary::default(),
        /// Machines of their own, abroad or inside the country, for servers of the user's.
        "machine" => machines: Dictionary<MachineDeclaration> = Dictionary::default(),
        /// The dated steps; the last is a command's default. A file without any has one, named `always`.
        "phase" => phases: Vec<PhaseDeclaration> = Vec::new(),
        /// What must be observed.
        "expect" => expectations: Vec<ExpectDeclaration> = Vec::new(),
    }
}

table! {
    /// Where a claim comes from.
    SourceDeclaration {
        /// What it is called.
        "title" => title: String,
        /// When it was published.
        "date" => date: Option<Date>,
        /// Where it can be read.
        "url" => url: Option<String>,
        /// The facts that it supports.
        "facts" => facts: Vec<Text> = Vec::new(),
    }
}

table! {
    /// A router, in a namespace of its own. Its addresses come from the network of the first vantage that goes through it.
    HopDeclaration {
        /// One line for people.
        "about" => _about: Option<String>,
    }
}

table! {
    /// A client's seat.
    VantageDeclaration {
        /// Its network, as `"AS12389 Rostelecom"`.
        "isp" => isp: Text,
        /// The hops from the client to the internet.
        "path" => path: Vec<Text>,
        /// How long a packet takes from one end of the path to the other, one way.
        "delay" => delay: Duration = Duration::from_millis(2),
        /// Whether its TCP sends timestamps, as that of Linux does. With `false` the header of what it sends after its SYN
        /// has no options, as that of Windows has none.
        "tcp-timestamps" => tcp_timestamps: bool = true,
        /// What its resolv.conf says: names of the scenario's resolvers, or addresses.
        "resolvers" => resolvers: Vec<Text>,
        /// Address space of its network, in place of what the library's table has for it.
        "address" => address: Option<SpaceDeclaration>,
        /// The address families that its clients have: `["v4"]`, `["v6"]`, or both, as where not said. Of the other they have
        /// no address and no route, so that it fails with `network_unreachable`; of `resolvers` those of the families that
        /// there are stay.
        "families" => families: OneOrMany<Spanned<Family>> = OneOrMany(Vec::new()),
        /// The translators of IPv4 that its clients are behind: `"home"`, a router at home with 192.168.1.0/24 inside;
        /// `"carrier"`, the provider's, with 100.64.0.0/10 inside (RFC 6598), before the first hop of `path`; or both. All
        /// clients of the vantage come out at one public address, so punishment by address and port meets all of them; a
        /// measurement that must not meet what another left needs a vantage of its own. Each is Linux's connection tracking
        /// as it comes: strict about sequence and acknowledgement numbers and checksums, what does not fit a connection is
        /// not translated back and so is lost, and fragments are put together. The router at home lets in nothing, of IPv6
        /// neither, that was not asked for. IPv6 is not translated. A censor, which sits at a hop, sees the public address.
        "nat" => nat: OneOrMany<Spanned<NatKind>> = OneOrMany(Vec::new()),
        /// `true`, where `families` is `["v6"]`: IPv4 is reached through a translator before the first hop (NAT64, RFC 6146) at
        /// the addresses of `64:ff9b::/96`, with which a resolver of the scenario's own, of which one must be among
        /// `resolvers`, answers where a name has no IPv6 address (DNS64, RFC 6147); others do not. All its clients come out
        /// at one public IPv4 address, and connections are tracked as with `nat`. A censor sees IPv4 then.
        "nat64" => nat64: Option<Spanned<bool>>,
    }
}

table! {
    /// Address space to take addresses from: at least an IPv4 /20 and an IPv6 /56.
    SpaceDeclaration {
        /// An IPv4 prefix.
        "v4" => v4: Spanned<Ipv4Net>,
        /// An IPv6 prefix.
        "v6" => v6: Spanned<Ipv6Net>,
    }
}

table! {
    /// A machine of its own, in a namespace of its own: abroad, or at a hop's network inside the country. It runs the server
    /// that `run` names, and what `exec --serve` names.
    MachineDeclaration {
        /// One line for people.
        "about" => _about: Option<String>,
        /// The hop that it hangs off, inside the country: what comes to it from abroad goes through that hop and all that
        /// lie between it and the internet. No censor may sit at that hop itself, because a router between a client and a
        /// machine that both hang off it has no inside and outside; put the machine at the hop below or above the censor.
        /// Where not said, the machine is abroad, with no censor on its way.
        "at" => at_hop: Option<Text>,
        /// Its public addresses, at most one of each family. Must be given abroad; with `at`, two addresses of the hop's
        /// network where not said, and if said, addresses of that network that no client has.
        "address" => address: OneOrMany<Spanned<IpAddr>> = OneOrMany(Vec::new()),
        /// A shell command that runs as root on the machine from the beginning of the lab to its end, in the foreground.
        /// What it prints is its log. That it ends, however it does, makes the lab's results invalid. In a file that is
        /// not of the built-in library it needs `--allow-commands`.
        "run" => run: Option<Text>,
        /// When the command is ready to be measured: `"tcp:443"` or `"udp:51820"`, when something listens at that port;
        /// `"log:listening"`, when its log holds that text. At once where not said.
        "ready" => ready: Option<Spanned<Readiness>>,
        /// How long that may take, on the wall's clock; after that the lab has failed, and the log's end is shown.
        "ready-within" => ready_within: Duration = Duration::from_secs(10),
        /// Prefixes that lie behind it, as the inner addresses of a VPN.
        "behind" => behind: OneOrMany<IpNet> = OneOrMany(Vec::new()),
    }
}

table! {
    /// A resolver that lives at a hop. It knows every name of the lab, and lies where it is told to.
    ResolverDeclaration {
        /// The hop where it lives.
        "at" => at_hop: Text,
        /// Where it listens; two addresses of its hop's network where not said.
        "address" => address: Option<OneOrMany<Spanned<IpAddr>>>,
        /// What it says in place of the truth; the first that matches is told.
        "lies" => lies: Vec<LieDeclaration> = Vec::new(),
    }
}

table! {
    /// What a resolver says in place of the truth.
    LieDeclaration {
        /// What `by` and events call it; `lies.0` for the first where not said.
        "id" => id: Option<Text>,
        /// The names it is told about: patterns and lists.
        "names" => names: Items,
        /// What is said.
        "answer" => answer: LieAnswerDeclaration,
        /// The facts it reproduces.
        "facts" => facts: Vec<Text> = Vec::new(),
    }
}

table! {
    /// What a lying resolver says: a response code, addresses, or nothing at all.
    LieAnswerDeclaration {
        /// The response code, as `"NXDOMAIN"`.
        "rcode" => rcode: Option<Needed<ResponseCode>>,
        /// The addresses it answers with; those of the asked family are used.
        "addresses" => addresses: Option<Items>,
        /// The time to live of each answer, in seconds.
        "ttl" => ttl: u32 = 60,
        /// `true`: no answer comes.
        "silence" => silence: bool = false,
    }
}

table! {
    /// A censor at a hop. All other keys are parameters of its profile.
    CensorDeclaration {
        /// How it behaves, as `censors/tspu-2026`, or in a file beside this one, as `./box.toml`.
        "profile" => profile: Text,
        /// The hop where it sits.
        "at" => at_hop: Text,
        .. /// What the profile's parameters are set to.
        parameters
    }
}

table! {
    /// A dated step. What it changes holds in the later phases too.
    PhaseDeclaration {
        /// Its name.
        "id" => id: Text,
        /// When it began.
        "date" => date: Option<Spanned<Date>>,
        /// One line for people.
        "title" => title: Option<String>,
        /// What a user felt.
        "felt" => felt: Option<String>,
        /// What is not known.
        "unknown" => unknown: Option<String>,
        /// What changes.
        "change" => changes: Vec<Change> = Vec::new(),
    }
}

table! {
    /// A change: exactly one of `add`, `remove` and `set`.
    Change {
        /// What is changed: `resolver.NAME.lies.ID.names` or `censor.NAME.PARAMETER`.
        "in" => target: Text,
        /// What is added to the list.
        "add" => add: Option<Node>,
        /// What is taken out of the list.
        "remove" => remove: Option<Node>,
        /// What takes the place of what was there.
        "set" => set: Option<Node>,
    }
}
