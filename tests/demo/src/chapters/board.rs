//! The door board of a building, and what is done at its doors in a few taps.

use gridwalk_device::DeviceError;
use gridwalk_device::work::doors::{
    AtDoor, Board, Building, DoorAct, DoorProblem, DoorSheet, InHousehold, NewPerson, Newcomer,
};
use gridwalk_harness::people;
use gridwalk_harness::seeded::Seeded;
use gridwalk_model::RecordId;
use gridwalk_model::doors::DoorState;
use gridwalk_model::records::Resident;
use gridwalk_model::records::base_verification::VerificationMethod;

use crate::acts;
use crate::cast::Worker;
use crate::chapters::plan::WORKER;
use crate::error::{DemoError, Played};
use crate::narrate::said;
use crate::stage::Stage;

/// Floors that are shown.
const FLOORS: usize = 6;
/// More doors at once than any deployment's limits let pass: nobody walks that fast.
const TOO_MANY: usize = 60;

/// Plays the building.
///
/// # Errors
/// A phone that refuses what it should take, or takes what it should refuse.
pub async fn play(stage: &mut Stage) -> Played<()> {
    let worker = stage.worker(WORKER)?;
    let building = largest(worker).await?;
    let name = format!("{} {}", building.estate, building.building).trim().to_owned();
    stage
        .narrator
        .chapter(&said(format!("楼栋看板：{name}"), format!("The door board of a building: {name}")));
    let before = board(stage.worker(WORKER)?, &building).await?;
    show(stage, &before);
    let floor = whole_floor(stage, &building, &before).await?;
    too_fast(stage, &floor).await?;
    let others = others(stage.worker(WORKER)?, &floor).await?;
    let newcomer_at = move_in(stage, &others).await?;
    birth(stage, newcomer_at).await?;
    nobody_home(stage, &others, newcomer_at).await?;
    slip_and_undo(stage, newcomer_at).await?;
    let after = board(stage.worker(WORKER)?, &building).await?;
    let (was, is) = (before.due, after.due);
    if is >= was {
        return Err(DemoError::Play(format!("{is} doors are due after the round, {was} before it")));
    }
    stage.narrator.say(&said(
        format!("看板已更新：本楼待核查 {was} 户 → {is} 户；每次操作都留下一条信息核查记录。"),
        format!(
            "The board follows: {was} doors to be confirmed are {is} now; each tap leaves a verification."
        ),
    ));
    Ok(())
}

/// The building with the most doors.
async fn largest(worker: &Worker) -> Played<Building> {
    let buildings = worker.told(worker.device().buildings().await)?;
    let largest = buildings.into_iter().rev().max_by_key(|building| building.doors);
    largest.ok_or_else(|| DemoError::Data("no building in its largest grid".into()))
}

async fn board(worker: &Worker, building: &Building) -> Played<Board> {
    worker.told(worker.device().board(&building.estate, &building.building).await)
}

fn show(stage: &Stage, board: &Board) {
    let headings = [
        said("楼层", "floor"),
        said("户数", "doors"),
        said("有人居住", "lived in"),
        said("空置", "vacant"),
        said("未登记", "nobody recorded"),
        said("居住人数", "people"),
        said("待核查", "to be confirmed"),
    ];
    let rows: Vec<Vec<String>> = board
        .floors
        .iter()
        .take(FLOORS)
        .map(|floor| {
            let count = |state| floor.doors.iter().filter(|door| door.state == state).count().to_string();
            vec![
                floor.floor.map_or_else(|| "-".into(), |number| number.to_string()),
                floor.doors.len().to_string(),
                count(DoorState::LivedIn),
                count(DoorState::Vacant),
                count(DoorState::Unrecorded),
                floor.doors.iter().map(|door| door.people).sum::<usize>().to_string(),
                floor.doors.iter().filter(|door| door.due).count().to_string(),
            ]
        })
        .collect();
    stage.narrator.table(&headings, &rows);
}

