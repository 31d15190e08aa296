//! The second and third call of a report: choosing the category, with hints at reports of the same problem, and
//! sending.

use std::collections::BTreeMap;

use gridwalk_model::event::near::{Near, Sighting, near};
use gridwalk_model::event::urgent::Call;
use gridwalk_model::event::{Action, LogEntry, SlaClass, State, fold, read_log};
use gridwalk_model::geo::Position;
use gridwalk_model::photo::PhotoRole;
use gridwalk_model::records::FieldValue;
use gridwalk_model::records::event::{Event, EventSource};
use gridwalk_model::{Fields, Kind, RecordId, Timestamp, Value};

use super::draft::{Draft, ReportDraft};
use crate::edit::Edits;
use crate::error::DeviceError;
use crate::store::{Commit, Listed, Store, Tx, View, VoicePlace};

/// How many events are read at a time when near ones are looked for.
const PAGE: usize = 64;

/// What the worker is told when a category is chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Sorted {
    /// Reports that may be of the same problem, the nearest first. Sending remains the worker's choice.
    pub near: Vec<NearReport>,
    /// Whether it may be settled on the spot, with an after-photo.
    pub on_spot: bool,
    /// Whether minutes count.
    pub urgent: bool,
}

/// A report that may be of the same problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearReport {
    /// The event.
    pub event: RecordId,
    /// Its number.
    pub number: Option<String>,
    /// Where it stands.
    pub state: State,
    /// How near.
    pub near: Near,
    /// Whether this worker reported it.
    pub mine: bool,
}

/// What sending made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentReport {
    /// The event.
    pub event: RecordId,
    /// Its number.
    pub number: String,
    /// Whether it says that the problem was put right on the spot. Where the category does not allow that, or the
    /// after-photo is missing, it counts as a report.
    pub on_spot: bool,
    /// For an urgent report: whom to call as long as it is not sent, with a message.
    pub call: Option<Call>,
}

impl View<'_> {
    /// A link of a record, and a position.
    fn at_record(&self, id: Option<RecordId>) -> Result<(Option<RecordId>, Option<Position>), DeviceError> {
        let Some(id) = id else { return Ok((None, None)) };
        let Some(listed) = self.listed(id)? else { return Ok((None, None)) };
        let area = listed.fields.get("area").and_then(Value::as_link);
        Ok((area, listed.fields.get("position").and_then(|value| Position::from_value(value).ok())))
    }

    /// Where a report belongs and where it is: the door or place says both, before the phone's fix.
    fn locate(&self, report: &ReportDraft) -> Result<(Option<RecordId>, Option<Position>), DeviceError> {
        let (place_area, place_position) = self.at_record(report.place)?;
        let (dwelling_area, dwelling_position) = self.at_record(report.dwelling)?;
        let area = match report.area.or(place_area).or(dwelling_area) {
            Some(area) => Some(area),
            None => self.own_grid(report.position.map(|position| position.point()))?.own,
        };
        Ok((area, place_position.or(dwelling_position).or(report.position)))
    }
}

impl Store {
    /// The second call of a report: says what it is about.
    ///
    /// # Errors
    /// [`DeviceError::NoDraft`].
    pub fn choose_category(&mut self, n: i64, category: &str, now: Timestamp) -> Result<Sorted, DeviceError> {
        let draft = self.draft(n)?;
        let report = ReportDraft { category: Some(category.to_owned()), ..draft.report };
        self.save_draft(n, &report)?;
        let rules = self.event_rules();
        Ok(Sorted {
            near: self.near_reports(&report, now)?,
            on_spot: rules.on_spot(Some(category)),
            urgent: is_urgent(&report, &rules.class(Some(category))),
        })
    }

