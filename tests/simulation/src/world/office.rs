//! The server's side: the real sync code on a store in memory, and what officers and operators do to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use gridwalk_device::store::Identity;
use gridwalk_model::policy::Role;
use gridwalk_model::{AccessClass, DeviceId, Fields, Kind, RecordId, StreamId, Timestamp, Value};
use gridwalk_replica::admission::Verdict;
use gridwalk_replica::digest::Fingerprint;
use gridwalk_replica::protocol::ProtocolError;
use gridwalk_replica::wire::{SyncRequest, SyncResponse};
use gridwalk_replica::{ChangeHash, Document, change};
use gridwalk_server::access::staff::{self, NewWorker};
use gridwalk_server::clock::{Entropy, EntropyError};
use gridwalk_server::edit::Edits;
use gridwalk_server::storage::Storage;
use gridwalk_server::storage::access::NewDevice;
use gridwalk_server::storage::records::ServerRow;
use gridwalk_server::storage::sqlite::{Birth, SqliteOptions, SqliteStorage};
use gridwalk_server::sync::{self, Context, Principal};

use crate::seeded::Seeded;

/// Grids of the simulated district.
pub(crate) const GRIDS: usize = 3;

struct ServerEntropy(Mutex<Seeded>);

impl Entropy for ServerEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
        self.0.lock().map_err(|_| EntropyError)?.fill(out);
        Ok(())
    }
}

/// The server, and what is remembered of it from outside.
pub struct Office {
    storage: SqliteStorage,
    entropy: Arc<ServerEntropy>,
    /// The grids.
    pub(crate) grids: Vec<RecordId>,
    /// Who has which device.
    pub(crate) people: Vec<(RecordId, DeviceId)>,
    /// What the server told devices that it had taken.
    pub(crate) accepted: BTreeSet<ChangeHash>,
    /// Requests answered.
    pub(crate) requests: usize,
    /// Copies that were put aside, the oldest first.
    backups: Vec<SqliteStorage>,
    /// How often the past was put back.
    pub(crate) rewinds: usize,
}

fn options(entropy: &Arc<ServerEntropy>) -> SqliteOptions {
    let entropy = Arc::clone(entropy);
    SqliteOptions { durable: false, entropy, ..SqliteOptions::default() }
}

impl Office {
    /// A new server with its grids, and a person with a device for each phone.
    pub(crate) fn open(seed: u64, phones: usize, now: Timestamp) -> Self {
        let mut seeded = Seeded::for_subject(seed, "office");
        let mut birth =
            Birth { device: [0xee; 12], epoch: [0; 16], incarnation: [0, 0, 0, 1], mark_key: [0; 32] };
        seeded.fill(&mut birth.epoch);
        seeded.fill(&mut birth.mark_key);
        let entropy = Arc::new(ServerEntropy(Mutex::new(seeded)));
        let storage = SqliteStorage::in_memory(&options(&entropy), &birth).expect("a store in memory");
        let mut office = Self {
            storage,
            entropy,
            grids: Vec::new(),
            people: Vec::new(),
            accepted: BTreeSet::new(),
            requests: 0,
            backups: Vec::new(),
            rewinds: 0,
        };
        for n in 0..GRIDS {
            let id = office.new_id(now);
            let fields = Fields::from([
                ("code".to_owned(), Value::from(format!("grid-{n}"))),
                ("name".to_owned(), Value::from(format!("虚构网格{n}"))),
                ("level".to_owned(), Value::from("grid")),
            ]);
            office.create(id, Kind::Area, &fields, now);
            office.grids.push(id);
        }
        for n in 0..phones {
            office.hire(n, now);
        }
        office
    }

    fn new_id(&self, now: Timestamp) -> RecordId {
        let mut random = [0; 10];
        self.entropy.fill(&mut random).expect("seeded");
        RecordId::from_parts(now, random)
    }

