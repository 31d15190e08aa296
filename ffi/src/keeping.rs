//! Keeping the phone small, alive and private: PIN, practice, storage and battery, sensitive reads.

use std::sync::Arc;

use gridwalk_device::keeping::{
    KeepingLimits, Kept, PhoneState, PinKeyStore, PinRules, Saving, SensitiveRead,
};
use gridwalk_device::store::SearchCursor;
use gridwalk_device::work::rules::RulesRefused;
use gridwalk_device::{Device as CoreDevice, PageCursor, Store};
use gridwalk_model::describe::Words;
use gridwalk_model::walk::PatrolRules;
use gridwalk_model::{RecordId, Timestamp};
use zeroize::Zeroizing;

use crate::containers::Count;
use crate::device::{Device, OpenOptions, core_key_store, core_options};
use crate::error::GridwalkError;
use crate::gate::detached;
use crate::mirror::limit;
use crate::records::{RecordEntry, RecordPage};
use crate::schema::kind_of;
use crate::search::FoundPage;
use crate::traits::{KeyStore, Platform};

/// What the shell knows of the phone. What is not known counts as plenty.
#[uniffi::remote(Record)]
pub struct PhoneState {
    /// Free bytes where the store lives.
    #[uniffi(default = None)]
    pub free_bytes: Option<u64>,
    /// Charge of the battery in percent.
    #[uniffi(default = None)]
    pub battery: Option<u8>,
    /// Whether a charger is connected.
    #[uniffi(default = false)]
    pub charging: bool,
}

/// How much a phone may keep, and for how long. Without them the product's own count.
#[uniffi::remote(Record)]
pub struct KeepingLimits {
    /// Bytes that the two databases may take; what can be fetched again goes first when it is more.
    pub budget_bytes: u64,
    /// How long a full photo stays after its receipt is in one of the server's backups, in milliseconds.
    pub photos_ms: i64,
    /// How long the tracks of patrols stay.
    pub patrols: PatrolRules,
    /// How long notes stay on records that have left the phone, in milliseconds.
    pub departed_ms: i64,
    /// With less free space than this, nothing is fetched for convenience and photos go as soon as they may.
    pub low_free_bytes: u64,
    /// Free space that is left to text: new photos and other media have to leave so much.
    pub text_free_bytes: u64,
    /// With less charge than this, in percent, and no charger, full photos wait.
    pub low_battery: u8,
    /// With less than this, everything but records waits.
    pub empty_battery: u8,
    /// Reads of the same sensitive record for the same purpose within this time are one entry of the journal.
    pub one_read_ms: i64,
}

/// What house-keeping came to.
#[uniffi::remote(Record)]
#[uniffi(name = "HouseKept")]
pub struct Kept {
    /// Media that went because their time was over.
    pub media: Count,
    /// Reports that were thrown away long enough ago.
    pub drafts: Count,
    /// Originals whose photo was attached already.
    pub captures: Count,
    /// Notes on records that have left with their grid.
    pub notes: Count,
    /// Media that went before their time, to make room.
    pub evicted: Count,
    /// Bytes that the store takes now.
    pub bytes: u64,
    /// Bytes of it above the budget that cannot go: they are not at the server, or not in a backup of it, yet.
    pub over: u64,
}

/// How often a PIN may be wrong.
#[uniffi::remote(Record)]
pub struct PinRules {
    /// Wrong PINs in a row before the first wait.
    pub free: u32,
    /// How long one waits after each further one, in milliseconds; the last holds from then on.
    pub waits_ms: Vec<i64>,
}

/// A look at a sensitive record.
#[uniffi::remote(Record)]
pub struct SensitiveRead {
    /// Its number.
    pub n: i64,
    /// When it was read first.
    pub at: Timestamp,
    /// Which record.
    pub record: RecordId,
    /// The word for its kind.
    pub kind: String,
    /// What for, as the worker said.
    pub purpose: String,
}

#[uniffi::export(async_runtime = "tokio")]
impl Device {
    /// Opens the device behind a PIN, which is asked for beside the platform's keystore. The first time sets it. The
    /// try is counted before it is made. Throws `Locked` (`key_mismatch` for a wrong PIN, `too_many_tries` with the time
    /// of the next try), and as `open`.
    #[uniffi::constructor(default(rules = None))]
    pub async fn open_with_pin(
        options: OpenOptions,
        platform: Platform,
        pin: String,
        rules: Option<PinRules>,
    ) -> Result<Arc<Self>, GridwalkError> {
        let (pin, rules) = (Zeroizing::new(pin), rules.unwrap_or_default());
        let options = core_options(options, platform)?;
        detached(async move { Ok(Self::of(CoreDevice::open_with_pin(options, pin, &rules).await?)) }).await
    }

