//! People who use the system: the list, and adding one.

use std::collections::BTreeMap;

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use gridwalk_model::policy::Role;
use gridwalk_model::{AccessClass, RecordId, StreamId};
use serde::Deserialize;

use super::Console;
use super::directory::Lookup;
use super::failure::Failure;
use super::language::Lang;
use super::reach::note_view;
use super::shell::{KEEPERS, Section, Shell, encoded, render};
use super::visitor::Visitor;
use crate::access::staff::{NewWorker, add_person, grant_area};
use crate::storage::ReadTx;
use crate::storage::access::{PersonRow, role_word};

/// People on a page.
const PAGE: usize = 50;
/// Longest name, in characters.
const NAME_MAX: usize = 40;
/// Grids that a row names; the rest is counted.
const GRIDS_NAMED: usize = 2;
/// Who may add people and change what they hold.
pub(super) const MANAGERS: &[Role] = &[Role::Administrator];

/// Every role with its name and what it is for.
static ROLES: &[(Role, [&str; 2], [&str; 2])] = &[
    (
        Role::Gridworker,
        ["网格员", "Gridworker"],
        ["用手机走访、检查、上报", "Visits, inspects and reports with a phone"],
    ),
    (Role::GridLeader, ["网格长", "Grid leader"], ["带领一个社区的网格", "Leads the grids of a community"]),
    (
        Role::Dispatcher,
        ["调度人员", "Dispatcher"],
        ["受理、派遣、督办", "Accepts, dispatches and supervises cases"],
    ),
    (Role::Handler, ["处置人员", "Handler"], ["在单位里处置事件", "Handles cases for a unit"]),
    (Role::Auditor, ["审计人员", "Auditor"], ["可以查看全部，不能修改", "Sees everything, changes nothing"]),
    (Role::Administrator, ["管理员", "Administrator"], ["管理人员和手机", "Looks after people and phones"]),
];

/// The name of a role.
pub(super) fn role_name(role: Role, l: Lang) -> &'static str {
    let found = ROLES.iter().find(|(one, ..)| *one == role);
    found.map_or("", |(_, [zh, en], _)| l.t(zh, en))
}

/// The names of all roles of a person.
pub(super) fn role_names(person: &PersonRow, l: Lang) -> String {
    let names: Vec<&str> = person.roles.iter().map(|role| role_name(*role, l)).collect();
    names.join(l.t("、", ", "))
}

/// The areas that a person holds now.
pub(super) fn areas_of(tx: &dyn ReadTx, person: &PersonRow) -> Result<Vec<RecordId>, Failure> {
    let grants = tx.grants(person.no)?;
    let held = grants.into_iter().filter(|grant| grant.revoked_at.is_none());
    Ok(held
        .filter_map(|grant| match grant.stream {
            StreamId::Area { area, class: AccessClass::Base } => Some(area),
            _ => None,
        })
        .collect())
}

/// An area that a form offers.
pub(super) struct AreaOffer {
    pub(super) code: String,
    pub(super) name: String,
}

/// All areas that a form offers, by code.
pub(super) fn area_offers(lookup: Lookup<'_>) -> Result<Vec<AreaOffer>, Failure> {
    let areas = lookup.areas()?;
    Ok(areas.into_iter().map(|(_, code, name)| AreaOffer { code, name }).collect())
}

/// The area that somebody named by its code; no area for an empty field.
pub(super) fn area_named(lookup: Lookup<'_>, code: &str) -> Result<Option<RecordId>, Failure> {
    let code = code.trim();
    if code.is_empty() {
        return Ok(None);
    }
    let found = lookup.areas()?.into_iter().find(|(_, one, name)| one == code || name == code);
    found.map(|(id, ..)| Some(id)).ok_or(Failure::NoSuchArea)
}

struct Row {
    href: String,
    name: String,
    roles: String,
    unit: String,
    grids: String,
    phones: usize,
    closed: bool,
}

/// A role that a form offers, and what it is for.
pub(super) struct RoleOffer {
    pub(super) word: &'static str,
    pub(super) name: &'static str,
    pub(super) hint: &'static str,
    pub(super) chosen: bool,
}

#[derive(Template)]
#[template(path = "people.html")]
struct PeoplePage {
    shell: Shell,
    rows: Vec<Row>,
    total: usize,
    may_add: bool,
    roles: Vec<RoleOffer>,
    units: Vec<(String, String)>,
    areas: Vec<AreaOffer>,
    wanted: String,
    /// Where the list goes on.
    next: Option<String>,
    first: bool,
}

/// Whom to list, and from where on.
#[derive(Deserialize)]
pub(super) struct Ask {
    #[serde(default)]
    name: String,
    #[serde(default)]
    from: usize,
}

/// The list of people.
pub(super) async fn show(
    State(console): State<Console>,
    visitor: Visitor,
    Query(ask): Query<Ask>,
) -> Result<Response, Failure> {
    visitor.must_be(KEEPERS)?;
    console.blocking(move |console| page(console, &visitor, &ask)).await
}

