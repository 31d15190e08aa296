//! What a checklist asks, what was answered, and what follows from it.
//!
//! Limits, severities, deadlines and conditions are data of a template, never code. A template is written as a JSON file
//! ([`mod@file`]), kept as one [`Checklist`](crate::records::Checklist) record a version, and read as a [`Template`].
//!
//! | subject | module |
//! | --- | --- |
//! | one item, one answer, a finding, a signature | [`ChecklistItem`], [`Answer`], [`Finding`], [`Signature`] |
//! | conditions | [`Condition`] |
//! | what follows from the answers | [`review()`] |
//! | a whole template and what is wrong with one | [`Template`], [`TemplateFault`] |

mod answer;
mod condition;
pub mod file;
mod item;
mod parse;
mod review;
mod template;
#[cfg(test)]
mod tests;

pub use answer::{Answer, Finding, Outcome, Signature, SignatureRole};
pub use condition::{Condition, Facts, Known, PLACE_CATEGORY};
pub use item::{ChecklistItem, Choice, EvidenceRule, ItemKind};
pub use parse::{ConditionError, ConditionFault};
pub use review::{Grade, Lack, Review, Scope, review};
pub(crate) use template::item_faults_of;
pub use template::{Template, TemplateFault};