    /// Opens a store for practice, in a folder of its own: it cannot be registered and sends nothing.
    #[uniffi::constructor]
    pub async fn open_practice(options: OpenOptions, platform: Platform) -> Result<Arc<Self>, GridwalkError> {
        let options = core_options(options, platform)?;
        detached(async move { Ok(Self::of(CoreDevice::open_practice(options).await?)) }).await
    }

    /// Tells what the platform says of storage and battery; returns what is put off from now on. To be called when the
    /// app starts, and whenever one of them has changed.
    #[uniffi::method(default(limits = None))]
    pub async fn set_phone_state(
        &self,
        state: PhoneState,
        limits: Option<KeepingLimits>,
    ) -> Result<Saving, GridwalkError> {
        self.write(async move |core| core.set_phone_state(state, &limits.unwrap_or_default()).await).await
    }

    /// Tidies up: when the app starts, when a shift ends, and when storage is low. Nothing that only this phone has is
    /// removed.
    #[uniffi::method(default(limits = None))]
    pub async fn keep_house(
        &self,
        state: PhoneState,
        limits: Option<KeepingLimits>,
    ) -> Result<Kept, GridwalkError> {
        self.write(async move |core| core.keep_house(limits.unwrap_or_default(), state).await).await
    }

    /// Reads a record of a sensitive kind (`resident_id`, `appellant`, `care_tag`, `service_record`) for a purpose, which
    /// is journaled before anything is shown. None if it is not on this phone. Throws `InvalidInput` (`no_purpose`) if
    /// none was stated.
    #[uniffi::method(default(limits = None))]
    pub async fn read_sensitive(
        &self,
        id: RecordId,
        purpose: String,
        limits: Option<KeepingLimits>,
    ) -> Result<Option<RecordEntry>, GridwalkError> {
        let limits = limits.unwrap_or_default();
        let read = move |store: &mut Store, now| store.read_sensitive_fields(id, &purpose, &limits, now);
        let found = self.call(async move |core| core.with_store(read).await).await?;
        Ok(found.map(|(kind, entry)| RecordEntry::of(&kind, entry)))
    }

    /// Lists records of a sensitive kind that name another one in a field, such as the `care_tag`s of a `resident`, for a
    /// purpose. Each is journaled. Throws as `read_sensitive`.
    #[uniffi::method(default(limits = None))]
    pub async fn read_sensitive_linked(
        &self,
        kind: String,
        field: String,
        target: RecordId,
        purpose: String,
        limits: Option<KeepingLimits>,
    ) -> Result<Vec<RecordEntry>, GridwalkError> {
        let (kind, limits) = (kind_of(&kind)?, limits.unwrap_or_default());
        let read = move |store: &mut Store, now| {
            store.read_sensitive_fields_linked(kind, &field, target, &purpose, &limits, now)
        };
        let found = self.call(async move |core| core.with_store(read).await).await?;
        Ok(found.into_iter().map(|entry| RecordEntry::of(kind.tag(), entry)).collect())
    }

    /// Lists records of a sensitive kind in pages, for a purpose. Each is journaled. Throws as `read_sensitive`.
    #[uniffi::method(default(limits = None))]
    pub async fn read_sensitive_list(
        &self,
        kind: String,
        after: Option<PageCursor>,
        limit: u32,
        purpose: String,
        limits: Option<KeepingLimits>,
    ) -> Result<RecordPage, GridwalkError> {
        let (kind, limit, limits) = (kind_of(&kind)?, self::limit(limit), limits.unwrap_or_default());
        let read = move |store: &mut Store, now| {
            store.read_sensitive_fields_list(kind, after.as_ref(), limit, &purpose, &limits, now)
        };
        Ok(RecordPage::of(kind, self.call(async move |core| core.with_store(read).await).await?))
    }

    /// Search that also finds people by the needs that their care tags state, for a purpose; the tags of those found so
    /// are journaled. Throws as `read_sensitive`.
    #[uniffi::method(default(limits = None))]
    pub async fn search_needs(
        &self,
        text: String,
        after: Option<SearchCursor>,
        limit: u32,
        purpose: String,
        limits: Option<KeepingLimits>,
    ) -> Result<FoundPage, GridwalkError> {
        let (limit, limits) = (self::limit(limit), limits.unwrap_or_default());
        let found =
            self.call(async move |core| core.search_needs(&text, after, limit, &purpose, limits).await);
        Ok(found.await?.into())
    }

