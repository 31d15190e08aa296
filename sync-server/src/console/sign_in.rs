//! Signing in, out, and for the first time.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Console;
use super::failure::Failure;
use super::language::Lang;
use super::shell::{Shell, render};
use super::visitor::{SESSION_COOKIE, Visitor};
use super::wording;
use crate::access::account::{self, NewSession, PASSWORD_MIN, SESSION_LIFE_MS};
use crate::access::{AccessError, hash_secret};
use crate::storage::access::PersonRow;

/// Longest password that is hashed, in bytes.
const PASSWORD_MAX_BYTES: usize = 512;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    shell: Shell,
    login: String,
    problem: Option<String>,
    signed_out: bool,
}

/// The sign-in page.
pub(super) fn page(console: &Console, lang: Lang, login: &str, problem: Option<String>) -> Response {
    let shell = Shell::signed_out(console, lang, "/", lang.t("登录", "Sign in"));
    render(&SignInPage { shell, login: login.to_owned(), problem, signed_out: false })
}

/// Name and password.
#[derive(Deserialize)]
pub(super) struct Credentials {
    login: String,
    password: String,
}

/// Signs in.
pub(super) async fn sign_in(
    State(console): State<Console>,
    lang: Lang,
    Form(Credentials { login, password }): Form<Credentials>,
) -> Result<Response, Failure> {
    let login = login.trim().to_owned();
    if login.chars().count() > 40 || password.len() > PASSWORD_MAX_BYTES {
        return Ok(refused(&console, lang, "", AccessError::NotFound));
    }
    let _turn = turn(&console).await?;
    let name = login.clone();
    let outcome = console.blocking(move |console| check(console, &name, &password)).await?;
    match outcome {
        Ok(session) => Ok(enter(&console, &session)),
        Err(error) => Ok(refused(&console, lang, &login, error)),
    }
}

/// Waits for a turn at hashing, unless too many wait already.
async fn turn(
    console: &Console,
) -> Result<(tokio::sync::OwnedSemaphorePermit, tokio::sync::OwnedSemaphorePermit), Failure> {
    let waiting = console.waiting.clone().try_acquire_owned().map_err(|_| Failure::Busy)?;
    let hashing = console.hashing.clone().acquire_owned().await.map_err(|_| Failure::Internal)?;
    Ok((waiting, hashing))
}

/// The session of whoever proved themselves, or why there is none.
fn check(console: &Console, login: &str, password: &str) -> Result<Result<NewSession, AccessError>, Failure> {
    let now = console.now();
    let person: Option<PersonRow> = console.storage.view(|tx| tx.person_by_login(login))?;
    let checked = account::check_password(person.as_ref(), password, now);
    match (checked, person) {
        (Ok(()), Some(person)) => {
            let begun = console
                .storage
                .update(|tx| account::begin_session(tx, &person, now, console.entropy.as_ref()))?;
            Ok(Ok(begun))
        }
        (Err(AccessError::NotFound), _) => {
            console.storage.update(|tx| account::note_failure(tx, login, now))?;
            let waits = console.storage.view(|tx| tx.person_by_login(login))?;
            let left = waits.map_or(0, |person| person.locked_until.millis() - now.millis());
            if left > 0 {
                let seconds = u32::try_from(left / 1_000 + 1).unwrap_or(u32::MAX);
                return Ok(Err(AccessError::Locked { seconds }));
            }
            Ok(Err(AccessError::NotFound))
        }
        (Err(error), _) => Ok(Err(error)),
        (Ok(()), None) => Ok(Err(AccessError::NotFound)),
    }
}

/// The sign-in page with the reason why it did not work; never which of name and password was wrong.
fn refused(console: &Console, lang: Lang, login: &str, error: AccessError) -> Response {
    let (status, problem) = match error {
        AccessError::Locked { seconds } => {
            let wait = if seconds < 60 {
                match lang {
                    Lang::Zh => format!("{seconds} 秒"),
                    Lang::En => format!("{seconds} seconds"),
                }
            } else {
                wording::span(lang, i64::from(seconds.div_ceil(60)) * 60_000)
            };
            let problem = match lang {
                Lang::Zh => format!("多次登录失败，此账号已暂时锁定。请 {wait} 后再试。"),
                Lang::En => format!("Too many failed attempts: this account is locked. Try again in {wait}."),
            };
            (StatusCode::TOO_MANY_REQUESTS, problem)
        }
        AccessError::NotFound => {
            let problem =
                lang.t("用户名或密码不正确，请重新输入。", "Name or password is wrong. Please try again.");
            (StatusCode::UNAUTHORIZED, problem.to_owned())
        }
        other => return Failure::from(other).into_response(),
    };
    let mut response = page(console, lang, login, Some(problem));
    *response.status_mut() = status;
    response
}

/// Goes to the start page with a session.
fn enter(console: &Console, session: &NewSession) -> Response {
    let secure = if console.https { "; Secure" } else { "" };
    let seconds = SESSION_LIFE_MS / 1_000;
    let cookie = format!(
        "{SESSION_COOKIE}={}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}",
        session.cookie
    );
    (StatusCode::SEE_OTHER, [(SET_COOKIE, cookie), (LOCATION, "/".to_owned())]).into_response()
}

