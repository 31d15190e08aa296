//! Records: compaction, lists, rules of editing.

use gridwalk_model::policy::Violation;
use gridwalk_model::records::{Dwelling, Residency, Resident};
use gridwalk_model::{Kind, Record, RecordId, Value};
use gridwalk_replica::Document;

use crate::DeviceError;
use crate::testkit::{GRID, at, dwelling, fields, resident, store};

#[test]
fn changes_are_compacted_and_nothing_is_lost() {
    let mut store = store(1);
    let id = store.create(&dwelling("1", "1"), at(0)).unwrap();
    let mut longest = 0;
    for n in 0..100 {
        store.edit(id, &fields(&[("remarks", &format!("第{n}次"))]), at(n)).unwrap();
        let loaded = store.view().record(id).unwrap().unwrap();
        longest = longest.max(loaded.tail_len());
        let document = Document::load(&loaded.bytes).unwrap();
        assert_eq!(document.change_count() as i64, n + 2);
        assert_eq!(document.get("remarks"), Some(Value::from(format!("第{n}次"))));
    }
    assert!((10..=20).contains(&longest), "{longest} changes behind the snapshot");
    assert_eq!(store.totals().unwrap().changes.count, 101);
}

#[test]
fn an_edit_writes_only_what_changed() {
    let mut store = store(1);
    let id = store.create(&dwelling("1", "1"), at(0)).unwrap();
    assert!(!store.edit(id, &fields(&[("room", "1"), ("building", "1")]), at(1)).unwrap());
    assert!(!store.edit(id, &fields(&[]), at(1)).unwrap());
    let mut empty = fields(&[]);
    empty.insert("remarks".into(), Value::Null);
    assert!(!store.edit(id, &empty, at(1)).unwrap(), "emptying what is not there");
    assert_eq!(store.totals().unwrap().changes.count, 1);
    let mut record = store.get::<Dwelling>(id).unwrap().unwrap().record;
    record.room = None;
    record.floor = Some(3);
    assert!(store.edits(at(2), |edits| edits.save(id, &record)).unwrap());
    let again = store.get::<Dwelling>(id).unwrap().unwrap().record;
    assert_eq!((again.room, again.floor), (None, Some(3)));
}

#[test]
fn bad_fields_are_all_told_and_nothing_is_written() {
    let mut store = store(1);
    let mut bad = fields(&[("estate", &"长".repeat(500))]);
    bad.insert("floor".into(), Value::Int(100_000));
    let outcome = store.edits(at(1), |edits| edits.create_fields(Kind::Dwelling, &bad));
    let Err(DeviceError::Invalid { errors }) = outcome else { panic!("{outcome:?}") };
    let fields_told: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
    assert!(["area", "estate", "floor"].iter().all(|field| fields_told.contains(field)), "{fields_told:?}");
    assert_eq!(store.totals().unwrap().records, 0);
}

#[test]
fn what_the_server_would_refuse_is_refused_here() {
    let mut store = store(1);
    let mut event = fields(&[("category", "fire_safety"), ("address", "东门")]);
    event.insert("area".into(), Value::from(GRID));
    let id = store.edits(at(1), |edits| edits.create_fields(Kind::Event, &event)).unwrap();
    let not_allowed =
        |patch: &[(&str, &str)], store: &mut crate::store::Store| match store.edit(id, &fields(patch), at(2))
        {
            Err(DeviceError::NotAllowed { violation, .. }) => violation,
            other => panic!("{other:?}"),
        };
    assert!(matches!(not_allowed(&[("external_number", "1")], &mut store), Violation::ServerOnly { .. }));
    assert!(matches!(
        not_allowed(&[("number", "K1-20260101-001")], &mut store),
        Violation::CreateOnly { .. }
    ));
    let unit = store.edits(at(3), |edits| edits.create_fields(Kind::Unit, &fields(&[("name", "虚构办")])));
    assert!(matches!(unit, Err(DeviceError::NotAllowed { violation: Violation::Role, .. })), "{unit:?}");
}

