//! Evidence, async.

use gridwalk_model::RecordId;
use gridwalk_model::photo::BlurRegion;
use gridwalk_model::voice::VoiceRef;

use super::Device;
use crate::error::DeviceError;
use crate::sync::Event;
use crate::work::evidence::VoiceFacts;

impl Device {
    /// Marks regions of a journaled photo: see [`crate::Store::blur_journaled`].
    ///
    /// # Errors
    /// As there.
    pub async fn blur_journaled(&self, n: i64, regions: Vec<BlurRegion>) -> Result<(), DeviceError> {
        self.with_store(move |store, _| store.blur_journaled(n, &regions)).await
    }

    /// Attaches a voice note: see [`crate::Store::attach_voice`].
    ///
    /// # Errors
    /// As there.
    pub async fn add_voice(
        &self,
        record: RecordId,
        sound: Vec<u8>,
        facts: VoiceFacts,
    ) -> Result<RecordId, DeviceError> {
        let attach = move |store: &mut crate::Store, now| store.attach_voice(record, &sound, &facts, now);
        let element = self.with_store(attach).await?;
        self.shared.core.post(Event::Edited)?;
        Ok(element)
    }

    /// The voice notes of a record; their sound is asked for as that of a photo, by [`Device::photo`].
    ///
    /// # Errors
    /// As [`crate::Store::voices`].
    pub async fn voices(&self, record: RecordId) -> Result<Vec<(RecordId, VoiceRef)>, DeviceError> {
        self.with_store(move |store, _| store.voices(record)).await
    }
}
