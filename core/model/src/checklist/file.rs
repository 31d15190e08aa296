//! Templates as files: how a deployment writes them. One JSON file a template; those that a new deployment starts with
//! are under `schemas/checklists/`.
//!
//! ```json
//! {
//!   "code": "small_venues", "version": 1,
//!   "name": { "zh": "九小场所", "en": "Small venues" },
//!   "categories": ["shop"], "remedy_days": 15, "event_category": "shop_safety",
//!   "items": [
//!     { "id": "area_m2", "kind": "number", "unit": { "zh": "㎡" }, "min": 1,
//!       "text": { "zh": "经营面积", "en": "Floor area" }, "evidence": "none" },
//!     { "id": "extinguishers", "kind": "number", "text": { "zh": "灭火器数量", "en": "Extinguishers" },
//!       "passes_when": "extinguishers * 50 >= area_m2",
//!       "basis": { "zh": "《中华人民共和国消防法》", "en": "Fire Protection Law of the PRC" } }
//!   ]
//! }
//! ```
//!
//! The order of the items is that of the file. Left out, `kind` is `pass_fail`, `severity` is `general` and `evidence`
//! is `on_fail`. A `section` holds until the next one. `basis` names the law or standard that an item rests on, by its
//! title and number: an order to put something right states it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::item::{ChecklistItem, Choice, EvidenceRule, ItemKind};
use super::template::{Template, TemplateFault};
use crate::categories::Severity;

/// A file that is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateFileError {
    /// Not JSON of this form.
    #[error("line {line}: {reason}")]
    Form {
        /// The line, from 1.
        line: usize,
        /// What the reader says.
        reason: String,
    },
    /// An identifier that two items have.
    #[error("two items are called `{item}`")]
    Twice {
        /// The identifier.
        item: String,
    },
    /// A word that this build does not know.
    #[error("item `{item}`: `{word}` is no {field}")]
    Word {
        /// The item.
        item: String,
        /// The key.
        field: &'static str,
        /// The word.
        word: String,
    },
    /// What else is wrong, by item; an empty name means the whole.
    #[error("{} faults, the first at `{}`: {}", .0.len(), first(.0).0, first(.0).1)]
    Faults(Vec<(String, TemplateFault)>),
}

fn first(faults: &[(String, TemplateFault)]) -> (&str, String) {
    faults.first().map(|(item, fault)| (item.as_str(), fault.en().into_owned())).unwrap_or_default()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    code: String,
    version: i64,
    name: Text,
    #[serde(default)]
    categories: BTreeSet<String>,
    remedy_days: u32,
    event_category: Option<String>,
    items: Vec<Item>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    zh: String,
    en: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    word: String,
    zh: String,
    en: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    id: String,
    section: Option<Text>,
    text: Text,
    #[serde(default = "pass_fail")]
    kind: String,
    unit: Option<Text>,
    min: Option<f64>,
    max: Option<f64>,
    #[serde(default)]
    choices: Vec<Word>,
    shown_when: Option<String>,
    required_when: Option<String>,
    passes_when: Option<String>,
    #[serde(default = "general")]
    severity: String,
    #[serde(default = "on_fail")]
    evidence: String,
    basis: Option<Text>,
    points: Option<u32>,
    days: Option<u32>,
    event_category: Option<String>,
}

fn pass_fail() -> String {
    ItemKind::PassFail.word().to_owned()
}

fn general() -> String {
    Severity::General.word().to_owned()
}

fn on_fail() -> String {
    EvidenceRule::OnFail.word().to_owned()
}

/// Reads a template file and checks all of it.
///
/// # Errors
/// The first thing that is not of the form; else every fault of the template.
pub fn read(json: &str) -> Result<Template, TemplateFileError> {
    let file: File = serde_json::from_str(json)
        .map_err(|error| TemplateFileError::Form { line: error.line(), reason: error.to_string() })?;
    let mut items = BTreeMap::new();
    let mut section: Option<Text> = None;
    for (order, item) in (1u32..).zip(file.items) {
        if item.section.is_some() {
            section.clone_from(&item.section);
        }
        let id = item.id.clone();
        if items.insert(id.clone(), entry(order, item, section.as_ref())?).is_some() {
            return Err(TemplateFileError::Twice { item: id });
        }
    }
    let template = Template {
        code: file.code,
        version: file.version,
        name: file.name.zh,
        name_en: file.name.en,
        categories: file.categories,
        remedy_days: file.remedy_days,
        event_category: file.event_category,
        retired_at: None,
        items,
    };
    let faults = template.faults();
    if faults.is_empty() { Ok(template) } else { Err(TemplateFileError::Faults(faults)) }
}

fn entry(order: u32, item: Item, section: Option<&Text>) -> Result<ChecklistItem, TemplateFileError> {
    let no_word =
        |field, word: &str| TemplateFileError::Word { item: item.id.clone(), field, word: word.to_owned() };
    let kind = ItemKind::from_word(&item.kind);
    let severity = Severity::from_word(&item.severity);
    let evidence = EvidenceRule::from_word(&item.evidence);
    if let ItemKind::Other(word) = &kind {
        return Err(no_word("kind", word));
    }
    if let Severity::Other(word) = &severity {
        return Err(no_word("severity", word));
    }
    if let EvidenceRule::Other(word) = &evidence {
        return Err(no_word("evidence", word));
    }
    let choices =
        item.choices.into_iter().map(|choice| Choice { word: choice.word, zh: choice.zh, en: choice.en });
    Ok(ChecklistItem {
        order,
        zh: item.text.zh,
        en: item.text.en,
        kind,
        unit: item.unit.as_ref().map(|unit| unit.zh.clone()),
        unit_en: item.unit.and_then(|unit| unit.en),
        min: item.min,
        max: item.max,
        choices: choices.collect(),
        required_when: item.required_when,
        shown_when: item.shown_when,
        passes_when: item.passes_when,
        severity,
        evidence,
        basis: item.basis.as_ref().map(|basis| basis.zh.clone()),
        basis_en: item.basis.and_then(|basis| basis.en),
        points: item.points,
        days: item.days,
        event_category: item.event_category,
        section_zh: section.map(|section| section.zh.clone()),
        field: None,
        section_en: section.and_then(|section| section.en.clone()),
    })
}
