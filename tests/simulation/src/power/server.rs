//! The server on a disk that forgets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use gridwalk_model::policy::Role;
use gridwalk_model::{AccessClass, DeviceId, Fields, Kind, RecordId, StreamId, Timestamp, Value};
use gridwalk_replica::admission::Verdict;
use gridwalk_replica::digest::Fingerprint;
use gridwalk_replica::protocol::ProtocolError;
use gridwalk_replica::wire::{SyncRequest, SyncResponse};
use gridwalk_replica::{ChangeHash, Document, change};
use gridwalk_server::access::staff::{self, NewWorker};
use gridwalk_server::clock::{Entropy, EntropyError};
use gridwalk_server::edit::{self, EditError, Edits};
use gridwalk_server::storage::access::NewDevice;
use gridwalk_server::storage::sqlite::{Birth, SqliteOptions, SqliteStorage};
use gridwalk_server::storage::{Storage, StorageError};
use gridwalk_server::sync::{self, Context, Principal};

use super::failed;
use crate::seeded::Seeded;
use crate::vfs::{PowerDisk, Unsynced};

struct ServerEntropy(Mutex<Seeded>);

impl Entropy for ServerEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
        self.0.lock().map_err(|_| EntropyError)?.fill(out);
        Ok(())
    }
}

/// The server.
pub(super) struct Server {
    // Before the disk, so that it is closed while the disk is there.
    storage: Option<SqliteStorage>,
    disk: PowerDisk,
    options: SqliteOptions,
    birth: Birth,
    entropy: Arc<ServerEntropy>,
    people: Vec<(RecordId, DeviceId)>,
    /// The one grid.
    pub(super) grid: RecordId,
    /// What it told phones that it had taken, by record.
    taken: BTreeMap<RecordId, BTreeSet<ChangeHash>>,
    /// Requests answered.
    pub(super) requests: usize,
}

impl Server {
    pub(super) fn open(
        mut random: Seeded,
        disk: PowerDisk,
        durable: bool,
        phones: usize,
        now: Timestamp,
    ) -> Result<Self, String> {
        let mut birth =
            Birth { device: [0xee; 12], epoch: [0; 16], incarnation: [0, 0, 0, 1], mark_key: [0; 32] };
        random.fill(&mut birth.epoch);
        random.fill(&mut birth.mark_key);
        // One reader is enough, and a short log makes it move often.
        let entropy = Arc::new(ServerEntropy(Mutex::new(random)));
        let options = SqliteOptions {
            durable,
            readers: 1,
            checkpoint_pages: 60,
            entropy: entropy.clone(),
            ..SqliteOptions::default()
        };
        let mut server = Self {
            storage: None,
            disk,
            options,
            birth,
            entropy,
            people: Vec::new(),
            grid: RecordId::from_parts(now, [7; 10]),
            taken: BTreeMap::new(),
            requests: 0,
        };
        server.start()?;
        server.found(phones, now)?;
        Ok(server)
    }

    fn start(&mut self) -> Result<(), String> {
        let path = self.disk.folder("server.db");
        let storage = SqliteStorage::open(&path, &self.options, &self.birth)
            .map_err(failed("opening the server's store"))?;
        self.storage = Some(storage);
        Ok(())
    }

    fn store(&self) -> Result<&SqliteStorage, String> {
        self.storage.as_ref().ok_or_else(|| "the server's store is not open".to_owned())
    }

    fn tables(&self) -> Result<&dyn Storage, String> {
        self.store().map(|storage| storage as &dyn Storage)
    }

    /// One grid, and a worker with a phone for each.
    fn found(&mut self, phones: usize, now: Timestamp) -> Result<(), String> {
        let grid = self.grid;
        let area = Fields::from([
            ("code".to_owned(), Value::from("grid-0")),
            ("name".to_owned(), Value::from("虚构网格")),
            ("level".to_owned(), Value::from("grid")),
        ]);
        self.tables()?
            .update(|tx| {
                let mut edits = Edits::begin(tx, now)?;
                edits.create(grid, Kind::Area, &area)?;
                Ok::<_, EditError>(edits.finish()?)
            })
            .map_err(failed("making the grid"))?;
        for n in 0..phones {
            let name = format!("网格员{n}（虚构）");
            let worker = NewWorker { name: &name, roles: &[Role::Gridworker], unit: None };
            let person = self
                .tables()?
                .update(|tx| staff::add_person(tx, "simulation", &worker, now, &*self.entropy))
                .map_err(failed("hiring"))?;
            let device = DeviceId::from_bytes([n as u8 + 1; 12]);
            self.tables()?
                .update(|tx| {
                    let Some(person) = tx.person(person)? else { return Ok(()) };
                    tx.insert_device(&NewDevice {
                        id: device,
                        person: person.no,
                        public_key: &[4; 65],
                        label: "phone",
                        enrolled_at: now,
                    })?;
                    Ok::<_, StorageError>(())
                })
                .map_err(failed("enrolling"))?;
            self.tables()?
                .update(|tx| staff::grant_area(tx, "simulation", person, grid, false, now))
                .map_err(failed("granting"))?;
            self.people.push((person, device));
        }
        Ok(())
    }