    /// Why the deployment's rules that the server gave last are not used; none if they are, or none were given.
    pub async fn rules_refused(&self) -> Result<Option<Words>, GridwalkError> {
        let refused = self.call(async |core| core.rules_refused().await).await?;
        Ok(refused.map(|RulesRefused { zh, en }| Words { zh, en }))
    }

    /// Locks the app: calls that read or edit throw `Locked` until it is unlocked. What was begun goes on behind the lock:
    /// synchronisation, the points of a patrol, the camera's files.
    pub async fn lock(&self) -> Result<(), GridwalkError> {
        self.write(async |core| core.lock().await).await
    }

    /// Whether the app is locked.
    pub async fn is_locked(&self) -> Result<bool, GridwalkError> {
        self.call(async |core| core.is_locked().await).await
    }

    /// Unlocks the app without a PIN: the key store, which may ask for a finger or a face, unwraps the key once more.
    /// Throws `Locked`, `Platform`; the app stays locked then.
    pub async fn unlock(&self, key_store: Option<Arc<dyn KeyStore>>) -> Result<(), GridwalkError> {
        let keys = core_key_store(key_store);
        self.write(async move |core| core.unlock(keys).await).await
    }

    /// Unlocks the app with its PIN; `key_store` is that of the platform. The try is counted before it is made. Throws
    /// `Locked` (`key_mismatch` for a wrong PIN, `too_many_tries` with the time of the next try).
    #[uniffi::method(default(rules = None))]
    pub async fn unlock_with_pin(
        &self,
        key_store: Option<Arc<dyn KeyStore>>,
        pin: String,
        rules: Option<PinRules>,
    ) -> Result<(), GridwalkError> {
        let (keys, pin, rules) = (core_key_store(key_store), Zeroizing::new(pin), rules.unwrap_or_default());
        self.write(async move |core| core.unlock_with_pin(keys, pin, &rules).await).await
    }

    /// Changes the PIN of the store that is open. The old one is asked for, and counted, as for unlocking; a locked app
    /// stays locked. Throws as `unlock_with_pin`; the old PIN holds then.
    #[uniffi::method(default(rules = None))]
    pub async fn change_own_pin(
        &self,
        key_store: Option<Arc<dyn KeyStore>>,
        old: String,
        new: String,
        rules: Option<PinRules>,
    ) -> Result<(), GridwalkError> {
        let (keys, rules) = (core_key_store(key_store), rules.unwrap_or_default());
        let (old, new) = (Zeroizing::new(old), Zeroizing::new(new));
        self.write(async move |core| core.change_pin(keys, old, new, &rules).await).await
    }

    /// Who looked at what on this phone, in the order of the numbers, behind `after` (0 for the beginning).
    pub async fn sensitive_reads(&self, after: i64, limit: u32) -> Result<Vec<SensitiveRead>, GridwalkError> {
        let limit = self::limit(limit);
        self.call(async move |core| {
            core.with_store(move |store, _| store.sensitive_reads(after, limit)).await
        })
        .await
    }
}

/// Changes the PIN of a store that is not open; without an old one the store had none, without a new one it has none
/// afterwards. Throws `Locked` for a wrong old PIN.
#[uniffi::export(async_runtime = "tokio")]
pub async fn change_pin(
    options: OpenOptions,
    platform: Platform,
    old: Option<String>,
    new: Option<String>,
) -> Result<(), GridwalkError> {
    let mut core = core_options(options, platform)?;
    let change = move || {
        let mut with_pin = |pin: Option<String>| -> Result<Arc<dyn gridwalk_device::KeyStore>, _> {
            let inner = Arc::clone(&core.key_store);
            let Some(pin) = pin else { return Ok(inner) };
            let pin = PinKeyStore::new(inner, Zeroizing::new(pin), core.entropy.as_mut())?;
            Ok::<_, gridwalk_device::DeviceError>(Arc::new(pin))
        };
        let (from, to) = (with_pin(old)?, with_pin(new)?);
        CoreDevice::rewrap_key(&core.folder, from.as_ref(), to.as_ref())
    };
    detached(async move {
        let changed = tokio::task::spawn_blocking(change).await;
        Ok(changed.map_err(|_| GridwalkError::bug("the change of a PIN panicked"))??)
    })
    .await
}
