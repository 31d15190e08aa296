//! The evening: everybody is back, and everything comes together.

use gridwalk_harness::flaky::Weather;

use crate::error::Played;
use crate::narrate::said;
use crate::stage::Stage;

/// Rounds in which everybody synchronises; what one brings the others fetch in the next.
const ROUNDS: usize = 3;
/// Attempts of a phone in a round.
const TRIES: u32 = 12;

/// Plays the evening.
///
/// # Errors
/// A store that fails.
pub async fn play(stage: &mut Stage) -> Played<()> {
    stage.narrator.chapter(&said("傍晚：全部联网", "Evening: everybody is back"));
    for worker in &stage.team {
        worker.network.set(Weather::Clear);
        worker.phone.set_online(true)?;
    }
    for _ in 0..ROUNDS {
        for worker in &stage.team {
            worker.phone.settle(TRIES).await?;
        }
    }
    let mut rows = Vec::new();
    for worker in &stage.team {
        let status = worker.status().await?;
        let totals = status.totals;
        rows.push(vec![
            worker.code.clone(),
            totals.records.to_string(),
            totals.changes.count.to_string(),
            (totals.previews.count + totals.photos.count).to_string(),
            totals.refused.to_string(),
            totals.conflicts.to_string(),
            stage.narrator.cell(&said(status.zh(), status.en())),
        ]);
    }
    let headings = [
        said("手机", "phone"),
        said("本机记录", "records"),
        said("待传修改", "changes wait"),
        said("待传照片", "photos wait"),
        said("未被接受", "refused"),
        said("冲突", "conflicts"),
        said("状态栏", "status"),
    ];
    stage.narrator.table(&headings, &rows);
    Ok(())
}
