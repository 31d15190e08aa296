//! The other side: officers accept, dispatch, handle and close a case in the console, and its way comes back to the
//! phone of the one who reported it.

use gridwalk_harness::browser::{Browser, Page};
use gridwalk_harness::flaky::Weather;
use gridwalk_harness::server::ServerProcess;
use gridwalk_model::event::{Action, EventRules, Folded, LogEntry, Presence, State, fold, read_log};
use gridwalk_model::policy::Role;
use gridwalk_model::{Fields, RecordId};

use crate::cast::Worker;
use crate::error::{DemoError, Played};
use crate::narrate::said;
use crate::stage::Stage;

/// Who reported the case, counted from 0.
const REPORTER: usize = 0;

/// The people at desks.
struct Desks {
    centre: Browser,
    team: Browser,
    /// The unit of the team.
    team_unit: RecordId,
}

/// Plays a case from report to close.
///
/// # Errors
/// A console that does not offer what the workflow allows, a phone that is not told.
pub async fn play(stage: &mut Stage) -> Played<()> {
    stage
        .narrator
        .chapter(&said("管理台：一件隐患从上报到结案", "The console: one case from report to close"));
    let event = reported_by(stage.worker(REPORTER)?).await?;
    let mut desks = hire(stage)?;
    let unit = desks.team_unit.to_string();
    act(&mut desks.centre, event, "accept", &[])?;
    tell(stage, event, "中心受理", "The centre accepts").await?;
    act(&mut desks.centre, event, "dispatch", &[("unit", &unit), ("note", "虚构：请今天到场")])?;
    act(&mut desks.team, event, "sign_for", &[])?;
    tell(stage, event, "派遣给维护队，维护队签收", "It goes to a team, which signs for it").await?;
    let result = [("result", "虚构：已清理完毕"), ("reason", "虚构：现场无法拍照")];
    act(&mut desks.team, event, "rectify", &result)?;
    tell(stage, event, "维护队处置完成", "The team puts it right").await?;
    verify(stage, event).await?;
    tell(stage, event, "W01 离线到现场核查，联网后上报", "W01 checks it on site without a network").await?;
    act(&mut desks.centre, event, "close", &[])?;
    let folded = tell(stage, event, "中心结案", "The centre closes it").await?;
    if folded.state != State::Closed {
        return Err(DemoError::Play(format!("the case ends as {}", folded.state.en())));
    }
    Ok(())
}

/// An event that the worker reported.
async fn reported_by(worker: &Worker) -> Played<RecordId> {
    let user = worker.user;
    let found = worker
        .read(move |store, _| {
            let events = crate::acts::all::<gridwalk_model::records::Event>(store)?;
            Ok(events.into_iter().find(|entry| entry.record.reporter == Some(user)).map(|entry| entry.id))
        })
        .await?;
    found.ok_or_else(|| DemoError::Play("nobody reported anything".into()))
}

/// Two units and their people, who sign in to the console with one-time links.
fn hire(stage: &Stage) -> Played<Desks> {
    let server = stage
        .server
        .as_ref()
        .map(ServerProcess::address)
        .ok_or_else(|| DemoError::Play("no server".into()))?;
    let office = &stage.office;
    let centre_unit = office.add_unit("社会治理中心（虚构）")?;
    let team_unit = office.add_unit("市政维护队（虚构）")?;
    let dispatcher = office.add_person("孙小壬（虚构）", &[Role::Dispatcher], Some(centre_unit))?;
    let handler = office.add_person("吴小癸（虚构）", &[Role::Handler], Some(team_unit))?;
    for worker in &stage.team {
        office.assign(dispatcher, worker.grid.id)?;
    }
    let sign_in = |person, login: &str| -> Played<Browser> {
        let mut browser = Browser::new(server);
        browser.sign_in(&office.signin_link(person)?, login)?;
        Ok(browser)
    };
    Ok(Desks { centre: sign_in(dispatcher, "centre")?, team: sign_in(handler, "team")?, team_unit })
}

/// Does an act with the form that the page offers.
fn act(browser: &mut Browser, event: RecordId, action: &str, more: &[(&str, &str)]) -> Played<()> {
    let page = browser.get(&format!("/events/{event}"))?;
    let wrong = |page: &Page| DemoError::Play(format!("the console answers {} to {action}", page.status));
    let (Some(csrf), Some(seen)) = (page.hidden("csrf"), page.hidden("seen")) else {
        return Err(wrong(&page));
    };
    let mut fields = vec![("csrf", csrf), ("seen", seen), ("action", action)];
    fields.extend(more);
    let answer = browser.post(&format!("/events/{event}/acts"), &fields)?;
    if answer.status == 303 { Ok(()) } else { Err(wrong(&answer)) }
}

/// Synchronises the reporter's phone and says what it shows now.
async fn tell(stage: &Stage, event: RecordId, zh: &str, en: &str) -> Played<Folded> {
    let worker = stage.worker(REPORTER)?;
    worker.network.set(Weather::Clear);
    worker.phone.set_online(true)?;
    worker.phone.settle(6).await?;
    let folded = folded(worker, event).await?;
    let state = &folded.state;
    stage.narrator.say(&said(
        format!("{zh} → {} 手机显示：{}", worker.code, state.zh()),
        format!("{en} → {}'s phone shows: {}", worker.code, state.en()),
    ));
    Ok(folded)
}

async fn folded(worker: &Worker, event: RecordId) -> Played<Folded> {
    let (entries, _) = read_log(&fields_of(worker, event).await?);
    Ok(fold(&entries, &EventRules::default()))
}

async fn fields_of(worker: &Worker, event: RecordId) -> Played<Fields> {
    worker.read(move |store, _| Ok(store.fields(event)?.map(|(_, fields)| fields).unwrap_or_default())).await
}

/// The reporter looks at the spot, without a network.
async fn verify(stage: &mut Stage, event: RecordId) -> Played<()> {
    let Stage { team, promises, .. } = stage;
    let Some(worker) = team.get(REPORTER) else { return Ok(()) };
    worker.phone.set_online(false)?;
    let last = folded(worker, event).await?.entries.last().map(|judged| judged.id);
    let user = worker.user;
    worker
        .act(promises, move |acting| {
            let (id, now) = acting.stamp()?;
            let mut entry = LogEntry::new(id, last, now, user, Action::Verify);
            entry.presence = Some(Presence::SameDwelling);
            acting.set(event, &entry.key(), entry.to_value())
        })
        .await?;
    Ok(())
}
