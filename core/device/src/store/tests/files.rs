//! Files: encryption, the lock, damage.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use gridwalk_model::Kind;
use gridwalk_model::records::{Dwelling, Resident};

use crate::DeviceError;
use crate::clock::SeededEntropy;
use crate::keys::DataKey;
use crate::store::{Encryption, Store, StoreConfig};
use crate::sync::tests::Phone;
use crate::sync::{Engine, EngineConfig};
use crate::testkit::{Script, USER, at, device, dwelling, resident};

fn key(n: u8) -> Encryption {
    Encryption::Key(DataKey::from_slice(&[n; 32]).unwrap())
}

fn open(folder: &Path, encryption: Encryption) -> Result<Store, DeviceError> {
    Store::open(StoreConfig::folder(folder, encryption), Box::new(SeededEntropy::new(5)))
}

fn enrolled(folder: &Path) -> Store {
    let mut store = open(folder, key(1)).unwrap();
    store.enrol(device(1), USER, "测试员（虚构）", "虚构区").unwrap();
    store
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn nothing_readable_stands_in_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let name = "欧阳虚构";
    let mut store = enrolled(folder.path());
    store.create(&resident(name, "13800001234"), at(1)).unwrap();
    drop(store);
    for entry in fs::read_dir(folder.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        assert!(!contains(&bytes, name.as_bytes()) && !contains(&bytes, b"13800001234"));
        assert!(!contains(&bytes, b"SQLite format 3"));
    }
    let store = open(folder.path(), key(1)).unwrap();
    assert_eq!(store.list::<Resident>(None, 9).unwrap().entries[0].record.name, name);
    drop(store);
    // The same without a key: the comparison would notice if nothing were encrypted at all.
    let plain = tempfile::tempdir().unwrap();
    let mut store = open(plain.path(), Encryption::None).unwrap();
    store.enrol(device(1), USER, "测试员（虚构）", "虚构区").unwrap();
    store.create(&resident(name, "13800001234"), at(1)).unwrap();
    store.drain().unwrap();
    assert!(contains(&fs::read(plain.path().join("store.db")).unwrap(), name.as_bytes()));
}

#[test]
fn a_second_opening_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let first = enrolled(folder.path());
    assert!(matches!(open(folder.path(), key(1)), Err(DeviceError::AlreadyOpen)));
    drop(first);
    assert!(open(folder.path(), key(1)).is_ok());
}

#[test]
fn what_was_acknowledged_is_there_after_the_process_died() {
    let folder = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let mut store = enrolled(folder.path());
    let id = store.create(&dwelling("1", "1"), at(1)).unwrap();
    // The files as they are on the disk now, with the write-ahead log as it is.
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    let after = open(copy.path(), key(1)).unwrap();
    assert!(after.get::<Dwelling>(id).unwrap().is_some());
    assert_eq!(after.totals().unwrap().changes.count, 1);
}

#[test]
fn a_store_that_was_saved_goes_on_by_the_deployments_rules() {
    use gridwalk_model::event::EventRules;
    use gridwalk_replica::wire::RuleFiles;
    let folder = tempfile::tempdir().unwrap();
    let mut rules = EventRules::default();
    let mut own = rules.categories[1].clone();
    (own.code, own.zh) = ("balcony_plants".into(), "阳台花盆".into());
    rules.categories.push(own);
    let mut store = enrolled(folder.path());
    let files =
        RuleFiles { mark: vec![1; 8].into(), doors: None, field: None, events: Some(rules.to_json()) };
    assert!(store.take_rules(&files).unwrap());
    let mut event = crate::testkit::fields(&[("category", "balcony_plants"), ("address", "东门")]);
    event.insert("area".into(), crate::testkit::GRID.into());
    event.insert("reporter".into(), USER.into());
    let event = store.edits(at(1), |edits| edits.create_fields(Kind::Event, &event)).unwrap();
    store.drain().unwrap();
    store.mark_damaged().unwrap();
    drop(store);
    let store = open(folder.path(), key(1)).unwrap();
    assert!(store.salvaged().is_some());
    assert_eq!(store.event_rules().categories, rules.categories);
    let hits = store.search("阳台花盆", &[], None, 9).unwrap().hits;
    assert_eq!(hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), [event]);
}

