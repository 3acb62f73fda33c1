//! What a censor would have done to a capture: its packets go through the machine, on the capture's own clock.

mod file;
mod human;
mod link;
mod offload;
mod play;
mod report;
mod sides;

pub(crate) use human::render;
pub(crate) use play::{Censors, replay};
pub(crate) use report::{PolicyHead, schema};
pub(crate) use sides::Sides;
