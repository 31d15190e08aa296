//! How Chinese sounds: pinyin without tones, for search by full pinyin, initials and a mixture of both.
//!
//! Readings come from the `pinyin` crate (the table of pinyin-data, one usual reading a character). Names are where
//! the usual reading is often wrong, so a short table adds the second reading of characters that are common in names
//! and addresses; both find. Rejected: all readings that a dictionary knows, since most are never heard.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use pinyin::ToPinyin;

/// Characters of a text whose sound is kept: names, estates and firms are told by their beginning.
const HEARD: usize = 8;

/// Spellings of one text that are kept when its characters have several readings.
const SPELLINGS: usize = 4;

/// The last letters of pinyin that a query can have and still be split up.
const QUERY_LETTERS: usize = 48;

/// Ways to split one query into syllables that are looked at.
const PARSES: usize = 8;

/// Second readings of characters in names and addresses.
const ALSO: &[(char, &str)] = &[
    ('单', "shan"),
    ('解', "xie"),
    ('仇', "qiu"),
    ('曾', "zeng"),
    ('查', "zha"),
    ('区', "ou"),
    ('朴', "piao"),
    ('盖', "ge"),
    ('翟', "zhai"),
    ('乐', "yue"),
    ('乐', "le"),
    ('覃', "qin"),
    ('覃', "tan"),
    ('长', "chang"),
    ('长', "zhang"),
    ('重', "chong"),
    ('重', "zhong"),
    ('行', "hang"),
    ('行', "xing"),
    ('朝', "chao"),
    ('朝', "zhao"),
    ('都', "du"),
    ('厦', "sha"),
    ('厦', "xia"),
    ('尉', "yu"),
    ('尉', "wei"),
    ('万', "mo"),
    ('缪', "miao"),
    ('牟', "mou"),
    ('牟', "mu"),
    ('卜', "bu"),
    ('隗', "kui"),
    ('隗', "wei"),
    ('柏', "bai"),
    ('柏', "bo"),
    ('谌', "chen"),
    ('谌', "shen"),
    ('茜', "qian"),
    ('茜', "xi"),
    ('晟', "sheng"),
    ('晟', "cheng"),
    ('便', "bian"),
    ('大', "da"),
    ('传', "chuan"),
    ('奇', "qi"),
    ('俞', "yu"),
    ('贾', "jia"),
    ('沈', "shen"),
    ('石', "shi"),
    ('种', "chong"),
    ('折', "she"),
    ('召', "shao"),
    ('繁', "po"),
    ('黑', "he"),
    ('员', "yun"),
    ('尹', "yin"),
    ('佛', "fo"),
    ('车', "che"),
    ('和', "he"),
    ('地', "di"),
    ('弄', "long"),
    ('弄', "nong"),
    ('巷', "xiang"),
    ('省', "sheng"),
    ('会', "hui"),
    ('盛', "sheng"),
    ('干', "gan"),
    ('广', "guang"),
];

/// A character with its readings; none for what is not Chinese.
type Heard = (char, Vec<&'static str>);

/// The readings of a character.
fn readings(c: char) -> Vec<&'static str> {
    let mut out = Vec::new();
    let usual = c.to_pinyin().map(|reading| match reading.plain() {
        // As it is typed.
        "lü" => "lv",
        "nü" => "nv",
        "lüe" => "lve",
        "nüe" => "nve",
        plain => plain,
    });
    out.extend(usual.filter(|reading| reading.bytes().all(|b| b.is_ascii_lowercase())));
    for (_, reading) in ALSO.iter().filter(|(other, _)| *other == c) {
        if !out.contains(reading) {
            out.push(reading);
        }
    }
    out
}

/// Every syllable that some character is read as.
static SYLLABLES: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    let vowel = |syllable: &&str| syllable.contains(['a', 'e', 'i', 'o', 'u', 'v']);
    ('\u{4e00}'..='\u{9fff}').flat_map(readings).filter(vowel).collect()
});

/// A part of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// A whole syllable.
    Full(String),
    /// How one begins: a letter, or zh, ch, sh.
    Initial(char),
    /// The beginning of the last one.
    Open(String),
}

/// How a text sounds.
#[derive(Clone, Debug)]
pub(super) struct Sound {
    chars: Vec<Heard>,
}

impl Sound {
    /// Of a text in normal form; `None` if nothing in it is Chinese.
    pub(super) fn of(normal: &str) -> Option<Self> {
        let chars: Vec<Heard> = normal.chars().take(HEARD).map(|c| (c, readings(c))).collect();
        chars.iter().any(|(_, readings)| !readings.is_empty()).then_some(Self { chars })
    }

    /// Full spellings.
    pub(super) fn full(&self) -> Vec<String> {
        self.spell(|reading| reading)
    }

    /// First letters.
    pub(super) fn initials(&self) -> Vec<String> {
        self.spell(|reading| reading.get(..1).unwrap_or_default())
    }

    fn spell(&self, part: impl Fn(&'static str) -> &'static str) -> Vec<String> {
        let mut out = vec![String::new()];
        for (c, readings) in &self.chars {
            let parts: BTreeSet<&str> = readings.iter().map(|reading| part(reading)).collect();
            if parts.is_empty() {
                out.iter_mut().for_each(|text| text.push(*c));
                continue;
            }
            let all = out.iter().flat_map(|text| parts.iter().map(move |part| format!("{text}{part}")));
            out = all.take(SPELLINGS).collect();
        }
        out
    }

    /// Every syllable in it.
    pub(super) fn syllables(&self) -> BTreeSet<&'static str> {
        self.chars.iter().flat_map(|(_, readings)| readings.iter().copied()).collect()
    }

