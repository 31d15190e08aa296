//! Changing what a person may do: what it means is said first, and somebody is always left who can change it back.

use axum::http::StatusCode;
use gridwalk_model::RecordId;
use gridwalk_model::policy::Role;

use super::fixture::{Answer, Browser, Street};
use crate::access::AccessError;
use crate::access::staff::{close_person, set_roles};

fn roles(street: &Street, person: RecordId) -> Vec<Role> {
    street.world.store().view(|tx| tx.person(person)).unwrap().unwrap().roles
}

/// Details of the audit log's rows about a person's roles.
fn noted(street: &Street, person: RecordId) -> Vec<String> {
    let rows = street.world.store().view(|tx| tx.audit(0, 1_000)).unwrap();
    let of_person = rows.into_iter().filter(|row| row.action == "person.roles");
    of_person.filter(|row| row.target == person.to_string()).map(|row| row.detail).collect()
}

async fn post(browser: &mut Browser, person: RecordId, words: &[&str]) -> Answer {
    let csrf = browser.get("/").await.hidden("csrf");
    let mut form = vec![("csrf", csrf.as_str())];
    form.extend(words.iter().map(|word| (*word, "on")));
    browser.post(&format!("/people/{person}/roles"), &form).await
}

#[tokio::test]
async fn what_a_change_means_is_said_before_it_is_made() {
    let street = Street::empty();
    let mut browser = street.signed_in(street.administrator);
    let asked = post(&mut browser, street.worker, &["gridworker", "grid_leader"]).await;
    assert_eq!(asked.status, StatusCode::OK);
    let card = asked.body.split_once("请确认").map_or("", |(_, rest)| rest);
    let card = card.split_once("</form>").map_or("", |(card, _)| card);
    assert!(
        card.contains("增加") && card.contains("网格长") && card.contains("带领一个社区的网格"),
        "{card}"
    );
    assert!(!card.contains("取消") && card.contains("还没有登录名"), "{card}");
    assert_eq!(roles(&street, street.worker), [Role::Gridworker], "nothing was saved yet");
    let made = post(&mut browser, street.worker, &["gridworker", "grid_leader", "confirmed"]).await;
    assert_eq!((made.status, made.location().ends_with("?done=saved")), (StatusCode::SEE_OTHER, true));
    assert_eq!(roles(&street, street.worker), [Role::Gridworker, Role::GridLeader]);
    assert_eq!(noted(&street, street.worker), ["gridworker grid_leader"]);
    let page = browser.get(made.location()).await.body;
    assert!(page.contains("网格员、网格长") && page.contains("已保存"), "{page}");

    let same = post(&mut browser, street.worker, &["grid_leader", "gridworker", "confirmed"]).await;
    assert!(same.location().ends_with("?done=same"), "{}", same.location());
    assert_eq!(noted(&street, street.worker).len(), 1, "what changes nothing leaves no row");
    assert_eq!(street.signed_in(street.worker).get("/phones").await.status, StatusCode::OK, "at once");
}

#[tokio::test]
async fn the_last_administrator_stays_one() {
    let street = Street::empty();
    let mut browser = street.signed_in(street.administrator);
    for words in [&["dispatcher"][..], &["dispatcher", "confirmed"]] {
        let refused = post(&mut browser, street.administrator, words).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains("最后一位管理员"), "{}", refused.body);
    }
    assert_eq!(roles(&street, street.administrator), [Role::Administrator]);
    let closed = street
        .world
        .store()
        .update(|tx| close_person(tx, "operator", street.administrator, false, street.now()));
    assert!(matches!(closed, Err(AccessError::LastAdministrator)), "not by the command line either");

    // A second one who was shut out is no help; one who may work is.
    post(&mut browser, street.leader, &["administrator", "confirmed"]).await;
    let close = |open| {
        street.world.store().update(|tx| close_person(tx, "operator", street.leader, open, street.now()))
    };
    close(false).unwrap();
    let spared = |street: &Street| {
        let (store, who) = (street.world.store(), street.administrator);
        store.update(|tx| set_roles(tx, "operator", who, &[Role::Auditor], street.now()))
    };
    assert!(matches!(spared(&street), Err(AccessError::LastAdministrator)));
    close(true).unwrap();
    let asked = post(&mut browser, street.administrator, &["handler"]).await;
    assert!(asked.body.contains("这是您自己"), "{}", asked.body);
    let gone = post(&mut browser, street.administrator, &["handler", "confirmed"]).await;
    assert_eq!(
        (gone.status, gone.location()),
        (StatusCode::SEE_OTHER, "/"),
        "the page is not theirs any more"
    );
    assert_eq!(browser.get("/people").await.status, StatusCode::FORBIDDEN);
    assert_eq!(roles(&street, street.administrator), [Role::Handler]);
}

#[tokio::test]
async fn nobody_else_changes_roles_and_no_form_leaves_somebody_without() {
    let street = Street::empty();
    for who in [street.auditor, street.dispatcher, street.leader, street.handler, street.worker] {
        let answer = post(&mut street.signed_in(who), who, &["administrator", "confirmed"]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{who}");
    }
    let mut browser = street.signed_in(street.administrator);
    let place = format!("/people/{}/roles", street.worker);
    let csrf = browser.get("/people").await.hidden("csrf");
    let form = [("csrf", csrf.as_str()), ("handler", "on"), ("confirmed", "on")];
    assert_eq!(browser.post_from(&place, &form, "cross-site").await.status, StatusCode::FORBIDDEN);
    assert_eq!(browser.post(&place, &form[1..]).await.status, StatusCode::FORBIDDEN, "form token");
    for words in [&["confirmed"][..], &["emperor", "confirmed"]] {
        let answer = post(&mut browser, street.worker, words).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{words:?}");
    }
    street.world.store().update(|tx| close_person(tx, "test", street.worker, false, street.now())).unwrap();
    for person in [street.worker, RecordId::from_bytes([7; 16])] {
        let answer = post(&mut browser, person, &["handler", "confirmed"]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(roles(&street, street.worker), [Role::Gridworker]);
}
