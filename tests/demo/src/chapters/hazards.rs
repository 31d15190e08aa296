//! Hazards: each reported in three calls (snap, category, send), still without a network. Files that cannot be used
//! are refused with a reason, and hold nothing up.

use std::fs;
use std::path::PathBuf;

use gridwalk_device::work::events::{ReportDraft, SentReport, Snapped};
use gridwalk_harness::scene::Hazard;
use gridwalk_model::RecordId;
use gridwalk_model::photo::{PhotoRef, PhotoSource};
use gridwalk_model::records::Event;

use crate::chapters::plan::WORKER;
use crate::error::{DemoError, Played};
use crate::hazard::{self, HAZARDS, attach, context, door, facts, sort_and_send};
use crate::narrate::{Said, said};
use crate::stage::Stage;

/// Everybody reports one hazard with their share of the photos; one photo is left to be sorted later.
///
/// # Errors
/// A phone that refuses what it should take.
pub async fn play(stage: &mut Stage) -> Played<()> {
    stage
        .narrator
        .chapter(&said("隐患上报：拍照、选类别、发送", "Hazards in three taps: snap, category, send"));
    let mut rows = Vec::new();
    let mut refusals = Vec::new();
    for index in 0..stage.team.len() {
        let count = stage.team.len();
        let share: Vec<PathBuf> = stage.input.photos.iter().skip(index).step_by(count).cloned().collect();
        let sent = report(stage, index, share, &mut rows, &mut refusals).await?;
        if index == WORKER {
            stage.case = Some(sent.event);
        }
    }
    let headings = [
        said("手机", "phone"),
        said("文件", "file"),
        said("原件KB", "original KB"),
        said("存储KB", "stored KB"),
        said("尺寸", "size"),
        said("结果", "outcome"),
    ];
    stage.narrator.table(&headings, &rows);
    for refusal in &refusals {
        stage.narrator.say(refusal);
    }
    let refused = stage.tally.refused_files;
    let taken = rows.len().saturating_sub(refusals.len());
    stage.narrator.say(&said(
        format!("照片 {taken} 张已加水印并存入手机；{refused} 个文件被拒绝，原因已说明，不影响其他照片。"),
        format!("{taken} photos are stamped and stored on the phones; {refused} files are refused with a reason and hold up no other."),
    ));
    urgent(stage).await?;
    snap_for_later(stage).await
}

/// A file that was snapped.
struct File {
    taken: Snapped,
    name: String,
    bytes: u64,
}

