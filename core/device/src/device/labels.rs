//! QR labels, as screens call them: see [`crate::work::labels`].

use gridwalk_evidence::{LabelSheet, LumaFrame, read_codes};
use gridwalk_model::RecordId;
use gridwalk_model::records::Label;

use super::Device;
use crate::edit::Entry;
use crate::error::DeviceError;
use crate::work::labels::{HangsOn, MadeLabel, ScannedLabel};

impl Device {
    /// The label of a door, a place or a building: see [`crate::Store::make_label`].
    ///
    /// # Errors
    /// As there.
    pub async fn make_label(&self, on: HangsOn) -> Result<MadeLabel, DeviceError> {
        self.at_work(move |store, now| store.make_label(&on, now)).await
    }

    /// Every label of a door or place: see [`crate::Store::labels_of`].
    ///
    /// # Errors
    /// As there.
    pub async fn labels_of(&self, target: RecordId) -> Result<Vec<Entry<Label>>, DeviceError> {
        self.with_store(move |store, _| store.labels_of(target)).await
    }

    /// Voids a label: see [`crate::Store::void_label`].
    ///
    /// # Errors
    /// As there.
    pub async fn void_label(&self, label: RecordId) -> Result<bool, DeviceError> {
        self.at_work(move |store, now| store.void_label(label, now)).await
    }

    /// Takes that back: see [`crate::Store::restore_label`].
    ///
    /// # Errors
    /// As there.
    pub async fn restore_label(&self, label: RecordId) -> Result<bool, DeviceError> {
        self.at_work(move |store, now| store.restore_label(label, now)).await
    }

    /// Voids the labels of something and makes a new one: see [`crate::Store::replace_label`].
    ///
    /// # Errors
    /// As there.
    pub async fn replace_label(&self, on: HangsOn) -> Result<MadeLabel, DeviceError> {
        self.at_work(move |store, now| store.replace_label(&on, now)).await
    }

    /// What a code opens whose text is known, or a token that was typed in: see [`crate::Store::scan_label`].
    ///
    /// # Errors
    /// As there.
    pub async fn scan_label(&self, text: &str) -> Result<ScannedLabel, DeviceError> {
        let text = text.to_owned();
        self.with_store(move |store, _| store.scan_label(&text)).await
    }

    /// What the codes in a frame of the camera open; `None` for a frame without any. The frame is read beside the
    /// threads that wait; the shell sends the next one when this one is answered.
    ///
    /// # Errors
    /// [`DeviceError::Qr`] for a frame that is too large, incomplete or confused; the next may be better.
    pub async fn scan_label_frame(
        &self,
        width: u32,
        height: u32,
        stride: usize,
        luma: Vec<u8>,
    ) -> Result<Option<ScannedLabel>, DeviceError> {
        let reading = move || read_codes(&LumaFrame { width, height, stride, luma: &luma });
        let texts = tokio::task::spawn_blocking(reading).await.map_err(|_| DeviceError::Closed)??;
        if texts.is_empty() {
            return Ok(None);
        }
        self.with_store(move |store, _| store.scan_labels(&texts)).await
    }

    /// Labels as pages to print, one SVG document each; those that are missing are made: see
    /// [`crate::Store::labels_to_print`].
    ///
    /// # Errors
    /// As there, and [`DeviceError::Qr`] for a layout without room.
    pub async fn print_labels(
        &self,
        things: Vec<HangsOn>,
        sheet: LabelSheet,
    ) -> Result<Vec<String>, DeviceError> {
        let labels = self.at_work(move |store, now| store.labels_to_print(&things, now)).await?;
        let drawing = tokio::task::spawn_blocking(move || sheet.pages(&labels));
        Ok(drawing.await.map_err(|_| DeviceError::Closed)??)
    }
}
