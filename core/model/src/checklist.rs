//! What a checklist asks, what was answered, and what follows from it.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use crate::categories::Severity;
use crate::id::{ContentHash, RecordId};
use crate::time::Timestamp;

words! {
    /// How an item is answered.
    ItemKind {
        /// Pass, fail or not applicable.
        PassFail = "pass_fail", "合格/不合格", "Pass or fail";
        /// A number within a range.
        Number = "number", "数值", "Number";
        /// One of several words.
        Choice = "choice", "选择", "Choice";
        /// Text.
        Text = "text", "文字", "Text";
        /// A photo.
        Photo = "photo", "照片", "Photo";
        /// A signature.
        Signature = "signature", "签名", "Signature";
    }
}

words! {
    /// When an answer needs a photo.
    EvidenceRule {
        /// Never.
        None = "none", "无需照片", "None";
        /// If it fails.
        OnFail = "on_fail", "不合格须拍照", "Photo if failed";
        /// Always.
        Always = "always", "必须拍照", "Photo always";
    }
}

words! {
    /// The answer to a pass-or-fail item.
    Outcome {
        /// As it should be.
        Pass = "pass", "合格", "Pass";
        /// Not as it should be.
        Fail = "fail", "不合格", "Fail";
        /// Does not apply here.
        NotApplicable = "na", "不适用", "Not applicable";
    }
}

words! {
    /// Who signs an inspection.
    SignatureRole {
        /// Who inspected.
        Worker = "worker", "检查人", "Worker";
        /// Who runs the place.
        Manager = "manager", "场所负责人", "Manager";
    }
}

/// Holds when another item was answered with one of these words.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Condition {
    /// The other item.
    #[n(0)]
    pub item: String,
    /// Words of an outcome or a choice.
    #[n(1)]
    pub any_of: Vec<String>,
}

/// One item of a template.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct ChecklistItem {
    /// Its place in the list.
    #[n(0)]
    pub order: u32,
    /// What is asked, in Chinese.
    #[n(1)]
    pub zh: String,
    /// What is asked, in English.
    #[n(2)]
    pub en: Option<String>,
    /// How it is answered.
    #[n(3)]
    pub kind: ItemKind,
    /// The unit of a number.
    #[n(4)]
    pub unit: Option<String>,
    /// The smallest number that passes.
    #[n(5)]
    pub min: Option<f64>,
    /// The largest number that passes.
    #[n(6)]
    pub max: Option<f64>,
    /// The words of a choice.
    #[cbor(n(7), default)]
    pub choices: Vec<String>,
    /// It has to be answered only if this holds; always, if there is no condition.
    #[n(8)]
    pub required_when: Option<Condition>,
    /// It is asked only if this holds.
    #[n(9)]
    pub shown_when: Option<Condition>,
    /// How bad it is if it fails.
    #[n(10)]
    pub severity: Severity,
    /// When a photo is needed.
    #[n(11)]
    pub evidence: EvidenceRule,
    /// The law or standard that it rests on.
    #[n(12)]
    pub basis: Option<String>,
}

/// The answer to one item.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct Answer {
    /// To a pass-or-fail item.
    #[n(0)]
    pub outcome: Option<Outcome>,
    /// To a number.
    #[n(1)]
    pub number: Option<f64>,
    /// To a text, or a remark on another.
    #[n(2)]
    pub text: Option<String>,
    /// To a choice.
    #[n(3)]
    pub choice: Option<String>,
    /// Elements of the record's `photos`.
    #[cbor(n(4), default)]
    pub photos: Vec<RecordId>,
    /// When it was given.
    #[n(5)]
    pub at: Option<Timestamp>,
}

/// A failed item, with what was seen.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Finding {
    /// The item.
    #[n(0)]
    pub item: String,
    /// How bad.
    #[n(1)]
    pub severity: Severity,
    /// What was seen.
    #[n(2)]
    pub text: Option<String>,
    /// Elements of the record's `photos`.
    #[cbor(n(3), default)]
    pub photos: Vec<RecordId>,
    /// The event that was made of it, for a major or overdue finding.
    #[n(4)]
    pub event: Option<RecordId>,
}

