//! The fenced blocks of a page. The harness's `lab_tutorial` reads the same.

/// A block, by what stands behind its fence.
pub(crate) enum Block<'a> {
    /// ```` ```toml file=mine/x.toml ````: the whole of a file.
    Write { file: &'a str, text: &'a str },
    /// ```` ```toml append=mine/x.toml ````: more of it, at its end.
    Append { file: &'a str, text: &'a str },
    /// ```` ```sh ````: commands, one a line.
    Commands(&'a str),
    /// ```` ```toml ````: a part of some file.
    Example(&'a str),
}

/// All blocks of a page that say one of these.
pub(crate) fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut rest = page;
    while let Some((_, fenced)) = rest.split_once("\n```") {
        let (info, body) = fenced.split_once('\n').expect("a block has lines");
        let end = if body.starts_with("```") { 0 } else { body.find("\n```").expect("a block ends") + 1 };
        let (text, after) = body.split_at(end);
        blocks.extend(block(info, text));
        rest = after.strip_prefix("```").unwrap_or(after);
    }
    blocks
}

fn block<'a>(info: &'a str, text: &'a str) -> Option<Block<'a>> {
    let (language, what) = info.split_once(' ').unwrap_or((info, ""));
    match (language, what.split_once('=')) {
        (_, Some(("file", file))) => Some(Block::Write { file, text }),
        (_, Some(("append", file))) => Some(Block::Append { file, text }),
        ("sh", None) => Some(Block::Commands(text)),
        ("toml", None) => Some(Block::Example(text)),
        _ => None,
    }
}
