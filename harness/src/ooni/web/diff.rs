//! Is the page the one that the test helper got?

use std::collections::BTreeSet;

use super::super::control::ControlHttp;
use super::super::http::Response;
use super::observed::Observed;

/// How the last page differs from the test helper's; nothing where they cannot be compared.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Difference {
    /// The shorter body through the longer.
    pub(super) body_proportion: Option<f64>,
    /// Whether the statuses are the same.
    pub(super) status_code_match: Option<bool>,
    /// Whether some header that not everybody sends is in both.
    pub(super) headers_match: Option<bool>,
    /// Whether the long words of the titles are the same.
    pub(super) title_match: Option<bool>,
}

impl Difference {
    /// That of the page that is no redirect, if one came.
    pub(super) fn new(observed: &Observed) -> Self {
        let page = observed.endpoints.iter().find_map(|endpoint| endpoint.final_response());
        let control = observed.control.as_ref().filter(|control| control.http().is_ok());
        page.zip(control).map(|(page, control)| Self::between(page, &control.page)).unwrap_or_default()
    }

    /// Between a page and the test helper's.
    fn between(page: &Response, control: &ControlHttp) -> Self {
        let status = control.status_code.filter(|status| *status > 0);
        Self {
            body_proportion: proportion(page, control.body_length),
            status_code_match: status.filter(|_| page.code > 0).and_then(|status| same_status(page.code, status)),
            headers_match: status.map(|_| shares_uncommon_header(page, control)),
            title_match: status.map(|_| title_words(&title(page)) == title_words(&control.title)),
        }
    }

    /// Whether the bodies are about as long as each other.
    pub(super) fn body_length_match(&self) -> Option<bool> {
        self.body_proportion.map(|proportion| proportion > ALIKE)
    }

    /// Whether it is another page: one is the same whose status is, and its length, its headers or its title.
    pub(super) fn differs(&self) -> bool {
        let alike = [self.body_length_match(), self.headers_match, self.title_match];
        !(self.status_code_match == Some(true) && alike.contains(&Some(true)))
    }
}

/// Nothing where a body is empty, or not all of it is there.
fn proportion(page: &Response, control: i64) -> Option<f64> {
    let length = u32::try_from(page.body.0.len()).ok().filter(|length| *length > 0 && !page.body_is_truncated)?;
    let control = u32::try_from(control).ok().filter(|length| *length > 0)?;
    Some(f64::from(length.min(control)) / f64::from(length.max(control)))
}

/// Nothing where the test helper itself was refused or failed with something else (ooni/probe#2287).
fn same_status(code: i64, control: i64) -> Option<bool> {
    (code == control || control / 100 == 2).then_some(code == control)
}

fn shares_uncommon_header(page: &Response, control: &ControlHttp) -> bool {
    let listed = page.headers_list.iter().map(|header| header.0.text());
    let own = uncommon(listed.chain(page.headers.keys().cloned()));
    !own.is_disjoint(&uncommon(control.headers.keys().cloned()))
}

fn uncommon(names: impl Iterator<Item = String>) -> BTreeSet<String> {
    names.map(|name| name.to_ascii_lowercase()).filter(|name| !COMMON.contains(&&**name)).collect()
}

fn title(page: &Response) -> String {
    crate::probes::title(&page.body.text()).unwrap_or_default()
}

/// Words of five bytes and more, in any order.
fn title_words(title: &str) -> BTreeSet<String> {
    title.split(' ').filter(|word| word.len() >= LONG).map(str::to_lowercase).collect()
}

/// ts-017: what is longer than this part of the other is about as long.
const ALIKE: f64 = 0.7;
const LONG: usize = 5;
/// What says nothing about whose page it is.
const COMMON: [&str; 25] = [
    "accept-ranges",
    "age",
    "cache-control",
    "cf-ray",
    "content-encoding",
    "content-language",
    "content-type",
    "date",
    "etag",
    "expires",
    "last-modified",
    "link",
    "location",
    "p3p",
    "pragma",
    "server",
    "set-cookie",
    "strict-transport-security",
    "vary",
    "via",
    "x-content-type-options",
    "x-frame-options",
    "x-powered-by",
    "x-varnish",
    "x-xss-protection",
];
