//! Alarms: what somebody has to look at.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::Response;
use gridwalk_model::policy::Role;
use gridwalk_model::{DeviceId, RecordId, Timestamp};

use super::Console;
use super::failure::Failure;
use super::language::Lang;
use super::reach::note_view;
use super::shell::{KEEPERS, Section, Shell, render};
use super::ticking::{Button, Ticked, tick_off};
use super::visitor::Visitor;
use super::wording;
use crate::storage::ReadTx;
use crate::storage::ledger::AuditRow;

/// Alarms on the page.
const SHOWN: u32 = 100;
/// How an alarm is ticked off.
static TICKED: Ticked = Ticked { list: "/alarms", by: &[Role::Administrator], action: "alarm.acknowledged" };

struct Row {
    title: String,
    what: &'static str,
    advice: &'static str,
    at: String,
    ago: String,
    /// The phone or the person that it speaks of.
    about: Option<String>,
    no: u64,
    /// Who looked at it and when.
    seen: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "alarms.html")]
struct AlarmsPage {
    shell: Shell,
    rows: Vec<Row>,
    /// How many nobody has looked at.
    open: u64,
    may_acknowledge: bool,
}

/// The latest alarms, open ones first.
pub(super) async fn show(State(console): State<Console>, visitor: Visitor) -> Result<Response, Failure> {
    visitor.must_be(KEEPERS)?;
    console.blocking(move |console| page(console, &visitor)).await
}

fn page(console: &Console, visitor: &Visitor) -> Result<Response, Failure> {
    note_view(console, visitor, "alarms.listed", "audit")?;
    let (l, now) = (visitor.lang, console.now());
    console.storage.view(|tx| {
        let alarms = tx.alarms(SHOWN)?;
        let rows: Result<Vec<Row>, Failure> =
            alarms.iter().map(|alarm| row(tx, console, visitor, alarm, now)).collect();
        let mut rows = rows?;
        rows.sort_by_key(|row| row.seen.is_some());
        Ok(render(&AlarmsPage {
            shell: Shell::new(console, visitor, Section::Alarms, l.t("警报", "Alarms")),
            rows,
            open: tx.alarms_open()?,
            may_acknowledge: visitor.is(TICKED.by),
        }))
    })
}

fn row(
    tx: &dyn ReadTx,
    console: &Console,
    visitor: &Visitor,
    alarm: &AuditRow,
    now: Timestamp,
) -> Result<Row, Failure> {
    let l = visitor.lang;
    let (title, what, advice) = words(&alarm.action, l);
    let seen = match tx.alarm_seen(alarm.no)? {
        Some((at, by)) => Some((console.directory.on(tx, visitor).person(by)?, wording::time(l, at, now))),
        None => None,
    };
    Ok(Row {
        title: title.map_or_else(|| alarm.action.clone(), str::to_owned),
        what,
        advice,
        at: wording::time(l, alarm.at, now),
        ago: wording::ago(l, alarm.at, now),
        about: about(tx, console, visitor, alarm)?,
        no: alarm.no,
        seen,
    })
}

/// Notes that somebody looked at an alarm. The alarm itself stays in the audit log.
pub(super) async fn acknowledge(
    State(console): State<Console>,
    visitor: Visitor,
    Path(no): Path<u64>,
    Form(button): Form<Button>,
) -> Result<Response, Failure> {
    let row = i64::try_from(no).map_err(|_| Failure::NotFound)?;
    tick_off(console, visitor, button, (&TICKED, row), move |tx, visitor, now| {
        let before = no.checked_sub(1).ok_or(Failure::NotFound)?;
        let row = tx.audit(before, 1)?.into_iter().find(|row| row.no == no && row.alarm);
        row.ok_or(Failure::NotFound)?;
        let open = tx.alarm_seen(no)?.is_none();
        tx.acknowledge_alarm(no, now, visitor.person.id)?;
        Ok(open)
    })
    .await
}

/// The phone or the person that an alarm speaks of.
fn about(
    tx: &dyn ReadTx,
    console: &Console,
    visitor: &Visitor,
    alarm: &AuditRow,
) -> Result<Option<String>, Failure> {
    let lookup = console.directory.on(tx, visitor);
    if let Ok(id) = alarm.actor.parse::<DeviceId>()
        && let Some(device) = tx.device(id)?
    {
        let owner = tx.person_by_no(device.person)?;
        let owner = owner.map(|person| lookup.shown(&person)).unwrap_or_default();
        return Ok(Some(format!("{owner} · {}", device.label)));
    }
    let Ok(id) = alarm.target.parse::<RecordId>() else { return Ok(None) };
    Ok(tx.person(id)?.map(|person| lookup.shown(&person)))
}

/// What an alarm is called, what it means, and what to do.
fn words(action: &str, l: Lang) -> (Option<&'static str>, &'static str, &'static str) {
    match action {
        "server.rolled_back" => (
            Some(l.t("服务器数据曾退回到以前", "The server's data went back in time")),
            l.t(
                "一部手机持有比服务器更新的进度，说明服务器恢复过旧备份或丢过数据。",
                "A phone is further than the server: an old backup was restored, or data was lost.",
            ),
            l.t(
                "手机会把缺少的内容重新交上来。请让各手机尽快联网，并请运维人员查明原因。",
                "Phones hand in again what is missing. Have them go online soon, and let the operator find the cause.",
            ),
        ),
        "server.restored" => (
            Some(l.t("服务器从备份恢复过", "The server was restored from a backup")),
            l.t(
                "备份之后的内容可能暂时缺少，手机会自动补交各自保存的部分。",
                "What came after the backup may be missing for now; phones hand in again what they hold.",
            ),
            l.t(
                "请让每部手机尽快联网一次；在此之前不要停用或更换手机。",
                "Have every phone go online once, soon; until then do not lock or replace any.",
            ),
        ),
        "sync.diverged" => (
            Some(l.t("手机与服务器内容不一致", "A phone and the server differ")),
            l.t("自动修复两次后仍然不同，没有覆盖任何一方。", "Two repairs did not help; neither side was overwritten."),
            l.t("请保留这部手机，不要卸载应用，并通知运维人员。", "Keep the phone, do not uninstall the app, and tell the operator."),
        ),
        "quarantine.full" => (
            Some(l.t("一部手机的被拒修改太多", "Too many refused changes of one phone")),
            l.t("新的被拒修改留在手机上，没有丢失。", "Further ones stay on the phone; nothing is lost."),
            l.t("请查看“被拒修改”，弄清原因。", "Look at the refused changes and find out why."),
        ),
        "enrolment.other_key" => (
            Some(l.t("登记码被另一部手机再次使用", "An enrolment code was used by a second phone")),
            l.t("第二部手机没有登记成功。", "The second phone was not let in."),
            l.t("请确认登记码没有外泄；需要时停用第一部手机。", "Make sure the code did not leak; lock the first phone if need be."),
        ),
        _ => (None, l.t("需要有人查看。", "Somebody has to look at it."), l.t("请通知运维人员。", "Please tell the operator.")),
    }
}
