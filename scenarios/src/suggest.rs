//! Did you mean …?

/// The candidate nearest to what was written, where one is near enough to be what was meant.
pub(crate) fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(written, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

/// A help text: the nearest candidate, or all of them.
pub(crate) fn help<'a>(what: &str, written: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let all = list(candidates.iter().copied());
    match nearest(written, candidates.iter().copied()) {
        Some(nearest) if candidates.len() > SHOWN => format!("did you mean `{nearest}`?"),
        Some(nearest) => format!("did you mean `{nearest}`? {what}: {all}"),
        None if candidates.is_empty() => format!("{what}: none"),
        None => format!("{what}: {all}"),
    }
}

/// `a`, `b`, `c` and 12 more.
pub(crate) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.len().checked_sub(SHOWN) {
        Some(more) if more > 0 => format!("{} and {more} more", words[..SHOWN].join(", ")),
        _ => words.join(", "),
    }
}

/// How many candidates a message lists.
const SHOWN: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_seen_and_a_stranger_is_not() {
        assert_eq!(nearest("resolver", ["resolvers", "path"]), Some("resolvers"));
        assert_eq!(nearest("zzz", ["resolvers", "path"]), None);
    }
}
