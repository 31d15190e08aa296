//! The audit log: who did or looked at what, when, on which device, what for. The newest first.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use gridwalk_model::event::Action;
use gridwalk_model::{DeviceId, Kind, RecordId, Timestamp};
use serde::Deserialize;

use super::Console;
use super::audit_words::{self, Group};
use super::directory::Lookup;
use super::events;
use super::failure::Failure;
use super::language::Lang;
use super::people::role_name;
use super::reach::note_view;
use super::shell::{KEEPERS, Section, Shell, encoded, render};
use super::visitor::Visitor;
use super::wording;
use crate::storage::ReadTx;
use crate::storage::access::{DeviceRow, PersonRow, role_from_word};
use crate::storage::ledger::AuditRow;
use crate::sync::reads;

/// Rows on a page.
const PAGE: usize = 50;
/// Rows that are looked at for one page: a rare kind is found page by page rather than in one long search.
const LOOKED_AT: u64 = 20_000;
/// Rows that are read from the store at once.
const AT_ONCE: u32 = 1_000;

/// A name with the list of everything about it.
#[derive(Default)]
struct Named {
    name: String,
    /// Path of that list; empty for what has none.
    href: String,
}

struct Row {
    no: u64,
    what: String,
    alarm: bool,
    /// What it was done to.
    about: Named,
    /// What else is known: the purpose, the act, what was given.
    detail: String,
    who: Named,
    /// Where it was done.
    device: String,
    at: String,
}

struct Chip {
    href: String,
    label: &'static str,
    here: bool,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    shell: Shell,
    chips: Vec<Chip>,
    rows: Vec<Row>,
    /// The name that was searched for.
    wanted: String,
    kind: &'static str,
    /// What the list is about, if not about everything.
    only: Option<String>,
    next: Option<String>,
    first: bool,
}

/// Which rows, and from where on.
#[derive(Deserialize)]
pub(super) struct Ask {
    #[serde(default)]
    kind: String,
    /// A person or a record: what they did, and what was done to them.
    #[serde(default)]
    of: String,
    /// Part of a person's name.
    #[serde(default)]
    name: String,
    before: Option<u64>,
}

/// The audit log.
pub(super) async fn show(
    State(console): State<Console>,
    visitor: Visitor,
    Query(ask): Query<Ask>,
) -> Result<Response, Failure> {
    visitor.must_be(KEEPERS)?;
    console.blocking(move |console| page(console, &visitor, &ask)).await
}

fn page(console: &Console, visitor: &Visitor, ask: &Ask) -> Result<Response, Failure> {
    let group = Group::from_word(&ask.kind);
    let of = ask.of.parse::<RecordId>().ok();
    let name = ask.name.trim();
    let target = of.map_or_else(|| "audit".to_owned(), |of| of.to_string());
    note_view(console, visitor, "audit.listed", &target)?;
    let (l, now) = (visitor.lang, console.now());
    console.storage.view(|tx| {
        let lookup = console.directory.on(tx, visitor);
        let devices = tx.devices()?;
        let wanted = wanted(tx, &devices, of, name)?;
        let holds = |row: &AuditRow| {
            group.holds(&row.action) && wanted.as_ref().is_none_or(|wanted| concerns(row, wanted))
        };
        let (found, next) = walk(tx, ask.before, holds)?;
        let scribe = Scribe { tx, lookup, devices: &devices, l, now };
        let rows: Result<Vec<Row>, Failure> = found.iter().map(|row| scribe.row(row)).collect();
        let of_word = of.map(|of| of.to_string()).unwrap_or_default();
        let href = |group: Group| format!("/audit?kind={}&of={of_word}&name={}", group.word(), encoded(name));
        Ok(render(&AuditPage {
            shell: Shell::new(console, visitor, Section::Alarms, l.t("操作记录", "Log")),
            chips: Group::ALL
                .into_iter()
                .map(|one| Chip { href: href(one), label: one.name(l), here: one == group })
                .collect(),
            rows: rows?,
            wanted: name.to_owned(),
            kind: group.word(),
            only: of.map(|of| scribe.named(of)).transpose()?.map(|named| named.name),
            next: next.map(|next| format!("{}&before={next}", href(group))),
            first: ask.before.is_none(),
        }))
    })
}

