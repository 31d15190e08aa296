//! Hazards: each reported in three calls (snap, category, send), still without a network. Files that cannot be used
//! are refused with a reason, and hold nothing up.

use std::fs;
use std::path::PathBuf;

use gridwalk_device::DeviceError;
use gridwalk_device::photo::CaptureFacts;
use gridwalk_device::work::events::{ReportDraft, SentReport, SnapContext, Sorted};
use gridwalk_harness::photos;
use gridwalk_harness::scene::Hazard;
use gridwalk_harness::seeded::Seeded;
use gridwalk_model::RecordId;
use gridwalk_model::photo::{PhotoRef, PhotoRole, PhotoSource};
use gridwalk_model::records::{Dwelling, Event};

use crate::acts;
use crate::cast::Worker;
use crate::chapters::plan::WORKER;
use crate::error::{DemoError, Played};
use crate::narrate::{Said, said};
use crate::stage::Stage;

/// What is reported, in turn: category of the starter table and the worker's words.
pub const HAZARDS: [(&str, &str); 6] = [
    ("hallway_clutter", "虚构：楼道堆放纸箱，影响通行"),
    ("manhole_cover", "虚构：小区路口井盖破损"),
    ("ebike_charging", "虚构：电动自行车从窗户引线充电"),
    ("waste_pile", "虚构：垃圾桶旁堆积杂物"),
    ("fire_equipment", "虚构：灭火器压力不足"),
    ("street_light", "虚构：路灯不亮"),
];

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

