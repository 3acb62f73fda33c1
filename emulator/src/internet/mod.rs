//! What lives on the lab's internet.
//!
//! [`start()`] brings up every service of a scenario, [`start_resolver`] a resolver at a hop. Both must be called
//! inside the network namespace that answers for the addresses, on a tokio runtime whose threads are in it, and both
//! give [`Servers`], which tells when one of them failed. Every server is bound to an address of its own, never to a
//! wildcard: a wildcard UDP socket answers from the wrong source, and a wildcard TCP listener never refuses.

pub mod authority;
pub mod dns;
mod doh;
mod echo;
mod front;
mod h3;
pub mod lies;
mod listen;
mod mtproto;
mod name_server;
pub mod ooni;
pub mod page;
mod place;
mod relay;
pub mod servers;
mod silence;
pub mod start;
mod stun;
mod tls;
mod web;
mod websocket;
pub mod whatsapp;
mod wireguard;
pub mod zone;

pub use authority::{Authority, AuthorityError};
pub use lies::{LieTable, Speaker};
pub use servers::{Bound, Problem, ProblemKind, Problems, Servers};
pub use start::{InternetError, start, start_name_servers, start_resolver};
pub use zone::Zone;
