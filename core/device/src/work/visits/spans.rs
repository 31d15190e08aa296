//! What is due to somebody, from which day to which: what the list of what is due is read from.
//!
//! The rule of `due.rs` gives another answer from one day to the next only where a tag or a residency begins or ends.
//! Between those days its answer is kept as a row, so that a row never goes stale with the calendar, and is the same
//! whenever and wherever it is drawn from the same records.

use std::collections::BTreeSet;

use gridwalk_model::records::visit::VisitPurpose;
use gridwalk_model::records::{CareTag, Household, Residency, Resident};
use gridwalk_model::{Kind, RecordId};
use jiff::ToSpan;
use jiff::civil::Date;

use super::due::{Books, Round};
use crate::edit::Entry;
use crate::error::DeviceError;
use crate::store::View;
use crate::work::people;

/// A visit that is due to somebody, as it stands on some days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DueSpan {
    /// The first of those days; [`Date::MIN`] for ever before.
    pub(crate) since: Date,
    /// The first day after them.
    pub(crate) until: Option<Date>,
    pub(crate) purpose: VisitPurpose,
    /// The last day on which it is in time.
    pub(crate) day: Date,
    /// Whether that day was agreed or set at a visit.
    pub(crate) agreed: bool,
    /// Not to be tried before this day.
    pub(crate) not_before: Option<Date>,
}

impl DueSpan {
    fn same_but_later(&self, before: &Self) -> bool {
        before.until == Some(self.since)
            && (&self.purpose, self.day, self.agreed, self.not_before)
                == (&before.purpose, before.day, before.agreed, before.not_before)
    }
}

/// Draws everything that depends on the records of `touched` (residents, dwellings, households, places,
/// organizations) and hands it to `put`, target by target.
///
/// # Errors
/// Failures of SQLite, and of `put`.
pub(crate) fn redrawn(
    view: View<'_>,
    touched: BTreeSet<RecordId>,
    mut put: impl FnMut(RecordId, Vec<DueSpan>) -> Result<(), DeviceError>,
) -> Result<(), DeviceError> {
    let books = Books::open(view)?;
    let mut round = Round { cadence: books.cadence()?, today: Date::MIN };
    for target in books.widened(touched)? {
        put(target, books.spans(target, &mut round)?)?;
    }
    Ok(())
}

impl Books<'_> {
    /// Adds the doors behind which the touched people live or lived, and those of touched households.
    fn widened(&self, touched: BTreeSet<RecordId>) -> Result<BTreeSet<RecordId>, DeviceError> {
        let mut out = BTreeSet::new();
        for id in touched {
            let listed = self.view.listed(id)?;
            match listed.and_then(|listed| Kind::parse(&listed.kind)) {
                // What is no longer here may have been somebody.
                None | Some(Kind::Resident) => {
                    for person in people::tied_to(self.view, id)? {
                        let homes = self.list_linked::<Residency>("resident", person)?;
                        out.extend(homes.into_iter().map(|entry| entry.record.dwelling));
                        out.insert(person);
                    }
                }
                Some(Kind::Household) => {
                    out.extend(self.get::<Household>(id)?.map(|entry| entry.record.dwelling));
                }
                _ => {
                    out.insert(id);
                }
            }
        }
        Ok(out)
    }

    /// Whether no residency is known of a person, by whichever record.
    pub(super) fn has_no_residency(&self, id: RecordId) -> Result<bool, DeviceError> {
        for person in people::tied_to(self.view, id)? {
            if !self.list_linked::<Residency>("resident", person)?.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn spans(&self, target: RecordId, round: &mut Round) -> Result<Vec<DueSpan>, DeviceError> {
        let days = self.turning_days(target)?;
        let mut out: Vec<DueSpan> = Vec::new();
        for (day, next) in days.iter().zip(days.iter().skip(1).map(Some).chain([None])) {
            round.today = *day;
            // Who was taken for somebody else is told under that one's record.
            let Some(due) = self.due_to(target, round)?.filter(|due| due.target == target) else { continue };
            let span = DueSpan {
                since: *day,
                until: next.copied(),
                purpose: due.purpose,
                day: due.due.day,
                agreed: due.due.agreed,
                not_before: due.due.not_before,
            };
            match out.last_mut() {
                Some(before) if span.same_but_later(before) => before.until = span.until,
                _ => out.push(span),
            }
        }
        Ok(out)
    }

    /// The days from which something else may hold for a target; none where nothing can be due.
    fn turning_days(&self, target: RecordId) -> Result<BTreeSet<Date>, DeviceError> {
        let kind = self.view.shown(target)?.and_then(|listed| Kind::parse(&listed.kind));
        let mut out = BTreeSet::from([Date::MIN]);
        match kind {
            Some(Kind::Resident) => {
                let (mut tags, mut homes) = (Vec::new(), Vec::new());
                for person in people::tied_to(self.view, target)? {
                    tags.extend(self.list_linked::<CareTag>("resident", person)?);
                    homes.extend(self.list_linked::<Residency>("resident", person)?);
                    out.extend(self.get::<Resident>(person)?.and_then(|entry| entry.record.died_on));
                }
                if tags.is_empty() && !homes.is_empty() {
                    // The rounds of the door are theirs.
                    return Ok(BTreeSet::new());
                }
                for tag in tags {
                    out.extend([tag.record.from, tag.record.until.saturating_add(1.day())]);
                }
                // Who came on a day that nobody knows is there from the day on which that became known.
                let known = |home: &Entry<Residency>| self.known(home.id);
                out.extend(homes.iter().filter(|home| home.record.from.is_none()).filter_map(known));
                homes.iter().for_each(|home| out.extend(turns(home)));
            }
            Some(Kind::Dwelling) => {
                let homes = self.list_linked::<Residency>("dwelling", target)?;
                let people: BTreeSet<RecordId> = homes.iter().map(|home| home.record.resident).collect();
                homes.iter().for_each(|home| out.extend(turns(home)));
                for person in people {
                    self.turns_of(person, &mut out)?;
                }
            }
            Some(Kind::Place | Kind::Organization) => {}
            _ => out.clear(),
        }
        Ok(out)
    }

    /// Who lives mainly elsewhere, or died, may count no more behind a door.
    fn turns_of(&self, person: RecordId, out: &mut BTreeSet<Date>) -> Result<(), DeviceError> {
        for member in people::tied_to(self.view, person)? {
            out.extend(self.get::<Resident>(member)?.and_then(|entry| entry.record.died_on));
            let homes = self.list_linked::<Residency>("resident", member)?;
            homes.iter().for_each(|home| out.extend(turns(home)));
        }
        Ok(())
    }
}

/// The days on which a residency begins to hold, and no longer holds.
fn turns(home: &Entry<Residency>) -> impl Iterator<Item = Date> + use<> {
    [home.record.from, home.record.to].into_iter().flatten()
}
