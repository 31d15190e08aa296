use std::sync::{Arc, Mutex};

use gridwalk_model::Timestamp;
use tokio::sync::mpsc;

use super::{options, practice};
use crate::capture::{Capture, CapturedPhoto, CapturedVoice};
use crate::device::Device;
use crate::error::GridwalkError;
use crate::logs::{LogLevel, LogLine, LogSink, set_log_sink};
use crate::traits::{Clock, DeviceKey, KeyStore, KeyStoreAdapter, Platform, PlatformError};

fn failed() -> PlatformError {
    PlatformError::Failed { reason: "made up".into() }
}

/// Turns the bytes around; fails as it is told to.
struct Turning(Mutex<Option<PlatformError>>);

impl Turning {
    fn turned(&self, mut bytes: Vec<u8>) -> Result<Vec<u8>, PlatformError> {
        match self.0.lock().unwrap().clone() {
            Some(error) => Err(error),
            None => {
                bytes.reverse();
                Ok(bytes)
            }
        }
    }
}

#[async_trait::async_trait]
impl KeyStore for Turning {
    async fn wrap(&self, key: Vec<u8>) -> Result<Vec<u8>, PlatformError> {
        // As a prompt does, it answers later.
        tokio::task::yield_now().await;
        self.turned(key)
    }

    async fn unwrap(&self, wrapped: Vec<u8>) -> Result<Vec<u8>, PlatformError> {
        self.turned(wrapped)
    }

    async fn delete(&self) -> Result<(), PlatformError> {
        tokio::task::yield_now().await;
        *self.0.lock().unwrap() = Some(failed());
        Ok(())
    }
}

#[tokio::test]
async fn a_key_store_that_throws_makes_the_opening_fail_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let shell = Arc::new(Turning(Mutex::new(None)));
    let platform = || Platform { key_store: Some(Arc::clone(&shell) as _), ..Platform::default() };
    Device::open(options(&folder), platform()).await.unwrap().close().await.unwrap();
    *shell.0.lock().unwrap() = Some(failed());
    let refused = Device::open(options(&folder), platform()).await.map(drop);
    let Err(GridwalkError::Platform { reason, problem }) = refused else { panic!("{refused:?}") };
    assert_eq!((reason.as_str(), problem.key.as_str()), ("made up", "platform.key_store"));
    *shell.0.lock().unwrap() = Some(PlatformError::Cancelled);
    let cancelled = Device::open(options(&folder), platform()).await.map(drop);
    assert!(matches!(cancelled, Err(GridwalkError::Cancelled { .. })), "{cancelled:?}");
    *shell.0.lock().unwrap() = None;
    Device::open(options(&folder), platform()).await.unwrap().close().await.unwrap();
    let another = Device::open(options(&folder), Platform::default()).await.map(drop);
    assert!(matches!(another, Err(GridwalkError::Locked { .. })), "{another:?}");
}

#[tokio::test]
async fn a_wiped_phone_has_the_shells_key_deleted() {
    let shell = Arc::new(Turning(Mutex::new(None)));
    let runtime = tokio::runtime::Handle::current();
    let keys = KeyStoreAdapter { shell: Arc::clone(&shell) as _, runtime };
    tokio::task::spawn_blocking(move || gridwalk_device::KeyStore::delete(&keys)).await.unwrap().unwrap();
    assert!(shell.turned(vec![1]).is_err(), "the key is gone");
}

struct Broken;

impl Clock for Broken {
    fn now(&self) -> Result<Timestamp, PlatformError> {
        Err(failed())
    }
}

impl DeviceKey for Broken {
    fn public_key(&self) -> Result<Vec<u8>, PlatformError> {
        Err(failed())
    }

    fn sign(&self, _: Vec<u8>) -> Result<Vec<u8>, PlatformError> {
        Ok(vec![0; 3])
    }
}

