//! What a search asks for: which tokens propose records for each tier, and how well a proposed record fits.
//!
//! The index knows tokens without order, so it proposes too much; the texts of a record decide. Tiers that propose
//! for common queries propose little beside what they tell, so that a page needs few records to be read.

use std::collections::BTreeSet;

use gridwalk_model::records::FieldValue;
use gridwalk_model::records::care_tag::Need;
use gridwalk_model::schema::Word;

use super::search::Tier;
use super::sound::{self, Sound, Unit};
use super::tokens::{self, Class, Form, Text, mark};

/// The longest query in which a mistake is looked for, in characters.
const TYPO_MAX: usize = 16;

/// The shortest pinyin or Latin word in which one is.
const TYPO_LETTERS: usize = 4;

/// What is looked for.
#[derive(Clone, Debug)]
pub(super) struct Query {
    /// All of it in normal form.
    whole: String,
    /// Its parts between spaces, in normal form.
    words: Vec<String>,
    /// The needs that a part names.
    needs: Vec<Vec<&'static str>>,
}

impl Query {
    /// `None` if there is nothing to look for.
    pub(super) fn of(text: &str) -> Option<Self> {
        let words: Vec<String> =
            text.split_whitespace().map(tokens::normal).filter(|word| !word.is_empty()).collect();
        let whole = words.concat();
        let needs = words.iter().map(|word| needs(word)).collect();
        (!whole.is_empty()).then_some(Self { whole, words, needs })
    }

    /// The FTS5 expression that proposes records for a tier; `None` if it has none.
    pub(super) fn expression(&self, tier: Tier) -> Option<String> {
        match tier {
            Tier::Exact => any([Some(self.head(true, mark::HEAD)), self.phone_head(true)]),
            Tier::Prefix => {
                let begins = any([Some(self.head(false, mark::HEAD)), self.phone_head(false)])?;
                let told = self.expression(Tier::Exact).filter(|_| self.is_short());
                Some(told.map_or_else(|| begins.clone(), |told| format!("{begins} NOT {told}")))
            }
            Tier::SoundExact => letters(&self.whole).then(|| {
                format!("{} OR {}", exact(mark::FULL, &self.whole), exact(mark::INITIALS, &self.whole))
            }),
            Tier::SoundPrefix => sound_prefix(&self.whole),
            Tier::Part => {
                let several = self.words.len() > 1;
                let parts = all(self.words.iter().map(|word| part(word, several)))?;
                let told = any([Some(self.head(false, mark::HEAD)), self.phone_head(false)]);
                let told = told.filter(|_| self.is_short());
                Some(told.map_or_else(|| parts.clone(), |told| format!("{parts} NOT {told}")))
            }
            Tier::About => {
                let tiers =
                    [Tier::Exact, Tier::Prefix, Tier::SoundExact, Tier::SoundPrefix, Tier::Part].into_iter();
                any(tiers.map(|tier| self.expression(tier).map(|tier| format!("({tier})"))))
            }
            Tier::Need => {
                let named = self.needs.iter().flatten().map(|need| exact(mark::NEED, &tokens::normal(need)));
                any(named.map(Some))
            }
            Tier::Typo => self.typo(),
        }
    }

    /// Whether the tokens for how texts begin say by themselves which texts begin with it.
    fn is_short(&self) -> bool {
        self.whole.chars().count() <= tokens::HEAD
    }

    fn head(&self, whole: bool, mark: char) -> String {
        let length = self.whole.chars().count();
        let cover = || {
            let pieces = tokens::pieces(&self.whole).into_iter().filter(|piece| !piece.spare);
            let wide =
                |piece: &tokens::Piece| piece.token.chars().all(|c| Class::of(c) != Some(Class::Letter));
            pieces.filter(wide).map(|piece| Some(text_piece(&piece, !whole)))
        };
        let phone = || {
            let digits: Vec<char> = self.whole.chars().collect();
            phone_cover(&digits).into_iter().map(Some)
        };
        let beginning: String = self.whole.chars().take(tokens::HEAD).collect();
        let head = if whole {
            format!("\"{}\"", tokens::head(mark, &self.whole))
        } else {
            format!("\"{mark}{beginning}\" *")
        };
        let rest = match () {
            () if length <= tokens::HEAD => None,
            () if mark == mark::PHONE_HEAD => all(phone()),
            () => all(cover()),
        };
        rest.map_or_else(|| head.clone(), |rest| format!("({head} AND {rest})"))
    }

    fn phone_head(&self, whole: bool) -> Option<String> {
        is_phone(&self.whole).then(|| self.head(whole, mark::PHONE_HEAD))
    }

