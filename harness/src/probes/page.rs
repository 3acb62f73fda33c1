//! Whose page it is: the lab's pages are known by their titles.

/// Whether a page has this title; any page is right where none is known.
pub(crate) fn is_titled(html: &str, title: Option<&str>) -> bool {
    title.is_none_or(|title| self::title(html).as_deref() == Some(title))
}

/// What stands in `<title>`.
pub(crate) fn title(html: &str) -> Option<String> {
    let lower = html.to_ascii_lowercase();
    let start = lower.find("<title>")? + "<title>".len();
    let length = lower.get(start..)?.find("</title>")?;
    Some(unescaped(html.get(start..start + length)?.trim()))
}

fn unescaped(text: &str) -> String {
    // `&amp;` last, so that `&amp;lt;` stays `&lt;`.
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#x27;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (written, meant)| text.replace(written, meant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_found_in_any_case_and_unescaped() {
        assert_eq!(title("<HTML><Title> A &amp; B &lt;3 </TITLE>").as_deref(), Some("A & B <3"));
        assert_eq!(title("<title>never ends"), None);
        assert!(is_titled("no title at all", None));
        assert!(!is_titled("no title at all", Some("WhatsApp Web")));
    }
}
