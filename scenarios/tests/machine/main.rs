//! Profiles between two scripted ends, in virtual time: what each end sends and gets, and what the censor makes of it.

mod examples;
mod facts;
mod geneva;
mod pair;
mod weaknesses;
