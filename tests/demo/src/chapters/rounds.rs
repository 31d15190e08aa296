//! The morning of the whole team: no network. Each worker's round from door to door, and search.

use std::collections::BTreeMap;

use gridwalk_harness::seeded::Seeded;
use gridwalk_model::Kind;
use gridwalk_model::records::Resident;

use crate::acts;
use crate::door::{self, DoorKind};
use crate::error::{DemoError, Played};
use crate::narrate::said;
use crate::stage::Stage;

/// Doors that each worker knocks on in the morning.
const DOORS: usize = 14;

/// Plays the morning.
///
/// # Errors
/// A phone that refuses what it should take.
pub async fn play(stage: &mut Stage) -> Played<()> {
    stage
        .narrator
        .chapter(&said("上午：没有网络，八人入户", "Morning without a network: eight rounds of doors"));
    let mut rows = Vec::new();
    for index in 0..stage.team.len() {
        let counts = doors(stage, index, DOORS).await?;
        let worker = stage.worker(index)?;
        let status = worker.status().await?;
        let count = |kind| counts.get(&kind).copied().unwrap_or(0).to_string();
        rows.push(vec![
            worker.code.clone(),
            counts.values().sum::<usize>().to_string(),
            count(DoorKind::Corrected),
            count(DoorKind::MovedIn),
            count(DoorKind::NobodyHome),
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
        said("无人在家", "nobody home"),
        said("走访", "visits"),
        said("无变化", "confirmed"),
        said("待传", "waiting"),
        said("状态栏", "status"),
    ];
    stage.narrator.table(&headings, &rows);
    search(stage).await
}

/// A worker's round through some doors of their grid. Where two share a grid, one takes the even doors and the
/// other the odd ones.
///
/// # Errors
/// A phone that refuses what it should take.
pub async fn doors(stage: &mut Stage, index: usize, count: usize) -> Played<BTreeMap<DoorKind, usize>> {
    let Some(worker) = stage.team.get_mut(index) else { return Ok(BTreeMap::new()) };
    let mut seeded = worker.seeded.clone();
    worker.seeded = Seeded::new(seeded.bits());
    let own = worker.told(acts::own_doors(worker.device(), worker.grid.id, index).await)?;
    let first = seeded.below(own.len());
    let mut counts = BTreeMap::new();
    let mut acknowledged = Vec::new();
    for dwelling in own.iter().cycle().skip(first).take(count.min(own.len())) {
        let (kind, records) = worker.told(door::knock(worker.device(), &mut seeded, dwelling).await)?;
        *counts.entry(kind).or_default() += 1;
        acknowledged.extend(records);
    }
    stage.keep(index, &acknowledged).await?;
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
