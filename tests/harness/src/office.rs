//! What an operator and an auditor do at the server's data folder, beside the serving process: people, grants,
//! enrolment codes, sign-in links; and reading what the server really holds, for comparison with the phones.
//!
//! The store is SQLite with a write-ahead log and keeps no state in the serving process, so that a second process
//! may read and write while the server serves.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use gridwalk_model::photo::shown_photos;
use gridwalk_model::photo_chain::ChainState;
use gridwalk_model::policy::Role;
use gridwalk_model::voice::shown_voices;
use gridwalk_model::{AccessClass, ContentHash, DeviceId, Fields, Kind, RecordId, StreamId, Value};
use gridwalk_replica::digest::{Fingerprint, StreamDigest};
use gridwalk_replica::{ChangeHash, Document, FlatChange};
use gridwalk_server::access::{AccessError, account, enrolment, staff};
use gridwalk_server::cli::SIGNIN_PATH;
use gridwalk_server::clock::{Clock, Entropy, SystemClock, SystemEntropy};
use gridwalk_server::edit::Edits;
use gridwalk_server::media::{Media, MediaLimits};
use gridwalk_server::open;
use gridwalk_server::sealed::SealedError;
use gridwalk_server::sealed::content::{self, Content};
use gridwalk_server::sealed::settle::{self, Accepted};
use gridwalk_server::storage::sealed::PackageRow;
use gridwalk_server::storage::sqlite::{SqliteOptions, SqliteStorage};
use gridwalk_server::storage::{ReadTx, Storage, StorageError, WriteTx};
use gridwalk_server::sync::chain_state;

use crate::error::HarnessError;

/// Who acts, as the audit log names it.
const OPERATOR: &str = "operator";
/// How long enrolment codes for tests live.
const CODE_LIFE_MS: i64 = 60 * 60 * 1_000;
/// Records read at a time.
const PAGE: u32 = 500;

/// Access to a server's store from outside the serving process.
pub struct Office {
    storage: Arc<SqliteStorage>,
}

/// A change as the server's copy of a record holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldChange {
    /// Its name.
    pub hash: ChangeHash,
    /// The device that made it; the server's own prefix for the server.
    pub device: DeviceId,
    /// What it wrote: root keys and values. `None` confirms the value that stood.
    pub writes: Vec<(String, Option<Value>)>,
}

/// A stream as the server has it.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldStream {
    /// The digest that is kept.
    pub digest: StreamDigest,
    /// Its current records with their fingerprints.
    pub records: Vec<(RecordId, Fingerprint)>,
}

impl Office {
    /// Opens the store of a data folder; makes it if it is not there.
    ///
    /// # Errors
    /// [`HarnessError::Server`].
    pub fn open(data: &Path) -> Result<Self, HarnessError> {
        let options = SqliteOptions { readers: 1, ..SqliteOptions::default() };
        let storage = open::storage(data, &options).map_err(HarnessError::server("open the store"))?;
        Ok(Self { storage })
    }

    fn storage(&self) -> &dyn Storage {
        &*self.storage
    }

    fn act<T>(
        &self,
        what: &'static str,
        work: impl FnOnce(&mut dyn WriteTx) -> Result<T, AccessError>,
    ) -> Result<T, HarnessError> {
        self.storage().update(work).map_err(HarnessError::server(what))
    }

    /// Adds a unit: an office, a department, a team.
    ///
    /// # Errors
    /// [`HarnessError::Server`].
    pub fn add_unit(&self, name: &str) -> Result<RecordId, HarnessError> {
        self.publish(Kind::Unit, &Fields::from([("name".to_owned(), Value::from(name))]))
    }

    /// Makes a record that devices do not write: a unit, a checklist.
    ///
    /// # Errors
    /// [`HarnessError::Server`].
    pub fn publish(&self, kind: Kind, fields: &Fields) -> Result<RecordId, HarnessError> {
        let now = SystemClock.now();
        self.act("publish a record", |tx| {
            let random = <dyn Entropy>::array(&SystemEntropy)?;
            let id = RecordId::from_parts(now, random);
            let mut edits = Edits::begin(tx, now)?;
            edits.create(id, kind, fields)?;
            edits.finish()?;
            Ok(id)
        })
    }

