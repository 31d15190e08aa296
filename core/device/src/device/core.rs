//! The thread that owns store and engine.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};

use gridwalk_model::Timestamp;
use tokio::sync::{mpsc as async_mpsc, oneshot, watch};

use crate::clock::Clock;
use crate::error::DeviceError;
use crate::keeping::WIPE;
use crate::keys::KeyStore;
use crate::store::{Setting, Store};
use crate::sync::{Effect, Engine, Event, Status};

/// At most this often a status is published, in milliseconds.
const PUBLISH_MS: i64 = 100;

type Job = Box<dyn FnOnce(&mut Core) + Send>;

/// What lives on the thread.
pub(super) struct Core {
    store: Store,
    engine: Engine,
    clock: Arc<dyn Clock>,
    effects: async_mpsc::UnboundedSender<Effect>,
    status: watch::Sender<Status>,
    published: Timestamp,
    stale: bool,
    /// Callers of `sync` that wait for the engine to come to rest.
    waiting: Vec<oneshot::Sender<Result<Status, DeviceError>>>,
    /// The end was asked for.
    stopped: bool,
    /// The deployment had this device wiped.
    wiped: bool,
    /// The app is locked: nobody reads or edits until it is unlocked.
    locked: bool,
    /// The app is suspended, or about to be: nothing touches the store until it goes on.
    paused: bool,
    /// What happened meanwhile, to be told to the engine then: the ends of what was cancelled, the last word of an
    /// upload, a timer.
    deferred: Vec<Event>,
}

/// A handle to the thread.
#[derive(Clone)]
pub(super) struct CoreThread {
    jobs: mpsc::Sender<Job>,
    /// `None` once somebody has seen it end.
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

type Started = (CoreThread, async_mpsc::UnboundedReceiver<Effect>, watch::Receiver<Status>);

/// For whom a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gate {
    /// Whoever looks at the screen.
    Screen,
    /// The worker, who need not look: what a camera or a walk brings.
    Worker,
    /// The core itself.
    Core,
}

impl Core {
    /// Why nothing is done for these at present.
    fn refused(&self, gate: Gate) -> Option<DeviceError> {
        if self.paused {
            return Some(DeviceError::Paused);
        }
        if gate != Gate::Core && self.engine.is_locked() {
            return Some(DeviceError::Revoked);
        }
        (gate == Gate::Screen && self.locked).then_some(DeviceError::Locked)
    }
}

/// Deletes everything in the store's folder, then the platform's key: the other way round, a loss of power in between
/// would leave files that nobody can open to go on.
fn wipe(store: Store, key_store: &dyn KeyStore) {
    store.wipe();
    // A key that cannot be deleted has nothing left to open.
    let _ = key_store.delete();
}

impl CoreThread {
    /// Starts the thread. It ends with its last handle, or by [`Self::stop`].
    pub(super) fn start(
        store: Store,
        mut engine: Engine,
        clock: Arc<dyn Clock>,
        key_store: Arc<dyn KeyStore>,
    ) -> Result<Started, DeviceError> {
        let (jobs, inbox) = mpsc::channel::<Job>();
        let (effects, outgoing) = async_mpsc::unbounded_channel();
        if store.view().get_number(Setting::Locked)? == Some(WIPE) {
            // The power failed between the order and its end.
            wipe(store, key_store.as_ref());
            return Err(DeviceError::Wiped);
        }
        engine.recall_lock(&store)?;
        let now = clock.now();
        let (status, watching) = watch::channel(engine.status(&store, now)?);
        let mut core = Core {
            store,
            engine,
            clock,
            effects,
            status,
            published: now,
            stale: false,
            waiting: Vec::new(),
            stopped: false,
            wiped: false,
            locked: false,
            paused: false,
            deferred: Vec::new(),
        };
        let thread = thread::Builder::new().name("gridwalk-store".into()).spawn(move || {
            while let Ok(job) = inbox.recv() {
                job(&mut core);
                core.publish();
                if core.stopped || core.wiped {
                    break;
                }
            }
            let Core { store, wiped, .. } = core;
            if wiped {
                wipe(store, key_store.as_ref());
            }
        })?;
        Ok((Self { jobs, thread: Arc::new(Mutex::new(Some(thread))) }, outgoing, watching))
    }

