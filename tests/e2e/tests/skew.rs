//! Builds of different age (Must hold 9): they work on, hold what they must, and lose nothing.
//!
//! The other build is played by a proxy that rewrites what passes, or by requests made by hand.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::collections::BTreeMap;

use gridwalk_device::device::{Device, DeviceOptions};
use gridwalk_device::{Clock as _, Status, SystemClock};
use gridwalk_e2e::forge::Item;
use gridwalk_e2e::stranger::{NOON, fresh_id, push};
use gridwalk_e2e::tap::Message;
use gridwalk_e2e::town::{dwelling, field, fields, has, set, settle, settle_all};
use gridwalk_e2e::{Fate, Passing, Tap, Town, forge, raw};
use gridwalk_harness::clock::ManualClock;
use gridwalk_harness::phone::{Closing, Phone};
use gridwalk_model::event::{Action, LogEntry};
use gridwalk_model::{Fields, Kind, RecordId, Value};
use gridwalk_replica::admission::Verdict;
use gridwalk_replica::frame;
use gridwalk_replica::protocol::path;
use gridwalk_replica::wire::{SyncRequest, SyncResponse};
use minicbor::{Decode, Encode};

/// Longer than any change waits that an older server cannot read.
const LATER_MS: i64 = 7 * 60 * 60 * 1_000;

/// Rewrites a framed body.
fn rewrite<T: Encode<()> + for<'b> Decode<'b, ()>>(message: &mut Message, change: impl FnOnce(&mut T)) {
    let mut body: T = frame::decode_within(&message.body, 4 << 20).unwrap();
    change(&mut body);
    message.body = frame::encode(&body).unwrap();
}

/// Rewrites a framed body whatever its form.
fn rewrite_form(message: &mut Message, change: impl FnOnce(&mut Item)) {
    let mut item = Item::read(&forge::unframed(&message.body));
    change(&mut item);
    message.body = forge::framed(&item.to_bytes());
}

fn is_sync(request: &Message) -> bool {
    request.target() == ("POST", path::SYNC)
}

/// A phone whose clock can be moved on.
async fn timed_phone(town: &Town, tap: &Tap, name: &str) -> (Closing, ManualClock) {
    let person = town.gridworker(name, &[0]);
    let code = town.office().enrolment_code(person).unwrap();
    let clock = ManualClock::at(SystemClock.now());
    let options = DeviceOptions {
        clock: std::sync::Arc::new(clock.clone()),
        ..DeviceOptions::host(town.phone_folder(name))
    };
    let device = Closing::new(Device::open(options).await.unwrap());
    device.enrol(&tap.url(), &code, name).await.unwrap();
    (device, clock)
}

async fn rest(device: &Device) -> Status {
    let mut status = device.sync().await.unwrap();
    for _ in 0..6 {
        status = device.sync().await.unwrap();
    }
    status
}

