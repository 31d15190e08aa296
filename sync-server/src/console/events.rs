//! The list of events.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use gridwalk_model::Timestamp;
use gridwalk_model::event::{EventRules, State as EventState, Supervision};
use serde::Deserialize;

use super::Console;
use super::directory::Lookup;
use super::failure::Failure;
use super::language::Lang;
use super::reach::{Reach, note_view};
use super::shell::{Section, Shell, render};
use super::summaries::Summary;
use super::visitor::Visitor;
use super::wording;
use crate::storage::records::RecordNo;

/// Events on a page.
const PAGE: usize = 50;
/// Events that are looked at for one page.
const LOOKED_AT: usize = 2_000;

/// Events that wait for the same kind of attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    All,
    New,
    Late,
    Work,
    Check,
    Rating,
    Suspended,
    Over,
}

impl Group {
    const ALL: [Self; 8] = [
        Self::All,
        Self::New,
        Self::Late,
        Self::Work,
        Self::Check,
        Self::Rating,
        Self::Suspended,
        Self::Over,
    ];
    /// Those that the start page counts.
    pub(super) const ON_START: [Self; 4] = [Self::New, Self::Late, Self::Work, Self::Check];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::New => "new",
            Self::Late => "late",
            Self::Work => "work",
            Self::Check => "check",
            Self::Rating => "rating",
            Self::Suspended => "suspended",
            Self::Over => "over",
        }
    }

    pub(super) const fn zh(self) -> &'static str {
        match self {
            Self::All => "全部",
            Self::New => "待受理",
            Self::Late => "已超期",
            Self::Work => "办理中",
            Self::Check => "待核查",
            Self::Rating => "待评价结案",
            Self::Suspended => "已挂账",
            Self::Over => "已办结",
        }
    }

    pub(super) const fn en(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::New => "New",
            Self::Late => "Overdue",
            Self::Work => "In hand",
            Self::Check => "To verify",
            Self::Rating => "To rate or close",
            Self::Suspended => "Suspended",
            Self::Over => "Finished",
        }
    }

    /// What is to be done about it.
    pub(super) const fn hint(self) -> (&'static str, &'static str) {
        match self {
            Self::New => ("等待首接单位受理", "Waiting for a unit to accept"),
            Self::Late => ("超过办理期限", "Past their deadline"),
            Self::Work => ("已派遣或正在处置", "Dispatched or being handled"),
            Self::Check => ("处置完成，等待现场核查", "Done, to be checked on site"),
            _ => ("", ""),
        }
    }

    /// How urgent it is.
    pub(super) const fn tone(self) -> &'static str {
        match self {
            Self::Late => "bad",
            Self::New => "warn",
            _ => "plain",
        }
    }

    fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|group| group.word() == word).unwrap_or(Self::All)
    }

    /// Whether an event belongs to it.
    pub(super) fn holds(self, event: &Summary, now: Timestamp) -> bool {
        use EventState as S;
        match self {
            Self::All => true,
            Self::New => matches!(event.state, S::Draft | S::Reported | S::Checking | S::ResolvedOnSpot),
            Self::Late => event.light(now) != Supervision::None,
            Self::Work => {
                matches!(event.state, S::Accepted | S::Forwarded | S::Dispatched | S::Handling | S::Reopened)
            }
            Self::Check => event.state == S::Rectified,
            Self::Rating => matches!(event.state, S::Verified | S::AwaitingRating),
            Self::Suspended => event.state == S::Suspended,
            Self::Over => event.over,
        }
    }
}

/// The name of the group that a query or the audit log calls by its word.
pub(super) fn group_name(word: &str, l: Lang) -> &'static str {
    let group = Group::from_word(word);
    l.t(group.zh(), group.en())
}

/// The colour of a state.
pub(super) const fn state_tone(state: EventState) -> &'static str {
    use EventState as S;
    match state {
        S::Draft | S::Reported | S::Checking | S::Reopened => "warn",
        S::Accepted | S::Forwarded | S::Dispatched | S::Handling => "work",
        S::ResolvedOnSpot | S::Rectified | S::Verified | S::AwaitingRating => "check",
        S::Suspended | S::Withdrawn | S::Rejected | S::Merged | S::Closed => "quiet",
    }
}