    /// Events on this phone that may be of the same problem. Costs what the last days brought, not what the phone holds.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn near_reports(&self, report: &ReportDraft, now: Timestamp) -> Result<Vec<NearReport>, DeviceError> {
        let Some(category) = report.category.as_deref() else { return Ok(Vec::new()) };
        let rules = self.field_rules()?;
        let event_rules = self.view().event_rules();
        let user = self.identity().map(|identity| identity.user);
        let (_, position) = self.view().locate(report)?;
        let at = report.seen_at.unwrap_or(now);
        let new = Sighting { category, at, position, dwelling: report.dwelling, place: report.place };
        let oldest = at.plus_days(-i64::from(rules.near_days));
        let mut out = Vec::new();
        let mut after: Option<(String, i64)> = None;
        loop {
            let from = after.as_ref().map(|(sort, key)| (sort.as_str(), *key));
            let page = self.view().list_kind(Kind::Event.tag(), from, PAGE)?;
            after = page.last().map(|row| (row.sort.clone(), row.key));
            for row in &page {
                let seen = row.fields.get("occurred_at").and_then(|value| Timestamp::from_value(value).ok());
                if seen.is_some_and(|seen| seen < oldest) {
                    after = None;
                    break;
                }
                let Some(found) = near_one(row, &new, &rules) else { continue };
                let folded = fold(&read_log(&row.fields).0, event_rules);
                let sorted_under = folded.category.as_deref();
                let category = sorted_under.or_else(|| row.fields.get("category").and_then(Value::as_text));
                if category != Some(new.category) || matches!(folded.state, State::Withdrawn | State::Draft) {
                    continue;
                }
                out.push(NearReport {
                    event: row.id,
                    number: row.fields.get("number").and_then(Value::as_text).map(str::to_owned),
                    state: folded.state,
                    near: found,
                    mine: user.is_some() && folded.reporter == user,
                });
            }
            if after.is_none() || page.len() < PAGE {
                break;
            }
        }
        out.sort_by_key(|found| (found.near, found.event));
        Ok(out)
    }

    /// The third call of a report: the draft becomes an event with a number, and waits for the network. Its photos
    /// follow: see [`Self::photos_to_attach`]; its voice notes are in it. Taken back by [`Self::act_on_event`] with a
    /// withdrawal.
    ///
    /// # Errors
    /// [`DeviceError::NoDraft`], [`DeviceError::DraftDiscarded`]: what was thrown away leaves the phone only after it was
    /// taken back on purpose. [`DeviceError::Unfinished`] without a grid, a category, or a photo (`photos`) where nothing
    /// was recorded either and no reason is given why there is none; [`DeviceError::Invalid`] where nothing says where it is.
    pub fn send_report(&mut self, n: i64, now: Timestamp) -> Result<SentReport, DeviceError> {
        let draft = self.draft(n)?;
        if draft.discarded_at.is_some() {
            return Err(DeviceError::DraftDiscarded);
        }
        let (area, position) = self.view().locate(&draft.report)?;
        let area = area.ok_or(DeviceError::Unfinished { what: "area" })?;
        let category = draft.report.category.clone().ok_or(DeviceError::Unfinished { what: "category" })?;
        let reason = draft.report.no_photo_reason.as_deref().unwrap_or_default();
        let heard = draft.voices.iter().any(|voice| voice.discarded_at.is_none());
        if draft.photos.is_empty() && !heard && reason.trim().is_empty() {
            return Err(DeviceError::Unfinished { what: "photos" });
        }
        let event_rules = self.event_rules();
        let urgent = is_urgent(&draft.report, &event_rules.class(Some(&category)));
        let after = draft.photos.iter().any(|photo| photo.role == PhotoRole::After);
        let on_spot = draft.report.on_spot && after && event_rules.on_spot(Some(&category));
        let key = self.evidence_key.clone();
        let (event, number) = self.write(Commit::Edit, |tx| {
            let number = tx.issue_event_number(now)?.to_string();
            let entry = tx.report_entry(&draft, &category, position, now)?;
            let record = event_of(&draft.report, area, category, position, &number, &entry);
            let id = Edits::over(tx, now).create(&record)?;
            tx.hand_over_photos(n, id)?;
            let voices = tx.voices_at(VoicePlace::Report(n))?;
            tx.hand_over_voices(key.as_deref(), voices, id, now)?;
            tx.delete_draft(n)?;
            Ok((id, number))
        })?;
        let call = if urgent { self.call_about(event)? } else { None };
        Ok(SentReport { event, number, on_spot, call })
    }
}

/// How near an event is in place and time, whatever its category: that takes the log, which is read of near ones only.
fn near_one(
    row: &Listed,
    new: &Sighting<'_>,
    rules: &gridwalk_model::field_rules::FieldRules,
) -> Option<Near> {
    let fields: &Fields = &row.fields;
    let link = |name: &str| fields.get(name).and_then(Value::as_link);
    let old = Sighting {
        category: new.category,
        // An event from elsewhere may not say when it was seen: then when it was written down.
        at: Timestamp::from_value(fields.get("occurred_at").unwrap_or(&Value::Null))
            .unwrap_or_else(|_| row.id.made_at()),
        position: fields.get("position").and_then(|value| Position::from_value(value).ok()),
        dwelling: link("dwelling"),
        place: link("place"),
    };
    near(new, &old, rules)
}

pub(super) fn is_urgent(report: &ReportDraft, class: &SlaClass) -> bool {
    *report.urgency.as_ref().unwrap_or(class) == SlaClass::Urgent
}

impl Tx<'_> {
    /// The entry that begins the log.
    fn report_entry(
        &mut self,
        draft: &Draft,
        category: &str,
        position: Option<Position>,
        now: Timestamp,
    ) -> Result<LogEntry, DeviceError> {
        let user = self.identity()?.user;
        let action = if draft.report.on_spot { Action::ResolveOnSpot } else { Action::Report };
        let elements = |after: bool| -> Vec<RecordId> {
            let photos = draft.photos.iter().filter(|photo| (photo.role == PhotoRole::After) == after);
            photos.map(|photo| photo.element).collect()
        };
        let id = self.new_id(now)?;
        let unit = self.unit_of(user)?;
        Ok(LogEntry {
            unit,
            category: Some(category.to_owned()),
            urgency: draft.report.urgency.clone(),
            reason: draft.report.no_photo_reason.clone(),
            photos: elements(false),
            after_photos: elements(true),
            position,
            has_appellant: draft.report.has_appellant.then_some(true),
            occurred_at: draft.report.seen_at.or(Some(draft.at)),
            ..LogEntry::new(id, None, now, user, action)
        })
    }
}

fn event_of(
    report: &ReportDraft,
    area: RecordId,
    category: String,
    position: Option<Position>,
    number: &str,
    entry: &LogEntry,
) -> Event {
    Event {
        area,
        number: Some(number.to_owned()),
        category,
        description: report.description.clone(),
        address: report.address.clone(),
        position,
        place: report.place,
        dwelling: report.dwelling,
        inspection: report.inspection,
        source: Some(if report.inspection.is_some() {
            EventSource::Inspection
        } else {
            EventSource::Gridworker
        }),
        reporter: entry.by,
        occurred_at: entry.occurred_at,
        external_number: None,
        external_due: None,
        photos: BTreeMap::new(),
        voices: BTreeMap::new(),
        log: BTreeMap::from([(entry.id.to_hex(), entry.to_bytes())]),
    }
}
