//! The day itself, done or gone on with.

use std::path::Path;

use gridwalk_device::photo::CaptureFacts;
use gridwalk_device::work::checklists::{FinishPlan, Session};
use gridwalk_device::work::doors::{AtDoor, DoorAct, InHousehold, NewPerson, Newcomer};
use gridwalk_device::work::events::SnapContext;
use gridwalk_device::work::visits::{ServiceAsked, VisitInput};
use gridwalk_device::{Device, DeviceError};
use gridwalk_harness::clock::ManualClock;
use gridwalk_model::checklist::{Answer, ItemKind, Lack, Outcome, SignatureRole};
use gridwalk_model::geo::{Position, PositionSource};
use gridwalk_model::records::visit::{VisitPurpose, VisitResult};
use gridwalk_model::records::{Checklist, Dwelling, Event, Inspection, Place, Visit};
use gridwalk_model::visits::VisitForm;
use gridwalk_model::{Record, RecordId, Timestamp};

use super::world::{CARE_EVERY, names};
use super::{DOORS, EVENTS, INSPECTIONS, VISITS, at_door, photo_file};

/// What a day may fail with.
pub type Failed = Box<dyn std::error::Error + Send + Sync>;

/// What the reports are about.
const CATEGORIES: [&str; EVENTS] =
    ["litter", "fire_exit_blocked", "ebike_charging", "gas_hazard", "fire_equipment", "shop_safety"];

/// A worker with a phone and a camera.
pub struct Worker<'w> {
    device: &'w Device,
    clock: &'w ManualClock,
    camera: &'w Path,
    area: RecordId,
    /// Called after each act, when it is durable.
    done: &'w mut dyn FnMut(&str) -> Result<(), Failed>,
    homes: Vec<RecordId>,
    places: Vec<RecordId>,
    checklist: RecordId,
}

async fn all<T: Record + Send + 'static>(device: &Device) -> Result<Vec<(RecordId, T)>, DeviceError> {
    let page = device.list::<T>(None, usize::MAX).await?;
    Ok(page.entries.into_iter().map(|entry| (entry.id, entry.record)).collect())
}

