//! The server was restored from a backup, or rolled back without knowing.

use gridwalk_model::records::Dwelling;

use super::Phone;
use crate::testkit::{Script, at, dwelling, fields, stream};

#[test]
fn what_a_backup_lacks_comes_back_from_the_phones() {
    let mut server = Script::new();
    let (mut a, mut b) = (Phone::joined(1, &mut server), Phone::joined(2, &mut server));
    let first = a.store.create(&dwelling("1", "1"), at(1)).unwrap();
    a.sync(&mut server, at(2));
    b.sync(&mut server, at(2));
    server.backed_up_through = server.commit;
    let backup = server.clone();
    a.sync(&mut server, at(3));
    let second = a.store.create(&dwelling("1", "2"), at(4)).unwrap();
    a.store.edit(first, &fields(&[("remarks", "备份之后")]), at(5)).unwrap();
    a.sync(&mut server, at(6));
    b.sync(&mut server, at(6));
    b.store.edit(second, &fields(&[("remarks", "乙在备份之后")]), at(7)).unwrap();
    b.sync(&mut server, at(8));
    a.sync(&mut server, at(8));
    assert_eq!(a.store.totals().unwrap().kept, 2, "the first one is in the backup");

    let mut server = Script { epoch: [2; 16], ..backup };
    a.store.edit(first, &fields(&[("address", "离线时写的")]), at(9)).unwrap();
    b.sync(&mut server, at(10));
    assert_eq!(b.waiting(), 1, "B's edit waits for A's record");
    a.sync(&mut server, at(11));
    assert_eq!(a.waiting(), 0);
    b.sync(&mut server, at(12));
    a.sync(&mut server, at(13));
    assert_eq!((a.waiting(), b.waiting()), (0, 0));
    for phone in [&a, &b] {
        let read = |id| phone.store.get::<Dwelling>(id).unwrap().unwrap().record;
        assert_eq!(read(first).remarks.as_deref(), Some("备份之后"));
        assert_eq!(read(first).address.as_deref(), Some("离线时写的"));
        assert_eq!(read(second).remarks.as_deref(), Some("乙在备份之后"));
        assert_eq!(phone.store.quarantined().unwrap(), []);
        assert_eq!(phone.store.totals().unwrap().alarms, 0);
    }
    assert_eq!(a.store.fingerprints(&stream()).unwrap(), b.store.fingerprints(&stream()).unwrap());
    assert_eq!(server.document(second).heads(), a.store.document(second).unwrap().unwrap().heads());
}

#[test]
fn changes_that_wait_again_keep_their_place() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    let old = phone.store.create(&dwelling("1", "1"), at(1)).unwrap();
    phone.sync(&mut server, at(2));
    let new = phone.store.create(&dwelling("1", "2"), at(3)).unwrap();
    let mut server = Script { epoch: [3; 16], ..Script::new() };
    phone.sync(&mut server, at(4));
    let order: Vec<_> = server
        .requests
        .iter()
        .filter(|request| request.epoch.is_some_and(|epoch| *epoch == [3; 16]))
        .flat_map(|request| request.pushes.iter().map(|push| *push.record))
        .collect();
    assert_eq!(order, [*old.as_bytes(), *new.as_bytes()]);
}

#[test]
fn a_server_that_went_back_without_noticing_gets_again_what_it_lost() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    phone.store.create(&dwelling("1", "1"), at(1)).unwrap();
    phone.sync(&mut server, at(2));
    let copy = server.clone();
    let lost = phone.store.create(&dwelling("1", "2"), at(3)).unwrap();
    phone.sync(&mut server, at(4));
    phone.store.edit(lost, &fields(&[("remarks", "一")]), at(5)).unwrap();
    phone.sync(&mut server, at(6));
    // The file was put back, and somebody else's work has overtaken the numbers that this phone knows.
    let mut server = copy;
    let mut other = Phone::joined(2, &mut server);
    for room in ["3", "4", "5"] {
        other.store.create(&dwelling("1", room), at(7)).unwrap();
    }
    other.sync(&mut server, at(7));
    let epoch = server.epoch;
    phone.sync(&mut server, at(8));
    assert_ne!(server.epoch, epoch, "found out");
    assert_eq!(phone.waiting(), 0);
    assert_eq!(server.document(lost).get("remarks"), Some("一".into()));
    assert_eq!(phone.store.totals().unwrap().alarms, 0);
    other.sync(&mut server, at(9));
    assert_eq!(phone.store.fingerprints(&stream()).unwrap(), other.store.fingerprints(&stream()).unwrap());
}

#[test]
fn what_builds_on_a_record_that_is_gone_from_here_is_told_and_does_not_wait_for_ever() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    let home = phone.store.create(&dwelling("1", "1"), at(1)).unwrap();
    phone.sync(&mut server, at(2));
    server.backed_up_through = server.commit;
    phone.sync(&mut server, at(3));
    phone.store.edit(home, &fields(&[("remarks", "一")]), at(4)).unwrap();
    phone.sync(&mut server, at(5));
    server.take_out(home);
    phone.sync(&mut server, at(6));
    assert!(phone.store.get::<Dwelling>(home).unwrap().is_none());
    // Restored to a state in which it never was.
    let mut server = Script { epoch: [2; 16], ..Script::new() };
    phone.sync(&mut server, at(7));
    assert_eq!(phone.waiting(), 0);
    let refused = phone.store.refused_edits().unwrap();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].field, "remarks");
    assert_eq!(phone.store.quarantined().unwrap().len(), 1);
}

/// The deployment takes a grid away, the phone has work there that the server cannot take yet, and then a backup from
/// before is put back: the new server names no revocation, so the phone must not go on as if there were one.
#[test]
fn a_revocation_that_the_restored_server_does_not_know_is_forgotten() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    let home = phone.store.create(&dwelling("1", "1"), at(1)).unwrap();
    phone.sync(&mut server, at(2));
    server.backed_up_through = server.commit;
    let backup = server.clone();
    phone.store.edit(home, &fields(&[("remarks", "一")]), at(3)).unwrap();
    phone
        .store
        .write(crate::store::Commit::Request, |tx| {
            tx.defer(home, crate::store::OutboxState::Held, at(1_000_000))
        })
        .unwrap();
    server.revoking = true;
    phone.sync(&mut server, at(4));
    let revoking = |phone: &Phone| phone.store.view().streams().unwrap()[0].revoking;
    assert!(revoking(&phone));
    let mut server = Script { epoch: [2; 16], ..backup };
    phone.sync(&mut server, at(5));
    assert!(!revoking(&phone));
    assert!(phone.store.get::<Dwelling>(home).unwrap().is_some());
}
