//! Two people work on the same record without knowing of each other: what can be merged is merged, what cannot is
//! shown and chosen.

use gridwalk_device::work::tray::{Settlement, TrayItem, TrayKey};
use gridwalk_harness::flaky::Weather;
use gridwalk_harness::photos;
use gridwalk_harness::scene::Hazard;
use gridwalk_harness::seeded::Seeded;
use gridwalk_model::records::{Household, Place};
use gridwalk_model::{DeviceId, Fields, RecordId, Timestamp, Value};

use crate::acts::{self, field};
use crate::cast::Worker;
use crate::chapters::hazards;
use crate::error::{DemoError, Played};
use crate::hazard;
use crate::narrate::said;
use crate::stage::Stage;

/// Those who share the first grid, and those who share the second, counted from 0.
const FIRST: (usize, usize) = (0, 1);
const SECOND: (usize, usize) = (2, 3);

/// Plays the meetings.
///
/// # Errors
/// A conflict that is not shown or not settled.
pub async fn play(stage: &mut Stage) -> Played<()> {
    stage.narrator.chapter(&said("同一户，两个人同时改", "The same household, edited by two at once"));
    for index in [FIRST.0, FIRST.1, SECOND.0, SECOND.1] {
        let worker = stage.worker(index)?;
        worker.network.set(Weather::Clear);
        settle(worker).await?;
    }
    same_household(stage).await?;
    update_and_removal(stage).await?;
    first_photos(stage).await
}

async fn settle(worker: &Worker) -> Played<()> {
    let settled = worker.phone.settle(12).await?;
    if settled.status.is_settled() {
        return Ok(());
    }
    let why = settled.status.last_error.map(|error| error.en).unwrap_or_default();
    Err(DemoError::Play(format!("{} does not come to rest: {why}", worker.code)))
}

fn offline(stage: &Stage, pair: (usize, usize), online: bool) -> Played<()> {
    stage.worker(pair.0)?.phone.set_online(online)?;
    stage.worker(pair.1)?.phone.set_online(online)?;
    Ok(())
}

/// Both send and fetch; the first once more, for what the second brought.
async fn meet(stage: &Stage, pair: (usize, usize)) -> Played<()> {
    offline(stage, pair, true)?;
    for index in [pair.0, pair.1, pair.0] {
        settle(stage.worker(index)?).await?;
    }
    Ok(())
}

async fn same_household(stage: &mut Stage) -> Played<()> {
    let Target { id, merging, value: other_value } = shared_record(stage).await?;
    offline(stage, FIRST, false)?;
    let mut patch: Fields = field("remarks", "虚构：户主白天上班，晚上在家");
    patch.extend(field(merging, other_value));
    edit(stage, FIRST.0, id, patch).await?;
    edit(stage, FIRST.1, id, field("remarks", "虚构：户主出差，下月回来")).await?;
    meet(stage, FIRST).await?;
    let (one, other) = (stage.worker(FIRST.0)?, stage.worker(FIRST.1)?);
    let shown = (conflicts_of(one, id).await?, conflicts_of(other, id).await?);
    let [conflict] = shown.0.as_slice() else {
        return Err(DemoError::Play(format!("{} conflicts are shown instead of one", shown.0.len())));
    };
    if candidates(one, id).await? != candidates(other, id).await? {
        return Err(DemoError::Play("two phones show different conflicts".into()));
    }
    stage.narrator.say(&said(
        "不同的字段已自动合并；同一字段两个值都保留，两部手机的待处理箱都写着：",
        "Different fields have merged; of one field both values stay, and the trays of both phones say:",
    ));
    stage.narrator.say(&said(conflict.explanation.zh.clone(), conflict.explanation.en.clone()));
    show(stage, conflict);
    let key = conflict.key.clone();
    let value = conflict.values.iter().find(|value| !value.shown).map(|value| value.value.clone());
    if let TrayKey::Conflict { field, .. } = &key {
        stage.tally.conflicts.insert((id, field.clone()));
    }
    settle_item(stage, FIRST.0, key, Settlement::Choose(value.unwrap_or(Value::Null))).await?;
    meet(stage, FIRST).await?;
    let other = stage.worker(FIRST.1)?;
    let fields = other.read(move |store, _| store.fields(id)).await?.unwrap_or_default().1;
    let merged =
        fields.get(merging) == Some(&Value::from(other_value)) && conflicts_of(other, id).await?.is_empty();
    if !merged {
        return Err(DemoError::Play("the choice did not settle the conflict on the other phone".into()));
    }
    stage.narrator.say(&said(
        "W01 选用其中一个值；同步之后，W02 的待处理箱里也没有了。",
        "W01 uses one of them; after a sync it is gone from W02's tray too.",
    ));
    Ok(())
}

/// A record that two phones hold, and a field of it that only one of them will edit.
struct Target {
    id: RecordId,
    merging: &'static str,
    value: &'static str,
}

/// A household; a dwelling where the ledger has no people.
async fn shared_record(stage: &Stage) -> Played<Target> {
    let (one, other) = (stage.worker(FIRST.0)?, stage.worker(FIRST.1)?);
    let area = one.grid.id;
    let target = one
        .read(move |store, _| {
            let dwellings = acts::dwellings_of(store, area)?;
            for dwelling in dwellings.iter().take(40) {
                if let Some(household) = store.list_linked::<Household>("dwelling", dwelling.id)?.first() {
                    return Ok(Some(Target { id: household.id, merging: "household_kind", value: "shared" }));
                }
            }
            let first = dwellings.first().map(|entry| entry.id);
            Ok(first.map(|id| Target { id, merging: "occupancy", value: "vacant" }))
        })
        .await?
        .ok_or_else(|| DemoError::Data("no door in its largest grid".into()))?;
    let id = target.id;
    if other.read(move |store, _| store.fields(id)).await?.is_none() {
        return Err(DemoError::Play("two phones of one grid hold different records".into()));
    }
    Ok(target)
}