    pub(super) fn who(&self, n: usize) -> Result<(RecordId, DeviceId), String> {
        self.people.get(n).copied().ok_or_else(|| "no such worker".to_owned())
    }

    /// The grid's stream.
    pub(super) fn stream(&self) -> StreamId {
        StreamId::Area { area: self.grid, class: AccessClass::Base }
    }

    pub(super) fn fail_after(&self, operations: u64) {
        self.disk.fail_after(operations);
    }

    pub(super) fn is_off(&self) -> bool {
        self.disk.is_off()
    }

    /// Cuts the power if it has not failed by itself, restores it, and starts the server again.
    pub(super) fn restore(&mut self, random: &mut Seeded) -> Result<(), String> {
        if random.chance(0.5) {
            self.disk.cut(Unsynced::Lost);
        } else {
            self.disk.cut(Unsynced::Partly(random));
        }
        self.storage = None;
        self.start()
    }

    /// Serves a request as the real server does.
    pub(super) fn serve(
        &mut self,
        device: DeviceId,
        request: SyncRequest,
        now: Timestamp,
    ) -> Result<SyncResponse, ProtocolError> {
        self.requests += 1;
        let pushed: Vec<(RecordId, Vec<ChangeHash>)> = request
            .pushes
            .iter()
            .map(|push| {
                let hashes = push.changes.iter().filter_map(|raw| change::hash_of(raw)).collect();
                (RecordId::from_bytes(*push.record), hashes)
            })
            .collect();
        let storage = self.storage.as_ref().ok_or(ProtocolError::Internal)?;
        let tables: &dyn Storage = storage;
        let principal = tables.view(|tx| Principal::of(tx, device))?;
        let context = Context { now, entropy: &*self.entropy };
        let response = sync::run(storage, &principal, request, context)?;
        for ((record, hashes), verdicts) in pushed.iter().zip(&response.verdicts) {
            for (hash, verdict) in hashes.iter().zip(verdicts) {
                if matches!(verdict, Verdict::Accepted | Verdict::Duplicate) {
                    self.taken.entry(*record).or_default().insert(*hash);
                }
            }
        }
        Ok(response)
    }

    pub(super) fn checkpoint(&self) -> bool {
        self.storage.as_ref().is_some_and(|storage| storage.checkpoint().is_ok())
    }

    pub(super) fn document(&self, record: RecordId) -> Result<Option<Document>, String> {
        let found = self.tables()?.view(|tx| edit::read(tx, record)).map_err(failed("reading a record"))?;
        Ok(found.map(|(_, document)| document))
    }

    /// How much of what it took is not there: enrolled devices, and changes that it told phones it had taken.
    pub(super) fn gone(&self) -> Result<usize, String> {
        let tables = self.tables()?;
        let known = |device: DeviceId| tables.view(|tx| tx.device(device)).map(|found| found.is_some());
        let mut gone = 0;
        for (_, device) in &self.people {
            let known: Result<bool, StorageError> = known(*device);
            gone += usize::from(!known.map_err(failed("reading the devices"))?);
        }
        for (record, hashes) in &self.taken {
            let document = self.document(*record)?;
            gone += hashes
                .iter()
                .filter(|hash| !document.as_ref().is_some_and(|document| document.has(hash)))
                .count();
        }
        Ok(gone)
    }

    pub(super) fn members(&self) -> Result<BTreeMap<RecordId, Fingerprint>, String> {
        let stream = self.stream();
        self.tables()?
            .view(|tx| {
                let Some(row) = tx.stream(&stream)? else { return Ok(BTreeMap::new()) };
                Ok::<_, StorageError>(tx.current(row.no, None, None)?.into_iter().collect())
            })
            .map_err(failed("reading the stream"))
    }
}
