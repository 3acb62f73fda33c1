//! Russia: the TSPU of `censors/tspu-2026`.

use crate::pair::Pair;

#[test]
fn x() { let _ = Pair::v6; }