/// Walks the log backwards from before a number. Returns a page of what was found and where to go on.
fn walk(
    tx: &dyn ReadTx,
    before: Option<u64>,
    holds: impl Fn(&AuditRow) -> bool,
) -> Result<(Vec<AuditRow>, Option<u64>), Failure> {
    let end = tx.last_audit()?.map_or(1, |last| last.no.saturating_add(1));
    let mut before = before.map_or(end, |before| before.clamp(1, end));
    let floor = before.saturating_sub(LOOKED_AT);
    let mut found = Vec::new();
    // Numbers have no gaps unless somebody tampered with the file, so a stretch is named by where it begins.
    while before > 1 && before > floor {
        let after = before.saturating_sub(1).saturating_sub(u64::from(AT_ONCE));
        let mut rows = tx.audit(after, AT_ONCE)?;
        rows.retain(|row| row.no < before);
        for row in rows.into_iter().rev() {
            before = row.no;
            if holds(&row) {
                found.push(row);
            }
            if found.len() == PAGE {
                return Ok((found, Some(before).filter(|before| *before > 1)));
            }
        }
        before = after.saturating_add(1);
    }
    Ok((found, Some(before).filter(|before| *before > 1)))
}

/// The words under which what is searched for stands in the log; `None`: everything is wanted.
fn wanted(
    tx: &dyn ReadTx,
    devices: &[DeviceRow],
    of: Option<RecordId>,
    name: &str,
) -> Result<Option<BTreeSet<String>>, Failure> {
    let mut people: Vec<PersonRow> = Vec::new();
    let mut words = BTreeSet::new();
    match of {
        Some(of) => {
            words.insert(of.to_string());
            people.extend(tx.person(of)?);
        }
        None if name.is_empty() => return Ok(None),
        None => {
            people = tx.people()?;
            people.retain(|person| person.name.contains(name));
        }
    }
    words.extend(people.iter().map(|person| person.id.to_string()));
    let own = devices.iter().filter(|device| people.iter().any(|person| person.no == device.person));
    words.extend(own.map(|device| device.id.to_string()));
    Ok(Some(words))
}

/// Whether a row was written by one of these, or tells of one of them or of a part of it.
fn concerns(row: &AuditRow, wanted: &BTreeSet<String>) -> bool {
    let whole = row.target.split('/').next().unwrap_or_default();
    wanted.contains(&row.actor) || wanted.contains(whole)
}

/// Puts rows into words.
struct Scribe<'t> {
    tx: &'t dyn ReadTx,
    lookup: Lookup<'t>,
    devices: &'t [DeviceRow],
    l: Lang,
    now: Timestamp,
}

