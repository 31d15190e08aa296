//! Being told of changes: the current state at once, then each change, until cancelled.
//!
//! A listener names a query. Each time something may have changed (a write of this process, news of synchronisation,
//! at most ten times a second) the query is asked again, and its answer is delivered if it differs from the last one
//! delivered. Whoever is slow gets the latest state, not every state in between.
//!
//! Callbacks of a device run on one thread of its own, one after the other and with no lock held: they may take their
//! time, and may call back in. What they throw is logged and passed over.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gridwalk_device::Device as CoreDevice;
use gridwalk_device::work::doors::{Board, DoorSheet};
use gridwalk_device::work::events::{DraftTray, EventStory, MyReport, NotSent};
use gridwalk_device::work::patrols::PatrolNow;
use gridwalk_device::work::today::Today;
use gridwalk_device::work::tray::TrayItem;
use gridwalk_model::RecordId;
use gridwalk_model::geo::LatLon;
use tokio::sync::watch;

use crate::checklists::InspectionSession;
use crate::device::{Device, SyncStatus};
use crate::dispatch::Dispatcher;
use crate::error::GridwalkError;
use crate::gate::{Bears, Gate, Phase};
use crate::mirror::{limit, many};
use crate::records::{RecordConflict, RecordEntry, RecordPage};
use crate::schema::kind_of;
use crate::search::FoundPage;
use crate::traits::PlatformError;

/// At most this often a query is asked again.
const PACE: Duration = Duration::from_millis(100);

/// What is to be observed.
#[derive(Clone, Debug, PartialEq, uniffi::Enum)]
pub enum Query {
    /// How synchronisation stands.
    Status,
    /// One record.
    Record {
        /// Which.
        id: RecordId,
    },
    /// The first page of the records of a kind.
    Records {
        /// The word for the kind.
        kind: String,
        /// At most so many, 1,000 at most.
        limit: u32,
    },
    /// The first page of what a search finds.
    Search {
        /// What is looked for.
        text: String,
        /// Of these kinds; empty for all.
        kinds: Vec<String>,
        /// At most so many, 1,000 at most.
        limit: u32,
    },
    /// Every field in conflict.
    Conflicts,
    /// The tray.
    Tray,
    /// What is due.
    Today {
        /// Where the phone is.
        here: Option<LatLon>,
        /// At most so many lines.
        limit: u32,
    },
    /// The board of a building.
    Board {
        /// The estate.
        estate: String,
        /// The building.
        building: String,
    },
    /// One door.
    Door {
        /// The dwelling.
        dwelling: RecordId,
    },
    /// The worker's reports.
    MyReports {
        /// At most so many.
        limit: u32,
    },
    /// The story of an event.
    EventStory {
        /// Which.
        event: RecordId,
    },
    /// Drafts and what else is left at the end of a shift.
    Drafts,
    /// Reports that the server does not have.
    NotSent,
    /// An inspection.
    Inspection {
        /// Which.
        inspection: RecordId,
    },
    /// The patrol under way.
    Patrol,
}

/// The answer to the query of the same name.
#[derive(Clone, Debug, PartialEq, uniffi::Enum)]
pub enum Snapshot {
    /// How synchronisation stands.
    Status {
        /// The status.
        status: SyncStatus,
    },
    /// One record.
    Record {
        /// The record; none if it is not here.
        entry: Option<RecordEntry>,
    },
    /// Records of a kind.
    Records {
        /// The first page.
        page: RecordPage,
    },
    /// What was found.
    Search {
        /// The first page.
        page: FoundPage,
    },
    /// Fields in conflict.
    Conflicts {
        /// All of them.
        conflicts: Vec<RecordConflict>,
    },
    /// The tray.
    Tray {
        /// Its items.
        items: Vec<TrayItem>,
    },
    /// What is due.
    Today {
        /// The list.
        today: Today,
    },
    /// The board of a building.
    Board {
        /// The board.
        board: Board,
    },
    /// One door.
    Door {
        /// The door.
        sheet: DoorSheet,
    },
    /// The worker's reports.
    MyReports {
        /// The latest first.
        reports: Vec<MyReport>,
    },
    /// The story of an event.
    EventStory {
        /// The story.
        story: EventStory,
    },
    /// Drafts.
    Drafts {
        /// What is left.
        tray: DraftTray,
    },
    /// Reports that the server does not have.
    NotSent {
        /// The urgent first.
        reports: Vec<NotSent>,
    },
    /// An inspection.
    Inspection {
        /// How it stands.
        session: InspectionSession,
    },
    /// The patrol under way.
    Patrol {
        /// The patrol; none if there is none.
        patrol: Option<PatrolNow>,
    },
}

