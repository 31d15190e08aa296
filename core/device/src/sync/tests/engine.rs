//! The engine's occasions, lanes and back-off.

use gridwalk_model::{ContentHash, RecordId};
use gridwalk_replica::protocol::ProtocolError;

use super::Phone;
use crate::NetError;
use crate::store::{Commit, Lane, MediaForm};
use crate::sync::{Effect, Event};
use crate::testkit::{Script, at, device, dwelling, fields};

fn hash(n: u8) -> ContentHash {
    ContentHash::from_bytes([n; 32])
}

/// A medium that waits, without its photo.
fn add_medium(phone: &mut Phone, n: u8, lane: Lane) {
    let form = if lane == Lane::Full { MediaForm::Full } else { MediaForm::Preview };
    phone.store.put_media(&[(hash(n), form, &[n; 300])], at(0)).unwrap();
    phone
        .store
        .write(Commit::Edit, |tx| {
            tx.add_upload(&hash(n), RecordId::from_bytes([1; 16]), form, 300, at(i64::from(n)))
        })
        .unwrap();
}

fn sent(effects: &[Effect]) -> Vec<&'static str> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send { .. } => Some("send"),
            Effect::AskMissing { .. } => Some("ask"),
            Effect::HandIn { .. } => Some("hand in"),
            Effect::Upload { .. } => Some("upload"),
            Effect::CancelAll => Some("cancel"),
            Effect::Wipe => Some("wipe"),
            Effect::WakeAt(_) | Effect::Changed => None,
        })
        .collect()
}

fn wake(effects: &[Effect]) -> Option<gridwalk_model::Timestamp> {
    effects.iter().rev().find_map(|effect| if let Effect::WakeAt(at) = effect { Some(*at) } else { None })
}

/// Answers the request in `effects` truly.
fn answered(phone: &mut Phone, server: &mut Script, effects: &[Effect], millis: i64) -> Vec<Effect> {
    for effect in effects {
        if let Effect::Send { n, request } = effect {
            let response = server.answer(request, device(1));
            let event = Event::Response { n: *n, result: Ok(Box::new(response)) };
            return phone.engine.next(event, &mut phone.store, at(millis)).unwrap();
        }
    }
    panic!("nothing was sent: {effects:?}")
}

#[test]
fn previews_follow_the_receipts_and_full_photos_come_last() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    add_medium(&mut phone, 2, Lane::Full);
    add_medium(&mut phone, 1, Lane::Preview);
    phone.store.create(&dwelling("1", "1"), at(1)).unwrap();
    let effects = phone.engine.next(Event::Edited, &mut phone.store, at(10)).unwrap();
    assert_eq!(sent(&effects), ["send"], "records first");
    let mut effects = answered(&mut phone, &mut server, &effects, 11);
    while sent(&effects) == ["send"] {
        effects = answered(&mut phone, &mut server, &effects, 11);
    }
    let [Effect::AskMissing { n, hashes }] =
        &effects.iter().filter(|e| matches!(e, Effect::AskMissing { .. })).cloned().collect::<Vec<_>>()[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!(hashes, &[hash(1)]);
    let told = Event::Missing { n: *n, result: Ok((vec![hash(1)], vec![])) };
    let effects = phone.engine.next(told, &mut phone.store, at(12)).unwrap();
    let Some(Effect::Upload { n, upload }) = effects.iter().find(|e| matches!(e, Effect::Upload { .. }))
    else {
        panic!("{effects:?}")
    };
    assert_eq!((upload.hash, upload.bytes), (hash(1), 300));
    let done = Event::Uploaded { n: *n, hash: hash(1), result: Ok(()) };
    let effects = phone.engine.next(done, &mut phone.store, at(13)).unwrap();
    assert_eq!(sent(&effects), ["ask"], "an upload is not a receipt");
    let Some(Effect::AskMissing { n, .. }) = effects.iter().find(|e| matches!(e, Effect::AskMissing { .. }))
    else {
        panic!("{effects:?}")
    };
    assert_eq!(phone.store.totals().unwrap().previews.count, 1);
    let told = Event::Missing { n: *n, result: Ok((vec![], vec![hash(1)])) };
    let effects = phone.engine.next(told, &mut phone.store, at(14)).unwrap();
    assert_eq!(phone.store.totals().unwrap().previews.count, 0);
    let Some(Effect::AskMissing { hashes, .. }) =
        effects.iter().find(|e| matches!(e, Effect::AskMissing { .. }))
    else {
        panic!("{effects:?}")
    };
    assert_eq!(hashes, &[hash(2)], "now the full photos");
}

