//! What a gridworker does on the phone: each act is one or more edits that become durable together, and says what
//! it wrote, so that it can be looked for on the server afterwards.

use std::collections::BTreeMap;

use gridwalk_device::{DeviceError, Edits, Entry, Store};
use gridwalk_harness::people;
use gridwalk_harness::seeded::Seeded;
use gridwalk_model::event::number::EventNumber;
use gridwalk_model::event::{Action, LogEntry};
use gridwalk_model::geo::Position;
use gridwalk_model::records::base_verification::{BaseVerification, DoorOutcome, VerificationMethod};
use gridwalk_model::records::event::{Event, EventSource};
use gridwalk_model::records::patrol::Patrol;
use gridwalk_model::records::residency::{Relation, Residency};
use gridwalk_model::records::resident::{Resident, ResidentKind};
use gridwalk_model::records::visit::{Visit, VisitPurpose, VisitResult};
use gridwalk_model::records::{Dwelling, Record};
use gridwalk_model::{Fields, RecordId, Timestamp, Value};

/// Records and fields as they were written.
pub type Written = Vec<(RecordId, String, Value)>;

/// Edits of one transaction that keep an account of what they write.
pub struct Acting<'e, 't, 's> {
    edits: &'e mut Edits<'t, 's>,
    written: Written,
    user: RecordId,
}

/// Does an act in one transaction. Returns its result and what it wrote; both are durable.
///
/// # Errors
/// What the act fails with; then nothing was written.
pub fn act<T>(
    store: &mut Store,
    now: Timestamp,
    work: impl FnOnce(&mut Acting<'_, '_, '_>) -> Result<T, DeviceError>,
) -> Result<(T, Written), DeviceError> {
    let user = store.identity().ok_or(DeviceError::NotEnrolled)?.user;
    store.edits(now, |edits| {
        let mut acting = Acting { edits, written: Vec::new(), user };
        let value = work(&mut acting)?;
        Ok((value, acting.written))
    })
}

impl Acting<'_, '_, '_> {
    /// Makes a record.
    pub fn create<T: Record>(&mut self, record: &T) -> Result<RecordId, DeviceError> {
        let fields = record.to_fields();
        let id = self.edits.create_fields(T::SCHEMA.kind, &fields)?;
        self.written.extend(fields.into_iter().map(|(key, value)| (id, key, value)));
        Ok(id)
    }

    /// A fresh identifier and the time, for an entry of a set.
    pub fn stamp(&mut self) -> Result<(RecordId, Timestamp), DeviceError> {
        Ok((self.edits.new_id()?, self.edits.now()))
    }

    /// Writes one field; returns whether it was another value.
    pub fn set(&mut self, id: RecordId, key: &str, value: impl Into<Value>) -> Result<bool, DeviceError> {
        let value = value.into();
        let changed = self.edits.edit(id, &Fields::from([(key.to_owned(), value.clone())]))?;
        if changed {
            self.written.push((id, key.to_owned(), value));
        }
        Ok(changed)
    }

    /// Removes a record by its flag.
    pub fn remove(&mut self, id: RecordId) -> Result<(), DeviceError> {
        if self.edits.remove(id)? {
            self.written.push((id, "removed".to_owned(), Value::Flag(true)));
        }
        Ok(())
    }

    /// Shows a removed record again.
    pub fn restore(&mut self, id: RecordId) -> Result<(), DeviceError> {
        if self.edits.restore(id)? {
            self.written.push((id, "removed".to_owned(), Value::Flag(false)));
        }
        Ok(())
    }

    /// A person gave a new telephone number.
    pub fn correct_phone(&mut self, seeded: &mut Seeded, resident: RecordId) -> Result<(), DeviceError> {
        self.set(resident, "phone", people::phone(seeded))?;
        self.verify(resident, DoorOutcome::Corrected)
    }

    /// A record was confirmed at the door.
    pub fn verify(&mut self, target: RecordId, outcome: DoorOutcome) -> Result<(), DeviceError> {
        let (by, at) = (self.user, self.edits.now());
        let method = Some(VerificationMethod::InPerson);
        self.create(&BaseVerification { target, outcome, method, by, at, patrol: None }).map(drop)
    }

    /// A door was knocked on.
    pub fn visit(
        &mut self,
        target: RecordId,
        result: VisitResult,
        note: Option<&str>,
        position: Option<Position>,
    ) -> Result<RecordId, DeviceError> {
        let (by, at) = (self.user, self.edits.now());
        self.create(&Visit {
            form: None,
            target,
            by,
            at,
            result,
            purpose: Some(VisitPurpose::Routine),
            answers: BTreeMap::new(),
            note: note.map(str::to_owned),
            next_due: None,
            position,
            task: None,
            patrol: None,
            photos: BTreeMap::new(),
            voices: BTreeMap::new(),
        })
    }

    /// Somebody moved in: a person, and where they live.
    pub fn move_in(&mut self, seeded: &mut Seeded, dwelling: RecordId) -> Result<RecordId, DeviceError> {
        let resident = self.create(&Resident {
            name: people::name(seeded),
            sex: None,
            birth_date: None,
            phone: Some(people::phone(seeded)),
            resident_kind: Some(ResidentKind::Floating),
            workplace: None,
            provisional: Some(true),
            died_on: None,
            merged_into: None,
            not_same: BTreeMap::new(),
            source_keys: BTreeMap::new(),
            remarks: Some("虚构：新入住".into()),
        })?;
        self.create(&Residency {
            resident,
            dwelling,
            household: None,
            relation: Some(Relation::Tenant),
            from: Some(day_of(self.edits.now())),
            to: None,
            residence_matches_registration: Some(false),
            secondary: None,
        })?;
        self.verify(dwelling, DoorOutcome::MoveIn)?;
        Ok(resident)
    }

    /// A hazard is reported: the event, and the entry that begins its log.
    pub fn report_hazard(&mut self, hazard: &HazardReport<'_>) -> Result<RecordId, DeviceError> {
        let (by, at) = (self.user, self.edits.now());
        let number = EventNumber::new(hazard.worker_code, day_of(at), hazard.sequence).ok();
        let mut entry = LogEntry::new(self.edits.new_id()?, None, at, by, Action::Report);
        entry.category = Some(hazard.category.to_owned());
        entry.position = hazard.position;
        entry.occurred_at = Some(at);
        self.create(&Event {
            area: hazard.area,
            number: number.map(|number| number.to_string()),
            category: hazard.category.to_owned(),
            description: Some(hazard.description.to_owned()),
            address: hazard.address.clone(),
            position: hazard.position,
            place: None,
            dwelling: hazard.dwelling,
            inspection: None,
            source: Some(EventSource::Gridworker),
            reporter: Some(by),
            occurred_at: Some(at),
            external_number: None,
            external_due: None,
            photos: BTreeMap::new(),
            voices: BTreeMap::new(),
            log: BTreeMap::from([(entry.id.to_hex(), entry.to_bytes())]),
        })
    }

    /// A walk ended.
    pub fn patrol(&mut self, walk: &Walk) -> Result<RecordId, DeviceError> {
        self.create(&Patrol {
            area: walk.area,
            worker: self.user,
            started_at: walk.started_at,
            ended_at: Some(walk.ended_at),
            track: None,
            metres: Some(walk.metres),
            outdoor_coverage: walk.coverage.map(i64::from),
            remarks: None,
        })
    }
}