    /// Adds a person.
    ///
    /// # Errors
    /// [`HarnessError::Server`].
    pub fn add_person(
        &self,
        name: &str,
        roles: &[Role],
        unit: Option<RecordId>,
    ) -> Result<RecordId, HarnessError> {
        let worker = staff::NewWorker { name, roles, unit };
        let now = SystemClock.now();
        self.act("add a person", |tx| staff::add_person(tx, OPERATOR, &worker, now, &SystemEntropy))
    }

    /// Says anew what a person may do.
    ///
    /// # Errors
    /// [`HarnessError::Server`].
    pub fn set_roles(&self, person: RecordId, roles: &[Role]) -> Result<(), HarnessError> {
        let now = SystemClock.now();
        self.act("set a person's roles", |tx| staff::set_roles(tx, OPERATOR, person, roles, now))
    }

    /// Makes a one-time enrolment code for a person.
    ///
    /// # Errors
    /// [`HarnessError::Server`].
    pub fn enrolment_code(&self, person: RecordId) -> Result<String, HarnessError> {
        let now = SystemClock.now();
        self.act("make an enrolment code", |tx| {
            enrolment::create_code(tx, OPERATOR, person, CODE_LIFE_MS, now, &SystemEntropy)
        })
    }

    /// Makes a one-time sign-in link: its path on the console.
    ///
    /// # Errors
    /// [`HarnessError::Server`].
    pub fn signin_link(&self, person: RecordId) -> Result<String, HarnessError> {
        let now = SystemClock.now();
        self.act("make a sign-in link", |tx| {
            account::create_signin_link(tx, OPERATOR, person, now, &SystemEntropy)
        })
        .map(|secret| format!("{SIGNIN_PATH}{secret}"))
    }

    /// Gives a person a grid: its daily records and its sensitive ones.
    ///
    /// # Errors
    /// [`HarnessError::Server`].
    pub fn assign(&self, person: RecordId, area: RecordId) -> Result<(), HarnessError> {
        let now = SystemClock.now();
        self.act("assign a grid", |tx| staff::grant_area(tx, OPERATOR, person, area, true, now))
    }

    /// Takes a grid away from a person.
    ///
    /// # Errors
    /// [`HarnessError::Server`].
    pub fn unassign(&self, person: RecordId, area: RecordId) -> Result<(), HarnessError> {
        let now = SystemClock.now();
        self.act("take a grid away", |tx| staff::revoke_area(tx, OPERATOR, person, area, now))
    }

    /// Locks a device.
    ///
    /// # Errors
    /// [`HarnessError::Server`].
    pub fn lock_device(&self, device: DeviceId) -> Result<(), HarnessError> {
        let now = SystemClock.now();
        self.act("lock a device", |tx| staff::revoke_device(tx, OPERATOR, device, false, now))
    }

    /// Lets a locked device work again.
    ///
    /// # Errors
    /// [`HarnessError::Server`].
    pub fn reinstate_device(&self, device: DeviceId) -> Result<(), HarnessError> {
        let now = SystemClock.now();
        self.act("reinstate a device", |tx| staff::reinstate_device(tx, OPERATOR, device, now))
    }

    /// What locked devices handed in, opened, the latest first; `None` for what is not whole.
    ///
    /// # Errors
    /// [`HarnessError::Server`].
    pub fn sealed_work(&self) -> Result<Vec<(PackageRow, Option<Content>)>, HarnessError> {
        let opened = self.storage().view(|tx| {
            let packages = tx.packages()?.into_iter();
            let open = |package: PackageRow| {
                let opened = package.whole_at.map(|_| content::open(tx, &package)).transpose()?;
                Ok((package, opened))
            };
            packages.map(open).collect::<Result<_, SealedError>>()
        });
        opened.map_err(HarnessError::server("open sealed work"))
    }

