//! Tokens for search in Chinese, digits and Latin letters.
//!
//! Every character position yields exactly one token: for Chinese the character with its successor, for a digit it
//! and the next two, for letters the whole word; at the end of a run what is left of it. So any part of a text that
//! begins with a Chinese character or a digit is a *phrase* of consecutive tokens, wherever it begins, and the last
//! token of a query may be a prefix. Rejected: SQLite's trigram tokenizer (finds no two-character names) and a
//! dictionary of words (megabytes, and names and house numbers are not in it).

/// How long the pieces of a run are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// Chinese, Japanese, Korean and everything else without spaces between words: two characters.
    Wide,
    /// Digits: three.
    Digit,
    /// Letters: the word.
    Letter,
}

impl Class {
    fn of(c: char) -> Option<Self> {
        if c.is_ascii_digit() {
            Some(Self::Digit)
        } else if c.is_ascii_alphabetic() || (c.is_alphabetic() && (c as u32) < 0x1100) {
            Some(Self::Letter)
        } else if c.is_alphanumeric() {
            Some(Self::Wide)
        } else {
            None
        }
    }

    const fn piece(self) -> usize {
        match self {
            Self::Wide => 2,
            Self::Digit => 3,
            Self::Letter => usize::MAX,
        }
    }
}

/// The form in which texts are compared: full-width forms become plain ones, capitals small, and everything that is
/// neither letter nor digit goes.
pub(super) fn normal(text: &str) -> String {
    text.chars().filter_map(plain).filter(|c| Class::of(*c).is_some()).collect()
}

fn plain(c: char) -> Option<char> {
    let c = match c as u32 {
        // U+FF01–U+FF5E are U+0021–U+007E in full width.
        code @ 0xff01..=0xff5e => char::from_u32(code - 0xfee0)?,
        _ => c,
    };
    c.to_lowercase().next()
}

/// The runs of one class, in order; anything else only separates.
fn runs(text: &str) -> Vec<(Class, Vec<char>)> {
    let mut out: Vec<(Class, Vec<char>)> = Vec::new();
    let mut joined = false;
    for c in text.chars().filter_map(plain) {
        let Some(class) = Class::of(c) else {
            // What people put between digits does not part them: 0532-8888, 3-2-501.
            let between_digits = matches!(c, '-' | '(' | ')' | '+' | '–' | '—');
            joined &= between_digits && out.last().is_some_and(|(class, _)| *class == Class::Digit);
            continue;
        };
        match out.last_mut() {
            Some((last, run)) if joined && *last == class => run.push(c),
            _ => out.push((class, vec![c])),
        }
        joined = true;
    }
    out
}

/// The tokens of a text to be found, separated by spaces.
pub(super) fn tokens(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 3);
    for (class, run) in runs(text) {
        match class {
            Class::Letter => push(&mut out, &run),
            _ => (0..run.len()).for_each(|at| {
                let end = run.len().min(at + class.piece());
                push(&mut out, run.get(at..end).unwrap_or_default());
            }),
        }
    }
    out
}

fn push(out: &mut String, token: &[char]) {
    if !out.is_empty() {
        out.push(' ');
    }
    out.extend(token);
}

/// What to look for as an FTS5 expression: a phrase for each part between spaces, all of them to be found. `None` if
/// there is nothing to look for.
pub(super) fn query(text: &str) -> Option<String> {
    let phrases: Vec<String> = text.split_whitespace().filter_map(phrase).collect();
    if phrases.is_empty() { None } else { Some(phrases.join(" AND ")) }
}

fn phrase(part: &str) -> Option<String> {
    let runs = runs(part);
    let (last, before) = runs.split_last()?;
    let mut out = String::new();
    for (class, run) in before {
        let text: String = run.iter().collect();
        let piece = if *class == Class::Letter { text } else { tokens(&text) };
        push(&mut out, &piece.chars().collect::<Vec<_>>());
    }
    let (class, run) = last;
    let piece = class.piece();
    let open = run.len() < piece;
    if open {
        push(&mut out, run);
    } else {
        run.windows(piece).for_each(|window| push(&mut out, window));
    }
    Some(if open { format!("\"{out}\" *") } else { format!("\"{out}\"") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_character_begins_one_token() {
        assert_eq!(tokens("张三丰"), "张三 三丰 丰");
        assert_eq!(tokens("13800"), "138 380 800 00 0");
        assert_eq!(tokens("12号楼3单元"), "12 2 号楼 楼 3 单元 元");
        assert_eq!(tokens("Ｂ座 No.7"), "b 座 no 7");
        assert_eq!(tokens(" ，"), "");
        assert_eq!(tokens("0532-88"), tokens("053288"));
        assert_eq!(tokens("A-B"), "a b");
    }

    #[test]
    fn a_query_is_a_phrase_that_may_end_in_a_prefix() {
        assert_eq!(query("张三").unwrap(), "\"张三\"");
        assert_eq!(query("张").unwrap(), "\"张\" *");
        assert_eq!(query("3号楼5").unwrap(), "\"3 号楼 楼 5\" *");
        assert_eq!(query("1380").unwrap(), "\"138 380\"");
        assert_eq!(query("smi").unwrap(), "\"smi\" *");
        assert_eq!(query("张三 501").unwrap(), "\"张三\" AND \"501\"");
        assert_eq!(query("\"*) OR (").unwrap(), "\"or\" *");
        assert_eq!(query("  ，"), None);
    }

    #[test]
    fn normal_form_joins_what_people_write_differently() {
        assert_eq!(normal("１３８-0000 1111"), "13800001111");
        assert_eq!(normal("No.7 Ａ座"), "no7a座");
    }
}
