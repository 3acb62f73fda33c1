//! From a scenario to namespaces, links, addresses, routes and rulesets, without touching the kernel.

pub mod client_files;
pub mod delays;
pub mod nat;
pub mod ruleset;
pub mod topology;

pub use ruleset::Ruleset;
pub use topology::Topology;
