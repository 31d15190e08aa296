//! Early in the morning: what is due today, on a phone without a network.

use gridwalk_device::work::today::{Today, TodayItem};
use gridwalk_model::RecordId;
use gridwalk_model::due::DueKind;

use crate::cast::Worker;
use crate::chapters::plan::WORKER;
use crate::error::{DemoError, Played};
use crate::narrate::said;
use crate::stage::Stage;

/// Lines that are shown.
const LINES: usize = 8;
/// Lines that are asked for.
const ASKED: usize = 500;

/// Plays the look at the list.
///
/// # Errors
/// A list that lacks what the office has set.
pub async fn play(stage: &mut Stage) -> Played<()> {
    stage.narrator.chapter(&said("清晨：W01 的今日清单", "Early: what W01 has to do today"));
    for worker in &stage.team {
        worker.phone.set_online(false)?;
    }
    let today = read(stage.worker(WORKER)?).await?;
    let set = [(stage.plan.place, DueKind::Inspection), (stage.plan.resident, DueKind::Visit)];
    for (target, kind) in set {
        if target.is_some_and(|target| !has(&today, kind, target)) {
            return Err(DemoError::Play(format!("today's list lacks {}", kind.en())));
        }
    }
    if today.items.is_empty() {
        stage.narrator.say(&said("今天没有到期的任务。", "Nothing is due today."));
        return Ok(());
    }
    let cell = |zh: &str, en: &str| stage.narrator.cell(&said(zh, en));
    let row = |item: &TodayItem| {
        let group = item.group.words();
        let reasons: Vec<String> = item.reasons.iter().map(|why| cell(&why.zh, &why.en)).collect();
        vec![
            cell(&group.zh, &group.en),
            cell(item.kind.zh(), item.kind.en()),
            cell(&item.title.zh, &item.title.en),
            reasons.join("；"),
        ]
    };
    let rows: Vec<_> = today.items.iter().take(LINES).map(row).collect();
    let headings =
        [said("时间", "when"), said("做什么", "what"), said("对象", "where or who"), said("原因", "why")];
    stage.narrator.table(&headings, &rows);
    let more = today.items.len().saturating_sub(rows.len());
    stage.narrator.say(&said(
        format!("离线可用；逾期在前，其余按步行顺序；另有 {more} 项。"),
        format!(
            "It needs no network; overdue work comes first, the rest in walking order; {more} more lines."
        ),
    ));
    Ok(())
}

/// The list of a phone.
///
/// # Errors
/// Failures of the store.
pub async fn read(worker: &Worker) -> Played<Today> {
    worker.told(worker.device().today(None, ASKED).await)
}

/// Whether something is on the list.
pub fn has(today: &Today, kind: DueKind, target: RecordId) -> bool {
    today.items.iter().any(|item| item.kind == kind && item.target == target)
}
