//! Rust tests that run inside roadblock's labs, under plain `cargo test`.
//!
//! ```toml
//! [dev-dependencies]
//! roadblock = { package = "roadblock-testing", git = "https://example.org/roadblock" }
//! ```
//!
//! ```ignore
//! #[roadblock::test(scenario = "ru/whatsapp-2026", phase = "full-block", vantage = "moscow")]
//! fn the_name_does_not_resolve() {
//!     assert!(("web.whatsapp.com", 443).to_socket_addrs().is_err());
//! }
//! ```
//!
//! | setting | what |
//! |---|---|
//! | `scenario` | one of the library, or a path that starts with `.` or `/`, from the package's folder |
//! | `phase`, `vantage` | the last and the first if not given |
//! | `library` | a folder whose scenarios, profiles and lists go before the built-in ones |
//! | `set` | parameters of the scenario: `["NAME=VALUE"]` |
//! | `seed` | a number that all chance comes from; 1 if not given |
//! | `root` | `true`: root's rights over the vantage's own network namespace |
//! | `unsupported` | on a machine that cannot run labs the test fails, or with `"skip"` passes and says so on stderr |
//!
//! **How.** A lab's namespaces must be made before a process has a second thread, and libtest's has several. So the test
//! runs its own executable once more, for this test alone, as the command of `roadblock exec`; `roadblock` is looked for as
//! `$ROADBLOCK` and in the PATH. What the test prints and how it ends there is what it prints and how it ends here, with
//! the line of `roadblock exec` that says what was blocked and why. The lab is not linked into the test: it would bring
//! libnftnl and a hundred crates into everybody's build.
//!
//! **Attributes.** `#[ignore]` and `#[should_panic]` mean what they always do. The attribute of a runtime, such as
//! `#[tokio::test]`, goes *under* `#[roadblock::test]`. A test returns `()`, a `Result` or an `ExitCode`; other types
//! implement [`expansion::Passed`]. nextest runs such tests too; a test with `harness = false` is not one of libtest's and
//! cannot be run so.

pub use roadblock_testing_attribute::test;

mod ending;
mod failure;
mod frame;
mod passed;
mod program;
mod seat;

/// What the attribute writes into tests; not to be used by hand, but for [`Passed`](expansion::Passed).
pub mod expansion {
    pub use crate::ending::{Ends, enter};
    pub use crate::frame::Inside;
    pub use crate::passed::Passed;
    pub use crate::seat::{Seat, Unsupported};
}
