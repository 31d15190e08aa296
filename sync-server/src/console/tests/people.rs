//! People, codes and links that are shown once, and alarms that are ticked off.

use axum::http::StatusCode;
use gridwalk_model::policy::Role;
use gridwalk_model::{AccessClass, RecordId, StreamId};

use super::fixture::{Browser, Street};
use crate::access::hash_secret;
use crate::audit::{self, Entry};
use crate::storage::StorageError;

fn holds(street: &Street, person: RecordId, area: RecordId) -> bool {
    let stream = StreamId::Area { area, class: AccessClass::Base };
    let grants = street.world.store().view(|tx| {
        let no = tx.person(person)?.unwrap().no;
        tx.grants(no)
    });
    grants.unwrap().iter().any(|grant| grant.stream == stream && grant.revoked_at.is_none())
}

/// The text between two marks of a page.
fn between<'p>(page: &'p str, before: &str, after: &str) -> &'p str {
    let rest = page.split_once(before).map_or("", |(_, rest)| rest);
    rest.split_once(after).map_or("", |(found, _)| found)
}

#[tokio::test]
async fn a_person_is_added_and_given_a_grid_and_a_code() {
    let street = Street::empty();
    let mut browser = street.signed_in(street.administrator);
    let csrf = browser.get("/people").await.hidden("csrf");
    let form = [("csrf", csrf.as_str()), ("name", "吴新来"), ("gridworker", "on"), ("area", "第二网格")];
    let added = browser.post("/people", &form).await;
    assert_eq!(added.status, StatusCode::SEE_OTHER, "{}", added.body);
    let place = added.location().split('?').next().unwrap().to_owned();
    let person: RecordId = place.trim_start_matches("/people/").parse().unwrap();
    assert!(holds(&street, person, street.far));
    let row = street.world.store().view(|tx| tx.person(person)).unwrap().unwrap();
    assert_eq!((row.name.as_str(), row.roles.as_slice()), ("吴新来", &[Role::Gridworker][..]));

    let shown = browser.post(&format!("{place}/code"), &[("csrf", &csrf)]).await;
    let code = between(&shown.body, "<p class=\"secret-text\">", "</p>").to_owned();
    let stored = street.world.store().view(|tx| tx.enrolment(&hash_secret(&code))).unwrap().unwrap();
    assert_eq!((stored.person, shown.status), (row.no, StatusCode::OK));
    assert!(shown.body.contains("http://console.test"), "where the phone finds the server");
    assert!(!browser.get(&place).await.body.contains(&code), "shown once");

    let more = [("csrf", csrf.as_str()), ("area", "第一网格")];
    browser.post(&format!("{place}/change/grant"), &more).await;
    let far = street.far.to_string();
    browser.post(&format!("{place}/change/revoke"), &[("csrf", &csrf), ("area", &far)]).await;
    assert!(holds(&street, person, street.near) && !holds(&street, person, street.far));
    for wrong in [
        [("name", ""), ("gridworker", "on"), ("area", "")],
        [("name", "无岗"), ("x", ""), ("area", "")],
        [("name", "无此网格"), ("gridworker", "on"), ("area", "999")],
    ] {
        let form = [&[("csrf", csrf.as_str())][..], &wrong].concat();
        assert_eq!(
            browser.post("/people", &form).await.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{wrong:?}"
        );
    }
}

#[tokio::test]
async fn a_link_signs_in_until_the_account_is_closed() {
    let street = Street::empty();
    let mut browser = street.signed_in(street.administrator);
    let place = format!("/people/{}", street.handler);
    let csrf = browser.get(&place).await.hidden("csrf");
    let shown = browser.post(&format!("{place}/link"), &[("csrf", &csrf)]).await.body;
    let link = between(&shown, "http://console.test", "</p>").to_owned();
    let mut other = Browser::new(&street.router);
    assert_eq!(other.get(&link).await.status, StatusCode::OK, "{link}");
    browser.post(&format!("{place}/change/close"), &[("csrf", &csrf)]).await;
    assert_eq!(
        browser.post(&format!("{place}/code"), &[("csrf", &csrf)]).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(street.signed_in(street.handler).get("/events").await.status, StatusCode::SEE_OTHER);
    browser.post(&format!("{place}/change/open"), &[("csrf", &csrf)]).await;
    assert_eq!(street.signed_in(street.handler).get("/events").await.status, StatusCode::OK);
    let own = format!("/people/{}/change/close", street.administrator);
    let refused = browser.post(&own, &[("csrf", &csrf)]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "nobody locks themselves out");
}

#[tokio::test]
async fn only_administrators_change_people_and_tick_off_alarms() {
    let street = Street::empty();
    let entry =
        Entry { actor: "operator", action: "server.restored", target: "server", detail: "", alarm: true };
    street.world.store().update(|tx| audit::append(tx, street.now(), &entry)).unwrap();
    let no = street.world.store().view(|tx| tx.alarms(1)).unwrap()[0].no;
    let (place, seen) = (format!("/people/{}", street.worker), format!("/alarms/{no}/seen"));
    let (code, grant) = (format!("{place}/code"), format!("{place}/change/grant"));
    for who in [street.auditor, street.dispatcher, street.leader, street.handler, street.worker] {
        let mut browser = street.signed_in(who);
        let csrf = browser.get("/").await.hidden("csrf");
        for path in ["/people", code.as_str(), &format!("{place}/link"), &grant, &seen] {
            let answer = browser.post(path, &[("csrf", &csrf)]).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{who} {path}");
        }
    }
    assert!(street.signed_in(street.auditor).get("/alarms").await.body.contains("从备份恢复过"));

    let mut browser = street.signed_in(street.administrator);
    let csrf = browser.get("/alarms").await.hidden("csrf");
    for path in [&code, &seen] {
        assert_eq!(browser.post(path, &[("csrf", "x")]).await.status, StatusCode::FORBIDDEN, "form token");
        let foreign = browser.post_from(path, &[("csrf", &csrf)], "cross-site").await;
        assert_eq!(foreign.status, StatusCode::FORBIDDEN, "other site");
    }
    assert_eq!(browser.post(&seen, &[("csrf", &csrf)]).await.status, StatusCode::SEE_OTHER);
    let page = browser.get("/alarms").await.body;
    assert!(page.contains("所有警报都已查看") && page.contains("赵敏") && !page.contains("/seen"));
    for no in ["0", "1", "999"] {
        let answer = browser.post(&format!("/alarms/{no}/seen"), &[("csrf", &csrf)]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{no} is no alarm");
    }
    let noted = street.world.store().view(|tx| {
        let rows = tx.audit(0, 1_000)?;
        Ok::<_, StorageError>(rows.iter().filter(|row| row.action == "alarm.acknowledged").count())
    });
    assert_eq!(noted.unwrap(), 1);
}
