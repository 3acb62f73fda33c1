//! What a test gives back where it passed elsewhere.

use std::process::ExitCode;

/// A test's return type, of which libtest takes one value for "passed".
#[diagnostic::on_unimplemented(
    message = "a test in a lab cannot return `{Self}`",
    note = "a test returns `()`, a `Result` or an `ExitCode`; implement `roadblock::expansion::Passed` for other types"
)]
pub trait Passed {
    /// That value.
    fn passed() -> Self;
}

impl Passed for () {
    fn passed() -> Self {}
}

impl Passed for ExitCode {
    fn passed() -> Self {
        Self::SUCCESS
    }
}

impl<T: Passed, E> Passed for Result<T, E> {
    fn passed() -> Self {
        Ok(T::passed())
    }
}