    fn run(&self, job: impl FnOnce(&mut Core) + Send + 'static) -> Result<(), DeviceError> {
        self.jobs.send(Box::new(job)).map_err(|_| DeviceError::Closed)
    }

    /// Work for a screen: refused while the app is locked, and once the deployment has locked the device.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store, Timestamp) -> Result<T, DeviceError> + Send + 'static,
    ) -> Result<T, DeviceError> {
        self.call_through(Gate::Screen, work).await
    }

    /// Work that goes on while the app is locked: it shows nobody anything.
    pub(super) async fn call_behind_lock<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store, Timestamp) -> Result<T, DeviceError> + Send + 'static,
    ) -> Result<T, DeviceError> {
        self.call_through(Gate::Worker, work).await
    }

    /// What the core needs for itself, always but under a pause.
    pub(super) async fn call_inside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store, Timestamp) -> Result<T, DeviceError> + Send + 'static,
    ) -> Result<T, DeviceError> {
        self.call_through(Gate::Core, work).await
    }

    /// Locks the app, or unlocks it. What was asked for before is answered before.
    pub(super) async fn set_locked(&self, locked: bool) -> Result<(), DeviceError> {
        let (answer, answered) = oneshot::channel();
        self.run(move |core| {
            core.locked = locked;
            let _ = answer.send(());
        })?;
        answered.await.map_err(|_| DeviceError::Closed)
    }

    pub(super) async fn is_locked(&self) -> Result<bool, DeviceError> {
        let (answer, answered) = oneshot::channel();
        self.run(move |core| {
            let _ = answer.send(core.locked);
        })?;
        answered.await.map_err(|_| DeviceError::Closed)
    }

    async fn call_through<T: Send + 'static>(
        &self,
        gate: Gate,
        work: impl FnOnce(&mut Store, Timestamp) -> Result<T, DeviceError> + Send + 'static,
    ) -> Result<T, DeviceError> {
        let (answer, answered) = oneshot::channel();
        self.run(move |core| {
            if let Some(refused) = core.refused(gate) {
                let _ = answer.send(Err(refused));
                return;
            }
            let now = core.clock.now();
            let outcome = work(&mut core.store, now);
            core.note(&outcome);
            // The caller may have given up waiting.
            let _ = answer.send(outcome);
        })?;
        answered.await.map_err(|_| DeviceError::Closed)?
    }

    /// Tells the engine something without waiting.
    pub(super) fn post(&self, event: Event) -> Result<(), DeviceError> {
        self.run(move |core| {
            // What fails is in the status, and in the engine's back-off.
            let _ = core.take(event);
        })
    }

    /// Tells the engine something and waits until it has taken it.
    pub(super) async fn event(&self, event: Event) -> Result<(), DeviceError> {
        let (answer, answered) = oneshot::channel();
        self.run(move |core| {
            let _ = answer.send(core.take(event));
        })?;
        answered.await.map_err(|_| DeviceError::Closed)?
    }

    /// Stops the engine, writes everything into the files proper, and touches the store no more until
    /// [`Self::resume`].
    pub(super) async fn pause(&self) -> Result<(), DeviceError> {
        let (answer, answered) = oneshot::channel();
        self.run(move |core| {
            let _ = answer.send(core.pause());
        })?;
        answered.await.map_err(|_| DeviceError::Closed)?
    }

    pub(super) async fn resume(&self) -> Result<(), DeviceError> {
        let (answer, answered) = oneshot::channel();
        self.run(move |core| {
            let _ = answer.send(core.resume());
        })?;
        answered.await.map_err(|_| DeviceError::Closed)?
    }

    pub(super) async fn status(&self) -> Result<Status, DeviceError> {
        let (answer, answered) = oneshot::channel();
        self.run(move |core| {
            let status = match core.refused(Gate::Core) {
                Some(refused) => Err(refused),
                None => core.engine.status(&core.store, core.clock.now()),
            };
            let _ = answer.send(status);
        })?;
        answered.await.map_err(|_| DeviceError::Closed)?
    }

    /// Asks for a synchronisation and waits until the engine is at rest.
    pub(super) async fn sync(&self) -> Result<Status, DeviceError> {
        let (answer, answered) = oneshot::channel();
        self.run(move |core| {
            if let Some(refused) = core.refused(Gate::Core) {
                let _ = answer.send(Err(refused));
                return;
            }
            if core.store.identity().is_none() {
                let _ = answer.send(Err(DeviceError::NotEnrolled));
                return;
            }
            if core.store.is_practice().unwrap_or(false) {
                let _ = answer.send(Err(DeviceError::Practice));
                return;
            }
            match core.take(Event::Sync) {
                Ok(()) => core.waiting.push(answer),
                Err(error) => {
                    let _ = answer.send(Err(error));
                    return;
                }
            }
            core.answer_waiting();
        })?;
        answered.await.map_err(|_| DeviceError::Closed)?
    }

    /// Closes the store and waits until the thread has ended, not only until its work is done: what OpenSSL keeps for a
    /// thread goes when the thread does, and a process that ends at that moment frees it a second time and crashes.
    pub(super) async fn stop(&self) {
        // Fails if it is ending already.
        let _ = self.run(|core| {
            core.stopped = true;
            core.waiting.clear();
        });
        let thread = Arc::clone(&self.thread);
        let ended = tokio::task::spawn_blocking(move || {
            // Whoever else closes waits here.
            let mut thread = thread.lock().unwrap_or_else(PoisonError::into_inner);
            // A thread that panicked has ended as well.
            thread.take().map(JoinHandle::join)
        });
        // Fails if the runtime ends meanwhile, and whoever waits with it.
        let _ = ended.await;
    }
}

