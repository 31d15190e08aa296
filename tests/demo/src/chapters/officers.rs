//! The other side: officers accept, dispatch, handle and close a case in the console, and its way comes back to the
//! phone of the one who reported it.

use gridwalk_device::DeviceError;
use gridwalk_device::work::events::{SiteClaim, SiteVerification};
use gridwalk_harness::browser::{Browser, Page};
use gridwalk_harness::flaky::Weather;
use gridwalk_harness::server::ServerProcess;
use gridwalk_model::RecordId;
use gridwalk_model::due::DueKind;
use gridwalk_model::event::{EventRules, Folded, State, fold, read_log};
use gridwalk_model::policy::Role;
use gridwalk_model::records::Event;

use crate::cast::Worker;
use crate::chapters::today;
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
    let event = stage.case.ok_or_else(|| DemoError::Play("nobody reported anything".into()))?;
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

/// What a phone makes of an event's log.
async fn folded(worker: &Worker, event: RecordId) -> Played<Folded> {
    let fields = worker.read(move |store, _| store.fields(event)).await?;
    let (entries, _) = read_log(&fields.map(|(_, fields)| fields).unwrap_or_default());
    Ok(fold(&entries, &EventRules::default()))
}

/// The reporter looks at the spot, without a network. From afar it does not count; at the door it does.
async fn verify(stage: &mut Stage, event: RecordId) -> Played<()> {
    let worker = stage.worker(REPORTER)?;
    worker.phone.set_online(false)?;
    let due = today::has(&today::read(worker).await?, DueKind::SiteVerification, event);
    let dwelling =
        worker.told(worker.device().get::<Event>(event).await)?.and_then(|one| one.record.dwelling);
    let seen = |open_dwelling, reason| SiteVerification {
        claim: SiteClaim { open_dwelling, reason, ..SiteClaim::default() },
        still_wrong: None,
        note: Some("虚构：已清理".into()),
        photos: Vec::new(),
    };
    let afar = worker.device().verify_on_site(event, seen(None, None)).await;
    if !due || !matches!(afar, Err(DeviceError::NotOnSite { .. })) {
        return Err(DemoError::Play("a verification is not asked for, or is taken from afar".into()));
    }
    let reason = dwelling.is_none().then(|| "虚构：现场没有标识".to_owned());
    worker.told(worker.device().verify_on_site(event, seen(dwelling, reason)).await)?;
    stage.keep(REPORTER, &[event]).await
}
