//! `roadblock replay`.

use std::sync::Arc;

use roadblock_scenarios::model::Name;
use roadblock_scenarios::{Library, Scenario};

use super::{library, print, print_json, select};
use crate::cli::{Format, ReplayArguments};
use crate::diagnostics;
use crate::output::{self, Paint};
use crate::replay::{self, Censors, PolicyHead, Sides};
use crate::status;

/// Judges a capture and says what was decided.
pub(super) fn replay(library: &Library, arguments: &ReplayArguments) -> u8 {
    let Some(censors) = censors(library, arguments) else { return status::USAGE };
    let sides = Sides::new(&arguments.inside);
    match replay::replay(&arguments.capture, &censors, sides, arguments.seed) {
        Ok(report) => match arguments.format {
            Format::Human => print(&replay::render(&report, Paint::for_stdout()), status::OK),
            Format::Json => print_json(&report, status::OK),
        },
        Err(error) => {
            output::error(error, None);
            status::USAGE
        }
    }
}

/// Who judges; what is wrong with it was said where there is nobody.
fn censors(library: &Library, arguments: &ReplayArguments) -> Option<Censors> {
    if let Some(profile) = &arguments.profile {
        return by_profile(library, profile, arguments);
    }
    let scenario = library::scenario(library, arguments.scenario.as_deref()?)?;
    match by_scenario(scenario, arguments) {
        Ok(censors) => Some(censors),
        Err(error) => {
            output::error(error, None);
            None
        }
    }
}

fn by_profile(library: &Library, profile: &str, arguments: &ReplayArguments) -> Option<Censors> {
    let parameters = arguments.set.join("\n");
    match library.profile_named(&arguments.name, profile, &parameters) {
        Ok(profile) => {
            let head = PolicyHead::Profile { profile: profile.id, parameters: arguments.set.clone() };
            let hop = arguments.hop.as_deref().map(Name::from);
            Some(Censors::Profile { policy: profile.policy, head, hop })
        }
        Err(errors) => {
            output::notice(diagnostics::render(&errors, Paint::for_stderr().is_coloured()));
            None
        }
    }
}

fn by_scenario(scenario: Arc<Scenario>, arguments: &ReplayArguments) -> Result<Censors, select::SelectError> {
    let phase = arguments.phase.as_deref().map(|name| select::phase(&scenario, name)).transpose()?;
    let hop = arguments.hop.as_deref().map(|name| select::hop(&scenario, name)).transpose()?;
    Ok(Censors::Scenario { scenario, phase, hop })
}
