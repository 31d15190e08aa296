//! One event: what it is, its photos, what may be done next, and its story.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use gridwalk_model::event::{EventRules, Folded, LogEntry, fold, read_log, with_evidence_of_now};
use gridwalk_model::records::event::EventSource;
use gridwalk_model::{Fields, Kind, RecordId, Timestamp};
use serde::Deserialize;

use super::Console;
use super::acts::{self, Offer};
use super::directory::Lookup;
use super::events::{Due, category_name, state_tone};
use super::failure::Failure;
use super::language::Lang;
use super::photos::{self, Group};
use super::reach::{Reach, note_view};
use super::shell::{Section, Shell, render};
use super::story::{self, Line};
use super::summaries::Summary;
use super::visitor::Visitor;
use super::voices::{self, Voice};
use super::wording;
use crate::edit;
use crate::storage::ReadTx;
use crate::storage::records::RecordHead;

/// An event as it stands.
pub(super) struct Case {
    pub(super) head: RecordHead,
    pub(super) fields: Fields,
    pub(super) entries: Vec<LogEntry>,
    pub(super) unreadable: usize,
    pub(super) folded: Folded,
}

impl Case {
    /// Reads an event within the visitor's reach.
    pub(super) fn read(
        tx: &dyn ReadTx,
        visitor: &Visitor,
        id: &str,
        rules: &EventRules,
    ) -> Result<Self, Failure> {
        let id: RecordId = id.parse().map_err(|_| Failure::NotFound)?;
        let (head, document) = edit::read(tx, id)?.ok_or(Failure::NotFound)?;
        if head.kind != Kind::Event.tag() || !Reach::of(tx, visitor)?.holds(tx, head.no)? {
            return Err(Failure::NotFound);
        }
        let fields = document.fields();
        let (entries, unreadable) = read_log(&fields);
        let folded = fold(&entries, rules);
        Ok(Self { head, fields, entries, unreadable: unreadable.len(), folded })
    }

    /// The last entry in the log: what somebody who looks at it now has seen.
    pub(super) fn last(&self) -> Option<RecordId> {
        self.folded.entries.last().map(|judged| judged.id)
    }
}

/// What the visitor's last act came to.
pub(super) struct Notice {
    pub(super) good: bool,
    pub(super) title: String,
    pub(super) text: String,
}

