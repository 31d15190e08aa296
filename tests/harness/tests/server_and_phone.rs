//! The harness on itself: a real server process, a real phone, a network between them.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use gridwalk_device::{DeviceError, DeviceOptions};
use gridwalk_harness::HarnessError;
use gridwalk_harness::district::{District, DistrictFiles, Plan};
use gridwalk_harness::flaky::{FlakyProxy, Weather};
use gridwalk_harness::office::{Office, base_stream};
use gridwalk_harness::phone::Phone;
use gridwalk_harness::server::{ServerProcess, run_command};
use gridwalk_model::policy::Role;
use gridwalk_model::records::Dwelling;
use gridwalk_model::{Fields, Value};

/// Imports areas and ledger by the server's own commands. Returns what the latter prints.
fn import(files: &DistrictFiles, data: &Path, home: &Path) -> Result<String, HarnessError> {
    let at = [OsStr::new("--datum"), OsStr::new("wgs84"), OsStr::new("--data"), data.as_os_str()];
    let areas = [OsStr::new("import"), OsStr::new("areas"), files.areas.as_os_str()];
    let ledger = [OsStr::new("import"), OsStr::new("ledger"), files.ledger.as_os_str()];
    let reports = home.join("reports");
    let report = [OsStr::new("--report"), reports.as_os_str()];
    run_command(&[areas.as_slice(), &at].concat())?;
    run_command(&[ledger.as_slice(), &at, &report].concat())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_survives_a_killed_server_and_is_found_again() {
    let home = tempfile::tempdir().unwrap();
    let files = District::make(Plan::small(7)).write(&home.path().join("district")).unwrap();
    let data = home.path().join("server");
    let server = ServerProcess::start(&data).unwrap();
    assert!(import(&files, &data, home.path()).unwrap().contains("dwellings: 48 new"));

    let office = Office::open(&data).unwrap();
    let grid = office.areas().unwrap()["990100001001001"].clone();
    assert_eq!(grid.level, "grid");
    let person = office.add_person("测试员（虚构）", &[Role::Gridworker], None).unwrap();
    office.assign(person, grid.id).unwrap();
    let network = FlakyProxy::start(server.address(), 7).unwrap();
    let url = format!("http://{}", network.address());
    let code = office.enrolment_code(person).unwrap();
    // The network will swallow everything: not a test of patience.
    let hasty = |options: &mut DeviceOptions| options.http.stall = Duration::from_secs(2);
    let phone = Phone::open_with("W01", &home.path().join("phone"), hasty).await.unwrap();
    phone.join(&url, &code).await.unwrap();
    phone.settle(3).await.unwrap();
    let (device, user) = phone.identity().await.unwrap();
    assert_eq!(user, person);

    // Edited while the network swallows everything: acknowledged by the phone, unknown to the server.
    network.set(Weather::BlackHole);
    let patch = Fields::from([("remarks".to_owned(), Value::from("虚构"))]);
    let door = phone
        .device()
        .with_store(move |store, now| {
            let door = store.list::<Dwelling>(None, 1)?.entries.pop().ok_or(DeviceError::Closed)?.id;
            store.edit(door, &patch, now)?;
            Ok(door)
        })
        .await
        .unwrap();
    let written = |changes: Vec<gridwalk_harness::office::HeldChange>| {
        let by_phone = changes.into_iter().filter(move |change| change.device == device);
        by_phone.flat_map(|change| change.writes).any(|(key, _)| key == "remarks")
    };
    assert!(!phone.settle(1).await.unwrap().status.is_settled());
    assert!(!written(office.changes_of(door).unwrap()));
    let held = office.stream(&base_stream(grid.id)).unwrap().unwrap();
    let differs = phone.streams().await.unwrap()[&base_stream(grid.id)].digest != held.digest;
    assert!(differs, "a phone that is ahead of the server is told from one that is not");

    let address = server.address();
    server.kill().unwrap();
    let server = ServerProcess::start_at(&data, address).unwrap();
    network.set(Weather::Clear);
    assert!(phone.settle(6).await.unwrap().status.is_settled());
    assert!(written(office.changes_of(door).unwrap()));
    for (stream, theirs) in phone.streams().await.unwrap() {
        let ours = office.stream(&stream).unwrap().unwrap();
        assert_eq!((ours.digest, ours.records), (theirs.digest, theirs.records), "{stream:?}");
    }
    phone.close().await.unwrap();
    server.stop().unwrap();
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let home = tempfile::tempdir().unwrap();
    let first = ServerProcess::start(home.path()).unwrap();
    let error = ServerProcess::start(home.path()).unwrap_err().to_string();
    assert!(error.contains("another server uses this data folder"), "{error}");
    first.stop().unwrap();
}
