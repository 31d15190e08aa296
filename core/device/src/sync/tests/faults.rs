//! Crashes before and after every commit, and full disks.

use gridwalk_model::Timestamp;
use gridwalk_model::records::Dwelling;

use super::Phone;
use crate::DeviceError;
use crate::store::{Commit, Faults, Side};
use crate::sync::{Effect, Engine, EngineConfig, Event};
use crate::testkit::{Script, at, check_digests, dwelling, fields, stream};

/// Syncs until it comes to rest or a planted fault kills the phone, which then starts again on what is durable.
fn sync_or_die(mut phone: Phone, server: &mut Script, now: Timestamp) -> (Phone, bool) {
    let device = phone.store.identity().unwrap().device;
    let mut waiting = match phone.engine.next(Event::Sync, &mut phone.store, now) {
        Ok(effects) => effects,
        Err(error) => return (reborn(phone, &error), true),
    };
    while let Some(effect) = waiting.pop() {
        if let Effect::Send { n, request } = effect {
            let response = server.answer(&request, device);
            let event = Event::Response { n, result: Ok(Box::new(response)) };
            match phone.engine.next(event, &mut phone.store, now) {
                Ok(effects) => waiting.extend(effects),
                Err(error) => return (reborn(phone, &error), true),
            }
        }
    }
    (phone, false)
}

fn reborn(phone: Phone, error: &DeviceError) -> Phone {
    assert!(matches!(error, DeviceError::Injected), "{error}");
    Phone { store: phone.store.reopened().unwrap(), engine: Engine::new(EngineConfig::default()) }
}

#[test]
fn a_crash_before_or_after_any_commit_loses_nothing() {
    for side in [Side::Before, Side::After] {
        for skip in 0..12 {
            let faults = Faults::scripted();
            let mut server = Script { page: 2, ..Script::new() };
            let mut other = Phone::joined(2, &mut server);
            for room in 0..5 {
                other.store.create(&dwelling("2", &room.to_string()), at(room)).unwrap();
            }
            other.sync(&mut server, at(10));
            let mut phone = Phone::with(1, faults.clone());
            let mut acknowledged = Vec::new();
            let mut crashes = 0;
            faults.fail(None, side, skip);
            for room in 0..5 {
                match phone.store.create(&dwelling("1", &room.to_string()), at(20 + room)) {
                    Ok(id) => acknowledged.push(id),
                    Err(error) => {
                        phone = reborn(phone, &error);
                        crashes += 1;
                    }
                }
            }
            for round in 0..4 {
                let (next, died) = sync_or_die(phone, &mut server, at(100 + round));
                phone = next;
                crashes += u32::from(died);
                check_digests(&phone.store);
            }
            assert!(crashes <= 1);
            assert_eq!(phone.waiting(), 0, "{side:?} {skip}");
            for id in acknowledged {
                assert!(server.records.contains_key(&id), "{side:?} {skip}");
                assert!(phone.store.get::<Dwelling>(id).unwrap().is_some());
            }
            other.sync(&mut server, at(1_000));
            assert_eq!(
                phone.store.fingerprints(&stream()).unwrap(),
                other.store.fingerprints(&stream()).unwrap(),
                "{side:?} {skip}"
            );
            assert_eq!(phone.store.refused_edits().unwrap(), []);
        }
    }
}

#[test]
fn an_edit_that_failed_before_its_commit_never_happened_and_one_after_it_did() {
    let faults = Faults::scripted();
    let mut phone = Phone::with(1, faults.clone());
    faults.fail(Some(Commit::Edit), Side::Before, 0);
    assert!(phone.store.create(&dwelling("1", "1"), at(1)).is_err());
    assert_eq!((phone.waiting(), phone.store.totals().unwrap().records), (0, 0));
    faults.fail(Some(Commit::Edit), Side::After, 0);
    assert!(phone.store.create(&dwelling("1", "1"), at(2)).is_err());
    assert_eq!((phone.waiting(), phone.store.totals().unwrap().records), (1, 1));
}

#[test]
fn a_full_disk_names_itself_and_work_goes_on_after_space_returns() {
    let mut server = Script::new();
    let mut writer = Phone::joined(2, &mut server);
    for room in 0..50 {
        writer.store.create(&dwelling("1", &room.to_string()), at(room)).unwrap();
    }
    writer.sync(&mut server, at(100));
    let mut phone = Phone::new(1);
    phone.store.limit_pages(Some(4)).unwrap();
    let mut made = Vec::new();
    let error = loop {
        match phone.store.create(&dwelling("3", &made.len().to_string()), at(200)) {
            Ok(id) => made.push(id),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, DeviceError::StorageFull));
    assert_eq!(phone.waiting(), made.len() as u64, "what was acknowledged is there");
    let device = phone.store.identity().unwrap().device;
    let effects = phone.engine.next(Event::Sync, &mut phone.store, at(300)).unwrap();
    let mut failed = false;
    let mut waiting = effects;
    while let Some(effect) = waiting.pop() {
        if let Effect::Send { n, request } = effect {
            let response = server.answer(&request, device);
            match phone.engine.next(
                Event::Response { n, result: Ok(Box::new(response)) },
                &mut phone.store,
                at(301),
            ) {
                Ok(effects) => waiting.extend(effects),
                Err(error) => {
                    assert!(matches!(error, DeviceError::StorageFull));
                    failed = true;
                }
            }
        }
    }
    assert!(failed, "fifty records do not fit");
    let status = phone.engine.status(&phone.store, at(302)).unwrap();
    assert!(status.last_error.unwrap().zh.contains("存储空间已满"));
    phone.store.limit_pages(None).unwrap();
    phone.sync(&mut server, at(400));
    assert_eq!(phone.waiting(), 0);
    assert_eq!(phone.store.totals().unwrap().records, 50 + made.len() as u64);
    let id = made.first().copied().unwrap_or_else(|| phone.store.fingerprints(&stream()).unwrap()[0].0);
    phone.store.edit(id, &fields(&[("remarks", "继续")]), at(500)).unwrap();
}
