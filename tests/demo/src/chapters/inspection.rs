//! An inspection by a starter checklist: findings with photos, an order to put them right, an event for a major one;
//! and the recheck.

use gridwalk_device::DeviceError;
use gridwalk_device::photo::CaptureFacts;
use gridwalk_device::work::checklists::{ChecklistError, FinishPlan, Session};
use gridwalk_harness::photos;
use gridwalk_harness::scene::Hazard;
use gridwalk_harness::seeded::Seeded;
use gridwalk_model::RecordId;
use gridwalk_model::categories::Severity;
use gridwalk_model::checklist::{Answer, ChecklistItem, ItemKind, Lack, Outcome, SignatureRole};
use gridwalk_model::records::{Place, RectificationOrder};

use crate::cast::Worker;
use crate::chapters::plan::WORKER;
use crate::chapters::today;
use crate::error::{DemoError, Played};
use crate::narrate::said;
use crate::stage::Stage;

/// More steps than any checklist needs.
const STEPS: usize = 400;

/// Plays the inspection.
///
/// # Errors
/// A phone that refuses what it should take, or finishes what is not complete.
pub async fn play(stage: &mut Stage) -> Played<()> {
    stage.narrator.chapter(&said("场所检查：清单逐项", "An inspection, item by item"));
    let place = place(stage).await?;
    let worker = stage.worker(WORKER)?;
    let offered = worker.told(worker.device().checklists_for(place).await)?;
    let list = offered.first().ok_or_else(|| DemoError::Play("no checklist for a place".into()))?;
    let session = worker.told(worker.device().begin_inspection(place, list.id, None).await)?;
    let (id, fails) = (session.id, fails(&session));
    let session = fill(stage, session, &fails).await?;
    let worker = stage.worker(WORKER)?;
    let early = worker.device().finish_inspection(id, FinishPlan::default()).await;
    let Err(DeviceError::Checklist(problem @ ChecklistError::Incomplete { .. })) = early else {
        return Err(DemoError::Play("an inspection was finished without a signature".into()));
    };
    let name = list.name_en.clone().unwrap_or_else(|| list.name.clone());
    let (asked, failed) = (session.review.asked.len(), session.review.failed.len());
    stage.narrator.say(&said(
        format!("《{}》问了 {asked} 项，{failed} 项不合格并拍照。没签名就提交，被拒：“{}”", list.name, problem.zh()),
        format!("\"{name}\" asks {asked} items; {failed} fail, with photos. Handed in unsigned, it is refused: \"{}\"", problem.en()),
    ));
    finish(stage, &session).await?;
    Ok(())
}

/// The place that is due, or a new one that no ledger knows.
async fn place(stage: &mut Stage) -> Played<RecordId> {
    if let Some(place) = stage.plan.place {
        return Ok(place);
    }
    let worker = stage.worker(WORKER)?;
    let shop = Place {
        area: worker.grid.id,
        name: "虚构小吃店".into(),
        category: "restaurant".into(),
        address: Some("虚构路 1 号".into()),
        dwelling: None,
        organization: None,
        manager: None,
        phone: None,
        position: None,
        inspection_interval_days: Some(30),
        closed: None,
        source_keys: std::collections::BTreeMap::new(),
        remarks: Some("虚构：新开业".into()),
    };
    let place = worker.told(worker.device().create(shop).await)?;
    stage.keep(WORKER, &[place]).await?;
    stage.narrator.say(&said(
        "台账里没有可检查的场所：W01 登记了一家新开的店。",
        "No place of the ledger is to be inspected: W01 enters a shop that has just opened.",
    ));
    Ok(place)
}

/// Two items that are going to fail: an ordinary one and a major one.
fn fails(session: &Session) -> Vec<String> {
    let first = |major: bool| {
        let fits = |item: &ChecklistItem| {
            let always = item.shown_when.is_none() && item.kind == ItemKind::PassFail;
            always && (item.severity == Severity::Major) == major
        };
        let ordered = session.template.ordered();
        ordered.into_iter().find(|(_, item)| fits(item)).map(|(id, _)| id.to_owned())
    };
    [first(false), first(true)].into_iter().flatten().collect()
}

/// Answers whatever is asked, until nothing but signatures is lacking.
async fn fill(stage: &mut Stage, session: Session, fails: &[String]) -> Played<Session> {
    let mut session = session;
    let mut seeded = Seeded::for_subject(stage.seed, "an inspection");
    for _ in 0..STEPS {
        let Some(item) = session.next.clone() else {
            stage.keep(WORKER, &[session.id]).await?;
            return Ok(session);
        };
        let worker = stage.worker(WORKER)?;
        let device = worker.device();
        session = if session.review.lacking.get(&item) == Some(&Lack::Photo) {
            let original = photos::jpeg(&mut seeded, (1_200, 900), Hazard::Rubbish, None)?;
            let capture = worker.told(device.journal_photo(original, facts(worker)).await)?;
            let font = stage.font.clone();
            worker.told(device.attach_answer_photo(capture, session.id, &item, font).await)?;
            worker.told(device.inspection_session(session.id).await)?
        } else {
            let answer = answer(&session, &item, fails);
            worker.told(device.answer_item(session.id, &item, answer).await)?.session
        };
    }
    Err(DemoError::Play("a checklist does not come to its end".into()))
}

