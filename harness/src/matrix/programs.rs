//! Where the programs of tools are looked for.

use std::env;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The folders in which a tool's commands find programs: that of `ci/tools`, then those of `PATH`, then those of what is an
/// administrator's, which an ordinary user's `PATH` may lack and VPNs are in.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    folders: Vec<PathBuf>,
}

impl Programs {
    /// Those of this machine.
    pub(crate) fn here() -> Self {
        let own = fetched(&|name| env::var_os(name));
        let path = env::var_os("PATH").unwrap_or_default();
        let usual = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
        let mut folders: Vec<PathBuf> = own.into_iter().chain(env::split_paths(&path)).chain(usual).collect();
        // A colon cannot be written in a PATH.
        folders.retain(|folder| folder.is_absolute() && !folder.to_string_lossy().contains(':'));
        Self { folders }
    }

    /// Whether a shell would find a program.
    pub(crate) fn has(&self, program: &str) -> bool {
        if program.contains('/') {
            return is_runnable(Path::new(program));
        }
        self.folders.iter().any(|folder| is_runnable(&folder.join(program)))
    }

    /// A shell's command that finds them.
    pub(crate) fn before(&self, command: &str) -> String {
        let folders: Vec<String> = self.folders.iter().map(|folder| folder.display().to_string()).collect();
        format!("export PATH='{}'\n{command}", folders.join(":").replace('\'', r"'\''"))
    }
}

/// Where `ci/tools` puts what it fetches and builds.
fn fetched(variable: &impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = || folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")));
    let tools = folder("ROADBLOCK_TOOLS").or_else(|| Some(cache()?.join("roadblock/tools")));
    Some(tools?.join("bin"))
}

fn is_runnable(path: &Path) -> bool {
    path.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ci_tools_fetches_is_found_where_it_puts_it() {
        let found = |known: &[(&str, &str)]| {
            let value = |name: &str| known.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
            fetched(&value).map(|folder| folder.display().to_string())
        };
        let home = ("HOME", "/home/a");
        assert_eq!(found(&[home]).as_deref(), Some("/home/a/.cache/roadblock/tools/bin"));
        assert_eq!(found(&[home, ("XDG_CACHE_HOME", "/c")]).as_deref(), Some("/c/roadblock/tools/bin"));
        assert_eq!(found(&[home, ("XDG_CACHE_HOME", "")]).as_deref(), Some("/home/a/.cache/roadblock/tools/bin"));
        assert_eq!(found(&[home, ("ROADBLOCK_TOOLS", "/t")]).as_deref(), Some("/t/bin"));
        assert_eq!(found(&[]), None);
    }

    #[test]
    fn a_command_finds_them_whatever_their_folders_are_called() {
        let programs = Programs { folders: vec!["/it's/bin".into(), "/bin".into()] };
        assert_eq!(programs.before("true"), "export PATH='/it'\\''s/bin:/bin'\ntrue");
        assert!(programs.has("sh") && programs.has("/bin/sh"));
        assert!(!programs.has("no-such-program") && !programs.has("/bin"));
    }
}