fn page(console: &Console, visitor: &Visitor, ask: &Ask) -> Result<Response, Failure> {
    note_view(console, visitor, "people.listed", "people")?;
    let l = visitor.lang;
    let wanted = ask.name.trim();
    console.storage.view(|tx| {
        let lookup = console.directory.on(tx, visitor);
        let mut people = tx.people()?;
        people.retain(|person| person.name.contains(wanted));
        let phones = tx.devices()?;
        let shown = people.iter().skip(ask.from).take(PAGE);
        let rows: Result<Vec<Row>, Failure> = shown
            .map(|person| {
                let own = phones.iter().filter(|phone| phone.person == person.no);
                row(tx, lookup, person, own.filter(|phone| phone.revoked_at.is_none()).count())
            })
            .collect();
        let may_add = visitor.is(MANAGERS);
        let units = lookup.units()?.into_iter().map(|(id, name)| (id.to_string(), name)).collect();
        let next = ask.from.saturating_add(PAGE);
        Ok(render(&PeoplePage {
            shell: Shell::new(console, visitor, Section::People, l.t("人员", "People")),
            rows: rows?,
            total: people.len(),
            may_add,
            roles: role_offers(&[Role::Gridworker], l),
            units,
            areas: if may_add { area_offers(lookup)? } else { Vec::new() },
            wanted: wanted.to_owned(),
            next: (people.len() > next).then(|| format!("/people?name={}&from={next}", encoded(wanted))),
            first: ask.from == 0,
        }))
    })
}

fn row(tx: &dyn ReadTx, lookup: Lookup<'_>, person: &PersonRow, phones: usize) -> Result<Row, Failure> {
    let l = lookup.lang();
    let areas = areas_of(tx, person)?;
    let names: Result<Vec<String>, Failure> =
        areas.iter().take(GRIDS_NAMED).map(|area| lookup.area(*area)).collect();
    let mut grids = names?.join(l.t("、", ", "));
    if areas.len() > GRIDS_NAMED {
        grids.push_str(&match l {
            Lang::Zh => format!(" 等 {} 个", areas.len()),
            Lang::En => format!(" and {} more", areas.len() - GRIDS_NAMED),
        });
    }
    Ok(Row {
        href: format!("/people/{}", person.id),
        name: lookup.shown(person),
        roles: role_names(person, l),
        unit: person.unit.map(|unit| lookup.unit(unit)).transpose()?.unwrap_or_default(),
        grids,
        phones,
        closed: person.closed_at.is_some(),
    })
}

/// All roles, with some ticked already.
pub(super) fn role_offers(chosen: &[Role], l: Lang) -> Vec<RoleOffer> {
    ROLES
        .iter()
        .map(|(role, [zh, en], [hint_zh, hint_en])| RoleOffer {
            word: role_word(*role),
            name: l.t(zh, en),
            hint: l.t(hint_zh, hint_en),
            chosen: chosen.contains(role),
        })
        .collect()
}

/// The roles that a form names: each is a field of its own.
pub(super) fn chosen_roles(form: &BTreeMap<String, String>) -> Result<Vec<Role>, Failure> {
    let chosen = ROLES.iter().map(|(role, ..)| *role).filter(|role| form.contains_key(role_word(*role)));
    let roles: Vec<Role> = chosen.collect();
    if roles.is_empty() { Err(Failure::BadForm) } else { Ok(roles) }
}

/// Adds a person, and goes to their page.
pub(super) async fn add(
    State(console): State<Console>,
    visitor: Visitor,
    Form(form): Form<BTreeMap<String, String>>,
) -> Result<Response, Failure> {
    visitor.may(form.get("csrf").map_or("", String::as_str), MANAGERS)?;
    console
        .blocking(move |console| {
            let text = |field: &str| form.get(field).map_or("", |text| text.trim());
            let name = text("name");
            let roles = chosen_roles(&form)?;
            if name.is_empty() || name.chars().count() > NAME_MAX {
                return Err(Failure::BadForm);
            }
            let unit = match text("unit") {
                "" => None,
                unit => Some(unit.parse::<RecordId>().map_err(|_| Failure::BadForm)?),
            };
            let (now, entropy) = (console.now(), console.entropy.as_ref());
            let by = visitor.person.id.to_string();
            let id = console.storage.update(|tx| {
                let lookup = console.directory.on(&*tx, &visitor);
                let area = area_named(lookup, text("area"))?;
                if unit.is_some_and(|unit| {
                    !lookup.units().is_ok_and(|all| all.iter().any(|(id, _)| *id == unit))
                }) {
                    return Err(Failure::BadForm);
                }
                let worker = NewWorker { name, roles: &roles, unit };
                let id = add_person(tx, &by, &worker, now, entropy)?;
                if let Some(area) = area {
                    grant_area(tx, &by, id, area, true, now)?;
                }
                Ok(id)
            })?;
            Ok((StatusCode::SEE_OTHER, [(LOCATION, format!("/people/{id}?done=added"))]).into_response())
        })
        .await
}