    fn hire(&mut self, n: usize, now: Timestamp) {
        let mut device = [n as u8 + 1; 12];
        device[0] = 0xd0;
        let device = DeviceId::from_bytes(device);
        let name = format!("网格员{n}（虚构）");
        let worker = NewWorker { name: &name, roles: &[Role::Gridworker], unit: None };
        let person = self
            .store()
            .update(|tx| staff::add_person(tx, "simulation", &worker, now, &*self.entropy))
            .expect("a person");
        self.store()
            .update(|tx| {
                let no = tx.person(person)?.expect("just added").no;
                let new = NewDevice {
                    id: device,
                    person: no,
                    public_key: &[4; 65],
                    label: "phone",
                    enrolled_at: now,
                };
                tx.insert_device(&new)
            })
            .map_err(|error: gridwalk_server::storage::StorageError| error)
            .expect("a device");
        self.people.push((person, device));
        // Two phones share each grid; every third holds a neighbouring one as well.
        self.assign(person, self.grids[n % GRIDS], now);
        if n % 3 == 2 {
            self.assign(person, self.grids[(n + 1) % GRIDS], now);
        }
    }

    pub(crate) fn store(&self) -> &dyn Storage {
        &self.storage
    }

    /// Gives a person a grid.
    pub(crate) fn assign(&self, person: RecordId, grid: RecordId, now: Timestamp) {
        self.store()
            .update(|tx| staff::grant_area(tx, "simulation", person, grid, false, now))
            .expect("a grant");
    }

    /// Takes a grid away.
    pub(crate) fn unassign(&self, person: RecordId, grid: RecordId, now: Timestamp) {
        self.store()
            .update(|tx| staff::revoke_area(tx, "simulation", person, grid, now))
            .expect("a revocation");
    }

    /// An officer's new record.
    pub(crate) fn create(&self, id: RecordId, kind: Kind, fields: &Fields, now: Timestamp) {
        self.store()
            .update(|tx| {
                let mut edits = Edits::begin(tx, now)?;
                edits.create(id, kind, fields)?;
                Ok::<_, gridwalk_server::edit::EditError>(edits.finish()?)
            })
            .expect("an officer's record");
    }

    /// An officer's edit; records that are not there are left alone.
    pub(crate) fn edit(&self, id: RecordId, fields: &Fields, now: Timestamp) -> bool {
        self.store()
            .update(|tx| {
                let mut edits = Edits::begin(tx, now)?;
                let changed = edits.update(id, fields)?;
                edits.finish()?;
                Ok::<_, gridwalk_server::edit::EditError>(changed)
            })
            .unwrap_or(false)
    }

    /// An officer moves a resident's second home into another grid: one more residency.
    pub(crate) fn second_home(&self, resident: RecordId, dwelling: RecordId, now: Timestamp) {
        let id = self.new_id(now);
        let fields = Fields::from([
            ("resident".to_owned(), Value::from(resident)),
            ("dwelling".to_owned(), Value::from(dwelling)),
        ]);
        self.create(id, Kind::Residency, &fields, now);
    }

    /// Serves a request as the real server does.
    pub(crate) fn serve(
        &mut self,
        identity: &Identity,
        request: SyncRequest,
        now: Timestamp,
    ) -> Result<SyncResponse, ProtocolError> {
        self.requests += 1;
        let pushed: Vec<Vec<ChangeHash>> = request
            .pushes
            .iter()
            .map(|push| push.changes.iter().filter_map(|raw| change::hash_of(raw)).collect())
            .collect();
        let principal = self.store().view(|tx| Principal::of(tx, identity.device))?;
        let context = Context { now, entropy: &*self.entropy };
        let response = sync::run(&self.storage, &principal, request, context)?;
        for (hashes, verdicts) in pushed.iter().zip(&response.verdicts) {
            for (hash, verdict) in hashes.iter().zip(verdicts) {
                if matches!(verdict, Verdict::Accepted | Verdict::Duplicate) {
                    self.accepted.insert(*hash);
                }
            }
        }
        Ok(response)
    }

