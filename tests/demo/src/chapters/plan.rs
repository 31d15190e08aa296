//! What the office sets up before the day: checklists, a task, somebody on the care list. Phones fetch it with their
//! grids.

use std::collections::{BTreeMap, BTreeSet};

use gridwalk_model::checklist::{Template, file};
use gridwalk_model::records::care_tag::Need;
use gridwalk_model::records::task::{TaskKind, TaskState};
use gridwalk_model::records::{CareTag, Record, Task};
use gridwalk_model::{Kind, RecordId, Timestamp, Value};
use jiff::ToSpan;

use crate::acts;
use crate::cast::PHONES;
use crate::error::{DemoError, Played};
use crate::narrate::said;
use crate::stage::{Plan, Stage};

/// Whose day is told in full, counted from 0.
pub const WORKER: usize = 0;
/// Milliseconds from now until the task is due: today's work.
const DUE_IN_MS: i64 = 60_000;

/// The starter checklists.
const CHECKLISTS: [&str; 5] = [
    include_str!("../../../../schemas/checklists/small_venues.json"),
    include_str!("../../../../schemas/checklists/crowded_places.json"),
    include_str!("../../../../schemas/checklists/production.json"),
    include_str!("../../../../schemas/checklists/rented_rooms.json"),
    include_str!("../../../../schemas/checklists/estates.json"),
];

/// Publishes the checklists; sets the first worker a task and names somebody to be cared for, as far as their grid has
/// a place and people.
///
/// # Errors
/// Failures of the office.
pub fn publish(stage: &mut Stage, now: Timestamp) -> Played<()> {
    let mut templates = Vec::new();
    for text in CHECKLISTS {
        let template = file::read(text)
            .map_err(|error| DemoError::Play(format!("a starter checklist cannot be read: {error}")))?;
        stage.office.publish(Kind::Checklist, &template.to_record().to_fields())?;
        templates.push(template);
    }
    let worker = stage.worker(WORKER)?;
    let (user, area) = (worker.user, worker.grid.id);
    let approver = stage.worker(PHONES - 1)?.user;
    let place = place_in(stage, area, &templates)?;
    if let Some(place) = place {
        stage.office.publish(Kind::Task, &task(area, place, user, now).to_fields())?;
    }
    let resident = resident_in(stage, area)?;
    if let Some(resident) = resident {
        stage.office.publish(Kind::CareTag, &care(resident, approver, now).to_fields())?;
    }
    stage.plan = Plan { place, resident };
    let (checklists, set) = (templates.len(), usize::from(place.is_some()));
    let cared = usize::from(resident.is_some());
    stage.narrator.say(&said(
        format!("管理员发布了 {checklists} 份检查清单，给 W01 下达检查任务 {set} 项，审批关爱对象 {cared} 人。"),
        format!("The office publishes {checklists} checklists, sets W01 inspections: {set}, and approves people to be cared for: {cared}."),
    ));
    Ok(())
}

/// The first place of a grid that one of the checklists is for.
fn place_in(stage: &Stage, area: RecordId, templates: &[Template]) -> Played<Option<RecordId>> {
    let mut found: Option<RecordId> = None;
    stage.office.each_record(Some(Kind::Place), |id, document| {
        let own = document.get("area").and_then(|value| value.as_link()) == Some(area);
        let category = document.get("category").and_then(|value| value.as_text().map(str::to_owned));
        let fits = category.is_some_and(|category| templates.iter().any(|one| one.is_for(&category)));
        if own && fits && found.is_none_or(|other| id < other) {
            found = Some(id);
        }
    })?;
    Ok(found)
}

/// The first resident of a grid.
fn resident_in(stage: &Stage, area: RecordId) -> Played<Option<RecordId>> {
    let mut doors = BTreeSet::new();
    stage.office.each_record(Some(Kind::Dwelling), |id, document| {
        if document.get("area").and_then(|value| value.as_link()) == Some(area) {
            doors.insert(id);
        }
    })?;
    let mut lives = BTreeMap::new();
    stage.office.each_record(Some(Kind::Residency), |id, document| {
        let link = |key: &str| document.get(key).and_then(|value| value.as_link());
        let over = document.get("to").is_some_and(|value| value != Value::Null);
        if let (Some(resident), Some(dwelling), false) = (link("resident"), link("dwelling"), over)
            && doors.contains(&dwelling)
        {
            lives.insert(id, resident);
        }
    })?;
    Ok(lives.into_values().next())
}

fn task(area: RecordId, place: RecordId, assignee: RecordId, now: Timestamp) -> Task {
    Task {
        area,
        task_kind: TaskKind::Inspection,
        title: None,
        target: Some(place),
        due: Some(now.plus_millis(DUE_IN_MS)),
        assignee: Some(assignee),
        unit: None,
        state: Some(TaskState::Open),
        done_at: None,
        result: None,
        campaign: None,
        remarks: Some("虚构：月度检查".into()),
    }
}

/// Approved some weeks ago: the first visit is overdue.
fn care(resident: RecordId, approver: RecordId, now: Timestamp) -> CareTag {
    let today = acts::day_of(now);
    CareTag {
        resident,
        need: Need::LivingAlone,
        service: "每月上门（虚构）".into(),
        purpose: "居家安全（虚构）".into(),
        approver,
        from: today.saturating_sub(40.days()),
        until: today.saturating_add(200.days()),
    }
}
