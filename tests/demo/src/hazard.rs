//! One hazard, as the app's screens call the core: snap, category, send; and photos for an event that exists.

use gridwalk_device::DeviceError;
use gridwalk_device::photo::CaptureFacts;
use gridwalk_device::work::events::{ReportDraft, SentReport, SnapContext, Sorted};
use gridwalk_device::work::tray::{Settlement, TrayKey, TrayMedia};
use gridwalk_harness::photos;
use gridwalk_harness::scene::Hazard;
use gridwalk_harness::seeded::Seeded;
use gridwalk_model::RecordId;
use gridwalk_model::photo::{PhotoRole, PhotoSource};
use gridwalk_model::records::{Dwelling, Event};

use crate::acts;
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

/// The second and third call: what it is about, in the worker's words, and off it goes.
///
/// # Errors
/// A phone that refuses what it should take.
pub async fn sort_and_send(
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

/// Prepares and attaches what was snapped. A file that cannot be used stands in the tray with its reason, and is thrown
/// away there. Returns the numbers of these with their reasons.
///
/// # Errors
/// Anything but such a file.
pub async fn attach(stage: &Stage, index: usize) -> Played<Vec<(i64, Said)>> {
    let worker = stage.worker(index)?;
    worker.told(worker.device().attach_report_photos(stage.font.clone()).await)?;
    let mut reasons = Vec::new();
    for item in worker.told(worker.device().tray().await)? {
        if let TrayKey::Media { media: TrayMedia::Original(capture) } = item.key {
            reasons.push((capture, said(item.what.zh, item.what.en)));
            worker.told(worker.device().settle(item.key, Settlement::ThrowAway).await)?;
        }
    }
    Ok(reasons)
}

/// A door of the worker's grid, with where it is in words.
///
/// # Errors
/// Failures of the store.
pub async fn door(worker: &Worker, index: usize) -> Played<Option<(RecordId, Option<String>)>> {
    let area = worker.grid.id;
    let doors = worker.read(move |store, _| acts::dwellings_of(store, area)).await?;
    let at = (index * 3) % doors.len().max(1);
    Ok(doors.into_iter().nth(at).map(|entry| (entry.id, address_of(&entry.record))))
}

/// The door that is open on the phone.
pub fn context(worker: &Worker, door: Option<&(RecordId, Option<String>)>) -> SnapContext {
    SnapContext { area: Some(worker.grid.id), dwelling: door.map(|(dwelling, _)| *dwelling), place: None }
}

/// What the phone's shell knows when the shutter is released.
pub fn facts(worker: &Worker, source: PhotoSource) -> CaptureFacts {
    CaptureFacts {
        role: PhotoRole::Before,
        source,
        mock_location: Some(false),
        grid_name: Some(worker.grid.name.clone()),
        grid_code: Some(worker.grid.code.clone()),
        ..CaptureFacts::camera(worker.device().now(), worker.code.clone())
    }
}

/// A made-up photo.
///
/// # Errors
/// As [`photos::jpeg`].
pub fn made_up(stage: &Stage, what: &str, hazard: Hazard) -> Played<Vec<u8>> {
    let mut seeded = Seeded::for_subject(stage.seed, what);
    Ok(photos::jpeg(&mut seeded, (1_200, 900), hazard, None)?)
}

/// A report without a photo, in the fewest calls.
///
/// # Errors
/// A phone that refuses what it should take.
pub async fn send_plain(stage: &Stage, index: usize, report: ReportDraft) -> Played<RecordId> {
    let worker = stage.worker(index)?;
    let report = ReportDraft { no_photo_reason: Some("虚构：没有照片".into()), ..report };
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
