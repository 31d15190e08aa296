//! Older and newer builds beside each other.

use gridwalk_model::records::Dwelling;
use gridwalk_model::{Kind, RecordId, Timestamp, Value};
use gridwalk_replica::Document;
use gridwalk_replica::digest::Fingerprint;

use super::Phone;
use crate::store::UnreadForm;
use crate::testkit::{self, Script, at, dwelling, fields, stream};

#[test]
fn a_kind_of_a_newer_schema_is_kept_counted_and_does_not_hold_up_others() {
    let mut server = Script::new();
    let mut writer = Phone::joined(2, &mut server);
    let home = writer.store.create(&dwelling("1", "1"), at(1)).unwrap();
    writer.sync(&mut server, at(2));
    let strange = RecordId::from_bytes([42; 16]);
    server.put_bytes(strange, "drone_flight", b"a form of the future".to_vec(), Fingerprint([9; 16]));
    let mut phone = Phone::joined(1, &mut server);
    assert!(phone.store.get::<Dwelling>(home).unwrap().is_some());
    assert_eq!(phone.store.unreadable().unwrap(), [(strange, "drone_flight".to_owned())]);
    assert_eq!(phone.store.fingerprints(&stream()).unwrap().len(), 2);
    assert_eq!(phone.store.totals().unwrap().alarms, 0, "the digest counts it as claimed");
    assert_eq!(phone.sync(&mut server, at(3)), 1);
    server.put_bytes(strange, "drone_flight", b"and its next state".to_vec(), Fingerprint([10; 16]));
    phone.sync(&mut server, at(4));
    assert_eq!(phone.sync(&mut server, at(5)), 1);
    server.take_out(strange);
    phone.sync(&mut server, at(6));
    assert_eq!(phone.store.totals().unwrap().unreadable, 0);
}

#[test]
fn after_an_upgrade_what_was_kept_is_read() {
    let mut server = Script::new();
    let mut writer = Phone::joined(2, &mut server);
    let home = writer.store.create(&dwelling("1", "1"), at(1)).unwrap();
    writer.sync(&mut server, at(2));
    let mut phone = Phone::joined(1, &mut server);
    // As an older build would have left it.
    phone
        .store
        .write(crate::store::Commit::Apply, |tx| {
            tx.drop_record(home)?;
            let stream = tx.stream(&stream())?.unwrap();
            let held = &server.records[&home];
            let bodies: [&[u8]; 1] = [&held.snapshot];
            let key =
                tx.put_unread(home, "dwelling", UnreadForm::Snapshot, &bodies, held.fingerprint, at(3))?;
            tx.join(stream.key, stream.generation, key)
        })
        .unwrap();
    assert_eq!(phone.store.totals().unwrap().unreadable, 1);
    assert!(matches!(phone.store.get::<Dwelling>(home), Err(crate::DeviceError::NeedsUpdate { .. })));
    phone.sync(&mut server, at(4));
    assert_eq!(phone.store.totals().unwrap().unreadable, 0);
    assert_eq!(phone.store.get::<Dwelling>(home).unwrap().unwrap().record.room.as_deref(), Some("1"));
    testkit::check_digests(&phone.store);
}

#[test]
fn fields_and_words_of_a_newer_schema_survive_an_edit() {
    let mut server = Script::new();
    let id = RecordId::from_bytes([5; 16]);
    let mut all =
        fields(&[("estate", "阳光里"), ("room", "1"), ("usage", "floating_home"), ("heating", "gas")]);
    all.insert("area".into(), Value::from(testkit::GRID));
    let actor = gridwalk_replica::Actor::new(testkit::device(9), [1; 4]);
    let (document, _) = Document::create(id, Kind::Dwelling, &all, actor, Timestamp::from_millis(1)).unwrap();
    server.put(id, "dwelling", &document);
    let mut phone = Phone::joined(1, &mut server);
    let mut record = phone.store.get::<Dwelling>(id).unwrap().unwrap().record;
    record.room = Some("2".into());
    assert!(phone.store.edits(at(2), |edits| edits.save(id, &record)).unwrap());
    phone.sync(&mut server, at(3));
    let theirs = server.document(id).fields();
    assert_eq!(theirs.get("heating"), Some(&Value::from("gas")));
    assert_eq!(theirs.get("usage"), Some(&Value::from("floating_home")));
    assert_eq!(theirs.get("room"), Some(&Value::from("2")));
    assert_eq!(server.document(id).change_count(), 2);
}

#[test]
fn a_damaged_body_is_kept_and_repaired_by_comparison() {
    let mut server = Script::new();
    let mut writer = Phone::joined(2, &mut server);
    let home = writer.store.create(&dwelling("1", "1"), at(1)).unwrap();
    writer.sync(&mut server, at(2));
    let good = server.records[&home].snapshot.clone();
    server.records.get_mut(&home).unwrap().snapshot.truncate(40);
    let mut phone = Phone::joined(1, &mut server);
    assert_eq!(phone.store.totals().unwrap().unreadable, 1);
    server.records.get_mut(&home).unwrap().snapshot = good;
    server.seq += 1;
    server.records.get_mut(&home).unwrap().seq = server.seq;
    phone.sync(&mut server, at(3));
    assert_eq!(phone.store.totals().unwrap().unreadable, 0);
    assert!(phone.store.get::<Dwelling>(home).unwrap().is_some());
}
