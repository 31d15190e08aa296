//! House-keeping, as the shell calls it: see [`crate::keeping`].

use std::sync::Arc;

use gridwalk_model::{Record, RecordId};
use zeroize::Zeroizing;

use super::{Device, DeviceOptions};
use crate::edit::{Entry, Page, PageCursor};
use crate::error::DeviceError;
use crate::keeping::{KeepingLimits, Kept, PhoneState, PinKeyStore, PinRules, PinTries, Saving};
use crate::store::{MediaRoom, SearchCursor, SearchPage};
use crate::sync::Event;

impl Device {
    /// Opens the device behind a PIN, which is asked for beside the platform's keystore. The first time sets it. The
    /// try is counted before it is made.
    ///
    /// # Errors
    /// [`DeviceError::TooManyTries`], [`DeviceError::KeyMismatch`] for a wrong PIN, those of [`Self::open`].
    pub async fn open_with_pin(
        mut options: DeviceOptions,
        pin: Zeroizing<String>,
        rules: &PinRules,
    ) -> Result<Self, DeviceError> {
        let folder = options.folder.clone();
        PinTries::begin(&folder, rules, options.clock.now())?;
        let inner = Arc::clone(&options.key_store);
        options.key_store = Arc::new(PinKeyStore::new(inner, pin, options.entropy.as_mut())?);
        let device = Self::open(options).await?;
        PinTries::succeeded(&folder)?;
        Ok(device)
    }

    /// Opens a store for practice, in a folder of its own: see [`crate::Store::begin_practice`].
    ///
    /// # Errors
    /// As there, and those of [`Self::open`].
    pub async fn open_practice(options: DeviceOptions) -> Result<Self, DeviceError> {
        let device = Self::open(options).await?;
        if let Err(error) = device.with_store(|store, _| store.begin_practice()).await {
            device.close().await?;
            return Err(error);
        }
        Ok(device)
    }

    /// Tells what the platform says of storage and battery; returns what is put off from now on. To be called when
    /// the app starts, and whenever one of them has changed. Once a day, and every hour while storage is short, it also
    /// tidies up as [`Self::keep_house`] does: what has to go after its days goes without anybody remembering to ask.
    ///
    /// # Errors
    /// [`DeviceError::Closed`]; failures of tidying up, with the state taken all the same.
    pub async fn set_phone_state(
        &self,
        state: PhoneState,
        limits: &KeepingLimits,
    ) -> Result<Saving, DeviceError> {
        let saving = Saving::of(&state, limits);
        let room = MediaRoom {
            free: state.free_bytes.map(|free| free.saturating_sub(limits.text_free_bytes)),
            budget: limits.budget_bytes,
        };
        self.shared.core.post(Event::Saving(saving))?;
        let limits = limits.clone();
        self.behind_lock(move |store, now| {
            store.set_room(room);
            store.keep_house_daily(&limits, &state, now)
        })
        .await?;
        Ok(saving)
    }

    /// Tidies up: see [`crate::Store::keep_house`]. When a shift ends; the daily round comes with
    /// [`Self::set_phone_state`].
    ///
    /// # Errors
    /// As there.
    pub async fn keep_house(&self, limits: KeepingLimits, state: PhoneState) -> Result<Kept, DeviceError> {
        self.behind_lock(move |store, now| store.keep_house(&limits, &state, now)).await
    }

    /// Reads a sensitive record for a purpose: see [`crate::Store::read_sensitive`].
    ///
    /// # Errors
    /// As there.
    pub async fn read_sensitive<T: Record + Send + 'static>(
        &self,
        id: RecordId,
        purpose: &str,
        limits: KeepingLimits,
    ) -> Result<Option<Entry<T>>, DeviceError> {
        let purpose = purpose.to_owned();
        self.with_store(move |store, now| store.read_sensitive(id, &purpose, &limits, now)).await
    }

    /// Lists sensitive records that name another one, for a purpose: see [`crate::Store::read_sensitive_linked`].
    ///
    /// # Errors
    /// As there.
    pub async fn read_sensitive_linked<T: Record + Send + 'static>(
        &self,
        field: &str,
        target: RecordId,
        purpose: &str,
        limits: KeepingLimits,
    ) -> Result<Vec<Entry<T>>, DeviceError> {
        let (field, purpose) = (field.to_owned(), purpose.to_owned());
        self.with_store(move |store, now| store.read_sensitive_linked(&field, target, &purpose, &limits, now))
            .await
    }

    /// Lists sensitive records of a kind for a purpose: see [`crate::Store::read_sensitive_list`].
    ///
    /// # Errors
    /// As there.
    pub async fn read_sensitive_list<T: Record + Send + 'static>(
        &self,
        after: Option<PageCursor>,
        limit: usize,
        purpose: &str,
        limits: KeepingLimits,
    ) -> Result<Page<T>, DeviceError> {
        let purpose = purpose.to_owned();
        self.with_store(move |store, now| {
            store.read_sensitive_list(after.as_ref(), limit, &purpose, &limits, now)
        })
        .await
    }

    /// Finds services as well, and people by their needs, for a purpose: see [`crate::Store::search_needs`].
    ///
    /// # Errors
    /// As there.
    pub async fn search_needs(
        &self,
        text: &str,
        after: Option<SearchCursor>,
        limit: usize,
        purpose: &str,
        limits: KeepingLimits,
    ) -> Result<SearchPage, DeviceError> {
        let (text, purpose) = (text.to_owned(), purpose.to_owned());
        self.with_store(move |store, now| {
            store.search_needs(&text, after.as_ref(), limit, &purpose, &limits, now)
        })
        .await
    }
}
