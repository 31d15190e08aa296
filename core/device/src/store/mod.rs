//! The phone's store: records, what waits to be sent, what was refused, photos, search.
//!
//! Two SQLCipher databases in one folder: `store.db` and, so that a large blob never delays the commit of an edit,
//! `media.db`. `rusqlite` is used nowhere else in this crate.
//!
//! A store is synchronous and belongs to one thread at a time; [`crate::Device`] keeps it on a thread of its own,
//! simulations call it directly. Everything that writes runs in one named transaction ([`Commit`]) that is durable
//! when it returns. Time and randomness are arguments: the same calls give the same store.
//!
//! # Why not one loaded document a record
//! A loaded document takes some 16 KB of heap and 40–80 µs to load. Lists and search read `record.fields`, the
//! winning values in one blob of some 400 B that decodes in 2 µs; documents are loaded when they are edited or
//! merged, and dropped again.

mod about;
mod deferred;
mod door_journal;
mod drafts;
mod due;
mod faults;
mod fields;
mod keeping;
pub(crate) use keeping::MediaRoom;
mod media;
mod media_trouble;
mod migrate_test;
mod open;
mod outbox;
mod patrol_journal;
mod photo_prints;
mod plants;
mod previews;
mod projection;
mod quarantine;
mod rank;
mod records;
mod rules;
mod salvage;
mod sealed;
mod search;
mod setting;
mod sound;
mod sql;
mod streams;
#[cfg(test)]
mod tests;
mod tokens;
mod totals;
mod uploads;
mod visit_drafts;
mod visit_due;
mod voice_notes;
mod waiting;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gridwalk_model::event::EventRules;
use gridwalk_model::{DeviceId, RecordId, Timestamp};
use gridwalk_replica::Actor;
use gridwalk_replica::digest::StreamDigest;
use rusqlite::{Connection, TransactionBehavior};

use crate::clock::Entropy;
use crate::error::DeviceError;
use crate::keys::DeviceKey;

pub use faults::{Commit, Faults, Side};
pub use media::MediaForm;
pub use open::{Encryption, StoreLocation};
pub use outbox::OutboxState;
pub use patrol_journal::{DiscardedPatrol, OpenPatrol};
pub use quarantine::{Quarantined, RefusedEdit, RefusedReason};
pub use records::RecordState;
pub use salvage::Salvaged;
pub use search::{SearchCursor, SearchHit, SearchPage, SearchSize, Tier};
pub use totals::{Totals, Waiting};
pub use uploads::{Lane, Upload};
pub use visit_drafts::DiscardedVisit;

use visit_due::TouchedVisits;

pub(crate) use door_journal::DoorRow;
pub(crate) use drafts::PhotoFault;
pub(crate) use drafts::{DraftPhotoRow, DraftRow};
pub(crate) use due::{Bases, DueQuery, DueRow};
pub(crate) use fields::{decode_fields, encode_fields};
pub(crate) use media_trouble::{Trouble, TroubledUpload};
pub(crate) use outbox::OutboxRow;
pub(crate) use projection::{ACTED, sort_prefix};
pub(crate) use records::{Body, Listed, Loaded, UnreadForm, flag};
pub(crate) use rules::day_in;
pub(crate) use sealed::{PartSource, UnsentFile};
pub(crate) use setting::Setting;
pub(crate) use streams::StreamRow;
pub(crate) use visit_due::VisitRow;
pub(crate) use voice_notes::{VoicePlace, VoiceRow};
pub(crate) use waiting::WaitingRow;

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// Where it lives.
    pub location: StoreLocation,
    /// Whether it is encrypted.
    pub encryption: Encryption,
    /// Faults for tests; [`Faults::none`] otherwise.
    pub faults: Faults,
}

impl StoreConfig {
    /// A plain store in memory: simulations.
    pub const fn memory() -> Self {
        Self { location: StoreLocation::Memory, encryption: Encryption::None, faults: Faults::none() }
    }

    /// A store in a folder.
    pub fn folder(path: impl Into<PathBuf>, encryption: Encryption) -> Self {
        Self { location: StoreLocation::Folder(path.into()), encryption, faults: Faults::none() }
    }
}

/// Who this device is, by the server's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The device.
    pub device: DeviceId,
    /// The person that it is bound to.
    pub user: RecordId,
    /// The present incarnation: the second part of the actor of new changes.
    pub incarnation: [u8; 4],
}