#[test]
fn after_a_failure_of_the_store_the_engine_rests_and_comes_back_by_itself() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    add_medium(&mut phone, 1, Lane::Preview);
    let mut writer = Phone::joined(2, &mut server);
    for number in 0..200 {
        writer.store.create(&dwelling("1", &number.to_string()), at(1)).unwrap();
    }
    writer.sync(&mut server, at(2));
    phone.store.limit_pages(Some(0)).unwrap();
    let effects = phone.engine.next(Event::Sync, &mut phone.store, at(10)).unwrap();
    let Some(Effect::Send { n, request }) = effects.first() else { panic!("{effects:?}") };
    let response = Box::new(server.answer(request, device(1)));
    let mut effects = Vec::new();
    let event = Event::Response { n: *n, result: Ok(response) };
    let failed = phone.engine.drive(event, &mut phone.store, at(11), &mut effects);
    assert!(matches!(failed, Err(crate::DeviceError::StorageFull)), "{failed:?}");
    assert!(phone.engine.is_at_rest(at(11)), "nobody waits for what cannot begin");
    // Each lane waits for its own time; all are over after the longest first wait.
    let due = wake(&effects).unwrap();
    assert!((at(11)..=at(2_011)).contains(&due), "{due:?}");
    phone.store.limit_pages(None).unwrap();
    let effects = phone.engine.next(Event::Tick, &mut phone.store, at(2_012)).unwrap();
    assert_eq!(sent(&effects), ["send"]);
    answered(&mut phone, &mut server, &effects, 2_013);
    assert_eq!(phone.store.totals().unwrap().records, 200);
}

#[test]
fn no_lane_waits_behind_anothers_error() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    phone.store.create(&dwelling("1", "1"), at(1)).unwrap();
    add_medium(&mut phone, 1, Lane::Preview);
    add_medium(&mut phone, 2, Lane::Full);
    let effects = phone.engine.next(Event::Sync, &mut phone.store, at(10)).unwrap();
    let Some(Effect::Send { n, .. }) = effects.first() else { panic!("{effects:?}") };
    let failed = Event::Response { n: *n, result: Err(ProtocolError::Internal.into()) };
    let effects = phone.engine.next(failed, &mut phone.store, at(11)).unwrap();
    assert_eq!(sent(&effects), ["ask"], "the previews go on");
    let Some(Effect::AskMissing { n, .. }) = effects.iter().find(|e| matches!(e, Effect::AskMissing { .. }))
    else {
        panic!("{effects:?}")
    };
    let failed = Event::Missing { n: *n, result: Err(ProtocolError::StorageFull.into()) };
    let effects = phone.engine.next(failed, &mut phone.store, at(12)).unwrap();
    let Some(Effect::AskMissing { hashes, .. }) =
        effects.iter().find(|e| matches!(e, Effect::AskMissing { .. }))
    else {
        panic!("{effects:?}")
    };
    assert_eq!(hashes, &[hash(2)], "and so do the full photos");
}

#[test]
fn full_photos_wait_for_wifi_where_so_set() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    add_medium(&mut phone, 2, Lane::Full);
    phone.store.set_wifi_only(true).unwrap();
    let mobile = Event::Network { online: true, wifi: false };
    phone.engine.next(mobile, &mut phone.store, at(9)).unwrap();
    let effects = phone.engine.next(Event::Sync, &mut phone.store, at(10)).unwrap();
    let effects = answered(&mut phone, &mut server, &effects, 11);
    assert_eq!(sent(&effects), [""; 0]);
    assert!(phone.engine.is_at_rest(at(12)));
    let wifi = Event::Network { online: true, wifi: true };
    let effects = phone.engine.next(wifi, &mut phone.store, at(13)).unwrap();
    assert_eq!(sent(&effects), ["ask"]);
}

