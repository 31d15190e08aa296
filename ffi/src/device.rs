//! A phone's core for one worker: opened, enrolled, synchronised, paused, closed.

use std::sync::Arc;

use gridwalk_device::keeping::Saving;
use gridwalk_device::keys::UnprotectedKeyStore;
use gridwalk_device::net::HttpConfig;
use gridwalk_device::store::{Totals, Waiting};
use gridwalk_device::sync::{LastError, Status};
use gridwalk_device::{Device as CoreDevice, DeviceError, DeviceOptions};
use gridwalk_model::{DeviceId, RecordId, Timestamp};
use tokio::runtime::Handle;

use crate::error::GridwalkError;
use crate::gate::{Bears, Gate, detached};
use crate::observe::Hub;
use crate::traits::{ClockAdapter, DeviceKeyAdapter, KeyStore, KeyStoreAdapter, Platform};

/// How a device is opened.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct OpenOptions {
    /// Folder of the store: private to the app, one for each worker. It is made if it is not there.
    pub folder: String,
    /// Whether plain HTTP is allowed to hosts other than this machine: for closed networks only.
    #[uniffi(default = false)]
    pub allow_plain_http: bool,
    /// SHA-256 of the only certificate to be accepted, 32 bytes; none leaves the check to the platform.
    #[uniffi(default = None)]
    pub certificate_pin: Option<Vec<u8>>,
}

/// Who this phone is, by the server's word.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct DeviceIdentity {
    /// The phone.
    pub device: DeviceId,
    /// The worker that it is bound to.
    pub user: RecordId,
}

/// Something that waits to be sent.
#[uniffi::remote(Record)]
pub struct Waiting {
    /// How many.
    pub count: u64,
    /// How many bytes.
    pub bytes: u64,
    /// Since when the oldest waits.
    pub since: Option<Timestamp>,
}

/// What the store holds, in numbers.
#[uniffi::remote(Record)]
pub struct Totals {
    /// Records on this phone, those that cannot be read included.
    pub records: u64,
    /// Changes to be sent.
    pub changes: Waiting,
    /// Records that these changes belong to.
    pub records_waiting: u64,
    /// Previews to be sent.
    pub previews: Waiting,
    /// Full photos to be sent.
    pub photos: Waiting,
    /// Tracks of patrols to be sent.
    pub tracks: Waiting,
    /// Voice notes to be sent.
    pub voice_notes: Waiting,
    /// Photos whose bytes were lost with a damaged file before the server had them.
    pub lost_photos: u64,
    /// Tracks and voice notes of which the same is true.
    pub lost_others: u64,
    /// Originals that wait to be sorted.
    pub captures: u64,
    /// Changes that the server cannot take yet.
    pub held: u64,
    /// Changes in quarantine.
    pub quarantined: u64,
    /// Edits that were not accepted and wait for the worker.
    pub refused: u64,
    /// Records with a conflict.
    pub conflicts: u64,
    /// Records that were edited while another removed them.
    pub edited_while_removed: u64,
    /// Records that need an update of the app.
    pub unreadable: u64,
    /// Streams that differ from the server's beyond repair.
    pub alarms: u64,
    /// Sent changes that are kept until the server has backed them up.
    pub kept: u64,
}

/// What is put off while storage or battery is low. Records never wait.
#[uniffi::remote(Record)]
pub struct Saving {
    /// Little storage is left.
    pub storage: bool,
    /// The battery is low.
    pub battery: bool,
    /// Full photos are not sent.
    pub photos_wait: bool,
    /// Previews, tracks and voice notes are not sent.
    pub small_media_waits: bool,
    /// Previews of others' photos are not fetched.
    pub no_fetching: bool,
}

/// The last failure of synchronisation, in words that a gridworker understands.
#[uniffi::remote(Record)]
pub struct LastError {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
    /// When it happened.
    pub at: Timestamp,
}

/// How synchronisation stands.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SyncStatus {
    /// Counts of what waits, is held, refused, in conflict.
    pub totals: Totals,
    /// Whether the network is there, as the platform said last.
    pub online: bool,
    /// Whether a request or an upload is under way.
    pub busy: bool,
    /// Whether everything that was written here is with the server, photos included.
    pub settled: bool,
    /// When the server answered last.
    pub last_contact: Option<Timestamp>,
    /// The last failure; none once it went well again.
    pub last_error: Option<LastError>,
    /// When the next attempt is made by itself.
    pub next_attempt: Option<Timestamp>,
    /// The server's clock less this phone's, in milliseconds, where that is more than ten minutes.
    pub clock_skew_ms: Option<i64>,
    /// The deployment locked this phone.
    pub locked: bool,
    /// What is put off while storage or battery is low.
    pub saving: Saving,
    /// One sentence for the head of the screen, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

