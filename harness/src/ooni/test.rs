//! Which test of OONI's a measurement is.

/// A test of OONI's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Test {
    /// As `web_connectivity`.
    pub(crate) name: &'static str,
    /// The version whose rules are followed.
    pub(crate) version: &'static str,
    /// What its input is made of.
    pub(crate) input: Input,
}

/// What a test's input is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Input {
    /// None: it knows its servers.
    None,
    /// The target as it is written: a URL.
    Target,
    /// The target behind this scheme, as urlgetter (ts-027) writes what is no page.
    Scheme(&'static str),
}

impl Test {
    /// A test that knows its servers.
    pub(crate) const fn own(name: &'static str, version: &'static str) -> Self {
        Self { name, version, input: Input::None }
    }

    /// A test of a URL.
    pub(crate) const fn of_url(name: &'static str, version: &'static str) -> Self {
        Self { name, version, input: Input::Target }
    }

    /// `urlgetter`, with which OONI writes what no other test does; `scheme` is empty for a page.
    pub(crate) const fn urlgetter(scheme: &'static str) -> Self {
        let input = if scheme.is_empty() { Input::Target } else { Input::Scheme(scheme) };
        Self { name: "urlgetter", version: "0.2.0", input }
    }

    /// A test that OONI does not have, of one name; it has roadblock's own name, so that nobody takes it for one of OONI's.
    pub(crate) const fn of_name(scheme: &'static str) -> Self {
        Self { name: "roadblock", version: "0.1.0", input: Input::Scheme(scheme) }
    }

    /// The input for a target.
    pub(crate) fn input_of(self, target: Option<&str>) -> Option<String> {
        match self.input {
            Input::None => None,
            Input::Target => target.map(str::to_owned),
            Input::Scheme(scheme) => target.map(|target| format!("{scheme}://{target}")),
        }
    }
}