fn facts(worker: &Worker) -> CaptureFacts {
    CaptureFacts {
        grid_name: Some(worker.grid.name.clone()),
        grid_code: Some(worker.grid.code.clone()),
        ..CaptureFacts::camera(worker.device().now(), worker.code.clone())
    }
}

fn answer(session: &Session, item: &str, fails: &[String]) -> Answer {
    let Some(asked) = session.template.items.get(item) else { return Answer::default() };
    let wrong = fails.iter().any(|fail| fail == item);
    match &asked.kind {
        ItemKind::PassFail if wrong => Answer {
            outcome: Some(Outcome::Fail),
            text: Some("虚构：现场不符合要求".into()),
            ..Answer::default()
        },
        ItemKind::PassFail => Answer { outcome: Some(Outcome::Pass), ..Answer::default() },
        ItemKind::Number => {
            let usual = match item {
                "area_m2" => 80.0,
                "floors" => 1.0,
                _ => 2.0f64,
            };
            let number = usual.max(asked.min.unwrap_or(usual)).min(asked.max.unwrap_or(f64::MAX));
            Answer { number: Some(number), ..Answer::default() }
        }
        ItemKind::Choice | ItemKind::YesNo => {
            let word = asked.choices.first().map_or("no", |choice| choice.word.as_str());
            Answer { choice: Some(word.to_owned()), ..Answer::default() }
        }
        ItemKind::Date => Answer { text: Some("2026-01-01".into()), ..Answer::default() },
        _ => Answer { text: Some("无（虚构）".into()), ..Answer::default() },
    }
}

/// Both sign, and everything follows in one step. Returns the order, if there is one.
async fn finish(stage: &mut Stage, session: &Session) -> Played<()> {
    let id = session.id;
    sign(stage, id).await?;
    let worker = stage.worker(WORKER)?;
    let done = worker.told(worker.device().finish_inspection(id, FinishPlan::default()).await)?;
    let order = done.order.ok_or_else(|| DemoError::Play("findings without an order".into()))?;
    let record = worker.told(worker.device().get::<RectificationOrder>(order).await)?;
    let deadline = record.map(|entry| entry.record.deadline.to_string()).unwrap_or_default();
    let list = today::read(worker).await?;
    let still = stage
        .plan
        .place
        .is_some_and(|place| today::has(&list, gridwalk_model::due::DueKind::Inspection, place));
    let major = done.review.failed.values().filter(|severity| **severity == Severity::Major).count();
    if still || major != done.events.len() {
        return Err(DemoError::Play("what should follow from an inspection did not".into()));
    }
    let named: Vec<RecordId> = [Some(id), Some(order), done.recheck_task]
        .into_iter()
        .flatten()
        .chain(done.events.into_values())
        .collect();
    stage.keep(WORKER, &named).await?;
    let (score, order_items) = (done.review.score.unwrap_or_default(), done.review.failed.len());
    let grade = done.review.grade.map(|grade| (grade.zh(), grade.en())).unwrap_or_default();
    stage.narrator.say(&said(
        format!("双方签名后：{score} 分，{}；整改通知 {order_items} 项，期限 {deadline}，并生成复查任务；重大隐患 {major} 项已转为事件。", grade.0),
        format!("Signed by both: {score} points, {}; an order for {order_items} findings until {deadline} with a task to check again; {major} major finding became an event.", grade.1),
    ));
    Ok(())
}

/// The worker and whoever runs the place draw their names.
async fn sign(stage: &Stage, inspection: RecordId) -> Played<()> {
    let worker = stage.worker(WORKER)?;
    for (n, role) in [SignatureRole::Worker, SignatureRole::Manager].into_iter().enumerate() {
        let mut seeded = Seeded::for_subject(stage.seed, &format!("signature {n}"));
        let drawn = photos::jpeg(&mut seeded, (240, 120), Hazard::Rubbish, None)?;
        worker.told(worker.device().sign_inspection(inspection, role, None, drawn).await)?;
    }
    Ok(())
}

/// The place is looked at again, and the order is settled.
///
/// # Errors
/// As [`play`].
pub async fn recheck(stage: &mut Stage) -> Played<()> {
    let worker = stage.worker(WORKER)?;
    let orders = worker.told(worker.device().open_orders().await)?;
    let order = orders.first().ok_or_else(|| DemoError::Play("no order is open".into()))?;
    let items = order.outstanding.len();
    let session = worker.told(worker.device().begin_recheck(order.id).await)?;
    let (id, order) = (session.id, order.id);
    let asked = session.review.asked.len();
    fill(stage, session, &[]).await?;
    sign(stage, id).await?;
    let worker = stage.worker(WORKER)?;
    let done = worker.told(worker.device().finish_inspection(id, FinishPlan::default()).await)?;
    let left = worker.told(worker.device().open_orders().await)?;
    let failed = done.review.failed.len();
    let open = left.iter().any(|open| open.id == order);
    if asked != items || open != (failed > 0) {
        return Err(DemoError::Play("a recheck did not settle its order".into()));
    }
    stage.keep(WORKER, &[id, order]).await?;
    stage.narrator.say(&said(
        format!(
            "W01 复查：只问上次不合格的 {items} 项，{failed} 项仍不合格{}。",
            if open { "" } else { "，整改通知销号" }
        ),
        format!(
            "W01 checks again: only the {items} items that had failed are asked; {failed} still fail{}.",
            if open { "" } else { ", and the order is settled" }
        ),
    ));
    Ok(())
}
