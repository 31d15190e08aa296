//! Photos: the journal of originals, those of records, previews.

use std::sync::Arc;

use gridwalk_evidence::{Limits, Photo, StampFont};
use gridwalk_model::photo::BlurRegion;
use gridwalk_model::{ContentHash, RecordId};

use super::Device;
use crate::error::DeviceError;
use crate::photo::{self, CaptureFacts};
use crate::store::Store;
use crate::work::events::{SnapContext, Snapped};
use crate::work::evidence::{RemovedPhoto, ReusedPhoto};

/// How long a preview that the server does not have yet is left alone, in milliseconds.
const PREVIEW_RETRY_MS: i64 = 10 * 60 * 1000;

impl Device {
    /// Journals a camera's file: when this returns it is durable and the camera is free.
    ///
    /// # Errors
    /// [`DeviceError::StorageFull`].
    pub async fn journal_photo(&self, original: Vec<u8>, facts: CaptureFacts) -> Result<i64, DeviceError> {
        self.behind_lock(move |store, now| store.journal_photo(&original, &facts, now)).await
    }

    /// A journaled original and what was said of it, for a screen to draw: the camera's own file, as long as it is in the
    /// journal. `None` once it was attached or swept. The numbers are those of [`Self::draft_tray`].
    ///
    /// # Errors
    /// [`DeviceError::Locked`], failures of SQLite.
    pub async fn journaled_photo(
        &self,
        capture: i64,
    ) -> Result<Option<(Vec<u8>, CaptureFacts)>, DeviceError> {
        self.with_store(move |store, _| store.journaled_photo(capture)).await
    }

    /// The same small, as a JPEG of at most 24 KB, upright, with its regions made unrecognisable and stamped: for a list
    /// of several. No preview is kept in the journal, so it is made anew: some 0.2 s for 12 megapixels, off the threads
    /// that wait.
    ///
    /// # Errors
    /// [`DeviceError::NoCapture`], [`DeviceError::Photo`] for a file that cannot be used, failures of SQLite.
    pub async fn journaled_preview(
        &self,
        capture: i64,
        font: Option<Arc<StampFont<'static>>>,
    ) -> Result<Vec<u8>, DeviceError> {
        let (photo, _) = self.prepare_journaled(capture, font).await?;
        Ok(photo.preview.bytes)
    }

    /// Prepares a journaled original, off the threads that wait for it. The original stays in the journal.
    pub(super) async fn prepare_journaled(
        &self,
        n: i64,
        font: Option<Arc<StampFont<'static>>>,
    ) -> Result<(Photo, CaptureFacts), DeviceError> {
        let found = self.with_store(move |store, _| store.journaled_photo(n)).await?;
        let (original, facts) = found.ok_or(DeviceError::NoCapture)?;
        let preparing = tokio::task::spawn_blocking(move || {
            let photo = photo::prepare_photo(&original, &facts, font.as_deref(), &Limits::default())?;
            Ok::<_, DeviceError>((photo, facts))
        });
        preparing.await.map_err(|_| DeviceError::Closed)?
    }

    /// Marks regions of a journaled photo: see [`crate::Store::blur_journaled`].
    ///
    /// # Errors
    /// As there.
    pub async fn blur_journaled(&self, n: i64, regions: Vec<BlurRegion>) -> Result<(), DeviceError> {
        self.with_store(move |store, _| store.blur_journaled(n, &regions)).await
    }

    /// Whether this phone has used a journaled photo before, so that a screen can say so before it is attached. Prepares
    /// it for that: some 0.2 s for 12 megapixels, off the threads that wait.
    ///
    /// # Errors
    /// [`DeviceError::NoCapture`], [`DeviceError::Photo`], failures of SQLite.
    pub async fn photo_used_before(
        &self,
        capture: i64,
        font: Option<Arc<StampFont<'static>>>,
    ) -> Result<Option<ReusedPhoto>, DeviceError> {
        let (photo, _) = self.prepare_journaled(capture, font).await?;
        self.with_store(move |store, _| store.photo_used_before(&photo)).await
    }

    /// Makes a loose original into a draft, or adds it to one: see [`crate::Store::adopt_capture`].
    ///
    /// # Errors
    /// As there.
    pub async fn adopt_capture(
        &self,
        capture: i64,
        context: SnapContext,
        draft: Option<i64>,
    ) -> Result<Snapped, DeviceError> {
        self.with_store(move |store, now| store.adopt_capture(capture, &context, draft, now)).await
    }