#[test]
fn failures_back_off_and_an_occasion_sets_that_aside() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    phone.store.create(&dwelling("1", "1"), at(1)).unwrap();
    let mut effects = phone.engine.next(Event::Sync, &mut phone.store, at(10)).unwrap();
    let mut now = 10;
    let mut waits = Vec::new();
    for _ in 0..4 {
        let Some(Effect::Send { n, .. }) = effects.first() else { panic!("{effects:?}") };
        let failed = Event::Response { n: *n, result: Err(NetError::Offline) };
        let after = phone.engine.next(failed, &mut phone.store, at(now)).unwrap();
        assert_eq!(sent(&after), [""; 0]);
        let until = wake(&after).unwrap();
        waits.push(until.millis() - at(now).millis());
        let early = phone.engine.next(Event::Edited, &mut phone.store, at(now + 1)).unwrap();
        assert_eq!(sent(&early), [""; 0], "an edit does not set back-off aside");
        now = until.millis() - at(0).millis();
        effects = phone.engine.next(Event::Tick, &mut phone.store, at(now)).unwrap();
    }
    assert!(waits.windows(2).all(|pair| pair[1] > pair[0]), "{waits:?}");
    let Some(Effect::Send { n, .. }) = effects.first() else { panic!("{effects:?}") };
    let busy = Event::Response { n: *n, result: Err(ProtocolError::Busy { retry_after_s: 600 }.into()) };
    let after = phone.engine.next(busy, &mut phone.store, at(now)).unwrap();
    assert!(wake(&after).unwrap() >= at(now + 600_000), "the server's word holds");
    let status = phone.engine.status(&phone.store, at(now)).unwrap();
    assert_eq!(status.last_error.unwrap().en, "The server is busy; it is tried again soon");
    phone.engine.next(Event::Network { online: false, wifi: false }, &mut phone.store, at(now)).unwrap();
    let back = Event::Network { online: true, wifi: true };
    let effects = phone.engine.next(back, &mut phone.store, at(now + 1)).unwrap();
    assert_eq!(sent(&effects), ["send"]);
}

#[test]
fn a_request_that_is_refused_as_a_whole_is_narrowed_down_to_the_record_at_fault() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    let mut ids = Vec::new();
    for room in 0..10 {
        ids.push(phone.store.create(&dwelling("1", &room.to_string()), at(room)).unwrap());
    }
    let poison = ids[6];
    let mut now = 100;
    let mut effects = phone.engine.next(Event::Sync, &mut phone.store, at(now)).unwrap();
    for _ in 0..60 {
        let Some(Effect::Send { n, request }) = effects.iter().find(|e| matches!(e, Effect::Send { .. }))
        else {
            match wake(&effects) {
                Some(until) if phone.waiting() > 1 => {
                    now = until.millis() - at(0).millis();
                    effects = phone.engine.next(Event::Tick, &mut phone.store, at(now)).unwrap();
                    continue;
                }
                _ => break,
            }
        };
        let poisoned = request.pushes.iter().any(|push| *push.record == *poison.as_bytes());
        let result = if poisoned {
            Err(NetError::Server(ProtocolError::Malformed { reason: "made up".into() }))
        } else {
            Ok(Box::new(server.answer(request, device(1))))
        };
        let event = Event::Response { n: *n, result };
        effects = phone.engine.next(event, &mut phone.store, at(now)).unwrap();
    }
    assert_eq!(phone.waiting(), 1, "the nine others are there");
    assert_eq!(server.records.len(), 9);
    assert_eq!(phone.store.totals().unwrap().held, 1);
}

#[test]
fn cursors_that_a_server_does_not_understand_are_given_up() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    phone.store.create(&dwelling("1", "1"), at(1)).unwrap();
    phone.sync(&mut server, at(2));
    assert_ne!(phone.store.streams().unwrap()[0].1, 0);
    let mut now = 10;
    let mut effects = phone.engine.next(Event::Sync, &mut phone.store, at(now)).unwrap();
    for _ in 0..3 {
        let Some(Effect::Send { n, .. }) = effects.first() else { panic!("{effects:?}") };
        let error = ProtocolError::Malformed { reason: "cursor".into() };
        let failed = Event::Response { n: *n, result: Err(error.into()) };
        effects = phone.engine.next(failed, &mut phone.store, at(now)).unwrap();
        now = wake(&effects).unwrap().millis() - at(0).millis();
        effects = phone.engine.next(Event::Tick, &mut phone.store, at(now)).unwrap();
    }
    assert_eq!(phone.store.streams().unwrap()[0].1, 0);
    assert_eq!(phone.store.totals().unwrap().records, 1);
}

