//! Everything that needs the worker's decision or patience, in one list: conflicts, refusals, what the server holds
//! back. Each item says in plain words what happened and what can be done.

mod held;
mod media;
#[cfg(test)]
mod media_tests;
#[cfg(test)]
mod random_tests;
mod settle;
#[cfg(test)]
mod tests;
mod undo;
#[cfg(test)]
mod undo_tests;
mod words;

use std::collections::BTreeMap;

use gridwalk_model::describe::{Words, field_name, kind_name, value_text};
use gridwalk_model::event::Flag;
use gridwalk_model::field_rules::FieldRules;
use gridwalk_model::{ContentHash, Kind, RecordId, Timestamp, Value};

use super::today::own_title;
use crate::edit::ConflictEntry;
use crate::error::DeviceError;
use crate::keeping::KeepingLimits;
use crate::keeping::sensitive::is_sensitive;
use crate::store::{ACTED, OutboxState, RefusedEdit, RefusedReason, Store, View};

pub use settle::Settlement;
pub use undo::{NotUndone, Undo};

/// What names an item of the tray.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrayKey {
    /// A field with values that differ.
    Conflict {
        /// The record.
        record: RecordId,
        /// The root key.
        field: String,
    },
    /// An edit that was not accepted.
    Refused {
        /// Its number.
        n: i64,
    },
    /// A new record that was not accepted: all of it is on this phone only.
    NewRefused {
        /// The record.
        record: RecordId,
    },
    /// Removed by one, edited by another.
    Removed {
        /// The record.
        record: RecordId,
    },
    /// The worker's act on an event does not count.
    Late {
        /// The event.
        record: RecordId,
        /// The entry.
        entry: RecordId,
    },
    /// The worker's act on an event has lost all photos on which it rests.
    Unproven {
        /// The event.
        record: RecordId,
        /// The entry.
        entry: RecordId,
    },
    /// The server cannot take it yet.
    Held {
        /// The record.
        record: RecordId,
    },
    /// It cannot be read by this build.
    NeedsUpdate {
        /// The record.
        record: RecordId,
    },
    /// A form that was sent asks what could not be asked then: see [`Store::asked_later`].
    AskedLater {
        /// The submission.
        record: RecordId,
    },
    /// A photo, a voice note or a track does not arrive.
    Media {
        /// Which one.
        media: TrayMedia,
    },
    /// It waits for the network.
    Unsent {
        /// The record.
        record: RecordId,
    },
}

/// What names a medium in the tray.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrayMedia {
    /// One that belongs to a record and is to be sent.
    Upload(ContentHash),
    /// A camera's file that could not be prepared, by its number in the journal.
    Original(i64),
}

/// What can be done about an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrayAct {
    /// Choose one of the values.
    Choose,
    /// Write it again, as it is or changed.
    WriteAgain,
    /// Give it up.
    GiveUp,
    /// Leave it; nothing is lost.
    KeepWaiting,
    /// Keep the record.
    Keep,
    /// Remove the record.
    Remove,
    /// Take note.
    Noted,
    /// Fill in what is asked; that settles it.
    FillIn,
    /// Try again now.
    Retry,
    /// Throw it away, and take it off its record.
    ThrowAway,
}

/// One of the values to choose from, or what was refused.
#[derive(Clone, Debug, PartialEq)]
pub struct TrayValue {
    /// The root key.
    pub field: String,
    /// The field's name.
    pub name: Words,
    /// The value.
    pub value: Value,
    /// As a person reads it.
    pub text: Words,
    /// Who wrote it, where that is known.
    pub author: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Whether reads show it at present.
    pub shown: bool,
    /// Whether it belongs to a sensitive record: then `value` is `null` until [`Store::reveal`] is asked for a purpose.
    pub hidden: bool,
}