impl Identity {
    /// The author of new changes.
    pub fn actor(&self) -> Actor {
        Actor::new(self.device, self.incarnation)
    }
}

/// The phone's store. See the module for how it is used.
pub struct Store {
    connection: Connection,
    media: Connection,
    entropy: Box<dyn Entropy>,
    faults: Faults,
    identity: Option<Identity>,
    salvaged: Option<Salvaged>,
    folder: Option<PathBuf>,
    room: MediaRoom,
    /// The deployment's rules for events: parsed once, asked for with every event that is written or shown.
    event_rules: Arc<EventRules>,
    /// Signs photos and voice notes.
    pub(crate) evidence_key: Option<Arc<dyn DeviceKey>>,
}

impl Store {
    /// Opens a store, or makes it. A damaged `store.db` is set aside, never deleted; what had not been sent is saved
    /// out of it, as far as it can be read, and the rest comes from the server again (see [`Self::salvaged`]).
    ///
    /// # Errors
    /// [`DeviceError::AlreadyOpen`], [`DeviceError::NewerStore`], [`DeviceError::StorageFull`], and failures of
    /// SQLite and the file system.
    pub fn open(config: StoreConfig, entropy: Box<dyn Entropy>) -> Result<Self, DeviceError> {
        let StoreConfig { location, encryption, faults } = config;
        let (connection, damaged) =
            salvage::open_or_set_aside(open::Database::Records, &location, &encryption, &faults)?;
        let (media, _) = salvage::open_or_set_aside(open::Database::Media, &location, &encryption, &faults)?;
        let folder = match location {
            StoreLocation::Memory => None,
            StoreLocation::Folder(folder) => Some(folder),
        };
        let mut store = Self {
            connection,
            media,
            entropy,
            faults,
            identity: None,
            salvaged: None,
            folder,
            room: MediaRoom::default(),
            event_rules: Arc::default(),
            evidence_key: None,
        };
        store.event_rules = Arc::new(store.view().stored_event_rules()?);
        store.identity = store.view().identity()?;
        if let Some(damaged) = damaged {
            store.salvaged = Some(store.salvage(&damaged, &encryption)?);
            store.event_rules = Arc::new(store.view().stored_event_rules()?);
        }
        store.bring_projections_up_to_date()?;
        Ok(store)
    }

