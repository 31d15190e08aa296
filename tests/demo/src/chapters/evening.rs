//! The evening: everybody is back, and everything comes together.

use gridwalk_device::work::tray::{Settlement, TrayKey};
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
    come_together(stage).await?;
    if choose_all(stage).await? {
        come_together(stage).await?;
    }
    let mut rows = Vec::new();
    for worker in &stage.team {
        let status = worker.status().await?;
        let totals = status.totals;
        rows.push(vec![
            worker.code.clone(),
            totals.records.to_string(),
            totals.changes.count.to_string(),
            (totals.previews.count + totals.photos.count + totals.tracks.count).to_string(),
            totals.refused.to_string(),
            totals.conflicts.to_string(),
            stage.narrator.cell(&said(status.zh(), status.en())),
        ]);
    }
    let headings = [
        said("手机", "phone"),
        said("本机记录", "records"),
        said("待传修改", "changes wait"),
        said("待传照片和轨迹", "photos and tracks wait"),
        said("未被接受", "refused"),
        said("冲突", "conflicts"),
        said("状态栏", "status"),
    ];
    stage.narrator.table(&headings, &rows);
    Ok(())
}

async fn come_together(stage: &Stage) -> Played<()> {
    for _ in 0..ROUNDS {
        for worker in &stage.team {
            worker.phone.settle(TRIES).await?;
        }
    }
    Ok(())
}

/// Whatever else two people came across at once: the first phone whose tray shows it keeps the value on top. Returns
/// whether there was anything.
async fn choose_all(stage: &mut Stage) -> Played<bool> {
    let mut chosen = Vec::new();
    for index in 0..stage.team.len() {
        let worker = stage.worker(index)?;
        worker.phone.set_online(false)?;
        for item in worker.told(worker.device().tray().await)? {
            let TrayKey::Conflict { record, field } = &item.key else { continue };
            let key = (*record, field.clone());
            let top = item.values.iter().find(|value| value.shown).map(|value| value.value.clone());
            if let (false, Some(value)) = (chosen.contains(&key), top) {
                worker.told(worker.device().settle(item.key.clone(), Settlement::Choose(value)).await)?;
                chosen.push(key);
            }
        }
        stage.keep(index, &[]).await?;
        stage.worker(index)?.phone.set_online(true)?;
    }
    let count = chosen.len();
    if count > 0 {
        stage.narrator.say(&said(
            format!("两人先后改过的另外 {count} 个字段也已选定。"),
            format!("{count} more fields that two people had edited are settled too."),
        ));
    }
    stage.tally.conflicts.extend(chosen);
    Ok(count > 0)
}
