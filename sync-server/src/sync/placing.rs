//! Where records belong, as far as the store tells: the server's side of [`gridwalk_model::placement`].

use std::cell::RefCell;
use std::collections::BTreeSet;

use gridwalk_model::local_time::LocalTime;
use gridwalk_model::placement::{self, Links};
use gridwalk_model::schema::PlacementRule;
use gridwalk_model::{Fields, Kind, KindSchema, RecordId, StreamId, Timestamp};
use jiff::civil::Date;

use super::{Context, Landing};
use crate::storage::records::{Link, RecordNo};
use crate::storage::{ReadTx, StorageError, Stored, WriteTx};

/// The deployment's day at a point in time, which is China's.
pub fn day_of(at: Timestamp) -> Date {
    LocalTime::CHINA.day_of(at).unwrap_or(Date::MAX)
}

/// Links as the store has them. [`Links`] cannot fail, so the first failure is kept aside.
struct StoreLinks<'t> {
    tx: &'t dyn ReadTx,
    failed: RefCell<Option<StorageError>>,
}

impl StoreLinks<'_> {
    fn caught<T: Default>(&self, result: Stored<T>) -> T {
        result.unwrap_or_else(|error| {
            self.failed.borrow_mut().get_or_insert(error);
            T::default()
        })
    }
}

impl Links for StoreLinks<'_> {
    fn areas_of(&self, record: RecordId) -> BTreeSet<RecordId> {
        self.caught(areas_of(self.tx, record))
    }

    fn current_referrers(&self, record: RecordId, kind: Kind, field: &str) -> Vec<RecordId> {
        let referrers = self.caught(self.tx.referrers(record));
        let current = referrers.into_iter().filter(|r| r.active && r.field == field && r.kind == kind.tag());
        current.map(|referrer| referrer.id).collect()
    }
}

/// The areas in which a record is placed now.
pub(super) fn areas_of(tx: &dyn ReadTx, record: RecordId) -> Stored<BTreeSet<RecordId>> {
    let Some(head) = tx.record(record)? else { return Ok(BTreeSet::new()) };
    let members = tx.memberships(head.no)?;
    Ok(areas_in(members.iter().filter(|member| !member.removed).map(|member| &member.stream)))
}

/// The areas among streams.
pub(super) fn areas_in<'s>(streams: impl Iterator<Item = &'s StreamId>) -> BTreeSet<RecordId> {
    streams
        .filter_map(|stream| match stream {
            StreamId::Area { area, .. } => Some(*area),
            _ => None,
        })
        .collect()
}

/// The streams that a record belongs to by its content and links. Empty while nothing places it.
pub(super) fn target(
    tx: &dyn ReadTx,
    schema: &KindSchema,
    id: RecordId,
    fields: &Fields,
) -> Stored<BTreeSet<StreamId>> {
    let links = StoreLinks { tx, failed: RefCell::new(None) };
    let streams = placement::streams(schema, id, fields, &links);
    match links.failed.into_inner() {
        Some(error) => Err(error),
        None => Ok(streams),
    }
}

/// The fields of `kind` through which its records place the records that they name, where those are of a kind
/// that is placed by its referrers (a residency places its resident).
pub(super) fn referring_fields(kind: Kind) -> impl Iterator<Item = &'static str> {
    Kind::ALL.iter().filter_map(move |other| match other.schema().placement {
        PlacementRule::Referrers { kind: referrer, field } if referrer == kind => Some(field),
        _ => None,
    })
}

/// The links of a record that placement follows. `shown` is false for a record that was removed.
pub(super) fn links(schema: &KindSchema, fields: &Fields, shown: bool, today: Date) -> BTreeSet<Link> {
    let link = |field: &str| fields.get(field).and_then(|value| value.as_link());
    let mut out = BTreeSet::new();
    if let PlacementRule::Inherit(field) = schema.placement
        && let Some(target) = link(field)
    {
        out.insert(Link { target, field: field.to_owned(), active: true, recheck: None });
    }
    for field in referring_fields(schema.kind) {
        if let Some(target) = link(field) {
            let (current, recheck) = current(fields, today);
            let active = shown && current;
            let recheck = recheck.filter(|_| shown).map(|day| day.to_string());
            out.insert(Link { target, field: field.to_owned(), active, recheck });
        }
    }
    out
}

/// Whether the period `from` (included) to `to` (not included) holds today, and the day on which that changes.
fn current(fields: &Fields, today: Date) -> (bool, Option<Date>) {
    let day = |name: &str| {
        let text = fields.get(name).and_then(|value| value.as_text())?;
        gridwalk_model::records::parse_date(text)
    };
    let (from, to) = (day("from"), day("to"));
    let begun = from.is_none_or(|from| from <= today);
    let ended = to.is_some_and(|to| to <= today);
    let change = if ended {
        None
    } else if begun {
        to
    } else {
        from
    };
    (begun && !ended, change)
}

/// Fields enough to place a record again without loading its document, where its kind allows.
pub(super) fn placing_fields(tx: &dyn ReadTx, schema: &KindSchema, no: RecordNo) -> Stored<Fields> {
    if schema.followers.is_empty() && !matches!(schema.placement, PlacementRule::Own(_)) {
        let links = tx.links_of(no)?;
        return Ok(links.into_iter().map(|link| (link.field, link.target.into())).collect());
    }
    let document = gridwalk_replica::Document::load(&tx.snapshot(no)?)
        .map_err(|_| StorageError::Damaged { what: "record.snapshot" })?;
    Ok(document.fields())
}

/// Places anew what a change of day has moved: residents whose residency began or ended. Returns how many
/// residencies were looked at; call again until it is zero.
///
/// # Errors
/// A failure of the store.
pub fn replace_due(tx: &mut dyn WriteTx, context: Context<'_>) -> Stored<usize> {
    let today = day_of(context.now);
    let due = tx.links_due(&today.to_string(), 500)?;
    let mut landing = Landing::new(context.now);
    for id in &due {
        landing.relink(tx, *id)?;
    }
    landing.finish(tx)?;
    Ok(due.len())
}

#[cfg(test)]
mod tests {
    use gridwalk_model::Value;

    use super::*;

    #[test]
    fn the_day_turns_at_midnight_in_china() {
        let at = |text: &str| {
            day_of(Timestamp::from_millis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond()))
                .to_string()
        };
        assert_eq!(at("2026-03-01T15:59:59Z"), "2026-03-01");
        assert_eq!(at("2026-03-01T16:00:00Z"), "2026-03-02");
        assert_eq!(at("1969-12-31T15:59:59Z"), "1969-12-31");
    }

    #[test]
    fn a_period_says_when_it_is_to_be_looked_at_again() {
        let today: Date = "2026-03-01".parse().unwrap();
        let with = |from: &str, to: &str| {
            let mut fields = Fields::new();
            for (name, day) in [("from", from), ("to", to)] {
                if !day.is_empty() {
                    fields.insert(name.to_owned(), Value::from(day));
                }
            }
            let (current, change) = current(&fields, today);
            (current, change.map(|day| day.to_string()).unwrap_or_default())
        };
        assert_eq!(with("", ""), (true, String::new()));
        assert_eq!(with("2026-03-01", ""), (true, String::new()));
        assert_eq!(with("2026-03-02", ""), (false, "2026-03-02".to_owned()));
        assert_eq!(with("", "2026-03-05"), (true, "2026-03-05".to_owned()));
        assert_eq!(with("", "2026-03-01"), (false, String::new()));
    }
}
