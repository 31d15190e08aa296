//! Honest histories of one record by several authors: what the mutations start from.

use crate::seeded::Seeded;
use gridwalk_model::event::{Action, LogEntry};
use gridwalk_model::policy::{Role, Sender};
use gridwalk_model::schema::{FieldSchema, FieldType};
use gridwalk_model::{DeviceId, FieldPolicy, Fields, Kind, RecordId, Timestamp, Value};
use gridwalk_replica::admission::{self, Origin, Verdict};
use gridwalk_replica::{Actor, Document};

const KINDS: [Kind; 5] = [Kind::Household, Kind::Dwelling, Kind::Event, Kind::Task, Kind::Resident];
const ROLES: &[Role] = &[Role::Gridworker];

/// One author with a device.
#[derive(Clone, Debug)]
pub struct Author {
    /// The device.
    pub device: DeviceId,
    /// The person.
    pub user: RecordId,
    /// What the author's copy holds.
    pub copy: Option<Vec<u8>>,
    /// Changes that nobody else has yet, in order.
    pub unsent: Vec<Vec<u8>>,
}

impl Author {
    /// The actor that the author writes as.
    pub fn actor(&self) -> Actor {
        Actor::new(self.device, [0, 0, 0, 1])
    }

    /// Where a server would say that the author's changes come from.
    pub fn origin(&self) -> Origin<'static> {
        Origin::Device { device: self.device, sender: Sender::Person { user: self.user, roles: ROLES } }
    }
}

/// A record's history: what was accepted, and what its authors have still to send.
#[derive(Clone, Debug)]
pub struct History {
    /// The record.
    pub record: RecordId,
    /// Its kind.
    pub kind: Kind,
    /// What has been accepted; absent while the record is new.
    pub base: Option<Vec<u8>>,
    /// Who writes.
    pub authors: Vec<Author>,
    /// Changes of other records.
    foreign: Vec<Vec<u8>>,
    pool: Vec<Vec<u8>>,
    /// An honest change that was not accepted, which must not be: the verdict.
    pub wronged: Option<Verdict>,
}

impl History {
    /// Makes a history.
    pub fn generate(random: &mut Seeded) -> Self {
        let kind = random.pick(&KINDS);
        let authors = (0..3)
            .map(|n| Author {
                device: DeviceId::from_bytes([0x10 + n; 12]),
                user: RecordId::from_bytes([0xa0 + n; 16]),
                copy: None,
                unsent: Vec::new(),
            })
            .collect();
        let record = any_record(random);
        let mut history =
            Self { record, kind, base: None, authors, foreign: Vec::new(), pool: Vec::new(), wronged: None };
        history.create(0, random);
        let steps = random.below(24);
        for _ in 0..steps {
            let who = random.below(3);
            match random.below(5) {
                0 => history.push(who),
                1 => history.pull(who),
                _ => history.edit(who, random),
            }
        }
        history.foreign = foreign_changes(kind, random);
        history.pool = history.authors.iter().flat_map(|author| author.unsent.iter().cloned()).collect();
        if let Some(document) = history.base.as_deref().and_then(|bytes| Document::load(bytes).ok()) {
            history.pool.extend(document.changes_since(&[]).into_iter().map(|change| change.raw));
        }
        history.pool.extend(history.foreign.iter().cloned());
        history
    }

    /// Every change there is, of this record and of others.
    pub fn pool(&self) -> &[Vec<u8>] {
        &self.pool
    }

    fn create(&mut self, who: usize, random: &mut Seeded) {
        let Some(author) = self.authors.get_mut(who) else { return };
        let fields = some_fields(self.kind, true, author.user, random);
        if let Ok((document, change)) =
            Document::create(self.record, self.kind, &fields, author.actor(), any_time(random))
        {
            author.copy = Some(document.save());
            author.unsent.push(change.raw);
        }
    }

    fn edit(&mut self, who: usize, random: &mut Seeded) {
        let Some(author) = self.authors.get_mut(who) else { return };
        let Some(mut document) = author.copy.as_deref().and_then(|bytes| Document::load(bytes).ok()) else {
            return;
        };
        let mut fields = some_fields(self.kind, false, author.user, random);
        // Now and then someone settles a dispute, often in favour of the value that wins already.
        if let Some(key) = random.choose(&document.disputed_keys())
            && let Some(candidate) = random.choose(&document.authored(key))
        {
            fields.insert(key.clone(), candidate.value.clone());
        }
        if let Ok(Some(change)) = document.edit(&fields, author.actor(), any_time(random)) {
            author.copy = Some(document.save());
            author.unsent.push(change.raw);
        }
    }

