//! A refused change with ten dependants (Must hold 4): the valid edits arrive under a new incarnation, the rest is
//! listed with its reason, the outbox empties, the digests agree.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::collections::BTreeSet;

use gridwalk_device::store::RefusedReason;
use gridwalk_e2e::Town;
use gridwalk_e2e::town::{dwelling, event, field, fields, has, set, settle, settle_all};
use gridwalk_harness::phone::Phone;
use gridwalk_model::event::{Action, LogEntry};
use gridwalk_model::policy::Role;
use gridwalk_model::{RecordId, Value};
use gridwalk_replica::admission::Verdict;

async fn incarnation(phone: &Phone) -> [u8; 4] {
    phone.device().with_store(|store, _| Ok(store.identity().unwrap().incarnation)).await.unwrap()
}

async fn verdicts(phone: &Phone) -> Vec<Verdict> {
    let quarantined = phone.device().with_store(|store, _| store.quarantined()).await.unwrap();
    quarantined.into_iter().map(|row| row.verdict).collect()
}

/// The texts that ten edits leave behind, each in a field of its own or over the one before.
async fn ten_edits(phone: &Phone, event: RecordId) {
    for number in 0..5 {
        set(phone, event, "description", format!("虚构：第{number}次描述")).await;
        set(phone, event, "address", format!("虚构路{number}号")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn valid_edits_on_top_of_a_refused_one_arrive() {
    let town = Town::start();
    let person = town.gridworker("转岗人", &[0]);
    let phone = town.phone_of(&town.url(), "转岗人", person).await;
    let other = town.phone("同事", &[0]).await;
    settle(&phone).await;
    let event = event(&phone, town.grid(0), "虚构：原来的描述").await;
    let untouched = dwelling(&phone, town.grid(0), "1").await;
    settle_all(&[&phone, &other]).await;
    phone.set_online(false).unwrap();
    // The office makes this person a handler; their phone works on as a gridworker's.
    town.office().set_roles(person, &[Role::Handler]).unwrap();
    let before = incarnation(&phone).await;
    let entry = phone
        .device()
        .edits(move |edits| {
            let (id, now) = (edits.new_id()?, edits.now());
            let report = LogEntry::new(id, None, now, person, Action::Report);
            edits.edit(event, &fields(&[(&report.key(), report.to_value())]))?;
            Ok(report)
        })
        .await
        .unwrap();
    ten_edits(&phone, event).await;
    set(&phone, untouched, "room", "2").await;
    phone.set_online(true).unwrap();
    let status = settle(&phone).await;
    settle_all(&[&other, &phone]).await;

    assert_eq!((status.totals.quarantined, status.totals.refused), (11, 1), "{status:?}");
    let verdicts = verdicts(&phone).await;
    assert_eq!(verdicts[0], Verdict::Forbidden);
    assert!(verdicts[1..].iter().all(|verdict| matches!(verdict, Verdict::BlockedBy(_))), "{verdicts:?}");
    let refused = phone.device().refused_edits().await.unwrap();
    assert_eq!((refused[0].record, refused[0].field.as_str()), (event, entry.key().as_str()));
    assert_eq!(refused[0].reason, RefusedReason::Forbidden);
    assert!(!refused[0].reason.zh().is_empty() && !refused[0].reason.en().is_empty());

    assert_ne!(incarnation(&phone).await, before);
    for phone in [&phone, &other] {
        assert_eq!(field(phone, event, "description").await, Some("虚构：第4次描述".into()));
        assert_eq!(field(phone, event, "address").await, Some("虚构路4号".into()));
        assert_eq!(field(phone, event, &entry.key()).await, None);
        assert_eq!(field(phone, untouched, "room").await, Some("2".into()));
        assert_eq!(phone.device().conflicts().await.unwrap(), []);
        town.assert_agrees(phone).await;
    }
    let office = town.office();
    let held = office.changes_of(event).unwrap();
    let texts: BTreeSet<_> = held
        .iter()
        .flat_map(|change| &change.writes)
        .filter_map(|(_, value)| value.as_ref().and_then(Value::as_text).map(str::to_owned))
        .collect();
    for number in 0..5 {
        assert!(texts.contains(&format!("虚构：第{number}次描述")), "each edit arrived as one: {texts:?}");
    }
    assert_eq!(office.counts().unwrap().quarantined, 11, "the server keeps the refused bytes as well");
    let n = refused[0].n;
    phone.device().with_store(move |store, _| store.settle_refused(n)).await.unwrap();
    assert_eq!(phone.device().status().await.unwrap().totals.refused, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_on_a_record_that_was_not_accepted_is_listed() {
    let town = Town::start();
    let (phone, other) = (town.phone("越界人", &[0]).await, town.phone("邻居", &[1]).await);
    // A grid that is not theirs: the phone takes it, the server does not.
    phone.set_online(false).unwrap();
    let event = event(&phone, town.grid(1), "虚构：别人的网格").await;
    ten_edits(&phone, event).await;
    let fine = dwelling(&phone, town.grid(0), "1").await;
    phone.set_online(true).unwrap();
    let status = settle(&phone).await;
    settle(&other).await;
    assert_eq!(status.totals.quarantined, 11, "{status:?}");
    let refused = phone.device().refused_edits().await.unwrap();
    let listed: BTreeSet<String> =
        refused.iter().filter_map(|edit| edit.value.as_text().map(str::to_owned)).collect();
    for number in 0..5 {
        assert!(listed.contains(&format!("虚构：第{number}次描述")), "{listed:?}");
        assert!(listed.contains(&format!("虚构路{number}号")), "{listed:?}");
    }
    assert!(refused.iter().all(|edit| edit.record == event));
    assert!(refused.iter().any(|edit| edit.reason == RefusedReason::Forbidden));
    assert!(refused.iter().any(|edit| edit.reason == RefusedReason::NoRecord));
    assert!(!has(&phone, event).await && !has(&other, event).await);
    assert!(has(&phone, fine).await);
    for phone in [&phone, &other] {
        town.assert_agrees(phone).await;
    }
}

/// An auditor's phone: nothing of it is accepted, nothing of it is lost, and nothing goes round in circles.
#[tokio::test(flavor = "multi_thread")]
async fn an_auditors_edits_are_all_listed() {
    let town = Town::start();
    let worker = town.phone("网格员", &[0]).await;
    let home = dwelling(&worker, town.grid(0), "1").await;
    settle(&worker).await;
    let person = town.gridworker("审计员", &[0]);
    let phone = town.phone_of(&town.url(), "审计员", person).await;
    settle(&phone).await;
    phone.set_online(false).unwrap();
    town.office().set_roles(person, &[Role::Auditor]).unwrap();
    for number in 0..11 {
        set(&phone, home, "remarks", format!("第{number}次")).await;
    }
    phone.set_online(true).unwrap();
    let status = settle(&phone).await;
    settle(&worker).await;
    assert_eq!(status.totals.changes.count, 0);
    let refused = phone.device().refused_edits().await.unwrap();
    let listed: BTreeSet<_> = refused.iter().filter_map(|edit| edit.value.as_text()).collect();
    assert_eq!(listed.len(), 11, "{listed:?}");
    assert_eq!(field(&phone, home, "remarks").await, None);
    for phone in [&phone, &worker] {
        town.assert_agrees(phone).await;
    }
}
