//! One door of a round, as the app's screens call the core: what a gridworker does there in a few taps.

use gridwalk_device::keeping::KeepingLimits;
use gridwalk_device::work::doors::{AtDoor, DoorAct, DoorProblem, InHousehold, NewPerson, Newcomer};
use gridwalk_device::work::visits::VisitInput;
use gridwalk_device::{Device, DeviceError, Entry};
use gridwalk_harness::people;
use gridwalk_harness::seeded::Seeded;
use gridwalk_model::checklist::{Answer, Outcome};
use gridwalk_model::records::Dwelling;
use gridwalk_model::records::residency::Relation;
use gridwalk_model::records::resident::ResidentKind;
use gridwalk_model::records::visit::VisitResult;
use gridwalk_model::visits::VisitForm;
use gridwalk_model::{Fields, RecordId};

use crate::acts::{self, field};

/// Why a visit's sheet is opened, as the journal of sensitive reads has it.
pub const PURPOSE: &str = "上门走访";

/// What came of a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DoorKind {
    /// Something was put right.
    Corrected,
    /// Somebody moved in.
    MovedIn,
    /// Nobody opened.
    NobodyHome,
    /// Somebody was visited.
    Visited,
    /// All as recorded.
    Confirmed,
}

/// Knocks at a door and does one of the things that happen there. Returns what, and the records that the phone says
/// it has written.
///
/// # Errors
/// A phone that refuses what it should take.
pub async fn knock(
    device: &Device,
    seeded: &mut Seeded,
    door: &Entry<Dwelling>,
) -> Result<(DoorKind, Vec<RecordId>), DeviceError> {
    let people = acts::people_at(device, door.id).await?;
    match (seeded.below(8), people.first()) {
        (0, Some(person)) => {
            let person = device.edit_person(*person, field("phone", people::phone(seeded))).await?.person;
            Ok((DoorKind::Corrected, vec![person]))
        }
        (1, _) => Ok((DoorKind::MovedIn, move_in(device, seeded, door.id).await?)),
        (2, _) => {
            let rented = !door.record.rented.unwrap_or(false);
            let mut patch: Fields = field("remarks", "虚构：电表箱门已修好");
            patch.extend(field("rented", rented));
            device.edit(door.id, patch).await?;
            Ok((DoorKind::Corrected, vec![door.id]))
        }
        (3, _) => {
            let done = device.at_door(AtDoor::in_person(door.id), DoorAct::NobodyHome).await?;
            Ok((DoorKind::NobodyHome, vec![done.verification]))
        }
        (4 | 5, Some(_)) => Ok((DoorKind::Visited, vec![visit(device, door).await?])),
        _ => Ok((DoorKind::Confirmed, vec![confirm(device, door.id).await?])),
    }
}

/// Somebody moves in whom this phone does not know.
async fn move_in(
    device: &Device,
    seeded: &mut Seeded,
    dwelling: RecordId,
) -> Result<Vec<RecordId>, DeviceError> {
    let newcomer = NewPerson {
        name: people::name(seeded),
        phone: Some(people::phone(seeded)),
        kind: Some(ResidentKind::Floating),
        remarks: Some("虚构：新入住".into()),
        ..NewPerson::default()
    };
    let newcomer = Newcomer { relation: Some(Relation::Tenant), ..Newcomer::unknown(newcomer) };
    let act = DoorAct::MoveIn { people: vec![newcomer], household: InHousehold::None, from: None };
    let done = device.at_door(AtDoor::in_person(dwelling), act).await?;
    Ok([vec![done.verification], done.people].concat())
}

/// The people behind the door are met; nothing needs attention.
async fn visit(device: &Device, door: &Entry<Dwelling>) -> Result<RecordId, DeviceError> {
    let form = device.visit_sheet(door.id, PURPOSE, KeepingLimits::default()).await?.form;
    let mut input = VisitInput::plain(door.id, VisitResult::Met, form.purpose.clone());
    input.answers = all_well(&form);
    input.note = Some("虚构：住户一切正常".into());
    input.position = door.record.position;
    Ok(device.record_visit(input).await?.visit)
}

/// Every item of a visit's form answered: nothing needs attention.
pub fn all_well(form: &VisitForm) -> std::collections::BTreeMap<String, Answer> {
    let well = Answer { outcome: Some(Outcome::Pass), ..Answer::default() };
    form.items.iter().map(|item| (item.id.clone(), well.clone())).collect()
}

/// "No change"; where records contradict each other, the worker says first that people live there.
async fn confirm(device: &Device, dwelling: RecordId) -> Result<RecordId, DeviceError> {
    let at = AtDoor::in_person(dwelling);
    match device.at_door(at.clone(), DoorAct::NoChange).await {
        Err(DeviceError::Door(DoorProblem::Disputed { .. })) => {
            Ok(device.at_door(at, DoorAct::Occupied).await?.verification)
        }
        done => Ok(done?.verification),
    }
}