#[test]
fn a_revoked_device_stops_and_a_stolen_one_is_wiped() {
    for (wipe, expected) in [(false, vec!["cancel"]), (true, vec!["cancel", "wipe"])] {
        let mut server = Script::new();
        let mut phone = Phone::joined(1, &mut server);
        let effects = phone.engine.next(Event::Sync, &mut phone.store, at(1)).unwrap();
        let Some(Effect::Send { n, .. }) = effects.first() else { panic!("{effects:?}") };
        let revoked = Event::Response { n: *n, result: Err(ProtocolError::Revoked { wipe }.into()) };
        let effects = phone.engine.next(revoked, &mut phone.store, at(2)).unwrap();
        assert_eq!(sent(&effects), expected);
        assert!(phone.engine.status(&phone.store, at(3)).unwrap().locked);
    }
}

#[test]
fn what_is_asked_for_while_a_round_is_under_way_gets_a_round_of_its_own() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    let under_way = phone.engine.next(Event::Sync, &mut phone.store, at(10)).unwrap();
    let asked = phone.engine.next(Event::Sync, &mut phone.store, at(11)).unwrap();
    assert_eq!((sent(&under_way), sent(&asked)), (vec!["send"], vec![]));
    let next = answered(&mut phone, &mut server, &under_way, 12);
    assert_eq!(sent(&next), ["send"], "what the server got meanwhile was not in that answer");
    let last = answered(&mut phone, &mut server, &next, 13);
    assert_eq!(sent(&last), Vec::<&str>::new());
}

#[test]
fn pausing_takes_back_what_is_under_way_and_resuming_begins_again() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    let home = phone.store.create(&dwelling("1", "1"), at(1)).unwrap();
    let effects = phone.engine.next(Event::Sync, &mut phone.store, at(2)).unwrap();
    assert_eq!(sent(&effects), ["send"]);
    let effects = phone.engine.next(Event::Pause, &mut phone.store, at(3)).unwrap();
    assert_eq!(sent(&effects), ["cancel"]);
    phone.store.edit(home, &fields(&[("remarks", "一")]), at(4)).unwrap();
    let effects = phone.engine.next(Event::Edited, &mut phone.store, at(5)).unwrap();
    assert_eq!(sent(&effects), [""; 0]);
    let effects = phone.engine.next(Event::Resume, &mut phone.store, at(6)).unwrap();
    assert_eq!(sent(&effects), ["send"]);
}

#[test]
fn a_wrong_clock_is_told_and_refuses_nothing() {
    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    let skewed = 3 * 60 * 60 * 1000;
    phone.store.create(&dwelling("1", "1"), at(skewed)).unwrap();
    phone.sync(&mut server, at(skewed));
    assert_eq!(phone.waiting(), 0);
    let status = phone.engine.status(&phone.store, at(skewed)).unwrap();
    assert_eq!(status.clock_skew_ms, Some(-skewed));
    assert!(status.is_settled());
    assert_eq!(status.zh(), "全部已提交");
}

#[test]
fn a_photo_whose_bytes_are_gone_is_told_as_lost_and_holds_up_nothing() {
    let mut phone = Phone::new(1);
    add_medium(&mut phone, 1, Lane::Full);
    add_medium(&mut phone, 2, Lane::Full);
    phone.store.remove_media(&[hash(1)]).unwrap();
    let mut server = Script::new();
    phone.sync(&mut server, at(1));
    let effects = phone.engine.next(Event::Tick, &mut phone.store, at(2)).unwrap();
    let asked = |effects: &[Effect]| {
        effects.iter().find_map(|e| if let Effect::AskMissing { n, .. } = e { Some(*n) } else { None })
    };
    // The first question went out when the records came to rest.
    let n = asked(&effects).or_else(|| {
        (1..20).find(|n| {
            let told = Event::Missing { n: *n, result: Ok((vec![hash(1), hash(2)], vec![])) };
            let mut copy = phone.engine.clone();
            !sent(&copy.next(told, &mut phone.store, at(3)).unwrap()).is_empty()
        })
    });
    let told = Event::Missing { n: n.unwrap(), result: Ok((vec![hash(1), hash(2)], vec![])) };
    let effects = phone.engine.next(told, &mut phone.store, at(4)).unwrap();
    let Some(Effect::Upload { upload, .. }) = effects.iter().find(|e| matches!(e, Effect::Upload { .. }))
    else {
        panic!("{effects:?}")
    };
    assert_eq!(upload.hash, hash(2));
    let totals = phone.store.totals().unwrap();
    assert_eq!((totals.lost_photos, totals.photos.count), (1, 1));
}
