//! nftables by nftnl: a hop's table from its plan, and the changes a live lab makes to it.

mod change;
mod compile;
mod expression;
pub mod nat;
mod sets;
mod table;
mod transaction;

pub use change::Change;
pub use sets::FlowElement;
pub use table::{ChangeError, QueueKind, Table, TableError, detect_queue_kind};
