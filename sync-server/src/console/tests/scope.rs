//! Nobody sees beyond their reach, and what is seen is written down.

use axum::http::StatusCode;
use gridwalk_model::RecordId;
use gridwalk_model::photo::{PhotoRole, PhotoSource};

use super::fixture::Street;
use crate::storage::StorageError;

#[tokio::test]
async fn every_screen_by_every_role() {
    let street = Street::empty();
    let far = street.event(street.far, "litter", "远处路 9 号", 2).save();
    let event = format!("/events/{far}");
    let person = format!("/people/{}", street.worker);
    let screens = [
        "/",
        "/events",
        event.as_str(),
        "/phones",
        "/refused",
        "/alarms",
        "/audit",
        "/people",
        person.as_str(),
    ];
    let (ok, no, gone) = (200, 403, 404);
    for (who, expected) in [
        (street.administrator, [ok, ok, ok, ok, ok, ok, ok, ok, ok]),
        (street.auditor, [ok, ok, ok, ok, ok, ok, ok, ok, ok]),
        (street.dispatcher, [ok, ok, ok, ok, ok, no, no, no, no]),
        (street.leader, [ok, ok, gone, ok, ok, no, no, no, no]),
        (street.handler, [ok, ok, gone, no, no, no, no, no, no]),
        (street.worker, [ok, ok, ok, no, no, no, no, no, no]),
    ] {
        let mut browser = street.signed_in(who);
        for (screen, status) in screens.iter().zip(expected) {
            assert_eq!(browser.get(screen).await.status.as_u16(), status, "{who} {screen}");
        }
    }
    let mut nobody = super::fixture::Browser::new(&street.router);
    for screen in &screens[1..] {
        assert_eq!(nobody.get(screen).await.status, StatusCode::SEE_OTHER, "{screen}");
    }
}

#[tokio::test]
async fn an_event_out_of_reach_is_like_one_that_is_not_there() {
    let street = Street::empty();
    let mut story = street.event(street.far, "litter", "远处路 9 号", 2);
    let element = story.photo(PhotoRole::Before, true, PhotoSource::Camera);
    let far = story.save();
    let near = street.event(street.near, "noise", "近处路 1 号", 1).save();
    let mut leader = street.signed_in(street.leader);
    let list = leader.get("/events").await.body;
    assert!(list.contains(&near.to_string()) && !list.contains(&far.to_string()));
    let none = RecordId::from_bytes([9; 16]);
    let absent = leader.get(&format!("/events/{none}")).await;
    let foreign = leader.get(&format!("/events/{far}")).await;
    assert_eq!((foreign.status, &foreign.body), (absent.status, &absent.body));
    for path in [format!("/events/{far}/photos/{element}"), format!("/events/{far}/photos/{element}/preview")]
    {
        assert_eq!(leader.get(&path).await.status, StatusCode::NOT_FOUND);
    }
    let csrf = leader.get("/").await.hidden("csrf");
    let act = leader.post(&format!("/events/{far}/acts"), &[("csrf", &csrf), ("action", "accept")]).await;
    assert_eq!(act.status, StatusCode::NOT_FOUND);

    let mut dispatcher = street.signed_in(street.dispatcher);
    let photo = dispatcher.get(&format!("/events/{far}/photos/{element}")).await;
    assert_eq!(photo.status, StatusCode::OK);
    assert_eq!(photo.headers.get("content-type").unwrap(), "image/jpeg");
    assert_eq!(dispatcher.get(&format!("/events/{far}/photos/none")).await.status, StatusCode::NOT_FOUND);
    // A record of another kind is no event.
    assert_eq!(dispatcher.get(&format!("/events/{}", street.far)).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn names_are_masked_until_a_purpose_is_given_and_numbers_always() {
    let street = Street::empty();
    let mut story = street.event(street.near, "noise", "近处路 1 号", 3);
    story.put("description", "夜间施工，可致电19900007832".into());
    let id = story.accept(2).save();
    let mut leader = street.signed_in(street.leader);
    let path = format!("/events/{id}");
    let masked = leader.get(&path).await;
    assert!(masked.body.contains("周**") && !masked.body.contains("周小燕"));
    assert!(masked.body.contains("孙丽华"), "one's own name is whole");
    assert!(masked.body.contains("199****7832") && !masked.body.contains("19900007832"));
    let csrf = masked.hidden("csrf");
    let none = leader.post("/names", &[("csrf", &csrf), ("back", &path)]).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY, "a purpose is needed");
    let form = [("csrf", csrf.as_str()), ("back", path.as_str()), ("purpose", "联系上报人核实")];
    let shown = leader.post("/names", &form).await;
    assert_eq!(shown.location(), path);
    let whole = leader.get(&path).await.body;
    assert!(whole.contains("周小燕") && !whole.contains("19900007832"));
    street.world.clock.advance(11 * 60_000);
    assert!(!leader.get(&path).await.body.contains("周小燕"), "after ten minutes masked again");
    let audit = audited(&street);
    assert!(audit.iter().any(|(action, _, detail)| action == "names.shown" && detail == "联系上报人核实"));
}

#[tokio::test]
async fn what_is_seen_is_written_down() {
    let street = Street::empty();
    let id = street.event(street.near, "noise", "近处路 1 号", 3).save();
    let mut auditor = street.signed_in(street.auditor);
    for path in ["/events", &format!("/events/{id}"), "/phones", "/refused", "/alarms", "/audit"] {
        auditor.get(path).await;
    }
    let seen: Vec<(String, String)> =
        audited(&street).into_iter().map(|(action, target, _)| (action, target)).collect();
    for (action, target) in [
        ("events.listed", "all"),
        ("event.viewed", id.to_string().as_str()),
        ("phones.listed", "devices"),
        ("refused.listed", "quarantine"),
        ("alarms.listed", "audit"),
        ("audit.listed", "audit"),
    ] {
        assert!(seen.contains(&(action.to_owned(), target.to_owned())), "{action}");
    }
}

/// Action, target and detail of every row.
fn audited(street: &Street) -> Vec<(String, String, String)> {
    let rows = street.world.store().view(|tx| tx.audit(0, 1_000)).map_err(|e: StorageError| e).unwrap();
    rows.into_iter().map(|row| (row.action, row.target, row.detail)).collect()
}
