//! `roadblock import`.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use roadblock_scenarios::Library;
use serde_json::Deserializer;

use super::print;
use crate::cli::{ImportCommand, ImportOoniArguments};
use crate::import::{self, ImportError, Imported};
use crate::ooni::measurement::Measurement;
use crate::{output, status};

/// Why a file gives no scenario.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("failed to read `{file}`: {cause}")]
    Read { file: String, cause: io::Error },
    #[error("`{file}` is not a measurement of OONI's: {cause}")]
    Json { file: String, cause: serde_json::Error },
    #[error("`{0}` has nothing in it")]
    Nothing(String),
    #[error("failed to import the measurement {number} of `{file}`: {cause}")]
    Import { file: String, number: usize, cause: ImportError },
    #[error("failed to write `{}`: {cause}", path.display())]
    Write { path: PathBuf, cause: io::Error },
}

/// Makes scenarios of measurements.
pub(super) fn import(library: &Library, command: &ImportCommand) -> u8 {
    match command {
        ImportCommand::Ooni(arguments) => ooni(library, arguments),
    }
}

fn ooni(library: &Library, arguments: &ImportOoniArguments) -> u8 {
    let (mut imported, mut refused) = (Vec::new(), false);
    let mut note = |error: FileError| {
        output::error(error, None);
        refused = true;
    };
    for file in &arguments.files {
        match measurements(file) {
            Ok(measurements) => {
                for (place, measurement) in measurements.iter().enumerate() {
                    let (file, number) = (file.display().to_string(), place + 1);
                    match import::import(measurement, library) {
                        Ok(scenario) => imported.push(scenario),
                        Err(cause) => note(FileError::Import { file, number, cause }),
                    }
                }
            }
            Err(error) => note(error),
        }
    }
    if let Err(error) = place(&mut imported, arguments.out.as_deref()) {
        match error {
            PlaceError::Usage(text) => output::error(text, Some("name a folder with --out")),
            PlaceError::File(error) => note(error),
        }
        return status::USAGE;
    }
    if refused { status::USAGE } else { status::OK }
}

/// Every measurement of a file: one document, or several after each other.
fn measurements(path: &Path) -> Result<Vec<Measurement>, FileError> {
    let file = path.display().to_string();
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(LARGEST).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(LARGEST).read_to_end(&mut bytes))
    };
    read.map_err(|cause| FileError::Read { file: file.clone(), cause })?;
    let all: Result<Vec<Measurement>, _> = Deserializer::from_slice(&bytes).into_iter().collect();
    let all = all.map_err(|cause| FileError::Json { file: file.clone(), cause })?;
    if all.is_empty() { Err(FileError::Nothing(file)) } else { Ok(all) }
}

enum PlaceError {
    Usage(String),
    File(FileError),
}

/// Puts the scenarios where they are wanted, and says what they do not know.
fn place(imported: &mut [Imported], out: Option<&Path>) -> Result<(), PlaceError> {
    match (out, &mut *imported) {
        (_, []) => {}
        (None, [only]) => {
            say_unknown(only);
            print(&only.text, status::OK);
        }
        (Some(file), [only]) if file.extension().is_some_and(|extension| extension == "toml") => {
            write(file, &only.text).map_err(PlaceError::File)?;
            say_written(file, only);
        }
        (None, many) => {
            return Err(PlaceError::Usage(format!("there are {} measurements and one stdout", many.len())));
        }
        (Some(folder), many) => in_folder(folder, many).map_err(PlaceError::File)?,
    }
    Ok(())
}

/// Writes each scenario to a file named after it; of several with one name the later ones are numbered, in their id too.
fn in_folder(folder: &Path, imported: &mut [Imported]) -> Result<(), FileError> {
    std::fs::create_dir_all(folder).map_err(|cause| FileError::Write { path: folder.to_owned(), cause })?;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for scenario in imported {
        let count = seen.entry(scenario.id.clone()).or_default();
        *count += 1;
        if *count > 1 {
            scenario.number(*count);
        }
        let name = scenario.id.rsplit('/').next().unwrap_or_default();
        let path = folder.join(format!("{name}.toml"));
        write(&path, &scenario.text)?;
        say_written(&path, scenario);
    }
    Ok(())
}

/// Writes a file that is not there yet.
fn write(path: &Path, text: &str) -> Result<(), FileError> {
    let failed = |cause| FileError::Write { path: path.to_owned(), cause };
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}

fn say_written(path: &Path, scenario: &Imported) {
    let path = path.display();
    output::notice(format_args!("wrote {path}; play it: roadblock run {path}"));
    say_unknown(scenario);
}

fn say_unknown(scenario: &Imported) {
    if !scenario.unknown.is_empty() {
        output::notice(format_args!("{}: the measurement does not tell", scenario.id));
        for line in &scenario.unknown {
            output::notice(format_args!("  {line}"));
        }
    }
}

/// More than this of a file is not read.
const LARGEST: u64 = 256 * 1024 * 1024;
