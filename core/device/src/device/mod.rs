//! A phone's core as an app uses it: [`Device`].
//!
//! The store and the engine live on a thread of their own; calls are sent there and answered. One task on the tokio
//! runtime does what the engine asks for and tells it what came of it. Nothing holds a transaction across a wait.

mod checklists;
#[cfg(test)]
mod close_tests;
mod core;
mod doors;
mod driver;
mod events;
mod keeping;
mod key_file;
mod labels;
mod lock;
#[cfg(test)]
mod lock_tests;
mod patrols;
#[cfg(test)]
mod pause_tests;
mod photos;
mod reports;
mod submissions;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_undo;
mod today;
mod tray;
mod visits;
mod voices;

use std::path::PathBuf;
use std::sync::Arc;

use gridwalk_model::{DeviceId, Fields, Kind, Record, RecordId, Timestamp, Value};
use gridwalk_replica::protocol::{EnrolRequest, Protocol};
use minicbor::bytes::ByteVec;
use tokio::sync::watch;

use self::core::CoreThread;
use self::driver::Driver;
use crate::clock::{Clock, Entropy, SystemClock, SystemEntropy};
use crate::edit::{ConflictEntry, Edits, Entry, Page, PageCursor};
use crate::error::DeviceError;
use crate::keys::{DeviceKey, KeyStore, SoftwareKey, UnprotectedKeyStore};
use crate::net::{HttpClient, HttpConfig};
use crate::store::{
    Encryption, Faults, Identity, RefusedEdit, SearchCursor, SearchPage, Setting, Store, StoreConfig,
    StoreLocation,
};
use crate::sync::{Engine, EngineConfig, Event, Status};

/// How a device is opened.
pub struct DeviceOptions {
    /// Folder of the store.
    pub folder: PathBuf,
    /// Wraps the data key.
    pub key_store: Arc<dyn KeyStore>,
    /// The device's signing key; `None` keeps one in software inside the encrypted store.
    pub device_key: Option<Arc<dyn DeviceKey>>,
    /// Whether the store is encrypted. Always on phones.
    pub encrypted: bool,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Box<dyn Entropy>,
    /// Settings of the engine.
    pub engine: EngineConfig,
    /// How the server is reached; the address in it is set by enrolment.
    pub http: HttpConfig,
    /// Faults for tests.
    pub faults: Faults,
}

impl DeviceOptions {
    /// A host's settings: keys without protection by hardware, the system's clock and randomness.
    pub fn host(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            key_store: Arc::new(UnprotectedKeyStore),
            device_key: None,
            encrypted: true,
            clock: Arc::new(SystemClock),
            entropy: Box::new(SystemEntropy),
            engine: EngineConfig::default(),
            http: HttpConfig::new(""),
            faults: Faults::none(),
        }
    }
}

/// A phone's core. Cheap to clone. Calls need a tokio runtime. The last clone that goes closes it behind the caller's
/// back; only [`Self::close`] waits for that, which a process has to do before it ends.
#[derive(Clone)]
pub struct Device {
    shared: Arc<Shared>,
}

struct Shared {
    core: CoreThread,
    driver: Driver,
    clock: Arc<dyn Clock>,
    key: Arc<dyn DeviceKey>,
    http: HttpConfig,
    status: watch::Receiver<Status>,
    folder: PathBuf,
    encrypted: bool,
}