impl From<Status> for SyncStatus {
    fn from(core: Status) -> Self {
        let (zh, en, settled) = (core.zh(), core.en(), core.is_settled());
        let Status {
            totals,
            online,
            busy,
            last_contact,
            last_error,
            next_attempt,
            clock_skew_ms,
            locked,
            saving,
        } = core;
        Self {
            totals,
            online,
            busy,
            settled,
            last_contact,
            last_error,
            next_attempt,
            clock_skew_ms,
            locked,
            saving,
            zh,
            en,
        }
    }
}

/// Why a synchronisation is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SyncReason {
    /// The worker asked.
    User,
    /// The app came to the front.
    AppStart,
    /// The network came back.
    NetworkBack,
    /// The shift ends: everything should be with the server.
    ShiftEnd,
    /// The system woke the app in the background. Turned away before `next_sync_allowed_at`.
    Background,
}

/// How a synchronisation went, roughly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SyncResult {
    /// Everything is sent and received.
    Settled,
    /// The server was reached; something still waits (for Wi-Fi, a charger, its turn, or an answer).
    StillWaiting,
    /// The server could not be reached, or failed. It is tried again by itself.
    NotReached,
    /// The deployment locked this phone.
    Locked,
    /// Nothing was tried: it is too early for this reason.
    TooEarly,
}

/// What came of a synchronisation.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SyncOutcome {
    /// Roughly.
    pub result: SyncResult,
    /// Before this time a synchronisation in the background is turned away. None: at any time.
    pub next_sync_allowed_at: Option<Timestamp>,
    /// In detail.
    pub status: SyncStatus,
}

impl SyncOutcome {
    fn of(status: Status) -> Self {
        let result = if status.locked {
            SyncResult::Locked
        } else if !status.online || status.last_error.is_some() {
            SyncResult::NotReached
        } else if status.is_settled() {
            SyncResult::Settled
        } else {
            SyncResult::StillWaiting
        };
        Self { result, next_sync_allowed_at: status.next_attempt, status: status.into() }
    }
}

/// A phone's core. One for each folder at a time. All methods may be called from any thread; those that take time are
/// suspending (`async`), and dropping their waiting never leaves something half done. Close it when it is no longer
/// needed; releasing the last reference closes it as well, but says nothing of failures.
#[derive(uniffi::Object)]
pub struct Device {
    core: CoreDevice,
    pub(crate) gate: Arc<Gate>,
    pub(crate) hub: Arc<Hub>,
}

impl Drop for Device {
    fn drop(&mut self) {
        // Observations hold the core as well: they end, and with the last of them the store is closed.
        self.gate.abandon();
    }
}

impl Device {
    /// A call of the store: short, finished even under a pause.
    pub(crate) async fn call<T, F>(
        &self,
        work: impl FnOnce(CoreDevice) -> F + Send + 'static,
    ) -> Result<T, GridwalkError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, DeviceError>> + Send + 'static,
    {
        let core = self.core.clone();
        self.gate.run(Bears::Finishing, async move { Ok(work(core).await?) }).await
    }

    /// A call that writes: finished even under a pause, and told to observations.
    pub(crate) async fn write<T, F>(
        &self,
        work: impl FnOnce(CoreDevice) -> F + Send + 'static,
    ) -> Result<T, GridwalkError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, DeviceError>> + Send + 'static,
    {
        let (core, hub) = (self.core.clone(), Arc::clone(&self.hub));
        let work = async move {
            let outcome = work(core).await;
            hub.changed();
            Ok(outcome?)
        };
        self.gate.run(Bears::Finishing, work).await
    }

    /// Something was written by a call that is not a `write`.
    pub(crate) fn changed(&self) {
        self.hub.changed();
    }

    pub(crate) fn core(&self) -> CoreDevice {
        self.core.clone()
    }

    /// A call that may wait for the network: taken back by a pause.
    pub(crate) async fn call_out<T, F>(
        &self,
        work: impl FnOnce(CoreDevice) -> F + Send + 'static,
    ) -> Result<T, GridwalkError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, DeviceError>> + Send + 'static,
    {
        let core = self.core.clone();
        self.gate.run(Bears::Interruption, async move { Ok(work(core).await?) }).await
    }

    pub(crate) fn of(core: CoreDevice) -> Arc<Self> {
        tracing::info!("store opened");
        Arc::new(Self { core, gate: Gate::new(), hub: Hub::new() })
    }
}

/// The core's options out of the shell's.
pub(crate) fn core_options(options: OpenOptions, platform: Platform) -> Result<DeviceOptions, GridwalkError> {
    let OpenOptions { folder, allow_plain_http, certificate_pin } = options;
    let Platform { key_store, device_key, clock } = platform;
    let pin = certificate_pin.map(TryInto::try_into).transpose();
    let pin = pin.map_err(|_| GridwalkError::bad_argument("certificate_pin"))?;
    let mut core = DeviceOptions::host(folder);
    core.http = HttpConfig { allow_plain: allow_plain_http, pin, ..HttpConfig::new("") };
    core.key_store = core_key_store(key_store);
    if let Some(shell) = device_key {
        core.device_key = Some(Arc::new(DeviceKeyAdapter(shell)));
    }
    if let Some(shell) = clock {
        core.clock = Arc::new(ClockAdapter(shell));
    }
    Ok(core)
}

