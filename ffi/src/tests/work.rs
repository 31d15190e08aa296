//! Calls of screens that hand something back to take it back with: labels, people told apart, photos, settlements.

use std::collections::HashMap;

use gridwalk_device::photo::CaptureFacts;
use gridwalk_device::work::labels::{HangsOn, ScannedLabel};
use gridwalk_model::{RecordId, Timestamp};

use super::{dwelling, practice};
use crate::door_labels::{CameraFrame, scanned_label_words};
use crate::error::GridwalkError;
use crate::values::FieldValue;

async fn resident(device: &crate::Device, name: &str) -> RecordId {
    let fields = HashMap::from([("name".to_owned(), FieldValue::Text { value: name.into() })]);
    device.create_record("resident".into(), fields).await.unwrap()
}

#[tokio::test]
async fn a_label_opens_its_door_until_it_is_void() {
    let practice = practice().await;
    let device = &practice.device;
    let home = device.create_record("dwelling".into(), dwelling("501")).await.unwrap();
    let made = device.make_label(HangsOn::Record(home)).await.unwrap();
    let door = ScannedLabel::Door { label: made.label, dwelling: home };
    assert_eq!(device.scan_label(made.token.to_string()).await.unwrap(), door);
    assert_eq!(device.labels_of(home).await.unwrap().len(), 1);
    assert!(device.void_label(made.label).await.unwrap());
    let void = device.scan_label(made.token.to_string()).await.unwrap();
    assert_eq!(void, ScannedLabel::Void { label: made.label, target: home });
    assert!(!scanned_label_words(void).zh.is_empty());
    assert!(device.restore_label(made.label).await.unwrap());
    assert_eq!(device.scan_label(made.token.to_string()).await.unwrap(), door);
    let blank = CameraFrame { width: 64, height: 64, stride: 64, luma: vec![255; 64 * 64] };
    assert_eq!(device.scan_label_frame(blank).await.unwrap(), None);
    let short = CameraFrame { width: 64, height: 64, stride: 64, luma: vec![255; 64] };
    let refused = device.scan_label_frame(short).await;
    assert!(matches!(refused, Err(GridwalkError::InvalidInput { fields, .. }) if fields[0].field == "frame"));
}

#[tokio::test]
async fn people_are_told_apart_and_may_be_the_same_after_all() {
    let practice = practice().await;
    let device = &practice.device;
    let (one, other) = (resident(device, "王小明").await, resident(device, "王小明").await);
    device.keep_apart(one, other).await.unwrap();
    assert_eq!(device.kept_apart(one).await.unwrap().len(), 1);
    device.forget_apart(one, other).await.unwrap();
    assert!(device.kept_apart(one).await.unwrap().is_empty());
    assert!(matches!(device.forget_apart(one, other).await, Err(GridwalkError::Conflict { .. })));
}

#[tokio::test]
async fn a_locked_app_answers_nothing_but_whether_it_is_locked() {
    let practice = practice().await;
    let device = &practice.device;
    device.lock().await.unwrap();
    assert!(device.is_locked().await.unwrap());
    assert!(matches!(device.conflicts().await, Err(GridwalkError::Locked { until: None, .. })));
    device.pause().await.unwrap();
    device.resume().await.unwrap();
    device.unlock(None).await.unwrap();
    assert!(device.conflicts().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_patrol_that_was_thrown_away_is_taken_back() {
    let practice = practice().await;
    let device = &practice.device;
    let patrol = device.start_patrol(RecordId::from_bytes([9; 16])).await.unwrap();
    assert!(device.discard_patrol().await.unwrap());
    assert_eq!(device.open_patrol().await.unwrap(), None);
    let discarded = device.discarded_patrols().await.unwrap();
    assert_eq!(discarded.iter().map(|one| one.patrol.id).collect::<Vec<_>>(), [patrol.id]);
    device.restore_patrol(patrol.id).await.unwrap();
    assert_eq!(device.open_patrol().await.unwrap().map(|open| open.id), Some(patrol.id));
    assert!(device.discarded_patrols().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_journaled_file_is_there_as_the_camera_wrote_it() {
    let practice = practice().await;
    let device = &practice.device;
    let facts = CaptureFacts::camera(Timestamp::from_millis(1_790_000_000_000), "W01".into());
    let capture = device.journal_photo(b"no picture".to_vec(), facts.clone()).await.unwrap();
    let journaled = device.journaled_photo(capture).await.unwrap().unwrap();
    assert_eq!((journaled.original.as_slice(), journaled.facts), (b"no picture".as_slice(), facts));
    assert_eq!(device.journaled_photo(capture + 1).await.unwrap(), None);
    let refused = device.journaled_preview(capture, None).await;
    assert!(matches!(refused, Err(GridwalkError::InvalidInput { fields, .. }) if fields[0].field == "photo"));
}

#[tokio::test]
async fn the_categories_of_the_deployment_are_told_with_their_deadlines() {
    let practice = practice().await;
    let device = &practice.device;
    let rules = device.event_rules().await.unwrap();
    let classes: Vec<_> = rules.deadlines.iter().map(|deadline| &deadline.class).collect();
    assert!(rules.categories.iter().all(|category| classes.contains(&&category.sla)));
    assert_eq!(device.recent_categories(3).await.unwrap(), rules.categories[..3]);
    assert_eq!(device.rules_refused().await.unwrap(), None);
}