/// A signature under an inspection.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Signature {
    /// Who signs.
    #[n(0)]
    pub role: SignatureRole,
    /// Their name, as signed.
    #[n(1)]
    pub name: Option<String>,
    /// The drawn signature, a blob.
    #[n(2)]
    pub image: ContentHash,
    /// When.
    #[n(3)]
    pub at: Timestamp,
}

labels! {
    /// What an inspection still lacks.
    Lack {
        /// An answer.
        Answer = "answer", "未填写", "Not answered";
        /// A photo.
        Photo = "photo", "缺少照片", "A photo is missing";
        /// A choice from the list.
        Choice = "choice", "选项不在列表中", "Not one of the choices";
    }
}

/// What follows from the answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Review {
    /// What is still to be done, by item.
    pub lacking: BTreeMap<String, Lack>,
    /// Failed items, with how bad they are.
    pub failed: BTreeMap<String, Severity>,
    /// Share of passed among passed and failed items, in percent; `None` while nothing was judged.
    pub score: Option<u32>,
}

/// Looks through the answers to a checklist. Items that a condition hides count as not asked; an answer to an
/// item that the template does not have is left aside.
pub fn review(items: &BTreeMap<String, ChecklistItem>, answers: &BTreeMap<String, Answer>) -> Review {
    let mut review = Review::default();
    let (mut passed, mut judged) = (0u32, 0u32);
    for (id, item) in items {
        if !item.shown_when.as_ref().is_none_or(|condition| condition.holds(answers)) {
            continue;
        }
        let answer = answers.get(id).filter(|answer| item.is_answered_by(answer));
        let Some(answer) = answer else {
            if item.required_when.as_ref().is_none_or(|condition| condition.holds(answers)) {
                review.lacking.insert(id.clone(), Lack::Answer);
            }
            continue;
        };
        let passes = item.passes(answer);
        if let Some(passes) = passes {
            judged += 1;
            passed += u32::from(passes);
        }
        if passes == Some(false) {
            review.failed.insert(id.clone(), item.severity.clone());
        }
        if let Some(lack) = item.lacks(answer, passes) {
            review.lacking.insert(id.clone(), lack);
        }
    }
    review.score = (passed * 100).checked_div(judged);
    review
}

impl Condition {
    fn holds(&self, answers: &BTreeMap<String, Answer>) -> bool {
        let Some(answer) = answers.get(&self.item) else { return false };
        let outcome = answer.outcome.as_ref().map(Outcome::word);
        let words = outcome.into_iter().chain(answer.choice.as_deref());
        words.into_iter().any(|word| self.any_of.iter().any(|any| any == word))
    }
}

impl ChecklistItem {
    fn is_answered_by(&self, answer: &Answer) -> bool {
        match self.kind {
            ItemKind::PassFail => answer.outcome.is_some(),
            ItemKind::Number => {
                answer.number.is_some_and(f64::is_finite) || answer.outcome == Some(Outcome::NotApplicable)
            }
            ItemKind::Choice => answer.choice.is_some(),
            ItemKind::Text => answer.text.as_deref().is_some_and(|text| !text.trim().is_empty()),
            ItemKind::Photo | ItemKind::Signature => !answer.photos.is_empty(),
            // Asks for an update without blocking the others.
            ItemKind::Other(_) => true,
        }
    }

    /// Whether the answer passes; `None` where nothing is judged.
    fn passes(&self, answer: &Answer) -> Option<bool> {
        match answer.outcome {
            Some(Outcome::Pass) => return Some(true),
            Some(Outcome::Fail) => return Some(false),
            Some(Outcome::NotApplicable) => return None,
            _ => {}
        }
        let number = answer.number.filter(|_| self.kind == ItemKind::Number)?;
        Some(self.min.is_none_or(|min| number >= min) && self.max.is_none_or(|max| number <= max))
    }