impl<'w> Worker<'w> {
    /// A worker who looks at what the phone holds.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn new(
        device: &'w Device,
        clock: &'w ManualClock,
        camera: &'w Path,
        area: RecordId,
        done: &'w mut dyn FnMut(&str) -> Result<(), Failed>,
    ) -> Result<Self, Failed> {
        let mut homes = all::<Dwelling>(device).await?;
        homes.sort_by_key(|(_, home)| (home.building.clone(), home.room.clone()));
        let mut places = all::<Place>(device).await?;
        places.sort_by_key(|(_, place)| place.name.clone());
        let checklist = all::<Checklist>(device).await?.first().map(|(id, _)| *id).ok_or("no checklist")?;
        let ids = |(id, _): &(RecordId, Dwelling)| *id;
        let homes: Vec<RecordId> = homes.iter().map(ids).collect();
        let places: Vec<RecordId> = places.iter().map(|(id, _)| *id).collect();
        if (homes.len(), places.len()) != (DOORS, INSPECTIONS) {
            return Err("the phone is not filled".into());
        }
        Ok(Self { device, clock, camera, area, done, homes, places, checklist })
    }

    /// Does whatever of the day is not done.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn day(&mut self) -> Result<(), Failed> {
        for door in 0..DOORS {
            self.door(door).await?;
            if door % CARE_EVERY == CARE_EVERY - 1 {
                self.visit(door / CARE_EVERY, at_door(door).plus_millis(60_000)).await?;
            }
            if door % (DOORS / INSPECTIONS) == DOORS / INSPECTIONS - 1 {
                self.inspection(door / (DOORS / INSPECTIONS), at_door(door).plus_millis(20_000)).await?;
            }
            if door % (DOORS / EVENTS) == DOORS / EVENTS - 1 {
                self.report(door / (DOORS / EVENTS), at_door(door).plus_millis(70_000)).await?;
            }
        }
        Ok(())
    }

    fn set(&self, at: Timestamp) {
        self.clock.advance_ms(at.millis() - self.clock.shows().millis());
    }

    fn did(&mut self, what: &str) -> Result<(), Failed> {
        (self.done)(what)
    }

    /// One door; at one in forty the worker first taps the wrong thing and takes it back.
    async fn door(&mut self, door: usize) -> Result<(), Failed> {
        let dwelling = self.homes[door];
        let slip = at_door(door);
        let wrong = door % 40 == 7;
        let at = if wrong { slip.plus_millis(1_000) } else { slip };
        self.set(at);
        let before = self.device.door_operations(Some(dwelling), 5).await?;
        if before.iter().any(|operation| operation.at == at) {
            return Ok(());
        }
        if wrong {
            let n = match before.iter().find(|operation| operation.at == slip) {
                Some(slipped) => slipped.n,
                None => {
                    self.set(slip);
                    let act = DoorAct::Vacant { on: None };
                    let done = self.device.at_door(AtDoor::in_person(dwelling), act).await?;
                    self.did("slip")?;
                    self.set(at);
                    done.operation
                }
            };
            self.device.undo_door(n).await?;
            self.did("undo")?;
        }
        let act = self.act_at(door).await?;
        self.device.at_door(AtDoor::in_person(dwelling), act).await?;
        self.did("door")
    }

    async fn act_at(&self, door: usize) -> Result<DoorAct, Failed> {
        let [_, second] = names(door);
        let people = self.device.door(self.homes[door]).await?.people;
        let second = people.iter().find(|one| one.name.as_deref() == Some(&second)).map(|one| one.person);
        let second = second.ok_or("somebody is missing")?;
        let newcomer = |name: String| NewPerson { name, ..NewPerson::default() };
        Ok(match (door % 60, door % 12) {
            (10, _) => DoorAct::Split { household: None, members: vec![second], head: Some(second) },
            (22, _) => DoorAct::Death { person: second, on: None },
            (34, _) => DoorAct::Vacant { on: None },
            (_, 3) => DoorAct::NobodyHome,
            (_, 5) => DoorAct::MoveIn {
                people: vec![Newcomer::unknown(newcomer(format!("虚构{door:03}丙")))],
                household: InHousehold::None,
                from: None,
            },
            (_, 7) => DoorAct::MoveOut { people: vec![second], on: None },
            (_, 9) => DoorAct::Birth {
                child: NewPerson {
                    birth_date: gridwalk_model::records::parse_date("2026-05-20"),
                    ..newcomer(format!("虚构{door:03}丁"))
                },
                household: None,
            },
            _ => DoorAct::NoChange,
        })
    }

    async fn visit(&mut self, number: usize, at: Timestamp) -> Result<(), Failed> {
        self.set(at);
        let [name, _] = names(number * CARE_EVERY);
        let people = self.device.door(self.homes[number * CARE_EVERY]).await?.people;
        let person = people.iter().find(|one| one.name.as_ref() == Some(&name)).map(|one| one.person);
        let target = person.ok_or("nobody to visit")?;
        let linked = self.device.with_store(move |store, _| store.list_linked::<Visit>("target", target));
        if linked.await?.iter().any(|visit| visit.record.at == at) {
            return Ok(());
        }
        let form = VisitForm::starters().into_iter().next().ok_or("no form")?;
        let well = Answer { outcome: Some(Outcome::Pass), ..Answer::default() };
        let mut input = VisitInput::plain(target, VisitResult::Met, VisitPurpose::Care);
        input.answers = form.items.into_iter().map(|item| (item.id, well.clone())).collect();
        if number.is_multiple_of(5) {
            let service = ServiceAsked {
                request: "想装扶手（虚构）".into(), service: "适老化改造".into()
            };
            input.services.push(service);
        }
        self.device.save_visit_draft(input.clone()).await?;
        self.did("visit draft")?;
        self.device.record_visit(input).await?;
        self.did("visit")
    }

    async fn inspection(&mut self, number: usize, at: Timestamp) -> Result<(), Failed> {
        self.set(at);
        let place = self.places[number];
        let linked = self.device.with_store(move |store, _| store.list_linked::<Inspection>("place", place));
        if linked.await?.iter().any(|inspection| inspection.record.ended_at.is_some()) {
            return Ok(());
        }
        let mut session = self.device.begin_inspection(place, self.checklist, None).await?;
        self.did("inspection begun")?;
        while let Some(item) = session.next.clone() {
            session = if session.review.lacking.get(&item) == Some(&Lack::Photo) {
                let (photo, shift) = if item == "daily_log" { (number, 0) } else { (12 + number / 2, 1) };
                let capture = self.journal(photo, at.plus_millis(shift)).await?;
                self.device.attach_answer_photo(capture, session.id, &item, None).await?;
                self.device.inspection_session(session.id).await?
            } else {
                let answer = answer_to(&session, &item, number);
                self.device.answer_item(session.id, &item, answer).await?.session
            };
            self.did("answer")?;
        }
        let drawn = std::fs::read(self.camera.join("signature.jpg"))?;
        for role in [SignatureRole::Worker, SignatureRole::Manager] {
            if !session.signed.contains(&role) {
                session = self.device.sign_inspection(session.id, role, None, drawn.clone()).await?;
                self.did("signature")?;
            }
        }
        self.device.finish_inspection(session.id, FinishPlan::default()).await?;
        self.did("inspection")
    }

    /// Journals a photo, unless it is in the journal already. Two photos are never taken in the same millisecond.
    async fn journal(&mut self, photo: usize, at: Timestamp) -> Result<i64, Failed> {
        if let Some(capture) = self.journaled(at).await? {
            return Ok(capture);
        }
        let original = std::fs::read(self.camera.join(photo_file(photo)))?;
        let capture = self.device.journal_photo(original, facts(at)).await?;
        self.did("journaled")?;
        Ok(capture)
    }

    async fn journaled(&self, at: Timestamp) -> Result<Option<i64>, DeviceError> {
        let find = move |store: &mut gridwalk_device::Store, _| {
            for n in store.captures()? {
                if store.journaled_photo(n)?.is_some_and(|(_, facts)| facts.at == at) {
                    return Ok(Some(n));
                }
            }
            Ok(None)
        };
        self.device.with_store(find).await
    }

    async fn report(&mut self, number: usize, at: Timestamp) -> Result<(), Failed> {
        self.set(at);
        let sent = all::<Event>(self.device).await?;
        if !sent.iter().any(|(_, event)| event.number.is_some() && event.occurred_at == Some(at)) {
            let draft = self.snaps(number, at).await?;
            self.device.choose_category(draft, CATEGORIES[number]).await?;
            self.did("category")?;
            self.device.send_report(draft).await?;
            self.did("report")?;
        }
        if self.device.attach_report_photos(None).await? > 0 {
            self.did("report photos")?;
        }
        Ok(())
    }

    /// The two photos of a report: those that are in its draft, those that are loose, those that are still to be taken.
    async fn snaps(&mut self, number: usize, at: Timestamp) -> Result<i64, Failed> {
        let context = SnapContext { area: Some(self.area), ..SnapContext::default() };
        let tray = self.device.draft_tray().await?;
        let begun = tray.drafts.iter().find(|draft| draft.report.seen_at == Some(at));
        let mut draft = begun.map(|draft| draft.n);
        for photo in 0..2 {
            let taken = at.plus_millis(photo as i64);
            if begun.is_some_and(|draft| draft.photos.iter().any(|photo| photo.at == taken)) {
                continue;
            }
            let snapped = if let Some(capture) = self.journaled(taken).await? {
                self.device.adopt_capture(capture, context, draft).await?
            } else {
                let original = std::fs::read(self.camera.join(photo_file(18 + number * 2 + photo)))?;
                self.device.snap(original, facts(taken), context, draft).await?
            };
            draft = Some(snapped.draft);
            self.did("snap")?;
        }
        Ok(draft.ok_or("no draft")?)
    }
}