impl Scribe<'_> {
    fn row(&self, row: &AuditRow) -> Result<Row, Failure> {
        let l = self.l;
        let read = reads::made(&row.detail).filter(|_| row.action == reads::ACTION);
        let (who, device) = match (row.actor.parse::<RecordId>(), row.actor.parse::<DeviceId>(), read) {
            (Ok(person), _, Some((_, device))) => (self.named(person)?, self.label(device)),
            (Ok(person), ..) => (self.named(person)?, l.t("管理台", "Console").to_owned()),
            (_, Ok(device), _) => (self.owner(device)?, self.label(device)),
            // Whoever is not let in has no name yet.
            _ if row.actor == "unknown" => {
                (self.house(&row.actor), l.t("没有登记的手机", "A phone that is not ours").to_owned())
            }
            _ => (self.house(&row.actor), l.t("服务器", "Server").to_owned()),
        };
        Ok(Row {
            no: row.no,
            what: audit_words::name(&row.action, l),
            alarm: row.alarm,
            about: self.about(row)?,
            detail: self.detail(row)?,
            who,
            device,
            at: wording::time(l, read.map_or(row.at, |(at, _)| at), self.now),
        })
    }

    /// Whoever is neither a person nor a device.
    fn house(&self, actor: &str) -> Named {
        let l = self.l;
        let name = match actor {
            "operator" => l.t("运维人员", "Operator"),
            "server" => l.t("系统自动", "By itself"),
            "unknown" => l.t("不知道是谁", "Not known"),
            other => other,
        };
        Named { name: name.to_owned(), href: String::new() }
    }

    fn label(&self, id: DeviceId) -> String {
        let found = self.devices.iter().find(|device| device.id == id);
        found.map_or_else(|| self.l.t("手机", "Phone").to_owned(), |device| device.label.clone())
    }

    fn owner(&self, id: DeviceId) -> Result<Named, Failure> {
        let device = self.devices.iter().find(|device| device.id == id);
        let owner = device.map(|device| self.tx.person_by_no(device.person)).transpose()?.flatten();
        owner.map_or_else(|| Ok(Named::default()), |person| self.named(person.id))
    }

    /// A person, or a record.
    fn named(&self, id: RecordId) -> Result<Named, Failure> {
        let name = match (self.tx.person(id)?, self.lookup.record(id)?) {
            (Some(person), _) => self.lookup.shown(&person),
            (None, Some((Kind::Area | Kind::Unit, name))) => name,
            (None, Some((kind, name))) => {
                let kind = self.l.t(kind.schema().zh, kind.schema().en);
                if name.is_empty() { kind.to_owned() } else { format!("{kind} · {name}") }
            }
            (None, None) => self.l.t("不再存在", "No longer there").to_owned(),
        };
        Ok(Named { name, href: format!("/audit?of={id}") })
    }

    /// What an act was done to.
    fn about(&self, row: &AuditRow) -> Result<Named, Failure> {
        let l = self.l;
        let plain = |name: String| Named { name, href: String::new() };
        let whole = row.target.split(['/', '?']).next().unwrap_or_default();
        if let Ok(id) = whole.parse::<RecordId>() {
            return if row.target == row.actor { Ok(Named::default()) } else { self.named(id) };
        }
        if let Ok(id) = whole.parse::<DeviceId>() {
            let owner = self.owner(id)?;
            return Ok(Named { name: format!("{} · {}", owner.name, self.label(id)), href: owner.href });
        }
        Ok(match (row.action.as_str(), row.target.as_str()) {
            ("names.shown", path) => plain(page_name(path, l).to_owned()),
            ("events.listed", group) => plain(events::group_name(group, l).to_owned()),
            ("alarm.acknowledged", no) => plain(match l {
                Lang::Zh => format!("记录号 {no}"),
                Lang::En => format!("Log no. {no}"),
            }),
            (_, package) if package.starts_with("package ") => {
                let no = whole.trim_start_matches("package ");
                plain(format!("{}{no}", l.t("第 ", "No. ")) + l.t(" 份", ""))
            }
            _ => Named::default(),
        })
    }

    /// What else a row says. Rows of the server itself are in English, for its operator; of those a count is kept.
    fn detail(&self, row: &AuditRow) -> Result<String, Failure> {
        let (l, detail) = (self.l, row.detail.as_str());
        Ok(match row.action.as_str() {
            "names.shown" => {
                format!("{}{}", l.t("用途：", "For: "), wording::without_numbers(detail))
            }
            "event.act" => {
                let act = Action::from_word(detail);
                l.t(act.zh(), act.en()).to_owned()
            }
            "person.added" | "person.roles" => {
                let roles = detail.split(' ').filter_map(role_from_word).map(|role| role_name(role, l));
                roles.collect::<Vec<_>>().join(l.t("、", ", "))
            }
            "grant.given" | "grant.revoked" => self.granted(detail)?,
            "sync.refused" | "recovery.refused" => {
                let count = detail.split(' ').next().unwrap_or_default();
                match l {
                    Lang::Zh => format!("{count} 项"),
                    Lang::En => format!("{count} in all"),
                }
            }
            _ if detail == "names shown" => l.t("正在显示完整姓名", "with full names").to_owned(),
            _ => String::new(),
        })
    }

    /// What was given or taken away, as [`crate::access::staff`] describes a stream.
    fn granted(&self, detail: &str) -> Result<String, Failure> {
        let l = self.l;
        let (stream, sensitive) = match detail.split_once(',') {
            Some((stream, _)) => (stream, true),
            None => (detail, false),
        };
        let name = match stream.split_once(' ') {
            Some(("user", _)) => l.t("个人内容", "Their own content").to_owned(),
            Some((_, id)) => match id.parse::<RecordId>() {
                Ok(id) => self.named(id)?.name,
                Err(_) => String::new(),
            },
            None => l.t("公用内容", "Common content").to_owned(),
        };
        Ok(if sensitive { format!("{name}{}", l.t("（敏感信息）", " (sensitive)")) } else { name })
    }
}

/// The page of the console that a path leads to.
fn page_name(path: &str, l: Lang) -> &'static str {
    match path.split(['/', '?']).nth(1).unwrap_or_default() {
        "" => l.t("首页", "Start"),
        "events" => l.t("事件", "Events"),
        "phones" | "sealed" => l.t("手机", "Phones"),
        "people" => l.t("人员", "People"),
        "refused" => l.t("被拒修改", "Refused"),
        "alarms" => l.t("警报", "Alarms"),
        "audit" => l.t("操作记录", "Log"),
        _ => "",
    }
}