    fn push(&mut self, who: usize) {
        let Some(author) = self.authors.get_mut(who) else { return };
        let raws: Vec<&[u8]> = author.unsent.iter().map(Vec::as_slice).collect();
        let admission =
            admission::admit(self.record, self.kind.tag(), self.base.as_deref(), &raws, &author.origin());
        let wronged = admission.verdicts.iter().find(|verdict| **verdict != Verdict::Accepted);
        self.wronged = self.wronged.or(wronged.copied());
        if let Some(admitted) = admission.admitted {
            self.base = Some(admitted.snapshot);
        }
        author.unsent.clear();
    }

    fn pull(&mut self, who: usize) {
        let (Some(author), Some(base)) = (self.authors.get_mut(who), &self.base) else { return };
        let merged = admission::admit_snapshot(self.record, self.kind.tag(), author.copy.as_deref(), base);
        if let Ok(merged) = merged {
            author.copy = Some(merged.snapshot);
        }
    }
}

fn foreign_changes(kind: Kind, random: &mut Seeded) -> Vec<Vec<u8>> {
    let author = Actor::new(DeviceId::from_bytes([0x10; 12]), [0, 0, 0, 1]);
    let fields = some_fields(kind, true, RecordId::from_bytes([0xa0; 16]), random);
    let made = Document::create(any_record(random), kind, &fields, author, any_time(random));
    let Ok((mut document, first)) = made else { return Vec::new() };
    let mut out = vec![first.raw];
    for _ in 0..random.below(4) {
        let fields = some_fields(kind, false, RecordId::from_bytes([0xa0; 16]), random);
        if let Ok(Some(change)) = document.edit(&fields, author, any_time(random)) {
            out.push(change.raw);
        }
    }
    out
}

fn any_time(random: &mut Seeded) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + random.below(1 << 30) as i64)
}

fn any_record(random: &mut Seeded) -> RecordId {
    let mut bytes = [0; 10];
    random.fill(&mut bytes);
    RecordId::from_parts(any_time(random), bytes)
}

/// Content that a gridworker's device may write: all that is required at creation, later some of what is free.
fn some_fields(kind: Kind, creates: bool, user: RecordId, random: &mut Seeded) -> Fields {
    let mut out = Fields::new();
    for field in kind.schema().fields {
        let allowed = match field.policy {
            FieldPolicy::Free => true,
            FieldPolicy::CreateOnly => creates,
            FieldPolicy::AppendOnly => field.name == "log",
            FieldPolicy::ServerOnly => false,
        };
        let wanted = (creates && field.required) || random.chance(if creates { 0.4 } else { 0.12 });
        if allowed && wanted {
            let (key, value) = some_value(field, user, random);
            out.insert(key, value);
        }
    }
    if out.is_empty() || random.chance(0.2) {
        let key = random.pick(&["extra", "notes/a", "notes/b", "removed"]);
        out.insert(key.to_owned(), random.pick(&[true, false]).into());
    }
    out
}

fn some_value(field: &FieldSchema, user: RecordId, random: &mut Seeded) -> (String, Value) {
    if field.ty == FieldType::Entry {
        let entry = LogEntry::new(any_record(random), None, any_time(random), user, Action::Note);
        return (entry.key(), entry.to_value());
    }
    // Few values, so that authors often write the same key and sometimes the same value.
    let number = random.below(3);
    let value = match field.ty {
        FieldType::Text { .. } | FieldType::Date => Value::from(random.pick(&["", "甲", "2024-05-01"])),
        FieldType::Code(words) => Value::from(words.get(number).copied().unwrap_or("newer")),
        FieldType::Flag => Value::Flag(number == 0),
        FieldType::Int { min, .. } => Value::Int(min.saturating_add(number as i64)),
        FieldType::Real { .. } => Value::Real(number as f64 / 2.0),
        FieldType::Time => Value::Time(Timestamp::from_millis(number as i64)),
        FieldType::Link([]) => Value::from(user),
        FieldType::Link(_) => Value::from(RecordId::from_bytes([number as u8; 16])),
        FieldType::Position | FieldType::Entry => Value::Bytes(vec![number as u8; 20]),
    };
    let key = if field.set { format!("{}/{number}", field.name) } else { field.name.to_owned() };
    (key, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn honest_histories_are_accepted_whole() {
        for seed in 0..200 {
            let history = History::generate(&mut Seeded::new(seed));
            assert_eq!(history.wronged, None, "seed {seed}");
        }
    }
}
