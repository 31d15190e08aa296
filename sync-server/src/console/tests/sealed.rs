//! Sealed work of a locked phone: shown, accepted, emptied; and a phone that is reinstated. Everything is made up.

use axum::http::StatusCode;
use gridwalk_model::{DeviceId, RecordId};
use gridwalk_replica::protocol::HandIn;
use gridwalk_replica::sealed::{Place, SealedDraft, SealedItem, SealedPiece, seal};

use super::fixture::{Browser, Street};
use crate::sealed::{intake, make_keys};

/// The phone of the street's gridworker, locked by an administrator.
async fn locked(street: &Street, browser: &mut Browser) -> DeviceId {
    make_keys(street.world.store(), street.now(), &*street.world.entropy).unwrap();
    let device = street.world.phone(street.worker).device;
    let place = format!("/people/{}", street.worker);
    let csrf = browser.get(&place).await.hidden("csrf");
    let form = [("csrf", csrf.as_str()), ("device", &device.to_string())];
    assert_eq!(browser.post(&format!("{place}/change/lock"), &form).await.status, StatusCode::SEE_OTHER);
    device
}

fn hand_in(street: &Street, device: DeviceId) {
    let draft = SealedItem::Draft(SealedDraft {
        what: "report".into(),
        n: 1,
        at: street.now().millis(),
        target: None,
        text: "路灯<不亮>（虚构）".into(),
        body: Vec::new().into(),
    });
    let picture = SealedItem::Original(SealedPiece {
        name: 3i64.to_be_bytes().to_vec().into(),
        bytes: 5,
        offset: 0,
        body: b"\xff\xd8\xff\xe0!".to_vec().into(),
        at: street.now().millis(),
        draft: Some(1),
        visit: None,
    });
    let sound = SealedItem::Sound(SealedPiece {
        name: vec![7; 16].into(),
        bytes: 12,
        offset: 0,
        body: b"OggS made up".to_vec().into(),
        at: street.now().millis(),
        draft: Some(1),
        visit: None,
    });
    let store = street.world.store();
    let keys = store.view(|tx| tx.sealing_keys()).unwrap().unwrap();
    let principal = street.world.principal(device).unwrap();
    let mut answer = None;
    for (part, items) in (0..).zip([vec![draft], vec![picture], vec![sound]]) {
        let place = Place { device, package: [1; 16], part, of: 3 };
        let body = seal(&keys.public, &place, &items, [5; 32]).unwrap();
        let request = HandIn { package: [1; 16].into(), part, of: 3, body: body.into() };
        assert_eq!(store.view(|tx| intake::check(tx, &principal, &request)).unwrap(), None);
        answer = Some(store.update(|tx| intake::keep(tx, &principal, &request, street.now())).unwrap());
    }
    assert_eq!(answer.unwrap().next, None);
}

fn actions(street: &Street) -> Vec<String> {
    let log = street.world.store().view(|tx| tx.audit(0, 1_000)).unwrap();
    let of_packages = log.into_iter().map(|row| row.action).filter(|action| action.starts_with("sealed."));
    of_packages.collect()
}

#[tokio::test]
async fn sealed_work_is_looked_at_accepted_and_emptied_by_an_administrator() {
    let street = Street::empty();
    let mut browser = street.signed_in(street.administrator);
    let device = locked(&street, &mut browser).await;
    hand_in(&street, device);
    assert!(browser.get("/phones").await.body.contains("<a href=\"/sealed/1\">等待处理</a>"));
    let page = browser.get("/sealed/1").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert!(page.body.contains("没有上报的事件") && page.body.contains("1 张照片"), "{}", page.body);
    assert!(!page.body.contains("<不亮>"), "what workers typed is text");
    let photo = browser.get("/sealed/1/photos/3").await;
    assert_eq!(
        (photo.status, photo.headers["content-type"].to_str().unwrap()),
        (StatusCode::OK, "image/jpeg")
    );
    assert_eq!(browser.get("/sealed/1/photos/4").await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get("/sealed/2").await.status, StatusCode::NOT_FOUND);
    let sound = format!("/sealed/1/voices/{}", RecordId::from_bytes([7; 16]));
    assert!(page.body.contains(&format!("src=\"{sound}\"")), "{}", page.body);
    let played = browser.get(&sound).await;
    assert_eq!(
        (played.status, played.headers["content-type"].to_str().unwrap()),
        (StatusCode::OK, "audio/ogg")
    );
    assert_eq!(browser.get("/sealed/1/voices/7").await.status, StatusCode::NOT_FOUND);
    let csrf = page.hidden("csrf");
    let form = [("csrf", csrf.as_str())];
    assert_eq!(browser.post("/sealed/1/accept", &form).await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.post("/sealed/1/accept", &form).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = browser.get("/sealed/1").await.body;
    assert!(page.contains("已收下") && page.contains("没有上报的事件"), "{page}");
    assert_eq!(browser.get(&sound).await.status, StatusCode::OK, "it stays to be heard");
    assert_eq!(browser.post("/sealed/1/discard", &form).await.status, StatusCode::SEE_OTHER);
    let page = browser.get("/sealed/1").await.body;
    assert!(page.contains("已收下") && !page.contains("没有上报的事件"), "{page}");
    assert_eq!(browser.get(&sound).await.status, StatusCode::NOT_FOUND);
    let told = actions(&street);
    for action in ["received", "viewed", "photo_viewed", "voice_played", "accepted", "emptied"] {
        assert!(told.contains(&format!("sealed.{action}")), "{action}: {told:?}");
    }
}

#[tokio::test]
async fn only_administrators_open_sealed_work() {
    let street = Street::empty();
    let mut browser = street.signed_in(street.administrator);
    let device = locked(&street, &mut browser).await;
    hand_in(&street, device);
    for person in [street.dispatcher, street.leader, street.handler] {
        let mut other = street.signed_in(person);
        for path in ["/sealed/1", "/sealed/1/photos/3", "/sealed/1/voices/07070707070707070707070707070707"] {
            assert_eq!(other.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
        }
    }
}

#[tokio::test]
async fn a_locked_phone_is_reinstated_by_an_administrator() {
    let street = Street::empty();
    let mut browser = street.signed_in(street.administrator);
    let device = locked(&street, &mut browser).await;
    assert!(street.world.principal(device).unwrap().revoked_at.is_some());
    let place = format!("/people/{}", street.worker);
    let page = browser.get(&place).await;
    assert!(page.body.contains("/change/unlock"), "{}", page.body);
    let form = [("csrf", page.hidden("csrf")), ("device", device.to_string())];
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(browser.post(&format!("{place}/change/unlock"), &form).await.status, StatusCode::SEE_OTHER);
    assert!(street.world.principal(device).unwrap().revoked_at.is_none());
    let log = street.world.store().view(|tx| tx.audit(0, 1_000)).unwrap();
    assert!(log.iter().any(|row| row.action == "device.reinstated" && row.target == device.to_string()));
}