    /// What was said into a draft that a locked device handed in; `None` if a piece of it is missing.
    ///
    /// # Errors
    /// [`HarnessError::Server`].
    pub fn sealed_sound(
        &self,
        package: &PackageRow,
        file: &content::File<RecordId>,
    ) -> Result<Option<Vec<u8>>, HarnessError> {
        let sound = self.storage().view(|tx| content::whole(tx, package, file));
        sound.map_err(HarnessError::server("open sealed work"))
    }

    /// Accepts what a locked device handed in. No server may be running.
    ///
    /// # Errors
    /// [`HarnessError::Server`].
    pub fn accept_sealed(&self, data: &Path, package: i64, by: RecordId) -> Result<Accepted, HarnessError> {
        let (storage, clock): (Arc<dyn Storage>, Arc<dyn Clock>) =
            (Arc::clone(&self.storage) as _, Arc::new(SystemClock));
        let media = Media::open(&data.join("media"), storage, clock, MediaLimits::default())
            .map_err(HarnessError::server("open the media"))?;
        let keep = |principal: &_, hash, bytes: &[u8]| media.take_whole(principal, hash, bytes);
        settle::accept(self.storage(), &keep, package, by, SystemClock.now(), &SystemEntropy)
            .map_err(HarnessError::server("accept sealed work"))
    }

    /// All areas: their record by code.
    ///
    /// # Errors
    /// [`HarnessError::Server`].
    pub fn areas(&self) -> Result<BTreeMap<String, AreaFacts>, HarnessError> {
        let mut areas = BTreeMap::new();
        self.each_record(Some(Kind::Area), |id, document| {
            let text = |key| document.get(key).and_then(|value| value.as_text().map(str::to_owned));
            if let (Some(code), Some(level)) = (text("code"), text("level")) {
                let name = text("name").unwrap_or_default();
                let boundary = match document.get("boundary") {
                    Some(Value::Bytes(bytes)) => Some(bytes),
                    _ => None,
                };
                areas.insert(code, AreaFacts { id, level, name, boundary });
            }
        })?;
        Ok(areas)
    }

    /// Calls `each` with every record, or with every one of a kind.
    ///
    /// # Errors
    /// [`HarnessError::Server`].
    pub fn each_record(
        &self,
        only: Option<Kind>,
        mut each: impl FnMut(RecordId, &Document),
    ) -> Result<(), HarnessError> {
        let kinds: Vec<Kind> = only.map_or_else(|| Kind::ALL.to_vec(), |kind| vec![kind]);
        for kind in kinds {
            let mut before = None;
            loop {
                let page = self
                    .storage()
                    .view(|tx| {
                        let heads = tx.records_of_kind(kind.tag(), before, PAGE)?;
                        heads
                            .into_iter()
                            .map(|head| Ok((head.no, head.id, tx.snapshot(head.no)?)))
                            .collect::<Result<Vec<_>, StorageError>>()
                    })
                    .map_err(HarnessError::server("read records"))?;
                let Some((last, ..)) = page.last() else { break };
                before = Some(*last);
                for (_, id, snapshot) in &page {
                    let document = Document::load(snapshot).map_err(HarnessError::server("read a record"))?;
                    each(*id, &document);
                }
            }
        }
        Ok(())
    }

    /// Every change that the server's copy of a record holds; none if there is no such record.
    ///
    /// # Errors
    /// [`HarnessError::Server`].
    pub fn changes_of(&self, record: RecordId) -> Result<Vec<HeldChange>, HarnessError> {
        let snapshot = self
            .storage()
            .view(|tx| match tx.record(record)? {
                Some(head) => tx.snapshot(head.no).map(Some),
                None => Ok(None),
            })
            .map_err(HarnessError::server("read a record"))?;
        let Some(snapshot) = snapshot else { return Ok(Vec::new()) };
        let document = Document::load(&snapshot).map_err(HarnessError::server("read a record"))?;
        changes_in(&document)
    }

    /// A stream; `None` if the server has none such.
    ///
    /// # Errors
    /// [`HarnessError::Server`].
    pub fn stream(&self, stream: &StreamId) -> Result<Option<HeldStream>, HarnessError> {
        self.storage()
            .view(|tx| {
                let Some(row) = tx.stream(stream)? else { return Ok(None) };
                Ok(Some(HeldStream { digest: row.digest, records: tx.current(row.no, None, None)? }))
            })
            .map_err(server_failed("read a stream"))
    }

