//! Two phones that are copies of one.

use gridwalk_model::Value;
use gridwalk_model::records::Dwelling;

use super::Phone;
use crate::clock::SeededEntropy;
use crate::sync::{Engine, EngineConfig};
use crate::testkit::{Script, at, dwelling, fields, stream};

fn clone_of(phone: &Phone) -> Phone {
    let store = phone.store.cloned(Box::new(SeededEntropy::new(99))).unwrap();
    Phone { store, engine: Engine::new(EngineConfig::default()) }
}

#[test]
fn a_copy_learns_of_the_other_and_both_keep_their_work() {
    let mut server = Script::new();
    let mut a = Phone::joined(1, &mut server);
    let home = a.store.create(&dwelling("1", "1"), at(1)).unwrap();
    a.sync(&mut server, at(2));
    let mut b = clone_of(&a);
    assert_eq!(a.store.identity(), b.store.identity());
    a.store.edit(home, &fields(&[("remarks", "甲")]), at(10)).unwrap();
    b.store.edit(home, &fields(&[("remarks", "乙"), ("address", "北门")]), at(11)).unwrap();
    a.sync(&mut server, at(20));
    b.sync(&mut server, at(21));
    a.sync(&mut server, at(22));
    b.sync(&mut server, at(23));
    assert_ne!(a.store.identity(), b.store.identity());
    assert_eq!((a.waiting(), b.waiting()), (0, 0));
    for phone in [&a, &b] {
        let record = phone.store.get::<Dwelling>(home).unwrap().unwrap();
        assert_eq!(record.record.address.as_deref(), Some("北门"));
    }
    assert_eq!(a.store.fingerprints(&stream()).unwrap(), b.store.fingerprints(&stream()).unwrap());
}

#[test]
fn a_pulled_change_of_my_own_that_i_never_made_starts_a_new_incarnation_before_it_is_applied() {
    let mut server = Script::new();
    let mut a = Phone::joined(1, &mut server);
    let home = a.store.create(&dwelling("1", "1"), at(1)).unwrap();
    a.sync(&mut server, at(2));
    let mut b = clone_of(&a);
    a.store.edit(home, &fields(&[("remarks", "甲")]), at(10)).unwrap();
    a.sync(&mut server, at(11));
    b.store.edit(home, &fields(&[("remarks", "乙")]), at(12)).unwrap();
    // B pulls before it pushes: its change waits for the server to be asked.
    b.store
        .write(crate::store::Commit::Request, |tx| tx.defer(home, crate::store::OutboxState::Held, at(30)))
        .unwrap();
    let before = b.store.identity().unwrap();
    assert!(server.clone().sync_pull_only(&mut b));
    assert_ne!(b.store.identity().unwrap().incarnation, before.incarnation);
    assert_eq!(b.waiting(), 1);
    let conflicts = b.store.conflicts().unwrap();
    assert_eq!(conflicts.len(), 1, "like the work of two people");
    let values: Vec<_> = conflicts[0].candidates.iter().map(|c| c.value.clone()).collect();
    assert!(values.contains(&Value::from("甲")) && values.contains(&Value::from("乙")));
    b.sync(&mut server, at(1_000_000));
    assert_eq!(b.waiting(), 0);
    assert_eq!(b.store.refused_edits().unwrap(), []);
}

#[test]
fn own_changes_of_an_earlier_life_are_no_clone() {
    let mut server = Script::new();
    let mut a = Phone::joined(1, &mut server);
    a.store.create(&dwelling("1", "1"), at(1)).unwrap();
    a.sync(&mut server, at(2));
    // The same device again after a reinstall: another incarnation.
    let mut again = Phone { store: crate::testkit::store_seeded(1, 77), ..Phone::new(1) };
    let before = again.store.identity().unwrap();
    again.sync(&mut server, at(3));
    assert_eq!(again.store.identity().unwrap(), before);
    assert_eq!(again.store.totals().unwrap().records, 1);
}

#[test]
fn a_change_whose_number_was_given_away_after_a_restore_leaves_every_phone() {
    let mut server = Script::new();
    let mut a = Phone::joined(1, &mut server);
    let home = a.store.create(&dwelling("1", "1"), at(1)).unwrap();
    a.sync(&mut server, at(2));
    let mut b = clone_of(&a);
    let mut witness = Phone::joined(2, &mut server);
    let backup = server.clone();
    // The server takes A's change and loses it; B, a copy of A, gets its number.
    a.store.edit(home, &fields(&[("remarks", "甲")]), at(10)).unwrap();
    a.sync(&mut server, at(11));
    witness.sync(&mut server, at(12));
    witness.store.edit(home, &fields(&[("address", "北门")]), at(13)).unwrap();
    let mut server = Script { epoch: [2; 16], ..backup };
    b.store.edit(home, &fields(&[("room", "乙")]), at(14)).unwrap();
    b.sync(&mut server, at(15));
    for round in 0..4 {
        witness.sync(&mut server, at(20 + round * 1_000_000));
        a.sync(&mut server, at(21 + round * 1_000_000));
        b.sync(&mut server, at(22 + round * 1_000_000));
    }
    for phone in [&a, &b, &witness] {
        assert_eq!(phone.waiting(), 0);
        let record = phone.store.get::<Dwelling>(home).unwrap().unwrap().record;
        assert_eq!(record.address.as_deref(), Some("北门"));
        assert_eq!(record.remarks.as_deref(), Some("甲"), "made again by its author");
        assert_eq!(record.room.as_deref(), Some("乙"));
        assert_eq!(phone.store.totals().unwrap().alarms, 0);
    }
    assert_eq!(a.store.fingerprints(&stream()).unwrap(), witness.store.fingerprints(&stream()).unwrap());
}
