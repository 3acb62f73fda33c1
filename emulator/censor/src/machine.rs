//! The machine (to be written).
/// The most packets held at once.
pub const MAX_HELD: usize = 4096;
