//! Two people write the same thing.

use gridwalk_model::Value;
use gridwalk_model::records::Dwelling;

use super::Phone;
use crate::testkit::{Script, at, dwelling, fields};

fn two() -> (Script, Phone, Phone, gridwalk_model::RecordId) {
    let mut server = Script::new();
    let (mut a, mut b) = (Phone::joined(1, &mut server), Phone::joined(2, &mut server));
    let home = a.store.create(&dwelling("1", "1"), at(1)).unwrap();
    a.sync(&mut server, at(2));
    b.sync(&mut server, at(3));
    (server, a, b, home)
}

#[test]
fn different_fields_merge_and_the_same_field_keeps_both_values() {
    let (mut server, mut a, mut b, home) = two();
    a.store.edit(home, &fields(&[("remarks", "甲"), ("address", "东门")]), at(10)).unwrap();
    b.store.edit(home, &fields(&[("remarks", "乙"), ("usage", "residential")]), at(11)).unwrap();
    a.sync(&mut server, at(20));
    b.sync(&mut server, at(21));
    a.sync(&mut server, at(22));
    for phone in [&a, &b] {
        let record = phone.store.get::<Dwelling>(home).unwrap().unwrap();
        assert!(record.state.conflict);
        assert_eq!(record.record.address.as_deref(), Some("东门"));
        assert!(record.record.usage.is_some());
        let conflicts = phone.store.conflicts().unwrap();
        assert_eq!(conflicts.len(), 1);
        assert_eq!(conflicts[0].field, "remarks");
        let mut told: Vec<_> =
            conflicts[0].candidates.iter().map(|c| (c.value.clone(), c.device, c.at)).collect();
        told.sort_by_key(|(_, _, at)| *at);
        assert_eq!(told[0], (Value::from("甲"), crate::testkit::device(1), at(10)));
        assert_eq!(told[1], (Value::from("乙"), crate::testkit::device(2), at(11)));
    }
    let mine = &a.store.conflicts().unwrap()[0];
    let own = mine.candidates.iter().find(|c| c.device == crate::testkit::device(1)).unwrap();
    assert_eq!(own.author.as_deref(), Some("测试员（虚构）"));
    // Either value may be chosen, the winning one too.
    for choice in ["甲", "乙"] {
        let (mut server, mut a, mut b, home) = two();
        a.store.edit(home, &fields(&[("remarks", "甲")]), at(10)).unwrap();
        b.store.edit(home, &fields(&[("remarks", "乙")]), at(11)).unwrap();
        a.sync(&mut server, at(20));
        b.sync(&mut server, at(21));
        assert!(b.store.choose(home, "remarks", Value::from(choice), at(30)).unwrap());
        b.sync(&mut server, at(31));
        a.sync(&mut server, at(32));
        assert_eq!(b.store.quarantined().unwrap(), []);
        for phone in [&a, &b] {
            let record = phone.store.get::<Dwelling>(home).unwrap().unwrap();
            assert_eq!(record.record.remarks.as_deref(), Some(choice));
            assert!(!record.state.conflict);
            assert_eq!(phone.store.totals().unwrap().conflicts, 0);
        }
    }
}

#[test]
fn equal_edits_are_no_conflict() {
    let (mut server, mut a, mut b, home) = two();
    a.store.edit(home, &fields(&[("remarks", "同")]), at(10)).unwrap();
    b.store.edit(home, &fields(&[("remarks", "同")]), at(11)).unwrap();
    a.sync(&mut server, at(20));
    b.sync(&mut server, at(21));
    a.sync(&mut server, at(22));
    assert_eq!(a.store.conflicts().unwrap(), []);
    assert_eq!(b.store.conflicts().unwrap(), []);
}

#[test]
fn an_edit_against_a_removal_shows_the_record_and_says_so() {
    let (mut server, mut a, mut b, home) = two();
    a.store.remove(home, at(10)).unwrap();
    assert!(a.store.list::<Dwelling>(None, 10).unwrap().entries.is_empty());
    b.store.edit(home, &fields(&[("remarks", "有人住")]), at(11)).unwrap();
    a.sync(&mut server, at(20));
    b.sync(&mut server, at(21));
    a.sync(&mut server, at(22));
    for phone in [&mut a, &mut b] {
        assert_eq!(phone.store.edited_while_removed().unwrap(), [home]);
        let listed = phone.store.list::<Dwelling>(None, 10).unwrap().entries;
        assert_eq!(listed.len(), 1);
        assert!(listed[0].state.edited_while_removed);
    }
    b.store.edits(at(30), |edits| edits.restore(home)).unwrap();
    b.sync(&mut server, at(31));
    a.sync(&mut server, at(32));
    assert_eq!(a.store.edited_while_removed().unwrap(), []);
    assert_eq!(a.store.list::<Dwelling>(None, 10).unwrap().entries.len(), 1);
}

#[test]
fn two_first_photos_of_one_record_both_stay() {
    use gridwalk_model::Kind;
    let mut server = Script::new();
    let (mut a, mut b) = (Phone::joined(1, &mut server), Phone::joined(2, &mut server));
    let mut event = fields(&[("category", "fire_safety"), ("address", "东门")]);
    event.insert("area".into(), Value::from(crate::testkit::GRID));
    let id = a.store.edits(at(1), |edits| edits.create_fields(Kind::Event, &event)).unwrap();
    a.sync(&mut server, at(2));
    b.sync(&mut server, at(3));
    let names = [0xaa, 0xbb].map(|byte| gridwalk_model::RecordId::from_bytes([byte; 16]).to_hex());
    for (phone, name) in [&mut a, &mut b].into_iter().zip(&names) {
        let value = crate::testkit::photo_reference();
        phone.store.edits(at(10), |edits| edits.add(id, "photos", name, value.clone())).unwrap();
    }
    a.sync(&mut server, at(20));
    b.sync(&mut server, at(21));
    a.sync(&mut server, at(22));
    for phone in [&a, &b] {
        let (_, fields) = phone.store.fields(id).unwrap().unwrap();
        assert!(names.iter().all(|name| fields.contains_key(&format!("photos/{name}"))));
        assert_eq!(phone.store.conflicts().unwrap(), []);
    }
}

#[test]
fn the_directory_of_staff_names_the_author() {
    use gridwalk_model::{Fields, Kind, RecordId, Timestamp};
    use gridwalk_replica::Document;

    let (mut server, mut a, mut b, home) = two();
    let id = RecordId::from_bytes([0x77; 16]);
    let worker = Fields::from([
        ("name".to_owned(), Value::from("李四（虚构）")),
        (format!("devices/{}", crate::testkit::device(2)), Value::Flag(true)),
    ]);
    let actor = gridwalk_replica::Actor::new(crate::testkit::device(200), [1; 4]);
    let (document, _) =
        Document::create(id, Kind::Worker, &worker, actor, Timestamp::from_millis(1)).unwrap();
    server.put(id, "worker", &document);
    a.store.edit(home, &fields(&[("remarks", "甲")]), at(10)).unwrap();
    b.store.edit(home, &fields(&[("remarks", "乙")]), at(11)).unwrap();
    a.sync(&mut server, at(20));
    b.sync(&mut server, at(21));
    a.sync(&mut server, at(22));
    let conflicts = a.store.conflicts_of(home).unwrap();
    let theirs = conflicts[0].candidates.iter().find(|c| c.value == Value::from("乙")).unwrap();
    assert_eq!(theirs.author.as_deref(), Some("李四（虚构）"));
}
