//! The way into a lab for `roadblock ctl`, opened before the lab exists.

use std::sync::Arc;

use roadblock_emulator::lab::Lab;
use roadblock_emulator::sandbox::{Door, Visitors};
use roadblock_scenarios::Scenario;

use super::ctl::now;
use crate::ctl::{self, About, Change, Reread};
use crate::output;

/// What the lab process needs to serve whoever comes.
pub(super) struct WayIn {
    visitors: Visitors,
    about: About,
    change: Change,
    read: Reread,
}

impl WayIn {
    /// A door for the outer process, and what the lab serves it with. A lab that cannot have one runs without; that is said.
    pub(super) fn open(scenario: &Scenario, change: Change, read: Reread, quiet: bool) -> (Option<Door>, Option<Self>) {
        match ctl::open() {
            Ok((lab, door, visitors)) => {
                let way_in = Self { visitors, about: about(lab, scenario, change), change, read };
                (Some(door), Some(way_in))
            }
            Err(error) => {
                if !quiet {
                    output::notice(format_args!("roadblock: `roadblock ctl` will not reach this lab: {error}"));
                }
                (None, None)
            }
        }
    }

    /// Serves a lab while its process lives.
    pub(super) fn serve(self, lab: &Arc<Lab>) {
        ctl::serve(self.visitors, Arc::clone(lab), self.about, self.change, self.read);
    }
}

fn about(lab: String, scenario: &Scenario, change: Change) -> About {
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    About {
        lab,
        pid: std::process::id(),
        scenario: scenario.id.to_string(),
        phase: String::new(),
        vantages: scenario.vantages.iter().map(|vantage| vantage.name.to_string()).collect(),
        command: std::iter::once("roadblock".to_owned()).chain(words).collect::<Vec<_>>().join(" "),
        since: now(),
        changeable: change == Change::Allowed,
    }
}
