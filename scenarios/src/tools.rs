//! Tool files and what lies beside them: of the library, and of the user's.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use include_dir::{Dir, include_dir};

use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind, Diagnostics};
use crate::library::{Library, about_argument, is_path};
use crate::loader::TOOLS;
use crate::model::Tool;
use crate::resolve;
use crate::source::SourceFile;
use crate::suggest;

/// The tools that the binary carries, each in a folder of its own.
static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/tools");

/// A tool, and all that lies beside its file.
#[derive(Clone, Debug)]
pub struct LoadedTool {
    /// The tool.
    pub tool: Tool,
    /// The files of its folder.
    pub folder: Folder,
}

/// The files of a folder and of those below it.
#[derive(Clone, Debug, Default)]
pub struct Folder {
    /// By their paths from the folder, with `/`.
    pub files: BTreeMap<String, FolderFile>,
}

/// A file of a folder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FolderFile {
    /// What it holds.
    pub contents: Arc<[u8]>,
    /// Whether it can be run. A file of the binary's that begins with `#!` can.
    pub executable: bool,
}

/// The tool that an argument names: a path if it starts with `/` or `.` or ends in `.toml`, else a tool of the library, as
/// `tools/openvpn`.
pub fn load_tool(argument: &str, library: &Library) -> Result<LoadedTool, Diagnostics> {
    let mut errors = Collector::default();
    let loaded = load(argument, library, &mut errors);
    errors.finish(loaded)
}

/// Whether an argument names a tool of the library, or a file that is one.
pub fn is_tool(argument: &str) -> bool {
    if !is_path(argument) {
        return argument.starts_with("tools/");
    }
    fs::read_to_string(argument).is_ok_and(|text| resolve::is_tool(argument, &text))
}

/// The ids of the library's tools, as `tools/openvpn`, sorted.
pub fn tools(library: &Library) -> Vec<String> {
    let mut ids: Vec<String> = EMBEDDED.dirs().filter_map(|folder| id_of(folder.path())).collect();
    if let Some(place) = library.place() {
        let folders = fs::read_dir(place.join(TOOLS)).into_iter().flatten().flatten();
        let own = folders.filter(|entry| entry.path().join(FILE).is_file());
        ids.extend(own.filter_map(|entry| id_of(Path::new(&entry.file_name()))));
    }
    ids.sort();
    ids.dedup();
    ids
}

fn id_of(folder: &Path) -> Option<String> {
    Some(format!("{TOOLS}/{}", folder.file_name()?.to_str()?))
}

/// Checks a tool file. Where nothing is wrong, gives the warnings, of which there are none yet.
pub fn check_tool(argument: &str, library: &Library) -> Result<Diagnostics, Diagnostics> {
    let mut errors = Collector::with_warnings();
    let loaded = load(argument, library, &mut errors);
    errors.finish_with_warnings(loaded).map(|(_, warnings)| warnings)
}

fn load(argument: &str, library: &Library, errors: &mut Collector) -> Option<LoadedTool> {
    if is_path(argument) {
        let path = Path::new(argument);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = path.file_name()?.to_str()?;
        return read(argument, path, errors)
            .and_then(|text| built(&text, argument, &name_of(path), errors))
            .and_then(|tool| Some(LoadedTool { tool, folder: whole(argument, folder, file, errors)? }));
    }
    let name = argument.strip_prefix("tools/").unwrap_or(argument);
    let own = library.place().map(|place| place.join(TOOLS).join(name)).filter(|folder| folder.join(FILE).is_file());
    if let Some(folder) = own {
        let shown = folder.join(FILE).display().to_string();
        let text = read(&shown, &folder.join(FILE), errors)?;
        let tool = built(&text, &shown, name, errors)?;
        return Some(LoadedTool { tool, folder: whole(&shown, &folder, FILE, errors)? });
    }
    let Some(folder) = EMBEDDED.get_dir(name) else {
        let all = tools(library);
        let message = format!("the library has no tool `{argument}`");
        let help = suggest::help("it has", argument, all.iter().map(String::as_str));
        let help = format!("{help}; for a file of yours write its path, as `./tool.toml`");
        let mistake = about_argument(DiagnosticKind::UnknownTool, argument, &message, errors).help(help);
        errors.push(mistake);
        return None;
    };
    let folder = embedded(folder, folder.path());
    let text = folder.files.get(FILE).map(|file| String::from_utf8_lossy(&file.contents).into_owned())?;
    let tool = built(&text, &format!("{TOOLS}/{name}/{FILE}"), name, errors)?;
    Some(LoadedTool { tool, folder })
}