    /// Takes a photo out of a draft: see [`crate::Store::release_capture`].
    ///
    /// # Errors
    /// As there.
    pub async fn release_capture(&self, capture: i64) -> Result<(), DeviceError> {
        self.with_store(move |store, _| store.release_capture(capture)).await
    }

    /// Throws a loose original away: see [`crate::Store::discard_capture`].
    ///
    /// # Errors
    /// As there.
    pub async fn discard_capture(&self, capture: i64) -> Result<i64, DeviceError> {
        self.with_store(move |store, now| store.discard_capture(capture, now)).await
    }

    /// Prepares a journaled original and attaches it to a record. On an error the original stays in the journal.
    ///
    /// # Errors
    /// [`DeviceError::NoCapture`], [`DeviceError::Photo`] for a file that cannot be used, and those of an edit.
    pub async fn attach_journaled(
        &self,
        n: i64,
        record: RecordId,
        font: Option<Arc<StampFont<'static>>>,
    ) -> Result<RecordId, DeviceError> {
        let (prepared, facts) = self.prepare_journaled(n, font).await?;
        self.at_work(move |store, now| {
            let element = store.attach_photo(record, &prepared, &facts, now)?;
            store.remove_capture(n)?;
            Ok(element)
        })
        .await
    }

    /// Both at once: journals a file and attaches it.
    ///
    /// # Errors
    /// As [`Self::attach_journaled`]; a file that cannot be used is taken out of the journal again.
    pub async fn add_photo(
        &self,
        record: RecordId,
        original: Vec<u8>,
        facts: CaptureFacts,
        font: Option<Arc<StampFont<'static>>>,
    ) -> Result<RecordId, DeviceError> {
        let n = self.journal_photo(original, facts).await?;
        let outcome = self.attach_journaled(n, record, font).await;
        if let Err(DeviceError::Photo(_)) = &outcome {
            self.with_store(move |store, _| store.remove_capture(n)).await?;
        }
        outcome
    }

    /// Takes a photo off its record: see [`crate::Store::remove_photo`].
    ///
    /// # Errors
    /// As there.
    pub async fn remove_photo(
        &self,
        record: RecordId,
        element: RecordId,
    ) -> Result<RemovedPhoto, DeviceError> {
        self.at_work(move |store, now| store.remove_photo(record, element, now)).await
    }

    /// Puts a photo back that was taken off: see [`crate::Store::restore_photo`].
    ///
    /// # Errors
    /// As there.
    pub async fn restore_photo(&self, removed: RemovedPhoto) -> Result<(), DeviceError> {
        self.at_work(move |store, now| store.restore_photo(removed, now)).await
    }

    /// The bytes of a photo or preview that a record refers to: from this phone, or from the server and kept. `None`
    /// if neither has it.
    ///
    /// # Errors
    /// [`DeviceError::Net`] where it is not here and the server cannot be asked.
    pub async fn photo(&self, record: RecordId, hash: ContentHash) -> Result<Option<Vec<u8>>, DeviceError> {
        if let Some(bytes) = self.with_store(move |store, _| store.media(&hash)).await? {
            return Ok(Some(bytes));
        }
        let session = self.shared.driver.session().ok_or(DeviceError::NotEnrolled)?;
        let Some(bytes) = session.download(record, hash).await? else { return Ok(None) };
        let kept = bytes.clone();
        self.with_store(move |store, now| store.keep_fetched(&hash, &kept, now)).await?;
        Ok(Some(bytes))
    }

    /// Fetches the previews that records on this phone refer to and that are not here, until none is left or the
    /// network fails. Returns how many came. [`Self::sync`] does so at its end.
    ///
    /// # Errors
    /// [`DeviceError::Net`], failures of the store.
    pub async fn fetch_previews(&self) -> Result<usize, DeviceError> {
        let mut fetched = 0;
        loop {
            let wanted = self.with_store(|store, now| store.previews_wanted(now, 20)).await?;
            if wanted.is_empty() {
                return Ok(fetched);
            }
            for (record, hash) in wanted {
                if self.with_store(move |store, _| store.preview_was_kept(&hash)).await? {
                    continue;
                }
                if self.photo(record, hash).await?.is_some() {
                    fetched += 1;
                } else {
                    let later = move |store: &mut Store, now: gridwalk_model::Timestamp| {
                        store.defer_preview(&hash, now.plus_millis(PREVIEW_RETRY_MS))
                    };
                    self.with_store(later).await?;
                }
            }
        }
    }
}
