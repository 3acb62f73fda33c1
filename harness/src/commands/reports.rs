//! The files and lines that a document becomes besides what goes to stdout.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::cli::{ReporterArguments, When};
use crate::output;
use crate::report::github::Annotation;
use crate::report::{OutputFile, OutputFileError, Reported};

/// The reporters that are wanted, their files open.
#[derive(Debug)]
pub(super) struct Reports {
    junit: Option<OutputFile>,
    html: Option<OutputFile>,
    markdown: Option<OutputFile>,
    github: Option<GitHub>,
}

/// What a job of GitHub's is told.
#[derive(Debug)]
struct GitHub {
    summary: Option<OutputFile>,
    workspace: Option<PathBuf>,
    /// Where files are named from: the lab's process may be elsewhere.
    here: PathBuf,
}

/// Why something was not reported.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReportsError {
    /// A file cannot be written.
    #[error(transparent)]
    File(#[from] OutputFileError),
    /// The XML cannot be made.
    #[error("failed to write the JUnit file: {0}")]
    Xml(#[from] quick_junit::SerializeError),
}

impl Reports {
    /// Opens what is asked for.
    pub(super) fn open(arguments: &ReporterArguments) -> Result<Self, OutputFileError> {
        let open = |path: &Option<PathBuf>| path.as_deref().map(OutputFile::replace).transpose();
        let is_wanted = match arguments.github {
            When::Always => true,
            When::Never => false,
            When::Auto => std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true"),
        };
        Ok(Self {
            junit: open(&arguments.junit)?,
            html: open(&arguments.html)?,
            markdown: open(&arguments.markdown)?,
            github: is_wanted.then(GitHub::open).transpose()?,
        })
    }

    /// Reports everywhere.
    pub(super) fn write(self, document: &impl Reported) -> Result<(), ReportsError> {
        if let Some(file) = self.junit {
            file.write(&document.junit()?)?;
        }
        if let Some(file) = self.html {
            file.write(&document.html())?;
        }
        if let Some(file) = self.markdown {
            file.write(&document.markdown())?;
        }
        if let Some(github) = self.github {
            github.write(document)?;
        }
        Ok(())
    }
}

impl GitHub {
    fn open() -> Result<Self, OutputFileError> {
        let variable = |name| std::env::var_os(name).filter(|value: &OsString| !value.is_empty());
        let summary = variable("GITHUB_STEP_SUMMARY").map(|path| OutputFile::append(Path::new(&path))).transpose()?;
        let here = std::env::current_dir().unwrap_or_default();
        Ok(Self { summary, workspace: variable("GITHUB_WORKSPACE").map(PathBuf::from), here })
    }

    fn write(self, document: &impl Reported) -> Result<(), OutputFileError> {
        for annotation in document.annotations() {
            output::notice(self.in_workspace(annotation));
        }
        match self.summary {
            Some(file) => file.write(&document.markdown()),
            None => Ok(()),
        }
    }

    /// A file is named as it is from the top of the checkout; what is no file of this machine, as the library inside this
    /// binary, is not named at all.
    fn in_workspace(&self, annotation: Annotation) -> Annotation {
        let place = annotation.place.and_then(|(file, line)| {
            let path = self.here.join(&file).canonicalize().ok()?;
            let workspace = self.workspace.as_ref().and_then(|workspace| workspace.canonicalize().ok());
            let named = workspace.and_then(|workspace| path.strip_prefix(workspace).map(Path::to_owned).ok());
            Some((named.unwrap_or(path).display().to_string(), line))
        });
        Annotation { place, ..annotation }
    }
}
