//! Media: photos, previews, voice notes, tracks. Blobs named by their SHA-256, beside the store.
//!
//! | question | module |
//! | --- | --- |
//! | what tus says, without HTTP | [`tus`] |
//! | what becomes of an upload | [`lifecycle`], `intake`, `turns` |
//! | what may be published | [`content`] |
//! | where the bytes lie, and what survives a crash | [`store`] |
//! | who learns that a medium is here, who reads it | [`receipts`] |
//! | routes | [`http`] |
//!
//! A medium is published once its bytes are on the disk under their own hash and the row says so; only then does
//! a device hear of it. An upload belongs to the device that created it.

pub mod content;
pub mod error;
pub mod http;
mod intake;
pub mod lifecycle;
pub mod receipts;
mod retention;
pub mod store;
mod turns;
pub mod tus;
pub mod upload_id;

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod http_tests;
#[cfg(test)]
mod test_support;

use std::path::Path;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::storage::Storage;

pub use content::{Form, VOICE_MAX_BYTES};
pub use error::{MediaError, Refusal};
pub use http::{MediaState, router};
use store::{Files, NoProbe, Probe};
use turns::Turns;

/// Uploads that are checked and published at once: each holds a file and its pixels in memory.
const CHECKS: usize = 4;

/// Requests with a body that are received at once. They may be slow, so they have a budget of their own: each
/// holds little memory and must not keep the records' requests waiting.
const BODIES: usize = 256;

/// Limits of uploads.
#[derive(Clone, Copy, Debug)]
pub struct MediaLimits {
    /// Longest upload, in bytes. What can never be published is refused from the start, whatever this says.
    pub upload_bytes: u64,
    /// Uploads that one device may have open.
    pub open_uploads: u64,
    /// Bytes that these may come to.
    pub open_bytes: u64,
    /// Days after which an unfinished upload is given up; at least 30.
    pub upload_days: u16,
    /// What a stored photo is.
    pub photo: gridwalk_evidence::Limits,
}

impl Default for MediaLimits {
    fn default() -> Self {
        Self {
            upload_bytes: 24 << 20,
            open_uploads: 64,
            open_bytes: 512 << 20,
            upload_days: 30,
            photo: gridwalk_evidence::Limits::default(),
        }
    }
}

impl MediaLimits {
    /// The longest upload that is taken, in bytes.
    pub fn longest(&self) -> u64 {
        self.upload_bytes.min(content::longest(&self.photo))
    }
}

/// The media of a server. Methods of [`lifecycle`] and [`receipts`] block.
pub struct Media {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    files: Files,
    limits: MediaLimits,
    turns: Turns,
    checks: Semaphore,
    bodies: Semaphore,
}

impl Media {
    /// Opens the folder of media and makes it if it is not there. Call [`Self::recover`] before the first request.
    /// Nobody else may use the folder.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn open(
        folder: &Path,
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        limits: MediaLimits,
    ) -> Result<Self, MediaError> {
        Self::open_with(folder, storage, clock, limits, Arc::new(NoProbe))
    }

    /// [`Self::open`] with somebody who is asked before every step on the disk: for tests.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn open_with(
        folder: &Path,
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        limits: MediaLimits,
        probe: Arc<dyn Probe>,
    ) -> Result<Self, MediaError> {
        let files = Files::open(folder, probe)?;
        let (checks, bodies) = (Semaphore::new(CHECKS), Semaphore::new(BODIES));
        Ok(Self { storage, clock, files, limits, turns: Turns::default(), checks, bodies })
    }
}
