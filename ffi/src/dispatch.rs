//! A thread on which the shell's callbacks run, one after the other, with no lock held: so they may block, and may call
//! back in.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;

type Job = Box<dyn FnOnce() + Send>;

enum Queue {
    Free(mpsc::Sender<Job>),
    Bounded(mpsc::SyncSender<Job>),
}

/// A handle to the thread, which ends when the handle goes and what was posted is done.
pub(crate) struct Dispatcher(Queue);

impl Dispatcher {
    /// Starts the thread; with a bound, jobs beyond it are dropped.
    pub(crate) fn start(name: &str, bound: Option<usize>) -> Self {
        let (queue, jobs) = match bound {
            Some(bound) => {
                let (sender, jobs) = mpsc::sync_channel(bound);
                (Queue::Bounded(sender), jobs)
            }
            None => {
                let (sender, jobs) = mpsc::channel();
                (Queue::Free(sender), jobs)
            }
        };
        let run = move || {
            while let Ok(job) = jobs.recv() {
                let job: Job = job;
                // A bug in one callback's conversion must not silence all others.
                let _ = catch_unwind(AssertUnwindSafe(job));
            }
        };
        // Without a thread (the system has none left) the jobs go nowhere, which their posters bear.
        let _ = thread::Builder::new().name(name.to_owned()).spawn(run);
        Self(queue)
    }

    pub(crate) fn post(&self, job: impl FnOnce() + Send + 'static) {
        // Fails if the thread is gone or too much waits: see `start`.
        let _ = match &self.0 {
            Queue::Free(sender) => sender.send(Box::new(job)).is_ok(),
            Queue::Bounded(sender) => sender.try_send(Box::new(job)).is_ok(),
        };
    }
}
