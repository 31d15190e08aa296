//! The tray: something that the server does not accept is explained in plain words, put right and sent again.

use std::collections::BTreeMap;

use gridwalk_device::work::tray::{Settlement, TrayKey};
use gridwalk_harness::browser::Browser;
use gridwalk_harness::flaky::Weather;
use gridwalk_harness::server::ServerProcess;
use gridwalk_model::RecordId;
use gridwalk_model::due::DueKind;
use gridwalk_model::policy::Role;
use gridwalk_model::records::Place;

use crate::acts::field;
use crate::cast::Grid;
use crate::chapters::today;
use crate::error::{DemoError, Played};
use crate::narrate::said;
use crate::stage::Stage;

/// Who crosses the street, counted from 0.
const STRAYS: usize = 4;
/// Attempts to bring something through.
const TRIES: u32 = 12;

/// Plays the refusal.
///
/// # Errors
/// A refusal that is not explained or cannot be put right.
pub async fn play(stage: &mut Stage) -> Played<()> {
    stage
        .narrator
        .chapter(&said("待处理箱：一次未被接受的提交", "The tray: something that was not accepted"));
    let own = stage.worker(STRAYS)?.grid.clone();
    let Some(foreign) = foreign(stage, &own)? else {
        stage.narrator.say(&said(
            "只有一个网格，没有别人的网格可走错。",
            "There is one grid only, and none to stray into.",
        ));
        return Ok(());
    };
    let place = enter(stage, foreign).await?;
    let worker = stage.worker(STRAYS)?;
    let tray = worker.told(worker.device().tray().await)?;
    let item = tray.into_iter().find(|item| item.key == TrayKey::NewRefused { record: place });
    let item = item.ok_or_else(|| DemoError::Play("a shop in a foreign grid was taken".into()))?;
    if !today::has(&today::read(worker).await?, DueKind::Returned, place) {
        return Err(DemoError::Play("what was refused is not on today's list".into()));
    }
    let acts = |of: fn(gridwalk_model::describe::Words) -> String| {
        item.acts.iter().map(|act| of(act.words())).collect::<Vec<_>>().join(" / ")
    };
    let (name, zh, en) = (&item.title.zh, &item.explanation.zh, &item.explanation.en);
    stage.narrator.say(&said(
        format!("W05 把“{name}”登记到了马路对面的网格。{zh}〔{}〕", acts(|words| words.zh)),
        format!("W05 enters \"{name}\" in the grid across the street. {en} [{}]", acts(|words| words.en)),
    ));
    worker.phone.set_online(false)?;
    let again = Settlement::SendAgain(field("area", own.id));
    worker.told(worker.device().settle(item.key, again).await)?;
    stage.keep(STRAYS, &[]).await?;
    sync(stage).await?;
    let held = stage.office.changes_of(place)?.len();
    let refused = stage.worker(STRAYS)?.status().await?.totals.refused;
    if held == 0 || refused > 0 {
        return Err(DemoError::Play("what was put right did not arrive".into()));
    }
    settle_at_office(stage)?;
    stage.narrator.say(&said(
        "W05 改成自己的网格，重新提交：已送达。管理台上的这条被拒修改由网格长核对后办结。",
        "W05 puts its own grid in and sends it again: it arrives. On the console the refused change is marked as dealt with.",
    ));
    Ok(())
}

/// A grid that the worker does not hold: the lowest level of areas has the longest codes.
fn foreign(stage: &Stage, own: &Grid) -> Played<Option<RecordId>> {
    let areas = stage.office.areas()?;
    let held: Vec<RecordId> = stage.team.iter().map(|worker| worker.grid.id).collect();
    let mut grids = areas
        .into_iter()
        .filter(|(code, area)| code.len() == own.code.len() && area.id != own.id && !held.contains(&area.id));
    let nobodys = grids.next().map(|(_, area)| area.id);
    Ok(nobodys.or_else(|| held.into_iter().find(|grid| *grid != own.id)))
}

/// The worker enters a shop there, and the server answers.
async fn enter(stage: &mut Stage, area: RecordId) -> Played<RecordId> {
    let shop = Place {
        area,
        name: "虚构便利店".into(),
        category: "shop".into(),
        address: Some("虚构路 2 号".into()),
        dwelling: None,
        organization: None,
        manager: None,
        phone: None,
        position: None,
        inspection_interval_days: None,
        closed: None,
        source_keys: BTreeMap::new(),
        remarks: None,
    };
    // What is going to be refused is promised to nobody: whatever else waits is written down first.
    stage.keep(STRAYS, &[]).await?;
    let worker = stage.worker(STRAYS)?;
    let place = worker.told(worker.device().create(shop).await)?;
    sync(stage).await?;
    Ok(place)
}

async fn sync(stage: &Stage) -> Played<()> {
    let worker = stage.worker(STRAYS)?;
    worker.network.set(Weather::Clear);
    worker.phone.set_online(true)?;
    worker.phone.settle(TRIES).await?;
    Ok(())
}

/// Somebody at the office looks at the refused change in the console.
fn settle_at_office(stage: &Stage) -> Played<()> {
    let server = stage.server.as_ref().map(ServerProcess::address);
    let server = server.ok_or_else(|| DemoError::Play("no server".into()))?;
    let leader = stage.office.add_person("钱小申（虚构）", &[Role::GridLeader], None)?;
    stage.office.assign(leader, stage.worker(STRAYS)?.grid.id)?;
    let mut browser = Browser::new(server);
    browser.sign_in(&stage.office.signin_link(leader)?, "leader")?;
    let page = browser.get("/refused")?;
    let wrong = || DemoError::Play("the console does not offer to settle a refused change".into());
    let csrf = page.hidden("csrf").ok_or_else(wrong)?;
    let (_, after) = page.body.split_once("action=\"/refused/").ok_or_else(wrong)?;
    let (no, _) = after.split_once('/').ok_or_else(wrong)?;
    let answer = browser.post(&format!("/refused/{no}/settle"), &[("csrf", csrf)])?;
    if answer.status == 303 { Ok(()) } else { Err(wrong()) }
}
