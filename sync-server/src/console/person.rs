//! One person: what they hold, their phones, and the secrets that are given to them once.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::header::{HOST, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use gridwalk_model::policy::Role;
use gridwalk_model::{DeviceId, RecordId, Timestamp};
use serde::Deserialize;

use super::Console;
use super::failure::Failure;
use super::language::Lang;
use super::people::{self, AreaOffer, MANAGERS, RoleOffer};
use super::reach::note_view;
use super::roles::Proposal;
use super::shell::{KEEPERS, Section, Shell, render};
use super::visitor::Visitor;
use super::wording;
use crate::access::AccessError;
use crate::access::account::{LINK_LIFE_MS, create_signin_link};
use crate::access::enrolment::{CODE_LIFE_MS, create_code};
use crate::access::staff::{close_person, grant_area, reinstate_device, revoke_area, revoke_device};
use crate::cli::SIGNIN_PATH;
use crate::clock::Entropy;
use crate::storage::WriteTx;

/// Roles that work in the console, and so need to sign in.
pub(super) const AT_DESKS: &[Role] =
    &[Role::GridLeader, Role::Dispatcher, Role::Handler, Role::Auditor, Role::Administrator];

/// A secret that is shown once.
pub(super) struct Secret {
    title: &'static str,
    text: String,
    /// Where the phone finds the server.
    address: Option<String>,
    advice: &'static str,
    until: String,
}

struct Held {
    id: String,
    name: String,
}

struct PhoneLine {
    id: String,
    label: String,
    contact: String,
    locked: bool,
}

#[derive(Template)]
#[template(path = "person.html")]
struct PersonPage {
    shell: Shell,
    id: String,
    name: String,
    roles: String,
    unit: String,
    login: Option<String>,
    closed: bool,
    grids: Vec<Held>,
    phones: Vec<PhoneLine>,
    areas: Vec<AreaOffer>,
    may_change: bool,
    at_desk: bool,
    is_self: bool,
    /// What the form of roles offers; empty for whoever may not change them.
    offers: Vec<RoleOffer>,
    proposal: Option<Proposal>,
    secret: Option<Secret>,
    done: &'static str,
}

/// What stands above everything else on the page, this once.
pub(super) enum Top {
    /// The word for what was just done; empty if nothing was.
    Done(String),
    Secret(Secret),
    Proposal(Proposal),
}

/// What was just done.
#[derive(Deserialize)]
pub(super) struct Ask {
    #[serde(default)]
    done: String,
}

/// One person.
pub(super) async fn show(
    State(console): State<Console>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(ask): Query<Ask>,
) -> Result<Response, Failure> {
    visitor.must_be(KEEPERS)?;
    console.blocking(move |console| page(console, visitor, &id, Top::Done(ask.done))).await
}

