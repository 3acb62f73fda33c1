//! What a test says inside, told from what libtest says around it.

use std::io::{self, Write};

const BEGINS: &str = "\u{2}roadblock: the test begins\u{3}\n";
const ENDS: &str = "\u{2}roadblock: the test ends\u{3}\n";

/// A test that runs inside a lab: made before its first statement, dropped after its last, or while a panic passes.
#[derive(Debug)]
pub struct Inside(());

impl Inside {
    /// Says that the test begins.
    pub(crate) fn begin() -> Self {
        mark(BEGINS);
        Self(())
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        mark(ENDS);
    }
}

/// Past libtest's own capture, which the test was told not to make. A stdout that is gone is noticed outside.
fn mark(line: &str) {
    let mut stdout = io::stdout();
    let _ = stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush());
}

/// What was said between the marks. `None` if the test never began; to the end of all if it never ended, because the
/// process did.
pub(crate) fn between_marks(stdout: &str) -> Option<&str> {
    let (_, said) = stdout.split_once(BEGINS)?;
    Some(said.rsplit_once(ENDS).map_or(said, |(said, _)| said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_test_said_is_kept() {
        let libtest = "\nrunning 1 test\ntest it_works ... ";
        let verdict = "ok\n\ntest result: ok. 1 passed\n";
        assert_eq!(between_marks(&format!("{libtest}{BEGINS}one\ntwo{ENDS}{verdict}")), Some("one\ntwo"));
        assert_eq!(between_marks(&format!("{libtest}{BEGINS}{ENDS}{verdict}")), Some(""));
        assert_eq!(between_marks(&format!("{libtest}{BEGINS}it exits")), Some("it exits"));
        assert_eq!(between_marks("\nrunning 0 tests\n\ntest result: ok. 0 passed\n"), None);
    }
}
