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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Stored;
    use crate::storage::sqlite::{SqliteOptions, SqliteStorage};
    use crate::testing::{BIRTH, TestClock};

    fn store() -> Arc<dyn Storage> {
        Arc::new(SqliteStorage::in_memory(&SqliteOptions::default(), &BIRTH).unwrap())
    }

    fn name(tx: &mut dyn WriteTx, name: &str) -> Stored<u64> {
        tx.set_server_name(name)?;
        Ok(tx.commit_no())
    }

    #[tokio::test]
    async fn jobs_that_queue_during_a_commit_share_the_next() {
        let storage = store();
        let writer = Arc::new(Writer::start(Arc::clone(&storage), Arc::new(TestClock::at(0))).unwrap());
        let (entered, mut waiting) = tokio::sync::mpsc::unbounded_channel();
        let (go, gate) = std::sync::mpsc::channel::<()>();
        let first = {
            let writer = Arc::clone(&writer);
            tokio::spawn(async move {
                writer
                    .run(move |tx| {
                        entered.send(()).unwrap();
                        gate.recv().unwrap();
                        name(tx, "first")
                    })
                    .await
            })
        };
        waiting.recv().await.unwrap();
        let queued: Vec<_> = (0..5).map(|_| Box::pin(writer.run(|tx| name(tx, "queued")))).collect();
        let mut together = Box::pin(futures_util::future::join_all(queued));
        // Polled once: all five are in the queue.
        assert!(futures_util::FutureExt::now_or_never(&mut together).is_none());
        go.send(()).unwrap();
        assert_eq!(first.await.unwrap().unwrap(), 1);
        for commit in together.await {
            assert_eq!(commit.unwrap(), 1, "the first job's transaction was still open");
        }
        assert_eq!(writer.counts().commits.load(Ordering::Relaxed), 1);
        assert_eq!(writer.counts().waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_job_that_fails_or_panics_is_undone_alone() {
        let storage = store();
        let writer = Writer::start(Arc::clone(&storage), Arc::new(TestClock::at(0))).unwrap();
        let good = writer.run(|tx| name(tx, "good"));
        let bad = writer.run(|tx| {
            name(tx, "bad")?;
            Err::<(), _>(StorageError::Damaged { what: "test" })
        });
        let ugly = writer.run(|tx| {
            name(tx, "ugly")?;
            if tx.commit_no() > 0 {
                panic!("on purpose");
            }
            Ok::<_, StorageError>(())
        });
        let (good, bad, ugly) = tokio::join!(good, bad, ugly);
        assert!(good.is_ok());
        assert!(matches!(bad, Err(StorageError::Damaged { .. })));
        assert!(matches!(ugly, Err(StorageError::Failed(_))));
        assert_eq!(storage.view(|tx| tx.server()).unwrap().name, "good");
        assert!(writer.run(|tx| name(tx, "after")).await.is_ok());
    }

    #[tokio::test]
    async fn a_full_queue_says_busy_and_a_stopped_writer_says_so() {
        let writer = Arc::new(Writer::start(store(), Arc::new(TestClock::at(0))).unwrap());
        let (entered, mut waiting) = tokio::sync::mpsc::unbounded_channel();
        let (go, gate) = std::sync::mpsc::channel::<()>();
        let held = Arc::clone(&writer);
        let first = tokio::spawn(async move {
            held.run(move |_| {
                entered.send(()).unwrap();
                gate.recv().unwrap();
                Ok::<_, StorageError>(())
            })
            .await
        });
        waiting.recv().await.unwrap();
        let mut queued: Vec<_> = (0..=QUEUE).map(|_| Box::pin(writer.run(|tx| name(tx, "x")))).collect();
        let refused = queued
            .iter_mut()
            .filter_map(futures_util::FutureExt::now_or_never)
            .filter(|answer| matches!(answer, Err(StorageError::Busy)))
            .count();
        assert_eq!(refused, 1);
        go.send(()).unwrap();
        first.await.unwrap().unwrap();
        writer.stop();
        assert!(writer.run(|tx| name(tx, "late")).await.is_err());
    }

    /// A store whose commits fail once.
    struct FailsOnce(SqliteStorage, std::sync::atomic::AtomicBool);

    impl Storage for FailsOnce {
        fn read(&self, work: &mut crate::storage::ReadWork<'_>) -> Stored<()> {
            self.0.read(work)
        }

        fn write(&self, work: &mut crate::storage::WriteWork<'_>) -> Stored<()> {
            self.0.write(&mut |tx| {
                work(tx)?;
                if self.1.swap(false, Ordering::SeqCst) { Err(StorageError::Full) } else { Ok(()) }
            })
        }

        fn back_up(&self, target: &std::path::Path) -> Stored<u64> {
            self.0.back_up(target)
        }

        fn checkpoint(&self) -> Stored<()> {
            self.0.checkpoint()
        }
    }

    #[tokio::test]
    async fn nothing_is_acknowledged_if_the_commit_fails() {
        let inner = SqliteStorage::in_memory(&SqliteOptions::default(), &BIRTH).unwrap();
        let storage: Arc<dyn Storage> = Arc::new(FailsOnce(inner, true.into()));
        let writer = Writer::start(Arc::clone(&storage), Arc::new(TestClock::at(0))).unwrap();
        let lost = writer.run(|tx| name(tx, "lost")).await;
        assert!(matches!(lost, Err(StorageError::Full)));
        assert_eq!(storage.view(|tx| tx.server()).unwrap().name, "Gridwalk");
        assert_eq!(writer.run(|tx| name(tx, "kept")).await.unwrap(), 1);
    }
}
