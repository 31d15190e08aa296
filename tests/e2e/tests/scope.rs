//! Who gets what (Must hold 7): no byte outside a phone's streams, residents in two grids, and a gridworker who is
//! reassigned while they hold unsynced work.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use gridwalk_device::photo::CaptureFacts;
use gridwalk_e2e::tap::Exchange;
use gridwalk_e2e::town::{dwelling, event, field, fields, has, set, settle, settle_all, stream_of};
use gridwalk_e2e::{Tap, Town, forge, raw};
use gridwalk_harness::phone::Phone;
use gridwalk_harness::scene::Hazard;
use gridwalk_harness::seeded::Seeded;
use gridwalk_harness::{people, photos};
use gridwalk_model::photo::{PhotoRef, shown_photos};
use gridwalk_model::{Kind, RecordId, Value};
use gridwalk_replica::protocol::{Missing, MissingRequest, path};
use gridwalk_replica::wire::SyncResponse;

async fn create(phone: &Phone, kind: Kind, pairs: &[(&str, Value)]) -> RecordId {
    phone.device().create_fields(kind, fields(pairs)).await.unwrap()
}

async fn add_photo(phone: &Phone, record: RecordId) -> PhotoRef {
    let original = photos::jpeg(&mut Seeded::new(3), (640, 480), Hazard::FlyingLead, None).unwrap();
    let facts = CaptureFacts::camera(phone.device().now(), "W1".into());
    phone.device().add_photo(record, original, facts, None).await.unwrap();
    let (_, fields) = phone.device().with_store(move |s, _| s.fields(record)).await.unwrap().unwrap();
    shown_photos(&fields).next().unwrap().1
}

/// Every byte that a phone was sent: heads, bodies, and what the frames inflate to.
fn received(log: &[Exchange]) -> Vec<u8> {
    let mut out = Vec::new();
    for answer in log.iter().filter_map(|exchange| exchange.answer.as_ref()) {
        out.extend(answer.to_bytes());
        if answer.header("content-type") == Some(raw::FRAMED) {
            out.extend(forge::unframed(&answer.body));
        }
    }
    out
}

