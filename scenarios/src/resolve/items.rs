//! Names, prefixes, addresses, keywords and fingerprints, among which `@lists/x` stands for what a list of the library holds,
//! and `@./x.txt` for a file beside the one that names it.

mod except;

use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use roadblock_censor::{FingerprintPattern, NamePattern};

use except::{ItemPlace, LeftOut};

use super::Context;
use crate::declare::Items;
use crate::diagnostic::{Collector, Diagnostic, DiagnosticKind};
use crate::source::{SourceFile, Text};
use crate::suggest;

/// Something that lists hold.
pub(crate) trait Item: Sized + Clone + Eq + Hash {
    /// The mistake of an item that cannot be read.
    const MISTAKE: DiagnosticKind;

    /// Reads one, or says why not and what to do.
    fn item(text: &str) -> Result<Self, (String, String)>;

    /// It as it is written.
    fn written(&self) -> String;

    /// What is left of these where others are left out.
    fn leave_out(all: Vec<Self>, out: &[LeftOut<Self>], errors: &mut Collector) -> Vec<Self> {
        except::whole(&all, out, Self::written, errors)
    }
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

    fn written(&self) -> String {
        self.to_string()
    }

    fn leave_out(all: Vec<Self>, out: &[LeftOut<Self>], errors: &mut Collector) -> Vec<Self> {
        except::names(all, out, errors)
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

    fn written(&self) -> String {
        self.to_string()
    }

    fn leave_out(all: Vec<Self>, out: &[LeftOut<Self>], errors: &mut Collector) -> Vec<Self> {
        except::prefixes(&all, out, errors)
    }
}

impl Item for IpAddr {
    const MISTAKE: DiagnosticKind = DiagnosticKind::BadAddress;

    fn item(text: &str) -> Result<Self, (String, String)> {
        let help = "write it as \"192.0.2.1\" or \"2001:db8::1\"";
        text.parse().map_err(|_| (format!("`{text}` is not an address"), help.to_owned()))
    }

    fn written(&self) -> String {
        self.to_string()
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

    fn written(&self) -> String {
        self.0.clone()
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

    fn written(&self) -> String {
        self.to_string()
    }
}

/// All that the items say, list files read.
pub(crate) fn expand<T: Item>(items: &Items, context: &Context<'_>, errors: &mut Collector) -> Vec<T> {
    let mut all = Vec::new();
    gather(&items.union, context, errors, |item, _| all.push(item));
    if items.except.is_empty() {
        return all;
    }
    let mut out = Vec::new();
    gather(&items.except, context, errors, |item, place| out.push(LeftOut { item, place: place() }));
    T::leave_out(all, &out, errors)
}

/// Hands over each item, and what says its place.
fn gather<T: Item>(
    written: &[Text],
    context: &Context<'_>,
    errors: &mut Collector,
    mut take: impl FnMut(T, &dyn Fn() -> ItemPlace),
) {
    for text in written {
        match text.strip_prefix('@') {
            Some(list) => read_list(list, text, context, errors, &mut take),
            None => match T::item(text) {
                Ok(item) => take(item, &|| ItemPlace::Written(text.at.clone())),
                Err((message, help)) => errors.push(Diagnostic::new(T::MISTAKE, &text.at, message).help(help)),
            },
        }
    }
}

fn read_list<T: Item>(
    id: &str,
    written: &Text,
    context: &Context<'_>,
    errors: &mut Collector,
    take: &mut impl FnMut(T, &dyn Fn() -> ItemPlace),
) {
    let Some(source) = list(id, written, context, errors) else { return };
    errors.open(&source);
    for (start, line) in lines(&source) {
        let place = || ItemPlace::Listed(Arc::clone(&source), start..start + line.len());
        match T::item(line) {
            Ok(item) => take(item, &place),
            Err((message, help)) => {
                errors.push(Diagnostic::new(T::MISTAKE, &place().location(), message).help(help));
            }
        }
    }
}

/// A list of the library, or a file beside the one that names it.
fn list(id: &str, written: &Text, context: &Context<'_>, errors: &mut Collector) -> Option<Arc<SourceFile>> {
    if id.starts_with(['.', '/']) {
        let path = Text { value: id.to_owned(), at: written.at.clone() };
        return context.file_beside(&path, "list", errors);
    }
    let source = context.library.list(id);
    if source.is_none() {
        let message = format!("the library has no list `@{id}`");
        let lists: Vec<String> = context.library.lists().map(|list| format!("@{list}")).collect();
        let help = suggest::help("it has", written, lists.iter().map(String::as_str));
        errors.push(Diagnostic::new(DiagnosticKind::UnknownList, &written.at, message).help(help));
    }
    source.map(Arc::clone)
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