    fn typo(&self) -> Option<String> {
        let chars: Vec<char> = self.whole.chars().collect();
        if chars.len() < 2 || chars.len() > TYPO_MAX || is_digits(&self.whole) {
            return None;
        }
        if letters(&self.whole) {
            if chars.len() < TYPO_LETTERS {
                return None;
            }
            let near = slips(&self.whole).into_iter().flat_map(|word| {
                let name = sound::spells_whole_syllables(&word).then(|| exact(mark::FULL, &word));
                [name, Some(format!("\"{word}\""))]
            });
            return any(near);
        }
        let same_sound = Sound::of(&self.whole).map(|sound| sound.full()).unwrap_or_default();
        let mut out: BTreeSet<String> = same_sound.iter().map(|full| exact(mark::FULL, full)).collect();
        if chars.len() > 2 {
            // Whatever character is mistaken, the pieces without it are right.
            let pieces = tokens::pieces(&self.whole);
            for wrong in 0..chars.len() {
                let right = pieces.iter().filter(|piece| wrong < piece.from || wrong >= piece.to);
                out.extend(all(right.map(|piece| Some(text_piece(piece, false)))));
            }
            out.extend(chars.windows(3).filter_map(tokens::skip).map(|token| format!("\"{token}\"")));
            for at in 1..chars.len() {
                let mut swapped = chars.clone();
                swapped.swap(at - 1, at);
                out.extend(written(&swapped.iter().collect::<String>()));
            }
        } else if let [first, last] = chars.as_slice() {
            // A character may be missing.
            out.extend(tokens::skip(&[*first, *first, *last]).map(|token| format!("\"{token}\"")));
        }
        any(out.into_iter().map(Some))
    }

    /// The best tier that these texts fit, among those that say something of a record by itself.
    pub(super) fn rank(&self, texts: &[Text]) -> Option<Tier> {
        let whole = texts.iter().filter_map(|text| self.rank_whole(text)).min();
        let parts = || self.words.iter().all(|word| contains(texts, word)).then_some(Tier::Part);
        let typo = || texts.iter().any(|text| self.near(text)).then_some(Tier::Typo);
        whole.or_else(parts).or_else(typo)
    }

    fn rank_whole(&self, text: &Text) -> Option<Tier> {
        let query = self.whole.as_str();
        let written = match text.form {
            Form::Name | Form::Plain => true,
            Form::Phone => is_phone(query),
            Form::Sound | Form::Need => false,
        };
        if written && text.normal == query {
            return Some(Tier::Exact);
        }
        if written && text.normal.starts_with(query) {
            return Some(Tier::Prefix);
        }
        if !heard(text) || !query.contains(|c: char| c.is_ascii_lowercase()) {
            return None;
        }
        let sound = Sound::of(&text.normal)?;
        let is = |spelled: Vec<String>| spelled.iter().any(|spelled| spelled == query);
        if is(sound.full()) || is(sound.initials()) {
            return Some(Tier::SoundExact);
        }
        sound.begins_with(query).then_some(Tier::SoundPrefix)
    }

    /// Whether one mistaken character is all that parts them. Digits are never mistaken: with another digit it is
    /// another door, another number.
    fn near(&self, text: &Text) -> bool {
        let query: Vec<char> = self.whole.chars().collect();
        if query.len() < 2 || query.len() > TYPO_MAX || is_digits(&self.whole) {
            return false;
        }
        let sound = || if heard(text) { Sound::of(&text.normal) } else { None };
        let spelled = || sound().map(|sound| sound.full()).unwrap_or_default();
        if letters(&self.whole) {
            let word = |chars: &[char]| one_apart(&query, chars);
            return query.len() >= TYPO_LETTERS
                && (spelled().iter().any(|full| word(&full.chars().collect::<Vec<_>>()))
                    || matches!(text.form, Form::Name | Form::Plain)
                        && tokens::runs(&text.raw)
                            .iter()
                            .any(|(class, run)| *class == Class::Letter && word(run)));
        }
        let same = Sound::of(&self.whole).map(|sound| sound.full()).unwrap_or_default();
        if spelled().iter().any(|full| same.contains(full)) {
            return true;
        }
        if !matches!(text.form, Form::Name | Form::Plain) {
            return false;
        }
        let chars: Vec<char> = text.normal.chars().take(query.len() + 1).collect();
        if let [first, last] = query.as_slice() {
            // Of two characters each is half a name: only a missing one is forgiven.
            return text.normal.chars().count() == 3
                && chars.first() == Some(first)
                && chars.last() == Some(last);
        }
        let digits = |chars: &[char]| chars.iter().copied().filter(char::is_ascii_digit).collect::<String>();
        (query.len() - 1..=chars.len()).any(|length| {
            let beginning = chars.get(..length).unwrap_or_default();
            one_apart(&query, beginning) && digits(&query) == digits(beginning)
        })
    }

