//! The facts of a grid that a week's figures are made of.

use std::collections::BTreeSet;

use gridwalk_model::doors::{DoorState, door_state};
use gridwalk_model::event::{State, fold, read_log};
use gridwalk_model::indicators::{
    DoorFact, EventFact, Exclusion, InspectionFact, OrderFact, PatrolFact, Touch, VisitMade, Week, WeekFacts,
};
use gridwalk_model::local_time::LocalTime;
use gridwalk_model::records::base_verification::DoorOutcome;
use gridwalk_model::records::event::EventSource;
use gridwalk_model::records::visit::VisitResult;
use gridwalk_model::records::{
    BaseVerification, Dwelling, Event, Inspection, Patrol, Place, RectificationOrder, Visit,
};
use gridwalk_model::{Record, RecordId, Timestamp};

use crate::edit::Entry;
use crate::error::DeviceError;
use crate::store::{Store, View, day_in};
use crate::work::doors::WhoLives;
use crate::work::people;

/// From whoever was visited or verified to the door of the grid behind which they lived on that day.
struct Doors<'s> {
    view: View<'s>,
    local: LocalTime,
    own: BTreeSet<RecordId>,
}

impl Doors<'_> {
    fn of(&self, target: RecordId, at: Timestamp) -> Result<Option<RecordId>, DeviceError> {
        if self.own.contains(&target) {
            return Ok(Some(target));
        }
        let door = WhoLives::on(self.view, day_in(self.local, at)?).door_of(target)?;
        Ok(door.filter(|door| self.own.contains(door)))
    }
}

impl Store {
    fn all<T: Record>(&self) -> Result<Vec<Entry<T>>, DeviceError> {
        Ok(self.list::<T>(None, usize::MAX)?.entries)
    }

    /// What happened in a grid, as far as this phone knows; visits due are those of `week`.
    pub(super) fn week_facts(
        &self,
        area: RecordId,
        week: &Week,
        local: LocalTime,
    ) -> Result<WeekFacts, DeviceError> {
        let mut facts = WeekFacts { doors: self.door_facts(area, week)?, ..WeekFacts::default() };
        let own = facts.doors.iter().map(|door| door.id).collect();
        let doors = Doors { view: self.view(), local, own };
        facts.touches = self.verifications(&doors)?;
        // No figure looks further back than the week before.
        let since = week.before().map_or(week.from, |before| before.from);
        for visit in self.all::<Visit>()? {
            if !(since..week.to).contains(&visit.record.at) {
                continue;
            }
            let door = doors.of(visit.record.target, visit.record.at)?;
            facts.touches.extend(door.map(|door| Touch {
                record: visit.id,
                door,
                by: visit.record.by,
                at: visit.record.at,
                reached: visit.record.result.is_complete(),
                confirms: false,
            }));
            facts.visits.extend(self.visits_made(&visit, door)?);
        }
        facts.events = self.event_facts(area)?;
        (facts.inspections, facts.orders) = self.inspection_facts(area)?;
        facts.patrols = self.patrol_facts(area)?;
        facts.due = self.due_in(week, &facts)?;
        Ok(facts)
    }

    /// To whom a visit in the grid was due by the week's end, as things stood when it began.
    pub(super) fn due_in(&self, week: &Week, facts: &WeekFacts) -> Result<Vec<RecordId>, DeviceError> {
        let due = self.visits_due_as_of(week.from, |visit| visit.record.at < week.from)?;
        let here = |door: &RecordId| facts.doors.iter().any(|own| own.id == *door);
        let due = due.into_iter().filter(|due| due.due.day <= week.sunday());
        Ok(due.filter(|due| due.door.as_ref().is_some_and(here)).map(|due| due.target).collect())
    }

    /// The doors of a grid. One that somebody called empty while people are recorded there is not vacant: the rule of
    /// the board, at the week's end.
    fn door_facts(&self, area: RecordId, week: &Week) -> Result<Vec<DoorFact>, DeviceError> {
        let people = WhoLives::on(self.view(), week.sunday()).everywhere()?;
        let here = self.all::<Dwelling>()?.into_iter().filter(|dwelling| dwelling.record.area == area);
        Ok(here
            .map(|entry| {
                let living = people.get(&entry.id).map_or(0, Vec::len);
                let state = door_state(living, entry.record.occupancy.as_ref());
                DoorFact { id: entry.id, vacant: state == DoorState::Vacant }
            })
            .collect())
    }

