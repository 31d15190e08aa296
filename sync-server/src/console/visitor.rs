//! Who is signed in.

use axum::extract::FromRequestParts;
use axum::http::header::COOKIE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use gridwalk_model::policy::Role;
use subtle::ConstantTimeEq;

use super::Console;
use super::failure::Failure;
use super::language::Lang;
use crate::access::account;
use crate::storage::access::PersonRow;

/// Name of the session's cookie.
pub(super) const SESSION_COOKIE: &str = "gridwalk_session";

/// The value of a cookie of a request.
pub(super) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    pairs.flat_map(|pairs| pairs.split(';')).find_map(|pair| {
        let (found, value) = pair.split_once('=')?;
        (found.trim() == name).then(|| value.trim())
    })
}

/// A person with a session that holds.
#[derive(Clone)]
pub(super) struct Visitor {
    pub(super) person: PersonRow,
    pub(super) lang: Lang,
    /// Whether they have asked to see names, and may still.
    pub(super) names_shown: bool,
    /// The path and query that they asked for.
    pub(super) path: String,
    pub(super) cookie: String,
    csrf: String,
}

impl Visitor {
    /// Whether they hold one of these roles.
    pub(super) fn is(&self, roles: &[Role]) -> bool {
        self.person.roles.iter().any(|role| roles.contains(role))
    }

    /// Lets nobody through but those who hold one of these roles.
    pub(super) fn must_be(&self, roles: &[Role]) -> Result<(), Failure> {
        if self.is(roles) { Ok(()) } else { Err(Failure::NotOpen) }
    }

    /// Lets a form through that is of this session, by somebody who holds one of these roles.
    pub(super) fn may(&self, csrf: &str, roles: &[Role]) -> Result<(), Failure> {
        self.check(csrf)?;
        self.must_be(roles)
    }

    /// What a form must repeat.
    pub(super) fn csrf(&self) -> &str {
        &self.csrf
    }

    /// Checks a form's token.
    pub(super) fn check(&self, csrf: &str) -> Result<(), Failure> {
        if bool::from(csrf.as_bytes().ct_eq(self.csrf.as_bytes())) { Ok(()) } else { Err(Failure::StaleForm) }
    }
}

/// Reads the session of a request; `None` for whoever is not signed in.
pub(super) async fn find(console: &Console, parts: &Parts) -> Result<Option<Visitor>, Failure> {
    let Some(cookie) = cookie(&parts.headers, SESSION_COOKIE).map(str::to_owned) else { return Ok(None) };
    let lang = Lang::of(&parts.headers);
    let path = if parts.method == Method::GET {
        parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned()
    } else {
        "/".to_owned()
    };
    console
        .blocking(move |console| {
            let now = console.now();
            let Some((person, session, stale)) =
                console.storage.view(|tx| account::session(tx, &cookie, now))?
            else {
                return Ok(None);
            };
            if stale {
                console.storage.update(|tx| account::touch(tx, &cookie, now))?;
            }
            let names_shown = console.shown_names.holds(&cookie, now);
            Ok(Some(Visitor { person, lang, names_shown, path, cookie, csrf: session.csrf }))
        })
        .await
}

impl FromRequestParts<Console> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Failure> {
        find(console, parts).await?.ok_or(Failure::NotSignedIn)
    }
}

/// A visitor, or nobody.
pub(super) struct MaybeVisitor(pub(super) Option<Visitor>);

impl FromRequestParts<Console> for MaybeVisitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Failure> {
        find(console, parts).await.map(Self)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; gridwalk_session=x-y ;b=2"));
        headers.append(COOKIE, HeaderValue::from_static("c=3"));
        assert_eq!(cookie(&headers, SESSION_COOKIE), Some("x-y"));
        assert_eq!(cookie(&headers, "c"), Some("3"));
        assert_eq!(cookie(&headers, "gridwalk"), None);
    }
}
