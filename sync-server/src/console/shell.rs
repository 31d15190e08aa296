//! What all pages have in common.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use gridwalk_model::policy::Role;

use super::Console;
use super::assets::stylesheet_version;
use super::language::{Lang, local_path};
use super::visitor::Visitor;
use super::wording;

/// Roles that look after phones and refused changes.
pub(super) const WATCHERS: &[Role] =
    &[Role::Administrator, Role::Auditor, Role::Dispatcher, Role::GridLeader];
/// Roles that see alarms of the whole deployment.
pub(super) const KEEPERS: &[Role] = &[Role::Administrator, Role::Auditor];

/// The part of the console that a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Start,
    Events,
    Phones,
    People,
    Refused,
    Alarms,
}

/// A link of the navigation.
pub(super) struct Link {
    pub(super) href: &'static str,
    pub(super) label: &'static str,
    pub(super) here: bool,
}

/// The frame of a page.
pub(super) struct Shell {
    pub(super) l: Lang,
    pub(super) title: String,
    /// Where the language switch comes back to, as a query's value.
    pub(super) back: String,
    /// The same as it is.
    pub(super) path: String,
    pub(super) style: &'static str,
    /// Navigation; empty for whoever is not signed in.
    pub(super) links: Vec<Link>,
    /// The visitor's own name.
    pub(super) who: String,
    pub(super) csrf: String,
    pub(super) names_shown: bool,
    /// When the page was made.
    pub(super) made_at: String,
}

impl Shell {
    /// For whoever is not signed in.
    pub(super) fn signed_out(console: &Console, lang: Lang, back: &str, title: &str) -> Self {
        Self {
            l: lang,
            title: title.to_owned(),
            back: encoded(local_path(back).unwrap_or("/")),
            path: local_path(back).unwrap_or("/").to_owned(),
            style: stylesheet_version(),
            links: Vec::new(),
            who: String::new(),
            csrf: String::new(),
            names_shown: false,
            made_at: wording::time(lang, console.now(), console.now()),
        }
    }

    /// For a visitor.
    pub(super) fn new(console: &Console, visitor: &Visitor, section: Section, title: &str) -> Self {
        Self {
            links: links(visitor, section),
            who: visitor.person.name.clone(),
            csrf: visitor.csrf().to_owned(),
            names_shown: visitor.names_shown,
            ..Self::signed_out(console, visitor.lang, &visitor.path, title)
        }
    }
}

fn links(visitor: &Visitor, section: Section) -> Vec<Link> {
    let l = visitor.lang;
    let all: [(Section, &'static str, &'static str, &'static str, &[Role]); 6] = [
        (Section::Start, "/", "首页", "Start", &[]),
        (Section::Events, "/events", "事件", "Events", &[]),
        (Section::Phones, "/phones", "手机", "Phones", WATCHERS),
        (Section::People, "/people", "人员", "People", KEEPERS),
        (Section::Refused, "/refused", "被拒修改", "Refused", WATCHERS),
        (Section::Alarms, "/alarms", "警报", "Alarms", KEEPERS),
    ];
    let open = all.into_iter().filter(|(.., roles)| roles.is_empty() || visitor.is(roles));
    open.map(|(of, href, zh, en, _)| Link { href, label: l.t(zh, en), here: of == section }).collect()
}

/// A path, or a text, as the value of a query parameter.
pub(super) fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// A template as an answer.
pub(super) fn render(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(%error, "console: template");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