/// "No change" for a floor in one tap.
async fn whole_floor(stage: &mut Stage, building: &Building, board: &Board) -> Played<Vec<RecordId>> {
    let worker = stage.worker(WORKER)?;
    // A door without a floor is in a house of its own, where the "floor" is the lane: a dozen is enough.
    let floor = board.floors.first().map(|floor| floor.doors.as_slice()).unwrap_or_default();
    let doors: Vec<RecordId> = floor.iter().take(12).map(|door| door.dwelling).collect();
    let done = worker.device().confirm_floor(doors.clone(), VerificationMethod::InPerson, None).await;
    let done = worker.told(done)?;
    let confirmed = done.confirmed.len();
    let again = self::board(worker, building).await?;
    let known = again.floors.iter().flat_map(|floor| &floor.doors);
    let known = known.filter(|door| done.confirmed.contains(&door.dwelling) && !door.due).count();
    if confirmed == 0 || known != confirmed {
        return Err(DemoError::Play(format!("{known} of {confirmed} doors of a floor are confirmed")));
    }
    stage.keep(WORKER, &[]).await?;
    stage.narrator.say(&said(
        format!("整层“无变化”一键确认：{confirmed} 户。"),
        format!("\"No change\" for a whole floor in one tap: {confirmed} doors."),
    ));
    Ok(doors)
}

/// Right after it the whole grid at once: nobody walks that fast, and the phone says so.
async fn too_fast(stage: &mut Stage, floor: &[RecordId]) -> Played<()> {
    let worker = stage.worker(WORKER)?;
    let area = worker.grid.id;
    let doors = worker.read(move |store, _| acts::dwellings_of(store, area)).await?;
    let rest: Vec<RecordId> = doors.iter().map(|door| door.id).filter(|id| !floor.contains(id)).collect();
    if rest.len() < TOO_MANY {
        return Ok(());
    }
    let count = rest.len();
    let refused = worker.device().confirm_floor(rest, VerificationMethod::InPerson, None).await;
    let Err(DeviceError::Door(problem @ DoorProblem::TooFast(_))) = refused else {
        return Err(DemoError::Play(format!("{count} doors were confirmed at once")));
    };
    stage.narrator.say(&said(
        format!("紧接着想一键确认其余 {count} 户，被拒：“{}”", problem.zh()),
        format!("The other {count} doors in one tap as well are refused: \"{}\"", problem.en()),
    ));
    Ok(())
}

/// The worker's own doors beside the floor, as far as there are any; those where people live first.
async fn others(worker: &Worker, floor: &[RecordId]) -> Played<Vec<DoorSheet>> {
    let own = worker.told(acts::own_doors(worker.device(), worker.grid.id, WORKER).await)?;
    let beside = own.iter().any(|door| !floor.contains(&door.id));
    let mut sheets = Vec::new();
    for door in own.iter().filter(|door| !beside || !floor.contains(&door.id)).take(8) {
        sheets.push(worker.told(worker.device().door(door.id).await)?);
    }
    sheets.sort_by_key(|sheet| sheet.people.is_empty());
    Ok(sheets)
}

