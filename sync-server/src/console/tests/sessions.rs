//! Signing in and out, forms, headers.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, SET_COOKIE};

use super::fixture::{Browser, HOUR, PASSWORD, Street};

const MINUTE: i64 = 60_000;

#[tokio::test]
async fn a_one_time_link_sets_name_and_password_once() {
    let street = Street::empty();
    let link = street.link(street.dispatcher);
    let mut browser = Browser::new(&street.router);
    let shown = browser.get(&link).await;
    assert_eq!(shown.status, StatusCode::OK);
    assert!(shown.body.contains("钱卫东"));
    for (form, words) in [
        ([("login", ""), ("password", PASSWORD), ("again", PASSWORD)], "用户名"),
        ([("login", "钱"), ("password", "short"), ("again", "short")], "密码太短"),
        ([("login", "钱"), ("password", PASSWORD), ("again", "something else")], "不一致"),
    ] {
        let answer = browser.post(&link, &form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.body.contains(words), "{words}");
    }
    let form = [("login", "钱卫东"), ("password", PASSWORD), ("again", PASSWORD)];
    let done = browser.post(&link, &form).await;
    assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, "/"));
    let cookie = done.headers.get(SET_COOKIE).unwrap().to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert!(browser.get("/").await.body.contains("当前登录"));

    let mut other = Browser::new(&street.router);
    assert_eq!(other.get(&link).await.status, StatusCode::GONE, "spent");
    assert_eq!(other.post(&link, &form).await.status, StatusCode::GONE);
    let signed_in = other.post("/signin", &[("login", "钱卫东"), ("password", PASSWORD)]).await;
    assert_eq!(signed_in.status, StatusCode::SEE_OTHER);

    let second = street.link(street.leader);
    let taken = other.post(&second, &form).await;
    assert_eq!(taken.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(taken.body.contains("已有人使用"));
    assert_eq!(other.get(&second).await.status, StatusCode::OK, "a taken name leaves the link unspent");
    street.world.clock.advance(25 * HOUR);
    assert_eq!(other.get(&second).await.status, StatusCode::GONE, "over after a day");
}

#[tokio::test]
async fn wrong_passwords_lock_the_account_for_a_while_and_say_no_more_than_needed() {
    let street = Street::empty();
    let mut browser = Browser::new(&street.router);
    let link = street.link(street.leader);
    browser.post(&link, &[("login", "孙丽华"), ("password", PASSWORD), ("again", PASSWORD)]).await;
    let mut stranger = Browser::new(&street.router);
    let nobody = stranger.post("/signin", &[("login", "没有此人"), ("password", "x")]).await;
    let wrong = stranger.post("/signin", &[("login", "孙丽华"), ("password", "x")]).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    let neutral = |body: &str| body.replace("没有此人", "").replace("孙丽华", "");
    assert_eq!(neutral(&nobody.body), neutral(&wrong.body));
    for _ in 0..3 {
        let again = stranger.post("/signin", &[("login", "孙丽华"), ("password", "x")]).await;
        assert_eq!(again.status, StatusCode::UNAUTHORIZED);
    }
    let locked = stranger.post("/signin", &[("login", "孙丽华"), ("password", "x")]).await;
    assert_eq!(locked.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(locked.body.contains("暂时锁定"), "{}", locked.body);
    let right = stranger.post("/signin", &[("login", "孙丽华"), ("password", PASSWORD)]).await;
    assert_eq!(right.status, StatusCode::TOO_MANY_REQUESTS, "even the right password waits");
    street.world.clock.advance(MINUTE);
    let right = stranger.post("/signin", &[("login", "孙丽华"), ("password", PASSWORD)]).await;
    assert_eq!(right.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_session_ends_when_idle_and_when_old_and_when_asked() {
    let street = Street::empty();
    let mut idle = street.signed_in(street.dispatcher);
    street.world.clock.advance(31 * MINUTE);
    assert_eq!(idle.get("/events").await.status, StatusCode::SEE_OTHER);

    let mut busy = street.signed_in(street.dispatcher);
    for _ in 0..(12 * 3) {
        street.world.clock.advance(20 * MINUTE);
        assert_eq!(busy.get("/events").await.status, StatusCode::OK);
    }
    street.world.clock.advance(MINUTE);
    assert_eq!(busy.get("/events").await.status, StatusCode::SEE_OTHER, "twelve hours are over");

    let mut leaving = street.signed_in(street.dispatcher);
    let csrf = leaving.get("/").await.hidden("csrf");
    assert!(leaving.post("/signout", &[("csrf", &csrf)]).await.body.contains("安全退出"));
    assert!(leaving.get("/").await.body.contains("type=\"password\""));
}

#[tokio::test]
async fn forms_of_others_do_nothing() {
    let street = Street::empty();
    let mut browser = street.signed_in(street.dispatcher);
    let csrf = browser.get("/").await.hidden("csrf");
    let other_site = browser.post_from("/signout", &[("csrf", &csrf)], "cross-site").await;
    assert_eq!(other_site.status, StatusCode::FORBIDDEN);
    for token in ["", "wrong", &street.signed_in(street.leader).get("/").await.hidden("csrf")] {
        assert_eq!(browser.post("/signout", &[("csrf", token)]).await.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(browser.get("/events").await.status, StatusCode::OK, "still signed in");
}

#[tokio::test]
async fn every_answer_carries_the_headers() {
    let street = Street::empty();
    let mut browser = street.signed_in(street.administrator);
    for path in
        ["/", "/events", "/events/none", "/phones", "/refused", "/alarms", "/assets/console.css", "/signin/x"]
    {
        let answer = browser.get(path).await;
        let policy = answer.headers.get(CONTENT_SECURITY_POLICY).unwrap().to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}");
        assert_eq!(answer.headers.get("x-content-type-options").unwrap(), "nosniff", "{path}");
        assert!(answer.headers.contains_key("cache-control"), "{path}");
        assert!(!answer.body.contains("<script") && !answer.body.contains(" style="), "{path}");
        assert!(!answer.body.contains("http://") && !answer.body.contains("https://"), "{path}");
    }
}

#[tokio::test]
async fn the_language_is_chinese_until_somebody_chooses() {
    let street = Street::empty();
    let mut browser = Browser::new(&street.router);
    assert!(browser.get("/").await.body.contains("<html lang=\"zh-CN\">"));
    let switched = browser.get("/language/en?back=/events").await;
    assert_eq!((switched.status, switched.location()), (StatusCode::SEE_OTHER, "/events"));
    assert!(browser.get("/").await.body.contains("<html lang=\"en\">"));
    assert_eq!(browser.get("/language/zh?back=//evil.example").await.location(), "/");
    assert!(browser.get("/").await.body.contains("登录"));
}
