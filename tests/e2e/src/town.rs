//! A made-up town: a server process on a fresh data folder with a few grids, people and their phones.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gridwalk_device::Status;
use gridwalk_harness::district::{District, Plan};
use gridwalk_harness::office::Office;
use gridwalk_harness::phone::Phone;
use gridwalk_harness::server::{ServerProcess, run_command};
use gridwalk_model::policy::Role;
use gridwalk_model::{Fields, Kind, RecordId, StreamId, Value};
use tempfile::TempDir;

use crate::stranger::Stranger;

/// How often a phone tries to settle before a test fails.
const TRIES: u32 = 12;

/// How long a phone may take to come to rest before a test that would hang fails instead.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server, and the folder in which everything of a test lives.
pub struct Town {
    folder: TempDir,
    server: Option<ServerProcess>,
    address: SocketAddr,
    grids: Vec<RecordId>,
}

impl Town {
    /// Starts a server on an empty folder and imports a district of eight grids.
    pub fn start() -> Self {
        Self::start_with(|_| {})
    }

    /// The same, with something to be done to the data folder before.
    pub fn start_with(prepare: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("server");
        prepare(&data);
        let server = ServerProcess::start(&data).expect("the server starts");
        let address = server.address();
        let plan = Plan { ledger_grids: 0, ..Plan::small(1) };
        let files = District::make(plan).write(&folder.path().join("district")).expect("a district");
        let mut town = Self { folder, server: Some(server), address, grids: Vec::new() };
        let import = ["import", "areas", "--datum", "wgs84", "--data"].map(OsStr::new);
        town.command(&[&import[..], &[data.as_os_str(), files.areas.as_os_str()]].concat());
        let areas = town.office().areas().expect("the areas");
        town.grids = areas.into_values().filter(|area| area.level == "grid").map(|area| area.id).collect();
        town
    }

    /// Runs a command of the server's; returns what it printed.
    pub fn command(&self, arguments: &[&OsStr]) -> String {
        run_command(arguments).expect("the command succeeds")
    }

    /// A folder of this test.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The server's data folder.
    pub fn data(&self) -> PathBuf {
        self.path("server")
    }

    /// The serving process.
    pub fn server(&self) -> &ServerProcess {
        self.server.as_ref().expect("the server runs")
    }

    /// Where it listens, or did.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address for a phone.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Kills the server as a power cut would.
    pub fn kill(&mut self) {
        self.server.take().expect("the server runs").kill().expect("it can be killed");
    }

    /// Asks the server to end.
    pub fn stop(&mut self) {
        self.server.take().expect("the server runs").stop().expect("it ends well");
    }

    /// Takes the process out, for somebody else to kill; [`Self::restart`] makes another.
    pub fn take_server(&mut self) -> ServerProcess {
        self.server.take().expect("the server runs")
    }

    /// Takes the process back that [`Self::take_server`] gave out.
    pub fn give_back(&mut self, server: ServerProcess) {
        self.server = Some(server);
    }

    /// Starts the server again where it was.
    pub fn restart(&mut self) {
        assert!(self.server.is_none(), "the server runs already");
        let server = ServerProcess::start_at(&self.data(), self.address).expect("the server starts again");
        self.server = Some(server);
    }

    /// The server's store, from outside. Let go of it before the data folder is moved.
    pub fn office(&self) -> Office {
        Office::open(&self.data()).expect("the store opens")
    }

    /// A grid.
    pub fn grid(&self, index: usize) -> RecordId {
        self.grids[index]
    }

    /// A gridworker who holds these grids.
    pub fn gridworker(&self, name: &str, grids: &[usize]) -> RecordId {
        self.person(name, &[Role::Gridworker], grids)
    }

    /// Somebody with these roles who holds these grids.
    pub fn person(&self, name: &str, roles: &[Role], grids: &[usize]) -> RecordId {
        let office = self.office();
        let person = office.add_person(name, roles, None).expect("a person");
        for grid in grids {
            office.assign(person, self.grid(*grid)).expect("a grid is assigned");
        }
        person
    }

    /// A gridworker's phone, enrolled and settled.
    pub async fn phone(&self, name: &str, grids: &[usize]) -> Phone {
        self.phone_through(&self.url(), name, grids).await
    }

    /// The same, with another way to the server.
    pub async fn phone_through(&self, url: &str, name: &str, grids: &[usize]) -> Phone {
        let person = self.gridworker(name, grids);
        let phone = self.phone_of(url, name, person).await;
        settle(&phone).await;
        phone
    }

    /// A phone for somebody who is there already.
    pub async fn phone_of(&self, url: &str, name: &str, person: RecordId) -> Phone {
        let code = self.office().enrolment_code(person).expect("a code");
        Phone::enrol(name, &self.phone_folder(name), url, &code).await.expect("the phone enrols")
    }

