//! A grid as the server sends it on the first pull: one response with a snapshot of every record.

use gridwalk_device::{Effect, Engine, EngineConfig, Event, Store};
use gridwalk_harness::people;
use gridwalk_harness::seeded::Seeded;
use gridwalk_model::records::{Dwelling, Residency, Resident};
use gridwalk_model::{AccessClass, DeviceId, Fields, Kind, Record, RecordId, StreamId, Timestamp, Value};
use gridwalk_replica::digest::{Fingerprint, StreamDigest};
use gridwalk_replica::wire::{GrantState, Pull, PullBody, StreamState, SyncRequest, SyncResponse};
use gridwalk_replica::{Actor, Document};

use crate::measure::Result;

/// When everything here happened.
pub const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// A made-up grid: dwellings, residents, and who lives where, `records` in all.
pub fn grid(area: RecordId, records: usize, seed: u64) -> Vec<(RecordId, Kind, Fields)> {
    let mut seeded = Seeded::new(seed);
    let mut id = || {
        let mut random = [0; 10];
        seeded.fill(&mut random);
        RecordId::from_parts(NOW, random)
    };
    let ids: Vec<RecordId> = (0..records).map(|_| id()).collect();
    let mut people = Seeded::new(seed + 1);
    let mut out = Vec::with_capacity(records);
    let mut home = None;
    for (n, id) in ids.iter().enumerate() {
        match n % 5 {
            0 => {
                home = Some(*id);
                out.push((*id, Kind::Dwelling, dwelling(area, n / 5)));
            }
            1 | 3 => out.push((*id, Kind::Resident, resident(&mut people))),
            _ => {
                let resident = n.checked_sub(1).and_then(|n| ids.get(n)).copied();
                out.push((*id, Kind::Residency, residency(resident, home)));
            }
        }
    }
    out
}

fn dwelling(area: RecordId, n: usize) -> Fields {
    Fields::from([
        ("area".to_owned(), Value::from(area)),
        ("estate".to_owned(), Value::from("样例家园")),
        ("building".to_owned(), Value::from(format!("{}号楼", n / 60 + 1))),
        ("unit".to_owned(), Value::from(format!("{}单元", n / 20 % 3 + 1))),
        ("room".to_owned(), Value::from(format!("{:02}{:02}", n / 2 % 10 + 1, n % 2 + 1))),
        ("rented".to_owned(), Value::from(n.is_multiple_of(7))),
    ])
}

/// A made-up resident.
pub fn resident(people: &mut Seeded) -> Fields {
    Fields::from([
        ("name".to_owned(), Value::from(people::name(people))),
        ("phone".to_owned(), Value::from(people::phone(people))),
        ("sex".to_owned(), Value::from(if people.chance(0.5) { "male" } else { "female" })),
        ("resident_kind".to_owned(), Value::from("registered")),
        ("birth_date".to_owned(), Value::from("1980-01-01")),
    ])
}

fn residency(resident: Option<RecordId>, home: Option<RecordId>) -> Fields {
    let link = |id: Option<RecordId>| id.map_or(Value::Null, Value::from);
    Fields::from([
        ("resident".to_owned(), link(resident)),
        ("dwelling".to_owned(), link(home)),
        ("relation".to_owned(), Value::from("head")),
    ])
}

/// The stream of a grid's ordinary records.
pub fn stream(area: RecordId) -> StreamId {
    StreamId::Area { area, class: AccessClass::Base }
}

/// Records as the server keeps them.
pub struct Served {
    grants: Vec<GrantState>,
    pulls: Vec<Pull>,
    digest: StreamDigest,
}

impl Served {
    /// Makes the documents, which is not part of what is measured.
    pub fn new(area: RecordId, records: &[(RecordId, Kind, Fields)]) -> Result<Self> {
        let actor = Actor::new(DeviceId::from_bytes([0xee; 12]), [0, 0, 0, 1]);
        let mut pulls = Vec::with_capacity(records.len());
        let mut digest = StreamDigest::default();
        for (id, kind, fields) in records {
            let (document, _) = Document::create(*id, *kind, fields, actor, NOW)?;
            let fingerprint = Fingerprint::of(*id, &document.heads());
            digest = digest.with(fingerprint);
            pulls.push(Pull {
                record: (*id.as_bytes()).into(),
                kind: kind.tag().to_owned(),
                stream: 0,
                fingerprint: fingerprint.0.into(),
                body: PullBody::Snapshot(document.save().into()),
            });
        }
        let grants =
            vec![GrantState { stream: stream(area).to_bytes().into(), generation: 1, revoking: false }];
        Ok(Self { grants, pulls, digest })
    }

    /// The answer to a request: the grants first, then everything at once.
    fn answer(&self, request: &SyncRequest) -> SyncResponse {
        let first = request.cursors.is_empty();
        let done = request.cursors.iter().any(|cursor| cursor.seq > 0);
        let seq = self.pulls.len() as u64;
        SyncResponse {
            protocol: 1,
            epoch: [1; 16].into(),
            received_at: NOW.millis(),
            commit: 1,
            backed_up_through: 1,
            verdicts: Vec::new(),
            grants: first.then(|| self.grants.clone()),
            pulls: if first || done { Vec::new() } else { self.pulls.clone() },
            removals: Vec::new(),
            streams: request
                .cursors
                .iter()
                .map(|_| StreamState { seq, digest: Some(self.digest.to_bytes().into()) })
                .collect(),
            more: false,
            wants: Vec::new(),
            mark: None,
            notes: None,
        }
    }

    /// Syncs until nothing is asked any more. Returns how many requests that took.
    pub fn pull_into(&self, store: &mut Store) -> Result<usize> {
        let mut engine = Engine::new(EngineConfig::default());
        let mut effects = engine.next(Event::Sync, store, NOW)?;
        let mut requests = 0;
        while let Some((n, request)) =
            std::mem::take(&mut effects).into_iter().find_map(|effect| match effect {
                Effect::Send { n, request } => Some((n, request)),
                _ => None,
            })
        {
            requests += 1;
            let result = Ok(Box::new(self.answer(&request)));
            effects = engine.next(Event::Response { n, result }, store, NOW)?;
        }
        Ok(requests)
    }
}

/// Checks that the typed records accept what [`grid`] makes up.
pub fn check_shapes(records: &[(RecordId, Kind, Fields)]) -> Result {
    for (_, kind, fields) in records {
        let bad = match kind {
            Kind::Dwelling => Dwelling::from_fields(fields).err(),
            Kind::Resident => Resident::from_fields(fields).err(),
            _ => Residency::from_fields(fields).err(),
        };
        if let Some(errors) = bad {
            return Err(format!("made-up {} does not hold: {errors:?}", kind.tag()).into());
        }
    }
    Ok(())
}
