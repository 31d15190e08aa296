//! A whole template: one version of a checklist, and what is wrong with one.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::condition::{Condition, PLACE_CATEGORY};
use super::item::{ChecklistItem, ItemKind};
use super::parse::ConditionFault;
use crate::categories::Severity;
use crate::codec;
use crate::forbidden;
use crate::place_categories::category_code;
use crate::records::Checklist;
use crate::time::Timestamp;

/// Names that conditions may use beside items, and whose values come from the place.
const FACTS: &[&str] = &[PLACE_CATEGORY];

/// Days in which a finding is to be put right where the template does not say.
const DEFAULT_DAYS: u32 = 15;

/// One version of a checklist.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// What stays the same over all versions.
    pub code: String,
    /// Number of the version, from 1.
    pub version: i64,
    /// Name in Chinese.
    pub name: String,
    /// Name in English.
    pub name_en: Option<String>,
    /// Categories of places that it is for; all where none is named.
    pub categories: BTreeSet<String>,
    /// Days in which a finding is to be put right, where its item does not say.
    pub remedy_days: u32,
    /// Category of the events that are made of findings, where their item does not say.
    pub event_category: Option<String>,
    /// Since when it is no longer offered.
    pub retired_at: Option<Timestamp>,
    /// The items by identifier.
    pub items: BTreeMap<String, ChecklistItem>,
}

/// What is wrong with a template, at one of its items or, with an empty name, as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateFault {
    /// Without a text in Chinese.
    NoText,
    /// An identifier of other signs than `a` to `z`, `0` to `9` and `_`, or a word of the conditions' language.
    BadId,
    /// Something that this product does not ask about.
    Forbidden,
    /// A condition that cannot be read.
    Condition(ConditionFault),
    /// A condition that names neither an item before its own nor a fact.
    UnknownName(String),
    /// A condition with a word that the item it names does not have.
    UnknownWord(String),
    /// A smallest number above the largest, or one that is none.
    Range,
    /// A choice without words, or words or limits on an item of another kind.
    Kind,
    /// A form's item that fills a field which does not exist or may not be filled, or a form about no such kind.
    Field(String),
    /// A major item that names no category for its event.
    NoCategory,
}

impl Template {
    /// Reads a record. Items of a newer version that cannot be read are left out; [`Self::faults`] is not asked.
    pub fn from_record(record: &Checklist) -> Self {
        let items = record
            .items
            .iter()
            .filter_map(|(id, bytes)| Some((id.clone(), codec::from_bytes(bytes).ok()?)))
            .collect();
        Self {
            code: record.code.clone(),
            version: record.version,
            name: record.name.clone(),
            name_en: record.name_en.clone(),
            categories: record.categories.values().cloned().collect(),
            remedy_days: record.remedy_days.and_then(|days| u32::try_from(days).ok()).unwrap_or(DEFAULT_DAYS),
            event_category: record.event_category.clone(),
            retired_at: record.retired_at,
            items,
        }
    }

    /// The record of this version.
    pub fn to_record(&self) -> Checklist {
        Checklist {
            code: self.code.clone(),
            version: self.version,
            name: self.name.clone(),
            name_en: self.name_en.clone(),
            categories: self.categories.iter().map(|word| (word.clone(), word.clone())).collect(),
            items: self.items.iter().map(|(id, item)| (id.clone(), codec::to_bytes(item))).collect(),
            remedy_days: Some(i64::from(self.remedy_days)),
            event_category: self.event_category.clone(),
            previous: None,
            retired_at: self.retired_at,
        }
    }

    /// Whether it is for places of this category.
    pub fn is_for(&self, category: &str) -> bool {
        let code = category_code(category);
        self.categories.is_empty() || self.categories.iter().any(|own| category_code(own) == code)
    }

    /// Days in which a finding at this item is to be put right.
    pub fn days(&self, item: &str) -> u32 {
        self.items.get(item).and_then(|item| item.days).unwrap_or(self.remedy_days)
    }

    /// Category of an event that is made of a finding at this item.
    pub fn event_category(&self, item: &str) -> Option<&str> {
        let own = self.items.get(item).and_then(|item| item.event_category.as_deref());
        own.or(self.event_category.as_deref())
    }

    /// The items in the order in which they are asked.
    pub fn ordered(&self) -> Vec<(&str, &ChecklistItem)> {
        ordered(&self.items)
    }

    /// Everything that is wrong with it, with the item.
    pub fn faults(&self) -> Vec<(String, TemplateFault)> {
        let mut out = Vec::new();
        let texts = [Some(self.name.as_str()), self.name_en.as_deref()];
        if texts.into_iter().flatten().any(|text| forbidden::find(text).is_some()) {
            out.push((String::new(), TemplateFault::Forbidden));
        }
        out.extend(item_faults_of(&self.items));
        for (id, item) in self.ordered() {
            if item.severity == Severity::Major && self.event_category(id).is_none() {
                out.push((id.to_owned(), TemplateFault::NoCategory));
            }
        }
        out
    }
}

