//! Patrols: each track is walked again on a phone, journaled point by point, measured, simplified and sent.

use std::fs;
use std::path::Path;

use gridwalk_device::work::doors::{AtDoor, DoorAct};
use gridwalk_device::work::patrols::PatrolEnded;
use gridwalk_harness::flaky::Weather;
use gridwalk_model::geo::gpx::read_gpx;
use gridwalk_model::geo::{Fix, TrackPoint};
use gridwalk_model::walk::PatrolRules;
use gridwalk_model::{RecordId, Timestamp};

use crate::acts;
use crate::error::{DemoError, Played};
use crate::narrate::said;
use crate::stage::Stage;

/// How fast a walk without believable times is replayed, in metres per second.
const PACE: f64 = 1.2;

/// Plays the patrols.
///
/// # Errors
/// Files that are no tracks, a phone that loses points.
pub async fn play(stage: &mut Stage) -> Played<()> {
    stage.narrator.chapter(&said("巡查与轨迹", "Patrols and their tracks"));
    let files = stage.input.tracks.clone();
    if files.is_empty() {
        stage.narrator.say(&said("没有轨迹文件，今天不巡查。", "No tracks are given: no patrols today."));
        return Ok(());
    }
    let mut rows = Vec::new();
    for (number, path) in files.iter().enumerate() {
        let index = grid_named_in(stage, path).unwrap_or(number % stage.team.len().max(1));
        let Walked { points, ended, kept, gpx } = walk(stage, index, path, number == 0).await?;
        let (code, walk) = (stage.worker(index)?.code.clone(), &ended.walk);
        rows.push(vec![
            code,
            path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            points.to_string(),
            (walk.dropped + walk.mock).to_string(),
            kept.to_string(),
            (gpx / 1024).to_string(),
            walk.gaps.len().to_string(),
            walk.metres.to_string(),
            walk.coverage_percent.map_or_else(|| "-".into(), |percent| format!("{percent} %")),
        ]);
    }
    let headings = [
        said("手机", "phone"),
        said("巡查轨迹", "track"),
        said("记录点", "points"),
        said("剔除", "left out"),
        said("抽稀后", "kept"),
        said("GPX KB", "GPX KB"),
        said("空白段", "gaps"),
        said("里程（米）", "metres"),
        said("室外覆盖", "coverage"),
    ];
    stage.narrator.table(&headings, &rows);
    stage.narrator.say(&said(
        "每个点随到随存；第一条轨迹走到一半时应用被关闭，重开后一个点都没少。空白段如实显示，不补线。",
        "Each point is journaled as it comes; the app was closed half-way through the first and lost none. Gaps are shown, never bridged.",
    ));
    Ok(())
}

/// The worker whose grid's code stands in the file's name.
fn grid_named_in(stage: &Stage, path: &Path) -> Option<usize> {
    let name = path.file_stem()?.to_string_lossy().into_owned();
    stage.team.iter().position(|worker| name.ends_with(&worker.grid.code))
}

/// A walk that was replayed.
struct Walked {
    /// Points of the file.
    points: usize,
    /// What the phone made of it.
    ended: PatrolEnded,
    /// Points of the stored track.
    kept: usize,
    /// Bytes of it as a GPX file.
    gpx: usize,
}

/// Walks a track on a phone, from some time ago until now; a door is knocked at on the way. `closed` closes the app
/// half-way.
async fn walk(stage: &mut Stage, index: usize, path: &Path, closed: bool) -> Played<Walked> {
    let fixes = replay(path)?;
    let lasts = fixes.last().map_or(0, |fix| fix.at.millis());
    let rules = PatrolRules::default();
    let worker = stage.worker(index)?;
    worker.clock.set_back(lasts);
    let patrol = worker.told(worker.device().start_patrol(worker.grid.id).await)?;
    let points: Vec<TrackPoint> = fixes
        .iter()
        .map(|fix| TrackPoint::bare(Fix { at: patrol.started_at.plus_millis(fix.at.millis()), ..*fix }))
        .collect();
    let (before, after) = points.split_at(points.len() / 2);
    worker.told(worker.device().journal_points(before.to_vec(), false, rules).await)?;
    if closed {
        // An app that starts looks for the network at once; there is none yet.
        worker.network.set(Weather::Offline);
        worker.phone.close().await?;
        if let Some(worker) = stage.team.get_mut(index) {
            worker.reopen().await?;
            worker.phone.set_online(false)?;
        }
    }
    let worker = stage.worker(index)?;
    worker.clock.set_back(lasts / 2);
    let door = knock(stage, index, patrol.id).await?;
    let worker = stage.worker(index)?;
    worker.told(worker.device().journal_points(after.to_vec(), false, rules).await)?;
    worker.clock.set_back(0);
    let now = worker.told(worker.device().patrol_now(rules).await)?;
    let now = now.ok_or_else(|| DemoError::Play("the patrol under way is gone".into()))?;
    // Nobody opened: the door was tried, and not reached.
    let reached = door.is_some_and(|door| now.reached.contains(&door));
    if reached {
        return Err(DemoError::Play("a door that nobody opened counts as reached".into()));
    }
    if now.walk.recorded != points.len() {
        return Err(DemoError::Play(format!(
            "{} of {} points are in the journal",
            now.walk.recorded,
            points.len()
        )));
    }
    let ended = worker.told(worker.device().end_patrol(None, rules).await)?;
    let stored = worker.told(worker.device().patrol_path(ended.id, rules).await)?;
    let gpx = worker.told(worker.device().patrol_gpx(ended.id, rules).await)?;
    let kept = stored.map_or(0, |path| path.fixes().count());
    stage.keep(index, &[ended.id]).await?;
    Ok(Walked { points: points.len(), ended, kept, gpx: gpx.unwrap_or_default().len() })
}

/// A door on the way counts for the patrol by being knocked at, never by being near.
async fn knock(stage: &Stage, index: usize, patrol: RecordId) -> Played<Option<RecordId>> {
    let worker = stage.worker(index)?;
    let own = worker.told(acts::own_doors(worker.device(), worker.grid.id, index).await)?;
    let Some(door) = own.last().map(|door| door.id) else { return Ok(None) };
    let at = AtDoor { patrol: Some(patrol), ..AtDoor::in_person(door) };
    worker.told(worker.device().at_door(at, DoorAct::NobodyHome).await)?;
    Ok(Some(door))
}

/// The points of a file, from time 0. Times of files are years old or nonsense: the walk is at a steady pace.
fn replay(path: &Path) -> Played<Vec<Fix>> {
    let bytes = fs::read(path).map_err(DemoError::io(path.display().to_string()))?;
    let file = read_gpx(&bytes).map_err(|source| DemoError::Track { path: path.to_owned(), source })?;
    let mut fixes: Vec<Fix> = Vec::new();
    let mut end = Timestamp::default();
    for track in &file.tracks {
        fixes.extend(track.paced_fixes(end, PACE));
        end = fixes.last().map_or(end, |fix| fix.at.plus_millis(1_000));
    }
    Ok(fixes)
}
