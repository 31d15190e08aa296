//! The start page: the few numbers that matter, each a link to what it counts.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::Console;
use super::devices;
use super::events::Group;
use super::failure::Failure;
use super::language::Lang;
use super::reach::Reach;
use super::shell::{KEEPERS, Section, Shell, WATCHERS, render};
use super::sign_in;
use super::visitor::{MaybeVisitor, Visitor};

/// How many of the latest events are counted.
const COUNTED: usize = 5_000;

/// A number with the list behind it.
struct Tile {
    href: String,
    label: &'static str,
    count: usize,
    /// A word that says how urgent it is; empty where nothing is.
    tone: &'static str,
    hint: &'static str,
}

#[derive(Template)]
#[template(path = "start.html")]
struct StartPage {
    shell: Shell,
    events: Vec<Tile>,
    health: Vec<Tile>,
    /// Whether there are events beyond those counted.
    more: bool,
    counted: usize,
    /// Whether there is anything at all.
    nothing: bool,
}

/// The start page; the sign-in for whoever is not signed in.
pub(super) async fn show(
    State(console): State<Console>,
    lang: Lang,
    MaybeVisitor(visitor): MaybeVisitor,
) -> Result<Response, Failure> {
    let Some(visitor) = visitor else { return Ok(sign_in::page(&console, lang, "", None)) };
    console.blocking(move |console| page(console, &visitor)).await
}

fn page(console: &Console, visitor: &Visitor) -> Result<Response, Failure> {
    let now = console.now();
    let l = visitor.lang;
    console.storage.view(|tx| {
        let reach = Reach::of(tx, visitor)?;
        let scope = (&reach, console.rules.as_ref());
        let part = console.summaries.walk(tx, scope, None, (usize::MAX, COUNTED), |_| true)?;
        let events = Group::ON_START
            .iter()
            .map(|group| {
                let count = part.found.iter().filter(|event| group.holds(event, now)).count();
                let (zh, en) = group.hint();
                Tile {
                    href: format!("/events?state={}", group.word()),
                    label: l.t(group.zh(), group.en()),
                    count,
                    tone: if count == 0 { "" } else { group.tone() },
                    hint: l.t(zh, en),
                }
            })
            .collect();
        let mut health = Vec::new();
        if visitor.is(WATCHERS) {
            let phones = reach.devices(tx, visitor)?;
            let silent = phones.iter().filter(|phone| devices::is_silent(phone, now)).count();
            let refused = super::quarantine::open_within(tx, &phones, &reach)?;
            health.push(Tile {
                href: "/phones".to_owned(),
                label: l.t("失联手机", "Silent phones"),
                count: silent,
                tone: if silent == 0 { "" } else { "warn" },
                hint: l.t("超过一天没有联系", "Not heard from for over a day"),
            });
            health.push(Tile {
                href: "/refused".to_owned(),
                label: l.t("被拒修改", "Refused changes"),
                count: refused,
                tone: if refused == 0 { "" } else { "warn" },
                hint: l.t("等待查看原因", "Waiting for somebody to look"),
            });
        }
        if visitor.is(KEEPERS) {
            let alarms = usize::try_from(tx.alarms_open()?).unwrap_or(usize::MAX);
            health.push(Tile {
                href: "/alarms".to_owned(),
                label: l.t("警报", "Alarms"),
                count: alarms,
                tone: if alarms == 0 { "" } else { "bad" },
                hint: l.t("等待管理员查看", "Waiting for an administrator to look"),
            });
        }
        Ok(render(&StartPage {
            shell: Shell::new(console, visitor, Section::Start, l.t("首页", "Start")),
            nothing: part.found.is_empty(),
            events,
            health,
            more: part.next.is_some(),
            counted: COUNTED,
        }))
    })
}