    /// Whether a tag of this need, of a person with these texts, is what is looked for: each part names the need or
    /// is found in the person's texts.
    pub(super) fn names_need(&self, need: &str, person: &[Text]) -> bool {
        let mut named = false;
        let all = self.words.iter().zip(&self.needs).all(|(word, needs)| {
            let tag = needs.contains(&need);
            named |= tag;
            tag || contains(person, word)
        });
        all && named
    }
}

/// Needs whose label has this word in it, in Chinese, English or pinyin.
fn needs(word: &str) -> Vec<&'static str> {
    let named = |need: &&Word| {
        let zh = tokens::normal(need.zh);
        let begins = Sound::of(&zh).is_some_and(|sound| sound.begins_with(word));
        let letters = letters(word);
        let long = word.chars().count() >= if letters { 3 } else { 2 };
        long && (zh.contains(word) || letters && (begins || tokens::normal(need.en).contains(word)))
    };
    Need::WORDS.iter().filter(named).map(|need| need.word).collect()
}

/// Whether a text has this word in it.
fn contains(texts: &[Text], word: &str) -> bool {
    texts.iter().any(|text| {
        let written = match text.form {
            Form::Phone => is_phone(word) && text.normal.contains(word),
            Form::Name | Form::Plain => text.normal.contains(word) && has_pieces(text, word),
            Form::Sound | Form::Need => false,
        };
        let sounds = || {
            let sound = Sound::of(&text.normal);
            word.contains(|c: char| c.is_ascii_lowercase())
                && sound.is_some_and(|sound| sound.begins_with(word) || sound.contains(word))
        };
        written || heard(text) && sounds()
    })
}

/// A word of letters begins where one begins.
fn has_pieces(text: &Text, word: &str) -> bool {
    if !word.starts_with(|c| Class::of(c) == Some(Class::Letter)) {
        return true;
    }
    let own = tokens::pieces_of(&text.raw);
    tokens::pieces(word).iter().all(|piece| {
        own.contains(&piece.token) || piece.open && own.iter().any(|token| token.starts_with(&piece.token))
    })
}

const fn heard(text: &Text) -> bool {
    matches!(text.form, Form::Name | Form::Sound)
}

fn is_digits(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_digit())
}

fn is_phone(word: &str) -> bool {
    word.len() >= tokens::PHONE_DIGITS && is_digits(word)
}

fn letters(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_lowercase())
}

fn exact(mark: char, token: &str) -> String {
    format!("\"{mark}{token}\"")
}

fn prefix(mark: char, token: &str) -> String {
    format!("\"{mark}{token}\" *")
}

fn all(parts: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { None } else { Some(format!("({})", parts.join(" AND "))) }
}

fn any(parts: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { None } else { Some(format!("({})", parts.join(" OR "))) }
}

fn text_piece(piece: &tokens::Piece, open: bool) -> String {
    let star = if piece.open || open && piece.token.chars().count() < 2 { " *" } else { "" };
    format!("\"{}\"{star}", piece.token)
}

/// Three digits each, which together have every digit.
fn phone_cover(digits: &[char]) -> Vec<String> {
    let windows: Vec<&[char]> = digits.windows(tokens::PHONE_DIGITS).collect();
    let last = windows.len().saturating_sub(1);
    let keep = windows.iter().enumerate().filter(|(at, _)| at % tokens::PHONE_DIGITS == 0 || *at == last);
    keep.map(|(_, window)| exact(mark::PHONE, &window.iter().collect::<String>())).collect()
}

/// What proposes records that contain a word. One word alone has been looked for by how it sounds at the beginning.
fn part(word: &str, several: bool) -> Option<String> {
    let text = written(word);
    let digits: Vec<char> = word.chars().collect();
    let phone = if is_phone(word) { all(phone_cover(&digits).into_iter().map(Some)) } else { None };
    any([text, phone, if several { sound_prefix(word) } else { None }, sounds_inside(word)])
}

/// What proposes records that contain a word as it is written.
fn written(word: &str) -> Option<String> {
    let pieces = tokens::pieces(word);
    all(pieces.iter().filter(|piece| !piece.spare).map(|piece| Some(text_piece(piece, false))))
}

/// What proposes records that contain letters as pinyin without initials.
fn sounds_inside(word: &str) -> Option<String> {
    if !letters(word) {
        return if word.contains(|c: char| c.is_ascii_lowercase()) { sound_prefix(word) } else { None };
    }
    let no_initials = |units: &Vec<Unit>| !units.iter().any(|unit| matches!(unit, Unit::Initial(_)));
    any(sound::parses(word).into_iter().filter(no_initials).map(|units| all(units.iter().map(syllable))))
}

