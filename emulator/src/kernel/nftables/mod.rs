//! nftables by nftnl: a hop's table from its plan, and the changes a live lab makes to it.

mod compile;
mod expression;
pub mod nat;
mod sets;
mod table;

pub use sets::{FlowElement, range_elements};
pub use table::{QueueKind, Table, TableError, detect_queue_kind};
