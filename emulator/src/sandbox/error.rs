//! Why no lab can be made on this machine.

use std::io;

use super::machine::Machine;

/// Why no lab can be made on this machine (exit status 3).
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// No user namespace could be made.
    #[error("failed to make a user namespace: {cause}")]
    UserNamespace {
        /// What the kernel said.
        cause: io::Error,
    },
    /// The ids of the user namespace could not be set.
    #[error("failed to map user ids into the namespace: {cause}")]
    Identity {
        /// What the kernel or newuidmap said.
        cause: io::Error,
    },
    /// The user namespace was made, but may not do what a lab needs.
    #[error("failed to {doing} in the user namespace: {cause}")]
    Powerless {
        /// What was being done.
        doing: String,
        /// What the kernel said.
        cause: io::Error,
    },
    /// A process or a pipe could not be made.
    #[error("failed to {doing}: {cause}")]
    Process {
        /// What was being done.
        doing: &'static str,
        /// What the kernel said.
        cause: io::Error,
    },
}

impl SandboxError {
    /// The line to paste, or what else to do.
    pub fn advice(&self) -> Option<String> {
        match self {
            Self::UserNamespace { cause } => Some(Machine::here().for_user_namespaces(cause)),
            Self::Identity { .. } => Some("sudo apt-get install uidmap".to_owned()),
            Self::Powerless { .. } => Some(Machine::here().for_powers()),
            Self::Process { .. } => None,
        }
    }
}