/// The core's key store out of the shell's; without one, keys without protection by hardware.
pub(crate) fn core_key_store(shell: Option<Arc<dyn KeyStore>>) -> Arc<dyn gridwalk_device::KeyStore> {
    match shell {
        Some(shell) => Arc::new(KeyStoreAdapter { shell, runtime: Handle::current() }),
        None => Arc::new(UnprotectedKeyStore),
    }
}

#[uniffi::export(async_runtime = "tokio")]
impl Device {
    /// Opens the store of a folder, or makes it, and begins to synchronise if the phone is enrolled. Asks the key store
    /// for the key. Throws `Conflict` (`already_open`), `Locked`, `UpdateNeeded`, `StorageFull`, `Platform`.
    #[uniffi::constructor]
    pub async fn open(options: OpenOptions, platform: Platform) -> Result<Arc<Self>, GridwalkError> {
        let options = core_options(options, platform)?;
        detached(async move { Ok(Self::of(CoreDevice::open(options).await?)) }).await
    }

    /// Registers this phone with the one-time code of an enrolment label. `label` is the phone's name for the
    /// administrator. The same again after a lost answer gives the same. Throws `Unauthorized` for a code that is not
    /// valid, `Offline`, `InvalidInput` (`url`), `Conflict` (`already_enrolled`).
    pub async fn enrol(
        &self,
        url: String,
        code: String,
        label: String,
    ) -> Result<DeviceIdentity, GridwalkError> {
        let identity = self.call_out(async move |core| core.enrol(&url, &code, &label).await).await?;
        Ok(DeviceIdentity { device: identity.device, user: identity.user })
    }

    /// Who this phone is; none before enrolment.
    pub async fn identity(&self) -> Result<Option<DeviceIdentity>, GridwalkError> {
        let identity = self.call(async |core| core.with_store(|store, _| Ok(store.identity())).await).await?;
        Ok(identity.map(|identity| DeviceIdentity { device: identity.device, user: identity.user }))
    }

    /// Synchronises, and returns when nothing more can be done at present. The engine synchronises by itself as well:
    /// after each edit, and every few minutes while the app is open. Throws `NotEnrolled`, `NotAllowed` in practice
    /// mode, `Paused` when a pause came in between (what was received until then stays). That the server cannot be
    /// reached is not thrown: see the outcome.
    pub async fn sync(&self, reason: SyncReason) -> Result<SyncOutcome, GridwalkError> {
        self.call_out(async move |core| {
            if reason == SyncReason::Background {
                let status = core.status().await?;
                if status.next_attempt.is_some_and(|at| core.now() < at) {
                    let mut early = SyncOutcome::of(status);
                    early.result = SyncResult::TooEarly;
                    return Ok(early);
                }
            }
            Ok(SyncOutcome::of(core.sync().await?))
        })
        .await
    }

    /// How things stand now.
    pub async fn status(&self) -> Result<SyncStatus, GridwalkError> {
        Ok(self.call(async |core| core.status().await).await?.into())
    }

    /// Tells what the platform says of the network: whether there is one, and whether it costs nothing (Wi-Fi).
    pub async fn set_network(&self, online: bool, wifi: bool) -> Result<(), GridwalkError> {
        self.write(async move |core| core.set_network(online, wifi)).await
    }

    /// Before the system suspends the app: stops synchronisation at a safe point, waits for calls under way, and writes
    /// everything into the files proper. At most two seconds. From then on no thread touches the store, and calls throw
    /// `Paused`. Calls that waited for the network throw `Paused` too; what they wrote is kept. Pausing twice is well.
    pub async fn pause(&self) -> Result<(), GridwalkError> {
        let (core, gate) = (self.core.clone(), Arc::clone(&self.gate));
        detached(async move {
            let rest = async {
                core.pause().await?;
                tracing::info!("paused");
                Ok::<(), GridwalkError>(())
            };
            gate.pause(rest).await
        })
        .await
    }

    /// Goes on after `pause`. Throws `Closed` after `close`.
    pub async fn resume(&self) -> Result<(), GridwalkError> {
        let (core, gate) = (self.core.clone(), Arc::clone(&self.gate));
        detached(async move {
            gate.resume(async {
                tracing::info!("resumed");
                Ok(core.resume().await?)
            })
            .await
        })
        .await
    }

    /// Closes the store. Calls throw `Closed` from then on; closing again does nothing.
    pub async fn close(&self) -> Result<(), GridwalkError> {
        let (core, gate) = (self.core.clone(), Arc::clone(&self.gate));
        detached(async move {
            gate.close(async {
                tracing::info!("closed");
                Ok(core.close().await?)
            })
            .await
        })
        .await
    }

    /// Now, by the device's clock.
    pub fn now(&self) -> Timestamp {
        self.core.now()
    }
}
