//! Whether a report has reached the server; what to do about an urgent one that has not.

use std::collections::BTreeMap;

use gridwalk_model::describe::Words;
use gridwalk_model::event::urgent::{Call, UrgentFacts, call};
use gridwalk_model::event::{SlaClass, read_log};
use gridwalk_model::geo::Position;
use gridwalk_model::records::FieldValue;
use gridwalk_model::{Fields, Kind, RecordId, Timestamp, Value};
use gridwalk_replica::FlatChange;

use super::report::is_urgent;
use crate::error::DeviceError;
use crate::store::{Store, View};

/// How far a report has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// It is on this phone only.
    NotSent,
    /// The server has it durably.
    Sent,
    /// The server has it and has begun to count its time.
    Received(Timestamp),
}

impl Sending {
    /// For a chip on a screen, in both languages.
    pub fn words(self) -> Words {
        match self {
            Self::NotSent => Words::new("未发出", "NOT SENT"),
            Self::Sent => Words::new("已发出", "Sent"),
            Self::Received(_) => Words::new("已接收", "Received"),
        }
    }
}

/// A report that the server does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotSent {
    /// The event; `None` for a draft.
    pub event: Option<RecordId>,
    /// The draft; `None` for an event.
    pub draft: Option<i64>,
    /// The event's number.
    pub number: Option<String>,
    /// Its category.
    pub category: Words,
    /// Since when it has not been sent.
    pub since: Timestamp,
    /// Whether minutes count: then the screen says NOT SENT and offers the call.
    pub urgent: bool,
    /// Whom to call, and the message, for an urgent one.
    pub call: Option<Call>,
}

fn text<'f>(fields: &'f Fields, name: &str) -> Option<&'f str> {
    fields.get(name).and_then(Value::as_text)
}

impl View<'_> {
    /// Whether the change that made a record still waits.
    pub(super) fn creation_waits(&self, record: RecordId) -> Result<bool, DeviceError> {
        let first = self.outbox_of(record)?.into_iter().next();
        Ok(first.and_then(|row| FlatChange::read(&row.raw).ok()).is_some_and(|change| change.deps.is_empty()))
    }

    fn name_of(&self, id: Option<RecordId>) -> Result<Option<String>, DeviceError> {
        let Some(id) = id else { return Ok(None) };
        Ok(self.listed(id)?.and_then(|listed| text(&listed.fields, "name").map(str::to_owned)))
    }

    /// Estate and building; never entrance or door.
    fn building_of(&self, dwelling: Option<RecordId>) -> Result<Option<String>, DeviceError> {
        let Some(id) = dwelling else { return Ok(None) };
        Ok(self.listed(id)?.map(|listed| {
            ["estate", "building"].iter().filter_map(|name| text(&listed.fields, name)).collect()
        }))
    }

    /// The call about something that is written like an event.
    fn call_for(&self, fields: &Fields, at: Timestamp) -> Result<Option<Call>, DeviceError> {
        let link = |name: &str| fields.get(name).and_then(Value::as_link);
        let (grid, building) = (self.name_of(link("area"))?, self.building_of(link("dwelling"))?);
        let facts = UrgentFacts {
            category: text(fields, "category"),
            number: text(fields, "number"),
            grid: grid.as_deref(),
            building: building.as_deref(),
            at,
            position: fields.get("position").and_then(|value| Position::from_value(value).ok()),
        };
        Ok(call(&facts, &self.field_rules()?, self.event_rules()))
    }
}

impl Store {
    /// How far a report has come.
    ///
    /// # Errors
    /// [`DeviceError::UnknownRecord`], [`DeviceError::WrongKind`].
    pub fn sending(&self, event: RecordId) -> Result<Sending, DeviceError> {
        let case = self.view().case(event)?;
        Ok(match case.folded.received_at {
            Some(at) => Sending::Received(at),
            None if self.view().creation_waits(event)? => Sending::NotSent,
            None => Sending::Sent,
        })
    }

