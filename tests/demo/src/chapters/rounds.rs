//! The morning: no network. Doors, patrols, search.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use gridwalk_model::geo::coverage::{DEFAULT_RADIUS_M, reached_percent};
use gridwalk_model::geo::gpx::read_gpx;
use gridwalk_model::geo::simplify::DEFAULT_TOLERANCE_M;
use gridwalk_model::geo::track::{DEFAULT_GAP_MS, TrackPoint};
use gridwalk_model::geo::track_filter::TrackFilter;
use gridwalk_model::geo::{Fix, LatLon, Path as Walked};
use gridwalk_model::records::Resident;
use gridwalk_model::{Kind, Timestamp};

use crate::acts::{self, DoorKind, Walk};
use crate::cast::Worker;
use crate::error::{DemoError, Played};
use crate::narrate::said;
use crate::stage::Stage;

/// Doors that each worker knocks on in the morning.
const DOORS: usize = 14;
/// How fast a walk without believable times is replayed, in metres per second.
const PACE: f64 = 1.2;

/// Plays the morning.
///
/// # Errors
/// A phone that refuses what it should take.
pub async fn play(stage: &mut Stage) -> Played<()> {
    stage
        .narrator
        .chapter(&said("上午：没有网络，入户、巡查", "Morning without a network: doors and patrols"));
    let mut rows = Vec::new();
    for index in 0..stage.team.len() {
        let worker = stage.worker(index)?;
        worker.phone.set_online(false)?;
        let counts = doors(stage, index, DOORS).await?;
        let worker = stage.worker(index)?;
        let status = worker.status().await?;
        let count = |kind| counts.get(&kind).copied().unwrap_or(0).to_string();
        rows.push(vec![
            worker.code.clone(),
            counts.values().sum::<usize>().to_string(),
            count(DoorKind::Corrected),
            count(DoorKind::MovedIn),
            count(DoorKind::Visited),
            count(DoorKind::Confirmed),
            status.totals.changes.count.to_string(),
            stage.narrator.cell(&said(status.zh(), status.en())),
        ]);
    }
    let headings = [
        said("手机", "phone"),
        said("入户", "doors"),
        said("更正", "corrected"),
        said("迁入", "moved in"),
        said("走访", "visits"),
        said("无变化", "confirmed"),
        said("待传", "waiting"),
        said("状态栏", "status"),
    ];
    stage.narrator.table(&headings, &rows);
    search(stage).await?;
    patrols(stage).await
}

/// A worker's round through some doors of their grid. Where two share a grid, one takes the even doors and the
/// other the odd ones.
///
/// # Errors
/// A phone that refuses what it should take.
pub async fn doors(stage: &mut Stage, index: usize, count: usize) -> Played<BTreeMap<DoorKind, usize>> {
    let Stage { team, promises, .. } = stage;
    let Some(worker) = team.get_mut(index) else { return Ok(BTreeMap::new()) };
    let mut seeded = worker.seeded.clone();
    worker.seeded = gridwalk_harness::seeded::Seeded::new(seeded.bits());
    let area = worker.grid.id;
    let (kinds, written) = worker
        .read(move |store, now| {
            let dwellings = acts::dwellings_of(store, area)?;
            let own: Vec<_> = dwellings
                .iter()
                .enumerate()
                .filter(|(place, _)| place % 2 == index % 2)
                .map(|(_, d)| d)
                .collect();
            let first = seeded.below(own.len());
            let mut kinds = Vec::new();
            let mut written = Vec::new();
            for dwelling in own.iter().cycle().skip(first).take(count.min(own.len())) {
                let people = acts::people_at(store, dwelling.id)?;
                let (kind, new) =
                    acts::act(store, now, |acting| acts::door(acting, &mut seeded, dwelling, &people))?;
                kinds.push(kind);
                written.extend(new);
            }
            Ok((kinds, written))
        })
        .await?;
    promises.note(worker.device, written);
    let mut counts = BTreeMap::new();
    for kind in kinds {
        *counts.entry(kind).or_default() += 1;
    }
    Ok(counts)
}