/// The page, with what stands on top of it.
pub(super) fn page(console: &Console, mut visitor: Visitor, id: &str, top: Top) -> Result<Response, Failure> {
    let id: RecordId = id.parse().map_err(|_| Failure::NotFound)?;
    visitor.path = format!("/people/{id}");
    let (done, secret, proposal) = match top {
        Top::Done(done) => (done, None, None),
        Top::Secret(secret) => (String::new(), Some(secret), None),
        Top::Proposal(proposal) => (String::new(), None, Some(proposal)),
    };
    let (visitor, l, now) = (&visitor, visitor.lang, console.now());
    console.storage.view(|tx| tx.person(id)?.map(drop).ok_or(Failure::NotFound))?;
    note_view(console, visitor, "person.viewed", &id.to_string())?;
    console.storage.view(|tx| {
        let person = tx.person(id)?.ok_or(Failure::NotFound)?;
        let lookup = console.directory.on(tx, visitor);
        let grids: Result<Vec<Held>, Failure> = people::areas_of(tx, &person)?
            .into_iter()
            .map(|area| Ok(Held { id: area.to_string(), name: lookup.area(area)? }))
            .collect();
        let own = tx.devices()?.into_iter().filter(|device| device.person == person.no);
        let phones = own
            .map(|device| PhoneLine {
                id: device.id.to_string(),
                contact: wording::ago(l, device.seen_at.max(device.pushed_at).max(device.enrolled_at), now),
                locked: device.revoked_at.is_some(),
                label: device.label,
            })
            .collect();
        let may_change = visitor.is(MANAGERS);
        let name = lookup.shown(&person);
        Ok(render(&PersonPage {
            shell: Shell::new(console, visitor, Section::People, &name),
            id: id.to_string(),
            name,
            roles: people::role_names(&person, l),
            unit: person.unit.map(|unit| lookup.unit(unit)).transpose()?.unwrap_or_default(),
            closed: person.closed_at.is_some(),
            grids: grids?,
            phones,
            areas: if may_change { people::area_offers(lookup)? } else { Vec::new() },
            may_change,
            at_desk: person.roles.iter().any(|role| AT_DESKS.contains(role)),
            is_self: person.no == visitor.person.no,
            offers: if may_change { people::role_offers(&person.roles, l) } else { Vec::new() },
            login: person.login,
            done: done_words(&done, l),
            secret,
            proposal,
        }))
    })
}

fn done_words(done: &str, l: Lang) -> &'static str {
    match done {
        "added" => l.t("已新增。接下来可以生成手机登记码。", "Added. Next, make an enrolment code."),
        "saved" => l.t("已保存。", "Saved."),
        "same" => l.t("没有变化，岗位和原来一样。", "Nothing was changed: the roles are as before."),
        _ => "",
    }
}

/// A form of this page.
#[derive(Deserialize)]
pub(super) struct Filled {
    csrf: String,
    #[serde(default)]
    area: String,
    #[serde(default)]
    device: String,
}

/// What a form of this page does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Grant,
    Revoke,
    Lock,
    Unlock,
    Close,
    Open,
}

impl Change {
    fn from_word(word: &str) -> Option<Self> {
        match word {
            "grant" => Some(Self::Grant),
            "revoke" => Some(Self::Revoke),
            "lock" => Some(Self::Lock),
            "unlock" => Some(Self::Unlock),
            "close" => Some(Self::Close),
            "open" => Some(Self::Open),
            _ => None,
        }
    }
}

/// Changes what a person holds, or whether they and their phones may work.
pub(super) async fn change(
    State(console): State<Console>,
    visitor: Visitor,
    Path((id, word)): Path<(String, String)>,
    Form(filled): Form<Filled>,
) -> Result<Response, Failure> {
    visitor.may(&filled.csrf, MANAGERS)?;
    let change = Change::from_word(&word).ok_or(Failure::NotFound)?;
    console
        .blocking(move |console| {
            let id: RecordId = id.parse().map_err(|_| Failure::NotFound)?;
            write(console, &visitor, id, change, &filled)?;
            Ok((StatusCode::SEE_OTHER, [(LOCATION, format!("/people/{id}?done=saved"))]).into_response())
        })
        .await
}

fn write(
    console: &Console,
    visitor: &Visitor,
    id: RecordId,
    change: Change,
    filled: &Filled,
) -> Result<(), Failure> {
    let (now, by) = (console.now(), visitor.person.id.to_string());
    console.storage.update(|tx| {
        match change {
            Change::Grant => {
                let area = people::area_named(console.directory.on(&*tx, visitor), &filled.area)?;
                grant_area(tx, &by, id, area.ok_or(Failure::BadForm)?, true, now)?;
            }
            Change::Revoke => {
                let area = filled.area.parse().map_err(|_| Failure::BadForm)?;
                revoke_area(tx, &by, id, area, now)?;
            }
            Change::Lock | Change::Unlock => {
                let device: DeviceId = filled.device.parse().map_err(|_| Failure::BadForm)?;
                let person = tx.person(id)?.ok_or(Failure::NotFound)?;
                tx.device(device)?.filter(|device| device.person == person.no).ok_or(Failure::NotFound)?;
                if change == Change::Lock {
                    revoke_device(tx, &by, device, false, now)?;
                } else {
                    reinstate_device(tx, &by, device, now)?;
                }
            }
            // Nobody locks themselves out: somebody has to be there to let them in again.
            Change::Close if id == visitor.person.id => return Err(Failure::BadForm),
            Change::Close => close_person(tx, &by, id, false, now)?,
            Change::Open => close_person(tx, &by, id, true, now)?,
        }
        Ok(())
    })
}

