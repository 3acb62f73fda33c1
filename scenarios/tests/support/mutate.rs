//! Files as people break them: the library's scenarios, each with one to three slips of the pen, the same for the same number.

use roadblock_scenarios::Library;

/// A file of the library with slips in it.
#[derive(Debug)]
pub(crate) struct Mutated {
    /// Which file, and what was done to it.
    pub(crate) name: String,
    /// What became of it.
    pub(crate) text: String,
}

/// The mutated file of this number.
pub(crate) fn mutated(number: u64, library: &Library) -> Mutated {
    let mut dice = Dice(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x0bad_5eed);
    let ids: Vec<&str> = library.ids().collect();
    let id = ids[dice.below(ids.len())];
    let mut text = library.document(id).expect("it is there").text().to_owned();
    // A path's file has no place in the library.
    let mut done = Vec::new();
    for _ in 0..=dice.below(3) {
        let (what, slip) = SLIPS[dice.below(SLIPS.len())];
        text = slip(&text, &mut dice);
        done.push(what);
    }
    Mutated { name: format!("{number}: {id}, {}", done.join(", ")), text }
}

type Slip = fn(&str, &mut Dice) -> String;

/// Each with its name.
const SLIPS: &[(&str, Slip)] = &[
    ("a line gone", line_gone),
    ("two lines exchanged", lines_exchanged),
    ("a line twice", line_twice),
    ("a value of another type", other_type),
    ("a key misspelt", key_misspelt),
    ("cut off", cut_off),
    ("a table twice", table_twice),
    ("a table gone", table_gone),
    ("a quote changed", quote_changed),
    ("a huge number", huge_number),
    ("a character gone", character_gone),
    ("a character too many", character_too_many),
    ("a text exchanged for another", text_exchanged),
    ("a number below nothing", negative_number),
];

fn line_gone(text: &str, dice: &mut Dice) -> String {
    let mut lines = lines(text);
    lines.remove(dice.below(lines.len()));
    lines.join("\n")
}

fn lines_exchanged(text: &str, dice: &mut Dice) -> String {
    let mut lines = lines(text);
    let (one, other) = (dice.below(lines.len()), dice.below(lines.len()));
    lines.swap(one, other);
    lines.join("\n")
}

fn line_twice(text: &str, dice: &mut Dice) -> String {
    let mut lines = lines(text);
    let at = dice.below(lines.len());
    lines.insert(at, lines[at]);
    lines.join("\n")
}

fn other_type(text: &str, dice: &mut Dice) -> String {
    let values = ["7", "true", "\"x\"", "[]", "{}", "1.5", "2026-01-01", "[[1]]", "{ a = 1 }", "-1", "\"\""];
    let value = values[dice.below(values.len())];
    let mut lines: Vec<String> = lines(text).into_iter().map(str::to_owned).collect();
    let with_value: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].contains(" = ")).collect();
    if let Some(at) = with_value.get(dice.below(with_value.len().max(1))) {
        let key = lines[*at].split(" = ").next().unwrap_or_default().to_owned();
        lines[*at] = format!("{key} = {value}");
    }
    lines.join("\n")
}

fn key_misspelt(text: &str, dice: &mut Dice) -> String {
    let keys: Vec<usize> = text.match_indices(" = ").map(|(at, _)| at).filter(|at| *at > 2).collect();
    let Some(end) = keys.get(dice.below(keys.len().max(1))).copied() else { return text.to_owned() };
    let (before, after) = text.split_at(floor(text, end - 1));
    format!("{before}{}{after}", ["x", "_", "s", "-"][dice.below(4)])
}

fn cut_off(text: &str, dice: &mut Dice) -> String {
    text[..floor(text, dice.below(text.len() + 1))].to_owned()
}

fn table_twice(text: &str, dice: &mut Dice) -> String {
    let tables = tables(text);
    let (start, end) = tables[dice.below(tables.len())];
    format!("{}\n{}", text, &text[start..end])
}

fn table_gone(text: &str, dice: &mut Dice) -> String {
    let tables = tables(text);
    let (start, end) = tables[dice.below(tables.len())];
    format!("{}{}", &text[..start], &text[end..])
}

fn quote_changed(text: &str, dice: &mut Dice) -> String {
    let quote = ["'", "", "\"\"", "`", "\u{201c}"][dice.below(5)];
    let quotes: Vec<(usize, usize)> = text.match_indices('"').map(|(at, _)| (at, at + 1)).collect();
    replaced(text, &quotes, quote, dice)
}

fn huge_number(text: &str, dice: &mut Dice) -> String {
    let huge = ["99999999999999999999", "4294967296", "65536", "0xffffffff", "1e999"][dice.below(5)];
    replaced(text, &numbers(text), huge, dice)
}

fn negative_number(text: &str, dice: &mut Dice) -> String {
    replaced(text, &numbers(text), ["-1", "-0", "-9223372036854775809"][dice.below(3)], dice)
}

fn character_gone(text: &str, dice: &mut Dice) -> String {
    let at = floor(text, dice.below(text.len().max(1)));
    let (before, after) = text.split_at(at);
    format!("{before}{}", after.chars().skip(1).collect::<String>())
}

fn character_too_many(text: &str, dice: &mut Dice) -> String {
    let characters = ["[", "]", "{", "}", "=", "\"", ".", ",", "\n", "\0", "é", "#", "$", "@", "*", "/", "~"];
    let (before, after) = text.split_at(floor(text, dice.below(text.len() + 1)));
    format!("{before}{}{after}", characters[dice.below(characters.len())])
}

/// Two texts of the file change places, as when a name stands where an address should.
fn text_exchanged(text: &str, dice: &mut Dice) -> String {
    let quotes: Vec<usize> = text.match_indices('"').map(|(at, _)| at).collect();
    let texts: Vec<(usize, usize)> = quotes.chunks_exact(2).map(|pair| (pair[0], pair[1] + 1)).collect();
    let Some((start, end)) = texts.get(dice.below(texts.len().max(1))).copied() else { return text.to_owned() };
    replaced(text, &texts, &text[start..end], dice)
}

fn replaced(text: &str, places: &[(usize, usize)], with: &str, dice: &mut Dice) -> String {
    let Some((start, end)) = places.get(dice.below(places.len().max(1))).copied() else { return text.to_owned() };
    format!("{}{with}{}", &text[..start], &text[end..])
}

/// At least one, so that there is one to choose.
fn lines(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().collect();
    if lines.is_empty() { vec![""] } else { lines }
}

/// From each header to the next; the whole text where there is none.
fn tables(text: &str) -> Vec<(usize, usize)> {
    let mut starts: Vec<usize> = text.match_indices("\n[").map(|(at, _)| at + 1).collect();
    starts.insert(0, 0);
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().copied().zip(ends).collect()
}

fn numbers(text: &str) -> Vec<(usize, usize)> {
    let mut numbers = Vec::new();
    let mut start = None;
    for (at, character) in text.char_indices().chain([(text.len(), ' ')]) {
        match (character.is_ascii_digit(), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                numbers.push((from, at));
                start = None;
            }
            _ => {}
        }
    }
    numbers
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

/// `SplitMix64` (Steele et al., 2014): the same numbers everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % bound as u64).expect("below a usize")
    }
}
