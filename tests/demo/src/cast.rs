//! Who plays: eight people with a phone each, and the grids that they hold.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use gridwalk_device::{Clock, Device, DeviceError, DeviceOptions, Status, Store, SystemClock};
use gridwalk_harness::flaky::FlakyProxy;
use gridwalk_harness::office::Office;
use gridwalk_harness::phone::Phone;
use gridwalk_harness::seeded::Seeded;
use gridwalk_model::policy::Role;
use gridwalk_model::{DeviceId, RecordId, Timestamp};

use crate::error::{DemoError, Played};
use crate::kept;
use crate::promises::Written;

/// Phones of the day.
pub const PHONES: usize = 8;
/// Which grid each of them holds, counted from 0: two share the first and two the second.
pub const GRID_OF: [usize; PHONES] = [0, 0, 1, 1, 2, 3, 4, 5];

const NAMES: [&str; PHONES] = [
    "王小甲（虚构）",
    "李小乙（虚构）",
    "张小丙（虚构）",
    "刘小丁（虚构）",
    "陈小戊（虚构）",
    "杨小己（虚构）",
    "赵小庚（虚构）",
    "周小辛（虚构）",
];

/// A grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Its record.
    pub id: RecordId,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
}

/// How long a phone of the demo waits for a network that stands still: less than others, as somebody watches.
const STALL: Duration = Duration::from_secs(5);

/// A phone's clock: the system's, which the demo sets back while it replays a walk, so that an hour's walk takes no
/// hour. Clones tell the same time.
#[derive(Clone, Debug, Default)]
pub struct PhoneClock(Arc<AtomicI64>);

impl PhoneClock {
    /// Shows a time so long ago, in milliseconds; 0 sets it right.
    pub fn set_back(&self, millis: i64) {
        self.0.store(-millis, Ordering::SeqCst);
    }
}

impl Clock for PhoneClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_millis(self.0.load(Ordering::SeqCst))
    }
}

/// How a phone of the demo is opened.
fn settings(clock: &PhoneClock) -> impl FnOnce(&mut DeviceOptions) + use<> {
    let clock = Arc::new(clock.clone());
    |options| {
        options.clock = clock;
        options.http.stall = STALL;
    }
}

/// A person with a phone.
pub struct Worker {
    /// Made-up name.
    pub name: String,
    /// `W01` to `W08`: what stands on photos and in event numbers.
    pub code: String,
    /// The person.
    pub user: RecordId,
    /// The device.
    pub device: DeviceId,
    /// Their grid.
    pub grid: Grid,
    /// Their phone.
    pub phone: Phone,
    /// Its clock.
    pub clock: PhoneClock,
    /// The network between the phone and the server.
    pub network: FlakyProxy,
    /// What they do follows from it.
    pub seeded: Seeded,
}

impl Worker {
    /// Adds a person at the office, gives them a grid, and enrols their phone through a network of its own.
    ///
    /// # Errors
    /// Failures of office or phone.
    pub async fn hire(
        index: usize,
        office: &Office,
        grid: &Grid,
        server: SocketAddr,
        home: &Path,
        seed: u64,
    ) -> Played<Self> {
        let name = NAMES.get(index).copied().unwrap_or("无名（虚构）");
        let code = format!("W{:02}", index + 1);
        let last = index + 1 == PHONES;
        let roles: &[Role] = if last { &[Role::Gridworker, Role::GridLeader] } else { &[Role::Gridworker] };
        let user = office.add_person(name, roles, None)?;
        office.assign(user, grid.id)?;
        let network = FlakyProxy::start(server, seed ^ index as u64)?;
        let url = format!("http://{}", network.address());
        let folder: PathBuf = home.join(&code);
        let clock = PhoneClock::default();
        let phone = Phone::open_with(&code, &folder, settings(&clock)).await?;
        phone.join(&url, &office.enrolment_code(user)?).await?;
        let (device, _) = phone.identity().await?;
        let seeded = Seeded::for_subject(seed, &code);
        let (name, grid) = (name.to_owned(), grid.clone());
        Ok(Self { name, code, user, device, grid, phone, clock, network, seeded })
    }

    /// The phone's core, as its app calls it.
    pub fn device(&self) -> &Device {
        self.phone.device()
    }

    /// What a call to the core came to; a failure names the phone.
    ///
    /// # Errors
    /// The call's.
    pub fn told<T>(&self, outcome: Result<T, DeviceError>) -> Played<T> {
        outcome.map_err(|error| DemoError::from(self.phone.failed()(error)))
    }

    /// Opens the phone again after it was closed.
    ///
    /// # Errors
    /// A store that does not open.
    pub async fn reopen(&mut self) -> Played<()> {
        self.phone = Phone::open_with(&self.code, self.phone.folder(), settings(&self.clock)).await?;
        Ok(())
    }

    /// Everything of this phone that waits to be sent.
    ///
    /// # Errors
    /// Failures of the store.
    pub async fn unsent(&self) -> Played<Written> {
        self.told(kept::unsent(self.device(), self.device).await)
    }

    /// Runs something with the phone's store.
    ///
    /// # Errors
    /// What it fails with.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store, Timestamp) -> Result<T, DeviceError> + Send + 'static,
    ) -> Played<T> {
        self.told(self.device().with_store(work).await)
    }

    /// How things stand on the phone.
    ///
    /// # Errors
    /// Failures of the store.
    pub async fn status(&self) -> Played<Status> {
        self.told(self.device().status().await)
    }
}
