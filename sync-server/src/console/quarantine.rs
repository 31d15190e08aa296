//! Changes that were not accepted, with the reason in words. Nothing of them is thrown away.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use gridwalk_model::policy::Role;
use gridwalk_model::{Kind, Timestamp};
use gridwalk_replica::FlatChange;
use gridwalk_replica::admission::Verdict;
use serde::Deserialize;

use super::Console;
use super::failure::Failure;
use super::language::Lang;
use super::reach::{Reach, note_view};
use super::shell::{Section, Shell, WATCHERS, render};
use super::ticking::{Button, Ticked, tick_off};
use super::visitor::Visitor;
use super::wording;
use crate::storage::ReadTx;
use crate::storage::access::{DeviceNo, DeviceRow};
use crate::storage::ledger::QuarantineRow;

/// Rows on a page.
const PAGE: usize = 50;
/// Rows that are looked at for one page.
const LOOKED_AT: u32 = 1_000;
/// Fields that are named of one change.
const FIELDS_NAMED: usize = 8;

struct Row {
    no: i64,
    kind: &'static str,
    owner: String,
    label: String,
    reason: &'static str,
    advice: &'static str,
    fields: String,
    at: String,
    ago: String,
    /// Path of the event, if the visitor may see it.
    event: Option<String>,
    /// Who looked at it and when.
    settled: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "refused.html")]
struct RefusedPage {
    shell: Shell,
    rows: Vec<Row>,
    may_settle: bool,
    next: Option<i64>,
    first: bool,
}

/// From where on.
#[derive(Deserialize)]
pub(super) struct Ask {
    before: Option<i64>,
}

/// How a refused change is ticked off.
static TICKED: Ticked = Ticked {
    list: "/refused",
    by: &[Role::Administrator, Role::Dispatcher, Role::GridLeader],
    action: "refused.settled",
};

/// How many refused changes of these phones nobody has looked at.
pub(super) fn open_within(tx: &dyn ReadTx, devices: &[DeviceRow], reach: &Reach) -> Result<usize, Failure> {
    if matches!(reach, Reach::Everything) {
        return Ok(usize::try_from(tx.quarantine_open()?).unwrap_or(usize::MAX));
    }
    let own: BTreeSet<DeviceNo> = devices.iter().map(|device| device.no).collect();
    let rows = tx.quarantine(None, LOOKED_AT)?;
    Ok(rows.iter().filter(|row| row.settled.is_none() && own.contains(&row.device)).count())
}

/// The list of refused changes.
pub(super) async fn show(
    State(console): State<Console>,
    visitor: Visitor,
    Query(ask): Query<Ask>,
) -> Result<Response, Failure> {
    visitor.must_be(WATCHERS)?;
    console.blocking(move |console| page(console, &visitor, ask.before)).await
}

fn page(console: &Console, visitor: &Visitor, before: Option<i64>) -> Result<Response, Failure> {
    note_view(console, visitor, "refused.listed", "quarantine")?;
    let now = console.now();
    console.storage.view(|tx| {
        let reach = Reach::of(tx, visitor)?;
        let devices: BTreeMap<DeviceNo, DeviceRow> =
            reach.devices(tx, visitor)?.into_iter().map(|device| (device.no, device)).collect();
        let looked_at = tx.quarantine(before, LOOKED_AT)?;
        let exhausted = looked_at.len() < LOOKED_AT as usize;
        let mut last = None;
        let mut rows = Vec::new();
        let mut left = looked_at.iter();
        for kept in left.by_ref() {
            last = Some(kept.no);
            if let Some(device) = devices.get(&kept.device) {
                rows.push(row(console, tx, (visitor, &reach), kept, device, now)?);
            }
            if rows.len() >= PAGE {
                break;
            }
        }
        let more = left.next().is_some() || !exhausted;
        let l = visitor.lang;
        Ok(render(&RefusedPage {
            shell: Shell::new(console, visitor, Section::Refused, l.t("被拒修改", "Refused changes")),
            rows,
            may_settle: visitor.is(TICKED.by),
            next: last.filter(|_| more),
            first: before.is_none(),
        }))
    })
}

