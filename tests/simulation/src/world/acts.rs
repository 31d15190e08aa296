//! What happens in the world, one thing a step.

use gridwalk_device::store::Side;
use gridwalk_device::{DeviceError, Event};
use gridwalk_model::{Fields, Kind, RecordId, Value};

use super::{Office, Plant, World};

/// Free fields that workers edit, by kind.
const FIELDS: [(Kind, &[&str]); 4] = [
    (Kind::Dwelling, &["remarks", "room", "estate"]),
    (Kind::Resident, &["remarks", "phone", "workplace"]),
    (Kind::Household, &["remarks"]),
    (Kind::Place, &["remarks", "phone", "address"]),
];
/// Few values, so that two workers sometimes write the same.
const VALUES: [&str; 4] = ["13800000001", "13800000002", "13800000003", "13800000004"];

impl World {
    /// One step with faults.
    pub(crate) fn step(&mut self) {
        let passed = self.random.below(90_000) as i64;
        self.now = self.now.plus_millis(passed);
        self.wake_phones();
        match self.random.below(110) {
            0..=29 => self.deliver(true),
            30..=54 => self.worker_edits(),
            55..=64 => self.worker_creates(),
            65..=79 => self.worker_syncs(),
            80..=82 => self.worker_removes(),
            83..=85 => self.worker_chooses(),
            86..=88 => self.phone_dies(),
            89 => self.phone_is_copied(),
            90..=91 => self.grid_is_recut(),
            92 => self.second_home(),
            93..=94 => self.reassignment(),
            95..=96 => self.officer_edits(),
            97 => self.backup(),
            98 => self.rewind(),
            99 => self.disk_fills(),
            100..=102 => self.worker_reports(),
            103..=106 => self.worker_notes(),
            107 | 108 => self.phone_misbehaves(),
            _ => self.phone_is_newer(),
        }
    }

    fn any_phone(&mut self) -> usize {
        self.random.below(self.phones.len())
    }

    fn wake_phones(&mut self) {
        for phone in 0..self.phones.len() {
            let clock = self.phones[phone].clock(self.now);
            if self.phones[phone].wake.is_some_and(|at| at <= clock) {
                self.phones[phone].wake = None;
                let now = self.now;
                let request = self.phones[phone].tell(Event::Tick, now);
                self.send(phone, request);
            }
        }
    }

    fn worker_syncs(&mut self) {
        let phone = self.any_phone();
        let now = self.now;
        let request = self.phones[phone].tell(Event::Sync, now);
        self.send(phone, request);
    }

    /// A record that a phone holds, of a kind that workers edit.
    fn any_record(&mut self, phone: usize, wanted: &[Kind]) -> Option<(RecordId, Kind)> {
        let store = self.phones[phone].store();
        let mut found = Vec::new();
        for (stream, _) in store.streams().expect("streams") {
            for (record, _) in store.fingerprints(&stream).expect("records") {
                if let Ok(Some((tag, _))) = store.fields(record)
                    && let Some(kind) = Kind::parse(&tag)
                    && wanted.contains(&kind)
                {
                    found.push((record, kind));
                }
            }
        }
        found.extend(
            self.phones[phone]
                .acknowledged
                .keys()
                .filter(|(_, key)| key == "area")
                .filter(|(record, _)| store.fields(*record).is_ok_and(|found| found.is_some()))
                .map(|(record, _)| (*record, Kind::Dwelling))
                .filter(|(_, kind)| wanted.contains(kind)),
        );
        self.random.choose(&found).copied()
    }

    fn any_of(&mut self, phone: usize, kind: Kind) -> Option<RecordId> {
        self.any_record(phone, &[kind]).map(|(record, _)| record)
    }

    /// The worker saves something; if the phone said so, it must never be lost.
    pub(crate) fn save(
        &mut self,
        phone: usize,
        what: &str,
        record: RecordId,
        fields: &Fields,
        work: impl FnOnce(&mut gridwalk_device::Store, gridwalk_model::Timestamp) -> Result<bool, DeviceError>,
    ) {
        let clock = self.phones[phone].clock(self.now);
        let lose = self.plan.plant == Some(Plant::LostUpdate) && self.random.chance(0.2);
        let earlier = lose.then(|| {
            let entropy =
                Box::new(super::phone::PhoneEntropy(crate::seeded::Seeded::new(self.random.bits())));
            self.phones[phone].store().cloned(entropy).expect("a copy")
        });
        let result = work(self.phones[phone].store_mut(), clock);
        self.note(format!("phone {phone} {what} {record}: {result:?}"));
        match result {
            Ok(true) => {
                self.phones[phone].acknowledge(record, fields);
                if let Some(earlier) = earlier {
                    self.phones[phone].forget(earlier);
                    return;
                }
                self.enter_in_ledger(phone, record);
                let now = self.now;
                let request = self.phones[phone].tell(Event::Edited, now);
                self.send(phone, request);
            }
            Ok(false) => {}
            // A planted fault: the process died. What is in the store then was saved or was not; the worker was
            // told nothing.
            Err(DeviceError::Injected) => self.phones[phone].restart(),
            Err(_) => {}
        }
    }

