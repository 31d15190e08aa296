//! Patrols: nothing is lost but the point on its way, nothing stays longer than it may.

use gridwalk_model::geo::{Fix, LatLon, Position, PositionSource};
use gridwalk_model::records::{Visit, visit::VisitResult};
use gridwalk_model::{Fields, Value};
use proptest::prelude::*;

use super::*;
use crate::clock::SeededEntropy;
use crate::store::{Faults, Lane, Side, StoreConfig};
use crate::testkit::{GRID, USER, at, device, dwelling, fields, resident, store, store_with};
use gridwalk_model::time::DAY_MS;

const RULES: fn() -> PatrolRules = PatrolRules::default;

fn point(seconds: i64, metres_north: f64) -> TrackPoint {
    let point = LatLon { lat: 36.1 + metres_north / 110_950.0, lon: 120.47 };
    TrackPoint::bare(Fix { at: at(seconds * 1000), point })
}

fn place(store: &mut Store, name: &str, metres_north: f64, company: Option<RecordId>) -> RecordId {
    let position = Position::wgs84(36.1 + metres_north / 110_950.0, 120.47, None, PositionSource::Manual);
    let mut all: Fields = fields(&[("name", name), ("category", "public_space")]);
    all.insert("area".into(), Value::from(GRID));
    all.insert("position".into(), Value::Bytes(position.unwrap().to_bytes()));
    all.extend(company.map(|company| ("organization".to_owned(), Value::from(company))));
    store.edits(at(0), |edits| edits.create_fields(Kind::Place, &all)).unwrap()
}

/// Walks 500 m north in 50 points with a pause of ten minutes in the middle.
fn walk(store: &mut Store) {
    for n in 0..=50 {
        let seconds = n * 10 + if n > 25 { 600 } else { 0 };
        store.journal_points(&[point(seconds, n as f64 * 10.0)], false, &RULES()).unwrap();
    }
}

