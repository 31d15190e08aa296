//! What all handlers share.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderMap;
use axum::response::Response;
use gridwalk_model::event::EventRules;
use gridwalk_model::{ContentHash, DeviceId, Timestamp};
use gridwalk_replica::protocol::ProtocolError;
use tokio::sync::Semaphore;

use crate::access::token::Tokens;
use crate::clock::{Clock, Entropy, EntropyError};
use crate::config::Config;
use crate::console::ConsoleState;
use crate::http;
use crate::limits::{Buckets, Open};
use crate::media::{Media, MediaError, MediaState};
use crate::rules;
use crate::storage::{ReadTx, Storage, StorageError, WriteTx};
use crate::sync::Principal;
use crate::telemetry::Metrics;
use crate::writer::Writer;

/// What all handlers share. Cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

/// See [`AppState`], which gives access to it.
pub struct Inner {
    /// How the server runs.
    pub config: Config,
    /// The store. Blocking: prefer [`AppState::read`] and [`AppState::write`].
    pub storage: Arc<dyn Storage>,
    /// The writer thread.
    pub writer: Writer,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Nonces and tokens.
    pub tokens: Tokens,
    /// The media.
    pub media: Arc<Media>,
    /// What the deployment decided about events.
    pub event_rules: Arc<EventRules>,
    /// Counters.
    pub metrics: Metrics,
    /// Buckets of devices.
    pub device_limits: Buckets<DeviceId>,
    /// Buckets of addresses.
    pub address_limits: Buckets<IpAddr>,
    /// Requests of each device that are open at once.
    pub device_open: Open<DeviceId>,
    /// KiB of bodies that may be on their way in.
    pub reading_kib: Arc<Semaphore>,
    /// Requests that are worked on at once.
    pub in_flight: Arc<Semaphore>,
    /// Requests that are decoded and admitted at once: as many as there are cores.
    pub admission: Arc<Semaphore>,
    /// KiB of decoded requests that may wait.
    pub waiting_kib: Arc<Semaphore>,
    seen: Mutex<BTreeMap<DeviceId, Timestamp>>,
}

impl Deref for AppState {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The media.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// A file or folder.
    #[error("cannot use data folder: {0}")]
    Io(#[from] std::io::Error),
}

impl AppState {
    /// Puts the parts together and starts the writer thread. Opens the media and puts
    /// in order what a crash left.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn new(
        config: Config,
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StartError> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let writer = Writer::start(Arc::clone(&storage), Arc::clone(&clock))?;
        let folder = config.data.join("media");
        let media = Media::open(&folder, Arc::clone(&storage), Arc::clone(&clock), config.media)?;
        let recovered = media.recover()?;
        tracing::info!(?recovered, "uploads put in order");
        crate::sealed::make_keys(&*storage, clock.now(), &*entropy)?;
        let tokens = Tokens::new(&*entropy)?;
        let event_rules = Arc::new(storage.view(rules::events)?);
        Ok(Self(Arc::new(Inner {
            device_limits: Buckets::new(config.limits.device),
            address_limits: Buckets::new(config.limits.address),
            device_open: Open::new(config.limits.device_open),
            reading_kib: Arc::new(Semaphore::new(config.limits.reading_bytes / 1024)),
            in_flight: Arc::new(Semaphore::new(config.limits.in_flight)),
            admission: Arc::new(Semaphore::new(cores.max(2))),
            waiting_kib: Arc::new(Semaphore::new(config.limits.waiting_bytes / 1024)),
            event_rules,
            config,
            storage,
            writer,
            clock,
            entropy,
            tokens,
            media: Arc::new(media),
            metrics: Metrics::default(),
            seen: Mutex::new(BTreeMap::new()),
        })))
    }

    /// The time of day.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Runs `work` on one snapshot, on the blocking pool.
    ///
    /// # Errors
    /// What `work` returns, or a failure of the store.
    pub async fn read<T, E>(
        &self,
        work: impl FnOnce(&dyn ReadTx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        let storage = Arc::clone(&self.storage);
        self.blocking(move || storage.view(work)).await
    }

    /// Runs `work` in the writing transaction and returns once it is durable.
    ///
    /// # Errors
    /// What `work` returns, or a failure of the store.
    pub async fn write<T, E>(
        &self,
        work: impl FnOnce(&mut dyn WriteTx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        self.writer.run(work).await
    }

    /// Runs blocking work on the blocking pool. A panic in it is an error here.
    ///
    /// # Errors
    /// What `work` returns.
    pub async fn blocking<T, E>(&self, work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        match tokio::task::spawn_blocking(work).await {
            Ok(result) => result,
            Err(_) => Err(StorageError::Failed("work panicked".to_owned()).into()),
        }
    }

    /// Remembers that a device was there. An idle sync writes nothing, so this stays in memory until something
    /// else is written.
    pub fn note_seen(&self, device: DeviceId) {
        let now = self.now();
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(device, now);
    }

    /// When a device was there last, as far as this process knows.
    pub fn seen_at(&self, device: DeviceId) -> Option<Timestamp> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(&device).copied()
    }

    /// Writes down when devices were seen.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn flush_seen(&self) -> Result<(), StorageError> {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        if seen.is_empty() {
            return Ok(());
        }
        self.write(move |tx| {
            for (device, at) in seen {
                if let Some(row) = tx.device(device)? {
                    tx.touch_device(row.no, at, Timestamp::default())?;
                }
            }
            Ok(())
        })
        .await
    }
}

impl MediaState for AppState {
    fn media(&self) -> &Arc<Media> {
        &self.media
    }

    async fn authenticate(&self, headers: &HeaderMap) -> Result<Principal, ProtocolError> {
        let device = self.tokens.check(http::bearer(headers), self.now())?;
        self.device_limits
            .take(&device, self.clock.ticks_us())
            .map_err(|retry_after_s| ProtocolError::Busy { retry_after_s })?;
        self.read(move |tx| Principal::of(tx, device)).await.map_err(ProtocolError::from)
    }

    fn refuse(&self, error: &ProtocolError) -> Response {
        http::respond_error(error)
    }
}

impl ConsoleState for AppState {
    fn storage(&self) -> Arc<dyn Storage> {
        Arc::clone(&self.storage)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    fn entropy(&self) -> Arc<dyn Entropy> {
        Arc::clone(&self.entropy)
    }

    fn rules(&self) -> Arc<EventRules> {
        Arc::clone(&self.event_rules)
    }

    fn https(&self) -> bool {
        self.config.https
    }

    fn keep_medium(&self, principal: &Principal, hash: ContentHash, bytes: &[u8]) -> Result<(), MediaError> {
        self.media.take_whole(principal, hash, bytes)
    }

    fn medium(&self, hash: &ContentHash) -> std::io::Result<Option<Vec<u8>>> {
        let blob = self.media.open_blob(hash).map_err(std::io::Error::other)?;
        let Some(mut blob) = blob else { return Ok(None) };
        let mut bytes = Vec::new();
        blob.file.read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }
}
