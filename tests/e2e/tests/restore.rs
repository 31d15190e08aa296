//! The server goes back in time (Must hold 8): by a backup that is restored, and without anybody saying so. The phones
//! notice, and bring back what was acknowledged.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use gridwalk_device::photo::CaptureFacts;
use gridwalk_e2e::town::{dwelling, event, field, has, set, settle, settle_all};
use gridwalk_e2e::{Stranger, Town};
use gridwalk_harness::phone::Phone;
use gridwalk_harness::photos;
use gridwalk_harness::scene::Hazard;
use gridwalk_harness::seeded::Seeded;
use gridwalk_model::{RecordId, Value};

async fn add_photo(phone: &Phone, record: RecordId, seed: u64) {
    let original = photos::jpeg(&mut Seeded::new(seed), (640, 480), Hazard::Hydrant, None).unwrap();
    let facts = CaptureFacts::camera(phone.device().now(), "W1".into());
    phone.device().add_photo(record, original, facts, None).await.unwrap();
}

fn text(value: &str) -> Option<Value> {
    Some(value.into())
}

fn copy_folder(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(status.success());
}

fn restore(town: &Town, backup: &Path, more: &[&str]) -> String {
    let data = town.data();
    let words = [
        OsStr::new("restore"),
        OsStr::new("--data"),
        data.as_os_str(),
        OsStr::new("--from"),
        backup.as_os_str(),
    ];
    let more: Vec<&OsStr> = more.iter().map(OsStr::new).collect();
    town.command(&[&words[..], &more].concat())
}

/// The epoch as a device is told it that was there from the beginning.
fn epoch(watcher: &mut Stranger) -> [u8; 16] {
    watcher.renew_token();
    watcher.learn_grants();
    watcher.epoch.unwrap()
}

/// What two phones did before and after the point to which the server goes back.
struct Story {
    home: RecordId,
    later: RecordId,
    event: RecordId,
}

impl Story {
    async fn before(town: &Town, a: &Phone, b: &Phone) -> Self {
        let home = dwelling(a, town.grid(0), "101").await;
        let event = event(b, town.grid(0), "虚构：垃圾堆放").await;
        add_photo(b, event, 1).await;
        settle_all(&[a, b]).await;
        set(a, home, "remarks", "备份之前").await;
        settle_all(&[a, b]).await;
        Self { home, later: home, event }
    }

    /// Everybody edits what the other made, too.
    async fn after(&mut self, town: &Town, a: &Phone, b: &Phone) {
        self.later = dwelling(a, town.grid(0), "202").await;
        set(b, self.home, "remarks", "备份之后").await;
        set(a, self.event, "description", "虚构：已经清理").await;
        add_photo(b, self.event, 2).await;
        settle_all(&[a, b]).await;
        set(b, self.later, "remarks", "乙在甲的记录上写的").await;
        settle_all(&[a, b]).await;
    }

