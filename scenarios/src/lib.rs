//! roadblock's scenario format and the library of scenarios.
//!
//! A file goes through three steps. The text becomes a tree in which every value knows its place (`tree`); the tree
//! becomes declarations, one type for each table of the language (`declare`); the declarations are joined with the
//! library's services, lists and profiles, and checked, on the way to a [`model::Scenario`] (`resolve`). All errors come
//! at once, each with its file, its line and what to do.
//!
//! The types in `declare` are written once and give both the reader and the JSON Schema ([`schema`]), so the two cannot
//! drift apart.

mod bogons;
mod check;
mod client_hello;
mod compose;
mod declare;
pub mod diagnostic;
mod kernel_rules;
pub mod library;
mod loader;
pub mod model;
mod profile;
pub mod queries;
mod read;
mod resolve;
mod resolved;
pub mod schema;
pub mod source;
mod suggest;
mod template;
mod tools;
mod tree;

pub use bogons::is_public;
pub use client_hello::with_server_name;
pub use diagnostic::{Diagnostic, DiagnosticKind, Diagnostics, Severity};
pub use library::{DoneBy, Fact, Library, load, load_with, resolve};
pub use model::Scenario;
pub use profile::{Profile, ProfileParameter, ProfileRule};
pub use queries::RuleListing;
pub use read::duration;
pub use resolved::{Origin, Resolved, ResolvedValue, resolved};
pub use source::{Location, SourceFile};
pub use tools::{Folder, FolderFile, LoadedTool, check_tool, is_tool, load_tool, tools};
pub use tree::render::quoted;
