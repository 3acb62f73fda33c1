//! Tells cargo to build again when a file of the library appears or goes: `include_dir!` alone notices changed files only.

fn main() {
    let folders = [
        "benign",
        "bytes",
        "censors",
        "cn",
        "eg",
        "id",
        "in",
        "ir",
        "kz",
        "lists",
        "mechanisms",
        "mm",
        "ooni",
        "pk",
        "ru",
        "services",
        "tm",
        "tools",
        "tr",
        "ve",
    ];
    for folder in folders {
        println!("cargo::rerun-if-changed={folder}");
    }
}
