//! The facade, without a server: what works offline.

use std::sync::Arc;

use gridwalk_model::Kind;
use gridwalk_model::records::Dwelling;

use super::*;
use crate::NetError;
use crate::keeping::KeepingLimits;
use crate::photo::CaptureFacts;
use crate::testkit::{USER, at, device, dwelling, fields, jpeg};

pub(super) async fn open(folder: &std::path::Path) -> Device {
    let opened = Device::open(DeviceOptions::host(folder)).await.unwrap();
    opened.with_store(|store, _| store.enrol(device(1), USER, "测试员（虚构）", "虚构区")).await.unwrap();
    opened
}

#[tokio::test]
async fn work_goes_on_without_a_server_and_is_there_after_closing() {
    let folder = tempfile::tempdir().unwrap();
    let phone = open(folder.path()).await;
    let id = phone.create(dwelling("3号楼", "501")).await.unwrap();
    assert!(phone.edit(id, fields(&[("remarks", "门口有灭火器")])).await.unwrap());
    let found = phone.search("3号楼", &[Kind::Dwelling], None, 9).await.unwrap();
    assert_eq!(found.hits[0].id, id);
    let status = phone.sync().await.unwrap();
    assert_eq!(status.totals.changes.count, 2);
    assert_eq!(status.last_error.unwrap().en, NetError::Offline.en());
    assert!(phone.watch_status().borrow().totals.changes.count <= 2);
    phone.close().await.unwrap();
    assert!(matches!(phone.status().await, Err(DeviceError::Closed)));
    let again = open(folder.path()).await;
    let read = again.get::<Dwelling>(id).await.unwrap().unwrap();
    assert_eq!(read.record.remarks.as_deref(), Some("门口有灭火器"));
    again.close().await.unwrap();
}

#[tokio::test]
async fn a_device_that_is_not_enrolled_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let phone = Device::open(DeviceOptions::host(folder.path())).await.unwrap();
    assert!(matches!(phone.create(dwelling("1", "1")).await, Err(DeviceError::NotEnrolled)));
    assert!(matches!(phone.sync().await, Err(DeviceError::NotEnrolled)));
    let refused = phone.enrol("http://grid.example", "code", "phone").await;
    assert!(matches!(refused, Err(DeviceError::Net(NetError::Insecure))));
}

#[tokio::test]
async fn the_signing_key_stays_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let first = Device::open(DeviceOptions::host(folder.path())).await.unwrap();
    let key = first.shared.key.public_key().unwrap();
    first.close().await.unwrap();
    let second = Device::open(DeviceOptions::host(folder.path())).await.unwrap();
    assert_eq!(second.shared.key.public_key().unwrap(), key);
}

#[tokio::test]
async fn photos_are_journaled_then_attached_and_bad_files_stay_out() {
    let folder = tempfile::tempdir().unwrap();
    let phone = open(folder.path()).await;
    let mut event = fields(&[("category", "fire_safety"), ("address", "东门")]);
    event.insert("area".into(), Value::from(crate::testkit::GRID));
    let id = phone.create_fields(Kind::Event, event).await.unwrap();
    let facts = || CaptureFacts::camera(at(0), "W01".into());
    phone.add_photo(id, jpeg(320, 240), facts(), None).await.unwrap();
    let status = phone.status().await.unwrap();
    assert_eq!((status.totals.photos.count, status.totals.previews.count, status.totals.captures), (1, 1, 0));
    let refused = phone.add_photo(id, b"not a photo".to_vec(), facts(), None).await;
    assert!(matches!(refused, Err(DeviceError::Photo(_))));
    let missing = phone.attach_journaled(99, id, None).await;
    assert!(matches!(missing, Err(DeviceError::NoCapture)));
    let status = phone.status().await.unwrap();
    assert_eq!((status.totals.photos.count, status.totals.captures), (1, 0));
}

#[tokio::test]
async fn a_second_device_in_the_same_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path()).await;
    let second = Device::open(DeviceOptions::host(folder.path())).await;
    assert!(matches!(second, Err(DeviceError::AlreadyOpen)));
    let _ = Arc::clone(&first.shared);
}

