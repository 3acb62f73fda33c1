//! What can be reported in every form.

use super::github::Annotation;

/// A document from which each reporter makes its own. A further reporter is one more method here, and one line where files
/// are written.
pub(crate) trait Reported {
    /// JUnit's XML, which CI systems read.
    fn junit(&self) -> Result<String, quick_junit::SerializeError>;
    /// A page that needs nothing else.
    fn html(&self) -> String;
    /// A summary in Markdown.
    fn markdown(&self) -> String;
    /// What GitHub shows beside files and with the job.
    fn annotations(&self) -> Vec<Annotation>;
}