impl Core {
    fn take(&mut self, event: Event) -> Result<(), DeviceError> {
        if self.paused {
            self.deferred.push(event);
            return Ok(());
        }
        self.drive(event)
    }

    fn pause(&mut self) -> Result<(), DeviceError> {
        if self.paused {
            return Ok(());
        }
        let stopped = self.drive(Event::Pause);
        self.publish();
        let drained = self.store.drain();
        // Also where one of them failed: who asked for a pause is about to be suspended.
        self.paused = true;
        stopped.and(drained)
    }

    fn resume(&mut self) -> Result<(), DeviceError> {
        self.paused = false;
        for event in std::mem::take(&mut self.deferred) {
            // What fails is in the status, and in the engine's back-off.
            let _ = self.drive(event);
        }
        self.drive(Event::Resume)
    }

    fn drive(&mut self, event: Event) -> Result<(), DeviceError> {
        let now = self.clock.now();
        let mut effects = Vec::new();
        let outcome = self.engine.drive(event, &mut self.store, now, &mut effects);
        self.note(&outcome);
        for effect in effects {
            self.stale |= matches!(effect, Effect::Changed);
            self.wiped |= effect == Effect::Wipe;
            // The driver is gone when the device is closing.
            let _ = self.effects.send(effect);
        }
        if outcome.is_err() {
            self.stale = true;
        }
        self.answer_waiting();
        outcome
    }

    /// A store that turns out to be damaged is set aside at the next opening.
    fn note<T>(&self, outcome: &Result<T, DeviceError>) {
        if matches!(outcome, Err(DeviceError::Damaged)) {
            // If even this cannot be written, the next opening finds the damage by itself or not at all.
            let _ = self.store.mark_damaged();
        }
    }

    fn answer_waiting(&mut self) {
        let now = self.clock.now();
        if self.waiting.is_empty() || !self.engine.is_at_rest(now) {
            return;
        }
        for waiting in self.waiting.drain(..) {
            let _ = waiting.send(self.engine.status(&self.store, now));
        }
    }

    fn publish(&mut self) {
        if !self.stale || self.paused {
            return;
        }
        let now = self.clock.now();
        let rested = self.engine.is_at_rest(now);
        if !rested && now < self.published.plus_millis(PUBLISH_MS) {
            return;
        }
        if let Ok(status) = self.engine.status(&self.store, now) {
            self.published = now;
            self.stale = false;
            self.status.send_replace(status);
        }
    }
}
