//! The writer thread: one thread, one transaction at a time, shared by all that queued meanwhile.
//!
//! A commit costs a disk sync of 0.1 to 10 ms, whatever is in it. So the thread takes the first job, runs it, runs
//! whatever else has queued by then, each in a savepoint of its own, and commits them together; what arrives
//! during the sync makes up the next commit. There is no timer: an idle server commits a single job at once, a busy
//! one shares syncs by itself. The queue is bounded; beyond it callers are told to come again.
//!
//! A job's result is handed back only after the commit is durable. A job that fails or panics is undone alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::storage::{Storage, StorageError, WriteTx};

/// Jobs that may wait.
const QUEUE: usize = 256;
/// Most jobs in one commit, so that the first does not wait for all of a flood.
const BATCH_MAX: usize = 64;

/// What the writer did so far.
#[derive(Debug, Default)]
pub struct WriterCounts {
    /// Commits.
    pub commits: AtomicU64,
    /// Jobs in them.
    pub jobs: AtomicU64,
    /// Jobs that are waiting now.
    pub waiting: AtomicU64,
    /// Microseconds spent in commits, jobs and sync together.
    pub busy_us: AtomicU64,
}

/// Something to be done in the writing transaction.
trait Job: Send {
    /// Does it. Returns whether anything of it stays.
    fn run(&mut self, tx: &mut dyn WriteTx) -> bool;
    /// The transaction is durable, or has failed.
    fn done(self: Box<Self>, outcome: Result<(), StorageError>);
}

struct Task<T, E, F> {
    work: Option<F>,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Job for Task<T, E, F>
where
    T: Send,
    E: From<StorageError> + Send,
    F: FnOnce(&mut dyn WriteTx) -> Result<T, E> + Send,
{
    fn run(&mut self, tx: &mut dyn WriteTx) -> bool {
        let Some(work) = self.work.take() else { return false };
        if let Err(error) = tx.begin_part() {
            self.result = Some(Err(error.into()));
            return false;
        }
        let result = catch_unwind(AssertUnwindSafe(|| work(tx)));
        let result = result.unwrap_or_else(|_| Err(StorageError::Failed("work panicked".to_owned()).into()));
        let ended = if result.is_ok() { tx.keep_part() } else { tx.undo_part() };
        let kept = result.is_ok() && ended.is_ok();
        self.result = Some(match (result, ended) {
            (Ok(_), Err(error)) => Err(error.into()),
            (result, _) => result,
        });
        kept
    }

    fn done(self: Box<Self>, outcome: Result<(), StorageError>) {
        let result = match (self.result, outcome) {
            // What failed by itself failed whatever became of the others.
            (Some(Err(error)), _) => Err(error),
            (_, Err(error)) => Err(error.into()),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(StorageError::Failed("work did not run".to_owned()).into()),
        };
        // Whoever asked may have gone.
        let _ = self.reply.send(result);
    }
}

/// A handle to the writer thread. Dropping the last one ends it after the queue is empty.
pub struct Writer {
    sender: Mutex<Option<SyncSender<Box<dyn Job>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    counts: Arc<WriterCounts>,
}

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the machine gives no thread.
    pub fn start(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>) -> Result<Self, StorageError> {
        let (sender, receiver) = sync_channel(QUEUE);
        let counts = Arc::new(WriterCounts::default());
        let shared = Arc::clone(&counts);
        let thread = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || serve(&*storage, &receiver, &*clock, &shared))
            .map_err(|error| StorageError::Failed(error.to_string()))?;
        Ok(Self { sender: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)), counts })
    }

    /// What it did so far.
    pub fn counts(&self) -> &WriterCounts {
        &self.counts
    }

    /// Runs `work` in the writing transaction and returns once it is durable.
    ///
    /// # Errors
    /// What `work` returns; [`StorageError::Busy`] if too much is waiting; a failure of the store.
    pub async fn run<T, E>(
        &self,
        work: impl FnOnce(&mut dyn WriteTx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.send(Box::new(Task { work: Some(work), result: None, reply }))?;
        match answer.await {
            Ok(result) => result,
            Err(_) => Err(StorageError::Failed("writer has stopped".to_owned()).into()),
        }
    }

    fn send(&self, job: Box<dyn Job>) -> Result<(), StorageError> {
        let guard = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = guard.as_ref() else {
            return Err(StorageError::Failed("writer has stopped".to_owned()));
        };
        self.counts.waiting.fetch_add(1, Ordering::Relaxed);
        sender.try_send(job).map_err(|error| {
            self.counts.waiting.fetch_sub(1, Ordering::Relaxed);
            match error {
                TrySendError::Full(_) => StorageError::Busy,
                TrySendError::Disconnected(_) => StorageError::Failed("writer has stopped".to_owned()),
            }
        })
    }

    /// Lets the queue run empty and waits for the thread to end. Later calls fail.
    pub fn stop(&self) {
        drop(self.sender.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn serve(storage: &dyn Storage, queue: &Receiver<Box<dyn Job>>, clock: &dyn Clock, counts: &WriterCounts) {
    while let Ok(first) = queue.recv() {
        let started = clock.ticks_us();
        let mut first = Some(first);
        let mut batch: Vec<Box<dyn Job>> = Vec::new();
        let mut kept = 0u64;
        let written = storage.write(&mut |tx| {
            let mut next = first.take();
            while let Some(mut job) = next {
                kept += u64::from(job.run(tx));
                batch.push(job);
                next = if batch.len() < BATCH_MAX { queue.try_recv().ok() } else { None };
            }
            // Nothing stays: there is nothing to sync.
            if kept == 0 { Err(StorageError::Failed("nothing to write".to_owned())) } else { Ok(()) }
        });
        // The transaction could not even begin.
        batch.extend(first.take());
        counts.waiting.fetch_sub(batch.len() as u64, Ordering::Relaxed);
        if written.is_ok() {
            counts.commits.fetch_add(1, Ordering::Relaxed);
            counts.jobs.fetch_add(kept, Ordering::Relaxed);
        } else if kept > 0 {
            tracing::warn!(jobs = kept, "commit failed");
        }
        for job in batch {
            job.done(written.as_ref().map_err(again).copied());
        }
        counts.busy_us.fetch_add(clock.ticks_us().saturating_sub(started), Ordering::Relaxed);
    }
}

/// The same failure for each of those that shared the transaction.
fn again(error: &StorageError) -> StorageError {
    match error {
        StorageError::Full => StorageError::Full,
        StorageError::Busy => StorageError::Busy,
        StorageError::NewerSchema { found, known } => {
            StorageError::NewerSchema { found: *found, known: *known }
        }
        StorageError::Damaged { what } => StorageError::Damaged { what },
        StorageError::Failed(reason) => StorageError::Failed(reason.clone()),
    }
}