    /// Opens the same databases again, as after a crash of the process: for simulations of stores in memory.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn reopened(self) -> Result<Self, DeviceError> {
        let mut store = Self { identity: None, salvaged: None, room: MediaRoom::default(), ..self };
        store.event_rules = Arc::new(store.view().stored_event_rules()?);
        store.identity = store.view().identity()?;
        store.bring_projections_up_to_date()?;
        Ok(store)
    }

    /// A copy in memory, identity included: what a cloned phone is. Only for plain stores.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn cloned(&self, entropy: Box<dyn Entropy>) -> Result<Self, DeviceError> {
        let mut out = Self::open(StoreConfig::memory(), entropy)?;
        for (from, to) in [(&self.connection, &mut out.connection), (&self.media, &mut out.media)] {
            let backup = rusqlite::backup::Backup::new(from, to)?;
            backup.step(-1)?;
        }
        out.identity = out.view().identity()?;
        out.event_rules = Arc::clone(&self.event_rules);
        Ok(out)
    }

    /// Who the device is; `None` before enrolment.
    pub const fn identity(&self) -> Option<Identity> {
        self.identity
    }

    /// What was saved out of a damaged file when this store was opened.
    pub const fn salvaged(&self) -> Option<&Salvaged> {
        self.salvaged.as_ref()
    }

    /// The folder of the store; `None` in memory.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Lets the records' database grow by at most `spare` pages of 4 KiB from now on; `None` lifts the limit. This is
    /// how tests fill a disk.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn limit_pages(&self, spare: Option<u32>) -> Result<(), DeviceError> {
        let pages: u32 = self.connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        let limit = spare.map_or(u32::MAX - 1, |spare| pages.saturating_add(spare));
        self.connection.query_row(&format!("PRAGMA max_page_count = {limit}"), [], |_| Ok(()))?;
        Ok(())
    }

    /// Turns durability off: a planted bug that simulations must catch, and for benchmarks that tell the wait for the
    /// disk apart. Never called otherwise.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn plant_synchronous_off(&self) -> Result<(), DeviceError> {
        Ok(self.connection.execute_batch("PRAGMA synchronous = OFF;")?)
    }

    /// Writes everything into the database files proper and empties the write-ahead logs. Called before the system
    /// suspends the app.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn drain(&self) -> Result<(), DeviceError> {
        for connection in [&self.connection, &self.media] {
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        }
        Ok(())
    }

    /// Closes the store and deletes everything in its folder, the key first: without it the rest is noise, even if the
    /// power fails now.
    pub(crate) fn wipe(self) {
        let folder = self.folder.clone();
        drop(self);
        let Some(folder) = folder else { return };
        let Ok(entries) = std::fs::read_dir(&folder) else { return };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort_by_key(|path| path.extension().is_none_or(|extension| extension != "key"));
        for path in paths {
            // What cannot be deleted stays encrypted.
            let _ = std::fs::remove_file(path);
        }
    }

    pub(crate) fn view(&self) -> View<'_> {
        View { connection: &self.connection, event_rules: &self.event_rules }
    }

    /// Random bytes from the store's source.
    pub(crate) fn random<const N: usize>(&mut self) -> Result<[u8; N], DeviceError> {
        let mut out = [0u8; N];
        self.entropy.fill(&mut out)?;
        Ok(out)
    }

    /// Runs `work` in one transaction, durable when this returns `Ok`; of a failed one nothing is kept.
    pub(crate) fn write<T>(
        &mut self,
        commit: Commit,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, DeviceError>,
    ) -> Result<T, DeviceError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut tx = Tx {
            view: View { connection: &transaction, event_rules: &self.event_rules },
            new_event_rules: None,
            identity: self.identity,
            entropy: self.entropy.as_mut(),
            digests: BTreeMap::new(),
            touched: TouchedVisits::default(),
        };
        let value = work(&mut tx)?;
        tx.redraw_visits()?;
        tx.flush_digests()?;
        let (identity, new_event_rules) = (tx.identity, tx.new_event_rules.take());
        self.faults.check(commit, Side::Before)?;
        transaction.commit()?;
        self.identity = identity;
        if let Some(rules) = new_event_rules {
            self.event_rules = Arc::new(rules);
        }
        self.faults.check(commit, Side::After)?;
        Ok(value)
    }

    /// The same for the media database.
    fn write_media<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T, DeviceError>,
    ) -> Result<T, DeviceError> {
        let transaction = self.media.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = work(&transaction)?;
        self.faults.check(Commit::Media, Side::Before)?;
        transaction.commit()?;
        self.faults.check(Commit::Media, Side::After)?;
        Ok(value)
    }
}

/// Reads. Methods stand in the file of their subject.
#[derive(Clone, Copy)]
pub(crate) struct View<'s> {
    connection: &'s Connection,
    event_rules: &'s EventRules,
}

/// A transaction. Methods stand in the file of their subject.
pub(crate) struct Tx<'s> {
    view: View<'s>,
    /// Rules for events that this transaction stored: used once it is durable.
    new_event_rules: Option<EventRules>,
    identity: Option<Identity>,
    entropy: &'s mut dyn Entropy,
    /// Digests of streams that this transaction touched, written once at its end.
    digests: BTreeMap<i64, StreamDigest>,
    /// Whose visits have to be drawn anew, done once at its end.
    touched: TouchedVisits,
}

impl<'s> std::ops::Deref for Tx<'s> {
    type Target = View<'s>;

    fn deref(&self) -> &View<'s> {
        &self.view
    }
}

impl Tx<'_> {
    /// Who the device is.
    pub(crate) fn identity(&self) -> Result<Identity, DeviceError> {
        self.identity.ok_or(DeviceError::NotEnrolled)
    }

    /// Random bytes from the store's source.
    pub(crate) fn random<const N: usize>(&mut self) -> Result<[u8; N], DeviceError> {
        let mut out = [0u8; N];
        self.entropy.fill(&mut out)?;
        Ok(out)
    }

    /// A new record's identifier.
    pub(crate) fn new_id(&mut self, now: Timestamp) -> Result<RecordId, DeviceError> {
        Ok(RecordId::from_parts(now, self.random()?))
    }

    /// Begins a new incarnation: new changes have a new author from now on.
    pub(crate) fn reincarnate(&mut self) -> Result<Identity, DeviceError> {
        let mut identity = self.identity()?;
        let before = identity.incarnation;
        while identity.incarnation == before {
            identity.incarnation = self.random()?;
        }
        self.put(Setting::Incarnation, &identity.incarnation)?;
        self.identity = Some(identity);
        Ok(identity)
    }
}