    fn lacks(&self, answer: &Answer, passes: Option<bool>) -> Option<Lack> {
        let needs_photo = match self.evidence {
            EvidenceRule::Always => true,
            EvidenceRule::OnFail => passes == Some(false),
            _ => false,
        };
        let choice = answer.choice.as_ref().filter(|_| self.kind == ItemKind::Choice);
        if choice.is_some_and(|choice| !self.choices.contains(choice)) {
            Some(Lack::Choice)
        } else if needs_photo && answer.photos.is_empty() {
            Some(Lack::Photo)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec;

    fn item(kind: ItemKind) -> ChecklistItem {
        ChecklistItem {
            order: 1,
            zh: "灭火器压力正常".into(),
            en: None,
            kind,
            unit: None,
            min: None,
            max: None,
            choices: Vec::new(),
            required_when: None,
            shown_when: None,
            severity: Severity::General,
            evidence: EvidenceRule::OnFail,
            basis: None,
        }
    }

    fn outcome(outcome: Outcome) -> Answer {
        Answer { outcome: Some(outcome), ..Answer::default() }
    }

    #[test]
    fn a_failure_needs_a_photo_and_counts_in_the_score() {
        let items = BTreeMap::from([
            ("a".to_owned(), item(ItemKind::PassFail)),
            ("b".to_owned(), item(ItemKind::PassFail)),
            ("c".to_owned(), item(ItemKind::PassFail)),
            ("d".to_owned(), item(ItemKind::PassFail)),
        ]);
        let answers = BTreeMap::from([
            ("a".to_owned(), outcome(Outcome::Pass)),
            ("b".to_owned(), outcome(Outcome::Fail)),
            ("c".to_owned(), outcome(Outcome::NotApplicable)),
            ("stranger".to_owned(), outcome(Outcome::Fail)),
        ]);
        let review = review(&items, &answers);
        assert_eq!(review.score, Some(50));
        assert_eq!(review.failed.keys().collect::<Vec<_>>(), ["b"]);
        let lacking = BTreeMap::from([("b".to_owned(), Lack::Photo), ("d".to_owned(), Lack::Answer)]);
        assert_eq!(review.lacking, lacking);
    }

    #[test]
    fn conditions_hide_and_release() {
        let when = Condition { item: "gas".into(), any_of: vec!["yes".into()] };
        let gas = ChecklistItem { choices: vec!["yes".into(), "no".into()], ..item(ItemKind::Choice) };
        let hose = ChecklistItem { shown_when: Some(when.clone()), max: Some(2.0), ..item(ItemKind::Number) };
        let remark = ChecklistItem { required_when: Some(when), ..item(ItemKind::Text) };
        let items = BTreeMap::from([
            ("gas".to_owned(), gas),
            ("hose".to_owned(), hose),
            ("remark".to_owned(), remark),
        ]);
        let choose = |word: &str| Answer { choice: Some(word.into()), ..Answer::default() };
        let no = BTreeMap::from([("gas".to_owned(), choose("no"))]);
        assert_eq!(review(&items, &no), Review::default());
        let yes = BTreeMap::from([
            ("gas".to_owned(), choose("yes")),
            ("hose".to_owned(), Answer { number: Some(3.5), ..Answer::default() }),
        ]);
        let got = review(&items, &yes);
        assert_eq!(got.failed.len(), 1);
        assert_eq!(got.lacking.get("remark"), Some(&Lack::Answer));
        let odd = BTreeMap::from([("gas".to_owned(), choose("maybe"))]);
        assert_eq!(review(&items, &odd).lacking.get("gas"), Some(&Lack::Choice));
    }

    #[test]
    fn items_and_answers_read_back() {
        let item = ChecklistItem {
            min: Some(0.5),
            choices: vec!["有".into()],
            ..item(ItemKind::Other("map".into()))
        };
        assert_eq!(codec::from_bytes(&codec::to_bytes(&item)), Ok(item));
        let answer = outcome(Outcome::Fail);
        assert_eq!(codec::from_bytes(&codec::to_bytes(&answer)), Ok(answer));
    }
}