    /// Whom to call about an event, and a message without personal data.
    ///
    /// # Errors
    /// As [`Self::sending`].
    pub fn call_about(&self, event: RecordId) -> Result<Option<Call>, DeviceError> {
        let case = self.view().case(event)?;
        let at = case.folded.occurred_at.or(case.folded.reported_at).unwrap_or_default();
        self.view().call_for(&case.listed.fields, at)
    }

    /// Every report that the server does not have, drafts of urgent categories and refused ones included: the urgent
    /// ones first, each with whom to call, then the oldest.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn not_sent(&self) -> Result<Vec<NotSent>, DeviceError> {
        let view = self.view();
        let rules = view.event_rules();
        let mut out = Vec::new();
        for draft in self.draft_tray()?.drafts {
            let class = rules.class(draft.report.category.as_deref());
            if !is_urgent(&draft.report, &class) {
                continue;
            }
            let mut fields = Fields::new();
            let mut put = |name: &str, value: Option<Value>| {
                fields.extend(value.map(|value| (name.to_owned(), value)));
            };
            put("area", draft.report.area.map(Value::from));
            put("dwelling", draft.report.dwelling.map(Value::from));
            put("category", draft.report.category.as_deref().map(Value::from));
            put("position", draft.report.position.map(|position| position.to_value()));
            let (zh, en) = rules.label(draft.report.category.as_deref().unwrap_or_default());
            out.push(NotSent {
                event: None,
                draft: Some(draft.n),
                number: None,
                category: Words::new(zh, en),
                since: draft.at,
                urgent: true,
                call: view.call_for(&fields, draft.report.seen_at.unwrap_or(draft.at))?,
            });
        }
        for event in view.records_waiting(Kind::Event.tag())? {
            if view.listed(event)?.is_some() && view.creation_waits(event)? {
                out.push(self.not_sent_event(event)?);
            }
        }
        out.extend(self.refused_reports()?);
        out.sort_by_key(|item| (!item.urgent, item.since));
        Ok(out)
    }

    /// Reports that the server refused as a whole: they are in the tray, and nobody has them but this phone.
    fn refused_reports(&self) -> Result<Vec<NotSent>, DeviceError> {
        let mut reports: BTreeMap<RecordId, (Timestamp, Fields)> = BTreeMap::new();
        for edit in self.refused_edits_any()? {
            if edit.kind == Kind::Event.tag() && self.view().record_key(edit.record)?.is_none() {
                let (_, fields) = reports.entry(edit.record).or_insert((edit.at, Fields::new()));
                fields.insert(edit.field, edit.value);
            }
        }
        let rules = self.view().event_rules();
        let mut out = Vec::new();
        for (event, (since, fields)) in reports {
            let category = text(&fields, "category").unwrap_or_default();
            let first = read_log(&fields).0.into_iter().find_map(|entry| entry.urgency);
            let urgent = first.unwrap_or_else(|| rules.class(Some(category))) == SlaClass::Urgent;
            let (zh, en) = rules.label(category);
            out.push(NotSent {
                event: Some(event),
                draft: None,
                number: text(&fields, "number").map(str::to_owned),
                category: Words::new(zh, en),
                since,
                urgent,
                call: if urgent { self.view().call_for(&fields, since)? } else { None },
            });
        }
        Ok(out)
    }

    fn not_sent_event(&self, event: RecordId) -> Result<NotSent, DeviceError> {
        let case = self.view().case(event)?;
        let rules = self.view().event_rules();
        let category = case.folded.category.as_deref().unwrap_or_default();
        let class = case.folded.urgency.clone().unwrap_or_else(|| rules.class(Some(category)));
        let urgent = class == SlaClass::Urgent && !case.folded.is_over();
        let (zh, en) = rules.label(category);
        let first = read_log(&case.listed.fields).0.into_iter().map(|entry| entry.at).min();
        Ok(NotSent {
            event: Some(event),
            draft: None,
            number: text(&case.listed.fields, "number").map(str::to_owned),
            category: Words::new(zh, en),
            since: first.unwrap_or_default(),
            urgent,
            call: if urgent { self.call_about(event)? } else { None },
        })
    }
}
