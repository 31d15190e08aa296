//! Two phones edit the same records offline (Must hold 1), through the whole stack.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use gridwalk_device::ConflictEntry;
use gridwalk_device::photo::CaptureFacts;
use gridwalk_e2e::Town;
use gridwalk_e2e::town::{dwelling, event, field, fields, has, set, settle, settle_all};
use gridwalk_harness::phone::Phone;
use gridwalk_harness::photos;
use gridwalk_harness::scene::Hazard;
use gridwalk_harness::seeded::Seeded;
use gridwalk_model::photo::{PhotoRef, shown_photos};
use gridwalk_model::records::Household;
use gridwalk_model::{Kind, RecordId};

/// Two phones of one grid that hold the same household, both offline.
async fn apart(town: &Town) -> (Phone, Phone, RecordId) {
    let (a, b) = (town.phone("甲工", &[0]).await, town.phone("乙工", &[0]).await);
    let home = dwelling(&a, town.grid(0), "101").await;
    let household = fields(&[("dwelling", home.into()), ("remarks", "原文".into())]);
    let household = a.device().create_fields(Kind::Household, household).await.unwrap();
    settle_all(&[&a, &b]).await;
    assert!(has(&b, household).await);
    for phone in [&a, &b] {
        phone.set_online(false).unwrap();
    }
    (a, b, household)
}

async fn together(phones: &[&Phone]) {
    for phone in phones {
        phone.set_online(true).unwrap();
    }
    settle_all(phones).await;
}

async fn conflicts(phone: &Phone) -> Vec<ConflictEntry> {
    phone.device().conflicts().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn different_fields_merge() {
    let town = Town::start();
    let (a, b, household) = apart(&town).await;
    set(&a, household, "remarks", "甲写的").await;
    set(&b, household, "household_kind", "shared").await;
    together(&[&a, &b]).await;
    for phone in [&a, &b] {
        assert_eq!(field(phone, household, "remarks").await, Some("甲写的".into()));
        assert_eq!(field(phone, household, "household_kind").await, Some("shared".into()));
        assert_eq!(conflicts(phone).await, []);
        town.assert_agrees(phone).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_field_keeps_both_values_until_somebody_chooses() {
    let town = Town::start();
    let (a, b, household) = apart(&town).await;
    let before = a.device().now();
    set(&a, household, "remarks", "甲写的").await;
    set(&b, household, "remarks", "乙写的").await;
    let after = a.device().now();
    together(&[&a, &b]).await;
    let devices = [a.identity().await.unwrap().0, b.identity().await.unwrap().0];
    for phone in [&a, &b] {
        let listed = conflicts(phone).await;
        assert_eq!(listed.len(), 1, "{listed:?}");
        assert_eq!((listed[0].record, listed[0].field.as_str()), (household, "remarks"));
        let mut said: Vec<_> = listed[0].candidates.iter().collect();
        said.sort_by_key(|candidate| candidate.device != devices[0]);
        let said: Vec<_> =
            said.iter().map(|c| (c.device, c.author.as_deref(), c.value.as_text(), c.at)).collect();
        assert_eq!((said[0].0, said[0].1, said[0].2), (devices[0], Some("甲工"), Some("甲写的")));
        assert_eq!((said[1].0, said[1].1, said[1].2), (devices[1], Some("乙工"), Some("乙写的")));
        assert!(said.iter().all(|(.., at)| (before..=after).contains(at)), "{said:?}");
    }
    let loser = conflicts(&a).await[0].candidates[0].value.clone();
    assert!(a.device().choose(household, "remarks", loser.clone()).await.unwrap());
    settle_all(&[&a, &b]).await;
    for phone in [&a, &b] {
        assert_eq!(conflicts(phone).await, []);
        assert_eq!(field(phone, household, "remarks").await.as_ref(), Some(&loser));
        town.assert_agrees(phone).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_edits_are_no_conflict() {
    let town = Town::start();
    let (a, b, household) = apart(&town).await;
    for phone in [&a, &b] {
        set(phone, household, "remarks", "一样的").await;
    }
    together(&[&a, &b]).await;
    for phone in [&a, &b] {
        assert_eq!(conflicts(phone).await, []);
        assert_eq!(phone.device().status().await.unwrap().totals.conflicts, 0);
        town.assert_agrees(phone).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_against_a_removal_keeps_the_update_and_says_so() {
    let town = Town::start();
    let (a, b, household) = apart(&town).await;
    assert!(a.device().remove(household).await.unwrap());
    set(&b, household, "remarks", "还有人住").await;
    together(&[&a, &b]).await;
    for phone in [&a, &b] {
        assert_eq!(field(phone, household, "remarks").await, Some("还有人住".into()));
        assert_eq!(phone.device().status().await.unwrap().totals.edited_while_removed, 1);
        let shown = phone.device().list::<Household>(None, 10).await.unwrap().entries;
        assert!(shown.iter().any(|entry| entry.id == household), "it is shown on {}", phone.name());
        town.assert_agrees(phone).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_first_photos_at_once_both_stay() {
    let town = Town::start();
    let (a, b) = (town.phone("甲工", &[0]).await, town.phone("乙工", &[0]).await);
    let event = event(&a, town.grid(0), "虚构：井盖缺失").await;
    settle_all(&[&a, &b]).await;
    for (phone, seed) in [(&a, 1), (&b, 2)] {
        phone.set_online(false).unwrap();
        let original = photos::jpeg(&mut Seeded::new(seed), (640, 480), Hazard::OpenManhole, None).unwrap();
        let facts = CaptureFacts::camera(phone.device().now(), format!("W{seed}"));
        phone.device().add_photo(event, original, facts, None).await.unwrap();
    }
    together(&[&a, &b]).await;
    let mut seen = Vec::new();
    for phone in [&a, &b] {
        let (_, fields) = phone.device().with_store(move |s, _| s.fields(event)).await.unwrap().unwrap();
        let photos: Vec<PhotoRef> = shown_photos(&fields).map(|(_, photo)| photo).collect();
        assert_eq!(photos.len(), 2, "{}", phone.name());
        for photo in &photos {
            assert!(town.office().has_media(&photo.hash).unwrap());
            assert!(town.office().has_media(&photo.preview_hash.unwrap()).unwrap());
        }
        seen.push(photos);
        town.assert_agrees(phone).await;
    }
    assert_eq!(seen[0], seen[1]);
    settle(&a).await;
}