/// The name of a category; a code that the deployment's rules do not list is shown as it is.
pub(super) fn category_name(lang: Lang, rules: &EventRules, code: Option<&str>) -> String {
    let Some(code) = code else { return lang.t("未分类", "No category").to_owned() };
    let (zh, en) = rules.label(code);
    lang.t(zh, en).to_owned()
}

/// A deadline in words.
pub(super) struct Due {
    pub(super) text: String,
    pub(super) at: String,
    pub(super) tone: &'static str,
}

impl Due {
    /// The deadline of an event; `None` where none runs.
    pub(super) fn of(lang: Lang, event: &Summary, now: Timestamp) -> Option<Self> {
        let due = event.due()?;
        let tone = match event.light(now) {
            Supervision::Red => "bad",
            Supervision::Yellow => "warn",
            _ => "plain",
        };
        Some(Self { text: wording::due(lang, due, now), at: wording::time(lang, due, now), tone })
    }
}

struct Row {
    href: String,
    category: String,
    state: &'static str,
    state_tone: &'static str,
    place: String,
    address: String,
    number: String,
    age: String,
    due: Option<Due>,
}

impl Row {
    fn of(
        event: &Summary,
        lookup: Lookup<'_>,
        rules: &EventRules,
        (lang, now): (Lang, Timestamp),
    ) -> Result<Self, Failure> {
        Ok(Self {
            href: format!("/events/{}", event.id),
            category: category_name(lang, rules, event.category.as_deref()),
            state: lang.t(event.state.zh(), event.state.en()),
            state_tone: state_tone(event.state),
            place: event.area.map(|area| lookup.area(area)).transpose()?.unwrap_or_default(),
            address: event.address.as_deref().map(wording::without_numbers).unwrap_or_default(),
            number: event.number.clone().unwrap_or_default(),
            age: wording::ago(lang, event.began_at, now),
            due: Due::of(lang, event, now),
        })
    }
}

struct Chip {
    href: String,
    label: &'static str,
    here: bool,
}

#[derive(Template)]
#[template(path = "events.html")]
struct EventsPage {
    shell: Shell,
    chips: Vec<Chip>,
    rows: Vec<Row>,
    next: Option<String>,
    /// Whether this is the first page.
    first: bool,
    group: &'static str,
    all: bool,
}

/// Which events, and from where on.
#[derive(Deserialize)]
pub(super) struct Ask {
    #[serde(default)]
    state: String,
    before: Option<i64>,
}

/// The list of events.
pub(super) async fn show(
    State(console): State<Console>,
    visitor: Visitor,
    Query(ask): Query<Ask>,
) -> Result<Response, Failure> {
    console.blocking(move |console| page(console, &visitor, &ask)).await
}

fn page(console: &Console, visitor: &Visitor, ask: &Ask) -> Result<Response, Failure> {
    let (l, now) = (visitor.lang, console.now());
    let group = Group::from_word(&ask.state);
    note_view(console, visitor, "events.listed", group.word())?;
    let before = ask.before.map(RecordNo);
    console.storage.view(|tx| {
        let reach = Reach::of(tx, visitor)?;
        let scope = (&reach, console.rules.as_ref());
        let part =
            console.summaries.walk(tx, scope, before, (PAGE, LOOKED_AT), |event| group.holds(event, now))?;
        let lookup = console.directory.on(tx, visitor);
        let rows: Result<Vec<Row>, Failure> =
            part.found.iter().map(|event| Row::of(event, lookup, &console.rules, (l, now))).collect();
        let href = |group: Group| format!("/events?state={}", group.word());
        Ok(render(&EventsPage {
            shell: Shell::new(console, visitor, Section::Events, l.t("事件", "Events")),
            chips: Group::ALL
                .into_iter()
                .map(|one| Chip { href: href(one), label: l.t(one.zh(), one.en()), here: one == group })
                .collect(),
            rows: rows?,
            next: part.next.map(|next| format!("{}&before={}", href(group), next.0)),
            first: before.is_none(),
            group: l.t(group.zh(), group.en()),
            all: group == Group::All,
        }))
    })
}