/// What a gridworker says of a hazard.
#[derive(Clone, Debug)]
pub struct HazardReport<'a> {
    /// The grid.
    pub area: RecordId,
    /// Category of the starter table.
    pub category: &'a str,
    /// In the worker's words.
    pub description: &'a str,
    /// Where.
    pub position: Option<Position>,
    /// Where, in words.
    pub address: Option<String>,
    /// At which door.
    pub dwelling: Option<RecordId>,
    /// For the event's number.
    pub worker_code: &'a str,
    /// For the event's number.
    pub sequence: u32,
}

/// A patrol in figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Walk {
    /// The grid.
    pub area: RecordId,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Length.
    pub metres: i64,
    /// Percent of the grid's outdoor points that were reached.
    pub coverage: Option<u8>,
}

/// The day in China.
pub fn day_of(at: Timestamp) -> jiff::civil::Date {
    in_china(at).date()
}

/// The time of day in China, to the second.
pub fn clock_of(at: Timestamp) -> String {
    in_china(at).strftime("%H:%M:%S").to_string()
}

fn in_china(at: Timestamp) -> jiff::Zoned {
    let china = jiff::tz::TimeZone::fixed(jiff::tz::offset(8));
    jiff::Timestamp::from_millisecond(at.millis()).unwrap_or_default().to_zoned(china)
}

/// All records of a kind, page by page.
///
/// # Errors
/// Failures of the store.
pub fn all<T: Record>(store: &Store) -> Result<Vec<Entry<T>>, DeviceError> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = store.list::<T>(after.as_ref(), 500)?;
        found.extend(page.entries);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(found),
        }
    }
}

/// The dwellings of one grid on this phone.
///
/// # Errors
/// Failures of the store.
pub fn dwellings_of(store: &Store, area: RecordId) -> Result<Vec<Entry<Dwelling>>, DeviceError> {
    Ok(all::<Dwelling>(store)?.into_iter().filter(|entry| entry.record.area == area).collect())
}

/// The people behind a door.
///
/// # Errors
/// Failures of the store.
pub fn people_at(store: &Store, dwelling: RecordId) -> Result<Vec<RecordId>, DeviceError> {
    let residencies = store.list_linked::<Residency>("dwelling", dwelling)?;
    Ok(residencies.into_iter().filter(|entry| entry.record.to.is_none()).map(|e| e.record.resident).collect())
}

/// A walk from door to door: at each one of the things that happen at doors. Every second door is another worker's
/// where two share a grid, so that they meet only where the day wants it.
///
/// # Errors
/// Failures of the store.
pub fn door(
    acting: &mut Acting<'_, '_, '_>,
    seeded: &mut Seeded,
    dwelling: &Entry<Dwelling>,
    people: &[RecordId],
) -> Result<DoorKind, DeviceError> {
    let (id, position) = (dwelling.id, dwelling.record.position);
    match (seeded.below(8), people.first()) {
        (0, Some(person)) => {
            acting.correct_phone(seeded, *person)?;
            Ok(DoorKind::Corrected)
        }
        (1, _) => {
            acting.move_in(seeded, id)?;
            Ok(DoorKind::MovedIn)
        }
        (2, _) => {
            acting.set(id, "remarks", "虚构：电表箱门已修好")?;
            acting.set(id, "rented", !dwelling.record.rented.unwrap_or(false))?;
            Ok(DoorKind::Corrected)
        }
        (3, _) => {
            acting.visit(id, VisitResult::NotHome, None, position)?;
            Ok(DoorKind::Visited)
        }
        (4 | 5, _) => {
            acting.visit(id, VisitResult::Met, Some("虚构：住户一切正常"), position)?;
            Ok(DoorKind::Visited)
        }
        _ => {
            acting.verify(id, DoorOutcome::NoChange)?;
            Ok(DoorKind::Confirmed)
        }
    }
}

/// What came of a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DoorKind {
    /// Something was put right.
    Corrected,
    /// Somebody moved in.
    MovedIn,
    /// Somebody was visited, or was not home.
    Visited,
    /// All as recorded.
    Confirmed,
}