#[test]
fn a_patrol_becomes_a_record_and_a_track_that_waits_for_upload() {
    let mut store = store(1);
    let near = place(&mut store, "小广场（虚构）", 100.0, None);
    let far = place(&mut store, "停车棚（虚构）", 2_000.0, None);
    let home = store.create(&dwelling("1", "101"), at(0)).unwrap();
    place(&mut store, "便利店（虚构）", 100.0, Some(RecordId::from_bytes([9; 16])));
    let open = store.start_patrol(GRID, at(0)).unwrap();
    assert!(matches!(store.start_patrol(GRID, at(1)), Err(DeviceError::PatrolUnderWay)));
    walk(&mut store);
    let mut visit = fields(&[("result", VisitResult::Met.word())]);
    visit.insert("target".into(), Value::from(home));
    visit.insert("by".into(), Value::from(USER));
    visit.insert("at".into(), Value::Time(at(5)));
    visit.insert("patrol".into(), Value::from(open.id));
    store.edits(at(5), |edits| edits.create::<Visit>(&Visit::from_fields(&visit).unwrap())).unwrap();
    // Nobody opened at another door, and somebody was met who lives behind a third.
    let doors: Vec<RecordId> =
        ["102", "103"].iter().map(|room| store.create(&dwelling("1", room), at(0)).unwrap()).collect();
    let person = store.create(&resident("虚构丁", "19900000004"), at(0)).unwrap();
    let lives = [("resident", person), ("dwelling", doors[1])];
    let lives = lives.map(|(key, id)| (key.to_owned(), Value::from(id))).into();
    store.edits(at(0), |edits| edits.create_fields(Kind::Residency, &lives)).unwrap();
    visit.insert("target".into(), Value::from(person));
    store.edits(at(5), |edits| edits.create::<Visit>(&Visit::from_fields(&visit).unwrap())).unwrap();
    let mut shut = fields(&[("outcome", "nobody_home")]);
    shut.extend([("target".into(), Value::from(doors[0])), ("by".into(), Value::from(USER))]);
    shut.extend([("at".into(), Value::Time(at(6))), ("patrol".into(), Value::from(open.id))]);
    store.edits(at(6), |edits| edits.create_fields(Kind::BaseVerification, &shut)).unwrap();
    // By telephone: confirmed, and nobody stood there.
    shut.extend([("outcome".into(), Value::from("no_change")), ("method".into(), Value::from("phone"))]);
    store.edits(at(7), |edits| edits.create_fields(Kind::BaseVerification, &shut)).unwrap();
    let now = store.patrol_now(&RULES()).unwrap().unwrap();
    assert_eq!(now.reached, BTreeSet::from([home, doors[1]]));
    assert_eq!(now.walk.gaps.len(), 1, "shown");
    assert_eq!(store.totals().unwrap().changes.count, 12, "nothing of it is sent while it lasts");
    let ended = store.end_patrol(Some("一切正常".into()), &RULES(), at(2_000_000)).unwrap();
    assert_eq!(ended.walk.outdoor.len(), 2, "what has a company in it counts by a visit only");
    assert!(ended.walk.outdoor.contains(&(near, true)) && ended.walk.outdoor.contains(&(far, false)));
    let record = store.get::<Patrol>(open.id).unwrap().unwrap().record;
    assert_eq!((record.worker, record.outdoor_coverage), (USER, Some(50)));
    let metres = record.metres.unwrap();
    assert!((485..=490).contains(&metres), "the gap of 10 m is not bridged: {metres}");
    assert_eq!(record.track, ended.track);
    let waiting = store.view().uploads_waiting(Lane::Preview, at(2_000_001), 9).unwrap();
    assert_eq!(
        waiting.iter().map(|upload| (Some(upload.hash), upload.record)).collect::<Vec<_>>(),
        [(ended.track, open.id)]
    );
    assert_eq!(store.totals().unwrap().tracks.count, 1);
    let path = store.patrol_path(open.id, &RULES()).unwrap().unwrap();
    assert_eq!(path.gaps().len(), 1);
    let gpx = store.patrol_gpx(open.id, &RULES()).unwrap().unwrap();
    let file = gridwalk_model::geo::read_gpx(gpx.as_bytes()).unwrap();
    assert_eq!(file.tracks[0].segments.len(), 2);
    assert_eq!(store.open_patrol().unwrap(), None);
    assert!(store.view().patrol_points(open.id).unwrap().is_empty());
    store.receipts(&[ended.track.unwrap()], at(2_000_002)).unwrap();
    assert_eq!(store.totals().unwrap().tracks.count, 0);
}

#[test]
fn small_media_go_previews_first_and_full_photos_have_their_own_lane() {
    let mut store = store(1);
    let hash = |n: u8| ContentHash::from_bytes([n; 32]);
    let forms = [(1, MediaForm::Track), (2, MediaForm::Voice), (3, MediaForm::Full), (4, MediaForm::Preview)];
    for (n, form) in forms {
        store.put_media(&[(hash(n), form, &[n; 90])], at(0)).unwrap();
        let record = RecordId::from_bytes([1; 16]);
        store.write(Commit::Edit, |tx| tx.add_upload(&hash(n), record, form, 90, at(i64::from(n)))).unwrap();
    }
    let order = |lane| {
        let waiting = store.view().uploads_waiting(lane, at(9), 9).unwrap();
        waiting.into_iter().map(|upload| upload.hash).collect::<Vec<_>>()
    };
    assert_eq!(order(Lane::Preview), [hash(4), hash(1), hash(2)]);
    assert_eq!(order(Lane::Full), [hash(3)]);
    let totals = store.totals().unwrap();
    let counts = [totals.previews, totals.photos, totals.tracks, totals.voice_notes].map(|one| one.count);
    assert_eq!(counts, [1; 4]);
}

