//! Tokens for search in Chinese, digits and Latin letters.
//!
//! Every character position yields exactly one token: for Chinese the character with its successor, for a digit it
//! and the next two, for letters the whole word; at the end of a run what is left of it. So any part of a text that
//! begins with a Chinese character or a digit has tokens that the text has too, wherever it begins, and the last of
//! them may be a prefix. The index keeps which record has which token and nothing else: it only proposes records,
//! whose texts are then looked at (store/rank.rs). Rejected: SQLite's trigram tokenizer (finds no two-character
//! names), a dictionary of words (megabytes, and names and house numbers are not in it), positions in the index and
//! whole texts in a table beside it (three times the size).

use std::collections::BTreeSet;

use super::sound::Sound;

/// What a token says, as the character that it begins with. Pieces of texts have none.
pub(super) mod mark {
    /// How a text begins, and how long it is if that is not all.
    pub(crate) const HEAD: char = '\u{e001}';
    /// Three digits of a telephone number. Apart from house numbers: those are looked up by a single digit too.
    pub(crate) const PHONE: char = '\u{e002}';
    /// How a telephone number begins.
    pub(crate) const PHONE_HEAD: char = '\u{e003}';
    /// Full pinyin.
    pub(crate) const FULL: char = '\u{e004}';
    /// First letters of the pinyin.
    pub(crate) const INITIALS: char = '\u{e005}';
    /// One syllable.
    pub(crate) const SYLLABLE: char = '\u{e006}';
    /// Two characters with one between them: what is left of a name when that one is mistaken.
    pub(crate) const SKIP: char = '\u{e007}';
    /// The word for a need, of a care tag.
    pub(crate) const NEED: char = '\u{e008}';
    /// Between a text's beginning and its length.
    pub(crate) const LENGTH: char = '\u{e000}';
}

/// Characters in a token that says how a text begins.
pub(super) const HEAD: usize = 4;

/// Digits of a telephone number without which nothing is looked for in telephone numbers.
pub(super) const PHONE_DIGITS: usize = 3;

/// Characters of a name in which one mistaken in the middle is bridged.
const SKIPPED: usize = 8;

/// How a text is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// By its characters and by its sound.
    Name,
    /// By its characters.
    Plain,
    /// By its sound; its characters are part of another text.
    Sound,
    /// By its digits, however they are grouped.
    Phone,
    /// By the labels of a need.
    Need,
}

/// A text that a record is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) form: Form,
    /// As it stands in the record.
    pub(super) raw: String,
    /// In normal form; not empty.
    pub(super) normal: String,
}

/// How long the pieces of a run are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Chinese, Japanese, Korean and everything else without spaces between words: two characters.
    Wide,
    /// Digits: three.
    Digit,
    /// Letters: the word.
    Letter,
}

