//! The JSON Schemas of the language, for editors and for checks by other programs.
//!
//! They come from the declarations that the reader itself is made of, so they say what the reader accepts: a key that one
//! knows, the other knows.

use serde_json::{Value, json};

use crate::declare::{ProfileFile, ScenarioFile, ServiceFile};
use crate::read::{Definitions, Read};

/// The schema of a scenario file.
pub fn scenario() -> Value {
    document::<ScenarioFile>("A roadblock scenario", "roadblock.scenario/1")
}

/// The schema of a censor profile.
pub fn profile() -> Value {
    document::<ProfileFile>("A roadblock censor profile", "roadblock.profile/1")
}

/// The schema of a service file.
pub fn service() -> Value {
    document::<ServiceFile>("A roadblock service", "roadblock.service/1")
}

fn document<T: Read>(title: &str, id: &str) -> Value {
    let mut definitions = Definitions::default();
    let root = T::schema(&mut definitions);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": id,
        "title": title,
        "$ref": root["$ref"],
        "$defs": definitions.into_json(),
    })
}
