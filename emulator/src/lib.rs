//! roadblock's lab: a scenario brought to life in private Linux namespaces.
//!
//! `plan` is pure: it turns a scenario into namespaces, links, addresses, routes and rulesets. `kernel` acts on the
//! kernel and holds all unsafe code. `internet` is what lives on the lab's internet. [`sandbox`] is the process model:
//! who is whose child, and why nothing remains. [`lab::Lab`] is the handle.

pub mod bare_segment;
pub mod capture;
pub mod clock;
pub mod events;
pub mod graft;
pub mod inspector;
pub mod internet;
pub mod kernel;
pub mod lab;
mod logged_flow;
pub mod plan;
pub mod sandbox;
pub mod translate;