    /// Whether it begins with the query: each character as itself, in full pinyin or by its initial, the last one
    /// also by the beginning of its pinyin.
    pub(super) fn begins_with(&self, query: &str) -> bool {
        begins(&self.chars, query, true)
    }

    /// Whether the query stands anywhere in it, without initials: those are too short to tell anything but the
    /// beginning.
    pub(super) fn contains(&self, query: &str) -> bool {
        (0..self.chars.len()).any(|at| begins(self.chars.get(at..).unwrap_or_default(), query, false))
    }
}

fn begins(chars: &[Heard], query: &str, initials: bool) -> bool {
    if query.is_empty() {
        return true;
    }
    let Some(((c, readings), rest)) = chars.split_first() else { return false };
    if query.strip_prefix(*c).is_some_and(|left| begins(rest, left, initials)) {
        return true;
    }
    readings.iter().any(|reading| {
        if reading.starts_with(query) {
            return true;
        }
        if query.strip_prefix(reading).is_some_and(|left| begins(rest, left, initials)) {
            return true;
        }
        initials
            && onsets(reading)
                .any(|onset| query.strip_prefix(onset).is_some_and(|left| begins(rest, left, initials)))
    })
}

/// What stands for a syllable by its beginning: zh and z.
fn onsets(syllable: &str) -> impl Iterator<Item = &str> {
    let two = syllable.get(..2).filter(|two| matches!(*two, "zh" | "ch" | "sh"));
    two.into_iter().chain(syllable.get(..1))
}

/// The ways to read letters as pinyin, those of whole syllables first.
pub(super) fn parses(letters: &str) -> Vec<Vec<Unit>> {
    let mut out = Vec::new();
    if letters.len() <= QUERY_LETTERS && letters.bytes().all(|b| b.is_ascii_lowercase()) {
        split(letters, &mut Vec::new(), &mut out, &mut 400);
    }
    out.sort_by_key(|units| units.iter().filter(|unit| matches!(unit, Unit::Initial(_))).count());
    out.truncate(PARSES);
    out
}

fn split(left: &str, units: &mut Vec<Unit>, out: &mut Vec<Vec<Unit>>, budget: &mut usize) {
    if *budget == 0 || units.len() > HEARD {
        return;
    }
    *budget -= 1;
    if left.is_empty() {
        out.push(units.clone());
        return;
    }
    let mut go = |unit: Unit, rest: &str| {
        units.push(unit);
        split(rest, units, out, budget);
        units.pop();
    };
    for length in (1..=left.len().min(6)).rev() {
        let (piece, rest) = left.split_at(length);
        if SYLLABLES.contains(piece) {
            go(Unit::Full(piece.to_owned()), rest);
        } else if rest.is_empty() && length > 1 && opens(piece) {
            go(Unit::Open(piece.to_owned()), rest);
        }
    }
    for length in [2, 1] {
        let Some((piece, rest)) = left.split_at_checked(length) else { continue };
        let onset = length == 1 || matches!(piece, "zh" | "ch" | "sh");
        if let Some(first) = piece.chars().next().filter(|_| onset && opens(piece)) {
            go(Unit::Initial(first), rest);
        }
    }
}

/// Whether some syllable begins so.
fn opens(piece: &str) -> bool {
    SYLLABLES.range(piece..).next().is_some_and(|syllable| syllable.starts_with(piece))
}

/// Whether letters are syllables and nothing else.
pub(super) fn spells_whole_syllables(letters: &str) -> bool {
    // Which lengths of it can be reached.
    let mut reached = vec![false; letters.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for from in 0..letters.len() {
        if reached.get(from) != Some(&true) {
            continue;
        }
        for to in from + 1..=letters.len().min(from + 6) {
            let syllable = letters.get(from..to).is_some_and(|piece| SYLLABLES.contains(piece));
            if let Some(place) = reached.get_mut(to).filter(|_| syllable) {
                *place = true;
            }
        }
    }
    reached.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound(text: &str) -> Sound {
        Sound::of(text).unwrap()
    }

    #[test]
    fn names_are_spelled() {
        assert_eq!(sound("张伟国").full(), ["zhangweiguo"]);
        assert_eq!(sound("张伟国").initials(), ["zwg"]);
        assert_eq!(sound("吕娜").full(), ["lvna"]);
        assert!(sound("单丽").full().contains(&"shanli".to_owned()), "as a surname");
        assert!(sound("重庆路").full().contains(&"chongqinglu".to_owned()));
        assert_eq!(sound("3号院").full(), ["3haoyuan"]);
        assert!(Sound::of("smith").is_none());
    }

    #[test]
    fn full_pinyin_initials_and_both_together_match() {
        let name = sound("张伟国");
        for query in
            ["z", "zh", "zhang", "zwg", "zw", "zhangw", "zhwei", "zweig", "张weig", "zhang伟", "张w国"]
        {
            assert!(name.begins_with(query), "{query}");
        }
        for query in ["zhangweiguoa", "w", "zg", "zhanwei", "王wei"] {
            assert!(!name.begins_with(query), "{query}");
        }
        assert!(name.contains("weig") && name.contains("伟guo") && !name.contains("wg"));
    }

    #[test]
    fn letters_are_split_into_syllables() {
        let full = |text: &str| Unit::Full(text.to_owned());
        assert!(parses("xian").starts_with(&[vec![full("xian")], vec![full("xi"), full("an")]]));
        assert!(parses("zwei").contains(&vec![Unit::Initial('z'), full("wei")]));
        assert!(parses("zhwei").contains(&vec![Unit::Initial('z'), full("wei")]));
        assert!(parses("zhangwe").contains(&vec![full("zhang"), Unit::Open("we".to_owned())]));
        assert!(parses("Z3").is_empty());
        assert!(spells_whole_syllables("zhangwei") && !spells_whole_syllables("zhangwie"));
    }
}