/// What is wrong with items, each by itself and with those before it.
pub(crate) fn item_faults_of(items: &BTreeMap<String, ChecklistItem>) -> Vec<(String, TemplateFault)> {
    let mut out = Vec::new();
    let mut before: BTreeMap<&str, &ChecklistItem> = BTreeMap::new();
    for (id, item) in ordered(items) {
        let mut say = |fault| out.push((id.to_owned(), fault));
        item_faults(id, item, &mut say);
        condition_faults(item.shown_when.as_deref(), &before, &mut say);
        condition_faults(item.required_when.as_deref(), &before, &mut say);
        before.insert(id, item);
        condition_faults(item.passes_when.as_deref(), &before, &mut say);
    }
    out
}

fn ordered(items: &BTreeMap<String, ChecklistItem>) -> Vec<(&str, &ChecklistItem)> {
    let mut out: Vec<_> = items.iter().map(|(id, item)| (id.as_str(), item)).collect();
    out.sort_by_key(|(id, item)| (item.order, *id));
    out
}

fn item_faults(id: &str, item: &ChecklistItem, say: &mut dyn FnMut(TemplateFault)) {
    let plain = id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !plain || id.len() > 40 || matches!(id, "in" | "true" | "false" | "answered" | "removed") {
        say(TemplateFault::BadId);
    }
    if item.zh.trim().is_empty() {
        say(TemplateFault::NoText);
    }
    if texts(item).chain([id]).any(|text| forbidden::find(text).is_some()) {
        say(TemplateFault::Forbidden);
    }
    let limits = [item.min, item.max];
    let above = matches!((item.min, item.max), (Some(min), Some(max)) if min > max);
    if above || limits.iter().flatten().any(|limit| !limit.is_finite()) {
        say(TemplateFault::Range);
    }
    let known = !matches!(item.kind, ItemKind::Other(_));
    let numeric = limits.iter().any(Option::is_some) || item.unit.is_some();
    if known
        && ((item.kind == ItemKind::Choice) == item.choices.is_empty()
            || (numeric && item.kind != ItemKind::Number))
    {
        say(TemplateFault::Kind);
    }
}

/// Everything in an item that people read.
fn texts(item: &ChecklistItem) -> impl Iterator<Item = &str> {
    let choices = item
        .choices
        .iter()
        .flat_map(|choice| [Some(choice.word.as_str()), Some(choice.zh.as_str()), choice.en.as_deref()]);
    [
        Some(item.zh.as_str()),
        item.en.as_deref(),
        item.unit.as_deref(),
        item.unit_en.as_deref(),
        item.basis.as_deref(),
        item.basis_en.as_deref(),
        item.event_category.as_deref(),
        item.section_zh.as_deref(),
        item.section_en.as_deref(),
    ]
    .into_iter()
    .chain(choices)
    .flatten()
}

fn condition_faults(
    source: Option<&str>,
    before: &BTreeMap<&str, &ChecklistItem>,
    say: &mut dyn FnMut(TemplateFault),
) {
    let Some(source) = source else { return };
    let condition = match Condition::parse(source) {
        Ok(condition) => condition,
        Err(error) => return say(TemplateFault::Condition(error.fault)),
    };
    for name in condition.names() {
        if !before.contains_key(name) && !FACTS.contains(&name) {
            say(TemplateFault::UnknownName(name.to_owned()));
        }
    }
    for (name, word) in condition.compared_words() {
        let Some(item) = before.get(name) else { continue };
        let fits = match item.kind {
            ItemKind::PassFail => super::Outcome::CODES.contains(&word),
            ItemKind::Choice => item.choices.iter().any(|choice| choice.word == word),
            ItemKind::YesNo => matches!(word, "yes" | "no"),
            ItemKind::Text | ItemKind::Date | ItemKind::Other(_) => true,
            _ => false,
        };
        if !fits {
            say(TemplateFault::UnknownWord(word.to_owned()));
        }
    }
}

impl TemplateFault {
    /// The fault in Chinese.
    pub fn zh(&self) -> Cow<'static, str> {
        let text = match self {
            Self::NoText => "没有中文内容",
            Self::BadId => "编号只能由小写字母、数字和下划线组成",
            Self::Forbidden => "含有本系统不采集的内容",
            Self::Condition(fault) => fault.zh(),
            Self::UnknownName(name) => return format!("条件中的“{name}”不是前面的检查项").into(),
            Self::UnknownWord(word) => return format!("条件中的“{word}”不在选项中").into(),
            Self::Range => "数值范围不正确",
            Self::Kind => "选项或数值范围与类型不符",
            Self::Field(name) => return format!("“{name}”不能由表单填写").into(),
            Self::NoCategory => "重大项须指定事件类别",
        };
        text.into()
    }

    /// The fault in English.
    pub fn en(&self) -> Cow<'static, str> {
        let text = match self {
            Self::NoText => "no text in Chinese",
            Self::BadId => "an identifier has small letters, digits and underscores only",
            Self::Forbidden => "asks for what this product does not keep",
            Self::Condition(fault) => return format!("condition: {}", fault.en()).into(),
            Self::UnknownName(name) => {
                return format!("`{name}` in a condition is no item before this one").into();
            }
            Self::UnknownWord(word) => {
                return format!("`{word}` in a condition is not one of the choices").into();
            }
            Self::Range => "the range of numbers is not right",
            Self::Kind => "choices or limits do not fit the kind of item",
            Self::Field(name) => return format!("a form cannot fill `{name}`").into(),
            Self::NoCategory => "a major item has to name the category of its event",
        };
        text.into()
    }
}