/// Is told of changes. Called from the device's own thread for callbacks, one call after the other.
#[uniffi::export(foreign)]
pub trait Listener: Send + Sync {
    /// The current state at first, then each state that differs from the last one told.
    fn changed(&self, snapshot: Snapshot) -> Result<(), PlatformError>;

    /// The query could not be answered. It is asked again at the next change; after `Closed` nothing follows.
    fn failed(&self, error: GridwalkError) -> Result<(), PlatformError>;
}

enum Delivery {
    Changed(Box<Snapshot>),
    Failed(GridwalkError),
}

#[derive(Default)]
struct Slot {
    listener: Option<Arc<dyn Listener>>,
    /// The latest that was not delivered yet: a slow listener misses what lies in between.
    next: Option<Delivery>,
}

/// A listener with what waits for it.
struct Subscription {
    slot: Mutex<Slot>,
    cancelled: watch::Sender<bool>,
    running: watch::Sender<bool>,
    dispatcher: Arc<Dispatcher>,
    open: watch::Sender<u32>,
}

impl Subscription {
    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn offer(self: &Arc<Self>, delivery: Delivery) {
        let queued = self.slot().next.replace(delivery).is_some();
        if !queued {
            let this = Arc::clone(self);
            self.dispatcher.post(move || this.deliver());
        }
    }

    /// On the dispatcher. The lock is held for taking only.
    fn deliver(&self) {
        let mut slot = self.slot();
        let (Some(listener), Some(delivery)) = (slot.listener.clone(), slot.next.take()) else { return };
        self.running.send_replace(true);
        drop(slot);
        let heard = match delivery {
            Delivery::Changed(snapshot) => listener.changed(*snapshot),
            Delivery::Failed(error) => listener.failed(error),
        };
        if heard.is_err() {
            tracing::warn!("a listener threw");
        }
        drop(listener);
        self.running.send_replace(false);
    }

    /// Releases the listener: no call begins from now on.
    fn cancel(&self) {
        let released = std::mem::take(&mut *self.slot());
        if released.listener.is_some() {
            self.open.send_modify(|open| *open -= 1);
        }
        self.cancelled.send_replace(true);
        // Outside of the lock: releasing the shell's object may call back.
        drop(released);
    }
}

/// An observation under way. It ends with `cancel`, with the device, or when this object is released.
#[derive(uniffi::Object)]
pub struct Observation(Arc<Subscription>);

impl Drop for Observation {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

#[uniffi::export(async_runtime = "tokio")]
impl Observation {
    /// Ends it and releases the listener. After this returns no new call begins; one that has begun may still be
    /// running on its thread. May be called from anywhere, also from within a call of the listener, and more than once.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// As `cancel`, and returns when no call is running any more. Not to be waited for within a call of the listener.
    pub async fn cancel_and_wait(&self) {
        self.0.cancel();
        // The sender is here: waiting cannot fail.
        let _ = self.0.running.subscribe().wait_for(|running| !running).await;
    }

    /// Whether it has ended.
    pub fn is_cancelled(&self) -> bool {
        *self.0.cancelled.borrow()
    }
}

/// What tells the observations of a device that something may have changed.
pub(crate) struct Hub {
    changes: watch::Sender<u64>,
    dispatcher: Arc<Dispatcher>,
    open: watch::Sender<u32>,
}

impl Hub {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            changes: watch::Sender::new(0),
            dispatcher: Arc::new(Dispatcher::start("gridwalk-callbacks", None)),
            open: watch::Sender::new(0),
        })
    }

    pub(crate) fn changed(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }
}

/// Asks and delivers until cancelled or closed.
async fn observe(core: CoreDevice, gate: Arc<Gate>, query: Query, to: Arc<Subscription>, hub: Arc<Hub>) {
    let (mut changes, mut status) = (hub.changes.subscribe(), core.watch_status());
    let mut cancelled = to.cancelled.subscribe();
    drop(hub);
    let mut last: Option<Result<Snapshot, GridwalkError>> = None;
    loop {
        changes.mark_unchanged();
        status.mark_unchanged();
        let asked = gate.run(Bears::Finishing, answer(core.clone(), query.clone())).await;
        match asked {
            Err(GridwalkError::Paused { .. }) => {}
            Err(error @ GridwalkError::Closed { .. }) => {
                to.offer(Delivery::Failed(error));
                break;
            }
            told if last.as_ref() == Some(&told) => {}
            told => {
                to.offer(match &told {
                    Ok(snapshot) => Delivery::Changed(Box::new(snapshot.clone())),
                    Err(error) => Delivery::Failed(error.clone()),
                });
                last = Some(told);
            }
        }
        tokio::select! {
            _ = cancelled.wait_for(|cancelled| *cancelled) => break,
            () = next_change(&gate, &mut changes, &mut status) => {}
        }
    }
}

