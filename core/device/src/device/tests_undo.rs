//! What a shell needs to show and to undo by calls alone: the journal's pictures, what was taken away, rules refused.

use gridwalk_evidence::{Limits, is_preview};
use gridwalk_model::checklist::{Answer, Outcome, SignatureRole, file};
use gridwalk_model::geo::{Fix, LatLon, TrackPoint};
use gridwalk_model::photo::BlurRegion;
use gridwalk_model::records::visit::{VisitPurpose, VisitResult};
use gridwalk_model::records::{Dwelling, Place};
use gridwalk_model::walk::PatrolRules;
use gridwalk_replica::wire::RuleFiles;
use gridwalk_replica::{Actor, Document};

use super::tests::open;
use super::*;
use crate::keeping::KeepingLimits;
use crate::photo::CaptureFacts;
use crate::store::{Body, Commit};
use crate::testkit::{GRID, at, device, dwelling, fields, jpeg};
use crate::work::events::SnapContext;
use crate::work::visits::VisitInput;

#[tokio::test]
async fn a_photo_that_waits_to_be_sorted_can_be_drawn_until_it_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let phone = open(folder.path()).await;
    let original = jpeg(640, 480);
    let facts = CaptureFacts::camera(at(0), "W01".into());
    let loose = phone.journal_photo(original.clone(), facts.clone()).await.unwrap();
    assert_eq!(phone.draft_tray().await.unwrap().loose, [loose]);
    assert_eq!(phone.journaled_photo(loose).await.unwrap(), Some((original.clone(), facts)));
    let plain = phone.journaled_preview(loose, None).await.unwrap();
    let seen = is_preview(&plain, &Limits::default()).unwrap();
    assert_eq!((seen.width, seen.height), (320, 240));
    let face = BlurRegion { left: 0, top: 0, width: 5_000, height: 5_000 };
    phone.blur_journaled(loose, vec![face]).await.unwrap();
    assert_ne!(phone.journaled_preview(loose, None).await.unwrap(), plain, "marked regions are not shown");
    let draft = phone.adopt_capture(loose, SnapContext::default(), None).await.unwrap().draft;
    let photos = phone.draft_tray().await.unwrap().drafts[0].photos.clone();
    let of_draft = phone.journaled_photo(photos[0].capture).await.unwrap();
    assert_eq!(of_draft.map(|(bytes, _)| bytes), Some(original), "a draft's photos likewise");
    phone.discard_draft(draft).await.unwrap();
    assert!(phone.journaled_photo(loose).await.unwrap().is_some(), "it can still be taken back");
    assert_eq!(phone.journaled_photo(99).await.unwrap(), None);
    let missing = phone.journaled_preview(99, None).await;
    assert!(matches!(missing, Err(DeviceError::NoCapture)), "{missing:?}");
    let broken = phone.journal_photo(b"no picture".to_vec(), CaptureFacts::camera(at(1), "W01".into()));
    let broken = phone.journaled_preview(broken.await.unwrap(), None).await;
    assert!(matches!(broken, Err(DeviceError::Photo(_))), "{broken:?}");
    phone.lock().await.unwrap();
    assert!(matches!(phone.journaled_photo(loose).await, Err(DeviceError::Locked)));
    assert!(matches!(phone.journaled_preview(loose, None).await, Err(DeviceError::Locked)));
}

#[tokio::test]
async fn what_was_removed_is_shown_again() {
    let folder = tempfile::tempdir().unwrap();
    let phone = open(folder.path()).await;
    let door = phone.create(dwelling("3号楼", "501")).await.unwrap();
    let listed = async || phone.list::<Dwelling>(None, 9).await.unwrap().entries.len();
    assert!(phone.remove(door).await.unwrap());
    assert_eq!(listed().await, 0);
    assert!(phone.restore(door).await.unwrap());
    assert_eq!(listed().await, 1);
    assert_eq!(phone.search("3号楼", &[], None, 9).await.unwrap().hits.len(), 1);
    assert!(!phone.restore(door).await.unwrap(), "it is there already");
    assert_eq!(phone.status().await.unwrap().totals.changes.count, 3, "the way back is sent as well");
    let unknown = phone.restore(RecordId::from_bytes([1; 16])).await;
    assert!(matches!(unknown, Err(DeviceError::UnknownRecord { .. })), "{unknown:?}");
}

/// A checklist as it comes from the office.
async fn published(phone: &Device) -> RecordId {
    const ID: RecordId = RecordId::from_bytes([41; 16]);
    let template = file::read(include_str!("../../../../schemas/checklists/small_venues.json")).unwrap();
    let fields = template.to_record().to_fields();
    let (document, change) =
        Document::create(ID, Kind::Checklist, &fields, Actor::new(device(200), [2; 4]), at(0)).unwrap();
    let put = move |store: &mut Store, _| {
        store.write(Commit::Apply, |tx| {
            tx.put_record(ID, "checklist", None, &document, Body::Snapshot(&change.raw)).map(drop)
        })
    };
    phone.with_store(put).await.unwrap();
    ID
}