#[test]
fn a_crash_at_the_end_ends_it_once() {
    for (commit, side) in [
        (Commit::Media, Side::Before),
        (Commit::Media, Side::After),
        (Commit::Edit, Side::Before),
        (Commit::Edit, Side::After),
    ] {
        let faults = Faults::scripted();
        let mut store = store_with(1, faults.clone());
        let open = store.start_patrol(GRID, at(0)).unwrap();
        walk(&mut store);
        faults.fail(Some(commit), side, 0);
        assert!(store.end_patrol(None, &RULES(), at(1_200_000)).is_err());
        let mut store = store.reopened().unwrap();
        if let Some(found) = store.open_patrol().unwrap() {
            assert_eq!(found, open);
            store.end_patrol(None, &RULES(), at(1_300_000)).unwrap();
        }
        let record = store.get::<Patrol>(open.id).unwrap().unwrap().record;
        assert!(store.media(&record.track.unwrap()).unwrap().is_some(), "no reference without bytes");
        assert_eq!(store.totals().unwrap().tracks.count, 1);
        assert!(matches!(store.end_patrol(None, &RULES(), at(1_400_000)), Err(DeviceError::NoPatrol)));
    }
}

#[test]
fn points_survive_the_process_on_a_real_file() {
    let folder = tempfile::tempdir().unwrap();
    let config = StoreConfig::folder(folder.path(), crate::Encryption::None);
    let open = |config: StoreConfig| Store::open(config, Box::new(SeededEntropy::new(1))).unwrap();
    let mut store = open(config.clone());
    store.enrol(device(1), USER, "测试员（虚构）", "虚构区").unwrap();
    let patrol = store.start_patrol(GRID, at(0)).unwrap();
    for n in 0..5 {
        store.journal_points(&[point(n * 10, n as f64 * 10.0)], false, &RULES()).unwrap();
    }
    drop(store);
    let store = open(config);
    assert_eq!(store.open_patrol().unwrap(), Some(patrol));
    assert_eq!(store.view().patrol_points(patrol.id).unwrap().len(), 5);
}

#[test]
fn only_points_of_the_patrol_are_recorded() {
    let mut store = store(1);
    let none = store.journal_points(&[point(0, 0.0)], false, &RULES());
    assert!(matches!(none, Err(DeviceError::NoPatrol)));
    let patrol = store.start_patrol(GRID, at(60_000)).unwrap();
    let nowhere = TrackPoint::bare(Fix { at: at(70_000), point: LatLon { lat: f64::NAN, lon: 0.0 } });
    let odd = TrackPoint { accuracy_m: Some(f32::NAN), speed_mps: Some(f32::INFINITY), ..point(70, 0.0) };
    store.journal_points(&[point(0, 0.0), nowhere, odd], false, &RULES()).unwrap();
    let kept = store.view().patrol_points(patrol.id).unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].accuracy_m, kept[0].speed_mps), (Some(f32::MAX), None));
    assert_eq!(store.patrol_now(&RULES()).unwrap().unwrap().walk.dropped, 1);
    assert!(store.discard_patrol(at(75_000)).unwrap());
    assert_eq!(store.open_patrol().unwrap(), None);
    // Without any good point there is a record and no track.
    store.start_patrol(GRID, at(80_000)).unwrap();
    let ended = store.end_patrol(None, &RULES(), at(70_000)).unwrap();
    assert_eq!(ended.track, None);
    assert_eq!(store.patrol_path(ended.id, &RULES()).unwrap(), None);
    assert_eq!(store.totals().unwrap().tracks.count, 0);
}