/// Makes an edit on a phone that is offline.
async fn edit(stage: &mut Stage, index: usize, record: RecordId, patch: Fields) -> Played<()> {
    let worker = stage.worker(index)?;
    worker.told(worker.device().edit(record, patch).await)?;
    stage.keep(index, &[record]).await
}

/// Settles an item of the tray of a phone, which is then offline.
async fn settle_item(stage: &mut Stage, index: usize, key: TrayKey, how: Settlement) -> Played<()> {
    let worker = stage.worker(index)?;
    worker.phone.set_online(false)?;
    worker.told(worker.device().settle(key, how).await)?;
    stage.keep(index, &[]).await
}

/// The conflicts of a record in the tray of a phone.
async fn conflicts_of(worker: &Worker, record: RecordId) -> Played<Vec<TrayItem>> {
    let mut tray = worker.told(worker.device().tray().await)?;
    tray.retain(|item| item.record == record && matches!(item.key, TrayKey::Conflict { .. }));
    Ok(tray)
}

/// The values in conflict, with device and time. The names of authors may be known to one phone and not to another.
async fn candidates(worker: &Worker, record: RecordId) -> Played<Vec<(String, Value, DeviceId, Timestamp)>> {
    let conflicts = worker.read(move |store, _| store.conflicts_of(record)).await?;
    let of = |entry: gridwalk_device::ConflictEntry| {
        let field = entry.field;
        entry.candidates.into_iter().map(move |one| (field.clone(), one.value, one.device, one.at))
    };
    Ok(conflicts.into_iter().flat_map(of).collect())
}

fn show(stage: &Stage, conflict: &TrayItem) {
    let headings = [said("值", "value"), said("谁", "who"), said("何时", "when")];
    let row = |value: &gridwalk_device::work::tray::TrayValue| {
        let text = stage.narrator.cell(&said(value.text.zh.clone(), value.text.en.clone()));
        vec![text, value.author.clone().unwrap_or_default(), acts::clock_of(value.at)]
    };
    stage.narrator.table(&headings, &conflict.values.iter().map(row).collect::<Vec<_>>());
}

/// One removes a place, the other corrects its telephone number: the correction stays and is pointed out.
async fn update_and_removal(stage: &mut Stage) -> Played<()> {
    let area = stage.worker(SECOND.0)?.grid.id;
    let place = stage
        .worker(SECOND.0)?
        .read(move |store, _| {
            Ok(acts::all::<Place>(store)?.into_iter().find(|entry| entry.record.area == area))
        })
        .await?;
    let Some(place) = place.map(|entry| entry.id) else { return Ok(()) };
    offline(stage, SECOND, false)?;
    let one = stage.worker(SECOND.0)?;
    one.told(one.device().remove(place).await)?;
    stage.keep(SECOND.0, &[place]).await?;
    edit(stage, SECOND.1, place, field("phone", "19900010000")).await?;
    meet(stage, SECOND).await?;
    let key = TrayKey::Removed { record: place };
    for index in [SECOND.0, SECOND.1] {
        let worker = stage.worker(index)?;
        let tray = worker.told(worker.device().tray().await)?;
        if !tray.iter().any(|item| item.key == key) {
            return Err(DemoError::Play("an edit against a removal was not pointed out".into()));
        }
    }
    stage.tally.conflicts.insert((place, "removed".to_owned()));
    settle_item(stage, SECOND.1, key, Settlement::Keep).await?;
    meet(stage, SECOND).await?;
    stage.narrator.say(&said(
        "W03 删除一个场所，W04 同时更正其电话：更正保留，两部手机都提示；W04 决定保留该场所。",
        "W03 removes a place while W04 corrects its number: the correction stays, both are told, W04 keeps the place.",
    ));
    Ok(())
}

/// Two phones add the first photo of the same event at once.
async fn first_photos(stage: &mut Stage) -> Played<()> {
    offline(stage, SECOND, false)?;
    let event = hazard::report_at_door(stage, SECOND.0, 5).await?;
    stage.keep(SECOND.0, &[event]).await?;
    meet(stage, SECOND).await?;
    offline(stage, SECOND, false)?;
    for (index, hazard) in [(SECOND.0, Hazard::OpenManhole), (SECOND.1, Hazard::FlyingLead)] {
        let mut seeded = Seeded::for_subject(stage.seed, &format!("first photo {index}"));
        let original = photos::jpeg(&mut seeded, (1_600, 1_200), hazard, None)?;
        if let Err((_, reason)) = hazard::add(stage, index, event, original).await? {
            return Err(DemoError::Play(format!("a sound photo was refused: {reason}")));
        }
        stage.keep(index, &[event]).await?;
    }
    meet(stage, SECOND).await?;
    for index in [SECOND.0, SECOND.1] {
        let photos = hazard::photos_of(stage.worker(index)?, event).await?;
        if photos != 2 {
            return Err(DemoError::Play(format!("{photos} photos instead of two in the same event")));
        }
    }
    stage.narrator.say(&said(
        "W03 和 W04 同时给同一事件加第一张照片：两张都在。",
        "W03 and W04 add the first photo of the same event at once: both are there.",
    ));
    hazards::same_again(stage, SECOND.0, SECOND.1).await
}