    /// The streams that a device may pull now.
    pub(crate) fn granted(&self, device: DeviceId) -> BTreeSet<StreamId> {
        self.store()
            .view(|tx| {
                let person = tx.device(device)?.expect("enrolled").person;
                let grants = tx.grants(person)?;
                Ok::<_, gridwalk_server::storage::StorageError>(
                    grants.into_iter().filter(|g| g.revoked_at.is_none()).map(|g| g.stream).collect(),
                )
            })
            .expect("grants")
    }

    /// The current records of a stream.
    pub(crate) fn members(&self, stream: &StreamId) -> BTreeMap<RecordId, Fingerprint> {
        self.store()
            .view(|tx| {
                let Some(row) = tx.stream(stream)? else { return Ok(BTreeMap::new()) };
                Ok::<_, gridwalk_server::storage::StorageError>(
                    tx.current(row.no, None, None)?.into_iter().collect(),
                )
            })
            .expect("a stream")
    }

    /// The server's copy of a record.
    pub(crate) fn document(&self, id: RecordId) -> Option<Document> {
        self.store()
            .view(|tx| gridwalk_server::edit::read(tx, id))
            .expect("a record that can be read")
            .map(|(_, document)| document)
    }

    /// Whether a change is kept in quarantine.
    pub(crate) fn quarantined(&self) -> BTreeSet<ChangeHash> {
        self.store()
            .view(|tx| tx.quarantine(None, u32::MAX))
            .map_err(|error: gridwalk_server::storage::StorageError| error)
            .expect("the quarantine")
            .iter()
            .filter_map(|row| change::hash_of(&row.change))
            .collect()
    }

    /// The grid of an area stream.
    pub(crate) fn stream_of(grid: RecordId) -> StreamId {
        StreamId::Area { area: grid, class: AccessClass::Base }
    }

    fn server_row(&self) -> ServerRow {
        self.store()
            .view(|tx| tx.server())
            .map_err(|error: gridwalk_server::storage::StorageError| error)
            .expect("the server's row")
    }

    /// Puts a copy aside, as a backup does, and says so to phones.
    pub(crate) fn back_up(&mut self) {
        let commit = self.server_row().commit_no;
        self.backups.push(self.storage.copied_in_memory(&options(&self.entropy)).expect("a copy"));
        self.store()
            .update(|tx| tx.set_backed_up(commit))
            .map_err(|error: gridwalk_server::storage::StorageError| error)
            .expect("the server's row");
    }

    /// Puts the last backup back. `told`: as `gridwalk-server restore` does it, with a new epoch; otherwise silently,
    /// as a virtual machine's snapshot would. Returns whether there was one.
    pub(crate) fn rewind(&mut self, told: bool) -> bool {
        let Some(backup) = self.backups.last() else { return false };
        let mut random = [0u8; 52];
        self.entropy.fill(&mut random).expect("seeded");
        self.storage = backup.copied_in_memory(&options(&self.entropy)).expect("a copy");
        self.rewinds += 1;
        if told {
            let (epoch, rest) = random.split_first_chunk::<16>().expect("52 bytes");
            let (incarnation, key) = rest.split_first_chunk::<4>().expect("36 bytes");
            let key = key.try_into().expect("32 bytes");
            self.store()
                .update(|tx| tx.set_epoch(*epoch, *incarnation, key))
                .map_err(|error: gridwalk_server::storage::StorageError| error)
                .expect("a new epoch");
        }
        true
    }

    /// The operator lets whole histories in again.
    pub(crate) fn open_recovery(&self, now: Timestamp) {
        let until = now.plus_millis(365 * 24 * 3_600_000);
        self.store()
            .update(|tx| tx.set_recovery(until))
            .map_err(|error: gridwalk_server::storage::StorageError| error)
            .expect("recovery");
    }

    /// Fills the disk, or gives space back.
    pub(crate) fn fill_disk(&self, full: bool) {
        let pages = full.then_some(1);
        self.storage.set_max_pages(pages).expect("a limit");
    }
}