impl TrayValue {
    /// As the tray shows it, to whoever looks over the worker's shoulder.
    fn covered(self) -> Self {
        let text = Words::new("敏感内容，说明用途后显示", "Sensitive: shown for a stated purpose");
        Self { value: Value::Null, text, hidden: true, ..self }
    }
}

/// One item.
#[derive(Clone, Debug, PartialEq)]
pub struct TrayItem {
    /// What names it.
    pub key: TrayKey,
    /// The record.
    pub record: RecordId,
    /// The word for its kind.
    pub kind_tag: String,
    /// The name of its kind.
    pub kind: Words,
    /// Whether its values are of the sensitive class.
    pub sensitive: bool,
    /// What the record is called; empty where it has no name.
    pub title: Words,
    /// Since when.
    pub since: Timestamp,
    /// What happened, in a few words.
    pub what: Words,
    /// What happened and what can be done, in plain sentences.
    pub explanation: Words,
    /// The values concerned.
    pub values: Vec<TrayValue>,
    /// The ways out, the likeliest first.
    pub acts: Vec<TrayAct>,
    /// Whether the worker has taken note of it and nothing is left to decide.
    pub seen: bool,
}

/// A record as the tray names it.
struct Subject {
    kind_tag: String,
    title: Words,
}

impl View<'_> {
    fn subject(&self, record: RecordId, kind: &str) -> Result<Subject, DeviceError> {
        let title =
            self.listed(record)?.map(|listed| own_title(&listed, self.event_rules())).unwrap_or_default();
        Ok(Subject { kind_tag: kind.to_owned(), title })
    }

    /// A value as a person reads it; a link by the name of what it leads to.
    fn readable(
        &self,
        kind: &str,
        key: &str,
        value: &Value,
        rules: &FieldRules,
    ) -> Result<Words, DeviceError> {
        if let Some(target) = value.as_link()
            && let Some(listed) = self.listed(target)?
        {
            let title = own_title(&listed, self.event_rules());
            if !title.is_empty() {
                return Ok(title);
            }
        }
        Ok(value_text(kind, key, value, rules))
    }
}

impl Store {
    /// Everything in the tray: first what needs a decision, then what needs patience, then what only waits for the
    /// network; each in the order in which it came. Values of sensitive records are covered, see [`Self::reveal`].
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn tray(&self, now: Timestamp) -> Result<Vec<TrayItem>, DeviceError> {
        let mut items = self.tray_in_full(now)?;
        for item in items.iter_mut().filter(|item| item.sensitive) {
            let values = std::mem::take(&mut item.values);
            item.values = values.into_iter().map(TrayValue::covered).collect();
        }
        Ok(items)
    }

    /// The values of an item in full, for a purpose. Where its record is sensitive, the read is in the journal, durably,
    /// before they are returned.
    ///
    /// # Errors
    /// [`DeviceError::NotInTray`]; [`DeviceError::NoPurpose`] and [`DeviceError::StorageFull`] for a sensitive record.
    pub fn reveal(
        &mut self,
        key: &TrayKey,
        purpose: &str,
        limits: &KeepingLimits,
        now: Timestamp,
    ) -> Result<Vec<TrayValue>, DeviceError> {
        let item = self.tray_in_full(now)?.into_iter().find(|item| item.key == *key);
        let item = item.ok_or(DeviceError::NotInTray)?;
        if let Some(kind) = Kind::parse(&item.kind_tag) {
            self.note_reads(kind, &[item.record], purpose, limits, now)?;
        }
        Ok(item.values)
    }

