//! From a report to the end, as officers do it in the console.

use axum::http::StatusCode;
use gridwalk_model::RecordId;
use gridwalk_model::event::{Action, EventRules, State, fold, read_log};

use super::fixture::{Answer, Browser, Street};
use crate::edit;

fn state(street: &Street, id: RecordId) -> State {
    let read = street.world.store().view(|tx| edit::read(tx, id)).unwrap().unwrap();
    let (entries, _) = read_log(&read.1.fields());
    fold(&entries, &EventRules::default()).state
}

/// Does an act with the form that the page offers.
async fn act(browser: &mut Browser, id: RecordId, action: &str, more: &[(&str, &str)]) -> Answer {
    let page = browser.get(&format!("/events/{id}")).await;
    assert!(page.body.contains(&format!("value=\"{action}\"")), "{action} is not offered");
    let (csrf, seen) = (page.hidden("csrf"), page.hidden("seen"));
    let mut form = vec![("csrf", csrf.as_str()), ("seen", seen.as_str()), ("action", action)];
    form.extend(more);
    browser.post(&format!("/events/{id}/acts"), &form).await
}

#[tokio::test]
async fn a_case_goes_its_way_and_each_step_is_confirmed() {
    let street = Street::empty();
    let id = street.event(street.near, "hallway_clutter", "近处路 1 号", 3).save();
    let mut leader = street.signed_in(street.leader);
    let mut handler = street.signed_in(street.handler);
    let path = format!("/events/{id}");
    assert_eq!(handler.get(&path).await.status, StatusCode::NOT_FOUND, "not theirs yet");

    let accepted = act(&mut leader, id, "accept", &[]).await;
    assert_eq!(accepted.status, StatusCode::SEE_OTHER);
    let confirmed = leader.get(accepted.location()).await.body;
    assert!(confirmed.contains("已保存：受理") && confirmed.contains("已受理"), "{confirmed}");
    assert_eq!(state(&street, id), State::Accepted);

    let team = street.team.to_string();
    let missing = act(&mut leader, id, "dispatch", &[("unit", "")]).await;
    assert_eq!(missing.status, StatusCode::UNPROCESSABLE_ENTITY);
    act(&mut leader, id, "dispatch", &[("unit", &team), ("note", "今天内到场")]).await;
    assert_eq!(state(&street, id), State::Dispatched);

    let page = handler.get(&path).await;
    assert_eq!(page.status, StatusCode::OK, "the unit's inbox holds it now");
    assert!(page.body.contains("今天内到场"));
    act(&mut handler, id, "sign_for", &[]).await;
    act(&mut handler, id, "rectify", &[("result", "已清理"), ("reason", "雨大，稍后补拍")]).await;
    assert_eq!(state(&street, id), State::Rectified);
    let own = handler.get(&path).await.body;
    assert!(!own.contains("value=\"verify\""), "whoever put it right does not verify it");

    act(&mut leader, id, "verify", &[("reason", "到现场看过")]).await;
    act(&mut leader, id, "close", &[]).await;
    assert_eq!(state(&street, id), State::Closed);
    let story = leader.get(&path).await.body;
    for words in ["受理", "派遣", "签收", "处置完成", "核查通过", "结案"] {
        assert!(story.contains(&format!("<strong>{words}</strong>")), "{words}");
    }
}

#[tokio::test]
async fn what_does_not_count_is_not_offered_and_not_written() {
    let street = Street::empty();
    let id = street.event(street.near, "noise", "近处路 1 号", 3).save();
    let mut leader = street.signed_in(street.leader);
    let mut dispatcher = street.signed_in(street.dispatcher);
    let page = leader.get(&format!("/events/{id}")).await;
    for action in ["dispatch", "close", "verify", "reject", "sign_for"] {
        assert!(!page.body.contains(&format!("value=\"{action}\"")), "{action}");
    }
    let (csrf, seen) = (page.hidden("csrf"), page.hidden("seen"));
    let path = format!("/events/{id}/acts");
    // Rejecting is the centre's, whatever a form says; an unknown act is nothing.
    for (action, status) in [("reject", StatusCode::CONFLICT), ("dance", StatusCode::UNPROCESSABLE_ENTITY)] {
        let form = [("csrf", csrf.as_str()), ("seen", &seen), ("action", action), ("reason", "x")];
        assert_eq!(leader.post(&path, &form).await.status, status, "{action}");
    }
    assert_eq!(state(&street, id), State::Reported);

    // Two officers look; the second to act is told what happened meanwhile.
    let stale = dispatcher.get(&format!("/events/{id}")).await;
    act(&mut leader, id, "accept", &[]).await;
    let (csrf, seen) = (stale.hidden("csrf"), stale.hidden("seen"));
    let form = [("csrf", csrf.as_str()), ("seen", &seen), ("action", "reject"), ("reason", "重复上报")];
    let late = dispatcher.post(&path, &form).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.body.contains("又有了新进展") && late.body.contains("已受理"));
    assert_eq!(state(&street, id), State::Accepted);
}