    async fn assert_kept(&self, town: &Town, phones: &[&Phone]) {
        for phone in phones {
            assert_eq!(field(phone, self.home, "remarks").await, text("备份之后"), "{}", phone.name());
            assert_eq!(field(phone, self.event, "description").await, text("虚构：已经清理"));
            assert_eq!(field(phone, self.later, "remarks").await, text("乙在甲的记录上写的"));
            let status = phone.device().status().await.unwrap();
            assert_eq!((status.totals.quarantined, status.totals.refused), (0, 0), "{status:?}");
            town.assert_agrees(phone).await;
        }
        let office = town.office();
        let photos = office.changes_of(self.event).unwrap();
        let photos =
            photos.iter().flat_map(|c| &c.writes).filter(|(key, _)| key.starts_with("photos/")).count();
        assert_eq!(photos, 2);
        assert_eq!(office.counts().unwrap().media, 4, "two photos and two previews");
        assert_eq!(office.counts().unwrap().quarantined, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_is_healed_from_the_phones() {
    let mut town = Town::start();
    let (a, b) = (town.phone("甲工", &[0]).await, town.phone("乙工", &[0]).await);
    let mut watcher = town.stranger("旁观", &[]);
    let mut story = Story::before(&town, &a, &b).await;
    let backup = town.path("backup");
    town.back_up(&backup);
    story.after(&town, &a, &b).await;
    let old_epoch = epoch(&mut watcher);
    town.stop();
    fs::rename(town.data(), town.path("lost")).unwrap();
    let said = restore(&town, &backup, &[]);
    assert!(said.contains("new epoch"), "{said}");
    town.restart();
    settle_all(&[&a, &b]).await;
    settle_all(&[&a, &b]).await;
    assert_ne!(epoch(&mut watcher), old_epoch);
    story.assert_kept(&town, &[&a, &b]).await;
    assert!(town.alarms().contains(&"server.restored".to_owned()));
    let newcomer = town.phone("新人", &[0]).await;
    story.assert_kept(&town, &[&newcomer]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_lost_phone_had_sent_comes_back_from_another_where_recovery_is_open() {
    let mut town = Town::start();
    let (a, b) = (town.phone("甲工", &[0]).await, town.phone("乙工", &[0]).await);
    let mut story = Story::before(&town, &a, &b).await;
    let backup = town.path("backup");
    town.back_up(&backup);
    story.after(&town, &a, &b).await;
    a.close().await.unwrap();
    fs::remove_dir_all(a.folder()).unwrap();
    town.kill();
    fs::rename(town.data(), town.path("lost")).unwrap();
    restore(&town, &backup, &["--open-recovery", "7"]);
    town.restart();
    for _ in 0..3 {
        settle(&b).await;
    }
    story.assert_kept(&town, &[&b]).await;
    let newcomer = town.phone("新人", &[0]).await;
    story.assert_kept(&town, &[&newcomer]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_backup_into_the_same_folder_and_a_restore_of_it() {
    let mut town = Town::start();
    let (a, b) = (town.phone("甲工", &[0]).await, town.phone("乙工", &[0]).await);
    let mut story = Story::before(&town, &a, &b).await;
    let backup = town.path("backup");
    town.back_up(&backup);
    story.after(&town, &a, &b).await;
    town.back_up(&backup);
    settle_all(&[&a, &b]).await;
    assert_eq!(a.device().status().await.unwrap().totals.kept, 0, "what is backed up need not be kept");
    town.kill();
    fs::rename(town.data(), town.path("lost")).unwrap();
    restore(&town, &backup, &[]);
    town.restart();
    settle_all(&[&a, &b]).await;
    story.assert_kept(&town, &[&a, &b]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_rollback_is_noticed_and_healed() {
    let mut town = Town::start();
    let (a, b) = (town.phone("甲工", &[0]).await, town.phone("乙工", &[0]).await);
    let mut watcher = town.stranger("旁观", &[]);
    let mut story = Story::before(&town, &a, &b).await;
    town.stop();
    copy_folder(&town.data(), &town.path("copy"));
    town.restart();
    story.after(&town, &a, &b).await;
    let old_epoch = epoch(&mut watcher);
    town.stop();
    fs::rename(town.data(), town.path("lost")).unwrap();
    copy_folder(&town.path("copy"), &town.data());
    town.restart();
    assert_eq!(town.alarms(), Vec::<String>::new(), "nobody has said so");
    settle_all(&[&a, &b]).await;
    settle_all(&[&a, &b]).await;
    // The first phone that comes back cannot heal what the others wrote, and says so until they have come, too.
    let alarms = town.alarms();
    assert_eq!(alarms.iter().filter(|action| *action == "server.rolled_back").count(), 1, "{alarms:?}");
    assert!(
        alarms.iter().all(|action| action == "server.rolled_back" || action == "sync.diverged"),
        "{alarms:?}"
    );
    assert_ne!(epoch(&mut watcher), old_epoch);
    story.assert_kept(&town, &[&a, &b]).await;
    assert!(has(&b, story.later).await);
    let data = town.data();
    town.command(&[OsStr::new("verify-audit"), OsStr::new("--data"), data.as_os_str()]);
}
