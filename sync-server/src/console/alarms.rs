//! Alarms: what somebody has to look at.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use gridwalk_model::DeviceId;

use super::Console;
use super::failure::Failure;
use super::language::Lang;
use super::reach::note_view;
use super::shell::{KEEPERS, Section, Shell, render};
use super::visitor::Visitor;
use super::wording;
use crate::storage::ReadTx;

/// Alarms on the page.
const SHOWN: u32 = 100;

struct Row {
    title: String,
    what: &'static str,
    advice: &'static str,
    at: String,
    ago: String,
    phone: Option<String>,
    no: u64,
}

#[derive(Template)]
#[template(path = "alarms.html")]
struct AlarmsPage {
    shell: Shell,
    rows: Vec<Row>,
}

/// The latest alarms.
pub(super) async fn show(State(console): State<Console>, visitor: Visitor) -> Result<Response, Failure> {
    if !visitor.is(KEEPERS) {
        return Err(Failure::NotOpen);
    }
    console.blocking(move |console| page(console, &visitor)).await
}

fn page(console: &Console, visitor: &Visitor) -> Result<Response, Failure> {
    note_view(console, visitor, "alarms.listed", "audit")?;
    let (l, now) = (visitor.lang, console.now());
    console.storage.view(|tx| {
        let mut rows = Vec::new();
        for alarm in tx.alarms(SHOWN)? {
            let (title, what, advice) = words(&alarm.action, l);
            rows.push(Row {
                title: title.map_or_else(|| alarm.action.clone(), str::to_owned),
                what,
                advice,
                at: wording::time(l, alarm.at, now),
                ago: wording::ago(l, alarm.at, now),
                phone: phone(tx, console, visitor, &alarm.actor)?,
                no: alarm.no,
            });
        }
        Ok(render(&AlarmsPage {
            shell: Shell::new(console, visitor, Section::Alarms, l.t("警报", "Alarms")),
            rows,
        }))
    })
}

/// The phone that an alarm speaks of.
fn phone(
    tx: &dyn ReadTx,
    console: &Console,
    visitor: &Visitor,
    actor: &str,
) -> Result<Option<String>, Failure> {
    let Ok(id) = actor.parse::<DeviceId>() else { return Ok(None) };
    let Some(device) = tx.device(id)? else { return Ok(None) };
    let owner = tx.person_by_no(device.person)?;
    let owner = owner.map(|person| console.directory.on(tx, visitor).shown(&person)).unwrap_or_default();
    Ok(Some(format!("{owner} · {}", device.label)))
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
