//! What df-002, df-005, df-006 and df-008 say of each thing that was met: when it was, and what it belongs to.

use serde::{Deserialize, Serialize};

use super::lenient::null_is_empty;

/// When something was, and what it belongs to. Its keys stand beside those of the thing itself.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Occasion {
    /// When it began, in seconds from the measurement's start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) t0: Option<f64>,
    /// When it ended.
    #[serde(default)]
    pub(crate) t: f64,
    /// `classic`, `depth=N`, `fetch_body=true`.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(crate) tags: Vec<String>,
    /// What it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) transaction_id: Option<i64>,
}

impl Occasion {
    /// From then to then, of nothing in particular.
    pub(crate) fn between(t0: f64, t: f64) -> Self {
        Self { t0: Some(t0), t, ..Self::default() }
    }
}