#[tokio::test]
async fn an_auditor_and_an_administrator_do_nothing_to_a_case() {
    let street = Street::empty();
    let id = street.event(street.near, "noise", "近处路 1 号", 3).save();
    for who in [street.auditor, street.administrator] {
        let mut browser = street.signed_in(who);
        let page = browser.get(&format!("/events/{id}")).await;
        assert!(!page.body.contains("name=\"action\""));
        let (csrf, seen) = (page.hidden("csrf"), page.hidden("seen"));
        let form = [("csrf", csrf.as_str()), ("seen", &seen), ("action", "accept")];
        assert_eq!(browser.post(&format!("/events/{id}/acts"), &form).await.status, StatusCode::CONFLICT);
    }
    assert_eq!(state(&street, id), State::Reported);
}

#[tokio::test]
async fn a_late_entry_is_shown_as_one_that_did_not_count() {
    let street = Street::empty();
    let mut story = street.event(street.near, "noise", "近处路 1 号", 40);
    story.accept(39).handle(38).rectify(30).close(20);
    story.log_late(35, street.handler, Action::Rectify, street.team);
    let id = story.save();
    assert_eq!(state(&street, id), State::Closed);
    let page = street.signed_in(street.leader).get(&format!("/events/{id}")).await.body;
    assert!(page.contains("未生效") && page.contains("事件当时的状态不允许此操作"));
    assert!(page.contains("1 条记录到达时已不适用") && page.contains("离线填写"));
}

#[tokio::test]
async fn the_list_is_filtered_and_paged_by_key() {
    let street = Street::empty();
    for number in 0..60 {
        street.event(street.near, "litter", &format!("近处路 {number} 号"), 1).save();
    }
    let accepted = {
        let mut story = street.event(street.near, "noise", "静安里 8 号", 2);
        story.accept(1);
        story.save()
    };
    let mut leader = street.signed_in(street.leader);
    let rows = |body: &str| body.matches("class=\"row\"").count();
    let first = leader.get("/events?state=new").await.body;
    assert_eq!(rows(&first), 50);
    assert!(!first.contains(&accepted.to_string()));
    let next = first
        .split("href=\"/events?state=new&#38;before=")
        .nth(1)
        .or(first.split("href=\"/events?state=new&amp;before=").nth(1));
    let key = next.unwrap().split('"').next().unwrap();
    let second = leader.get(&format!("/events?state=new&before={key}")).await.body;
    assert_eq!(rows(&second), 10);
    assert!(first.contains("更早的事件") && !second.contains("更早的事件"), "nothing is left");
    let work = leader.get("/events?state=work").await.body;
    assert!(rows(&work) == 1 && work.contains(&accepted.to_string()));
    assert!(leader.get("/events?state=late").await.body.contains("没有“已超期”的事件"));
    street.world.clock.advance(9 * 24 * 3_600_000);
    let mut later = street.signed_in(street.leader);
    assert_eq!(rows(&later.get("/events?state=late").await.body), 50);
}

#[tokio::test]
async fn a_case_that_somebody_waits_for_is_closed_after_their_rating_or_three_tries() {
    let street = Street::empty();
    let mut story = street.event(street.near, "hallway_clutter", "近处路 1 号", 3);
    story.log(2, street.dispatcher, Action::Note, |entry| entry.has_appellant = Some(true));
    let id = story.save();
    let (mut leader, mut handler) = (street.signed_in(street.leader), street.signed_in(street.handler));
    act(&mut leader, id, "accept", &[]).await;
    let team = street.team.to_string();
    act(&mut leader, id, "dispatch", &[("unit", &team)]).await;
    act(&mut handler, id, "sign_for", &[]).await;
    act(&mut handler, id, "rectify", &[("result", "已清理"), ("reason", "雨大，稍后补拍")]).await;
    act(&mut leader, id, "verify", &[("reason", "到现场看过")]).await;
    assert_eq!(state(&street, id), State::AwaitingRating, "the server asks by itself");
    let page = leader.get(&format!("/events/{id}")).await.body;
    assert!(!page.contains("value=\"close\""), "somebody waits for an answer");
    let mut centre = street.signed_in(street.dispatcher);
    for _ in 0..3 {
        act(&mut centre, id, "callback_failed", &[("reason", "无人接听")]).await;
    }
    act(&mut leader, id, "close", &[]).await;
    assert_eq!(state(&street, id), State::Closed);
}
