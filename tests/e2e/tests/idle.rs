//! Synchronising when there is nothing to say writes nothing, on the server or on the phone, and is one short round
//! trip.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use gridwalk_e2e::town::{dwelling, settle, settle_all};
use gridwalk_e2e::{Tap, Town};
use gridwalk_replica::protocol::path;

/// Content and time of the files in a folder whose name begins so.
fn files(folder: &Path, prefix: &str) -> BTreeMap<String, (Vec<u8>, SystemTime)> {
    let mut out = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        // The shared memory of the log holds locks of readers, nothing durable.
        if name.starts_with(prefix) && !name.ends_with("-shm") {
            let changed = entry.metadata().unwrap().modified().unwrap();
            out.insert(name, (fs::read(entry.path()).unwrap(), changed));
        }
    }
    assert!(!out.is_empty());
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_sync_writes_nothing_and_is_short() {
    let town = Town::start();
    let tap = Tap::start(town.address());
    let (phone, other) = (town.phone_through(&tap.url(), "甲工", &[0]).await, town.phone("乙工", &[0]).await);
    for number in 0..20 {
        dwelling(&phone, town.grid(0), &number.to_string()).await;
    }
    settle_all(&[&phone, &other]).await;
    settle(&phone).await;
    let server = files(&town.data(), "gridwalk.db");
    let store = files(phone.folder(), "");
    tap.take_log();
    for round in 0..5 {
        assert!(phone.device().sync().await.unwrap().last_error.is_none());
        let log = tap.take_log();
        assert_eq!(log.len(), 1, "one round trip");
        assert_eq!(log[0].request.target(), ("POST", path::SYNC));
        let (asked, answered) = (log[0].request.body.len(), log[0].answer.as_ref().unwrap().body.len());
        println!("round {round}: {asked} B asked, {answered} B answered");
        assert!(asked <= 200 && answered <= 200);
    }
    assert!(files(&town.data(), "gridwalk.db") == server, "the server wrote something");
    assert!(files(phone.folder(), "") == store, "the phone wrote something");
}
