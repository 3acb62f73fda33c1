//! The files and variables that a client inside the lab sees, so that it asks the lab's resolvers and trusts its
//! authority.
//!
//! Everything here is pure: what the host has is passed in, and what comes out the kernel side lays over `/etc`.

pub mod browsers;
pub(crate) mod der;
pub mod environment;
pub mod files;
pub mod java;
pub mod resolution;
pub mod subject_hash;

pub use environment::{environment, scrubbed};
pub use files::{ClientFile, Existing, LabCertificate, client_files};
pub use java::java_keystore;
pub use subject_hash::{SubjectHashError, subject_hash};