/// When it is worth asking again: something changed, and the device is open or closed.
async fn next_change(
    gate: &Gate,
    changes: &mut watch::Receiver<u64>,
    status: &mut watch::Receiver<gridwalk_device::Status>,
) {
    tokio::time::sleep(PACE).await;
    tokio::select! {
        _ = changes.changed() => {}
        Ok(()) = status.changed() => {}
        () = gate.until(Phase::Closing) => return,
    }
    gate.until_not_paused().await;
}

async fn answer(core: CoreDevice, query: Query) -> Result<Snapshot, GridwalkError> {
    Ok(match query {
        Query::Status => Snapshot::Status { status: core.status().await?.into() },
        Query::Record { id } => {
            let found = core.with_store(move |store, _| store.get_fields(id)).await?;
            Snapshot::Record { entry: found.map(|(kind, entry)| RecordEntry::of(&kind, entry)) }
        }
        Query::Records { kind, limit: most } => {
            Snapshot::Records { page: RecordPage::read(&core, kind_of(&kind)?, None, limit(most)).await? }
        }
        Query::Search { text, kinds, limit: most } => {
            let kinds = kinds.iter().map(|kind| kind_of(kind)).collect::<Result<Vec<_>, _>>()?;
            Snapshot::Search { page: core.search(&text, &kinds, None, limit(most)).await?.into() }
        }
        Query::Conflicts => Snapshot::Conflicts { conflicts: many(core.conflicts().await?) },
        Query::Tray => Snapshot::Tray { items: core.tray().await? },
        Query::Today { here, limit: most } => Snapshot::Today { today: core.today(here, limit(most)).await? },
        Query::Board { estate, building } => Snapshot::Board { board: core.board(&estate, &building).await? },
        Query::Door { dwelling } => Snapshot::Door { sheet: core.door(dwelling).await? },
        Query::MyReports { limit: most } => {
            Snapshot::MyReports { reports: core.my_reports(limit(most)).await? }
        }
        Query::EventStory { event } => Snapshot::EventStory { story: core.event_story(event).await? },
        Query::Drafts => Snapshot::Drafts { tray: core.draft_tray().await? },
        Query::NotSent => Snapshot::NotSent { reports: core.not_sent().await? },
        Query::Inspection { inspection } => {
            Snapshot::Inspection { session: core.inspection_session(inspection).await?.into() }
        }
        Query::Patrol => {
            Snapshot::Patrol { patrol: core.patrol_now(gridwalk_model::walk::PatrolRules::default()).await? }
        }
    })
}

#[uniffi::export(async_runtime = "tokio")]
impl Device {
    /// Observes a query: the listener is told the current state at once, then each change, until the returned object is
    /// cancelled or released, or the device is closed. Throws `Closed`. Keep the returned object: releasing it ends the
    /// observation.
    pub async fn observe(
        &self,
        query: Query,
        listener: Arc<dyn Listener>,
    ) -> Result<Arc<Observation>, GridwalkError> {
        if self.gate.phase() >= Phase::Closing {
            return Err(GridwalkError::closed());
        }
        self.hub.open.send_modify(|open| *open += 1);
        let subscription = Arc::new(Subscription {
            slot: Mutex::new(Slot { listener: Some(listener), next: None }),
            cancelled: watch::Sender::new(false),
            running: watch::Sender::new(false),
            dispatcher: Arc::clone(&self.hub.dispatcher),
            open: self.hub.open.clone(),
        });
        let observation = Arc::new(Observation(Arc::clone(&subscription)));
        let work = observe(self.core(), Arc::clone(&self.gate), query, subscription, Arc::clone(&self.hub));
        tokio::spawn(work);
        Ok(observation)
    }

    /// How many observations hold a listener: for tests that nothing is left over.
    pub fn open_observations(&self) -> u32 {
        *self.hub.open.borrow()
    }
}