/// One report with photos: as many files as there are.
async fn report(
    stage: &mut Stage,
    index: usize,
    share: Vec<PathBuf>,
    rows: &mut Vec<Vec<String>>,
    refusals: &mut Vec<Said>,
) -> Played<SentReport> {
    let mut snapped = Vec::new();
    let mut draft = None;
    let door = door(stage.worker(index)?, index).await?;
    for path in share {
        let original = fs::read(&path).map_err(DemoError::io(path.display().to_string()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let size = original.len() as u64;
        let worker = stage.worker(index)?;
        let facts = facts(worker, PhotoSource::Gallery);
        let taken = worker.device().snap(original, facts, context(worker, door.as_ref()), draft).await;
        let taken = worker.told(taken)?;
        draft = Some(taken.draft);
        snapped.push((taken, name, size));
    }
    let worker = stage.worker(index)?;
    let draft = match draft {
        Some(draft) => draft,
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
    let worker = stage.worker(index)?;
    let event = worker.told(worker.device().get::<Event>(sent.event).await)?;
    let photos = event.map(|entry| entry.record.photos).unwrap_or_default();
    for (taken, name, size) in snapped {
        let kilobytes = |bytes: u64| bytes.div_ceil(1024).to_string();
        let photo = photos.get(&taken.element.to_hex()).and_then(|bytes| PhotoRef::from_bytes(bytes).ok());
        let reason = reasons.iter().find(|(capture, _)| *capture == taken.capture).map(|(_, why)| why);
        let cell = |zh: &str, en: &str| stage.narrator.cell(&said(zh, en));
        let code = stage.worker(index)?.code.clone();
        let row = match (photo, reason) {
            (Some(photo), None) => {
                let (stored, pixels) = (kilobytes(photo.bytes), format!("{}×{}", photo.width, photo.height));
                vec![code, name, kilobytes(size), stored, pixels, cell("已加水印", "stamped")]
            }
            (None, Some(why)) => {
                let (zh, en) = (brief(&why.zh, "，请"), brief(&why.en, "; "));
                refusals.push(said(format!("拒绝 {name}：{zh}"), format!("Refused {name}: {en}")));
                vec![code, name, kilobytes(size), "-".into(), "-".into(), cell("拒绝", "refused")]
            }
            _ => return Err(DemoError::Play(format!("{name} is neither in its event nor refused"))),
        };
        rows.push(row);
    }
    stage.tally.refused_files += reasons.len() as u64;
    stage.keep(index, &[sent.event]).await?;
    Ok(sent)
}

/// The second and third call: what it is about, in the worker's words, and off it goes.
async fn sort_and_send(
    worker: &Worker,
    draft: i64,
    index: usize,
    address: Option<String>,
) -> Played<(Sorted, SentReport)> {
    let device = worker.device();
    let (category, description) = HAZARDS.get(index % HAZARDS.len()).copied().unwrap_or_default();
    let sorted = worker.told(device.choose_category(draft, category).await)?;
    let tray = worker.told(device.draft_tray().await)?;
    let begun = tray.drafts.into_iter().find(|begun| begun.n == draft);
    let begun = begun.ok_or_else(|| DemoError::Play("a draft is not in the tray".into()))?;
    let report = ReportDraft { description: Some(description.to_owned()), address, ..begun.report };
    worker.told(device.save_draft(draft, report).await)?;
    Ok((sorted, worker.told(device.send_report(draft).await)?))
}

/// Prepares and attaches what was snapped. A file that cannot be used is asked for its reason and thrown away.
async fn attach(stage: &Stage, index: usize) -> Played<Vec<(i64, Said)>> {
    let worker = stage.worker(index)?;
    worker.told(worker.device().attach_report_photos(stage.font.clone()).await)?;
    let mut reasons = Vec::new();
    for left in worker.read(|store, _| store.photos_to_attach()).await? {
        let again = worker.device().attach_journaled(left.capture, left.record, stage.font.clone()).await;
        match again {
            Err(DeviceError::Photo(error)) => {
                reasons.push((left.capture, said(error.zh(), error.to_string())))
            }
            again => {
                worker.told(again)?;
                return Err(DemoError::Play("a photo that was left out can be used after all".into()));
            }
        }
        worker.read(move |store, _| store.remove_capture(left.capture)).await?;
    }
    Ok(reasons)
}

/// A door of the worker's grid, with where it is in words.
async fn door(worker: &Worker, index: usize) -> Played<Option<(RecordId, Option<String>)>> {
    let area = worker.grid.id;
    let doors = worker.read(move |store, _| acts::dwellings_of(store, area)).await?;
    let at = (index * 3) % doors.len().max(1);
    Ok(doors.into_iter().nth(at).map(|entry| (entry.id, address_of(&entry.record))))
}

fn context(worker: &Worker, door: Option<&(RecordId, Option<String>)>) -> SnapContext {
    SnapContext { area: Some(worker.grid.id), dwelling: door.map(|(dwelling, _)| *dwelling), place: None }
}

/// What the phone's shell knows when the shutter is released.
fn facts(worker: &Worker, source: PhotoSource) -> CaptureFacts {
    CaptureFacts {
        role: PhotoRole::Before,
        source,
        mock_location: Some(false),
        grid_name: Some(worker.grid.name.clone()),
        grid_code: Some(worker.grid.code.clone()),
        ..CaptureFacts::camera(worker.device().now(), worker.code.clone())
    }
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
    let original = made_up(stage, "for later", Hazard::BlockedDoor)?;
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
    let original = made_up(stage, "the same again", Hazard::FlyingLead)?;
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

fn made_up(stage: &Stage, what: &str, hazard: Hazard) -> Played<Vec<u8>> {
    let mut seeded = Seeded::for_subject(stage.seed, what);
    Ok(photos::jpeg(&mut seeded, (1_600, 1_200), hazard, None)?)
}

/// A report without a photo, in the fewest calls.
///
/// # Errors
/// A phone that refuses what it should take.
pub async fn send_plain(stage: &Stage, index: usize, report: ReportDraft) -> Played<RecordId> {
    let worker = stage.worker(index)?;
    let draft = worker.read(move |store, now| store.begin_report(&report, now)).await?;
    Ok(worker.told(worker.device().send_report(draft).await)?.event)
}

/// A worker reports a hazard of [`HAZARDS`] at one of their doors, without a photo.
///
/// # Errors
/// As [`send_plain`].
pub async fn report_at_door(stage: &Stage, index: usize, hazard: usize) -> Played<RecordId> {
    let worker = stage.worker(index)?;
    let door = door(worker, index).await?;
    let (category, description) = HAZARDS.get(hazard % HAZARDS.len()).copied().unwrap_or_default();
    let report = ReportDraft {
        category: Some(category.to_owned()),
        description: Some(description.to_owned()),
        area: Some(worker.grid.id),
        dwelling: door.as_ref().map(|(dwelling, _)| *dwelling),
        address: door.and_then(|(_, address)| address),
        ..ReportDraft::default()
    };
    send_plain(stage, index, report).await
}

/// Where a dwelling is, as a phone fills it into a report.
fn address_of(dwelling: &Dwelling) -> Option<String> {
    let Dwelling { building, unit, room, address, .. } = dwelling;
    let parts: Vec<&str> = [building, unit, room].into_iter().filter_map(|part| part.as_deref()).collect();
    address.clone().or_else(|| (!parts.is_empty()).then(|| parts.join(" ")))
}

/// What is wrong, without the advice that follows.
fn brief<'t>(reason: &'t str, advice: &str) -> &'t str {
    reason.split_once(advice).map_or(reason, |(wrong, _)| wrong)
}

/// Adds a photo to an event that exists. The inner error is a refusal with its reason, in both languages.
///
/// # Errors
/// Anything but a refusal.
pub async fn add(
    stage: &Stage,
    index: usize,
    event: RecordId,
    original: Vec<u8>,
) -> Played<Result<(), (String, String)>> {
    let worker = stage.worker(index)?;
    let entry = worker.told(worker.device().get::<Event>(event).await)?;
    let (position, number) =
        entry.map(|entry| (entry.record.position, entry.record.number)).unwrap_or_default();
    let facts = CaptureFacts {
        position,
        event_number: number,
        record: Some(event),
        ..facts(worker, PhotoSource::Gallery)
    };
    match worker.device().add_photo(event, original, facts, stage.font.clone()).await {
        Ok(_) => Ok(Ok(())),
        Err(DeviceError::Photo(error)) => Ok(Err((error.zh(), error.to_string()))),
        Err(error) => Err(worker.phone.failed()(error).into()),
    }
}

/// The photos of an event as a phone shows them.
///
/// # Errors
/// Failures of the store.
pub async fn photos_of(worker: &Worker, event: RecordId) -> Played<usize> {
    let entry = worker.told(worker.device().get::<Event>(event).await)?;
    Ok(entry.map_or(0, |entry| entry.record.photos.len()))
}
