use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::{dwelling, options, practice};
use crate::device::Device;
use crate::error::GridwalkError;
use crate::observe::{Listener, Query, Snapshot};
use crate::traits::{Platform, PlatformError};

/// Passes on what it is told.
struct Ear {
    told: mpsc::UnboundedSender<Result<Snapshot, GridwalkError>>,
    throws: bool,
}

impl Listener for Ear {
    fn changed(&self, snapshot: Snapshot) -> Result<(), PlatformError> {
        let _ = self.told.send(Ok(snapshot));
        if self.throws { Err(PlatformError::Failed { reason: "made up".into() }) } else { Ok(()) }
    }

    fn failed(&self, error: GridwalkError) -> Result<(), PlatformError> {
        let _ = self.told.send(Err(error));
        Ok(())
    }
}

type Heard = mpsc::UnboundedReceiver<Result<Snapshot, GridwalkError>>;

fn ear(throws: bool) -> (Arc<Ear>, Heard) {
    let (told, heard) = mpsc::unbounded_channel();
    (Arc::new(Ear { told, throws }), heard)
}

const DWELLINGS: fn() -> Query = || Query::Records { kind: "dwelling".into(), limit: 50 };

async fn rooms(heard: &mut Heard) -> usize {
    match heard.recv().await {
        Some(Ok(Snapshot::Records { page })) => page.entries.len(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_listener_is_told_the_state_at_once_and_then_what_changes() {
    let practice = practice().await;
    let device = &practice.device;
    let (listener, mut heard) = ear(true);
    let observation = device.observe(DWELLINGS(), listener).await.unwrap();
    assert_eq!(rooms(&mut heard).await, 0, "it throws, and is told the next all the same");
    device.create_record("dwelling".into(), dwelling("101")).await.unwrap();
    assert_eq!(rooms(&mut heard).await, 1);
    // Something else changes: the answer is the same and is not told again.
    let (other, mut others) = ear(false);
    let second = device.observe(Query::Status, other).await.unwrap();
    assert!(matches!(others.recv().await, Some(Ok(Snapshot::Status { .. }))));
    device.set_network(false, false).await.unwrap();
    device.create_record("dwelling".into(), dwelling("102")).await.unwrap();
    assert_eq!(rooms(&mut heard).await, 2);
    observation.cancel();
    second.cancel();
}

#[tokio::test]
async fn after_a_cancel_nothing_is_told_and_the_listener_is_released() {
    let practice = practice().await;
    let device = &practice.device;
    let (listener, mut heard) = ear(false);
    let kept = Arc::downgrade(&listener);
    let observation = device.observe(DWELLINGS(), listener).await.unwrap();
    assert_eq!(rooms(&mut heard).await, 0);
    assert_eq!(device.open_observations(), 1);
    observation.cancel_and_wait().await;
    observation.cancel();
    assert!(observation.is_cancelled() && kept.upgrade().is_none(), "released");
    assert_eq!(device.open_observations(), 0);
    device.create_record("dwelling".into(), dwelling("101")).await.unwrap();
    assert!(heard.recv().await.is_none(), "whoever could tell is gone");
}

#[tokio::test]
async fn releasing_the_handle_ends_an_observation_and_so_does_closing() {
    let practice = practice().await;
    let device = &practice.device;
    let (listener, mut heard) = ear(false);
    let observation = device.observe(DWELLINGS(), listener).await.unwrap();
    assert_eq!(rooms(&mut heard).await, 0);
    drop(observation);
    assert!(heard.recv().await.is_none());
    let (listener, mut heard) = ear(false);
    let observation = device.observe(DWELLINGS(), listener).await.unwrap();
    assert_eq!(rooms(&mut heard).await, 0);
    device.close().await.unwrap();
    assert!(matches!(heard.recv().await, Some(Err(GridwalkError::Closed { .. }))), "told that it is over");
    drop(observation);
    assert_eq!(device.open_observations(), 0);
    let (listener, _) = ear(false);
    let late = device.observe(DWELLINGS(), listener).await;
    assert!(matches!(late.map(drop), Err(GridwalkError::Closed { .. })));
}

#[tokio::test]
async fn nothing_is_asked_under_a_pause_and_what_happened_is_told_after_it() {
    let practice = practice().await;
    let device = &practice.device;
    let (listener, mut heard) = ear(false);
    let observation = device.observe(DWELLINGS(), listener).await.unwrap();
    assert_eq!(rooms(&mut heard).await, 0);
    device.create_record("dwelling".into(), dwelling("101")).await.unwrap();
    device.pause().await.unwrap();
    device.resume().await.unwrap();
    device.create_record("dwelling".into(), dwelling("102")).await.unwrap();
    let mut last = rooms(&mut heard).await;
    if last == 1 {
        last = rooms(&mut heard).await;
    }
    assert_eq!(last, 2);
    observation.cancel();
}

/// Calls back in from within a call, waiting for the answer.
struct Caller {
    device: Arc<Device>,
    runtime: Handle,
    told: mpsc::UnboundedSender<u64>,
    once: AtomicBool,
}

impl Listener for Caller {
    fn changed(&self, _: Snapshot) -> Result<(), PlatformError> {
        if !self.once.swap(true, Ordering::SeqCst) {
            let status = self.runtime.block_on(self.device.status());
            let _ = self.told.send(status.map(|status| status.totals.records).unwrap_or(u64::MAX));
        }
        Ok(())
    }

    fn failed(&self, _: GridwalkError) -> Result<(), PlatformError> {
        Ok(())
    }
}

#[tokio::test]
async fn a_listener_may_call_back_in_and_wait() {
    let practice = practice().await;
    let device = Arc::clone(&practice.device);
    device.create_record("dwelling".into(), dwelling("101")).await.unwrap();
    let (told, mut heard) = mpsc::unbounded_channel();
    let caller = Caller {
        device: Arc::clone(&device),
        runtime: Handle::current(),
        told,
        once: AtomicBool::new(false),
    };
    let observation = device.observe(DWELLINGS(), Arc::new(caller)).await.unwrap();
    assert_eq!(heard.recv().await, Some(1));
    observation.cancel();
}

#[tokio::test]
async fn a_released_device_closes_its_store_although_it_was_observed() {
    let folder = tempfile::tempdir().unwrap();
    let device = Device::open_practice(options(&folder), Platform::default()).await.unwrap();
    let (listener, mut heard) = ear(false);
    let observation = device.observe(DWELLINGS(), listener).await.unwrap();
    assert_eq!(rooms(&mut heard).await, 0);
    drop(device);
    assert!(matches!(heard.recv().await, Some(Err(GridwalkError::Closed { .. }))));
    drop(observation);
}
