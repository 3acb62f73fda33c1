//! What every measurement needs.

use roadblock_emulator::lab::Errands;
use tokio::runtime::Handle;

use super::lab_time::LabTime;
use super::socket::Source;
use super::timeouts::Timeouts;
use super::tls::Trust;

/// Where a measurement's sockets come from, whom it believes and how long it waits.
#[derive(Clone, Debug)]
pub(crate) struct Tools {
    /// Where its sockets come from.
    pub(crate) source: Source,
    /// Whom its TLS clients believe.
    pub(crate) trust: Trust,
    /// The lab's clock.
    pub(crate) time: LabTime,
    /// How long each layer waits.
    pub(crate) timeouts: Timeouts,
    /// What runs commands, where the scenario has some.
    pub(crate) errands: Option<Errands>,
    /// The control vantage, for who compares.
    pub(crate) control: Option<Box<Control>>,
}

/// A seat at the control vantage.
#[derive(Clone, Debug)]
pub(crate) struct Control {
    /// What lives in its namespace.
    pub(crate) runtime: Handle,
    /// What is measured with there.
    pub(crate) tools: Tools,
}

impl Tools {
    /// The same, for a connection that comes before or beside the one that a port was asked for.
    pub(crate) fn without_port(&self) -> Self {
        Self { source: self.source.without_port(), ..self.clone() }
    }
}
