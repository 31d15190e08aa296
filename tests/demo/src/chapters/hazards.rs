//! Hazards: events with photos, still without a network. Files that cannot be taken are refused with a reason.

use std::fs;
use std::path::{Path, PathBuf};

use gridwalk_device::DeviceError;
use gridwalk_device::photo::CaptureFacts;
use gridwalk_model::geo::Position;
use gridwalk_model::photo::{PhotoRef, PhotoRole, PhotoSource};
use gridwalk_model::records::{Dwelling, Event};
use gridwalk_model::{RecordId, Value};

use crate::acts::{self, HazardReport};
use crate::cast::Worker;
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

/// Everybody reports one hazard with their share of the photos.
///
/// # Errors
/// A phone that refuses what it should take.
pub async fn play(stage: &mut Stage) -> Played<()> {
    stage.narrator.chapter(&said("隐患上报与照片", "Hazards and their photos"));
    let mut rows = Vec::new();
    let mut refusals = Vec::new();
    for index in 0..stage.team.len() {
        let count = stage.team.len();
        let share: Vec<PathBuf> = stage.input.photos.iter().skip(index).step_by(count).cloned().collect();
        let event = report(stage, index).await?;
        for path in share {
            let (row, refusal) = take(stage, index, event, &path).await?;
            rows.push(row);
            refusals.extend(refusal);
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
    let (taken, refused) = (stage.tally.photos.len(), stage.tally.refused_files);
    stage.narrator.say(&said(
        format!("照片 {taken} 张已加水印并存入手机；{refused} 个文件被拒绝，原件未动。"),
        format!("{taken} photos are stamped and stored on the phones; {refused} files are refused and left as they were."),
    ));
    Ok(())
}

/// A worker reports a hazard at one of their doors.
///
/// # Errors
/// A phone that refuses what it should take.
pub async fn report(stage: &mut Stage, index: usize) -> Played<RecordId> {
    let Stage { team, promises, .. } = stage;
    let worker = team.get(index).ok_or_else(|| DemoError::Play("nobody reports".into()))?;
    let area = worker.grid.id;
    let door = worker
        .read(move |store, _| {
            let dwellings = acts::dwellings_of(store, area)?;
            let door = dwellings.into_iter().nth(index * 3);
            Ok(door.map(|entry| (entry.id, entry.record.position, address_of(&entry.record))))
        })
        .await?;
    let (category, description) = HAZARDS.get(index % HAZARDS.len()).copied().unwrap_or_default();
    let code = worker.code.clone();
    worker
        .act(promises, move |acting| {
            acting.report_hazard(&HazardReport {
                area,
                category,
                description,
                position: door.as_ref().and_then(|(_, position, _)| *position),
                dwelling: door.as_ref().map(|(dwelling, ..)| *dwelling),
                address: door.and_then(|(.., address)| address),
                worker_code: &code,
                sequence: 1,
            })
        })
        .await
}

/// Where a dwelling is, as a phone fills it into a report.
fn address_of(dwelling: &Dwelling) -> Option<String> {
    let Dwelling { building, unit, room, address, .. } = dwelling;
    let parts: Vec<&str> = [building, unit, room].into_iter().filter_map(|part| part.as_deref()).collect();
    address.clone().or_else(|| (!parts.is_empty()).then(|| parts.join(" ")))
}

/// A worker adds a file to an event. Returns a row of the table, and why it was refused.
async fn take(
    stage: &mut Stage,
    index: usize,
    event: RecordId,
    path: &Path,
) -> Played<(Vec<String>, Option<Said>)> {
    let original = fs::read(path).map_err(DemoError::io(path.display().to_string()))?;
    let kilobytes = |bytes: u64| bytes.div_ceil(1024).to_string();
    let (name, size) =
        (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), original.len() as u64);
    let code = stage.worker(index)?.code.clone();
    let outcome = add(stage, index, event, original).await?;
    let cell = |zh: &str, en: &str| stage.narrator.cell(&said(zh, en));
    Ok(match outcome {
        Ok(photo) => {
            let stored = kilobytes(photo.bytes);
            let size_px = format!("{}×{}", photo.width, photo.height);
            (vec![code, name, kilobytes(size), stored, size_px, cell("已加水印", "stamped")], None)
        }
        Err((zh, en)) => {
            let row =
                vec![code, name.clone(), kilobytes(size), "-".into(), "-".into(), cell("拒绝", "refused")];
            stage.tally.refused_files += 1;
            let (zh, en) = (brief(&zh, "，请"), brief(&en, "; "));
            (row, Some(said(format!("拒绝 {name}：{zh}"), format!("Refused {name}: {en}"))))
        }
    })
}

/// What is wrong, without the advice that follows.
fn brief<'t>(reason: &'t str, advice: &str) -> &'t str {
    reason.split_once(advice).map_or(reason, |(wrong, _)| wrong)
}

/// Adds a photo to an event on a phone. The inner error is a refusal with its reason, in both languages.
///
/// # Errors
/// Anything but a refusal.
pub async fn add(
    stage: &mut Stage,
    index: usize,
    event: RecordId,
    original: Vec<u8>,
) -> Played<Result<PhotoRef, (String, String)>> {
    let font = stage.font.clone();
    let worker = stage.worker(index)?;
    let facts = facts(worker, event).await?;
    let outcome = worker.phone.device().add_photo(event, original, facts, font).await;
    let element = match outcome {
        Ok(element) => element,
        Err(DeviceError::Photo(error)) => return Ok(Err((error.zh(), error.to_string()))),
        Err(error) => return Err(worker.phone.failed()(error).into()),
    };
    let key = format!("photos/{}", element.to_hex());
    let (at, device) = (key.clone(), worker.device);
    let bytes = worker
        .read(move |store, _| {
            let fields = store.fields(event)?.map(|(_, fields)| fields).unwrap_or_default();
            Ok(match fields.get(&at) {
                Some(Value::Bytes(bytes)) => bytes.clone(),
                _ => Vec::new(),
            })
        })
        .await?;
    let photo = PhotoRef::from_bytes(&bytes)
        .map_err(|_| DemoError::Play("a photo that was taken is not in its event".into()))?;
    stage.promises.note(device, vec![(event, key, Value::Bytes(bytes))]);
    stage.tally.photos.insert(photo.hash);
    stage.tally.media.insert(photo.hash);
    stage.tally.media.extend(photo.preview_hash);
    Ok(Ok(photo))
}

/// What the phone's shell would say of a photo taken now at the event.
async fn facts(worker: &Worker, event: RecordId) -> Played<CaptureFacts> {
    let (position, number): (Option<Position>, Option<String>) = worker
        .read(move |store, _| {
            let entry = store.get::<Event>(event)?;
            Ok(entry.map(|entry| (entry.record.position, entry.record.number)).unwrap_or_default())
        })
        .await?;
    Ok(CaptureFacts {
        role: PhotoRole::Before,
        source: PhotoSource::Gallery,
        position,
        mock_location: Some(false),
        grid_name: Some(worker.grid.name.clone()),
        grid_code: Some(worker.grid.code.clone()),
        event_number: number,
        record: Some(event),
        ..CaptureFacts::camera(worker.phone.device().now(), worker.code.clone())
    })
}

/// The photos of an event as a phone shows them.
///
/// # Errors
/// Failures of the store.
pub async fn photos_of(worker: &Worker, event: RecordId) -> Played<usize> {
    worker
        .read(move |store, _| {
            let entry = store.get::<Event>(event)?;
            Ok(entry.map_or(0, |entry| entry.record.photos.len()))
        })
        .await
}
