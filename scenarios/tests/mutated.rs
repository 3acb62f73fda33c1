//! Two hundred broken files: each is refused with what is wrong and where, or it can be used. What the JSON Schema refuses, the
//! reader refuses too.

#[path = "support/json.rs"]
mod json;
#[path = "support/mutate.rs"]
mod mutate;

use std::panic::{AssertUnwindSafe, catch_unwind};

use mutate::{Mutated, mutated};
use roadblock_scenarios::{Diagnostics, Library, Scenario, resolve, schema};

const FILES: u64 = 200;

fn read(file: &Mutated, library: &Library) -> Result<Scenario, Diagnostics> {
    let text = &file.text;
    catch_unwind(AssertUnwindSafe(|| resolve(text, "test.toml", library)))
        .unwrap_or_else(|_| panic!("{}: it panicked on\n{text}", file.name))
}

#[test]
fn each_is_refused_with_its_place_or_can_be_used() {
    let library = Library::embedded();
    let (mut refused, mut sound) = (0, 0);
    for file in (0..FILES).map(|number| mutated(number, &library)) {
        match read(&file, &library) {
            Ok(scenario) => {
                sound += 1;
                assert!(!scenario.phases.is_empty() && scenario.control().is_some(), "{}", file.name);
            }
            Err(mistakes) => {
                refused += 1;
                assert!(mistakes.all.iter().any(roadblock_scenarios::Diagnostic::is_error), "{}", file.name);
                for each in &mistakes.all {
                    let at = &each.location;
                    let source = mistakes.source(at).unwrap_or_else(|| panic!("{}: {each} is nowhere", file.name));
                    assert!(at.line > 0 && source.text().get(at.span.clone()).is_some(), "{}: {each}", file.name);
                    assert!(!each.message.is_empty(), "{}", file.name);
                }
            }
        }
    }
    // Were all of one sort, the other would not have been tried.
    assert!(refused > 100 && sound > 10, "{refused} refused, {sound} sound");
}

#[test]
fn what_the_schema_refuses_is_refused() {
    let library = Library::embedded();
    let schema = jsonschema::validator_for(&schema::scenario()).expect("a schema");
    let mut refused = 0;
    for file in (0..FILES).map(|number| mutated(number, &library)) {
        let Some(json) = json::of(&file.text) else { continue };
        if !schema.is_valid(&json) {
            refused += 1;
            assert!(read(&file, &library).is_err(), "{}: only the schema refuses\n{}", file.name, file.text);
        }
    }
    assert!(refused > 20, "only {refused} were refused");
}

#[test]
fn every_file_of_the_library_keeps_to_its_schema_for_a_validator_of_others_too() {
    let library = Library::embedded();
    let kinds: [(Vec<&str>, serde_json::Value); 3] = [
        (library.ids().collect(), schema::scenario()),
        (library.profiles().collect(), schema::profile()),
        (library.services().collect(), schema::service()),
    ];
    for (ids, schema) in kinds {
        let schema = jsonschema::validator_for(&schema).expect("a schema");
        for id in ids {
            let json = json::of(library.document(id).expect("it is there").text()).expect("it is TOML");
            let errors: Vec<String> = schema.iter_errors(&json).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{id}: {errors:#?}");
        }
    }
}