impl Class {
    pub(super) fn of(c: char) -> Option<Self> {
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
    // The letter that keyboards have for it in pinyin.
    if c == 'ü' || c == 'Ü' { Some('v') } else { c.to_lowercase().next() }
}

/// The runs of one class, in order; anything else separates words of letters, and nothing else: 0532-8888, 3 号 楼.
pub(super) fn runs(text: &str) -> Vec<(Class, Vec<char>)> {
    let mut out: Vec<(Class, Vec<char>)> = Vec::new();
    let mut joined = false;
    for c in text.chars().filter_map(plain) {
        let Some(class) = Class::of(c) else {
            joined &= out.last().is_some_and(|(class, _)| *class != Class::Letter);
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

/// The tokens of a text's pieces.
pub(super) fn pieces_of(text: &str) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for (class, run) in runs(text) {
        match class {
            Class::Letter => {
                out.insert(run.iter().collect());
            }
            _ => (0..run.len()).for_each(|at| {
                let end = run.len().min(at.saturating_add(class.piece()));
                out.insert(run.get(at..end).unwrap_or_default().iter().collect());
            }),
        }
    }
    out
}

/// The token for how a text begins.
pub(super) fn head(mark: char, normal: &str) -> String {
    let length = normal.chars().count();
    let mut out = String::from(mark);
    out.extend(normal.chars().take(HEAD));
    if length > HEAD {
        out.push_str(&format!("{}{length}", mark::LENGTH));
    }
    out
}

/// Every token of a text.
pub(super) fn tokens(text: &Text, out: &mut BTreeSet<String>) {
    match text.form {
        Form::Name | Form::Plain => {
            out.extend(pieces_of(&text.raw));
            out.insert(head(mark::HEAD, &text.normal));
        }
        Form::Phone => {
            let digits: Vec<char> = text.normal.chars().collect();
            out.extend(digits.windows(PHONE_DIGITS).map(|window| marked(mark::PHONE, window.iter())));
            out.insert(head(mark::PHONE_HEAD, &text.normal));
        }
        Form::Need => {
            out.insert(format!("{}{}", mark::NEED, text.normal));
        }
        Form::Sound => {}
    }
    if matches!(text.form, Form::Name | Form::Sound) {
        if let Some(sound) = Sound::of(&text.normal) {
            out.extend(sound.full().iter().map(|full| format!("{}{full}", mark::FULL)));
            out.extend(sound.initials().iter().map(|letters| format!("{}{letters}", mark::INITIALS)));
            out.extend(sound.syllables().iter().map(|syllable| format!("{}{syllable}", mark::SYLLABLE)));
        }
        let chars: Vec<char> = text.normal.chars().take(SKIPPED).collect();
        out.extend(chars.windows(3).filter_map(skip));
    }
}

/// The token of three Chinese characters whose middle one is left open.
pub(super) fn skip(three: &[char]) -> Option<String> {
    let wide = |c: &char| Class::of(*c) == Some(Class::Wide);
    match three {
        [first, _, last] if wide(first) && wide(last) => Some(marked(mark::SKIP, [first, last].into_iter())),
        _ => None,
    }
}

fn marked<'c>(mark: char, chars: impl Iterator<Item = &'c char>) -> String {
    let mut out = String::from(mark);
    out.extend(chars);
    out
}

/// A piece of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) token: String,
    /// The token of the text may go on.
    pub(super) open: bool,
    /// The characters of the query that it covers.
    pub(super) from: usize,
    pub(super) to: usize,
    /// Left out, the others of its run still cover it.
    pub(super) spare: bool,
}

/// The pieces that a text must have in order to contain this word.
pub(super) fn pieces(word: &str) -> Vec<Piece> {
    let runs = runs(word);
    let count = runs.len();
    let mut out = Vec::new();
    let mut from = 0;
    for (n, (class, run)) in runs.iter().enumerate() {
        let size = class.piece();
        let mut push = |at: usize, length: usize, open: bool, spare: bool| {
            let token = run.iter().skip(at).take(length).collect();
            out.push(Piece { token, open, from: from + at, to: from + at + length, spare });
        };
        if run.len() < size {
            push(0, run.len(), n + 1 == count, false);
        } else {
            let last = run.len() - size;
            (0..=last).for_each(|at| push(at, size, false, at % size != 0 && at != last));
        }
        from += run.len();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(text: &str) -> String {
        let mut out: Vec<String> = pieces_of(text).into_iter().collect();
        out.sort();
        out.join(" ")
    }

    #[test]
    fn each_character_begins_one_token() {
        assert_eq!(joined("张三丰"), "三丰 丰 张三");
        assert_eq!(joined("13800"), "0 00 138 380 800");
        assert_eq!(joined("12号楼3单元"), "12 2 3 元 单元 号楼 楼");
        assert_eq!(joined("Ｂ座 No.7"), "7 b no 座");
        assert_eq!(joined(" ，"), "");
        assert_eq!(joined("0532-88"), joined("053288"));
        assert_eq!(joined("A-B"), "a b");
    }

    #[test]
    fn the_last_piece_of_a_query_may_be_a_prefix() {
        let told = |word: &str| -> Vec<String> {
            let tell = |piece: Piece| piece.token + if piece.open { "*" } else { "" };
            pieces(word).into_iter().map(tell).collect()
        };
        assert_eq!(told("张三"), ["张三"]);
        assert_eq!(told("张"), ["张*"]);
        assert_eq!(told("3号楼5"), ["3", "号楼", "5*"]);
        assert_eq!(told("1380"), ["138", "380"]);
        assert_eq!(told("smi"), ["smi*"]);
        assert_eq!(told("\"*) ，"), [""; 0]);
    }

    #[test]
    fn normal_form_joins_what_people_write_differently() {
        assert_eq!(normal("１３８-0000 1111"), "13800001111");
        assert_eq!(normal("No.7 Ａ座"), "no7a座");
    }
}
