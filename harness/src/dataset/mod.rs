//! Measurements with the truth beside them: what OONI would publish from the library's scenarios, each labelled with what the lab
//! did to it, and how often a rule that sees only the measurement finds that out.
//!
//! Which measurements are made comes from a seed ([`cell`]); they are made in labs of their own, side by side ([`mod@play`]); what
//! was done to each is its label ([`truth`]); what rules say of it is counted against that ([`analyst`], [`confusion`]).

mod analyst;
mod cell;
mod confusion;
mod manifest;
mod play;
mod truth;

pub(crate) use cell::{Cell, Drawn, cells, draw, each_phase};
pub(crate) use manifest::{Manifest, schema};
pub(crate) use play::{Played, play};