#[tokio::test]
async fn a_patrol_and_a_visit_go_through_the_facade_and_survive_closing() {
    use crate::testkit::GRID;
    use crate::work::visits::VisitInput;
    use gridwalk_model::geo::{Fix, LatLon, TrackPoint};
    use gridwalk_model::indicators::FigureName;
    use gridwalk_model::records::Visit;
    use gridwalk_model::records::visit::{VisitPurpose, VisitResult};
    use gridwalk_model::walk::PatrolRules;

    let folder = tempfile::tempdir().unwrap();
    let rules = PatrolRules::default();
    let phone = open(folder.path()).await;
    let home = phone.create(dwelling("3号楼", "501")).await.unwrap();
    let patrol = phone.start_patrol(GRID).await.unwrap();
    for n in 0..5 {
        let fix = Fix {
            at: patrol.started_at.plus_millis(n * 10_000),
            point: LatLon { lat: 36.1 + n as f64 * 1e-4, lon: 120.47 },
        };
        let next = phone.journal_points(vec![TrackPoint::bare(fix)], false, rules).await.unwrap();
        assert!((5_000..=30_000).contains(&next.interval_ms));
    }
    phone.close().await.unwrap();
    let phone = open(folder.path()).await;
    assert_eq!(phone.open_patrol().await.unwrap(), Some(patrol));
    let declined = VisitInput::plain(home, VisitResult::Refused, VisitPurpose::Routine);
    phone.save_visit_draft(declined.clone()).await.unwrap();
    assert_eq!(
        phone.visit_sheet(home, "走访", KeepingLimits::default()).await.unwrap().draft,
        Some(declined.clone())
    );
    let recorded = phone.record_visit(declined).await.unwrap();
    let visit = phone.get::<Visit>(recorded.visit).await.unwrap().unwrap().record;
    assert_eq!(visit.patrol, Some(patrol.id), "made on the patrol under way");
    assert_eq!(phone.patrol_now(rules).await.unwrap().unwrap().reached.len(), 1);
    let ended = phone.end_patrol(None, rules).await.unwrap();
    assert!(ended.walk.metres > 30);
    assert!(phone.patrol_gpx(ended.id, rules).await.unwrap().unwrap().contains("<trkpt"));
    assert_eq!(phone.status().await.unwrap().totals.tracks.count, 1);
    let week = phone.my_week(GRID).await.unwrap();
    let reached = week.figures.iter().find(|(figure, _)| figure.name == FigureName::DoorsReached).unwrap();
    assert_eq!(reached.0.numerator[0].by, [recorded.visit]);
    assert!(phone.undo_visit(recorded.visit).await.unwrap());
}

#[tokio::test]
async fn a_report_takes_three_calls_and_is_followed() {
    use crate::work::events::{SnapContext, WorkerAct};
    let folder = tempfile::tempdir().unwrap();
    let phone = open(folder.path()).await;
    let facts = CaptureFacts { position: position(), ..CaptureFacts::camera(at(0), "W01".into()) };
    let context = SnapContext { area: Some(crate::testkit::GRID), ..SnapContext::default() };
    let snapped = phone.snap(jpeg(320, 240), facts, context, None).await.unwrap();
    assert!(phone.choose_category(snapped.draft, "gas_leak").await.unwrap().urgent);
    let sent = phone.send_report(snapped.draft).await.unwrap();
    let offered = phone.recent_categories(4).await.unwrap();
    assert_eq!((offered.len(), offered[0].code.as_str()), (4, "gas_leak"), "first the next time");
    assert!(sent.call.is_some() && phone.not_sent().await.unwrap()[0].event == Some(sent.event));
    assert_eq!(phone.attach_report_photos(None).await.unwrap(), 1);
    assert_eq!(phone.attach_report_photos(None).await.unwrap(), 0);
    phone.act_on_event(sent.event, WorkerAct::StartCheck).await.unwrap();
    assert_eq!(phone.today(None, 9).await.unwrap().items[0].target, sent.event);
    assert_eq!(phone.tray().await.unwrap().len(), 1);
    phone.close().await.unwrap();
    let again = open(folder.path()).await;
    let report = &again.my_reports(9).await.unwrap()[0];
    assert_eq!((report.event, report.number.as_deref()), (sent.event, Some(sent.number.as_str())));
    assert_eq!(again.draft_tray().await.unwrap(), crate::work::events::DraftTray::default());
}

