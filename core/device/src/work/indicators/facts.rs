//! The facts of a grid that a week's figures are made of.

use std::collections::{BTreeMap, BTreeSet};

use gridwalk_model::event::{State, fold, read_log};
use gridwalk_model::indicators::{
    DoorFact, EventFact, Exclusion, InspectionFact, OrderFact, PatrolFact, Touch, VisitMade, Week, WeekFacts,
};
use gridwalk_model::records::base_verification::DoorOutcome;
use gridwalk_model::records::dwelling::Occupancy;
use gridwalk_model::records::event::EventSource;
use gridwalk_model::records::visit::VisitResult;
use gridwalk_model::records::{
    BaseVerification, Dwelling, Event, Household, Inspection, Patrol, Place, RectificationOrder, Residency,
    Visit,
};
use gridwalk_model::{Record, RecordId};

use crate::edit::Entry;
use crate::error::DeviceError;
use crate::store::Store;

/// From whoever was visited or verified to the door where they live.
struct Doors(BTreeMap<RecordId, BTreeSet<RecordId>>);

impl Doors {
    fn of(&self, target: RecordId) -> impl Iterator<Item = RecordId> + '_ {
        self.0.get(&target).into_iter().flatten().copied()
    }
}

impl Store {
    fn all<T: Record>(&self) -> Result<Vec<Entry<T>>, DeviceError> {
        Ok(self.list::<T>(None, usize::MAX)?.entries)
    }

    /// What happened in a grid, as far as this phone knows; visits due are those of `week`.
    pub(super) fn week_facts(&self, area: RecordId, week: &Week) -> Result<WeekFacts, DeviceError> {
        let mut facts = WeekFacts { doors: self.door_facts(area)?, ..WeekFacts::default() };
        let doors = self.doors_of(&facts.doors)?;
        let visits = self.all::<Visit>()?;
        facts.touches = self.touches(&doors, &visits)?;
        for visit in &visits {
            facts.visits.extend(visits_made(visit, &doors));
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

    fn door_facts(&self, area: RecordId) -> Result<Vec<DoorFact>, DeviceError> {
        let dwellings = self.all::<Dwelling>()?.into_iter().filter(|dwelling| dwelling.record.area == area);
        let vacant = |dwelling: &Dwelling| dwelling.occupancy == Some(Occupancy::Vacant);
        Ok(dwellings.map(|entry| DoorFact { id: entry.id, vacant: vacant(&entry.record) }).collect())
    }

    fn doors_of(&self, doors: &[DoorFact]) -> Result<Doors, DeviceError> {
        let own: BTreeSet<RecordId> = doors.iter().map(|door| door.id).collect();
        let mut out: BTreeMap<RecordId, BTreeSet<RecordId>> = BTreeMap::new();
        for door in &own {
            out.entry(*door).or_default().insert(*door);
        }
        let households = self.all::<Household>()?.into_iter().map(|entry| (entry.id, entry.record.dwelling));
        let residencies = self.all::<Residency>()?.into_iter();
        // Somebody who has left was behind that door when it was knocked on.
        let residents = residencies.map(|entry| (entry.record.resident, entry.record.dwelling));
        for (who, door) in households.chain(residents).filter(|(_, door)| own.contains(door)) {
            out.entry(who).or_default().insert(door);
        }
        Ok(Doors(out))
    }

    fn touches(&self, doors: &Doors, visits: &[Entry<Visit>]) -> Result<Vec<Touch>, DeviceError> {
        let mut out = Vec::new();
        for entry in self.all::<BaseVerification>()? {
            let reached = entry.record.outcome != DoorOutcome::NobodyHome;
            let (record, by, at) = (entry.id, entry.record.by, entry.record.at);
            let at_doors = doors.of(entry.record.target);
            out.extend(at_doors.map(|door| Touch { record, door, by, at, reached, confirms: reached }));
        }
        for entry in visits {
            let reached = entry.record.result.is_complete();
            let (record, by, at) = (entry.id, entry.record.by, entry.record.at);
            let at_doors = doors.of(entry.record.target);
            out.extend(at_doors.map(|door| Touch { record, door, by, at, reached, confirms: false }));
        }
        Ok(out)
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
            deadline: order.record.deadline,
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

/// A visit counts for whom it was to, and for the door behind which they live.
fn visits_made(visit: &Entry<Visit>, doors: &Doors) -> Vec<VisitMade> {
    let mut targets: BTreeSet<RecordId> = doors.of(visit.record.target).collect();
    targets.insert(visit.record.target);
    let made = |target| VisitMade {
        record: visit.id,
        target,
        at: visit.record.at,
        complete: visit.record.result.is_complete(),
        moved: visit.record.result == VisitResult::Moved,
    };
    targets.into_iter().map(made).collect()
}
