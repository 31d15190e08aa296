//! One request at a time for each upload, the latest first.
//!
//! A phone that changes its network leaves a connection behind that may stand still for long. Its next request
//! must not wait for that one: it takes over, the older one keeps what it has and ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, watch};

use super::upload_id::UploadId;

/// The uploads that requests are at work on.
#[derive(Clone, Default)]
pub struct Turns {
    open: Arc<Mutex<HashMap<UploadId, Slot>>>,
}

#[derive(Clone)]
struct Slot {
    gate: Arc<AsyncMutex<()>>,
    /// Number of the latest request, and how many have not ended.
    latest: watch::Sender<u64>,
    users: u64,
}

/// The right to work on an upload, until it is dropped.
pub struct Turn {
    _guard: OwnedMutexGuard<()>,
    number: u64,
    latest: watch::Receiver<u64>,
    _place: Place,
}

struct Place {
    home: Turns,
    id: UploadId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.home.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = open.get_mut(&self.id) {
            slot.users -= 1;
            if slot.users == 0 {
                open.remove(&self.id);
            }
        }
    }
}

impl Turns {
    /// Waits until the request that is at work has ended, having told it so.
    pub async fn take(&self, id: UploadId) -> Turn {
        let (slot, number, place) = self.queue(id);
        let latest = slot.latest.subscribe();
        let guard = slot.gate.lock_owned().await;
        Turn { _guard: guard, number, latest, _place: place }
    }

    fn queue(&self, id: UploadId) -> (Slot, u64, Place) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = open.entry(id).or_insert_with(|| Slot {
            gate: Arc::default(),
            latest: watch::Sender::new(0),
            users: 0,
        });
        slot.users += 1;
        slot.latest.send_modify(|latest| *latest += 1);
        let number = *slot.latest.borrow();
        (slot.clone(), number, Place { home: self.clone(), id })
    }
}

impl Turn {
    /// Waits until a later request asks for this upload.
    pub async fn overtaken(&mut self) {
        let number = self.number;
        if self.latest.wait_for(|latest| *latest > number).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use gridwalk_model::{ContentHash, DeviceId};

    #[tokio::test]
    async fn a_later_request_takes_over_and_nothing_is_left_behind() {
        let turns = Turns::default();
        let id = UploadId { hash: ContentHash::from_bytes([1; 32]), device: DeviceId::from_bytes([1; 12]) };
        let mut first = turns.take(id).await;
        let worker = tokio::spawn(async move { first.overtaken().await });
        let mut second = turns.take(id).await;
        worker.await.unwrap();
        let mut waiting = Box::pin(turns.take(id));
        assert!((&mut waiting).now_or_never().is_none(), "one at a time");
        second.overtaken().await;
        drop(waiting);
        drop(second);
        assert!(turns.open.lock().unwrap().is_empty());
    }
}