fn contains(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_receives_no_byte_outside_its_streams() {
    const MARK: &str = "不该看到的秘密字样";
    let town = Town::start();
    let tap = Tap::start(town.address());
    let ours = town.phone_through(&tap.url(), "甲工", &[0]).await;
    let theirs = town.phone("乙工", &[1]).await;
    let home = dwelling(&ours, town.grid(0), "共同可见").await;
    let foreign = dwelling(&theirs, town.grid(1), MARK).await;
    let foreign_event = event(&theirs, town.grid(1), MARK).await;
    let photo = add_photo(&theirs, foreign_event).await;
    let resident = create(&theirs, Kind::Resident, &[("name", MARK.into())]).await;
    let links = [("resident", resident.into()), ("dwelling", foreign.into())];
    let residency = create(&theirs, Kind::Residency, &links).await;
    let number = people::id_number(people::Born { year: 1990, month: 1, day: 1 }, 7);
    let number = [("resident", resident.into()), ("number", number.into())];
    let id_number = create(&theirs, Kind::ResidentId, &number).await;
    for _ in 0..2 {
        settle_all(&[&theirs, &ours]).await;
        set(&theirs, foreign, "remarks", format!("{MARK}{}", theirs.device().now())).await;
        set(&ours, home, "remarks", format!("好{}", ours.device().now())).await;
    }
    settle_all(&[&theirs, &ours]).await;
    assert!(theirs.device().remove(foreign_event).await.unwrap());
    settle_all(&[&theirs, &ours]).await;
    let bytes = received(&tap.log());
    assert!(
        contains(&bytes, "共同可见".as_bytes()) || contains(&bytes, home.as_bytes()),
        "the tap reads along"
    );
    assert!(!contains(&bytes, MARK.as_bytes()));
    for record in [foreign, foreign_event, resident, residency, id_number] {
        assert!(!contains(&bytes, record.as_bytes()), "{record}");
        assert!(!has(&ours, record).await);
    }
    assert!(!contains(&bytes, photo.hash.as_bytes()));
    town.assert_agrees(&ours).await;

    // Nor by asking: for the stream, for the photo, or whether the photo exists.
    let curious = town.stranger("好奇人", &[0]);
    let known = curious.sync(&curious.request(vec![])).unwrap();
    let mut request = curious.request(vec![]);
    for generation in 0..4 {
        request.cursors.push(gridwalk_replica::wire::Cursor {
            stream: stream_of(town.grid(1)).to_bytes().into(),
            generation,
            seq: 0,
        });
    }
    let response: SyncResponse = curious.sync(&request).unwrap();
    assert_eq!(response.pulls.len(), known.pulls.len());
    let bearer = format!("Bearer {}", curious.token);
    let get = |record: RecordId| {
        let target = format!("/v1/media/{record}/{}", photo.hash);
        raw::exchange(town.address(), &raw::request("GET", &target, &[("authorization", &bearer)], &[]))
            .unwrap()
    };
    for record in [foreign_event, foreign, home] {
        let answer = get(record);
        assert_eq!((answer.status, answer.body.len()), (404, 0));
    }
    let hashes = vec![photo.hash.as_bytes().to_vec().into(), vec![7; 32].into()];
    let told: Missing = curious.post(path::MISSING, &MissingRequest { hashes }).unwrap();
    assert_eq!((told.missing.len(), told.stored.len()), (2, 0), "a photo of others looks like none");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resident_in_two_grids_is_on_both_phones_and_leaves_neither_by_accident() {
    let town = Town::start();
    let (a, b) = (town.phone("甲工", &[0]).await, town.phone("乙工", &[1]).await);
    let both = town.phone("组长", &[0, 1]).await;
    let (here, there) = (dwelling(&a, town.grid(0), "1").await, dwelling(&b, town.grid(1), "2").await);
    let resident = create(&a, Kind::Resident, &[("name", "虚构人".into())]).await;
    create(&a, Kind::Residency, &[("resident", resident.into()), ("dwelling", here.into())]).await;
    settle_all(&[&a, &b, &both]).await;
    assert!(!has(&b, resident).await && has(&both, resident).await);
    let second =
        create(&both, Kind::Residency, &[("resident", resident.into()), ("dwelling", there.into())]).await;
    settle_all(&[&both, &a, &b]).await;
    for phone in [&a, &b, &both] {
        assert!(has(phone, resident).await, "{}", phone.name());
        town.assert_agrees(phone).await;
    }
    // Each may edit, the others see it.
    set(&b, resident, "phone", "19900010001").await;
    set(&a, resident, "workplace", "虚构工厂").await;
    settle_all(&[&a, &b, &both]).await;
    for phone in [&a, &b, &both] {
        assert_eq!(field(phone, resident, "phone").await, Some("19900010001".into()));
        assert_eq!(field(phone, resident, "workplace").await, Some("虚构工厂".into()));
    }
    // They move out of the second grid while the first grid's worker edits offline: they leave there, and only there.
    a.set_online(false).unwrap();
    set(&a, resident, "remarks", "离线时写的").await;
    set(&b, second, "to", "2020-01-01").await;
    settle_all(&[&b, &both]).await;
    assert!(!has(&b, resident).await, "{} has nothing to do with them any more", b.name());
    assert!(has(&both, resident).await);
    a.set_online(true).unwrap();
    settle_all(&[&a, &both, &b]).await;
    assert_eq!(field(&both, resident, "remarks").await, Some("离线时写的".into()));
    // And back: the date was a mistake.
    set(&both, second, "to", Value::Null).await;
    settle_all(&[&both, &a, &b]).await;
    for phone in [&a, &b, &both] {
        assert_eq!(field(phone, resident, "remarks").await, Some("离线时写的".into()), "{}", phone.name());
        town.assert_agrees(phone).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reassigned_gridworker_loses_nothing() {
    let town = Town::start();
    let person = town.gridworker("调动人", &[0]);
    let phone = town.phone_of(&town.url(), "调动人", person).await;
    settle(&phone).await;
    let home = dwelling(&phone, town.grid(0), "1").await;
    settle(&phone).await;
    phone.set_online(false).unwrap();
    set(&phone, home, "remarks", "离线时写的").await;
    let unsent = event(&phone, town.grid(0), "虚构：调动前上报").await;
    let photo = add_photo(&phone, unsent).await;
    let fresh = dwelling(&phone, town.grid(0), "2").await;
    let office = town.office();
    office.unassign(person, town.grid(0)).unwrap();
    office.assign(person, town.grid(1)).unwrap();
    let successor = town.phone("接手人", &[0]).await;
    let neighbour = town.phone("邻格人", &[1]).await;
    let there = dwelling(&neighbour, town.grid(1), "9").await;
    settle(&neighbour).await;
    phone.set_online(true).unwrap();
    let status = settle(&phone).await;
    settle_all(&[&phone, &successor]).await;
    assert_eq!((status.totals.quarantined, status.totals.refused), (0, 0), "{status:?}");
    assert_eq!(field(&successor, home, "remarks").await, Some("离线时写的".into()));
    assert!(has(&successor, unsent).await && has(&successor, fresh).await);
    assert!(
        office.has_media(&photo.hash).unwrap() && office.has_media(&photo.preview_hash.unwrap()).unwrap()
    );
    assert!(has(&phone, there).await, "the new grid is here");
    for gone in [home, fresh] {
        assert!(!has(&phone, gone).await, "the old grid's records are gone");
    }
    let streams = phone.streams().await.unwrap();
    assert!(
        !streams.contains_key(&stream_of(town.grid(0))) && streams.contains_key(&stream_of(town.grid(1)))
    );
    for phone in [&phone, &successor, &neighbour] {
        town.assert_agrees(phone).await;
    }
    // Given back, everything is there again.
    office.assign(person, town.grid(0)).unwrap();
    settle(&phone).await;
    assert!(has(&phone, home).await && has(&phone, fresh).await && has(&phone, unsent).await);
    town.assert_agrees(&phone).await;
}
