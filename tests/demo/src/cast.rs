//! Who plays: eight people with a phone each, and the grids that they hold.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use gridwalk_device::{DeviceError, Status, Store};
use gridwalk_harness::flaky::FlakyProxy;
use gridwalk_harness::office::Office;
use gridwalk_harness::phone::Phone;
use gridwalk_harness::seeded::Seeded;
use gridwalk_model::policy::Role;
use gridwalk_model::{DeviceId, RecordId, Timestamp};

use crate::acts::{self, Acting};
use crate::error::{DemoError, Played};
use crate::promises::Promises;

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
        let phone = Phone::enrol(&code, &folder, &url, &office.enrolment_code(user)?).await?;
        let (device, _) = phone.identity().await?;
        let seeded = Seeded::for_subject(seed, &code);
        Ok(Self { name: name.to_owned(), code, user, device, grid: grid.clone(), phone, network, seeded })
    }

    /// Does an act on the phone and writes down what the phone acknowledged.
    ///
    /// # Errors
    /// What the act fails with.
    pub async fn act<T: Send + 'static>(
        &self,
        promises: &mut Promises,
        work: impl FnOnce(&mut Acting<'_, '_, '_>) -> Result<T, DeviceError> + Send + 'static,
    ) -> Played<T> {
        let (value, written) = self.read(move |store, now| acts::act(store, now, work)).await?;
        promises.note(self.device, written);
        Ok(value)
    }

    /// Runs something with the phone's store.
    ///
    /// # Errors
    /// What it fails with.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store, Timestamp) -> Result<T, DeviceError> + Send + 'static,
    ) -> Played<T> {
        let outcome = self.phone.device().with_store(work).await;
        outcome.map_err(|error| DemoError::from(self.phone.failed()(error)))
    }

    /// How things stand on the phone.
    ///
    /// # Errors
    /// Failures of the store.
    pub async fn status(&self) -> Played<Status> {
        let status = self.phone.device().status().await;
        status.map_err(|error| DemoError::from(self.phone.failed()(error)))
    }
}