fn syllable(unit: &Unit) -> Option<String> {
    Some(match unit {
        Unit::Full(syllable) => exact(mark::SYLLABLE, syllable),
        Unit::Initial(letter) => prefix(mark::SYLLABLE, &letter.to_string()),
        Unit::Open(beginning) => prefix(mark::SYLLABLE, beginning),
    })
}

/// What proposes records whose sound begins with a word of letters, or of letters and Chinese.
fn sound_prefix(word: &str) -> Option<String> {
    if !word.contains(|c: char| c.is_ascii_lowercase()) {
        return None;
    }
    if letters(word) {
        let initials = Some(prefix(mark::INITIALS, word));
        if word.len() == 1 {
            return initials;
        }
        let mixed = sound::parses(word).into_iter().filter_map(|units| mixed(&units));
        return any([initials, Some(prefix(mark::FULL, word))].into_iter().chain(mixed.map(Some)));
    }
    all(tokens::runs(word).into_iter().map(|(class, run)| {
        let run: String = run.into_iter().collect();
        if class == Class::Letter {
            any(sound::parses(&run).iter().map(|units| all(units.iter().map(syllable))))
        } else {
            let pieces = tokens::pieces(&run).into_iter().filter(|piece| !piece.spare);
            all(pieces.map(|piece| Some(text_piece(&piece, true))))
        }
    }))
}

/// Initials and syllables together; `None` for what the tokens of full spellings and of initials find by themselves.
fn mixed(units: &[Unit]) -> Option<String> {
    let is_initial = |unit: &Unit| matches!(unit, Unit::Initial(_));
    if units.iter().all(is_initial) && units.len() < 2 || !units.iter().any(is_initial) {
        return None;
    }
    let first = |unit: &Unit| match unit {
        Unit::Full(text) | Unit::Open(text) => text.chars().next(),
        Unit::Initial(letter) => Some(*letter),
    };
    let initials: String = units.iter().filter_map(first).collect();
    let whole = units.iter().filter(|unit| matches!(unit, Unit::Full(_))).map(syllable);
    all([Some(prefix(mark::INITIALS, &initials))].into_iter().chain(whole))
}

/// Every text of small letters that one slip makes of this one: a letter changed, left out, added, or two swapped.
fn slips(word: &str) -> BTreeSet<String> {
    let chars: Vec<char> = word.chars().collect();
    let mut out = BTreeSet::new();
    for at in 0..=chars.len() {
        let (before, after) = chars.split_at_checked(at).unwrap_or_default();
        let mut put = |middle: &[char], after: &[char]| {
            out.insert(before.iter().chain(middle).chain(after).collect::<String>());
        };
        ('a'..='z').for_each(|letter| put(&[letter], after));
        if let Some((_, rest)) = after.split_first() {
            put(&[], rest);
            ('a'..='z').for_each(|letter| put(&[letter], rest));
        }
        if let [one, two, rest @ ..] = after {
            put(&[*two, *one], rest);
        }
    }
    out.remove(word);
    out
}

/// Whether one slip is all that parts two texts.
fn one_apart(a: &[char], b: &[char]) -> bool {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (a.get(same..).unwrap_or_default(), b.get(same..).unwrap_or_default());
    match (a, b) {
        ([], []) => true,
        ([_, a_rest @ ..], [_, b_rest @ ..]) if a_rest == b_rest => true,
        ([_, rest @ ..], b) if rest == b => true,
        (a, [_, rest @ ..]) if a == rest => true,
        ([a1, a2, a_rest @ ..], [b1, b2, b_rest @ ..]) => a1 == b2 && a2 == b1 && a_rest == b_rest,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    #[test]
    fn one_slip_is_one_slip() {
        for (a, b) in
            [("abc", "abc"), ("abc", "abd"), ("abc", "ab"), ("ab", "cab"), ("abc", "acb"), ("", "a")]
        {
            assert!(one_apart(&chars(a), &chars(b)) && one_apart(&chars(b), &chars(a)), "{a} {b}");
        }
        for (a, b) in [("abc", "bca"), ("abc", "a"), ("abcd", "badc"), ("abc", "xyc")] {
            assert!(!one_apart(&chars(a), &chars(b)), "{a} {b}");
        }
        assert!(slips("zhangwie").contains("zhangwei"));
        assert!(slips("abc").iter().all(|slip| one_apart(&chars("abc"), &chars(slip))));
    }

    #[test]
    fn needs_are_named_by_their_labels() {
        assert_eq!(needs("独居"), ["living_alone"]);
        assert_eq!(needs("dujulaoren"), ["living_alone"]);
        assert_eq!(needs("alone"), ["living_alone"]);
        assert_eq!(needs("儿童").len(), 2);
        assert!(needs("老").is_empty() && needs("王伟").is_empty());
    }
}