impl Device {
    /// Opens the store, or makes it, and begins to synchronise if the device is enrolled.
    ///
    /// # Errors
    /// [`DeviceError::AlreadyOpen`], [`DeviceError::KeyMismatch`], [`DeviceError::NewerStore`],
    /// [`DeviceError::StorageFull`].
    pub async fn open(options: DeviceOptions) -> Result<Self, DeviceError> {
        let DeviceOptions {
            folder,
            key_store,
            device_key,
            encrypted,
            clock,
            mut entropy,
            engine,
            http,
            faults,
        } = options;
        let store_folder = folder.clone();
        let (platform, time) = (Arc::clone(&key_store), Arc::clone(&clock));
        let opening = tokio::task::spawn_blocking(move || {
            let encryption = if encrypted {
                Encryption::Key(key_file::load_or_create(&folder, key_store.as_ref(), entropy.as_mut())?)
            } else {
                Encryption::None
            };
            let software = SoftwareKey::generate(entropy.as_mut())?;
            let config = StoreConfig { location: StoreLocation::Folder(folder), encryption, faults };
            let mut store = Store::open(config, entropy)?;
            let key: Arc<dyn DeviceKey> = match device_key {
                Some(key) => key,
                None => Arc::new(store.software_key(software)?),
            };
            store.sign_evidence_with(Arc::clone(&key));
            // Asks the platform's keystore as well, if a wipe was cut off: where waiting is allowed.
            let started = CoreThread::start(store, Engine::new(engine), time, platform)?;
            Ok::<_, DeviceError>((started, key))
        });
        let ((core, effects, status), key) = opening.await.map_err(|_| DeviceError::Closed)??;
        let driver = Driver::start(core.clone(), effects, Arc::clone(&clock));
        let device = Self {
            shared: Arc::new(Shared {
                core,
                driver,
                clock,
                key,
                http,
                status,
                folder: store_folder,
                encrypted,
            }),
        };
        device.connect().await?;
        Ok(device)
    }

    /// Tells the driver where the server is, if the device is enrolled.
    async fn connect(&self) -> Result<(), DeviceError> {
        let known = |store: &mut Store, _| Ok((store.identity(), store.view().get_text(Setting::ServerUrl)?));
        let (identity, url) = self.shared.core.call_inside(known).await?;
        let (Some(identity), Some(url)) = (identity, url) else { return Ok(()) };
        let http = HttpClient::new(&HttpConfig { url, ..self.shared.http.clone() })?;
        let session = crate::net::Session::new(http, identity.device, Arc::clone(&self.shared.key));
        self.shared.driver.connect(session);
        self.shared.core.post(Event::Sync)
    }

    /// Redeems the one-time code of an enrolment label. The same again after a lost answer gives the same.
    ///
    /// # Errors
    /// [`DeviceError::Net`], [`DeviceError::AlreadyEnrolled`].
    pub async fn enrol(&self, url: &str, code: &str, label: &str) -> Result<Identity, DeviceError> {
        if self.with_store(|store, _| store.is_practice()).await? {
            return Err(DeviceError::Practice);
        }
        let http = HttpClient::new(&HttpConfig { url: url.to_owned(), ..self.shared.http.clone() })?;
        let request = EnrolRequest {
            code: code.to_owned(),
            public_key: ByteVec::from(self.shared.key.public_key()?.to_vec()),
            label: label.to_owned(),
        };
        let enrolled = http.enrol(request).await?;
        let unreadable = DeviceError::Net(crate::net::NetError::Unreadable);
        let device = DeviceId::from_slice(&enrolled.device).ok_or(unreadable)?;
        let user = RecordId::from_bytes(*enrolled.user);
        let url = url.to_owned();
        let identity = self
            .with_store(move |store, _| {
                let identity = store.enrol(device, user, &enrolled.user_name, &enrolled.server_name)?;
                store.set_server_url(&url)?;
                if let Some(code) = &enrolled.device_code {
                    store.set_device_code(code)?;
                }
                if let Some(key) = &enrolled.sealing_key {
                    store.set_sealing_key(key)?;
                }
                Ok(identity)
            })
            .await?;
        self.connect().await?;
        Ok(identity)
    }