#[derive(Template)]
#[template(path = "link.html")]
struct LinkPage {
    shell: Shell,
    /// Path that the form goes to; empty if the link is no longer good.
    action: String,
    name: String,
    login: String,
    password_min: usize,
    problem: Option<&'static str>,
}

/// A one-time link: asks for a name and a password. Looking does not spend it, because messengers look at links.
pub(super) async fn show_link(
    State(console): State<Console>,
    lang: Lang,
    Path(link): Path<String>,
) -> Result<Response, Failure> {
    link_page(console, lang, link, None, None).await
}

async fn link_page(
    console: Console,
    lang: Lang,
    link: String,
    login: Option<String>,
    problem: Option<&'static str>,
) -> Result<Response, Failure> {
    console
        .blocking(move |console| {
            let now = console.now();
            let person = console.storage.view(|tx| {
                let no = tx.signin_link(&hash_secret(&link), now)?;
                no.map_or(Ok(None), |no| tx.person_by_no(no))
            })?;
            let good = person.is_some();
            let title = if good {
                lang.t("首次登录", "Sign in for the first time")
            } else {
                lang.t("链接已失效", "This link no longer works")
            };
            let person = person.map(|person| (person.name, person.login.unwrap_or_default()));
            let (name, own) = person.unwrap_or_default();
            let back = format!("/signin/{link}");
            let mut response = render(&LinkPage {
                shell: Shell::signed_out(console, lang, &back, title),
                action: if good { back } else { String::new() },
                name,
                login: login.unwrap_or(own),
                password_min: PASSWORD_MIN,
                problem,
            });
            if !good {
                *response.status_mut() = StatusCode::GONE;
            } else if problem.is_some() {
                *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            }
            Ok(response)
        })
        .await
}

/// The name and password that somebody chose.
#[derive(Deserialize)]
pub(super) struct Chosen {
    login: String,
    password: String,
    again: String,
}

/// Spends a one-time link: sets name and password, and signs in.
pub(super) async fn redeem_link(
    State(console): State<Console>,
    lang: Lang,
    Path(link): Path<String>,
    Form(Chosen { login, password, again }): Form<Chosen>,
) -> Result<Response, Failure> {
    let login = login.trim().to_owned();
    let problem = if login.is_empty() || login.chars().count() > 40 {
        Some(lang.t("请填写用户名（最多 40 个字）。", "Choose a name of at most 40 characters."))
    } else if password.chars().count() < PASSWORD_MIN || password.len() > PASSWORD_MAX_BYTES {
        Some(lang.t("密码太短，请至少输入 10 个字符。", "The password is too short: at least 10 characters."))
    } else if password != again {
        Some(lang.t("两次输入的密码不一致。", "The two passwords differ."))
    } else {
        None
    };
    if problem.is_some() {
        return link_page(console, lang, link, Some(login), problem).await;
    }
    let _turn = turn(&console).await?;
    let (spent, name) = (link.clone(), login.clone());
    match console.blocking(move |console| Ok(redeem(console, &spent, &name, &password))).await? {
        Ok(session) => Ok(enter(&console, &session)),
        Err(AccessError::BadAccount(_)) => {
            let taken = lang.t("这个用户名已有人使用，请换一个。", "This name is taken. Choose another.");
            link_page(console, lang, link, Some(login), Some(taken)).await
        }
        Err(AccessError::NotFound) => link_page(console, lang, link, None, None).await,
        Err(other) => Err(other.into()),
    }
}

/// One transaction: a name that is taken leaves the link unspent.
fn redeem(console: &Console, link: &str, login: &str, password: &str) -> Result<NewSession, AccessError> {
    let entropy = console.entropy.as_ref();
    let hash = account::hash_password(password, entropy)?;
    let now = console.now();
    console.storage.update(|tx| {
        let session = account::redeem_link(tx, link, now, entropy)?;
        let found = account::session(tx, &session.cookie, now)?.ok_or(AccessError::NotFound)?;
        account::set_account(tx, found.0.id, login, &hash, now)?;
        Ok(session)
    })
}

/// What signs out.
#[derive(Deserialize)]
pub(super) struct Out {
    csrf: String,
}

/// Ends the session.
pub(super) async fn sign_out(
    State(console): State<Console>,
    visitor: Visitor,
    Form(Out { csrf }): Form<Out>,
) -> Result<Response, Failure> {
    visitor.check(&csrf)?;
    let lang = visitor.lang;
    console
        .blocking(move |console| {
            console.shown_names.hide(&visitor.cookie);
            Ok(console.storage.update(|tx| account::end_session(tx, &visitor.cookie))?)
        })
        .await?;
    let shell = Shell::signed_out(&console, lang, "/", lang.t("已退出", "Signed out"));
    let page = SignInPage { shell, login: String::new(), problem: None, signed_out: true };
    let mut response = render(&page);
    let gone = format!("{SESSION_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
    if let Ok(gone) = HeaderValue::from_str(&gone) {
        response.headers_mut().insert(SET_COOKIE, gone);
    }
    Ok(response)
}
