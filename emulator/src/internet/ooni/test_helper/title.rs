//! A page's title, as OONI's probe finds it (ooni/probe-cli, internal/measurexlite/web.go): the first `<title>`, in any case,
//! without attributes, that holds up to 512 characters and no `<`.

/// The title; empty where there is none.
pub(super) fn title(page: &str) -> &str {
    let lower = page.to_ascii_lowercase();
    let mut starts = lower.match_indices(OPEN).map(|(at, _)| at + OPEN.len());
    let title = starts.find_map(|start| {
        let text = page[start..].split('<').next().unwrap_or_default();
        let closed = lower[start + text.len()..].starts_with(CLOSE);
        (closed && (1..=LONGEST).contains(&text.chars().count())).then_some(text)
    });
    title.unwrap_or_default()
}

const OPEN: &str = "<title>";
const CLOSE: &str = "</title>";
const LONGEST: usize = 512;