async fn create(device: &Device, kind: Kind, pairs: &[(&str, Value)]) -> RecordId {
    device.create_fields(kind, fields(pairs)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_server_passes_over_what_a_newer_phone_appends() {
    let town = Town::start();
    let tap = Tap::start(town.address());
    tap.set_rule(|passing| {
        if let Passing::Request(request) = passing
            && is_sync(request)
        {
            rewrite_form(request, |request| {
                request.items()[4].items().iter_mut().for_each(|cursor| cursor.add_tail(3));
                request.items()[6].items().iter_mut().for_each(|push| push.add_tail(5));
                request.add_tail(10);
                // A newer phone speaks newer protocols and schemas as well.
                request.items()[1] = Item::Other(vec![0x09]);
                request.items()[2] = Item::Other(vec![0x09]);
            });
        }
        Fate::Pass
    });
    let phone = town.phone_through(&tap.url(), "新版", &[0]).await;
    let other = town.phone("旧版", &[0]).await;
    let home = dwelling(&phone, town.grid(0), "1").await;
    settle_all(&[&phone, &other]).await;
    set(&phone, home, "remarks", "新版写的").await;
    settle_all(&[&phone, &other]).await;
    assert_eq!(field(&other, home, "remarks").await, Some("新版写的".into()));
    for phone in [&phone, &other] {
        town.assert_agrees(phone).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_server_leaves_newer_work_with_its_sender() {
    let town = Town::start();
    let stranger = town.stranger("新版", &[0]);
    let area = Value::from(town.grid(0));
    let held = |record: RecordId, kind: &str, raws: &[Vec<u8>]| {
        let verdicts = stranger.push(record, kind, raws).unwrap();
        assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Held), "{kind}: {verdicts:?}");
        assert_eq!(verdicts.len(), raws.len());
    };
    let (mut flight, first) = stranger.create(
        fresh_id(1),
        Kind::Dwelling,
        &fields(&[("area", area.clone()), ("room", "1".into())]),
    );
    let second = flight.edit(&fields(&[("room", "2".into())]), stranger.actor, NOON).unwrap().unwrap();
    held(fresh_id(1), "drone_flight", &[first.raw.clone(), second.raw.clone()]);

    // A document of a newer schema: `v` is 2.
    held(fresh_id(1), "dwelling", &[forge::with_schema_version(&first.raw, 2).unwrap()]);
    // An action that this server does not know, and what builds on it.
    let event = fields(&[("area", area), ("category", "fire".into()), ("address", "虚构路1号".into())]);
    let (mut document, first) = stranger.create(fresh_id(2), Kind::Event, &event);
    assert_eq!(stranger.push(fresh_id(2), "event", &[first.raw]), Ok(vec![Verdict::Accepted]));
    let entry = LogEntry::new(fresh_id(3), None, NOON, stranger.user, Action::Other("launch_drone".into()));
    let entry = Fields::from([(entry.key(), entry.to_value())]);
    let newer = document.edit(&entry, stranger.actor, NOON).unwrap().unwrap().raw;
    let after =
        document.edit(&fields(&[("description", "之后".into())]), stranger.actor, NOON).unwrap().unwrap().raw;
    held(fresh_id(2), "event", &[newer, after]);
    let counts = town.office().counts().unwrap();
    assert_eq!((counts.quarantined, counts.alarms), (0, 0), "what is held is not refused");
    // The rest of the same request is taken.
    let plain = stranger
        .create(fresh_id(4), Kind::Dwelling, &fields(&[("area", town.grid(0).into()), ("room", "3".into())]))
        .1;
    let pushes =
        vec![push(fresh_id(1), "drone_flight", &[second.raw]), push(fresh_id(4), "dwelling", &[plain.raw])];
    let response = stranger.sync(&stranger.request(pushes)).unwrap();
    assert_eq!(response.verdicts, [[Verdict::Held], [Verdict::Accepted]]);
}

/// The server is too old for households: it answers that it holds nothing of them.
fn without_households(tap: &Tap) {
    let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
    tap.set_rule(move |passing| {
        match passing {
            Passing::Request(request) if is_sync(request) => rewrite(request, |request: &mut SyncRequest| {
                taken.clear();
                let pushes = std::mem::take(&mut request.pushes);
                for (index, push) in pushes.into_iter().enumerate() {
                    if push.kind == "household" {
                        taken.insert(index, push.changes.len());
                    } else {
                        request.pushes.push(push);
                    }
                }
            }),
            Passing::Answer(request, answer) if is_sync(request) && answer.status() == 200 => {
                rewrite(answer, |response: &mut SyncResponse| {
                    for (index, len) in std::mem::take(&mut taken) {
                        response.verdicts.insert(index, vec![Verdict::Held; len]);
                    }
                });
            }
            _ => {}
        }
        Fate::Pass
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_phone_keeps_what_is_held_and_delivers_it_after_the_upgrade() {
    let town = Town::start();
    let tap = Tap::start(town.address());
    without_households(&tap);
    let (device, clock) = timed_phone(&town, &tap, "新版").await;
    rest(&device).await;
    let home = create(&device, Kind::Dwelling, &[("area", town.grid(0).into()), ("room", "1".into())]).await;
    let household = create(&device, Kind::Household, &[("dwelling", home.into())]).await;
    device.edit(household, fields(&[("remarks", "暂存".into())])).await.unwrap();
    let status = rest(&device).await;
    assert_eq!((status.totals.held, status.totals.changes.count), (2, 2), "{status:?}");
    assert_eq!((status.totals.quarantined, status.totals.refused), (0, 0));
    let other = town.phone("旧版", &[0]).await;
    assert!(has(&other, home).await && !has(&other, household).await);
    // Work goes on meanwhile, and survives a restart of the app.
    device.edit(home, fields(&[("remarks", "照常".into())])).await.unwrap();
    assert_eq!(rest(&device).await.totals.changes.count, 2);
    settle(&other).await;
    assert_eq!(field(&other, home, "remarks").await, Some("照常".into()));
    // The server is upgraded.
    tap.clear_rule();
    clock.advance_ms(LATER_MS);
    let status = rest(&device).await;
    assert_eq!((status.totals.held, status.totals.changes.count), (0, 0), "{status:?}");
    settle(&other).await;
    assert_eq!(field(&other, household, "remarks").await, Some("暂存".into()));
    town.assert_agrees(&other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_phone_passes_over_what_a_newer_server_appends() {
    let town = Town::start();
    let tap = Tap::start(town.address());
    tap.set_rule(|passing| {
        if let Passing::Answer(request, answer) = passing
            && is_sync(request)
            && answer.status() == 200
        {
            rewrite_form(answer, |response| {
                for (list, known) in [(7, 5), (8, 2), (9, 2)] {
                    response.items()[list].items().iter_mut().for_each(|item| item.add_tail(known));
                }
                response.add_tail(14);
            });
        }
        Fate::Pass
    });
    let phone = town.phone_through(&tap.url(), "旧版", &[0]).await;
    let other = town.phone("新版", &[0]).await;
    let home = dwelling(&other, town.grid(0), "1").await;
    settle_all(&[&other, &phone]).await;
    set(&phone, home, "remarks", "旧版写的").await;
    settle_all(&[&phone, &other]).await;
    assert_eq!(field(&other, home, "remarks").await, Some("旧版写的".into()));
    for phone in [&phone, &other] {
        town.assert_agrees(phone).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_phone_keeps_its_work_on_a_verdict_that_it_does_not_know() {
    let town = Town::start();
    let tap = Tap::start(town.address());
    let (device, clock) = timed_phone(&town, &tap, "旧版").await;
    rest(&device).await;
    tap.set_rule(|passing| {
        match passing {
            // What a newer server has not decided yet, say: it takes nothing, and says so in its own way.
            Passing::Request(request) if is_sync(request) => rewrite(request, |request: &mut SyncRequest| {
                request.pushes.iter_mut().for_each(|push| push.kind = "of_tomorrow".to_owned());
            }),
            Passing::Answer(request, answer) if is_sync(request) && answer.status() == 200 => {
                rewrite_form(answer, |response| {
                    let newer = [Item::read(&[0x09]), Item::read(&[0x83, 0x18, 0x20, 0x01, 0x61, 0x78])];
                    let verdicts = response.items()[5].items().iter_mut().flat_map(Item::items);
                    verdicts.zip(newer.iter().cycle()).for_each(|(verdict, newer)| *verdict = newer.clone());
                });
            }
            _ => {}
        }
        Fate::Pass
    });
    let home = create(&device, Kind::Dwelling, &[("area", town.grid(0).into()), ("room", "1".into())]).await;
    device.edit(home, fields(&[("remarks", "还在".into())])).await.unwrap();
    let status = rest(&device).await;
    assert_eq!((status.totals.held, status.totals.changes.count), (2, 2), "{status:?}");
    assert_eq!((status.totals.quarantined, status.totals.refused), (0, 0));
    tap.clear_rule();
    clock.advance_ms(LATER_MS);
    let status = rest(&device).await;
    assert!(status.is_settled() && status.totals.held == 0, "{status:?}");
    let other = town.phone("新版", &[0]).await;
    assert_eq!(field(&other, home, "remarks").await, Some("还在".into()));
    town.assert_agrees(&other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_phone_stores_and_counts_a_kind_that_it_does_not_know() {
    let town = Town::start();
    let tap = Tap::start(town.address());
    let writer = town.phone("新版", &[0]).await;
    let home = dwelling(&writer, town.grid(0), "1").await;
    let strange = writer
        .device()
        .create_fields(Kind::Household, fields(&[("dwelling", home.into()), ("remarks", "来自未来".into())]))
        .await
        .unwrap();
    settle(&writer).await;
    tap.set_rule(|passing| {
        if let Passing::Answer(request, answer) = passing
            && is_sync(request)
            && answer.status() == 200
        {
            rewrite(answer, |response: &mut SyncResponse| {
                let strange = response.pulls.iter_mut().filter(|pull| pull.kind == "household");
                strange.for_each(|pull| pull.kind = "drone_flight".to_owned());
            });
        }
        Fate::Pass
    });
    let phone = town.phone_through(&tap.url(), "旧版", &[0]).await;
    let unreadable = phone.device().with_store(|store, _| store.unreadable()).await.unwrap();
    assert_eq!(unreadable, [(strange, "drone_flight".to_owned())]);
    assert!(has(&phone, home).await, "the others are not held up");
    town.assert_agrees(&phone).await;
    set(&phone, home, "remarks", "照常").await;
    settle_all(&[&phone, &writer]).await;
    assert_eq!(field(&writer, home, "remarks").await, Some("照常".into()));
    // It changes, and the phone is started again: still one, still counted.
    set(&writer, strange, "remarks", "又来自未来").await;
    settle_all(&[&writer, &phone]).await;
    phone.close().await.unwrap();
    let phone = Phone::open("旧版", &town.phone_folder("旧版")).await.unwrap();
    let status = settle(&phone).await;
    assert_eq!((status.totals.unreadable, status.totals.alarms), (1, 0), "{status:?}");
    town.assert_agrees(&phone).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_common_protocol_both_say_so() {
    let town = Town::start();
    let tap = Tap::start(town.address());
    let phone = town.phone_through(&tap.url(), "旧版", &[0]).await;
    tap.set_rule(|passing| {
        if let Passing::Request(request) = passing
            && is_sync(request)
        {
            rewrite(request, |request: &mut SyncRequest| {
                (request.protocol_min, request.protocol_max) = (8, 9);
            });
        }
        Fate::Pass
    });
    let home = dwelling(&phone, town.grid(0), "1").await;
    let status = phone.device().sync().await.unwrap();
    assert!(status.last_error.is_some() && status.totals.changes.count == 1, "{status:?}");
    let refused =
        tap.log().into_iter().filter_map(|exchange| exchange.answer).find(|answer| answer.status() == 426);
    assert_eq!(refused.unwrap().header("content-type"), Some(raw::FRAMED));
    tap.clear_rule();
    settle(&phone).await;
    assert!(has(&phone, home).await);
    town.assert_agrees(&phone).await;
}