    fn worker_edits(&mut self) {
        let phone = self.any_phone();
        let kinds: Vec<Kind> = FIELDS.iter().map(|(kind, _)| *kind).collect();
        let Some((record, kind)) = self.any_record(phone, &kinds) else { return self.worker_creates() };
        let fields = FIELDS.iter().find(|(k, _)| *k == kind).map_or(&[][..], |(_, fields)| fields);
        let Some(field) = self.random.choose(fields).copied() else { return };
        let value = self.random.pick(&VALUES);
        let patch = Fields::from([(field.to_owned(), Value::from(value))]);
        let saved = patch.clone();
        self.save(phone, &format!("edits {field}"), record, &saved, move |store, now| {
            store.edit(record, &patch, now)
        });
    }

    fn worker_creates(&mut self) {
        let phone = self.any_phone();
        let mine: Vec<RecordId> = {
            let granted = self.office.granted(self.phones[phone].identity.device);
            let grids = &self.office.grids;
            grids.iter().copied().filter(|grid| granted.contains(&Office::stream_of(*grid))).collect()
        };
        let Some(grid) = self.random.choose(&mine).copied() else { return };
        let mut random = [0; 10];
        self.random.fill(&mut random);
        let record = RecordId::from_parts(self.now, random);
        let dwelling = self.any_of(phone, Kind::Dwelling);
        let resident = self.any_of(phone, Kind::Resident);
        let text = |value: &str| Value::from(value);
        let number = self.random.below(1_000);
        let (kind, fields) = match (self.random.below(5), dwelling, resident) {
            (1, _, _) => (Kind::Resident, Fields::from([("name".into(), text("王样例"))])),
            (2, Some(dwelling), Some(resident)) => (
                Kind::Residency,
                Fields::from([("resident".into(), resident.into()), ("dwelling".into(), dwelling.into())]),
            ),
            (3, Some(dwelling), _) => (Kind::Household, Fields::from([("dwelling".into(), dwelling.into())])),
            (4, _, _) => (
                Kind::Place,
                Fields::from([
                    ("area".into(), grid.into()),
                    ("name".into(), text("样例商店")),
                    ("category".into(), text("shop")),
                ]),
            ),
            _ => (
                Kind::Dwelling,
                Fields::from([
                    ("area".into(), grid.into()),
                    ("room".into(), Value::from(format!("{number}"))),
                ]),
            ),
        };
        let saved = fields.clone();
        self.save(phone, &format!("creates a {}", kind.tag()), record, &saved, move |store, now| {
            store.edits(now, |edits| edits.create_with_id(record, kind, &fields)).map(|()| true)
        });
    }

    fn worker_removes(&mut self) {
        let phone = self.any_phone();
        let Some((record, _)) = self.any_record(phone, &[Kind::Place, Kind::Household]) else { return };
        let flag = Fields::from([("removed".to_owned(), Value::from(true))]);
        self.save(phone, "removes", record, &flag, move |store, now| store.remove(record, now));
    }

    fn worker_chooses(&mut self) {
        let phone = self.any_phone();
        let conflicts = self.phones[phone].store().conflicts().expect("conflicts");
        let Some(conflict) = self.random.choose(&conflicts).cloned() else { return };
        let Some(candidate) = self.random.choose(&conflict.candidates).cloned() else { return };
        let patch = Fields::from([(conflict.field.clone(), candidate.value.clone())]);
        let record = conflict.record;
        self.save(phone, &format!("settles {}", conflict.field), record, &patch, move |store, now| {
            store.choose(record, &conflict.field, candidate.value, now)
        });
    }

    /// The process dies at the next commit, or right away.
    fn phone_dies(&mut self) {
        let phone = self.any_phone();
        match self.random.below(3) {
            0 => {
                self.note(format!("phone {phone} is killed"));
                self.phones[phone].restart();
            }
            1 => self.phones[phone].faults.fail(None, Side::Before, 0),
            _ => self.phones[phone].faults.fail(None, Side::After, 0),
        }
    }