    /// Runs `work` with the store, on the store's thread. For reads, and for edits that belong together.
    ///
    /// # Errors
    /// What `work` fails with; [`DeviceError::Locked`], [`DeviceError::Paused`], [`DeviceError::Closed`].
    pub async fn with_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store, Timestamp) -> Result<T, DeviceError> + Send + 'static,
    ) -> Result<T, DeviceError> {
        self.shared.core.call(work).await
    }

    /// Work on the store that changes records; what it wrote is on its way at once.
    async fn at_work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store, Timestamp) -> Result<T, DeviceError> + Send + 'static,
    ) -> Result<T, DeviceError> {
        let value = self.with_store(work).await?;
        self.shared.core.post(Event::Edited)?;
        Ok(value)
    }

    /// Makes edits that become durable together, and lets them be sent.
    ///
    /// # Errors
    /// As [`Store::edits`].
    pub async fn edits<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Edits<'_, '_>) -> Result<T, DeviceError> + Send + 'static,
    ) -> Result<T, DeviceError> {
        self.at_work(move |store, now| store.edits(now, work)).await
    }

    /// Makes a new record.
    ///
    /// # Errors
    /// As [`Edits::create`].
    pub async fn create<T: Record + Send + 'static>(&self, record: T) -> Result<RecordId, DeviceError> {
        self.edits(move |edits| edits.create(&record)).await
    }

    /// The same from fields.
    ///
    /// # Errors
    /// As [`Edits::create`].
    pub async fn create_fields(&self, kind: Kind, fields: Fields) -> Result<RecordId, DeviceError> {
        self.edits(move |edits| edits.create_fields(kind, &fields)).await
    }

    /// Writes fields of a record.
    ///
    /// # Errors
    /// As [`Edits::edit`].
    pub async fn edit(&self, id: RecordId, patch: Fields) -> Result<bool, DeviceError> {
        self.edits(move |edits| edits.edit(id, &patch)).await
    }

    /// Removes a record by its flag.
    ///
    /// # Errors
    /// As [`Edits::edit`].
    pub async fn remove(&self, id: RecordId) -> Result<bool, DeviceError> {
        self.edits(move |edits| edits.remove(id)).await
    }

    /// Shows a record again that [`Self::remove`] took away. Returns whether anything changed.
    ///
    /// # Errors
    /// As [`Edits::restore`].
    pub async fn restore(&self, id: RecordId) -> Result<bool, DeviceError> {
        self.edits(move |edits| edits.restore(id)).await
    }

    /// The worker's choice between values in conflict.
    ///
    /// # Errors
    /// As [`Edits::edit`].
    pub async fn choose(&self, id: RecordId, field: &str, value: Value) -> Result<bool, DeviceError> {
        let field = field.to_owned();
        self.edits(move |edits| edits.choose(id, &field, value)).await
    }

    /// One record.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub async fn get<T: Record + Send + 'static>(
        &self,
        id: RecordId,
    ) -> Result<Option<Entry<T>>, DeviceError> {
        self.with_store(move |store, _| store.get(id)).await
    }

    /// Records of a kind, in the order of the kind.
    ///
    /// # Errors
    /// As [`Store::list`].
    pub async fn list<T: Record + Send + 'static>(
        &self,
        after: Option<PageCursor>,
        limit: usize,
    ) -> Result<Page<T>, DeviceError> {
        self.with_store(move |store, _| store.list(after.as_ref(), limit)).await
    }

    /// Finds records.
    ///
    /// # Errors
    /// As [`Store::search`].
    pub async fn search(
        &self,
        text: &str,
        kinds: &[Kind],
        after: Option<SearchCursor>,
        limit: usize,
    ) -> Result<SearchPage, DeviceError> {
        let (text, kinds) = (text.to_owned(), kinds.to_vec());
        self.with_store(move |store, _| store.search(&text, &kinds, after.as_ref(), limit)).await
    }

    /// The fields of one record in conflict: see [`crate::Store::conflicts_of`].
    ///
    /// # Errors
    /// As there.
    pub async fn conflicts_of(&self, id: RecordId) -> Result<Vec<ConflictEntry>, DeviceError> {
        self.with_store(move |store, _| store.conflicts_of(id)).await
    }

    /// Every field in conflict.
    ///
    /// # Errors
    /// As [`Store::conflicts`].
    pub async fn conflicts(&self) -> Result<Vec<ConflictEntry>, DeviceError> {
        self.with_store(|store, _| store.conflicts()).await
    }

    /// Edits that were not accepted.
    ///
    /// # Errors
    /// As [`Store::refused_edits`].
    pub async fn refused_edits(&self) -> Result<Vec<RefusedEdit>, DeviceError> {
        self.with_store(|store, _| store.refused_edits()).await
    }

    /// Wraps the data key anew and replaces the key file, durably: after a change of the app's lock, or of the
    /// platform's key. The store itself stays as it is. To be called while the device is closed.
    ///
    /// # Errors
    /// [`DeviceError::KeyMismatch`], [`DeviceError::KeyStore`], failures of the file system.
    pub fn rewrap_key(
        folder: &std::path::Path,
        from: &dyn KeyStore,
        to: &dyn KeyStore,
    ) -> Result<(), DeviceError> {
        let key = key_file::load(folder, from)?;
        key_file::store(folder, &key, to)
    }

    /// How things stand now.
    ///
    /// # Errors
    /// Failures of the store.
    pub async fn status(&self) -> Result<Status, DeviceError> {
        self.shared.core.status().await
    }

    /// The status as synchronisation changes it, while it is under way at most ten times a second; the last one at once.
    /// What the phone tells of itself ([`Self::set_phone_state`]) counts to that. The caller's own edits publish nothing,
    /// so that what is shown is not asked for twice: see [`Self::status`] for what waits after them.
    pub fn watch_status(&self) -> watch::Receiver<Status> {
        self.shared.status.clone()
    }

    /// Synchronises now, and returns when nothing more can be done at present: everything is sent and received, or
    /// a failure is waited out (see [`Status::last_error`]).
    ///
    /// # Errors
    /// Failures of the store; [`DeviceError::NotEnrolled`].
    pub async fn sync(&self) -> Result<Status, DeviceError> {
        let status = self.shared.core.sync().await?;
        if status.may_fetch_previews() {
            match self.fetch_previews().await {
                // Previews of others are a convenience: the next synchronisation goes on with them.
                // While the app is locked they wait too.
                Ok(_) | Err(DeviceError::Net(_) | DeviceError::NotEnrolled | DeviceError::Locked) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(status)
    }

    /// What the platform says of the network.
    ///
    /// # Errors
    /// [`DeviceError::Closed`].
    pub fn set_network(&self, online: bool, wifi: bool) -> Result<(), DeviceError> {
        self.shared.core.post(Event::Network { online, wifi })
    }

    /// Stops what is under way and writes everything into the files proper: before the system suspends the app. When
    /// this returns, no thread touches the store, whatever still comes of requests that were cancelled; calls fail with
    /// [`DeviceError::Paused`] until [`Self::resume`]. Pausing twice is well.
    ///
    /// # Errors
    /// Failures of the store; it is paused all the same.
    pub async fn pause(&self) -> Result<(), DeviceError> {
        self.shared.core.pause().await
    }

    /// Goes on after [`Self::pause`].
    ///
    /// # Errors
    /// Failures of the store; [`DeviceError::Closed`].
    pub async fn resume(&self) -> Result<(), DeviceError> {
        self.shared.core.resume().await
    }

    /// Closes the store, and returns when no thread has anything of it left. Other clones get [`DeviceError::Closed`] from
    /// then on.
    ///
    /// # Errors
    /// Failures of the store.
    pub async fn close(&self) -> Result<(), DeviceError> {
        let paused = self.pause().await;
        self.shared.driver.stop();
        self.shared.core.stop().await;
        paused
    }

    /// Now, by the device's clock.
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.driver.stop();
    }
}
