//! Every row.
