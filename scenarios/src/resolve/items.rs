//! Arrays of names, prefixes, keywords and fingerprints, in which `@lists/x` stands for what a list file holds.

use std::net::IpAddr;

use ipnet::IpNet;
use roadblock_censor::{FingerprintPattern, NamePattern};

use super::Context;
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::source::{SourceFile, Text};
use crate::suggest;

/// Something that lists hold.
pub(crate) trait Item: Sized + Clone + PartialEq {
    /// The mistake of an item that cannot be read.
    const MISTAKE: DiagnosticKind;

    /// Reads one, or says why not and what to do.
    fn item(text: &str) -> Result<Self, (String, String)>;
}

impl Item for NamePattern {
    const MISTAKE: DiagnosticKind = DiagnosticKind::BadPattern;

    fn item(text: &str) -> Result<Self, (String, String)> {
        text.parse().map_err(|error| {
            let help = "write `a.b` for it and all below it, `=a.b` for it alone, `*.a.b` for all below it, \
                        `*a.b` for every name that ends so, `*a*` for every name that holds it, `/re/` for a regular \
                        expression";
            (format!("`{text}` is not a name pattern: {error}"), help.to_owned())
        })
    }
}

impl Item for IpNet {
    const MISTAKE: DiagnosticKind = DiagnosticKind::BadPrefix;

    fn item(text: &str) -> Result<Self, (String, String)> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::from(address));
        }
        let Ok(prefix) = text.parse::<Self>() else {
            let help =
                "write an IPv4 or IPv6 prefix or a single address: \"157.240.0.0/16\", \"2a03:2880::/32\", \"1.1.1.1\"";
            return Err((format!("`{text}` is not a prefix"), help.to_owned()));
        };
        if prefix.trunc() != prefix {
            let help = format!("write `{}`, or the address without the length", prefix.trunc());
            return Err((format!("`{text}` has bits set behind its length"), help));
        }
        Ok(prefix)
    }
}

/// A word that a censor looks for, in letters of either case.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Keyword(pub(crate) String);

impl Item for Keyword {
    const MISTAKE: DiagnosticKind = DiagnosticKind::BadPattern;

    fn item(text: &str) -> Result<Self, (String, String)> {
        if text.is_empty() {
            let message = "an empty keyword is everywhere".to_owned();
            return Err((message, "write the word, or leave it out".to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl Item for FingerprintPattern {
    const MISTAKE: DiagnosticKind = DiagnosticKind::BadPattern;

    fn item(text: &str) -> Result<Self, (String, String)> {
        text.parse().map_err(|error| {
            let help = "write a JA3 (its hash of 32 digits, or its five fields) or a JA4, of whose three parts each may be `*`";
            (format!("`{text}` is not a fingerprint: {error}"), help.to_owned())
        })
    }
}

/// All that the items say, list files read.
pub(crate) fn expand<T: Item>(items: &[Text], context: &Context<'_>, errors: &mut Collector) -> Vec<T> {
    let mut all = Vec::new();
    for item in items {
        match item.strip_prefix('@') {
            Some(list) => all.extend(read_list(list, item, context, errors)),
            None => match T::item(item) {
                Ok(value) => all.push(value),
                Err((message, help)) => errors.push(Diagnostic::new(T::MISTAKE, &item.at, message).help(help)),
            },
        }
    }
    all
}

fn read_list<T: Item>(id: &str, written: &Text, context: &Context<'_>, errors: &mut Collector) -> Vec<T> {
    let Some(source) = context.library.list(id) else {
        let message = format!("the library has no list `@{id}`");
        let lists: Vec<String> = context.library.lists().map(|list| format!("@{list}")).collect();
        let help = suggest::help("it has", written, lists.iter().map(String::as_str));
        errors.push(Diagnostic::new(DiagnosticKind::UnknownList, &written.at, message).help(help));
        return Vec::new();
    };
    errors.open(source);
    lines(source)
        .filter_map(|(start, line)| match T::item(line) {
            Ok(value) => Some(value),
            Err((message, help)) => {
                let at = source.location(start..start + line.len());
                errors.push(Diagnostic::new(T::MISTAKE, &at, message).help(help));
                None
            }
        })
        .collect()
}

/// The items of a list file: one a line, `#` begins a comment.
fn lines(source: &SourceFile) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    source.text().split_inclusive('\n').filter_map(move |line| {
        let first = start;
        start += line.len();
        let item = line.split('#').next().unwrap_or_default();
        let inset = item.len() - item.trim_start().len();
        Some((first + inset, item.trim())).filter(|(_, item)| !item.is_empty())
    })
}