    fn phone_is_copied(&mut self) {
        if self.phones.len() >= self.plan.phones + 2 {
            return;
        }
        let phone = self.any_phone();
        let seed = self.random.bits();
        let copy = self.phones[phone].copied(seed);
        self.note(format!("phone {phone} is copied as phone {}", self.phones.len()));
        self.phones.push(copy);
    }

    /// A dwelling moves to another grid, with everything behind its door.
    fn grid_is_recut(&mut self) {
        let from = self.random.below(self.office.grids.len());
        let to = self.random.below(self.office.grids.len());
        let (from, to) = (self.office.grids[from], self.office.grids[to]);
        let members: Vec<RecordId> = self.office.members(&Office::stream_of(from)).into_keys().collect();
        let Some(record) = self.random.choose(&members).copied() else { return };
        let is_dwelling = self
            .office
            .document(record)
            .and_then(|document| document.identity().ok())
            .is_some_and(|(_, kind)| kind == Kind::Dwelling.tag());
        if is_dwelling {
            let now = self.now;
            let moved = self.office.edit(record, &Fields::from([("area".to_owned(), to.into())]), now);
            self.note(format!("dwelling {record} is moved to another grid: {moved}"));
        }
    }

    fn second_home(&mut self) {
        let all: Vec<(RecordId, String)> = self
            .office
            .grids
            .iter()
            .flat_map(|grid| self.office.members(&Office::stream_of(*grid)).into_keys())
            .filter_map(|record| self.office.document(record)?.identity().ok())
            .collect();
        let of = |kind: Kind| -> Vec<RecordId> {
            all.iter().filter(|(_, tag)| tag == kind.tag()).map(|(record, _)| *record).collect()
        };
        let (residents, dwellings) = (of(Kind::Resident), of(Kind::Dwelling));
        if let (Some(resident), Some(dwelling)) =
            (self.random.choose(&residents).copied(), self.random.choose(&dwellings).copied())
        {
            let now = self.now;
            self.office.second_home(resident, dwelling, now);
            self.note(format!("{resident} lives at {dwelling} too"));
        }
    }

    fn reassignment(&mut self) {
        let n = self.random.below(self.office.people.len());
        let (person, device) = self.office.people[n];
        let grid = self.random.below(self.office.grids.len());
        let grid = self.office.grids[grid];
        let now = self.now;
        if self.office.granted(device).contains(&Office::stream_of(grid)) {
            self.office.unassign(person, grid, now);
            self.note(format!("worker {n} loses a grid"));
        } else {
            self.office.assign(person, grid, now);
            self.note(format!("worker {n} is given a grid"));
        }
    }

    fn officer_edits(&mut self) {
        let grid = self.random.below(self.office.grids.len());
        let members: Vec<RecordId> =
            self.office.members(&Office::stream_of(self.office.grids[grid])).into_keys().collect();
        let Some(record) = self.random.choose(&members).copied() else { return };
        let value = self.random.pick(&VALUES);
        let now = self.now;
        let changed = self.office.edit(record, &Fields::from([("remarks".to_owned(), value.into())]), now);
        self.note(format!("an officer edits {record}: {changed}"));
    }

    fn backup(&mut self) {
        self.note("backup".to_owned());
        self.office.back_up();
    }

    fn rewind(&mut self) {
        // Rare: a deployment whose past is put back all the time proves little about ordinary days.
        if self.office.rewinds >= 2 || !self.random.chance(0.5) {
            return;
        }
        let told = self.random.chance(0.5);
        if self.office.rewind(told) {
            self.note(format!("the last backup is put back, told: {told}"));
        }
    }

    /// A disk is full for the time of a few messages.
    fn disk_fills(&mut self) {
        if self.random.chance(0.5) {
            self.office.fill_disk(true);
            self.note("the server's disk is full".to_owned());
            for _ in 0..3 {
                self.deliver(true);
            }
            self.office.fill_disk(false);
        } else {
            let phone = self.any_phone();
            self.phones[phone].store().limit_pages(Some(0)).expect("a limit");
            self.note(format!("the disk of phone {phone} is full"));
            for _ in 0..3 {
                self.worker_edits();
                self.deliver(true);
            }
            self.phones[phone].store().limit_pages(None).expect("no limit");
        }
    }
}
