use std::collections::{BTreeSet, HashMap};

use super::{dwelling, options, practice};
use crate::containers::word_lists;
use crate::device::{Device, SyncReason};
use crate::error::GridwalkError;
use crate::records::NewRecord;
use crate::schema::kinds;
use crate::traits::Platform;
use crate::values::FieldValue;

#[tokio::test]
async fn pages_by_key_tell_every_record_once_with_records_made_in_between() {
    let practice = practice().await;
    let device = &practice.device;
    let new = |room: i32| NewRecord { kind: "dwelling".into(), fields: dwelling(&format!("{room}")) };
    let made = device.create_records((100..150).map(new).collect()).await.unwrap();
    assert_eq!(made.len(), 50);
    let (mut seen, mut after, mut pages) = (BTreeSet::new(), None, 0);
    loop {
        let page = device.records("dwelling".into(), after, 7).await.unwrap();
        for entry in &page.entries {
            assert!(seen.insert(entry.id), "told twice");
            assert_eq!(entry.fields["estate"], FieldValue::Text { value: "示例小区🏠".into() });
            assert!(matches!(entry.fields["area"], FieldValue::Link { .. }), "links are told as such");
        }
        device.create_record("dwelling".into(), dwelling("000")).await.unwrap();
        pages += 1;
        after = page.next;
        if after.is_none() || pages > 20 {
            break;
        }
    }
    assert!(made.iter().all(|id| seen.contains(id)));
    let typed = device.list_dwellings(None, 5).await.unwrap();
    assert_eq!(typed.entries.len(), 5);
    assert!(typed.next.is_some());
}

#[tokio::test]
async fn a_bad_record_says_which_fields_are_at_fault() {
    let practice = practice().await;
    let fields = HashMap::from([("floor".to_owned(), FieldValue::Text { value: "三".into() })]);
    let refused = practice.device.create_record("dwelling".into(), fields).await;
    let Err(GridwalkError::InvalidInput { fields, .. }) = refused else { panic!("{refused:?}") };
    let told: BTreeSet<_> = fields.iter().map(|field| (field.field.as_str(), field.key.as_str())).collect();
    assert!(told.contains(&("area", "missing")) && told.contains(&("floor", "wrong_type")), "{told:?}");
    assert!(fields.iter().all(|field| !field.zh.is_empty() && !field.en.is_empty()));
    let unknown = practice.device.create_record("dragon".into(), HashMap::new()).await;
    assert!(matches!(unknown, Err(GridwalkError::InvalidInput { .. })));
}

#[tokio::test]
async fn a_paused_device_lets_nobody_in_and_a_closed_one_never_again() {
    let practice = practice().await;
    let device = &practice.device;
    let id = device.create_record("dwelling".into(), dwelling("101")).await.unwrap();
    device.pause().await.unwrap();
    device.pause().await.unwrap();
    assert!(matches!(device.record(id).await, Err(GridwalkError::Paused { .. })));
    assert!(matches!(device.sync(SyncReason::User).await, Err(GridwalkError::Paused { .. })));
    device.resume().await.unwrap();
    assert!(device.record(id).await.unwrap().is_some());
    let other = Device::open(options(&practice.folder), Platform::default()).await;
    let Err(GridwalkError::Conflict { problem, .. }) = other.map(drop) else { panic!("opened twice") };
    assert_eq!(problem.key, "already_open");
    device.close().await.unwrap();
    device.close().await.unwrap();
    assert!(matches!(device.record(id).await, Err(GridwalkError::Closed { .. })));
    assert!(matches!(device.resume().await, Err(GridwalkError::Closed { .. })));
    assert!(matches!(device.status().await, Err(GridwalkError::Closed { .. })));
    let again = Device::open_practice(options(&practice.folder), Platform::default()).await.unwrap();
    assert!(again.record(id).await.unwrap().is_some(), "what was written before is there");
    again.close().await.unwrap();
}

#[tokio::test]
async fn whoever_stops_waiting_drops_the_waiting_only() {
    let practice = practice().await;
    let device = &practice.device;
    let mut call = Box::pin(device.create_record("dwelling".into(), dwelling("101")));
    tokio::select! {
        biased;
        made = &mut call => panic!("done without a wait: {made:?}"),
        () = std::future::ready(()) => {}
    }
    drop(call);
    // Calls reach the store in the order in which they were made.
    let page = device.records("dwelling".into(), None, 10).await.unwrap();
    assert_eq!(page.entries.len(), 1);
}

#[tokio::test]
async fn a_practice_store_says_that_it_sends_nothing() {
    let practice = practice().await;
    let refused = practice.device.sync(SyncReason::User).await;
    let Err(GridwalkError::NotAllowed { problem, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(problem.key, "practice");
}

#[tokio::test]
async fn an_unregistered_phone_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let device = Device::open(options(&folder), Platform::default()).await.unwrap();
    assert_eq!(device.identity().await, Ok(None));
    assert!(matches!(device.sync(SyncReason::User).await, Err(GridwalkError::NotEnrolled { .. })));
    assert!(matches!(device.today(None, 10).await, Err(GridwalkError::NotEnrolled { .. })));
    let refused = device.enrol("no address".into(), "x".into(), "x".into()).await;
    let Err(GridwalkError::InvalidInput { fields, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(fields[0].field, "url");
    let nobody = device.enrol("http://127.0.0.1:1".into(), "x".into(), "x".into()).await;
    assert!(matches!(nobody, Err(GridwalkError::Offline { .. })), "{nobody:?}");
}

#[tokio::test]
async fn sensitive_records_are_shown_for_a_purpose_only_and_the_look_is_noted() {
    let practice = practice().await;
    let device = &practice.device;
    let person = HashMap::from([("name".to_owned(), FieldValue::Text { value: "示例居民".into() })]);
    let resident = device.create_record("resident".into(), person).await.unwrap();
    let number = HashMap::from([
        ("resident".to_owned(), FieldValue::Link { record: resident }),
        ("document".to_owned(), FieldValue::Text { value: "passport".into() }),
        ("number".to_owned(), FieldValue::Text { value: "MADEUP123".into() }),
    ]);
    let document = device.create_record("resident_id".into(), number).await.unwrap();
    let refused = device.record(document).await;
    assert!(matches!(refused, Err(GridwalkError::InvalidInput { .. })), "{refused:?}");
    let listed = device.records("resident_id".into(), None, 10).await;
    assert!(matches!(listed, Err(GridwalkError::InvalidInput { .. })));
    let aimless = device.read_sensitive(document, "  ".into(), None).await;
    assert!(matches!(aimless, Err(GridwalkError::InvalidInput { .. })));
    assert!(device.read_sensitive(document, "入户核对".into(), None).await.unwrap().is_some());
    let reads = device.sensitive_reads(0, 10).await.unwrap();
    assert_eq!(reads.len(), 1);
    assert_eq!((reads[0].record, reads[0].purpose.as_str()), (document, "入户核对"));
}

#[test]
fn the_schema_and_the_words_are_told_in_both_languages() {
    let kinds = kinds();
    assert_eq!(kinds.len(), gridwalk_model::Kind::ALL.len());
    for kind in &kinds {
        assert!(!kind.zh.is_empty() && !kind.en.is_empty() && !kind.fields.is_empty(), "{}", kind.tag);
    }
    let lists = word_lists();
    assert!(lists.values().flatten().all(|word| !word.zh.is_empty() && !word.en.is_empty()));
    assert!(lists["VisitResult"].iter().any(|word| word.word == "refused"));
}