#[test]
fn edits_that_belong_together_happen_together_or_not_at_all() {
    let mut store = store(1);
    let move_in = |store: &mut crate::store::Store, name: &str| {
        store.edits(at(1), |edits| {
            let home = edits.create(&dwelling("1", "1"))?;
            let person = edits.create_fields(Kind::Resident, &fields(&[("name", name)]))?;
            let mut lives = fields(&[]);
            lives.insert("resident".into(), Value::from(person));
            lives.insert("dwelling".into(), Value::from(home));
            edits.create_fields(Kind::Residency, &lives)?;
            Ok((home, person))
        })
    };
    assert!(move_in(&mut store, &"长".repeat(200)).is_err());
    assert_eq!(store.totals().unwrap().records, 0);
    let (home, person) = move_in(&mut store, "张三").unwrap();
    let living = store.list_linked::<Residency>("dwelling", home).unwrap();
    assert_eq!(living.len(), 1);
    assert_eq!(living[0].record.resident, person);
    store.remove(living[0].id, at(2)).unwrap();
    assert!(store.list_linked::<Residency>("dwelling", home).unwrap().is_empty());
}

#[test]
fn lists_are_in_order_in_pages_and_by_building() {
    let mut store = store(1);
    for (building, room) in [("10号楼", "101"), ("2号楼", "1001"), ("2号楼", "202"), ("2号楼", "99")]
    {
        store.create(&dwelling(building, room), at(1)).unwrap();
    }
    store.create(&resident("张三", "1"), at(1)).unwrap();
    let doors = |entries: Vec<crate::edit::Entry<Dwelling>>| -> Vec<String> {
        entries
            .into_iter()
            .map(|entry| format!("{}{}", entry.record.building.unwrap(), entry.record.room.unwrap()))
            .collect()
    };
    let first = store.list::<Dwelling>(None, 3).unwrap();
    let second = store.list::<Dwelling>(first.next.as_ref(), 3).unwrap();
    assert_eq!(doors(first.entries), ["2号楼99", "2号楼202", "2号楼1001"]);
    assert_eq!(doors(second.entries), ["10号楼101"]);
    assert!(second.next.is_none());
    assert_eq!(doors(store.list_under(&["阳光里", "2号楼"]).unwrap()).len(), 3);
    assert_eq!(doors(store.list_under(&["阳光里"]).unwrap()).len(), 4);
    assert!(store.list_under::<Dwelling>(&["阳光里", "1号楼"]).unwrap().is_empty());
}

#[test]
fn records_that_are_not_here_or_of_another_kind_are_told_apart() {
    let mut store = store(1);
    let id = store.create(&dwelling("1", "1"), at(1)).unwrap();
    assert!(matches!(store.get::<Resident>(id), Err(DeviceError::WrongKind { .. })));
    let nobody = RecordId::from_bytes([9; 16]);
    assert!(store.get::<Dwelling>(nobody).unwrap().is_none());
    assert!(matches!(
        store.edit(nobody, &fields(&[("room", "1")]), at(2)),
        Err(DeviceError::UnknownRecord { .. })
    ));
    assert_eq!(Resident::SCHEMA.tag, "resident");
}

#[test]
fn nothing_is_written_before_enrolment() {
    let config = crate::store::StoreConfig::memory();
    let mut store = crate::store::Store::open(config, Box::new(crate::clock::SeededEntropy::new(1))).unwrap();
    assert!(matches!(store.create(&dwelling("1", "1"), at(1)), Err(DeviceError::NotEnrolled)));
}

#[test]
fn projections_are_drawn_anew_after_an_upgrade() {
    let mut store = store(1);
    let id = store.create(&resident("张三", "13800001234"), at(1)).unwrap();
    store.forget_projections_for_test();
    assert!(store.search("张三", &[], None, 9).unwrap().hits.is_empty());
    let store = store.reopened().unwrap();
    assert_eq!(store.search("张三", &[], None, 9).unwrap().hits[0].id, id);
    assert_eq!(store.search("0123", &[], None, 9).unwrap().hits[0].id, id);
}

#[test]
fn the_same_calls_give_the_same_store() {
    let run = || {
        let mut store = store(1);
        let id = store.create(&dwelling("1", "1"), at(1)).unwrap();
        store.edit(id, &fields(&[("remarks", "一")]), at(2)).unwrap();
        (id, store.document(id).unwrap().unwrap().heads())
    };
    assert_eq!(run(), run());
}