#[async_trait::async_trait]
impl Capture for Broken {
    async fn photo(&self, _: gridwalk_model::photo::PhotoRole) -> Result<CapturedPhoto, PlatformError> {
        Err(PlatformError::Cancelled)
    }

    async fn voice(&self) -> Result<CapturedVoice, PlatformError> {
        Err(failed())
    }
}

#[tokio::test]
async fn a_clock_that_throws_gives_way_to_the_systems_and_a_key_that_throws_fails_the_enrolment() {
    let folder = tempfile::tempdir().unwrap();
    let broken = Arc::new(Broken);
    let platform =
        Platform { key_store: None, device_key: Some(Arc::clone(&broken) as _), clock: Some(broken as _) };
    let device = Device::open(options(&folder), platform).await.unwrap();
    assert!(device.now().millis() > 1_700_000_000_000);
    let enrolled = device.enrol("http://127.0.0.1:1".into(), "x".into(), "x".into()).await;
    assert!(matches!(enrolled, Err(GridwalkError::Platform { .. })), "{enrolled:?}");
}

#[tokio::test]
async fn a_camera_that_was_left_is_a_cancelled_call() {
    let practice = practice().await;
    let camera = || Arc::new(Broken) as Arc<dyn Capture>;
    let scene = gridwalk_model::photo::PhotoRole::Scene;
    let left = practice.device.capture_photo(camera(), scene).await;
    assert!(matches!(left, Err(GridwalkError::Cancelled { .. })), "{left:?}");
    let id = gridwalk_model::RecordId::from_bytes([1; 16]);
    let broken = practice.device.capture_voice(camera(), id).await;
    let Err(GridwalkError::Platform { problem, .. }) = broken else { panic!("{broken:?}") };
    assert_eq!(problem.key, "platform.capture");
}

#[tokio::test]
async fn a_pin_is_set_asked_for_and_changed() {
    let folder = tempfile::tempdir().unwrap();
    let open = |pin: &str| Device::open_with_pin(options(&folder), Platform::default(), pin.to_owned(), None);
    open("1234").await.unwrap().close().await.unwrap();
    let wrong = open("4321").await.map(drop);
    let Err(GridwalkError::Locked { problem, until: None }) = wrong else { panic!("{wrong:?}") };
    assert_eq!(problem.key, "key_mismatch");
    let change = crate::keeping::change_pin;
    let platform = Platform::default;
    change(options(&folder), platform(), Some("1234".into()), Some("987654".into())).await.unwrap();
    open("987654").await.unwrap().close().await.unwrap();
    let refused = change(options(&folder), platform(), Some("1234".into()), None).await;
    assert!(matches!(refused, Err(GridwalkError::Locked { .. })), "{refused:?}");
}

struct Lines(mpsc::UnboundedSender<LogLine>);

impl LogSink for Lines {
    fn log(&self, line: LogLine) -> Result<(), PlatformError> {
        let _ = self.0.send(line);
        Err(failed())
    }
}

#[tokio::test]
async fn log_lines_are_forwarded_without_texts_that_may_name_somebody() {
    let (sender, mut lines) = mpsc::unbounded_channel();
    assert!(set_log_sink(LogLevel::Info, Some(Arc::new(Lines(sender)))));
    tracing::info!(target: "gridwalk_test", count = 3, name = "张三", who = ?"李四", "counted");
    tracing::debug!(target: "gridwalk_test", "too fine");
    tracing::error!(target: "somebody_elses", "not ours");
    tracing::warn!(target: "gridwalk_test", done = true, "second");
    let mut told = Vec::new();
    while told.len() < 2 {
        let line = lines.recv().await.unwrap();
        // Other tests of this process log as well.
        if line.target == "gridwalk_test" {
            told.push((line.level, line.message));
        }
    }
    let wanted =
        [(LogLevel::Info, "counted count=3".to_owned()), (LogLevel::Warn, "second done=true".to_owned())];
    assert_eq!(told, wanted);
    assert!(set_log_sink(LogLevel::Info, None));
    while lines.recv().await.is_some() {}
}
