//! What follows from the answers: what is asked, what is lacking, what failed, and the score.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{Answer, Outcome};
use super::condition::{Condition, Facts, Known};
use super::item::{ChecklistItem, EvidenceRule, ItemKind};
use crate::categories::Severity;

labels! {
    /// What an inspection still lacks.
    Lack {
        /// An answer.
        Answer = "answer", "未填写", "Not answered";
        /// A photo.
        Photo = "photo", "缺少照片", "A photo is missing";
        /// A choice from the list.
        Choice = "choice", "选项不在列表中", "Not one of the choices";
        /// A signature, or the reason why there is none.
        Signature = "signature", "缺少签名", "A signature is missing";
    }
}

labels! {
    /// The outcome of an inspection.
    Grade {
        /// Nothing failed.
        Good = "good", "合格", "Passed";
        /// Something has to be put right.
        Rectify = "rectify", "限期整改", "To be put right";
        /// Something failed that endangers life (重大隐患).
        Major = "major", "重大隐患", "Major hazard";
    }
}

/// What is inspected: everything, or only some items again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope {
    /// Facts that conditions may name beside items.
    pub facts: Facts,
    /// The items of a recheck, which are asked whatever their conditions say; `None` for a whole inspection.
    pub only: Option<BTreeSet<String>>,
}

/// What follows from the answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Review {
    /// The items that are asked, in order.
    pub asked: Vec<String>,
    /// Of these, the ones that have an answer.
    pub answered: BTreeSet<String>,
    /// What is still to be done, by item.
    pub lacking: BTreeMap<String, Lack>,
    /// Items of a kind that this build does not know: they wait for an update, and hold up nothing else.
    pub needs_update: BTreeSet<String>,
    /// Failed items, with how bad they are.
    pub failed: BTreeMap<String, Severity>,
    /// Points of the passed among those of the passed and failed items, in percent, rounded down; `None` while nothing
    /// was judged.
    pub score: Option<u32>,
    /// The outcome; `None` while nothing was judged.
    pub grade: Option<Grade>,
}

impl Review {
    /// The item to go on with: the first one that lacks something, in order.
    pub fn next(&self) -> Option<&str> {
        self.asked.iter().find(|item| self.lacking.contains_key(*item)).map(String::as_str)
    }

    /// Whether nothing is lacking.
    pub fn is_complete(&self) -> bool {
        self.lacking.is_empty()
    }
}

/// Looks through the answers to a checklist. An item that a condition hides is not asked, its answer counts nowhere,
/// conditions included; an answer to an item that the template does not have is left aside. A condition sees the
/// items before its own, and `passes_when` the item itself as well.
pub fn review(
    items: &BTreeMap<String, ChecklistItem>,
    answers: &BTreeMap<String, Answer>,
    scope: &Scope,
) -> Review {
    let mut review = Review::default();
    let mut seen = BTreeMap::new();
    let (mut passed, mut judged) = (0u32, 0u32);
    let mut order: Vec<(&String, &ChecklistItem)> = items.iter().collect();
    order.sort_by_key(|(id, item)| (item.order, *id));
    for (id, item) in order {
        let given = answers.get(id);
        let in_scope = scope.only.as_ref().is_none_or(|only| only.contains(id));
        if scope.only.is_none() && !holds(item.shown_when.as_deref(), &seen, scope).unwrap_or(true) {
            continue;
        }
        if let Some(value) = given.and_then(|answer| value(item, answer)) {
            seen.insert(id.as_str(), value);
        }
        if !in_scope {
            continue;
        }
        review.asked.push(id.clone());
        if matches!(item.kind, ItemKind::Other(_)) {
            review.needs_update.insert(id.clone());
            continue;
        }
        let Some(answer) = given.filter(|answer| item.is_answered_by(answer)) else {
            if holds(item.required_when.as_deref(), &seen, scope).unwrap_or(true) {
                review.lacking.insert(id.clone(), Lack::Answer);
            }
            continue;
        };
        review.answered.insert(id.clone());
        let condition = item
            .passes_when
            .as_deref()
            .and_then(|source| Condition::parse(source).ok())
            .and_then(|condition| condition.evaluate(&|name| known(name, &seen, scope)));
        let passes = item.passes(answer, condition);
        if let Some(passes) = passes {
            judged = judged.saturating_add(item.weight());
            passed = passed.saturating_add(if passes { item.weight() } else { 0 });
        }
        if passes == Some(false) {
            review.failed.insert(id.clone(), item.severity.clone());
        }
        if let Some(lack) = lacks(item, answer, passes) {
            review.lacking.insert(id.clone(), lack);
        }
    }
    review.score =
        (u64::from(passed) * 100).checked_div(u64::from(judged)).map(|score| score.min(100) as u32);
    review.grade = grade(&review, judged);
    review
}

/// `None` without a condition. One that is unknown, or cannot be read by this build, does not hold.
fn holds(source: Option<&str>, seen: &BTreeMap<&str, Known>, scope: &Scope) -> Option<bool> {
    let condition = Condition::parse(source?).ok();
    Some(condition.and_then(|condition| condition.evaluate(&|name| known(name, seen, scope))) == Some(true))
}

fn known(name: &str, seen: &BTreeMap<&str, Known>, scope: &Scope) -> Option<Known> {
    seen.get(name).or_else(|| scope.facts.get(name)).cloned()
}

fn value(item: &ChecklistItem, answer: &Answer) -> Option<Known> {
    match item.kind {
        ItemKind::PassFail => answer.outcome.as_ref().map(|outcome| Known::Text(outcome.word().to_owned())),
        ItemKind::Number => answer.number.filter(|number| number.is_finite()).map(Known::Number),
        ItemKind::Choice | ItemKind::YesNo => answer.choice.clone().map(Known::Text),
        ItemKind::Text | ItemKind::Date => answer.text.clone().map(Known::Text),
        ItemKind::Photo | ItemKind::Signature => (!answer.photos.is_empty()).then_some(Known::Flag(true)),
        ItemKind::Other(_) => None,
    }
}

fn lacks(item: &ChecklistItem, answer: &Answer, passes: Option<bool>) -> Option<Lack> {
    let applies = answer.outcome != Some(Outcome::NotApplicable);
    let needs_photo = match item.evidence {
        EvidenceRule::Always => applies,
        EvidenceRule::OnFail => passes == Some(false),
        _ => false,
    };
    let listed = |word: &str| match item.kind {
        ItemKind::Choice => item.choices.iter().any(|choice| choice.word == word),
        ItemKind::YesNo => matches!(word, "yes" | "no"),
        _ => true,
    };
    if answer.choice.as_deref().is_some_and(|word| !listed(word)) {
        Some(Lack::Choice)
    } else if needs_photo && answer.photos.is_empty() {
        Some(Lack::Photo)
    } else {
        None
    }
}

fn grade(review: &Review, judged: u32) -> Option<Grade> {
    if review.failed.values().any(|severity| *severity == Severity::Major) {
        Some(Grade::Major)
    } else if !review.failed.is_empty() {
        Some(Grade::Rectify)
    } else {
        (judged > 0).then_some(Grade::Good)
    }
}
