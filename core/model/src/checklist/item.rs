//! One item of a template: what is asked, and what passes.

use minicbor::{Decode, Encode};

use super::answer::{Answer, Outcome};
use crate::categories::Severity;
use crate::records::parse_date;

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
        /// A calendar day, as text.
        Date = "date", "日期", "Date";
        /// Yes or no, as the choices `yes` and `no`.
        YesNo = "yes_no", "是/否", "Yes or no";
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

/// One of the words that answer a choice.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Choice {
    /// As it stands in an answer and in conditions.
    #[n(0)]
    pub word: String,
    /// Label in Chinese.
    #[n(1)]
    pub zh: String,
    /// Label in English.
    #[n(2)]
    pub en: Option<String>,
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
    /// The unit of a number, in Chinese or as a symbol.
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
    pub choices: Vec<Choice>,
    /// It has to be answered only if this holds; always, if there is no condition. See [`super::Condition`].
    #[n(8)]
    pub required_when: Option<String>,
    /// It is asked only if this holds.
    #[n(9)]
    pub shown_when: Option<String>,
    /// How bad it is if it fails.
    #[n(10)]
    pub severity: Severity,
    /// When a photo is needed.
    #[n(11)]
    pub evidence: EvidenceRule,
    /// The law or standard that it rests on, in Chinese.
    #[n(12)]
    pub basis: Option<String>,
    /// It passes only if this holds as well: a limit that depends on another answer.
    #[n(13)]
    pub passes_when: Option<String>,
    /// What it weighs in the score; 1 where nothing is said.
    #[n(14)]
    pub points: Option<u32>,
    /// Days within which it is to be put right; the template's where nothing is said.
    #[n(15)]
    pub days: Option<u32>,
    /// Category of the event that is made of it when it is major or overdue.
    #[n(16)]
    pub event_category: Option<String>,
    /// The heading under which it stands, in Chinese.
    #[n(17)]
    pub section_zh: Option<String>,
    /// The heading in English.
    #[n(18)]
    pub section_en: Option<String>,
    /// The unit in English, where it is not a symbol.
    #[n(19)]
    pub unit_en: Option<String>,
    /// The field that it fills, for an item of a form; see [`crate::forms`].
    #[n(20)]
    pub field: Option<String>,
    /// The law or standard in English.
    #[n(21)]
    pub basis_en: Option<String>,
}

impl ChecklistItem {
    /// Whether it asks no more than whether something is as it should be, always, and shows no photo of what is.
    pub fn is_plain(&self) -> bool {
        let conditions = [&self.shown_when, &self.required_when, &self.passes_when];
        self.kind == ItemKind::PassFail
            && self.evidence != EvidenceRule::Always
            && conditions.into_iter().all(Option::is_none)
    }

    /// What it weighs in the score.
    pub fn weight(&self) -> u32 {
        self.points.unwrap_or(1)
    }

    /// Whether an answer says what is asked for.
    pub fn is_answered_by(&self, answer: &Answer) -> bool {
        if matches!(answer.outcome, Some(Outcome::NotApplicable | Outcome::Fail)) {
            return true;
        }
        match self.kind {
            ItemKind::PassFail => answer.outcome.is_some(),
            ItemKind::Number => answer.number.is_some_and(f64::is_finite),
            ItemKind::Choice | ItemKind::YesNo => answer.choice.is_some(),
            ItemKind::Text => answer.text.as_deref().is_some_and(|text| !text.trim().is_empty()),
            ItemKind::Date => answer.text.as_deref().is_some_and(|text| parse_date(text).is_some()),
            ItemKind::Photo | ItemKind::Signature => !answer.photos.is_empty(),
            ItemKind::Other(_) => false,
        }
    }

    /// Whether the answer passes; `None` where nothing is judged. `condition` is what `passes_when` came to.
    pub(super) fn passes(&self, answer: &Answer, condition: Option<bool>) -> Option<bool> {
        match &answer.outcome {
            Some(Outcome::Fail) => return Some(false),
            Some(Outcome::NotApplicable) => return None,
            Some(Outcome::Pass) if self.kind == ItemKind::PassFail => return condition.or(Some(true)),
            _ => {}
        }
        let number = answer.number.filter(|_| self.kind == ItemKind::Number);
        let ranged = self.min.is_some() || self.max.is_some();
        let in_range = number.filter(|_| ranged).map(|number| {
            self.min.is_none_or(|min| number >= min) && self.max.is_none_or(|max| number <= max)
        });
        match (in_range, condition) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), None) if self.passes_when.is_some() => None,
            (in_range, condition) => in_range.or(condition),
        }
    }
}