#[derive(Template)]
#[template(path = "event.html")]
struct EventPage {
    shell: Shell,
    id: String,
    category: String,
    number: String,
    state: &'static str,
    tone: &'static str,
    due: Option<Due>,
    supervision: Option<&'static str>,
    description: String,
    facts: Vec<(&'static str, String)>,
    photos: Vec<Group>,
    voices: Vec<Voice>,
    offers: Vec<Offer>,
    units: Vec<(String, String)>,
    today: String,
    /// The last entry that the visitor sees.
    seen: String,
    no_unit: bool,
    story: Vec<Line>,
    superseded: usize,
    unreadable: usize,
    notice: Option<Notice>,
}

/// What to say on top.
#[derive(Deserialize)]
pub(super) struct Ask {
    done: Option<String>,
}

/// One event.
pub(super) async fn show(
    State(console): State<Console>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(ask): Query<Ask>,
) -> Result<Response, Failure> {
    console
        .blocking(move |console| {
            let mut visitor = visitor;
            visitor.path = format!("/events/{id}");
            page(console, &visitor, &id, ask.done.as_deref(), None)
        })
        .await
}

/// The page of an event, with a notice on top or the confirmation of the entry `done`.
pub(super) fn page(
    console: &Console,
    visitor: &Visitor,
    id: &str,
    done: Option<&str>,
    notice: Option<Notice>,
) -> Result<Response, Failure> {
    let (l, now) = (visitor.lang, console.now());
    let rules = console.rules.as_ref();
    // First whether it may be seen at all; then written down; then read and shown.
    console.storage.view(|tx| Case::read(tx, visitor, id, rules).map(drop))?;
    note_view(console, visitor, "event.viewed", id)?;
    console.storage.view(|tx| {
        let case = Case::read(tx, visitor, id, rules)?;
        let lookup = console.directory.on(tx, visitor);
        let summary = Summary::of(case.head.id, &case.fields, case.head.created_at, rules);
        let category = category_name(l, rules, summary.category.as_deref());
        let photos = photos::list(tx, case.head.id, &case.fields, &case.entries, (l, now))?;
        let voices = voices::list(tx, case.head.id, &case.fields, (l, now))?;
        let judged = with_evidence_of_now(&case.fields, &case.entries, &case.folded);
        let story = story::tell(&case.entries, &judged, lookup, (l, now, rules))?;
        let confirmed = done.and_then(|done| confirm(&case, visitor, done, l, now));
        let units = lookup.units()?.into_iter().map(|(id, name)| (id.to_string(), name)).collect();
        let supervision = &case.folded.supervision;
        let watched = !matches!(supervision, gridwalk_model::event::Supervision::None);
        Ok(render(&EventPage {
            shell: Shell::new(console, visitor, Section::Events, &category),
            id: case.head.id.to_string(),
            number: summary.number.clone().unwrap_or_default(),
            state: l.t(case.folded.state.zh(), case.folded.state.en()),
            tone: state_tone(case.folded.state),
            due: Due::of(l, &summary, now),
            supervision: watched.then(|| match supervision {
                gridwalk_model::event::Supervision::Red => l.t("红牌督办", "Red supervision"),
                _ => l.t("黄牌督办", "Yellow supervision"),
            }),
            description: text(&case.fields, "description"),
            facts: facts(&case, &summary, lookup, l, now)?,
            photos,
            voices,
            offers: acts::offers(&case, visitor, rules, now),
            units,
            today: wording::today(now),
            seen: case.last().map(|last| last.to_string()).unwrap_or_default(),
            no_unit: visitor.person.unit.is_none() && acts::acts_for_a_unit(visitor),
            superseded: story.iter().filter(|line| !line.superseded.is_empty()).count(),
            story,
            unreadable: case.unreadable,
            notice: notice.or(confirmed),
            category,
        }))
    })
}

/// The visitor's own entry, confirmed by what the log makes of it.
fn confirm(case: &Case, visitor: &Visitor, done: &str, l: Lang, now: Timestamp) -> Option<Notice> {
    let id: RecordId = done.parse().ok()?;
    let entry = case.entries.iter().find(|entry| entry.id == id && entry.by == Some(visitor.person.id))?;
    let action = l.t(entry.action.zh(), entry.action.en());
    let state = l.t(case.folded.state.zh(), case.folded.state.en());
    let due = case.folded.sla.as_ref().and_then(|sla| sla.next_due()).filter(|_| !case.folded.is_over());
    let due = due.map(|due| wording::time(l, due, now));
    let text = match (l, due) {
        (Lang::Zh, Some(due)) => format!("事件现在是“{state}”，办理期限 {due}。"),
        (Lang::Zh, None) => format!("事件现在是“{state}”。"),
        (Lang::En, Some(due)) => format!("The event is now “{state}”; it is due {due}."),
        (Lang::En, None) => format!("The event is now “{state}”."),
    };
    let title = match l {
        Lang::Zh => format!("已保存：{action}"),
        Lang::En => format!("Saved: {action}"),
    };
    Some(Notice { good: true, title, text })
}

fn text(fields: &Fields, name: &str) -> String {
    fields.get(name).and_then(|value| value.as_text()).map(wording::without_numbers).unwrap_or_default()
}

fn facts(
    case: &Case,
    summary: &Summary,
    lookup: Lookup<'_>,
    l: Lang,
    now: Timestamp,
) -> Result<Vec<(&'static str, String)>, Failure> {
    let mut out: Vec<(&'static str, String)> = Vec::new();
    let mut say = |zh: &'static str, en: &'static str, text: Option<String>| {
        out.extend(text.filter(|text| !text.is_empty()).map(|text| (l.t(zh, en), text)));
    };
    let folded = &case.folded;
    say("所属网格", "Grid", summary.area.map(|area| lookup.area(area)).transpose()?);
    say("地址", "Address", Some(text(&case.fields, "address")));
    say("首接单位", "Lead unit", folded.lead_unit.map(|unit| lookup.unit(unit)).transpose()?);
    say("处置单位", "Handled by", folded.handler.map(|unit| lookup.unit(unit)).transpose()?);
    say("上报人", "Reported by", folded.reporter.map(|person| lookup.person(person)).transpose()?);
    let source = case.fields.get("source").and_then(|value| value.as_text()).map(EventSource::from_word);
    say("来源", "Source", source.map(|source| l.t(source.zh(), source.en()).to_owned()));
    let both = |at: Timestamp| {
        let (time, ago) = (wording::time(l, at, now), wording::ago(l, at, now));
        match l {
            Lang::Zh => format!("{time}（{ago}）"),
            Lang::En => format!("{time} ({ago})"),
        }
    };
    say("上报时间", "Reported", folded.reported_at.map(both));
    say("服务器收到", "Received", folded.received_at.filter(|at| Some(*at) != folded.reported_at).map(both));
    let due = summary.due().map(|due| wording::time(l, due, now));
    say("办理期限", "Due", due);
    say("结案时间", "Closed", folded.closed_at.map(both));
    let round = (folded.round > 1).then(|| folded.round.to_string());
    say("办理轮次", "Round", round);
    Ok(out)
}
