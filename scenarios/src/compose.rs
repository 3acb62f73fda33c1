//! One tree from several files: a scenario that extends another, with its parameters filled in.
//!
//! All of it happens before anything is read into declarations, on trees in which each value knows where it was written.
//! So a mistake in a scenario of three files is shown in the file that makes it. The rule of precedence, the only one: what a
//! file says holds before what it extends, and that before the default of a profile or of a key.

mod chain;
mod merge;
mod parameters;
mod without;

pub(crate) use merge::id;

use crate::diagnostic::Collector;
use crate::loader::Opened;
use crate::model::Parameter;
use crate::resolve::Context;
use crate::tree::Node;

/// A scenario's tree with nothing left to join, and the parameters that were filled in.
#[derive(Debug)]
pub(crate) struct Composed {
    /// The whole scenario, without `extends`, `without`, `param` and `set`.
    pub(crate) node: Node,
    /// What it lets others set, and to what it is set.
    pub(crate) parameters: Vec<Parameter>,
}

/// Joins a file with what it extends and fills in its parameters; `set` is what a command line sets. Where something is
/// wrong with that, nothing more is read: what follows from it is noise.
pub(crate) fn compose(
    opened: &Opened,
    set: &[String],
    context: &Context<'_>,
    errors: &mut Collector,
) -> Option<Composed> {
    let mut node = chain::join(opened, context, errors)?;
    let parameters = parameters::fill_in(&mut node, set, context, errors)?;
    Some(Composed { node, parameters })
}

#[cfg(test)]
mod tests;
