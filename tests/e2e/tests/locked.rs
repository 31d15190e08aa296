//! A phone that is locked by the office: it shows nothing, hands in what it had not sent, and is wiped with the
//! server's receipt. Cut and restarted on the way, nothing is lost; reinstated on the way, it goes on.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gridwalk_device::DeviceError;
use gridwalk_device::photo::CaptureFacts;
use gridwalk_device::work::events::{ReportDraft, SnapContext};
use gridwalk_device::work::evidence::VoiceFacts;
use gridwalk_device::work::visits::VisitInput;
use gridwalk_e2e::town::{dwelling, event, field, settle};
use gridwalk_e2e::{Fate, Passing, Tap, Town};
use gridwalk_harness::phone::Phone;
use gridwalk_harness::photos;
use gridwalk_harness::scene::Hazard;
use gridwalk_harness::seeded::Seeded;
use gridwalk_model::RecordId;
use gridwalk_model::records::visit::{VisitPurpose, VisitResult};
use gridwalk_replica::protocol::path;

fn picture(seed: u64) -> Vec<u8> {
    photos::jpeg(&mut Seeded::new(seed), (640, 480), Hazard::Rubbish, None).unwrap()
}

/// A made-up voice note: AAC frames of 64 ms.
fn sound(frames: usize) -> Vec<u8> {
    let mut frame = vec![0xff, 0xf1, 0x60, 0, 13, 0x60, 0xfc];
    frame.resize(107, 7);
    frame.repeat(frames)
}

/// Work on a phone without a network: a new dwelling, a photo, and a report and a visit that are only begun, with what
/// was said into them.
async fn work(phone: &Phone, town: &Town, event: RecordId) -> RecordId {
    phone.set_online(false).unwrap();
    let home = dwelling(phone, town.grid(0), "101").await;
    let facts = CaptureFacts::camera(phone.device().now(), "W1".into());
    phone.device().add_photo(event, picture(1), facts.clone(), None).await.unwrap();
    let begun = move |store: &mut gridwalk_device::Store, now| {
        let snapped = store.snap(&picture(2), &facts, &SnapContext::default(), None, now)?;
        let description = Some("虚构：路灯不亮".to_owned());
        store.save_draft(snapped.draft, &ReportDraft { description, ..ReportDraft::default() })?;
        let said = |text: &str| VoiceFacts { recorded_at: now, transcript: Some(text.to_owned()) };
        store.add_draft_voice(snapped.draft, &sound(20), &said("虚构：三盏都不亮"), now)?;
        let visit = VisitInput::plain(home, VisitResult::NotHome, VisitPurpose::Routine);
        store.add_visit_voice(&visit, &sound(30), &said("虚构：下周再来"), now)?;
        let wrong = store.add_visit_voice(&visit, &sound(40), &said("虚构：录错了"), now)?;
        store.remove_draft_voice(wrong, now)
    };
    phone.device().with_store(begun).await.unwrap();
    home
}

/// Has the answers to parts of the package lost from the `from`th on; counts the parts that the server got.
fn lose_receipts(tap: &Tap, from: usize) -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&count);
    tap.set_rule(move |passing| match passing {
        Passing::Answer(request, _) if request.target().1 == path::SEALED => {
            if seen.fetch_add(1, Ordering::SeqCst) >= from { Fate::CutAfter(0) } else { Fate::Pass }
        }
        _ => Fate::Pass,
    });
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_phone_hands_everything_in_across_restarts_and_is_wiped() {
    let mut town = Town::start();
    let tap = Tap::start(town.address());
    let phone = town.phone_through(&tap.url(), "离岗人", &[0]).await;
    let event = event(&phone, town.grid(0), "虚构：楼道堆物").await;
    settle(&phone).await;
    let home = work(&phone, &town, event).await;
    let (device, person) = phone.identity().await.unwrap();
    town.office().lock_device(device).unwrap();
    let handed_in = lose_receipts(&tap, 1);
    phone.set_online(true).unwrap();
    let status = phone.device().sync().await.unwrap();
    assert!(status.locked && handed_in.load(Ordering::SeqCst) >= 2, "{status:?}");
    let shown = phone.device().search("虚构", &[], None, 10).await;
    assert!(matches!(shown, Err(DeviceError::Revoked)), "{shown:?}");
    let folder = phone.folder().to_owned();
    phone.device().close().await.unwrap();
    assert!(town.office().sealed_work().unwrap()[0].1.is_none(), "not whole yet");

    tap.clear_rule();
    let phone = Phone::open("离岗人", &folder).await.unwrap();
    // It ends with the device: the store is gone.
    while phone.device().sync().await.is_ok() {}
    let _ = phone.device().close().await;
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);

    town.stop();
    let office = town.office();
    let (package, opened) = office.sealed_work().unwrap().remove(0);
    let opened = opened.unwrap();
    let texts: Vec<&str> = opened.drafts.iter().map(|draft| draft.text.as_str()).collect();
    assert_eq!(texts, ["虚构：路灯不亮\n虚构：三盏都不亮", "虚构：下周再来"]);
    assert_eq!(opened.originals.len(), 1);
    let mut files: Vec<_> = opened.sounds.iter().collect();
    files.sort_by_key(|file| file.bytes);
    let sounds: Vec<_> = files.iter().map(|file| (file.bytes, file.draft, file.visit)).collect();
    let [report, visit] = [&opened.drafts[0], &opened.drafts[1]].map(|draft| draft.n);
    assert_eq!(sounds, [(2_140, Some(report), None), (3_210, None, Some(visit))]);
    assert_eq!(office.sealed_sound(&package, files[1]).unwrap(), Some(sound(30)));
    assert!(!opened.media.is_empty());
    let accepted = office.accept_sealed(&town.data(), package.no, person).unwrap();
    assert_eq!((accepted.refused, accepted.waiting, accepted.media_refused), (0, 0, 0), "{accepted:?}");
    for medium in &opened.media {
        assert!(office.has_media(&medium.name).unwrap());
    }
    assert!(!office.changes_of(home).unwrap().is_empty(), "sent in the ordinary way, or with the package");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_is_reinstated_on_the_way_goes_on_with_its_work() {
    let town = Town::start();
    let tap = Tap::start(town.address());
    let phone = town.phone_through(&tap.url(), "复职人", &[0]).await;
    let event = event(&phone, town.grid(0), "虚构：楼道堆物").await;
    settle(&phone).await;
    let home = work(&phone, &town, event).await;
    let (device, _) = phone.identity().await.unwrap();
    town.office().lock_device(device).unwrap();
    lose_receipts(&tap, 0);
    phone.set_online(true).unwrap();
    assert!(phone.device().sync().await.unwrap().locked);
    let folder = phone.folder().to_owned();
    phone.device().close().await.unwrap();

    town.office().reinstate_device(device).unwrap();
    tap.clear_rule();
    let phone = Phone::open("复职人", &folder).await.unwrap();
    let status = settle(&phone).await;
    assert!(!status.locked);
    assert_eq!(field(&phone, home, "room").await, Some("101".into()));
    let tray = phone.device().with_store(|store, _| store.draft_tray()).await.unwrap();
    assert_eq!(tray.drafts[0].report.description.as_deref(), Some("虚构：路灯不亮"));
    assert_eq!(tray.drafts[0].voices.len(), 1);
    assert_eq!(phone.device().visit_voices(home).await.unwrap().len(), 2, "one of them taken off");
    town.assert_agrees(&phone).await;
}