#[test]
fn a_patrol_that_was_thrown_away_comes_back_with_its_points_until_it_is_swept() {
    let faults = Faults::scripted();
    let mut store = store_with(1, faults.clone());
    let open = store.start_patrol(GRID, at(0)).unwrap();
    walk(&mut store);
    faults.fail(Some(Commit::Edit), Side::After, 0);
    assert!(store.discard_patrol(at(1_200_000)).is_err());
    let mut store = store.reopened().unwrap();
    assert_eq!((store.open_patrol().unwrap(), store.patrol_now(&RULES()).unwrap()), (None, None));
    assert!(!store.discard_patrol(at(1_200_001)).unwrap(), "once");
    let thrown = DiscardedPatrol { patrol: open, discarded_at: at(1_200_000) };
    assert_eq!(store.discarded_patrols().unwrap(), [thrown]);
    let none = store.journal_points(&[point(1_300, 500.0)], false, &RULES());
    assert!(matches!(none, Err(DeviceError::NoPatrol)), "nothing is recorded meanwhile");
    assert_eq!(store.sweep_drafts(at(1_200_000 + DAY_MS - 1)).unwrap(), 0, "not old enough");
    // While another is under way it waits.
    let other = store.start_patrol(GRID, at(1_400_000)).unwrap();
    let busy = store.restore_patrol(open.id);
    assert!(matches!(busy, Err(DeviceError::PatrolUnderWay)), "{busy:?}");
    assert_eq!(store.open_patrol().unwrap(), Some(other));
    store.end_patrol(None, &RULES(), at(1_500_000)).unwrap();
    assert_eq!(store.restore_patrol(open.id).unwrap(), open);
    assert_eq!(store.restore_patrol(open.id).unwrap(), open, "the same again changes nothing");
    assert!(store.discarded_patrols().unwrap().is_empty());
    assert_eq!(store.view().patrol_points(open.id).unwrap().len(), 51);
    let ended = store.end_patrol(None, &RULES(), at(1_600_000)).unwrap();
    assert!(ended.walk.metres >= 485 && ended.track.is_some());
    let over = store.restore_patrol(open.id);
    assert!(matches!(over, Err(DeviceError::UnknownRecord { .. })), "{over:?}");
}

#[test]
fn a_patrol_that_was_thrown_away_goes_with_its_points_when_it_is_swept() {
    let mut store = store(1);
    let gone = store.start_patrol(GRID, at(0)).unwrap();
    walk(&mut store);
    store.discard_patrol(at(1_200_000)).unwrap();
    let open = store.start_patrol(GRID, at(1_300_000)).unwrap();
    store.journal_points(&[point(1_310, 0.0)], false, &RULES()).unwrap();
    assert_eq!(store.sweep_drafts(at(1_200_000 + DAY_MS)).unwrap(), 1);
    assert!(store.view().patrol_points(gone.id).unwrap().is_empty());
    assert!(store.discarded_patrols().unwrap().is_empty());
    assert!(matches!(store.restore_patrol(gone.id), Err(DeviceError::PatrolUnderWay)));
    assert_eq!(store.open_patrol().unwrap(), Some(open), "the other goes on");
    assert_eq!(store.view().patrol_points(open.id).unwrap().len(), 1);
    store.discard_patrol(at(1_400_000)).unwrap();
    assert!(matches!(store.restore_patrol(gone.id), Err(DeviceError::UnknownRecord { .. })));
}

