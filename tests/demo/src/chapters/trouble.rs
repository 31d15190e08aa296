//! What goes wrong now and then, played on request after the account: the console shows it to officers.

use std::fs;

use gridwalk_device::work::events::ReportDraft;
use gridwalk_harness::flaky::Weather;
use gridwalk_harness::phone::Phone;
use gridwalk_model::RecordId;
use gridwalk_model::records::Dwelling;

use crate::acts;
use crate::cast::Worker;
use crate::error::{DemoError, Played};
use crate::hazard;
use crate::narrate::said;
use crate::stage::Stage;

/// Who does what, counted from 0.
const STRAYS: usize = 2;
const NEIGHBOUR: usize = 5;
const UNLUCKY: usize = 1;
const BUSY: usize = 3;
/// More events than the console shows on a page.
const REPORTS: u32 = 46;
/// Every connection is cut long before a photo is through.
const CELLAR: Weather = Weather::Bad { drop: 0.0, cut: 1.0, cut_within: 40_000, crumb: 1_400 };
/// Attempts to bring an event through, and attempts on its photo after that.
const TRIES: u32 = 12;
const PHOTO_TRIES: u32 = 4;

/// Plays it.
///
/// # Errors
/// A phone or a server that takes what it should not, or the reverse.
pub async fn play(stage: &mut Stage) -> Played<()> {
    stage.narrator.chapter(&said(
        "加演：出了岔子，管理台看得见",
        "Encore: what goes wrong, and how the console shows it",
    ));
    for worker in &stage.team {
        worker.network.set(Weather::Clear);
    }
    many_reports(stage).await?;
    foreign_grid(stage).await?;
    code_used_twice(stage).await?;
    unfinished_photo(stage).await
}

/// Somebody enters a door in a grid that is not theirs: the server keeps it, with the reason, and takes none of it.
async fn foreign_grid(stage: &mut Stage) -> Played<()> {
    let foreign = stage.worker(NEIGHBOUR)?.grid.id;
    let worker = stage.worker(STRAYS)?;
    let own = worker.grid.id;
    let doors = worker.read(move |store, _| acts::dwellings_of(store, own)).await?;
    let door = doors.into_iter().next().ok_or_else(|| DemoError::Play("a grid without doors".into()))?;
    let stray = Dwelling { area: foreign, room: Some("虚构9999".into()), ..door.record };
    worker.told(worker.device().create(stray).await)?;
    worker.phone.settle(TRIES).await?;
    let refused = worker.status().await?.totals.refused;
    if refused == 0 {
        return Err(DemoError::Play("a door in a foreign grid was taken".into()));
    }
    stage.narrator.say(&said(
        format!("W03 把一户登记到别人的网格：{refused} 项未被接受，原因在手机和管理台都能看到，内容原样保存。"),
        format!("W03 enters a door in a foreign grid: {refused} edits are refused; phone and console say why, and keep them."),
    ));
    Ok(())
}

/// A second phone tries the enrolment code of the first: it stays outside, and there is an alarm.
async fn code_used_twice(stage: &Stage) -> Played<()> {
    let code = stage.office.enrolment_code(stage.worker(0)?.user)?;
    let url = stage.url();
    let spare = Phone::enrol("备用手机", &stage.home.join("spare"), &url, &code).await?;
    let stranger = Phone::enrol("陌生手机", &stage.home.join("stranger"), &url, &code).await;
    if stranger.is_ok() {
        return Err(DemoError::Play("a code enrolled two phones".into()));
    }
    spare.settle(TRIES).await?;
    spare.close().await?;
    stage.narrator.say(&said(
        "同一个登记码被第二部手机使用：没有登记成功，管理台出现警报。",
        "A second phone offers the code of the first: it stays outside, and the console shows an alarm.",
    ));
    Ok(())
}

/// An event arrives, its photo does not yet.
async fn unfinished_photo(stage: &mut Stage) -> Played<()> {
    let area = stage.worker(UNLUCKY)?.grid.id;
    let event = report(stage, UNLUCKY, area, 91).await?;
    let sound = stage.input.photos.iter().filter(|path| path.extension().is_some_and(|kind| kind == "jpg"));
    let paths: Vec<_> = sound.cloned().collect();
    for path in paths {
        let original = fs::read(&path).map_err(DemoError::io(path.display().to_string()))?;
        if hazard::add(stage, UNLUCKY, event, original).await?.is_ok() {
            break;
        }
    }
    let worker = stage.worker(UNLUCKY)?;
    worker.network.set(CELLAR);
    for _ in 0..TRIES {
        worker.phone.settle(1).await?;
        let waiting = worker.status().await?.totals;
        if waiting.changes.count == 0 && waiting.previews.count == 0 {
            break;
        }
    }
    all_arrived(worker).await?;
    worker.phone.settle(PHOTO_TRIES).await?;
    let waiting = worker.status().await?.totals.photos.count;
    stage.narrator.say(&said(
        format!("W02 在地下室：事件已送达，还有 {waiting} 张照片没有传完，断点续传。"),
        format!("W02 in a cellar: the event has arrived; photos still to come: {waiting}. They go on where they were cut."),
    ));
    Ok(())
}

/// A busy day in one grid.
async fn many_reports(stage: &mut Stage) -> Played<()> {
    let area = stage.worker(BUSY)?.grid.id;
    for sequence in 0..REPORTS {
        report(stage, BUSY, area, 10 + sequence).await?;
    }
    let worker = stage.worker(BUSY)?;
    worker.phone.settle(TRIES).await?;
    all_arrived(worker).await?;
    stage.narrator.say(&said(
        format!("W04 又上报了 {REPORTS} 件事件。"),
        format!("W04 reports {REPORTS} more events."),
    ));
    Ok(())
}

/// Nothing that was reported may still be on its phone when the console is looked at.
async fn all_arrived(worker: &Worker) -> Played<()> {
    match worker.status().await?.totals.changes.count {
        0 => Ok(()),
        waiting => Err(DemoError::Play(format!("{waiting} changes of {} did not arrive", worker.code))),
    }
}

async fn report(stage: &Stage, index: usize, area: RecordId, sequence: u32) -> Played<RecordId> {
    let turn = usize::try_from(sequence).unwrap_or(0) % hazard::HAZARDS.len();
    let (category, description) = hazard::HAZARDS.get(turn).copied().unwrap_or_default();
    let report = ReportDraft {
        category: Some(category.to_owned()),
        description: Some(description.to_owned()),
        area: Some(area),
        address: Some(format!("虚构路 {sequence} 号")),
        ..ReportDraft::default()
    };
    hazard::send_plain(stage, index, report).await
}
