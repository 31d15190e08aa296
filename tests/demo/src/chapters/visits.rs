//! A visit to somebody on the care list: why, what is asked, a need with the service for it, and when the next one is.

use crate::door::PURPOSE;
use gridwalk_device::keeping::KeepingLimits;
use gridwalk_device::work::visits::{ServiceAsked, VisitInput};
use gridwalk_model::checklist::{Answer, Outcome};
use gridwalk_model::due::DueKind;
use gridwalk_model::records::visit::{VisitPurpose, VisitResult};
use gridwalk_model::visits::VisitForm;
use gridwalk_model::{Kind, RecordId};

use crate::chapters::plan::WORKER;
use crate::chapters::today;
use crate::error::{DemoError, Played};
use crate::narrate::said;
use crate::stage::Stage;
use crate::{acts, door};

/// Plays the visits.
///
/// # Errors
/// A phone that refuses what it should take.
pub async fn play(stage: &mut Stage) -> Played<()> {
    stage.narrator.chapter(&said("关爱走访", "A care visit"));
    let Some(target) = whom(stage).await? else {
        stage
            .narrator
            .say(&said("网格内没有居民，今天不走访。", "Nobody lives in this grid: no visits today."));
        return Ok(());
    };
    let worker = stage.worker(WORKER)?;
    let device = worker.device();
    let sheet = worker.told(device.visit_sheet(target, PURPOSE, KeepingLimits::default()).await)?;
    let why: Vec<_> = sheet.due.iter().flat_map(|due| &due.why).collect();
    let words = |of: fn(&gridwalk_model::visits::Why) -> &str| {
        why.iter().map(|why| of(why)).collect::<Vec<_>>().join("；")
    };
    let (reasons_zh, reasons_en) = (words(|why| why.zh()), words(|why| why.en()));
    let input = met(target, &sheet.form);
    worker.told(device.save_visit_draft(input.clone()).await)?;
    let kept = worker.told(device.visit_sheet(target, PURPOSE, KeepingLimits::default()).await)?.draft;
    let done = worker.told(device.record_visit(input.clone()).await)?;
    let after = worker.told(device.visit_sheet(target, PURPOSE, KeepingLimits::default()).await)?;
    let list = today::read(worker).await?;
    let open = after.open_services.iter().filter(|service| done.services.contains(&service.id)).count();
    if kept.as_ref() != Some(&input) || after.draft.is_some() || open != 1 {
        return Err(DemoError::Play("a visit's draft or its service is not where it should be".into()));
    }
    if today::has(&list, DueKind::Visit, target) {
        return Err(DemoError::Play("a visit that was made is still due".into()));
    }
    stage.keep(WORKER, &[vec![done.visit], done.services].concat()).await?;
    let next = done.next.map(|next| next.due.day.to_string());
    let (form, items) = (&sheet.form, sheet.form.items.len());
    stage.narrator.say(&said(
        format!("原因：{reasons_zh}。《{}》{items} 项已填；需要“装扶手”，已转服务，下次走访时跟进。", form.zh),
        format!("Why: {reasons_en}. \"{}\" asks {items} things; handrails are needed: asked for, and followed up at the next visit.", form.en),
    ));
    stage.narrator.say(&match next {
        Some(day) => said(format!("下次走访：{day}。"), format!("The next visit is due on {day}.")),
        None => said("不再需要走访。", "No further visit is due."),
    });
    declined(stage, target).await
}

/// Whoever is on today's list; else anybody whom this phone knows.
async fn whom(stage: &Stage) -> Played<Option<RecordId>> {
    if stage.plan.resident.is_some() {
        return Ok(stage.plan.resident);
    }
    let worker = stage.worker(WORKER)?;
    let due = worker.told(worker.device().visits_due().await)?;
    Ok(due.iter().find(|due| due.kind == Kind::Dwelling).map(|due| due.target))
}

/// All is well but one thing.
fn met(target: RecordId, form: &VisitForm) -> VisitInput {
    let mut input = VisitInput::plain(target, VisitResult::Met, form.purpose.clone());
    input.answers = door::all_well(form);
    if let Some(last) = form.items.last() {
        let attention =
            Answer {
                outcome: Some(Outcome::Fail), text: Some("虚构：需要留意".into()), ..Answer::default()
            };
        input.answers.insert(last.id.clone(), attention);
    }
    input.note = Some("虚构：精神很好".into());
    input.services =
        vec![ServiceAsked { request: "想装扶手（虚构）".into(), service: "适老化改造".into() }];
    input
}

/// Somebody declines: that is complete, and nothing follows from it.
async fn declined(stage: &mut Stage, visited: RecordId) -> Played<()> {
    let worker = stage.worker(WORKER)?;
    let own = worker.told(acts::own_doors(worker.device(), worker.grid.id, WORKER).await)?;
    let Some(door) = own.iter().rev().find(|door| door.id != visited).map(|door| door.id) else {
        return Ok(());
    };
    let input = VisitInput::plain(door, VisitResult::Refused, VisitPurpose::Routine);
    let done = worker.told(worker.device().record_visit(input).await)?;
    if !done.services.is_empty() {
        return Err(DemoError::Play("something follows from a declined visit".into()));
    }
    stage.keep(WORKER, &[done.visit]).await?;
    stage.narrator.say(&said(
        "另一户婉拒：这就是完整的结果，不触发任何后续事项。",
        "Another household declines: a complete result, from which nothing follows.",
    ));
    Ok(())
}
