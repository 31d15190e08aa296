//! What a phone holds for sending: read from its own store after it has acknowledged an act, so that it can be written
//! down outside of the phone. It knows nothing of the acts: whatever they make is in it, in every kind of record.

use gridwalk_device::work::tray::TrayKey;
use gridwalk_device::{Device, DeviceError};
use gridwalk_harness::office::changes_in;
use gridwalk_model::photo::PhotoRef;
use gridwalk_model::{ContentHash, DeviceId, Value};

use crate::promises::Written;

/// Every write of this device in records that wait to be sent.
///
/// # Errors
/// Failures of the store.
pub async fn unsent(device: &Device, own: DeviceId) -> Result<Written, DeviceError> {
    device
        .with_store(move |store, now| {
            let mut written = Written::new();
            for item in store.tray(now)? {
                let TrayKey::Unsent { record } = item.key else { continue };
                let Some(document) = store.document(record)? else { continue };
                let changes =
                    changes_in(&document).map_err(|_| DeviceError::Bug("a change that cannot be read"))?;
                for change in changes.into_iter().filter(|change| change.device == own) {
                    let writes = change.writes.into_iter();
                    written.extend(writes.filter_map(|(key, value)| Some((record, key, value?))));
                }
            }
            Ok(written)
        })
        .await
}

/// The photo that a write refers to.
pub fn photo_in(key: &str, value: &Value) -> Option<PhotoRef> {
    match value {
        Value::Bytes(bytes) if key.starts_with("photos/") => PhotoRef::from_bytes(bytes).ok(),
        _ => None,
    }
}

/// The track that a write refers to.
pub fn track_in(key: &str, value: &Value) -> Option<ContentHash> {
    match value {
        Value::Bytes(bytes) if key == "track" => ContentHash::from_slice(bytes),
        _ => None,
    }
}
