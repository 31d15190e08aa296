//! Confirming a whole floor at once, with a guard against speeds that nobody can walk.

use std::collections::{BTreeMap, BTreeSet};

use gridwalk_model::doors::{Knock, pace};
use gridwalk_model::geo::LatLon;
use gridwalk_model::local_time::LocalTime;
use gridwalk_model::records::base_verification::{DoorOutcome, VerificationMethod};
use gridwalk_model::records::{BaseVerification, Dwelling};
use gridwalk_model::{Kind, RecordId, Timestamp, Value};

use super::act::AtDoor;
use super::operation::Operation;
use super::read::Reader;
use super::{DoorProblem, acts, rules};
use crate::edit::typed;
use crate::error::DeviceError;
use crate::store::{Store, View};

/// Why a door was left out of a bulk confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// It is not a dwelling on this phone.
    NotHere,
    /// What is recorded there does not go together: it wants a look of its own.
    Disputed,
    /// It was confirmed today already.
    ConfirmedToday,
}

/// What a bulk confirmation did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FloorConfirmed {
    /// Its number, for undoing it as a whole; `None` if no door was left.
    pub operation: Option<i64>,
    /// The doors that were confirmed.
    pub confirmed: Vec<RecordId>,
    /// Those that were not, and why.
    pub left_out: Vec<(RecordId, LeftOut)>,
}

impl Store {
    /// "No change" for several doors of one building in one transaction: a floor, or a lane of houses. Each leaves a base
    /// verification of its own.
    ///
    /// # Errors
    /// [`DoorProblem::TooFast`] where nobody can have walked to them since the doors before, by the deployment's
    /// limits, or where they do not lie together; a method other than in person has no such limit.
    /// [`DoorProblem::NotOneBuilding`].
    pub fn confirm_floor(
        &mut self,
        dwellings: &[RecordId],
        method: &VerificationMethod,
        patrol: Option<RecordId>,
        now: Timestamp,
    ) -> Result<FloorConfirmed, DeviceError> {
        self.edits(now, |edits| {
            let user = edits.tx().identity()?.user;
            let deployment = rules::of(&edits.view())?;
            let mut operation = Operation::begin(edits, &[], None)?;
            let mut out = FloorConfirmed::default();
            let local = operation.reader().view.field_rules()?.local();
            let today = done_since(&operation.reader().view, user, rules::days_before(now, 2))?;
            let (mut places, mut buildings) = (Vec::new(), BTreeSet::new());
            for dwelling in dwellings {
                match admit(&operation, *dwelling, &today, local)? {
                    Err(reason) => out.left_out.push((*dwelling, reason)),
                    Ok(_) if out.confirmed.contains(dwelling) => {}
                    Ok(door) => {
                        places.push(door.position.map(|position| position.point()));
                        // A door that names no building is a house of its own.
                        let own = door.building.is_none().then_some(*dwelling);
                        buildings.insert((door.estate, door.building, own));
                        out.confirmed.push(*dwelling);
                    }
                }
            }
            let Some(first) = out.confirmed.first().copied() else { return Ok(out) };
            if *method == VerificationMethod::InPerson {
                let horizon = i64::from(pace::horizon_seconds(&deployment)) * 1_000;
                let knocks = knocks(&operation.reader(), user, now.plus_millis(-horizon))?;
                pace::check(&knocks, &places, now, &deployment).map_err(DoorProblem::TooFast)?;
            }
            // Of doors that stand on the map the distance tells; a lane of houses is one round.
            let placed = *method == VerificationMethod::InPerson && places.iter().all(Option::is_some);
            if buildings.len() > 1 && !placed {
                return Err(DoorProblem::NotOneBuilding.into());
            }
            for dwelling in &out.confirmed {
                let at = AtDoor { dwelling: *dwelling, method: method.clone(), patrol };
                operation.verify(&at, DoorOutcome::NoChange)?;
            }
            out.operation = Some(operation.finish("floor", first)?);
            Ok(out)
        })
    }
}

type Admitted = Result<Dwelling, LeftOut>;

fn admit(
    operation: &Operation<'_, '_, '_>,
    dwelling: RecordId,
    today: &[BaseVerification],
    local: LocalTime,
) -> Result<Admitted, DeviceError> {
    let reader = operation.reader();
    let kind = reader.view.listed(dwelling)?.is_some_and(|listed| listed.kind == Kind::Dwelling.tag());
    let Some(found) = (if kind { reader.shown::<Dwelling>(dwelling)? } else { None }) else {
        return Ok(Err(LeftOut::NotHere));
    };
    let confirmed = |done: &BaseVerification| {
        let counts = done.target == dwelling && done.outcome != DoorOutcome::NobodyHome;
        counts && local.day_of(done.at) == Some(operation.day)
    };
    if today.iter().any(confirmed) {
        return Ok(Err(LeftOut::ConfirmedToday));
    }
    match acts::no_change(operation, dwelling) {
        Ok(_) => Ok(Ok(found.record)),
        Err(DeviceError::Door(_)) => Ok(Err(LeftOut::Disputed)),
        Err(error) => Err(error),
    }
}

/// What the worker verified since a time, read from the latest backwards.
fn done_since(
    view: &View<'_>,
    user: RecordId,
    since: Timestamp,
) -> Result<Vec<BaseVerification>, DeviceError> {
    const PAGE: usize = 256;
    let mut out = Vec::new();
    let mut after: Option<(String, i64)> = None;
    loop {
        let place = after.as_ref().map(|(sort, key)| (sort.as_str(), *key));
        let rows = view.list_kind(Kind::BaseVerification.tag(), place, PAGE)?;
        after = rows.last().map(|row| (row.sort.clone(), row.key));
        let full = rows.len() == PAGE;
        for row in rows {
            let older = matches!(row.fields.get("at"), Some(Value::Time(at)) if *at < since);
            if older {
                return Ok(out);
            }
            let entry = typed::<BaseVerification>(row).ok();
            out.extend(entry.map(|entry| entry.record).filter(|record| record.by == user));
        }
        if !full {
            return Ok(out);
        }
    }
}

/// The doors at which the worker stood in person since a time.
fn knocks(reader: &Reader<'_>, user: RecordId, since: Timestamp) -> Result<Vec<Knock>, DeviceError> {
    let mut places: BTreeMap<RecordId, Option<LatLon>> = BTreeMap::new();
    let mut out = Vec::new();
    for done in done_since(&reader.view, user, since)? {
        if !matches!(done.method, None | Some(VerificationMethod::InPerson)) {
            continue;
        }
        let place = match places.get(&done.target) {
            Some(place) => *place,
            None => {
                let listed = reader.view.listed(done.target)?.filter(|l| l.kind == Kind::Dwelling.tag());
                let dwelling = listed.and_then(|listed| typed::<Dwelling>(listed).ok());
                let place = dwelling.and_then(|entry| Some(entry.record.position?.point()));
                places.insert(done.target, place);
                place
            }
        };
        out.push(Knock { at: done.at, place });
    }
    Ok(out)
}