/// For whom a secret is made, and when.
struct Making<'m> {
    person: RecordId,
    by: &'m str,
    now: Timestamp,
    entropy: &'m dyn Entropy,
    l: Lang,
}

/// Makes a secret for somebody who may work, and shows it: the only time that it can be seen.
async fn hand_out(
    console: Console,
    visitor: Visitor,
    id: String,
    filled: Filled,
    make: impl FnOnce(&mut dyn WriteTx, &Making<'_>) -> Result<Secret, AccessError> + Send + 'static,
) -> Result<Response, Failure> {
    visitor.may(&filled.csrf, MANAGERS)?;
    console
        .blocking(move |console| {
            let person: RecordId = id.parse().map_err(|_| Failure::NotFound)?;
            let by = visitor.person.id.to_string();
            let (now, entropy) = (console.now(), console.entropy.as_ref());
            let making = Making { person, by: &by, now, entropy, l: visitor.lang };
            let secret = console.storage.update(|tx| {
                tx.person(person)?.filter(|person| person.active).ok_or(Failure::NotFound)?;
                Ok::<_, Failure>(make(tx, &making)?)
            })?;
            page(console, visitor, &id, Top::Secret(secret))
        })
        .await
}

/// Makes an enrolment code.
pub(super) async fn code(
    State(console): State<Console>,
    visitor: Visitor,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(filled): Form<Filled>,
) -> Result<Response, Failure> {
    let address = own_address(&console, &headers);
    hand_out(console, visitor, id, filled, |tx, &Making { person, by, now, entropy, l }| {
        Ok(Secret {
            title: l.t("手机登记码", "Enrolment code"),
            text: create_code(tx, by, person, CODE_LIFE_MS, now, entropy)?,
            address,
            advice: l.t(
                "请在本人的手机上输入。只能用于一部手机，离开此页后不再显示。",
                "Enter it on the person's own phone. It is good for one phone, and not shown again.",
            ),
            until: wording::time(l, now.plus_millis(CODE_LIFE_MS), now),
        })
    })
    .await
}

/// Makes a one-time sign-in link.
pub(super) async fn link(
    State(console): State<Console>,
    visitor: Visitor,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(filled): Form<Filled>,
) -> Result<Response, Failure> {
    let address = own_address(&console, &headers).unwrap_or_default();
    hand_out(console, visitor, id, filled, move |tx, &Making { person, by, now, entropy, l }| {
        let link = create_signin_link(tx, by, person, now, entropy)?;
        Ok(Secret {
            title: l.t("一次性登录链接", "One-time sign-in link"),
            text: format!("{address}{SIGNIN_PATH}{link}"),
            address: None,
            advice: l.t(
                "请只发给本人。打开后设置用户名和密码；只能使用一次，离开此页后不再显示。",
                "For this person only, to choose a name and password. It works once, and is not shown again.",
            ),
            until: wording::time(l, now.plus_millis(LINK_LIFE_MS), now),
        })
    })
    .await
}

/// The address under which the visitor's browser reaches this server.
fn own_address(console: &Console, headers: &HeaderMap) -> Option<String> {
    let host = headers.get(HOST)?.to_str().ok()?;
    let plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
    let scheme = if console.https { "https" } else { "http" };
    plain.then(|| format!("{scheme}://{host}"))
}
