//! Events with their logs; and phones that write what they may not, or what the server does not know yet.

use gridwalk_model::event::{Action, LogEntry};
use gridwalk_model::{Fields, Kind, RecordId, Value};

use super::{Office, World};

impl World {
    fn new_id(&mut self) -> RecordId {
        let mut random = [0; 10];
        self.random.fill(&mut random);
        RecordId::from_parts(self.now, random)
    }

    fn some_phone(&mut self) -> usize {
        self.random.below(self.phones.len())
    }

    /// An event that a phone holds.
    fn some_event(&mut self, phone: usize) -> Option<RecordId> {
        let store = self.phones[phone].store();
        let mut found = Vec::new();
        for (stream, _) in store.streams().expect("streams") {
            for (record, _) in store.fingerprints(&stream).expect("records") {
                if matches!(store.fields(record), Ok(Some((tag, _))) if tag == Kind::Event.tag()) {
                    found.push(record);
                }
            }
        }
        self.random.choose(&found).copied()
    }

    fn entry(&mut self, phone: usize, action: Action) -> LogEntry {
        let id = self.new_id();
        let by = self.phones[phone].identity.user;
        LogEntry::new(id, None, self.phones[phone].clock(self.now), by, action)
    }

    /// A worker reports a problem.
    pub(crate) fn worker_reports(&mut self) {
        let phone = self.some_phone();
        let granted = self.office.granted(self.phones[phone].identity.device);
        let grids: Vec<RecordId> = self
            .office
            .grids
            .iter()
            .copied()
            .filter(|grid| granted.contains(&Office::stream_of(*grid)))
            .collect();
        let Some(grid) = self.random.choose(&grids).copied() else { return };
        let record = self.new_id();
        let mut entry = self.entry(phone, Action::Report);
        entry.category = Some("fire_safety".to_owned());
        let fields = Fields::from([
            ("area".to_owned(), grid.into()),
            ("category".to_owned(), Value::from("fire_safety")),
            ("address".to_owned(), Value::from("东门（虚构）")),
            ("reporter".to_owned(), self.phones[phone].identity.user.into()),
            (entry.key(), entry.to_value()),
        ]);
        let saved = fields.clone();
        self.save(phone, "reports", record, &saved, move |store, now| {
            store.edits(now, |edits| edits.create_with_id(record, Kind::Event, &fields)).map(|()| true)
        });
    }

    /// A worker adds an entry to an event's log: two workers who do so at once lose neither.
    pub(crate) fn worker_notes(&mut self) {
        let phone = self.some_phone();
        let Some(record) = self.some_event(phone) else { return self.worker_reports() };
        let mut entry = self.entry(phone, Action::Note);
        entry.internal_note = Some("现场已查看（虚构）".to_owned());
        let patch = Fields::from([(entry.key(), entry.to_value())]);
        let saved = patch.clone();
        self.save(phone, "adds a note to", record, &saved, move |store, now| store.edit(record, &patch, now));
    }

    /// A defective phone writes what its worker may not, and the worker goes on upon it.
    pub(crate) fn phone_misbehaves(&mut self) {
        let phone = self.some_phone();
        let Some(record) = self.some_event(phone) else { return };
        let forged = self.entry(phone, Action::Received);
        let patch = match self.random.below(3) {
            0 => Fields::from([("external_number".to_owned(), Value::from("12345（虚构）"))]),
            1 => Fields::from([("number".to_owned(), Value::from("1"))]),
            _ => Fields::from([(forged.key(), forged.to_value())]),
        };
        self.write_unchecked(phone, record, &patch, "writes what it may not to");
        let dependants = self.random.below(11);
        self.go_on_upon(phone, record, dependants);
    }

    /// A phone whose app is newer than the server writes what the server does not know yet.
    pub(crate) fn phone_is_newer(&mut self) {
        let phone = self.some_phone();
        let Some(record) = self.some_event(phone) else { return };
        let entry = self.entry(phone, Action::Other("of_a_newer_version".to_owned()));
        let patch = Fields::from([(entry.key(), entry.to_value())]);
        self.write_unchecked(phone, record, &patch, "writes of a newer version to");
        self.newer.insert(record);
        self.go_on_upon(phone, record, 1);
    }

    fn write_unchecked(&mut self, phone: usize, record: RecordId, patch: &Fields, what: &str) {
        let now = self.phones[phone].clock(self.now);
        let result = self.phones[phone].store_mut().plant_unchecked_edit(record, patch, now);
        self.note(format!("phone {phone} {what} {record}: {result:?}"));
        match result {
            Ok(_) => self.enter_in_ledger(phone, record),
            Err(_) => self.phones[phone].restart(),
        }
    }

    fn go_on_upon(&mut self, phone: usize, record: RecordId, times: usize) {
        for n in 0..times {
            let patch =
                Fields::from([("description".to_owned(), Value::from(format!("第{n}次补充（虚构）")))]);
            let saved = patch.clone();
            self.save(phone, "goes on upon", record, &saved, move |store, now| {
                store.edit(record, &patch, now)
            });
        }
    }
}
