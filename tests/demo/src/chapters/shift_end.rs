//! The end of the shift: drafts are sorted and sent, the order is checked again; and after everything has come
//! together, the worker's own week with the evidence behind each figure.

use gridwalk_device::work::tray::TrayKey;

use crate::chapters::plan::WORKER;
use crate::chapters::{hazards, inspection, today};
use crate::error::{DemoError, Played};
use crate::narrate::said;
use crate::stage::Stage;

/// Plays the end of the shift, without a network.
///
/// # Errors
/// A tray that does not hold what was left, or holds it still.
pub async fn play(stage: &mut Stage) -> Played<()> {
    stage.narrator.chapter(&said("下班前：复查、草稿箱", "The end of the shift: a recheck, and the drafts"));
    stage.worker(WORKER)?.phone.set_online(false)?;
    inspection::recheck(stage).await?;
    let event = hazards::send_left_over(stage).await?;
    let worker = stage.worker(WORKER)?;
    let tray = worker.told(worker.device().tray().await)?;
    let waits = tray.iter().filter(|item| matches!(item.key, TrayKey::Unsent { .. })).count();
    let Some(item) = tray.iter().find(|item| item.key == TrayKey::Unsent { record: event }) else {
        return Err(DemoError::Play("an unsent report is not in the tray".into()));
    };
    let left = today::read(worker).await?.items.len();
    stage
        .narrator
        .say(&said(format!("今日清单还剩 {left} 项。"), format!("Today's list has {left} lines left.")));
    stage.narrator.say(&said(
        format!("待处理箱里 {waits} 条记录等待发送：“{}”", item.explanation.zh),
        format!("{waits} records wait in the tray: \"{}\"", item.explanation.en),
    ));
    Ok(())
}

/// The worker's week, once everything has arrived.
///
/// # Errors
/// A figure whose evidence the server does not have.
pub async fn my_week(stage: &mut Stage) -> Played<()> {
    stage.narrator.chapter(&said("W01 的本周", "W01's own week"));
    let worker = stage.worker(WORKER)?;
    let week = worker.device().my_week(worker.grid.id).await;
    let week = worker.told(week)?;
    let mut behind = std::collections::BTreeSet::new();
    for (figure, _) in &week.figures {
        stage.narrator.say(&said(figure.zh(), figure.en()));
        behind.extend(figure.numerator.iter().flat_map(|counted| &counted.by).copied());
    }
    for record in &behind {
        if stage.office.changes_of(*record)?.is_empty() {
            return Err(DemoError::Play("the server lacks a record behind a figure".into()));
        }
    }
    let count = behind.len();
    if count == 0 {
        return Err(DemoError::Play("a week without any evidence".into()));
    }
    stage.narrator.say(&said(
        format!("每个数字都能点开：背后的 {count} 条记录，服务器上都有。"),
        format!("Every figure opens: the {count} records behind them are all on the server."),
    ));
    Ok(())
}