    /// Base data is confirmed in whatever way; a door is reached only by somebody who stands before it.
    fn verifications(&self, doors: &Doors<'_>) -> Result<Vec<Touch>, DeviceError> {
        let mut out = Vec::new();
        for entry in self.all::<BaseVerification>()? {
            let own = &entry.record;
            let Some(door) = doors.of(own.target, own.at)? else { continue };
            let confirms = own.outcome != DoorOutcome::NobodyHome;
            let reached = own.reaches();
            out.push(Touch { record: entry.id, door, by: own.by, at: own.at, reached, confirms });
        }
        Ok(out)
    }

    /// A visit counts for whom it was to, by the record that stands for them, and for the door behind which they lived.
    fn visits_made(
        &self,
        visit: &Entry<Visit>,
        door: Option<RecordId>,
    ) -> Result<Vec<VisitMade>, DeviceError> {
        let stands = people::standing_for(self.view(), visit.record.target)?;
        let targets: BTreeSet<RecordId> = door.into_iter().chain([stands]).collect();
        let made = |target| VisitMade {
            record: visit.id,
            target,
            at: visit.record.at,
            complete: visit.record.result.is_complete(),
            moved: visit.record.result == VisitResult::Moved,
        };
        Ok(targets.into_iter().map(made).collect())
    }

    fn event_facts(&self, area: RecordId) -> Result<Vec<EventFact>, DeviceError> {
        let rules = self.event_rules();
        let mut out = Vec::new();
        for entry in self.all::<Event>()?.into_iter().filter(|entry| entry.record.area == area) {
            let fields = entry.record.to_fields();
            let (log, _) = read_log(&fields);
            let excluded = match fold(&log, rules).state {
                State::Draft => Some(Exclusion::Draft),
                State::Merged => Some(Exclusion::Merged),
                State::Rejected => Some(Exclusion::Rejected),
                State::Withdrawn => Some(Exclusion::Withdrawn),
                _ => None,
            };
            let found = match &entry.record.source {
                Some(source) => matches!(source, EventSource::Gridworker | EventSource::Inspection),
                None => entry.record.reporter.is_some(),
            };
            let at = entry.record.occurred_at.unwrap_or_else(|| entry.id.made_at());
            out.push(EventFact { id: entry.id, at, reporter: entry.record.reporter, found, excluded });
        }
        Ok(out)
    }

    fn inspection_facts(&self, area: RecordId) -> Result<(Vec<InspectionFact>, Vec<OrderFact>), DeviceError> {
        let places = self.all::<Place>()?.into_iter().filter(|place| place.record.area == area);
        let places: BTreeSet<RecordId> = places.map(|place| place.id).collect();
        let mut inspections = self.all::<Inspection>()?;
        inspections.retain(|entry| places.contains(&entry.record.place));
        let known: BTreeSet<RecordId> = inspections.iter().map(|entry| entry.id).collect();
        let orders = self.all::<RectificationOrder>()?.into_iter();
        let orders = orders.filter(|order| known.contains(&order.record.inspection)).map(|order| OrderFact {
            id: order.id,
            deadlines: order.record.earlier.into_values().chain([order.record.deadline]).collect(),
            settled_by: order.record.settled_by,
        });
        let orders = orders.collect();
        let inspections = inspections.into_iter().map(|entry| InspectionFact {
            id: entry.id,
            by: entry.record.inspector,
            started_at: entry.record.started_at,
            ended_at: entry.record.ended_at,
        });
        Ok((inspections.collect(), orders))
    }

    fn patrol_facts(&self, area: RecordId) -> Result<Vec<PatrolFact>, DeviceError> {
        let patrols = self.all::<Patrol>()?.into_iter().filter(|patrol| patrol.record.area == area);
        let patrols = patrols.map(|patrol| PatrolFact {
            id: patrol.id,
            by: patrol.record.worker,
            ended_at: patrol.record.ended_at,
            started_at: patrol.record.started_at,
            metres: patrol.record.metres.unwrap_or(0),
        });
        Ok(patrols.collect())
    }
}
