//! Voice notes of records, drafts of reports and drafts of visits.

use gridwalk_model::RecordId;
use gridwalk_model::voice::VoiceRef;

use super::Device;
use crate::error::DeviceError;
use crate::work::evidence::{DraftVoice, RemovedVoice, VoiceFacts};
use crate::work::visits::VisitInput;

impl Device {
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
        self.at_work(attach).await
    }

    /// The voice notes of a record; their sound is asked for as that of a photo, by [`Device::photo`].
    ///
    /// # Errors
    /// As [`crate::Store::voices`].
    pub async fn voices(&self, record: RecordId) -> Result<Vec<(RecordId, VoiceRef)>, DeviceError> {
        self.with_store(move |store, _| store.voices(record)).await
    }

    /// Takes a voice note off its record: see [`crate::Store::remove_voice`].
    ///
    /// # Errors
    /// As there.
    pub async fn remove_voice(
        &self,
        record: RecordId,
        element: RecordId,
    ) -> Result<RemovedVoice, DeviceError> {
        self.at_work(move |store, now| store.remove_voice(record, element, now)).await
    }

    /// Puts a voice note back that was taken off: see [`crate::Store::restore_voice`].
    ///
    /// # Errors
    /// As there.
    pub async fn restore_voice(&self, removed: RemovedVoice) -> Result<(), DeviceError> {
        self.at_work(move |store, now| store.restore_voice(&removed, now)).await
    }

    /// Adds a voice note to a report that is still a draft: see [`crate::Store::add_draft_voice`].
    ///
    /// # Errors
    /// As there.
    pub async fn add_draft_voice(
        &self,
        draft: i64,
        sound: Vec<u8>,
        facts: VoiceFacts,
    ) -> Result<RecordId, DeviceError> {
        self.with_store(move |store, now| store.add_draft_voice(draft, &sound, &facts, now)).await
    }

    /// Adds a voice note to a visit under way: see [`crate::Store::add_visit_voice`].
    ///
    /// # Errors
    /// As there.
    pub async fn add_visit_voice(
        &self,
        visit: VisitInput,
        sound: Vec<u8>,
        facts: VoiceFacts,
    ) -> Result<RecordId, DeviceError> {
        self.with_store(move |store, now| store.add_visit_voice(&visit, &sound, &facts, now)).await
    }

    /// The voice notes of a visit under way: see [`crate::Store::visit_voices`].
    ///
    /// # Errors
    /// As there.
    pub async fn visit_voices(&self, target: RecordId) -> Result<Vec<DraftVoice>, DeviceError> {
        self.with_store(move |store, _| store.visit_voices(target)).await
    }

    /// The sound of a voice note of a draft: see [`crate::Store::draft_sound`].
    ///
    /// # Errors
    /// As there.
    pub async fn draft_sound(&self, element: RecordId) -> Result<Option<Vec<u8>>, DeviceError> {
        self.with_store(move |store, _| store.draft_sound(element)).await
    }

    /// Takes a voice note off its draft: see [`crate::Store::remove_draft_voice`].
    ///
    /// # Errors
    /// As there.
    pub async fn remove_draft_voice(&self, element: RecordId) -> Result<(), DeviceError> {
        self.with_store(move |store, now| store.remove_draft_voice(element, now)).await
    }

    /// Puts a voice note back into its draft: see [`crate::Store::restore_draft_voice`].
    ///
    /// # Errors
    /// As there.
    pub async fn restore_draft_voice(&self, element: RecordId) -> Result<(), DeviceError> {
        self.with_store(move |store, _| store.restore_draft_voice(element)).await
    }
}