#[tokio::test]
async fn screens_have_their_calls() {
    use crate::work::events::{ReportDraft, SiteClaim, SnapContext};
    let folder = tempfile::tempdir().unwrap();
    let phone = open(folder.path()).await;
    let facts = CaptureFacts { position: position(), ..CaptureFacts::camera(at(0), "W01".into()) };
    let loose = phone.journal_photo(jpeg(320, 240), facts.clone()).await.unwrap();
    assert_eq!(phone.photo_used_before(loose, None).await.unwrap(), None);
    let thrown = phone.discard_capture(loose).await.unwrap();
    let tray = phone.draft_tray().await.unwrap();
    assert_eq!((tray.discarded.len(), tray.loose.len()), (1, 0));
    phone.restore_draft(thrown).await.unwrap();
    let other = phone.journal_photo(jpeg(320, 256), facts).await.unwrap();
    let context = SnapContext { area: Some(crate::testkit::GRID), ..SnapContext::default() };
    let wrong = phone.adopt_capture(other, context, Some(thrown)).await.unwrap();
    phone.release_capture(wrong.capture).await.unwrap();
    assert!(matches!(phone.release_capture(wrong.capture).await, Err(DeviceError::NoCapture)));
    let adopted = phone.adopt_capture(other, context, None).await.unwrap();
    let empty = phone.begin_report(ReportDraft::default()).await.unwrap();
    phone.discard_draft(empty).await.unwrap();
    phone.choose_category(adopted.draft, "litter").await.unwrap();
    let sent = phone.send_report(adopted.draft).await.unwrap();
    let near = ReportDraft {
        category: Some("litter".into()),
        area: Some(crate::testkit::GRID),
        position: position(),
        seen_at: Some(at(0)),
        ..ReportDraft::default()
    };
    assert_eq!(phone.near_reports(near).await.unwrap().len(), 1);
    assert!(!phone.event_acts(sent.event).await.unwrap().is_empty());
    assert!(phone.check_site(sent.event, SiteClaim::default()).await.is_err());
    assert_eq!(phone.attach_report_photos(None).await.unwrap(), 1);
    let only = phone.remove_photo(sent.event, adopted.element).await;
    assert!(matches!(only, Err(DeviceError::ActRefused { .. })), "the report rests on it: {only:?}");
    let facts = CaptureFacts { position: position(), ..CaptureFacts::camera(at(0), "W01".into()) };
    phone.add_photo(sent.event, jpeg(320, 200), facts, None).await.unwrap();
    let removed = phone.remove_photo(sent.event, adopted.element).await.unwrap();
    phone.restore_photo(removed).await.unwrap();
    assert!(phone.visit_drafts().await.unwrap().is_empty());
    assert!(phone.open_submissions().await.unwrap().is_empty());
}

fn position() -> Option<gridwalk_model::geo::Position> {
    gridwalk_model::geo::Position::wgs84(36.1, 120.47, Some(5.0), gridwalk_model::geo::PositionSource::Gps)
        .ok()
}

/// A platform's keystore in memory: what it wraps is lost with its key.
#[derive(Default)]
struct MemoryKeyStore {
    key: std::sync::Mutex<Option<u8>>,
}

impl MemoryKeyStore {
    fn turned(&self, bytes: &[u8]) -> Result<Vec<u8>, DeviceError> {
        let key = self.key.lock().unwrap().ok_or(DeviceError::KeyStore { reason: "no key".into() })?;
        Ok(bytes.iter().map(|byte| byte ^ key).collect())
    }

    fn has_key(&self) -> bool {
        self.key.lock().unwrap().is_some()
    }
}

impl KeyStore for MemoryKeyStore {
    fn wrap(&self, key: &crate::DataKey) -> Result<Vec<u8>, DeviceError> {
        self.key.lock().unwrap().get_or_insert(0x5a);
        self.turned(key.as_bytes())
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<crate::DataKey, DeviceError> {
        let bytes = self.turned(wrapped)?;
        crate::DataKey::from_slice(&bytes).ok_or(DeviceError::KeyMismatch)
    }

    fn delete(&self) -> Result<(), DeviceError> {
        // As a shell's does, it may wait: on a thread of the runtime that would panic.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.block_on(std::future::ready(()));
        }
        *self.key.lock().unwrap() = None;
        Ok(())
    }
}

#[tokio::test]
async fn a_wiped_phone_has_no_key_in_the_platforms_keystore_with_a_pin_or_without() {
    use crate::keeping::PinRules;
    use crate::store::Commit;
    use zeroize::Zeroizing;
    for pin in [None, Some("2468")] {
        let folder = tempfile::tempdir().unwrap();
        let keys = Arc::new(MemoryKeyStore::default());
        let open = async || {
            let key_store: Arc<dyn KeyStore> = keys.clone();
            let options = DeviceOptions { key_store, ..DeviceOptions::host(folder.path()) };
            match pin {
                None => Device::open(options).await,
                Some(pin) => {
                    Device::open_with_pin(options, Zeroizing::new(pin.to_owned()), &PinRules::default()).await
                }
            }
        };
        let phone = open().await.unwrap();
        assert!(keys.has_key());
        let order = |store: &mut Store, _| {
            store.write(Commit::Setting, |tx| tx.put_number(Setting::Locked, crate::keeping::WIPE))
        };
        phone.with_store(order).await.unwrap();
        phone.close().await.unwrap();
        assert!(matches!(open().await.map(drop), Err(DeviceError::Wiped)));
        assert!(!keys.has_key(), "nothing in the hardware opens a copy of what was there");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn what_is_asked_later_is_asked_for_through_the_facade() {
    let folder = tempfile::tempdir().unwrap();
    let phone = open(folder.path()).await;
    assert_eq!(phone.asked_later().await.unwrap(), []);
    phone.lock().await.unwrap();
    assert!(matches!(phone.asked_later().await, Err(DeviceError::Locked)));
}
