//! Why a lab could not be built or changed.

use std::io;

use roadblock_scenarios::model::Name;

use crate::inspector::InspectorError;
use crate::internet::{AuthorityError, InternetError};
use crate::kernel::links::LinkError;
use crate::kernel::mounts::MountError;
use crate::kernel::namespace::NamespaceError;
use crate::kernel::nftables::TableError;
use crate::plan::client_files::SubjectHashError;
use crate::plan::ruleset::RulesetError;
use crate::sandbox::Machine;

/// Why a lab could not be built or changed. Exit status 4, or 3 where [`LabError::advice`] has something to say.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The scenario has no such vantage.
    #[error("no vantage is called `{0}`")]
    NoSuchVantage(String),
    /// The scenario has no such machine.
    #[error("no machine is called `{0}`; a scenario gives one as `[machine.NAME]`")]
    NoSuchMachine(String),
    /// A stranger's scenario would have this machine run a command.
    #[error("{0}: the scenario runs a command, and nobody has allowed it to")]
    CommandsNotAllowed(String),
    /// A machine's command ended before it was ready, or was not ready in time.
    #[error("failed to start what runs on the machine `{machine}`: {what}\n{log}")]
    Machine {
        /// The machine.
        machine: Name,
        /// What happened to its command, as a sentence fragment.
        what: String,
        /// The end of its log, or that there is none.
        log: String,
    },
    /// A machine's command needs a program that is not there, as its shell says (exit status 126 or 127).
    #[error("failed to start what runs on the machine `{machine}`: a program that it needs is not here\n{log}")]
    MachineProgram {
        /// The machine.
        machine: Name,
        /// The end of its log, where the shell names the program.
        log: String,
    },
    /// A machine's command could not be run at all.
    #[error("failed to start what runs on the machine `{machine}`: {cause}")]
    MachineCommand {
        /// The machine.
        machine: Name,
        /// Why.
        cause: Box<super::CommandError>,
    },
    /// The scenario has no such phase.
    #[error("no phase is called `{0}`")]
    NoSuchPhase(String),
    /// What a lab is built of cannot change while it lives.
    #[error("this cannot change while the lab lives, so nothing did: {}; end it and start another", .0.join(", "))]
    Fixed(Vec<String>),
    /// The scenario's file no longer has the phase that the lab is in.
    #[error("the file no longer has the phase `{0}`, in which the lab is; enter another first")]
    PhaseIsGone(String),
    /// A vantage's prefix holds no more addresses.
    #[error("vantage `{0}` has no client address left; give it a shorter prefix")]
    OutOfAddresses(String),
    /// A namespace holds a link that the plan does not know. Nothing was sent.
    #[error("the lab is not isolated, so nothing was sent: {0}")]
    Isolation(String),
    /// A policy cannot be turned into a ruleset.
    #[error(transparent)]
    Ruleset(#[from] RulesetError),
    /// A namespace could not be made.
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
    /// A link, an address or a route could not be made.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// This kernel cannot queue packets.
    #[error("this kernel cannot hand packets to a program (NFQUEUE): {0}")]
    NoQueue(#[source] TableError),
    /// A translator's table could not be made.
    #[error("failed to translate addresses in {namespace} (nftables' `nat` and `ct`): {cause}")]
    Translator {
        /// The translator's namespace.
        namespace: String,
        /// Why.
        cause: TableError,
    },
    /// A hop's inspector could not be started.
    #[error("failed to start the inspector at {hop}: {cause}")]
    Inspector {
        /// The hop.
        hop: String,
        /// Why.
        cause: InspectorError,
    },
    /// A hop's table could not be changed; the lab stays in the phase it was in.
    #[error("failed to enter the phase at {hop}, so all stays as it was: {cause}")]
    Phase {
        /// The hop.
        hop: String,
        /// Why.
        cause: TableError,
    },
    /// A hop could not go back when another could not go on. From then on the lab has a problem.
    #[error("{hop} is between two phases, so nothing that the lab shows from now on is to be trusted: {cause}")]
    HalfChanged {
        /// The hop.
        hop: String,
        /// Why.
        cause: String,
    },
    /// The certificate authority could not be made.
    #[error("failed to make the lab's certificate authority: {0}")]
    Authority(#[from] AuthorityError),
    /// A service could not be started.
    #[error("failed to {0}")]
    Internet(#[from] InternetError),
    /// The lab's own files could not be laid over the host's.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// The lab's certificate could not be hashed.
    #[error("failed to hash the lab's certificate: {0}")]
    Hash(#[from] SubjectHashError),
    /// A file could not be written or a thread not be reached.
    #[error("failed to {doing}: {cause}")]
    System {
        /// What was being done.
        doing: String,
        /// What the kernel said.
        cause: io::Error,
    },
}

impl LabError {
    pub(super) fn isolation(cause: impl std::fmt::Display) -> Self {
        Self::Isolation(format!("its links cannot be listed: {cause}"))
    }

    pub(super) fn system(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |cause| Self::System { doing, cause }
    }

    /// Where this machine cannot run labs (exit status 3): the line to paste, or what else to do.
    pub fn advice(&self) -> Option<String> {
        match self {
            Self::NoQueue(_) | Self::Inspector { cause: InspectorError::Queue(_) | InspectorError::Log(_), .. } => {
                Some(Machine::here().for_packets())
            }
            Self::Namespace(_) => Some(Machine::here().for_network_namespaces()),
            Self::MachineProgram { .. } => Some("install the program, or put it on the PATH".to_owned()),
            _ => None,
        }
    }
}