    /// Where a phone has its store.
    pub fn phone_folder(&self, name: &str) -> PathBuf {
        self.path("phones").join(name)
    }

    /// A gridworker whose device speaks the protocol by hand.
    pub fn stranger(&self, name: &str, grids: &[usize]) -> Stranger {
        let person = self.gridworker(name, grids);
        let code = self.office().enrolment_code(person).expect("a code");
        Stranger::enrol(self.address, &code)
    }

    /// Backs up into a folder while the server runs.
    pub fn back_up(&self, to: &Path) {
        let data = self.data();
        let words = ["backup", "--data"].map(OsStr::new);
        self.command(&[&words[..], &[data.as_os_str(), OsStr::new("--to"), to.as_os_str()]].concat());
    }

    /// The actions of the audit log that somebody has to look at.
    pub fn alarms(&self) -> Vec<String> {
        crate::sound::alarms(&self.data())
    }

    /// Fails unless a phone holds exactly what the server holds for it, with nothing waiting.
    pub async fn assert_agrees(&self, phone: &Phone) {
        let status = phone.device().status().await.expect("a status");
        assert!(status.is_settled(), "{}: {status:?}", phone.name());
        assert_eq!((status.totals.held, status.totals.alarms), (0, 0), "{}: {status:?}", phone.name());
        let office = self.office();
        let streams = phone.streams().await.expect("streams");
        assert!(!streams.is_empty(), "{} holds nothing", phone.name());
        for (stream, held) in streams {
            let ours = office.stream(&stream).expect("the store answers");
            let ours = ours.unwrap_or_else(|| panic!("the server has no {stream:?}"));
            assert_eq!(sorted(held.records), sorted(ours.records), "{}: {stream:?}", phone.name());
            assert_eq!(held.digest, ours.digest, "{}: {stream:?}", phone.name());
        }
    }
}

fn sorted<T: Ord + Clone, U: Clone>(mut records: Vec<(T, U)>) -> Vec<(T, U)> {
    records.sort_by(|(a, _), (b, _)| a.cmp(b));
    records
}

/// Synchronises until nothing waits.
pub async fn settle(phone: &Phone) -> Status {
    let Ok(settled) = tokio::time::timeout(PATIENCE, phone.settle(TRIES)).await else {
        panic!("{} does not come to rest: {:?}", phone.name(), phone.device().status().await);
    };
    let settled = settled.expect("the phone works");
    assert!(settled.status.is_settled(), "{}: {:?}", phone.name(), settled.status);
    assert_eq!(settled.status.last_error, None, "{}", phone.name());
    settled.status
}

/// Settles phones one after the other until each has seen what the others did.
pub async fn settle_all(phones: &[&Phone]) {
    for _ in 0..2 {
        for phone in phones {
            settle(phone).await;
        }
    }
}

/// Fields from pairs.
pub fn fields(pairs: &[(&str, Value)]) -> Fields {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

/// A made-up dwelling in a grid.
pub async fn dwelling(phone: &Phone, area: RecordId, room: &str) -> RecordId {
    let fields = fields(&[("area", area.into()), ("estate", "虚构小区".into()), ("room", room.into())]);
    phone.device().create_fields(Kind::Dwelling, fields).await.expect("a dwelling")
}

/// A made-up event in a grid.
pub async fn event(phone: &Phone, area: RecordId, description: &str) -> RecordId {
    let pairs = [
        ("area", area.into()),
        ("category", "fire".into()),
        ("address", "虚构路1号".into()),
        ("description", description.into()),
    ];
    phone.device().create_fields(Kind::Event, fields(&pairs)).await.expect("an event")
}

/// A field of a record as a phone shows it.
pub async fn field(phone: &Phone, record: RecordId, key: &str) -> Option<Value> {
    let key = key.to_owned();
    let read = phone.device().with_store(move |store, _| store.fields(record)).await.expect("a read");
    read.and_then(|(_, fields)| fields.get(&key).cloned())
}

/// Writes one field.
pub async fn set(phone: &Phone, record: RecordId, key: &str, value: impl Into<Value>) {
    let edited = phone.device().edit(record, fields(&[(key, value.into())])).await;
    assert!(edited.expect("the edit is made"), "{key} was so already");
}

/// Whether a phone has a record.
pub async fn has(phone: &Phone, record: RecordId) -> bool {
    phone.device().with_store(move |store, _| store.fields(record)).await.expect("a read").is_some()
}

/// The base stream of a grid.
pub const fn stream_of(area: RecordId) -> StreamId {
    gridwalk_harness::office::base_stream(area)
}