    fn tray_in_full(&self, now: Timestamp) -> Result<Vec<TrayItem>, DeviceError> {
        let rules = self.field_rules()?;
        let mut out = Vec::new();
        for conflict in self.conflicts_any()? {
            out.push(self.conflict_item(conflict, &rules)?);
        }
        self.refused_items(&rules, &mut out)?;
        for record in self.undecided()? {
            out.push(self.removed_item(record)?);
        }
        self.late_items(&mut out)?;
        self.asked_items(now, &mut out)?;
        for (record, kind) in self.unreadable()? {
            let key = TrayKey::NeedsUpdate { record };
            let mut item = self.item(key, record, &kind, record_time(record))?;
            item.seen = self.view().is_seen(record, "needs_update", item.since)?;
            out.push(item);
        }
        self.media_items(now, &mut out)?;
        let mut unsent = Vec::new();
        for row in self.view().waiting_records()? {
            if row.state == OutboxState::Waiting {
                let key = TrayKey::Unsent { record: row.record };
                unsent.push(self.item(key, row.record, &row.kind, row.since)?);
                continue;
            }
            let key = TrayKey::Held { record: row.record };
            let mut item = self.item(key, row.record, &row.kind, row.since)?;
            let awaited = self.view().awaited(row.record, &row.kind, row.state)?;
            item.acts = awaited.map_or(item.acts, |awaited| awaited.acts().to_vec());
            item.explanation = words::held(row.state, awaited, row.changes);
            item.seen = self.view().is_seen(row.record, "held", row.since)?;
            out.push(item);
        }
        out.extend(unsent);
        Ok(out)
    }

    /// An item with what follows from its key.
    fn item(
        &self,
        key: TrayKey,
        record: RecordId,
        kind: &str,
        since: Timestamp,
    ) -> Result<TrayItem, DeviceError> {
        let Subject { kind_tag, title } = self.view().subject(record, kind)?;
        let kind = kind_name(&kind_tag);
        Ok(TrayItem {
            what: words::what(&key),
            explanation: words::explanation(&key, &kind),
            acts: words::acts(&key).to_vec(),
            values: Vec::new(),
            seen: false,
            key,
            record,
            sensitive: is_sensitive(&kind_tag),
            kind_tag,
            kind,
            title,
            since,
        })
    }

    fn conflict_item(&self, conflict: ConflictEntry, rules: &FieldRules) -> Result<TrayItem, DeviceError> {
        let ConflictEntry { record, kind, field, candidates } = conflict;
        let since = candidates.iter().map(|candidate| candidate.at).max().unwrap_or_default();
        let last = candidates.len().saturating_sub(1);
        let name = field_name(&kind, &field);
        let mut values = Vec::new();
        for (at, candidate) in candidates.into_iter().enumerate() {
            values.push(TrayValue {
                text: self.view().readable(&kind, &field, &candidate.value, rules)?,
                field: field.clone(),
                name: name.clone(),
                value: candidate.value,
                author: candidate.author,
                at: candidate.at,
                shown: at == last,
                hidden: false,
            });
        }
        let explanation = words::conflict(&name, values.len());
        let item = self.item(TrayKey::Conflict { record, field }, record, &kind, since)?;
        Ok(TrayItem { values, explanation, ..item })
    }

    fn refused_items(&self, rules: &FieldRules, out: &mut Vec<TrayItem>) -> Result<(), DeviceError> {
        // A record that was refused as a whole is one item, not one a field.
        let mut whole: BTreeMap<RecordId, usize> = BTreeMap::new();
        for edit in self.refused_edits_any()? {
            let value = self.refused_value(&edit, rules)?;
            if self.view().record_key(edit.record)?.is_some() {
                let item = self.item(TrayKey::Refused { n: edit.n }, edit.record, &edit.kind, edit.at)?;
                let explanation = words::refused(&value.name, edit.reason);
                out.push(TrayItem { explanation, values: vec![value], ..item });
                continue;
            }
            if let Some(item) = whole.get(&edit.record).and_then(|at| out.get_mut(*at)) {
                item.title = title_of(&edit, &item.title);
                item.values.push(value);
                continue;
            }
            whole.insert(edit.record, out.len());
            let key = TrayKey::NewRefused { record: edit.record };
            let item = self.item(key, edit.record, &edit.kind, edit.at)?;
            let explanation = words::new_refused(&item.kind, edit.reason);
            let title = title_of(&edit, &item.title);
            out.push(TrayItem { explanation, title, values: vec![value], ..item });
        }
        Ok(())
    }

