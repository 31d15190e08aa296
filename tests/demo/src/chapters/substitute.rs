//! Somebody goes home, and the grid leader takes over the grid. Work that was not sent yet goes first.

use gridwalk_harness::flaky::Weather;

use crate::acts;
use crate::cast::Worker;
use crate::chapters::rounds;
use crate::error::{DemoError, Played};
use crate::narrate::said;
use crate::stage::Stage;

/// Who goes home, and who takes over, counted from 0.
const AWAY: usize = 6;
const LEADER: usize = 7;
/// Doors that either of them knocks on.
const DOORS: usize = 5;

/// Plays the substitution.
///
/// # Errors
/// A grid that does not come or go, work that is stranded.
pub async fn play(stage: &mut Stage) -> Played<()> {
    stage.narrator.chapter(&said("下午：网格长替班", "Afternoon: the grid leader stands in"));
    for index in [AWAY, LEADER] {
        stage.worker(index)?.network.set(Weather::Clear);
    }
    // Unsent when the grid is taken away.
    stage.worker(AWAY)?.phone.set_online(false)?;
    rounds::doors(stage, AWAY, DOORS).await?;
    let unsent = stage.worker(AWAY)?.status().await?.totals.changes.count;
    let (away, leader) = (stage.worker(AWAY)?, stage.worker(LEADER)?);
    let grid = away.grid.clone();
    if leader.grid == grid {
        // A district with fewer grids than the day needs: the leader holds this one already.
        return settle(away).await;
    }
    let own = leader.grid.clone();
    stage.office.unassign(away.user, grid.id)?;
    stage.office.assign(leader.user, grid.id)?;
    let before = leader.status().await?.totals.records;
    settle(leader).await?;
    let after = leader.status().await?.totals.records;
    stage.narrator.say(&said(
        format!("W07 回家，带着 {unsent} 条未传的修改；W08（网格长）接管“{}”：本机记录由 {before} 增至 {after}。", grid.name),
        format!("W07 goes home with {unsent} changes unsent; W08, the grid leader, takes over: {before} records become {after}."),
    ));
    if let Some(worker) = stage.team.get_mut(LEADER) {
        worker.grid = grid.clone();
    }
    stage.worker(LEADER)?.phone.set_online(false)?;
    rounds::doors(stage, LEADER, DOORS).await?;
    settle(stage.worker(LEADER)?).await?;
    give_up(stage, &grid.name).await?;
    hand_back(stage, &grid, &own).await
}

/// The one who went home comes back to a network: first their work is sent, then the grid leaves the phone.
async fn give_up(stage: &Stage, name: &str) -> Played<()> {
    let away = stage.worker(AWAY)?;
    let area = away.grid.id;
    settle(away).await?;
    let left = away.read(move |store, _| Ok(acts::dwellings_of(store, area)?.len())).await?;
    if left > 0 {
        return Err(DemoError::Play(format!(
            "{left} dwellings of a grid that was taken away are still there"
        )));
    }
    let refused = away.status().await?.totals.refused;
    stage.narrator.say(&said(
        format!("W07 联网：未传的修改先全部送达（{refused} 条被拒），然后“{name}”的数据才从手机移除。"),
        format!("W07 is online again: the unsent work arrives first ({refused} refused), only then does the grid leave the phone."),
    ));
    Ok(())
}

/// In the evening everybody has their own grid again.
async fn hand_back(stage: &mut Stage, grid: &crate::cast::Grid, own: &crate::cast::Grid) -> Played<()> {
    let (away, leader) = (stage.worker(AWAY)?, stage.worker(LEADER)?);
    stage.office.unassign(leader.user, grid.id)?;
    stage.office.assign(away.user, grid.id)?;
    settle(leader).await?;
    settle(away).await?;
    let area = grid.id;
    let back = away.read(move |store, _| Ok(acts::dwellings_of(store, area)?.len())).await?;
    if back == 0 {
        return Err(DemoError::Play("a grid that was given back did not come".into()));
    }
    stage.narrator.say(&said(
        format!("替班结束：网格交还 W07，{back} 户重新下载，包括 W08 替班时的工作。"),
        format!("The substitution ends: the grid is W07's again, {back} dwellings come back with what W08 did there."),
    ));
    let own = own.clone();
    if let Some(worker) = stage.team.get_mut(LEADER) {
        worker.grid = own;
    }
    Ok(())
}

async fn settle(worker: &Worker) -> Played<()> {
    worker.phone.set_online(true)?;
    let settled = worker.phone.settle(12).await?;
    match settled.status.last_error {
        None if settled.status.is_settled() => Ok(()),
        error => {
            let why = error.map(|error| error.en).unwrap_or_default();
            Err(DemoError::Play(format!("{} does not come to rest: {why}", worker.code)))
        }
    }
}