fn row(
    console: &Console,
    tx: &dyn ReadTx,
    (visitor, reach): (&Visitor, &Reach),
    kept: &QuarantineRow,
    device: &DeviceRow,
    now: Timestamp,
) -> Result<Row, Failure> {
    let l = visitor.lang;
    let lookup = console.directory.on(tx, visitor);
    let kind = Kind::parse(&kept.kind);
    let verdict = minicbor::decode::<Verdict>(&kept.verdict).ok();
    let (reason, advice) = words(verdict, l);
    let event = match tx.record(kept.record)? {
        Some(head) if kind == Some(Kind::Event) && reach.holds(tx, head.no)? => {
            Some(format!("/events/{}", head.id))
        }
        _ => None,
    };
    let settled = match kept.settled {
        Some((at, by)) => Some((lookup.person(by)?, wording::time(l, at, now))),
        None => None,
    };
    let owner = tx.person_by_no(device.person)?;
    Ok(Row {
        no: kept.no,
        kind: kind
            .map_or(l.t("未知内容", "Unknown content"), |kind| l.t(kind.schema().zh, kind.schema().en)),
        owner: owner.map(|person| lookup.shown(&person)).unwrap_or_default(),
        label: device.label.clone(),
        reason,
        advice,
        fields: fields(kept, kind, l),
        at: wording::time(l, kept.received_at, now),
        ago: wording::ago(l, kept.received_at, now),
        event,
        settled,
    })
}

/// Why a change was refused, and what that means for whoever made it.
fn words(verdict: Option<Verdict>, l: Lang) -> (&'static str, &'static str) {
    let again = l.t(
        "手机会自动重新提交仍然有效的内容，其余的会列给本人看。",
        "The phone submits again what is still valid and lists the rest to its user.",
    );
    match verdict {
        Some(Verdict::Forbidden) => (
            l.t("不在此人的负责范围内", "Outside this person's area"),
            l.t("如果是刚调整过网格，请核对授权。", "If grids were just reassigned, check what was granted."),
        ),
        Some(Verdict::ActorForked) => (
            l.t("同一部手机出现两份数据", "Two copies of the same phone exist"),
            l.t(
                "手机可能被复制或恢复过备份，请联系本人。",
                "It may have been cloned or restored; ask its user.",
            ),
        ),
        Some(Verdict::BlockedBy(_)) => {
            (l.t("所依据的修改未被接受", "It builds on a change that was not accepted"), again)
        }
        Some(Verdict::Invalid(reason)) => (l.t(reason.zh(), reason.en()), again),
        _ => (l.t("未被接受", "Not accepted"), again),
    }
}

/// What the change was about: labels of its fields, never their values.
fn fields(kept: &QuarantineRow, kind: Option<Kind>, l: Lang) -> String {
    let (Some(kind), Ok(change)) = (kind, FlatChange::read(&kept.change)) else { return String::new() };
    let mut labels: Vec<&'static str> = Vec::new();
    for write in &change.writes {
        if let Some((field, _)) = kind.schema().field_of_key(&write.key) {
            let label = l.t(field.zh, field.en);
            if !labels.contains(&label) && labels.len() < FIELDS_NAMED {
                labels.push(label);
            }
        }
    }
    labels.join(l.t("、", ", "))
}

/// Notes that somebody looked at a refused change. Its bytes stay.
pub(super) async fn settle(
    State(console): State<Console>,
    visitor: Visitor,
    Path(no): Path<i64>,
    Form(button): Form<Button>,
) -> Result<Response, Failure> {
    tick_off(console, visitor, button, (&TICKED, no), move |tx, visitor, now| {
        let kept = tx.quarantine(no.checked_add(1), 1)?.into_iter().find(|row| row.no == no);
        let kept = kept.ok_or(Failure::NotFound)?;
        let own = Reach::of(&*tx, visitor)?.devices(&*tx, visitor)?;
        if own.iter().all(|device| device.no != kept.device) {
            return Err(Failure::NotFound);
        }
        tx.settle_quarantine(no, now, visitor.person.id)?;
        Ok(kept.settled.is_none())
    })
    .await
}