    fn refused_value(&self, edit: &RefusedEdit, rules: &FieldRules) -> Result<TrayValue, DeviceError> {
        Ok(TrayValue {
            field: edit.field.clone(),
            name: field_name(&edit.kind, &edit.field),
            value: edit.value.clone(),
            text: self.view().readable(&edit.kind, &edit.field, &edit.value, rules)?,
            author: self.user_name()?,
            at: edit.at,
            shown: false,
            hidden: false,
        })
    }

    fn removed_item(&self, record: RecordId) -> Result<TrayItem, DeviceError> {
        let kind = self.fields_any(record)?.map(|(kind, _)| kind).unwrap_or_default();
        self.item(TrayKey::Removed { record }, record, &kind, record_time(record))
    }

    /// Forms that were sent and ask more by now, under the name of what they are about.
    fn asked_items(&self, now: Timestamp, out: &mut Vec<TrayItem>) -> Result<(), DeviceError> {
        for asked in self.asked_later(now)? {
            let key = TrayKey::AskedLater { record: asked.submission };
            let item = self.item(key, asked.submission, Kind::Submission.tag(), asked.sent_at)?;
            let Subject { title, .. } = self.view().subject(asked.target, "")?;
            let explanation = words::asked_later(asked.items.len());
            out.push(TrayItem { title, explanation, ..item });
        }
        Ok(())
    }

    /// Acts of the worker that do not count or lack their photos, on whosever report, until they have taken note.
    fn late_items(&self, out: &mut Vec<TrayItem>) -> Result<(), DeviceError> {
        let Some(identity) = self.identity() else { return Ok(()) };
        for event in self.view().list_linked(Kind::Event.tag(), ACTED, identity.user)? {
            for LateAct { entry, at, action, flag } in self.late_acts(event.id)? {
                let proof = flag == Flag::ProofTakenOff;
                if self.view().is_seen(entry, if proof { UNPROVEN } else { "late" }, at)? {
                    continue;
                }
                let record = event.id;
                let (key, explanation) = if proof {
                    (TrayKey::Unproven { record, entry }, words::unproven(&action))
                } else {
                    (TrayKey::Late { record, entry }, words::late(&action, flag))
                };
                let item = self.item(key, record, Kind::Event.tag(), at)?;
                out.push(TrayItem { explanation, ..item });
            }
        }
        Ok(())
    }
}

/// Source under which the tray remembers that an act without its photos was taken note of.
const UNPROVEN: &str = "unproven";

/// An act of the worker that does not count, or with [`Flag::ProofTakenOff`] lacks its photos.
pub(crate) struct LateAct {
    pub(crate) entry: RecordId,
    pub(crate) at: Timestamp,
    pub(crate) action: gridwalk_model::event::Action,
    pub(crate) flag: Flag,
}

/// The name of a record that is known only by what was refused.
fn title_of(edit: &RefusedEdit, title: &Words) -> Words {
    match (edit.field.as_str(), edit.value.as_text()) {
        ("name" | "title" | "number", Some(text)) => Words::same(text),
        _ => title.clone(),
    }
}

/// When a record was made, by its identifier.
fn record_time(record: RecordId) -> Timestamp {
    let bytes = record.as_bytes();
    let millis = bytes.iter().take(6).fold(0i64, |sum, byte| (sum << 8) | i64::from(*byte));
    Timestamp::from_millis(millis)
}

/// Whether the same identifier can be used when a refused record is made again.
fn same_id(reason: RefusedReason) -> bool {
    use gridwalk_replica::admission::Reason;
    !matches!(reason, RefusedReason::Invalid(Reason::SecondRoot | Reason::Identity))
}
