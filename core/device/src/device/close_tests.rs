//! A close: it waits for the thread itself, and for whoever closes as well.

use std::sync::{Mutex, mpsc};

use tokio::sync::mpsc as async_mpsc;

use super::*;
use crate::keys::DataKey;

/// A keystore that the store's thread drops as its last act, which takes until it is told to go on.
struct Lingering {
    ending: async_mpsc::UnboundedSender<()>,
    go_on: Mutex<mpsc::Receiver<()>>,
}

impl KeyStore for Lingering {
    fn wrap(&self, key: &DataKey) -> Result<Vec<u8>, DeviceError> {
        UnprotectedKeyStore.wrap(key)
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<DataKey, DeviceError> {
        UnprotectedKeyStore.unwrap(wrapped)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        self.ending.send(()).unwrap();
        self.go_on.get_mut().unwrap().recv().unwrap();
    }
}

/// What a future says when it is asked once.
async fn asked_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    tokio::select! {
        biased;
        output = future => Some(output),
        () = std::future::ready(()) => None,
    }
}

#[tokio::test]
async fn a_close_waits_until_the_thread_of_the_store_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let (ending, mut begins_to_end) = async_mpsc::unbounded_channel();
    let (let_go, go_on) = mpsc::channel();
    let key_store = Arc::new(Lingering { ending, go_on: Mutex::new(go_on) });
    let options = DeviceOptions { key_store, ..DeviceOptions::host(folder.path()) };
    let phone = Device::open(options).await.unwrap();
    let other = phone.clone();
    let mut first = Box::pin(phone.close());
    tokio::select! {
        biased;
        Some(()) = begins_to_end.recv() => {}
        _ = &mut first => panic!("closed before the thread ended"),
    }
    let mut second = Box::pin(other.close());
    assert!(asked_once(&mut first).await.is_none(), "the thread has not ended");
    assert!(asked_once(&mut second).await.is_none(), "nor has it for the other clone");

    let_go.send(()).unwrap();
    first.await.unwrap();
    assert!(matches!(second.await, Err(DeviceError::Closed)));
}