#[test]
fn a_damaged_store_is_set_aside_and_what_waited_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Script::new();
    let mut phone = Phone { store: enrolled(folder.path()), engine: Engine::new(EngineConfig::default()) };
    let mut sent = Vec::new();
    for room in 0..40 {
        sent.push(phone.store.create(&dwelling("1", &room.to_string()), at(room)).unwrap());
    }
    phone.sync(&mut server, at(100));
    let waits = phone.store.create(&dwelling("2", "1"), at(200)).unwrap();
    phone.store.edit(sent[3], &crate::testkit::fields(&[("remarks", "未提交")]), at(201)).unwrap();
    let before = phone.store.identity().unwrap();
    phone.store.drain().unwrap();
    phone.store.mark_damaged().unwrap();
    drop(phone);

    let store = open(folder.path(), key(1)).unwrap();
    let salvaged = store.salvaged().unwrap().clone();
    assert!(salvaged.set_aside.exists() && salvaged.identity && salvaged.complete);
    assert_eq!(salvaged.changes, 2);
    let now = store.identity().unwrap();
    assert_eq!((now.device, now.user), (before.device, before.user));
    assert_ne!(now.incarnation, before.incarnation);
    assert_eq!(store.totals().unwrap().changes.count, 2);
    assert!(store.get::<Dwelling>(waits).unwrap().is_some(), "made here: whole in the outbox");
    let mut phone = Phone { store, engine: Engine::new(EngineConfig::default()) };
    phone.sync(&mut server, at(300));
    assert_eq!(phone.waiting(), 0);
    assert_eq!(phone.store.totals().unwrap().records, 41);
    assert_eq!(server.document(sent[3]).get("remarks"), Some("未提交".into()));
    assert_eq!(phone.store.refused_edits().unwrap(), []);
    drop(phone);
    assert!(open(folder.path(), key(1)).unwrap().salvaged().is_none(), "set aside once");
}

#[test]
fn damage_found_at_opening_sets_the_file_aside_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = enrolled(folder.path());
    store.create(&dwelling("1", "1"), at(1)).unwrap();
    store.drain().unwrap();
    drop(store);
    let path = folder.path().join("store.db");
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(20)).unwrap();
    file.write_all(&[0xee; 200]).unwrap();
    drop(file);
    let store = open(folder.path(), key(1)).unwrap();
    let salvaged = store.salvaged().unwrap();
    assert!(!salvaged.identity, "with its first page everything is gone");
    assert!(salvaged.set_aside.exists());
    assert!(store.identity().is_none());
}

#[test]
fn one_damaged_page_costs_its_own_rows_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = enrolled(folder.path());
    let remarks = "字".repeat(400);
    for room in 0..60 {
        let id = store.create(&dwelling("1", &room.to_string()), at(room)).unwrap();
        store.edit(id, &crate::testkit::fields(&[("remarks", &remarks)]), at(room)).unwrap();
    }
    let waiting = store.totals().unwrap().changes.count;
    store.drain().unwrap();
    let page = store.outbox_page_for_test();
    drop(store);
    let path = folder.path().join("store.db");
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(u64::try_from((page - 1) * 4096 + 100).unwrap())).unwrap();
    file.write_all(&[0xee; 64]).unwrap();
    drop(file);
    // Still opens: the damage is in the middle.
    let store = open(folder.path(), key(1)).unwrap();
    assert!(store.salvaged().is_none());
    store.mark_damaged().unwrap();
    drop(store);
    let store = open(folder.path(), key(1)).unwrap();
    let salvaged = store.salvaged().unwrap();
    assert!(salvaged.identity && !salvaged.complete);
    let saved = store.totals().unwrap().changes.count;
    assert!(saved < waiting && saved > waiting / 2, "{saved} of {waiting}");
}

#[test]
fn a_wiped_store_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("store.key"), b"wrapped").unwrap();
    let mut store = enrolled(folder.path());
    store.create(&dwelling("1", "1"), at(1)).unwrap();
    store.wipe();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