#[tokio::test]
async fn an_inspection_that_was_thrown_away_comes_back_with_its_answers() {
    let folder = tempfile::tempdir().unwrap();
    let phone = open(folder.path()).await;
    let checklist = published(&phone).await;
    let mut place = fields(&[("name", "虚构小吃店"), ("category", "restaurant"), ("address", "虚构路 1 号")]);
    place.insert("area".into(), Value::from(GRID));
    let place = phone.create(Place::from_fields(&place).unwrap()).await.unwrap();
    let id = phone.begin_inspection(place, checklist, None).await.unwrap().id;
    let pass = Answer { outcome: Some(Outcome::Pass), ..Answer::default() };
    let session = phone.answer_item(id, "daily_log", pass).await.unwrap().session;
    let drawn = jpeg(64, 48);
    let signed = phone.sign_inspection(id, SignatureRole::Worker, None, drawn).await.unwrap().signed;
    assert_eq!(signed, [SignatureRole::Worker].into());
    let off = phone.unsign_inspection(id, SignatureRole::Worker).await.unwrap();
    assert!(phone.inspection_session(id).await.unwrap().signed.is_empty());
    phone.restore_photo(off[0].clone()).await.unwrap();
    phone.discard_inspection(id).await.unwrap();
    assert!(phone.open_inspections().await.unwrap().is_empty());
    let back = phone.restore_inspection(id).await.unwrap();
    assert_eq!((back.id, back.answers, back.signed), (id, session.answers, signed));
    assert_eq!(phone.open_inspections().await.unwrap()[0].id, id);
    let resumed = phone.begin_inspection(place, checklist, None).await.unwrap();
    assert_eq!(resumed.id, id, "and is gone on with");
}

#[tokio::test]
async fn rules_that_could_not_be_read_are_told_until_good_ones_come() {
    let folder = tempfile::tempdir().unwrap();
    let phone = open(folder.path()).await;
    assert_eq!(phone.rules_refused().await.unwrap(), None);
    let given = |mark: u8, events: String| RuleFiles {
        mark: vec![mark; 8].into(),
        doors: None,
        field: None,
        events: Some(events),
    };
    let bad = given(1, "{}".into());
    assert!(!phone.with_store(move |store, _| store.take_rules(&bad)).await.unwrap());
    let why = phone.rules_refused().await.unwrap().unwrap();
    assert!(why.zh.contains("事件规则") && why.en.contains("categories"), "{why:?}");
    let good = given(2, gridwalk_model::event::EventRules::default().to_json());
    assert!(phone.with_store(move |store, _| store.take_rules(&good)).await.unwrap());
    assert_eq!(phone.rules_refused().await.unwrap(), None);
}

#[tokio::test]
async fn a_patrol_that_was_thrown_away_is_under_way_again() {
    let folder = tempfile::tempdir().unwrap();
    let phone = open(folder.path()).await;
    let rules = PatrolRules::default();
    let patrol = phone.start_patrol(GRID).await.unwrap();
    for n in 0..3 {
        let fix = Fix {
            at: patrol.started_at.plus_millis(n * 10_000),
            point: LatLon { lat: 36.1 + n as f64 * 1e-4, lon: 120.47 },
        };
        phone.journal_points(vec![TrackPoint::bare(fix)], false, rules).await.unwrap();
    }
    let before = phone.patrol_now(rules).await.unwrap().unwrap();
    assert!(phone.discard_patrol().await.unwrap());
    assert!(!phone.discard_patrol().await.unwrap());
    assert_eq!(phone.open_patrol().await.unwrap(), None);
    phone.close().await.unwrap();
    let phone = open(folder.path()).await;
    let thrown = phone.discarded_patrols().await.unwrap();
    assert_eq!((thrown.len(), thrown[0].patrol), (1, patrol));
    assert_eq!(phone.restore_patrol(patrol.id).await.unwrap(), patrol);
    assert_eq!(phone.patrol_now(rules).await.unwrap(), Some(before), "with every point");
    assert!(phone.discarded_patrols().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_visit_that_was_thrown_away_is_in_its_sheet_again() {
    let folder = tempfile::tempdir().unwrap();
    let phone = open(folder.path()).await;
    let home = phone.create(dwelling("3号楼", "501")).await.unwrap();
    let typed = VisitInput::plain(home, VisitResult::NotHome, VisitPurpose::Routine);
    let sheet = async || phone.visit_sheet(home, "走访", KeepingLimits::default()).await.unwrap().draft;
    phone.save_visit_draft(typed.clone()).await.unwrap();
    phone.discard_visit_draft(home).await.unwrap();
    assert_eq!(sheet().await, None);
    assert!(phone.visit_drafts().await.unwrap().is_empty());
    let thrown = phone.discarded_visit_drafts().await.unwrap();
    assert_eq!((thrown.len(), thrown[0].target), (1, home));
    phone.restore_visit_draft(thrown[0].n).await.unwrap();
    assert_eq!(sheet().await, Some(typed));
    assert!(phone.discarded_visit_drafts().await.unwrap().is_empty());
    let unknown = phone.restore_visit_draft(99).await;
    assert!(matches!(unknown, Err(DeviceError::NoDraft)), "{unknown:?}");
}