fn facts(at: Timestamp) -> CaptureFacts {
    let position = Position::wgs84(36.1, 120.47, Some(6.0), PositionSource::Gps).ok();
    CaptureFacts { position, ..CaptureFacts::camera(at, "W01".into()) }
}

/// Everywhere the log is not kept, in every second place there is private wiring; the rest is in order.
fn answer_to(session: &Session, item: &str, number: usize) -> Answer {
    let count = |number| Answer { number: Some(number), ..Answer::default() };
    let outcome = |outcome| Answer { outcome: Some(outcome), ..Answer::default() };
    match (item, session.template.items.get(item).map(|item| &item.kind)) {
        ("gas", _) => Answer { choice: Some("bottled".into()), ..Answer::default() },
        ("area_m2", _) => count(80.0),
        ("floors", _) => count(1.0),
        ("daily_log", _) => outcome(Outcome::Fail),
        ("no_private_wiring", _) if number.is_multiple_of(2) => outcome(Outcome::Fail),
        (_, Some(ItemKind::PassFail)) => outcome(Outcome::Pass),
        (_, Some(ItemKind::Text)) => Answer { text: Some("无（虚构）".into()), ..Answer::default() },
        _ => count(2.0),
    }
}

/// How many visits the script has; the doors of the others follow from it.
const _: () = assert!(VISITS * CARE_EVERY == DOORS);
