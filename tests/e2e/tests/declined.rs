//! What a declined visit triggers: nothing that comes with it or after it, whatever the device.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use gridwalk_e2e::Town;
use gridwalk_e2e::stranger::{NOON, fresh_id, push};
use gridwalk_e2e::town::{fields, has, settle};
use gridwalk_model::{Kind, RecordId, Value};
use gridwalk_replica::admission::{Reason, Verdict};

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_was_asked_for_at_a_declined_visit_is_refused_by_the_server() {
    let town = Town::start();
    let stranger = town.stranger("不守规矩的手机（虚构）", &[0]);
    let door = fresh_id(1);
    let dwelling = fields(&[("area", town.grid(0).into()), ("room", "101".into())]);
    let raw = stranger.create(door, Kind::Dwelling, &dwelling).1.raw;
    assert_eq!(stranger.push(door, "dwelling", &[raw]), Ok(vec![Verdict::Accepted]));
    let by = Value::from(stranger.user);
    let visit = |id: RecordId, result: &str| {
        let result = ("result", result.into());
        let all = [("target", door.into()), ("by", by.clone()), ("at", Value::Time(NOON)), result];
        stranger.create(id, Kind::Visit, &fields(&all)).1.raw
    };
    let service = |id: RecordId, visit: RecordId| {
        let asked = [("request", "虚构".into()), ("service", "代办".into()), ("visit", visit.into())];
        let all = [("target", door.into()), ("by", by.clone()), ("at", Value::Time(NOON))];
        stranger.create(id, Kind::ServiceRecord, &fields(&[&all[..], &asked[..]].concat())).1.raw
    };
    let no = Verdict::Invalid(Reason::TriggersNothing);
    let declined = fresh_id(2);
    let raw = visit(declined, "refused");
    assert_eq!(stranger.push(declined, "visit", &[raw]), Ok(vec![Verdict::Accepted]));
    let after = fresh_id(3);
    assert_eq!(stranger.push(after, "service_record", &[service(after, declined)]), Ok(vec![no]));
    // Both in one request.
    let (again, with_it) = (fresh_id(4), fresh_id(5));
    let pushes = vec![
        push(again, "visit", &[visit(again, "refused")]),
        push(with_it, "service_record", &[service(with_it, again)]),
    ];
    let verdicts = stranger.sync(&stranger.request(pushes)).unwrap().verdicts;
    assert_eq!(verdicts, [[Verdict::Accepted], [no]]);
    // Somebody who was met may ask for help.
    let (met, asked) = (fresh_id(6), fresh_id(7));
    let pushes =
        vec![push(met, "visit", &[visit(met, "met")]), push(asked, "service_record", &[service(asked, met)])];
    let verdicts = stranger.sync(&stranger.request(pushes)).unwrap().verdicts;
    assert_eq!(verdicts, [[Verdict::Accepted], [Verdict::Accepted]]);
    // The service in an earlier request than its visit: nothing is said before the visit is there.
    let (late, early) = (fresh_id(8), fresh_id(9));
    let raw = service(early, late);
    assert_eq!(stranger.push(early, "service_record", std::slice::from_ref(&raw)), Ok(vec![Verdict::Held]));
    assert_eq!(town.office().counts().unwrap().quarantined, 2, "neither taken nor refused");
    assert_eq!(stranger.push(late, "visit", &[visit(late, "refused")]), Ok(vec![Verdict::Accepted]));
    assert_eq!(stranger.push(early, "service_record", &[raw]), Ok(vec![no]));
    assert_eq!(town.office().counts().unwrap().quarantined, 3, "kept for the office to look at");

    let phone = town.phone("网格员（虚构）", &[0]).await;
    settle(&phone).await;
    assert!(has(&phone, declined).await);
    for record in [after, with_it, early] {
        let held = phone.device().with_store(move |store, _| store.document(record)).await.unwrap();
        assert!(held.is_none(), "no phone hears of it");
    }
    phone.close().await.unwrap();
}
