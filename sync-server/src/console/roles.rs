//! What a person may do, said anew. In two steps: the first says what the change means, the second makes it.

use std::collections::BTreeMap;

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use gridwalk_model::RecordId;
use gridwalk_model::policy::Role;

use super::Console;
use super::failure::Failure;
use super::language::Lang;
use super::people::{MANAGERS, RoleOffer, chosen_roles, role_offers};
use super::person::{AT_DESKS, Top, page};
use super::shell::KEEPERS;
use super::visitor::Visitor;
use crate::access::staff::{can_be_spared, set_roles};
use crate::storage::access::PersonRow;

/// A change that waits for a second thought.
pub(super) struct Proposal {
    /// Roles that are new.
    pub(super) gained: Vec<RoleOffer>,
    /// Roles that go.
    pub(super) lost: Vec<RoleOffer>,
    /// The words for all roles that the person is to have.
    pub(super) words: Vec<&'static str>,
    /// What else should be known.
    pub(super) remarks: Vec<&'static str>,
}

impl Proposal {
    fn new(person: &PersonRow, roles: &[Role], visitor: &Visitor) -> Self {
        let l = visitor.lang;
        let of = |wanted: &dyn Fn(Role) -> bool| {
            let all = Role::ALL.into_iter().filter(|role| wanted(*role)).collect::<Vec<_>>();
            role_offers(&all, l).into_iter().filter(|offer| offer.chosen).collect::<Vec<_>>()
        };
        Self {
            gained: of(&|role| roles.contains(&role) && !person.roles.contains(&role)),
            lost: of(&|role| !roles.contains(&role) && person.roles.contains(&role)),
            words: of(&|role| roles.contains(&role)).iter().map(|offer| offer.word).collect(),
            remarks: remarks(person, roles, visitor, l),
        }
    }
}

fn remarks(person: &PersonRow, roles: &[Role], visitor: &Visitor, l: Lang) -> Vec<&'static str> {
    let mut remarks = Vec::new();
    let own = person.no == visitor.person.no;
    if own && !roles.contains(&Role::Administrator) {
        remarks.push(l.t(
            "这是您自己：保存后您不再是管理员，只有其他管理员能改回来。",
            "This is yourself: you will no longer be an administrator, and only another one can undo it.",
        ));
    }
    if person.login.is_none() && roles.iter().any(|role| AT_DESKS.contains(role)) {
        remarks.push(l.t(
            "此人还没有登录名：保存后请生成登录链接。",
            "They cannot sign in yet: make a sign-in link afterwards.",
        ));
    }
    remarks
}

/// Shows what a change of roles means; makes it once it is confirmed.
pub(super) async fn change(
    State(console): State<Console>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(form): Form<BTreeMap<String, String>>,
) -> Result<Response, Failure> {
    visitor.may(form.get("csrf").map_or("", String::as_str), MANAGERS)?;
    console
        .blocking(move |console| {
            let person: RecordId = id.parse().map_err(|_| Failure::NotFound)?;
            let roles = chosen_roles(&form)?;
            let row = console.storage.view(|tx| {
                let row = tx.person(person)?.filter(|row| row.active).ok_or(Failure::NotFound)?;
                if !roles.contains(&Role::Administrator) {
                    can_be_spared(tx, &row)?;
                }
                Ok::<_, Failure>(row)
            })?;
            let same = Role::ALL.into_iter().all(|role| roles.contains(&role) == row.roles.contains(&role));
            if same {
                return Ok(see(format!("/people/{person}?done=same")));
            }
            if !form.contains_key("confirmed") {
                let proposal = Proposal::new(&row, &roles, &visitor);
                return page(console, visitor, &id, Top::Proposal(proposal));
            }
            let by = visitor.person.id.to_string();
            console.storage.update(|tx| set_roles(tx, &by, person, &roles, console.now()))?;
            let still_opens = row.no != visitor.person.no || roles.iter().any(|role| KEEPERS.contains(role));
            Ok(see(if still_opens { format!("/people/{person}?done=saved") } else { "/".to_owned() }))
        })
        .await
}

fn see(place: String) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, place)]).into_response()
}
