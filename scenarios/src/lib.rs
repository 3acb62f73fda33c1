//! roadblock's scenario format and the library of scenarios.
//!
//! A scenario file goes through four steps, each in a file of its own: the text becomes a tree with spans, the tree
//! becomes declarations (`declare`), the declarations are joined with the library's services, lists and profiles
//! (`resolve`) and checked (`validate`). All errors come at once, each with its file, line and what to do.

pub mod model;