fn built(text: &str, shown: &str, name: &str, errors: &mut Collector) -> Option<Tool> {
    resolve::tool(&Arc::new(SourceFile::new(shown, text)), name, errors)
}

fn read(shown: &str, path: &Path, errors: &mut Collector) -> Option<String> {
    match crate::loader::text(path) {
        Ok(text) => Some(text),
        Err(error) => unreadable(shown, &format!("cannot read `{shown}`: {error}"), errors),
    }
}

fn whole(shown: &str, folder: &Path, file: &str, errors: &mut Collector) -> Option<Folder> {
    let mut files = Folder::default();
    match files.gather(folder, "", &mut Room { bytes: MOST_BYTES, files: MOST_FILES }) {
        Ok(()) => Some(files),
        Err(error) => {
            let message = format!("cannot read what lies beside `{file}`, in `{}`: {error}", folder.display());
            unreadable(shown, &message, errors)
        }
    }
}

fn unreadable<T>(shown: &str, message: &str, errors: &mut Collector) -> Option<T> {
    let help = "a tool file has a folder of its own, with nothing in it that its commands do not need";
    let mistake: Diagnostic = about_argument(DiagnosticKind::Unreadable, shown, message, errors).help(help);
    errors.push(mistake);
    None
}

/// How much may still come.
struct Room {
    bytes: u64,
    files: usize,
}

impl Folder {
    /// Adds what lies in a folder. What begins with a dot is none of a tool's, as the history of a repository is not.
    fn gather(&mut self, folder: &Path, prefix: &str, room: &mut Room) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let about = fs::metadata(entry.path());
            if name.starts_with('.') {
                continue;
            }
            let about = about?;
            if about.is_dir() {
                // A link to a folder above would go round for ever.
                if !entry.file_type()?.is_symlink() {
                    self.gather(&entry.path(), &format!("{prefix}{name}/"), room)?;
                }
                continue;
            }
            if !about.is_file() {
                continue;
            }
            room.files = room.files.checked_sub(1).ok_or_else(too_much)?;
            room.bytes = room.bytes.checked_sub(about.len()).ok_or_else(too_much)?;
            let contents = fs::read(entry.path())?.into();
            let executable = about.permissions().mode() & 0o111 != 0;
            self.files.insert(format!("{prefix}{name}"), FolderFile { contents, executable });
        }
        Ok(())
    }
}

fn too_much() -> io::Error {
    let message = format!("there are more than {} MB or {MOST_FILES} files, and each lab has a copy", MOST_BYTES >> 20);
    io::Error::new(io::ErrorKind::FileTooLarge, message)
}

fn embedded(folder: &Dir<'_>, root: &Path) -> Folder {
    let mut all = Folder::default();
    for file in folder.files() {
        let Some(path) = file.path().strip_prefix(root).ok().and_then(Path::to_str) else { continue };
        let executable = file.contents().starts_with(b"#!");
        all.files.insert(path.to_owned(), FolderFile { contents: file.contents().into(), executable });
    }
    for inner in folder.dirs() {
        all.files.extend(embedded(inner, root).files);
    }
    all
}

/// What a file is called that does not say: the folder for `tool.toml`, else the file without its ending.
fn name_of(path: &Path) -> String {
    let is_usual = path.file_name().is_some_and(|name| name == FILE);
    let folder = || fs::canonicalize(path).ok()?.parent()?.file_name()?.to_str().map(str::to_owned);
    let file = || path.file_stem()?.to_str().map(str::to_owned);
    let name = if is_usual { folder().or_else(file) } else { file() };
    name.unwrap_or_else(|| "tool".to_owned())
}

const FILE: &str = "tool.toml";
const MOST_BYTES: u64 = 64 << 20;
const MOST_FILES: usize = 1000;