    /// The streams that a person holds now.
    ///
    /// # Errors
    /// [`HarnessError::Server`].
    pub fn streams_of(&self, person: RecordId) -> Result<Vec<StreamId>, HarnessError> {
        self.storage()
            .view(|tx| {
                let Some(row) = tx.person(person)? else { return Ok(Vec::new()) };
                let grants = tx.grants(row.no)?;
                Ok(grants.into_iter().filter(|grant| grant.revoked_at.is_none()).map(|g| g.stream).collect())
            })
            .map_err(server_failed("read grants"))
    }

    /// How many records the server holds, refused changes that nobody has looked at, and open alarms.
    ///
    /// # Errors
    /// [`HarnessError::Server`].
    pub fn counts(&self) -> Result<OfficeCounts, HarnessError> {
        self.storage()
            .view(|tx| {
                Ok(OfficeCounts {
                    records: tx.record_count()?,
                    quarantined: tx.quarantine_open()?,
                    alarms: tx.alarms(1_000)?.len() as u64,
                    media: tx.media_totals()?.0,
                })
            })
            .map_err(server_failed("count"))
    }

    /// What the server thinks of the signature of each photo of a record, then of each voice note, in the order of their
    /// names.
    ///
    /// # Errors
    /// [`HarnessError::Server`].
    pub fn evidence_chain(&self, record: RecordId) -> Result<Vec<ChainState>, HarnessError> {
        let judge = |tx: &dyn ReadTx| {
            let Some(head) = tx.record(record)? else { return Ok(Vec::new()) };
            let damaged = |_| StorageError::Damaged { what: "document" };
            let fields = Document::load(&tx.snapshot(head.no)?).map_err(damaged)?.fields();
            let photos =
                shown_photos(&fields).map(|(element, photo)| chain_state(tx, record, element, &photo));
            let voices =
                shown_voices(&fields).map(|(element, voice)| chain_state(tx, record, element, &voice));
            photos.chain(voices).collect()
        };
        self.storage().view(judge).map_err(server_failed("judge evidence"))
    }

    /// Whether a medium is stored.
    ///
    /// # Errors
    /// [`HarnessError::Server`].
    pub fn has_media(&self, hash: &ContentHash) -> Result<bool, HarnessError> {
        self.storage().view(|tx| Ok(tx.media(hash)?.is_some())).map_err(server_failed("look for a medium"))
    }
}

/// What is to be known of an area.
#[derive(Clone, Debug, PartialEq)]
pub struct AreaFacts {
    /// Its record.
    pub id: RecordId,
    /// Level, as the deployment calls it.
    pub level: String,
    /// Name.
    pub name: String,
    /// The boundary, encoded as in the record.
    pub boundary: Option<Vec<u8>>,
}

/// Counts of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfficeCounts {
    /// Records.
    pub records: u64,
    /// Refused changes that nobody has looked at.
    pub quarantined: u64,
    /// Rows of the audit log that somebody has to look at.
    pub alarms: u64,
    /// Stored media.
    pub media: u64,
}

/// Every change of a document.
///
/// # Errors
/// [`HarnessError::Server`] if one is not of our editor.
pub fn changes_in(document: &Document) -> Result<Vec<HeldChange>, HarnessError> {
    document
        .changes_since(&[])
        .iter()
        .map(|change| {
            let flat = FlatChange::read(&change.raw).map_err(HarnessError::server("read a change"))?;
            let writes = flat.writes.into_iter().map(|write| (write.key, write.value)).collect();
            Ok(HeldChange { hash: flat.hash, device: flat.actor.device(), writes })
        })
        .collect()
}

/// Says which error type a closure on the store has.
fn server_failed(what: &'static str) -> impl FnOnce(StorageError) -> HarnessError {
    HarnessError::server(what)
}

/// The stream of a grid's daily records.
pub const fn base_stream(area: RecordId) -> StreamId {
    StreamId::Area { area, class: AccessClass::Base }
}