/// One report with photos: as many files as there are.
async fn report(
    stage: &mut Stage,
    index: usize,
    share: Vec<PathBuf>,
    rows: &mut Vec<Vec<String>>,
    refusals: &mut Vec<Said>,
) -> Played<SentReport> {
    let worker = stage.worker(index)?;
    let door = door(worker, index).await?;
    let mut files: Vec<File> = Vec::new();
    for path in share {
        let original = fs::read(&path).map_err(DemoError::io(path.display().to_string()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = original.len() as u64;
        let (facts, context) = (facts(worker, PhotoSource::Gallery), context(worker, door.as_ref()));
        let draft = files.last().map(|file| file.taken.draft);
        let taken = worker.told(worker.device().snap(original, facts, context, draft).await)?;
        files.push(File { taken, name, bytes });
    }
    let draft = match files.last() {
        Some(file) => file.taken.draft,
        None => {
            let none = ReportDraft {
                area: Some(worker.grid.id),
                dwelling: door.as_ref().map(|(id, _)| *id),
                no_photo_reason: Some("虚构：没有照片".into()),
                ..ReportDraft::default()
            };
            worker.read(move |store, now| store.begin_report(&none, now)).await?
        }
    };
    let (_, sent) = sort_and_send(worker, draft, index, door.and_then(|(_, address)| address)).await?;
    let reasons = attach(stage, index).await?;
    show(stage, index, sent.event, (files, &reasons), (rows, refusals)).await?;
    stage.tally.refused_files += reasons.len() as u64;
    stage.keep(index, &[sent.event]).await?;
    Ok(sent)
}

/// What became of each file: it is in its event, or there is a reason why not.
async fn show(
    stage: &Stage,
    index: usize,
    event: RecordId,
    (files, reasons): (Vec<File>, &[(i64, Said)]),
    (rows, refusals): (&mut Vec<Vec<String>>, &mut Vec<Said>),
) -> Played<()> {
    let worker = stage.worker(index)?;
    let event = worker.told(worker.device().get::<Event>(event).await)?;
    let photos = event.map(|entry| entry.record.photos).unwrap_or_default();
    let kilobytes = |bytes: u64| bytes.div_ceil(1024).to_string();
    let cell = |zh: &str, en: &str| stage.narrator.cell(&said(zh, en));
    for File { taken, name, bytes } in files {
        let photo = photos.get(&taken.element.to_hex()).and_then(|bytes| PhotoRef::from_bytes(bytes).ok());
        let reason = reasons.iter().find(|(capture, _)| *capture == taken.capture).map(|(_, why)| why);
        let mut row = vec![worker.code.clone(), name.clone(), kilobytes(bytes)];
        match (photo, reason) {
            (Some(photo), None) => {
                let pixels = format!("{}×{}", photo.width, photo.height);
                row.extend([kilobytes(photo.bytes), pixels, cell("已加水印", "stamped")]);
            }
            (None, Some(why)) => {
                let (zh, en) = (brief(&why.zh, "，请"), brief(&why.en, "; "));
                refusals.push(said(format!("拒绝 {name}：{zh}"), format!("Refused {name}: {en}")));
                row.extend(["-".into(), "-".into(), cell("拒绝", "refused")]);
            }
            _ => return Err(DemoError::Play(format!("{name} is neither in its event nor refused"))),
        }
        rows.push(row);
    }
    Ok(())
}

/// An urgent report that is still on its phone: the screen says so and offers a call.
async fn urgent(stage: &Stage) -> Played<()> {
    for worker in &stage.team {
        let unsent = worker.told(worker.device().not_sent().await)?;
        let Some(found) = unsent.into_iter().find(|one| one.urgent) else { continue };
        let call = found.call.ok_or_else(|| DemoError::Play("an urgent report offers no call".into()))?;
        let (code, number) = (&worker.code, call.number);
        stage.narrator.say(&said(
            format!("{code} 的“{}”属紧急且未发出：手机提示先打 {number}，短信已拟好。", found.category.zh),
            format!("{code}'s \"{}\" is urgent and NOT SENT: the phone offers to call {number}, with a text message.", found.category.en),
        ));
        return Ok(());
    }
    Err(DemoError::Play("no urgent report waits".into()))
}

/// Snapped in passing, sorted at the end of the shift.
async fn snap_for_later(stage: &mut Stage) -> Played<()> {
    let original = hazard::made_up(stage, "for later", Hazard::BlockedDoor)?;
    let worker = stage.worker(WORKER)?;
    let door = door(worker, WORKER + 2).await?;
    let facts = facts(worker, PhotoSource::Camera);
    let taken = worker.device().snap(original, facts, context(worker, door.as_ref()), None).await;
    worker.told(taken)?;
    stage.narrator.say(&said(
        "W01 路过又拍一张，来不及分类：留在草稿里，下班前再处理。",
        "W01 snaps one more in passing, with no time to sort it: it stays a draft until the end of the shift.",
    ));
    Ok(())
}

/// The end of the shift: what is left as a draft is sorted and sent. Returns the event.
///
/// # Errors
/// A tray that does not hold what was left.
pub async fn send_left_over(stage: &mut Stage) -> Played<RecordId> {
    let worker = stage.worker(WORKER)?;
    let tray = worker.told(worker.device().draft_tray().await)?;
    let [draft] = tray.drafts.as_slice() else {
        return Err(DemoError::Play(format!("{} drafts are left instead of one", tray.drafts.len())));
    };
    let (photos, n) = (draft.photos.len(), draft.n);
    let (_, sent) = sort_and_send(worker, n, 4, None).await?;
    let reasons = attach(stage, WORKER).await?;
    let tray = worker.told(worker.device().draft_tray().await)?;
    if !reasons.is_empty() || !tray.drafts.is_empty() || !tray.loose.is_empty() {
        return Err(DemoError::Play("something is left in the tray of drafts".into()));
    }
    stage.keep(WORKER, &[sent.event]).await?;
    stage.narrator.say(&said(
        format!("下班前的草稿箱：{photos} 张未分类的照片补上类别并发出，编号 {}；草稿箱已空。", sent.number),
        format!("The end-of-shift tray: the photo left to be sorted ({photos}) gets its category and is sent as {}; the tray is empty.", sent.number),
    ));
    Ok(sent.event)
}

/// A colleague comes by the same hazard: the phone hints at the report that is there already, and nothing is sent.
///
/// # Errors
/// A hint that is not given.
pub async fn same_again(stage: &mut Stage, first: usize, other: usize) -> Played<()> {
    let (category, _) = HAZARDS.get(first % HAZARDS.len()).copied().unwrap_or_default();
    let original = hazard::made_up(stage, "the same again", Hazard::FlyingLead)?;
    let door = door(stage.worker(first)?, first).await?;
    let worker = stage.worker(other)?;
    let facts = facts(worker, PhotoSource::Camera);
    let taken = worker.device().snap(original, facts, context(worker, door.as_ref()), None).await;
    let draft = worker.told(taken)?.draft;
    let sorted = worker.told(worker.device().choose_category(draft, category).await)?;
    let near = sorted.near.iter().find(|near| !near.mine);
    let near = near.ok_or_else(|| DemoError::Play("the same hazard twice, and no hint".into()))?;
    let (code, theirs) = (&worker.code, near.number.clone().unwrap_or_default());
    let (metres, days) = (near.near.metres, near.near.days);
    stage.narrator.say(&said(
        format!("{code} 拍到同一隐患，选类别时手机提示：{metres} 米内、{days} 天前已有上报 {theirs}；不再重复上报。"),
        format!("{code} snaps the same hazard; choosing the category, the phone hints at {theirs}, {metres} m away and {days} days old. It is not reported twice."),
    ));
    let gone = worker.read(move |store, now| {
        store.discard_draft(draft, now)?;
        for photo in store.draft(draft)?.photos {
            store.remove_capture(photo.capture)?;
        }
        Ok(())
    });
    gone.await
}

/// What is wrong, without the advice that follows.
fn brief<'t>(reason: &'t str, advice: &str) -> &'t str {
    reason.split_once(advice).map_or(reason, |(wrong, _)| wrong)
}