#[test]
fn after_thirty_days_the_points_are_gone_and_the_measures_stay() {
    let mut store = store(1);
    let open = store.start_patrol(GRID, at(0)).unwrap();
    walk(&mut store);
    let end = 1_200_000;
    let ended = store.end_patrol(None, &RULES(), at(end)).unwrap();
    let track = ended.track.unwrap();
    store.sweep_media(at(end + 29 * DAY_MS), DAY_MS).unwrap();
    assert!(store.media(&track).unwrap().is_some(), "still unsent, still here");
    assert_eq!(store.sweep_media(at(end + 31 * DAY_MS), DAY_MS).unwrap(), 1);
    assert_eq!(store.media(&track).unwrap(), None);
    assert_eq!(store.patrol_gpx(open.id, &RULES()).unwrap(), None);
    assert_eq!(store.totals().unwrap().tracks.count, 0, "and no longer waits");
    assert!(store.get::<Patrol>(open.id).unwrap().unwrap().record.metres.unwrap() > 400);
    // A patrol that nobody ended keeps no points either.
    let day = end + 31 * DAY_MS;
    let forgotten = store.start_patrol(GRID, at(day)).unwrap();
    store.journal_points(&[point(day / 1000 + 5, 0.0)], false, &RULES()).unwrap();
    store.expire_tracks(&RULES(), at(day + 31 * DAY_MS)).unwrap();
    assert!(store.view().patrol_points(forgotten.id).unwrap().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Killed just before or just after any commit: what was acknowledged is there, and at most one point more.
    #[test]
    fn a_kill_loses_at_most_the_point_on_its_way(kill_at in 0u32..20, after in any::<bool>()) {
        let faults = Faults::scripted();
        let mut store = store_with(1, faults.clone());
        let patrol = store.start_patrol(GRID, at(0)).unwrap();
        faults.fail(Some(Commit::Journal), if after { Side::After } else { Side::Before }, kill_at);
        let mut acknowledged = 0;
        for n in 0..20 {
            if store.journal_points(&[point(n * 10, n as f64)], false, &RULES()).is_err() {
                break;
            }
            acknowledged += 1;
        }
        let store = store.reopened().unwrap();
        let there = store.view().patrol_points(patrol.id).unwrap().len();
        prop_assert_eq!(acknowledged, kill_at as usize);
        prop_assert_eq!(there, acknowledged + usize::from(after));
    }
}

/// The engine sends a track as it sends a photo: asked for, uploaded, and done only with the receipt.
#[test]
fn a_track_is_uploaded_and_its_receipt_is_waited_for() {
    use crate::sync::tests::Phone;
    use crate::sync::{Effect, Event};
    use crate::testkit::Script;

    let mut server = Script::new();
    let mut phone = Phone::joined(1, &mut server);
    let open = phone.store.start_patrol(GRID, at(0)).unwrap();
    walk(&mut phone.store);
    let track = phone.store.end_patrol(None, &RULES(), at(1_200_000)).unwrap().track.unwrap();
    let mut effects = phone.engine.next(Event::Edited, &mut phone.store, at(1_200_001)).unwrap();
    while let Some((n, request)) = effects.iter().find_map(|effect| match effect {
        Effect::Send { n, request } => Some((*n, request.clone())),
        _ => None,
    }) {
        let result = Ok(Box::new(server.answer(&request, device(1))));
        effects = phone.engine.next(Event::Response { n, result }, &mut phone.store, at(1_200_002)).unwrap();
    }
    let asked = |effects: &[Effect]| {
        effects.iter().find_map(|effect| match effect {
            Effect::AskMissing { n, hashes } if hashes == &[track] => Some(*n),
            _ => None,
        })
    };
    let told = Event::Missing { n: asked(&effects).unwrap(), result: Ok((vec![track], vec![])) };
    let effects = phone.engine.next(told, &mut phone.store, at(1_200_003)).unwrap();
    let upload = effects.iter().find_map(|effect| match effect {
        Effect::Upload { n, upload } => Some((*n, upload.clone())),
        _ => None,
    });
    let (n, upload) = upload.unwrap();
    assert_eq!((upload.hash, upload.record), (track, open.id));
    let piece = phone.store.media_piece(&track, 0).unwrap().unwrap();
    assert_eq!(piece.len() as u64, upload.bytes, "what is sent is the track");
    let done = Event::Uploaded { n, hash: track, result: Ok(()) };
    let effects = phone.engine.next(done, &mut phone.store, at(1_200_004)).unwrap();
    assert_eq!(phone.store.totals().unwrap().tracks.count, 1, "an upload is not a receipt");
    let told = Event::Missing { n: asked(&effects).unwrap(), result: Ok((vec![], vec![track])) };
    phone.engine.next(told, &mut phone.store, at(1_200_005)).unwrap();
    assert_eq!(phone.store.totals().unwrap().tracks.count, 0);
    assert!(phone.store.media(&track).unwrap().is_some(), "and it stays for its 30 days");
}
