//! A matrix in every form.

use quick_junit::SerializeError;

use super::document::Document;
use super::{github, html, junit, markdown};
use crate::report::Reported;
use crate::report::github::Annotation;

impl Reported for Document {
    fn junit(&self) -> Result<String, SerializeError> {
        junit::junit(self)
    }

    fn html(&self) -> String {
        html::page(self)
    }

    fn markdown(&self) -> String {
        markdown::summary(self)
    }

    fn annotations(&self) -> Vec<Annotation> {
        github::annotations(self)
    }
}
