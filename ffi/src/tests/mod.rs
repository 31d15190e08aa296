//! The face as a shell meets it, on a practice store: no server, a real store and its thread.

mod devices;
mod listeners;
mod shells;
mod work;

use std::collections::HashMap;
use std::sync::Arc;
use std::thread;

use gridwalk_model::RecordId;
use tokio::runtime::Handle;

use crate::device::{Device, OpenOptions};
use crate::traits::Platform;
use crate::values::FieldValue;

/// A practice store in a folder that goes with it.
struct Practice {
    device: Arc<Device>,
    folder: tempfile::TempDir,
}

fn options(folder: &tempfile::TempDir) -> OpenOptions {
    let folder = folder.path().join("store").to_string_lossy().into_owned();
    OpenOptions { folder, allow_plain_http: false, certificate_pin: None }
}

impl Drop for Practice {
    /// Closes the store and waits for it: a process that ends while a store is being closed crashes.
    fn drop(&mut self) {
        let (core, runtime) = (self.device.core(), Handle::current());
        // The runtime's own threads may not wait for it. It may be closed already.
        let closing = thread::spawn(move || runtime.block_on(core.close()));
        let _ = closing.join();
    }
}

async fn practice() -> Practice {
    let folder = tempfile::tempdir().unwrap();
    let device = Device::open_practice(options(&folder), Platform::default()).await.unwrap();
    Practice { device, folder }
}

/// The fields of a made-up dwelling.
fn dwelling(room: &str) -> HashMap<String, FieldValue> {
    HashMap::from([
        ("area".to_owned(), FieldValue::Link { record: RecordId::from_bytes([9; 16]) }),
        ("estate".to_owned(), FieldValue::Text { value: "示例小区🏠".into() }),
        ("building".to_owned(), FieldValue::Text { value: "1".into() }),
        ("room".to_owned(), FieldValue::Text { value: room.into() }),
    ])
}
