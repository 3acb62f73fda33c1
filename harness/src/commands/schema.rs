//! `roadblock schema`.

use roadblock_scenarios::schema;

use super::print_json;
use crate::cli::SchemaOf;
use crate::{dataset, matrix, probe, replay, run, status, suite};

/// Prints a JSON Schema.
pub(super) fn schema(of: SchemaOf) -> u8 {
    match of {
        SchemaOf::Scenario => print_json(&schema::scenario(), status::OK),
        SchemaOf::Profile => print_json(&schema::profile(), status::OK),
        SchemaOf::Service => print_json(&schema::service(), status::OK),
        SchemaOf::Tool => print_json(&schema::tool(), status::OK),
        SchemaOf::Replay => print_json(&replay::schema(), status::OK),
        SchemaOf::Dataset => print_json(&dataset::schema(), status::OK),
        SchemaOf::Test => print_json(&suite::schema(), status::OK),
        SchemaOf::Matrix => print_json(&matrix::schema(), status::OK),
        SchemaOf::MatrixBaseline => print_json(&matrix::baseline_schema(), status::OK),
        SchemaOf::Probe => print_json(&probe::schema(), status::OK),
        SchemaOf::Run => print_json(&run::schema(), status::OK),
    }
}
