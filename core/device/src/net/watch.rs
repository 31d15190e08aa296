//! Cancelling, and noticing that a transfer stands still.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::NetError;

/// Takes requests back. Clones are one switch; once thrown it stays so.
#[derive(Clone, Debug)]
pub struct Cancel {
    thrown: Arc<watch::Sender<bool>>,
}

impl Default for Cancel {
    fn default() -> Self {
        Self { thrown: Arc::new(watch::Sender::new(false)) }
    }
}

impl Cancel {
    /// Takes back everything that watches this switch.
    pub fn cancel(&self) {
        self.thrown.send_replace(true);
    }

    /// Whether the switch was thrown.
    pub fn is_cancelled(&self) -> bool {
        *self.thrown.borrow()
    }

    async fn cancelled(&self) {
        let mut thrown = self.thrown.subscribe();
        // An error means that the switch is gone, which this very clone prevents.
        let _ = thrown.wait_for(|thrown| *thrown).await;
    }
}

/// When bytes moved last.
#[derive(Clone, Debug)]
pub(super) struct Activity {
    start: Instant,
    last_ms: Arc<AtomicU64>,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), last_ms: Arc::default() }
    }

    /// Bytes moved now.
    pub(super) fn touch(&self) {
        self.last_ms.store(self.elapsed_ms(), Ordering::Relaxed);
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    async fn stalled(&self, limit: Duration) {
        let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        loop {
            let idle = self.elapsed_ms().saturating_sub(self.last_ms.load(Ordering::Relaxed));
            if idle >= limit_ms {
                return;
            }
            tokio::time::sleep(Duration::from_millis(limit_ms - idle)).await;
        }
    }
}

/// Runs a transfer until it ends, stands still for `limit`, or is taken back.
pub(super) async fn guarded<T>(
    work: impl Future<Output = Result<T, NetError>>,
    activity: &Activity,
    limit: Duration,
    cancel: &Cancel,
) -> Result<T, NetError> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(NetError::Cancelled),
        outcome = work => outcome,
        () = activity.stalled(limit) => Err(NetError::Stalled),
    }
}
