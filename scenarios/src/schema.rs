//! The JSON Schemas of the language, for editors and for checks by other programs.
//!
//! They come from the declarations that the reader itself is made of, so they say what the reader accepts: a key that one
//! knows, the other knows.

mod laid_over;

use serde_json::{Value, json};

use crate::declare::{ProfileFile, ScenarioFile, ServiceFile, ToolFile};
use crate::read::{Definitions, Read};

/// The schema of a scenario that extends no other and has no parameters, as it is described to people.
pub fn scenario_alone() -> Value {
    document::<ScenarioFile>("A roadblock scenario", "roadblock.scenario/1")
}

/// The schema of a scenario file.
pub fn scenario() -> Value {
    let mut schema = scenario_alone();
    laid_over::relax(&mut schema);
    laid_over::allow_parameters(&mut schema);
    schema
}

/// The schema of a censor profile.
pub fn profile() -> Value {
    document::<ProfileFile>("A roadblock censor profile", "roadblock.profile/1")
}

/// The schema of a service file.
pub fn service() -> Value {
    document::<ServiceFile>("A roadblock service", "roadblock.service/1")
}

/// The schema of a tool file.
pub fn tool() -> Value {
    document::<ToolFile>("A tool for roadblock matrix", "roadblock.tool/1")
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declare::{
        BoxDeclaration, CensorDeclaration, Change, ExpectDeclaration, FindsDeclaration, HostDeclaration,
        InjectDeclaration, LieDeclaration, NeighbourTable, OfControlDeclaration, PhaseDeclaration, ProbeDeclaration,
        ResponseDeclaration, RuleDeclaration, TimesDeclaration, ToolClientDeclaration, ToolServerDeclaration,
        VantageDeclaration, When,
    };

    /// The property names of a definition; those of all its forms where it has several.
    fn properties(schema: &Value) -> Vec<&str> {
        let forms = schema["anyOf"].as_array().map_or(std::slice::from_ref(schema), Vec::as_slice);
        let keys = forms.iter().filter_map(|form| form["properties"].as_object()).flat_map(|object| object.keys());
        keys.map(String::as_str).collect()
    }

    #[test]
    fn the_schema_has_the_keys_that_the_reader_has() {
        let (scenario, profile, service, tool) = (scenario(), profile(), service(), tool());
        for (schema, name, keys) in [
            (&scenario, "ScenarioFile", ScenarioFile::KEYS),
            (&scenario, "VantageDeclaration", VantageDeclaration::KEYS),
            (&scenario, "CensorDeclaration", CensorDeclaration::KEYS),
            (&scenario, "LieDeclaration", LieDeclaration::KEYS),
            (&scenario, "PhaseDeclaration", PhaseDeclaration::KEYS),
            (&scenario, "Change", Change::KEYS),
            (&scenario, "ExpectDeclaration", ExpectDeclaration::KEYS),
            (&scenario, "TimesDeclaration", TimesDeclaration::KEYS),
            (&scenario, "OfControlDeclaration", OfControlDeclaration::KEYS),
            (&scenario, "FindsDeclaration", FindsDeclaration::KEYS),
            (&scenario, "NeighbourTable", NeighbourTable::KEYS),
            (&scenario, "ProbeDeclaration", ProbeDeclaration::KEYS),
            (&profile, "ProfileFile", ProfileFile::KEYS),
            (&profile, "BoxDeclaration", BoxDeclaration::KEYS),
            (&profile, "RuleDeclaration", RuleDeclaration::KEYS),
            (&profile, "When", When::KEYS),
            (&profile, "ResponseDeclaration", ResponseDeclaration::KEYS),
            (&profile, "InjectDeclaration", InjectDeclaration::KEYS),
            (&service, "ServiceFile", ServiceFile::KEYS),
            (&service, "HostDeclaration", HostDeclaration::KEYS),
            (&tool, "ToolFile", ToolFile::KEYS),
            (&tool, "ToolServerDeclaration", ToolServerDeclaration::KEYS),
            (&tool, "ToolClientDeclaration", ToolClientDeclaration::KEYS),
        ] {
            let mut keys = keys.to_vec();
            let mut properties = properties(&schema["$defs"][name]);
            keys.sort_unstable();
            properties.sort_unstable();
            assert_eq!(properties, keys, "{name}");
        }
    }
}