/// A resident is found offline by two characters of their name and by digits of their number.
async fn search(stage: &Stage) -> Played<()> {
    let worker = stage.worker(0)?;
    let found = worker
        .read(|store, _| {
            let page = store.list::<Resident>(None, 50)?;
            let Some(entry) = page.entries.into_iter().find(|entry| entry.record.phone.is_some()) else {
                return Ok(None);
            };
            let name: String = entry.record.name.chars().take(2).collect();
            let phone = entry.record.phone.unwrap_or_default();
            let by_name = store.search(&name, &[Kind::Resident], None, 50)?.hits;
            let by_phone = store.search(&phone, &[Kind::Resident], None, 50)?.hits;
            let found = by_name.iter().chain(&by_phone).filter(|hit| hit.id == entry.id).count();
            Ok(Some((name, by_name.len(), by_phone.len(), found)))
        })
        .await?;
    let Some((name, by_name, by_phone, found)) = found else { return Ok(()) };
    if found < 2 {
        return Err(DemoError::Play("a resident was not found by name and number".into()));
    }
    stage.narrator.say(&said(
        format!("离线检索：输入“{name}”找到 {by_name} 人，输入手机号找到 {by_phone} 人。"),
        format!("Search without a network: two characters find {by_name} people, a number finds {by_phone}."),
    ));
    Ok(())
}

/// Each track is replayed on a phone, filtered, measured and recorded.
async fn patrols(stage: &mut Stage) -> Played<()> {
    let mut rows = Vec::new();
    let files = stage.input.tracks.clone();
    for (number, path) in files.iter().enumerate() {
        let index = grid_named_in(stage, path).unwrap_or(number % stage.team.len().max(1));
        let Stage { team, promises, .. } = &mut *stage;
        let Some(worker) = team.get(index) else { continue };
        let (walk, points, kept) = measure(path, worker).await?;
        worker.act(promises, move |acting| acting.patrol(&walk)).await?;
        rows.push(vec![
            worker.code.clone(),
            path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            points.to_string(),
            kept.to_string(),
            walk.metres.to_string(),
            walk.coverage.map_or_else(|| "-".into(), |percent| format!("{percent} %")),
        ]);
    }
    if rows.is_empty() {
        return Ok(());
    }
    let headings = [
        said("手机", "phone"),
        said("巡查轨迹", "track"),
        said("点数", "points"),
        said("保留", "kept"),
        said("里程（米）", "metres"),
        said("室外覆盖", "coverage"),
    ];
    stage.narrator.table(&headings, &rows);
    Ok(())
}

/// The worker whose grid's code stands in the file's name.
fn grid_named_in(stage: &Stage, path: &Path) -> Option<usize> {
    let name = path.file_stem()?.to_string_lossy().into_owned();
    stage.team.iter().position(|worker| name.ends_with(&worker.grid.code))
}

/// Reads a track and measures it as a patrol that ends now.
async fn measure(path: &Path, worker: &Worker) -> Played<(Walk, usize, usize)> {
    let bytes = fs::read(path).map_err(DemoError::io(path.display().to_string()))?;
    let file = read_gpx(&bytes).map_err(|source| DemoError::Track { path: path.to_owned(), source })?;
    let area = worker.grid.id;
    let (now, targets): (Timestamp, Vec<LatLon>) = worker
        .read(move |store, now| {
            let dwellings = acts::dwellings_of(store, area)?;
            let mut points: Vec<LatLon> =
                dwellings.iter().filter_map(|entry| entry.record.position).map(|at| at.point()).collect();
            points.dedup();
            Ok((now, points))
        })
        .await?;
    // Times of files are years old or nonsense: the walk is replayed at a steady pace and ends now.
    let mut fixes = Vec::new();
    let mut end = Timestamp::default();
    for track in &file.tracks {
        fixes.extend(track.paced_fixes(end, PACE));
        end = fixes.last().map_or(end, |fix: &Fix| fix.at.plus_millis(1_000));
    }
    let started_at = now.plus_millis(-end.millis());
    for fix in &mut fixes {
        fix.at = started_at.plus_millis(fix.at.millis());
    }
    let points: Vec<TrackPoint> = fixes.into_iter().map(TrackPoint::bare).collect();
    let filtered = TrackFilter::default().apply(&points);
    let walked: Walked = filtered.path(DEFAULT_GAP_MS);
    let reached = walked.reached(&targets, DEFAULT_RADIUS_M);
    let kept = walked.simplify(DEFAULT_TOLERANCE_M).fixes().count();
    let walk = Walk {
        area,
        started_at,
        ended_at: now,
        metres: walked.length_m() as i64,
        coverage: reached_percent(&reached),
    };
    Ok((walk, points.len(), kept))
}