/// Somebody moves in. The phone finds that it knows them already: they move instead of being entered twice.
async fn move_in(stage: &mut Stage, others: &[DoorSheet]) -> Played<RecordId> {
    let mut seeded = Seeded::for_subject(stage.seed, "a move-in");
    let care = stage.plan.resident;
    let worker = stage.worker(WORKER)?;
    let to = others.last().map(|sheet| sheet.dwelling.id);
    let to = to.ok_or_else(|| DemoError::Data("too few doors in its largest grid".into()))?;
    let mut people = others.iter().filter(|sheet| sheet.dwelling.id != to).flat_map(|sheet| &sheet.people);
    let known = people.find(|one| Some(one.person) != care).map(|one| one.person);
    let typed = match known {
        Some(person) => {
            let resident = worker.told(worker.device().get::<Resident>(person).await)?.map(|one| one.record);
            resident.map(|one| NewPerson { phone: one.phone, ..NewPerson::named(&one.name) })
        }
        None => None,
    };
    let typed = typed.unwrap_or_else(|| NewPerson::named(&people::name(&mut seeded)));
    let hints = worker.told(worker.device().duplicates_of_new(typed.clone()).await)?;
    let hint = hints.into_iter().map(|hint| hint.other).find(|other| Some(other.person) == known);
    let newcomer = match &hint {
        Some(hint) => Newcomer::known(hint.person),
        None => Newcomer::unknown(typed),
    };
    let act = DoorAct::MoveIn { people: vec![newcomer], household: InHousehold::None, from: None };
    let done = worker.told(worker.device().at_door(AtDoor::in_person(to), act).await)?;
    let here = worker.told(worker.device().door(to).await)?;
    if !done.people.iter().all(|person| here.people.iter().any(|one| one.person == *person)) {
        return Err(DemoError::Play("somebody who moved in is not there".into()));
    }
    stage.keep(WORKER, &[done.verification]).await?;
    stage.narrator.say(&match hint {
        Some(hint) => said(
            format!("迁入：手机提示此人可能就是“{}”的住户；选用后自动迁出原址，不重复建档。", hint.door),
            format!(
                "A move-in: the phone hints at somebody who lives at {}; chosen, they leave there and are not entered twice.",
                hint.door
            ),
        ),
        None => said(
            "迁入：本机没有相似的人，先建临时档案。",
            "A move-in: nobody like them is on this phone; the record is provisional.",
        ),
    });
    Ok(to)
}

/// A child is born behind a door.
async fn birth(stage: &mut Stage, dwelling: RecordId) -> Played<()> {
    let worker = stage.worker(WORKER)?;
    let child = NewPerson {
        birth_date: Some(acts::day_of(worker.device().now())),
        remarks: Some("虚构：新生儿".into()),
        ..NewPerson::named("虚构小宝")
    };
    let act = DoorAct::Birth { child, household: None };
    let done = worker.told(worker.device().at_door(AtDoor::in_person(dwelling), act).await)?;
    let named = [vec![done.verification], done.people].concat();
    stage.keep(WORKER, &named).await?;
    stage.narrator.say(&said("出生登记一次。", "A birth is entered."));
    Ok(())
}

async fn nobody_home(stage: &mut Stage, others: &[DoorSheet], newcomer_at: RecordId) -> Played<()> {
    let mut quiet = others.iter().filter(|sheet| sheet.door.due && sheet.dwelling.id != newcomer_at);
    let Some(door) = quiet.next().map(|sheet| sheet.dwelling.id) else { return Ok(()) };
    let worker = stage.worker(WORKER)?;
    let done = worker.device().at_door(AtDoor::in_person(door), DoorAct::NobodyHome).await;
    let done = worker.told(done)?;
    if !worker.told(worker.device().door(door).await)?.door.due {
        return Err(DemoError::Play("a door that nobody opened counts as confirmed".into()));
    }
    stage.keep(WORKER, &[done.verification]).await?;
    stage.narrator.say(&said(
        "敲门无人应答：记录“家中无人”，不算已核查。",
        "Nobody opens: noted as \"nobody home\", which confirms nothing.",
    ));
    Ok(())
}

/// The wrong button, and back.
async fn slip_and_undo(stage: &mut Stage, door: RecordId) -> Played<()> {
    let worker = stage.worker(WORKER)?;
    let look = async || worker.told(worker.device().door(door).await);
    let before = look().await?;
    let act = DoorAct::Vacant { on: None };
    let done = worker.told(worker.device().at_door(AtDoor::in_person(door), act).await)?;
    let wrong = look().await?;
    worker.told(worker.device().undo_door(done.operation).await)?;
    let after = look().await?;
    if !wrong.people.is_empty() || after.people != before.people || after.door.state != before.door.state {
        return Err(DemoError::Play("an undo at a door did not restore it".into()));
    }
    let count = after.people.len();
    stage.keep(WORKER, &[done.verification]).await?;
    stage.narrator.say(&said(
        format!("误点“空置”，{count} 人被迁出；点“撤销”，全部恢复。"),
        format!("\"Vacant\" by mistake moves {count} people out; one undo brings all of them back."),
    ));
    Ok(())
}
