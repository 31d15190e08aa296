//! A test of the test: one phone does some of everything and is never online again, which the account must find.

use gridwalk_device::work::doors::{AtDoor, DoorAct};
use gridwalk_device::work::visits::VisitInput;
use gridwalk_model::geo::{Fix, LatLon, TrackPoint};
use gridwalk_model::records::visit::{VisitPurpose, VisitResult};
use gridwalk_model::records::{Checklist, Place};
use gridwalk_model::walk::PatrolRules;

use crate::acts::{self, field};
use crate::chapters::plan::WORKER;
use crate::error::Played;
use crate::stage::Stage;

/// A door is edited and confirmed, a visit made, an inspection begun, a patrol walked; none of it is ever sent.
///
/// # Errors
/// A store that fails.
pub async fn unsent(stage: &mut Stage) -> Played<()> {
    let worker = stage.worker(WORKER)?;
    let (device, area) = (worker.device(), worker.grid.id);
    worker.phone.set_online(false)?;
    let doors = worker.read(move |store, _| acts::dwellings_of(store, area)).await?;
    let Some(door) = doors.first().map(|entry| entry.id) else { return Ok(()) };
    worker.told(device.edit(door, field("remarks", "虚构：从未送达")).await)?;
    worker.told(device.at_door(AtDoor::in_person(door), DoorAct::NobodyHome).await)?;
    let visit = VisitInput::plain(door, VisitResult::Refused, VisitPurpose::Routine);
    worker.told(device.record_visit(visit).await)?;
    let (place, list) = worker
        .read(|store, _| Ok((acts::all::<Place>(store)?, acts::all::<Checklist>(store)?)))
        .await
        .map(|(places, lists)| (places.first().map(|one| one.id), lists.first().map(|one| one.id)))?;
    if let (Some(place), Some(list)) = (place, list) {
        worker.told(device.begin_inspection(place, list, None).await)?;
    }
    let patrol = worker.told(device.start_patrol(area).await)?;
    let walked = (0..20).map(|n| {
        let point = LatLon { lat: 35.2 + f64::from(n) * 1e-4, lon: 122.4 };
        TrackPoint::bare(Fix { at: patrol.started_at.plus_millis(i64::from(n) * 10_000), point })
    });
    let rules = PatrolRules::default();
    worker.told(device.journal_points(walked.collect(), false, rules).await)?;
    let ended = worker.told(device.end_patrol(None, rules).await)?;
    stage.keep(WORKER, &[door, ended.id]).await
}
