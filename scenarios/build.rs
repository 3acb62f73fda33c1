//! Tells cargo to build again when a file of the library appears or goes: `include_dir!` alone notices changed files only.

fn main() {
    for folder in ["censors", "lists", "mechanisms", "ru", "services"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
