//! What every page begins and ends with.

use std::fmt::{self, Write};

use super::text::escaped;

/// What may run and load: the page's own style and script, and nothing from anywhere.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; \
                      form-action 'none'";

/// All before the page's header: its title, the style of all pages, and what this one adds to it.
pub(crate) fn head(html: &mut String, title: &str, style: &str) -> fmt::Result {
    write!(
        html,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <title>{}</title>\n<style>\n{}{style}</style>\n</head>\n<body>\n",
        escaped(title),
        include_str!("style.css")
    )
}

/// All after the page's main part: who wrote it, the script of all pages, and what this one adds to it.
pub(crate) fn foot(html: &mut String, version: &str, script: &str) -> fmt::Result {
    write!(
        html,
        "<footer><p>Written by roadblock {}. This page loads nothing and sends nothing.</p></footer>\n\
         <script>\n{}{script}</script>\n</body>\n</html>\n",
        escaped(version),
        include_str!("script.js")
    )
}
